//! What travels on an agent's WebSocket: one enum for each direction, JSON text frames of at most
//! [`MAX_FRAME_BYTES`]. The hub carries envelopes that it cannot make and secrets that it cannot
//! read.

use serde::{Deserialize, Serialize};

use crate::{
    encoding::Base64,
    envelope::{Envelope, VerifyKey},
    error::Refusal,
    ident::{
        AccessKeyId, AgentId, BucketAddress, BucketId, BucketName, Digest, Limit, Micros,
        OperationId, RegionName,
    },
    json,
    rules::{CorsRule, LifecycleRule, Website},
    seal::{SealKey, Sealed},
};

/// The largest frame, in bytes.
pub const MAX_FRAME_BYTES: usize = 256 * 1024;
/// The version of the frames.
pub const PROTOCOL_VERSION: u8 = 1;
/// Seconds between an agent's heartbeats.
pub const HEARTBEAT_SECONDS: u64 = 30;
/// Seconds without a word from the hub after which an executor starts no admin call.
pub const EXECUTOR_SILENCE_SECONDS: u64 = 30;
/// The most items in a list of a frame: operations, changes, receipts.
pub const MAX_FRAME_ITEMS: usize = 200;
/// A key whose end is at or before this instant, an hour after 1970 began, is suspended: nobody
/// else asks for such an end, so that Garage alone tells a suspended key from one that has ended.
pub const SUSPENDED_UNTIL: Micros = Micros(3600 * Micros::SECOND);
/// The most characters of an agent's trouble that are kept.
pub const MAX_TROUBLE_CHARS: usize = 300;
/// Seconds between two words on how far a job is.
pub const PROGRESS_SECONDS: u64 = 1;
/// The TLS server name of every hub. Agents trust one private CA; a hub's address may change.
pub const HUB_SERVER_NAME: &str = "hub.storm-buckets.internal";

/// From an agent to the hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "body",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum ToHub {
    /// The only frame that a connection without a certificate may send.
    Enrol(Enrol),
    /// The first frame of an enrolled agent.
    Hello(Box<Hello>),
    /// I am here; every [`HEARTBEAT_SECONDS`].
    Heartbeat(Heartbeat),
    /// The operation is in the journal and will run.
    Accepted(OperationState),
    /// An operation has ended.
    Receipt(ReceiptFrame),
    /// Answers [`ToAgent::Query`]: one state for each operation asked for.
    States(Vec<OperationState>),
    /// What changed in the cluster.
    Inventory(InventoryFrame),
    /// A fresh certificate, please: the request (PKCS #10, DER) for the same key or a new one.
    Renew(RenewFrame),
    /// Received and kept the trust document of this serial.
    TrustKept(TrustKept),
    /// Why the agent takes no change at the moment, or that it does again.
    Trouble(Trouble),
    /// How far a job is, once in [`PROGRESS_SECONDS`] at most.
    Progress(ProgressFrame),
    /// From an agent that is not the executor: something moved in the cluster.
    Moved,
    /// Requests that the proxy before Garage has logged.
    Traffic(TrafficFrame),
}

/// From the hub to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "body",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum ToAgent {
    /// Answers [`ToHub::Enrol`].
    Enrolled(Box<Enrolled>),
    /// Answers [`ToHub::Hello`].
    Welcome(Box<Welcome>),
    /// Answers [`ToHub::Heartbeat`].
    HeartbeatSeen(Heartbeat),
    /// Run this.
    Command(Envelope),
    /// What do you know of these operations?
    Query(Vec<OperationId>),
    /// The receipts up to this sequence are stored.
    ReceiptsKept(ReceiptsKept),
    /// Send the receipts from this sequence on.
    ReceiptsWanted(ReceiptsWanted),
    /// The inventory's generation is stored.
    InventoryKept(InventoryKept),
    /// A newer trust document.
    Trust(Envelope),
    /// Answers [`ToHub::Renew`].
    Renewed(Certificate),
    /// The region's executor has changed.
    Executor(ExecutorState),
    /// To the executor: another agent saw something move in the cluster.
    Moved,
    /// Answers [`ToHub::Traffic`].
    TrafficKept(TrafficKept),
    /// The connection ends, and why.
    Closing(Closing),
}

macro_rules! bodies {
    ($( $(#[$meta:meta])+ $name:ident { $( $(#[doc = $doc:literal])+ $field:ident: $type:ty, )* } )+) => {
        $(
            $(#[$meta])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $( $(#[doc = $doc])+ pub $field: $type, )* }
        )+
    };
}

bodies! {
    /// An agent asks for its identity.
    Enrol {
        /// [`PROTOCOL_VERSION`].
        version: u8,
        /// The secret of the enrolment token, hex.
        secret: Digest,
        /// The certificate request (PKCS #10, DER) for the agent's TLS key.
        request: Base64,
        /// The key that will sign its receipts.
        receipt_key: VerifyKey,
        /// The key that secrets for it will be sealed to.
        seal_key: SealKey,
        /// The host's name, for people.
        host: String,
    }

    /// An identity.
    Enrolled {
        /// The agent's id.
        agent: AgentId,
        /// Its region.
        region: RegionName,
        /// Its certificate.
        certificate: Certificate,
        /// The root key, whose digest stands in the token.
        root_key: VerifyKey,
        /// The trust document.
        trust: Envelope,
        /// The agent's statement.
        statement: Envelope,
    }

    /// A certificate with its chain.
    Certificate {
        /// DER certificates, the agent's first.
        chain: Vec<Base64>,
    }

    /// An agent introduces itself.
    Hello {
        /// [`PROTOCOL_VERSION`].
        version: u8,
        /// The agent's version.
        agent_version: String,
        /// Its clock.
        clock: Micros,
        /// Its whitelist: names and row digests.
        commands: Vec<CommandRow>,
        /// Commands that its configuration switches off.
        disabled: Vec<String>,
        /// The end of its chain, signed.
        head: Envelope,
        /// The serial of the trust document it holds.
        trust_serial: u64,
        /// The highest executor epoch it has seen.
        epoch: u64,
        /// The generation of the last inventory that was acknowledged to it.
        generation: u64,
        /// Garage's version on this node, when known.
        garage_version: Option<String>,
    }

    /// A row of the agent's whitelist.
    CommandRow {
        /// The command's name.
        name: String,
        /// The row's digest.
        digest: Digest,
    }

    /// The hub knows the agent and has registered it.
    Welcome {
        /// The hub's version.
        hub_version: String,
        /// The hub's clock.
        clock: Micros,
        /// Whether the agent is its region's executor, and in which epoch.
        executor: ExecutorState,
        /// The current trust document, when the agent's is older.
        trust: Option<Envelope>,
        /// The last receipt that the hub has stored; 0 for none.
        receipts_kept: u64,
        /// The inventory generation that the hub has stored; 0 asks for everything.
        generation: u64,
    }

    /// Who executes.
    ExecutorState {
        /// Whether this agent is the executor.
        executor: bool,
        /// The region's epoch.
        epoch: u64,
    }

    /// A sign of life.
    Heartbeat {
        /// The sender's clock.
        clock: Micros,
    }

    /// What is in the way of changes at an agent.
    Trouble {
        /// One sentence for a person; absent when all is well again.
        message: Option<String>,
    }

    /// How far a job is. Only news: the receipt is the truth.
    ProgressFrame {
        /// The job's operation.
        operation: OperationId,
        /// Objects that are done.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// Objects in all, as they were counted at its start.
        total_objects: Option<u64>,
        /// Their bytes.
        total_bytes: Option<u64>,
    }

    /// What an agent knows of an operation.
    OperationState {
        /// The operation.
        operation: OperationId,
        /// How far it is.
        state: KnownState,
    }

    /// One receipt, with the secret that it seals.
    ReceiptFrame {
        /// Its place in the agent's chain.
        sequence: u64,
        /// The receipt.
        receipt: Envelope,
        /// The sealed secret, as long as the agent keeps it.
        sealed: Option<Sealed>,
    }

    /// Receipts are stored.
    ReceiptsKept {
        /// Up to and with this sequence.
        sequence: u64,
    }

    /// Receipts are wanted.
    ReceiptsWanted {
        /// From this sequence on.
        from: u64,
    }

    /// A part of one generation of the inventory.
    InventoryFrame {
        /// The sweep.
        generation: u64,
        /// Whether this replaces everything known before.
        whole: bool,
        /// Whether this is the generation's last frame.
        last: bool,
        /// Buckets that are new or differ.
        buckets: Vec<BucketState>,
        /// Buckets that are gone.
        buckets_gone: Vec<BucketId>,
        /// Keys that are new or differ.
        keys: Vec<KeyState>,
        /// Keys that are gone.
        keys_gone: Vec<AccessKeyId>,
    }

    /// The inventory is stored.
    InventoryKept {
        /// The generation.
        generation: u64,
    }

    /// A bucket as Garage has it.
    BucketState {
        /// The bucket.
        bucket: BucketId,
        /// Its global aliases that are valid names.
        aliases: Vec<BucketName>,
        /// Bytes in whole objects.
        bytes: u64,
        /// Objects.
        objects: u64,
        /// Bytes in unfinished uploads.
        unfinished_bytes: u64,
        /// Unfinished uploads.
        unfinished_uploads: u64,
        /// The limit on bytes.
        quota_bytes: Option<Limit>,
        /// The limit on objects.
        quota_objects: Option<Limit>,
        /// Its website, when it is on.
        website: Option<Website>,
        /// Its CORS rules, as far as this protocol can say them.
        cors: Vec<CorsRule>,
        /// Its lifecycle rules, as far as this protocol can say them.
        lifecycle: Vec<LifecycleRule>,
        /// Whether it has rules besides, which somebody set by other means.
        other_rules: bool,
        /// Its keys with their rights.
        grants: Vec<GrantState>,
        /// Names that one key alone has for it, as far as they are valid names; 100 at most.
        local_aliases: Vec<LocalAliasState>,
        /// When it was made.
        created_at: Micros,
    }

    /// A key's rights on the bucket at hand.
    GrantState {
        /// The key.
        key: AccessKeyId,
        /// Reads.
        read: bool,
        /// Writes.
        write: bool,
        /// Owns.
        owner: bool,
    }

    /// A name that one key alone has for the bucket at hand.
    LocalAliasState {
        /// The key.
        key: AccessKeyId,
        /// The name.
        name: BucketName,
    }

    /// A key as Garage has it, without its secret.
    KeyState {
        /// The key.
        key: AccessKeyId,
        /// Its name in Garage.
        name: String,
        /// When it was made, if Garage knows.
        created_at: Option<Micros>,
        /// When it ends. At or before [`SUSPENDED_UNTIL`] it is suspended.
        expires_at: Option<Micros>,
        /// Whether it may make buckets over S3.
        create_buckets: bool,
    }

    /// Counts of requests. One that is not acknowledged comes again under its number.
    TrafficFrame {
        /// Grows by one with each frame of this agent.
        sequence: u64,
        /// The counts, [`MAX_FRAME_ITEMS`] at most; none says only that requests are counted here.
        sums: Vec<TrafficSum>,
    }

    /// Requests of one kind to one bucket in one minute.
    TrafficSum {
        /// The minute's beginning.
        minute: Micros,
        /// The bucket, as the requests named it.
        bucket: BucketAddress,
        /// What they did.
        method: MethodClass,
        /// The hundreds of their HTTP status: 1 to 5.
        status: u8,
        /// How many.
        requests: u64,
        /// Bytes that came in their bodies, as far as the proxy logs them.
        received_bytes: u64,
        /// Bytes that were sent in answer.
        sent_bytes: u64,
    }

    /// Counts of requests are stored.
    TrafficKept {
        /// Up to and with this frame. Beyond the one that was sent: the agent has forgotten where it
        /// was, and goes on from here.
        sequence: u64,
    }

    /// A certificate request.
    RenewFrame {
        /// PKCS #10, DER.
        request: Base64,
    }

    /// A trust document is kept.
    TrustKept {
        /// Its serial.
        serial: u64,
    }

    /// Why the hub closes.
    Closing {
        /// A stable code: `not_enrolled`, `token_invalid`, `token_spent`, `revoked`, `quarantined`,
        /// `replaced`, `protocol`, `restarting`, `busy`.
        code: ClosingCode,
        /// One sentence for a person.
        message: String,
    }
}

/// What a request does, by its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MethodClass {
    /// GET and HEAD.
    Read,
    /// PUT and POST.
    Write,
    /// DELETE.
    Delete,
    /// All others.
    Other,
}

impl MethodClass {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Delete, Self::Other];

    /// The name, the same in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Other => "other",
        }
    }
}

/// How far an operation is at the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownState {
    /// The journal does not have it.
    Unknown,
    /// It is in the journal and runs, or will.
    Running,
    /// It has ended; its receipt follows or was sent.
    Ended,
}

/// Why the hub closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingCode {
    /// Something other than enrolment came without a certificate.
    NotEnrolled,
    /// No such enrolment token, or it has expired.
    TokenInvalid,
    /// The token is bound to another key.
    TokenSpent,
    /// The agent was removed.
    Revoked,
    /// The agent's chain does not match what the hub has; an operator decides.
    Quarantined,
    /// The agent connected again.
    Replaced,
    /// A frame that does not belong here.
    Protocol,
    /// The hub restarts; come back.
    Restarting,
    /// The hub is full; come back later.
    Busy,
}

impl ClosingCode {
    /// As it stands in frames.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not_enrolled",
            Self::TokenInvalid => "token_invalid",
            Self::TokenSpent => "token_spent",
            Self::Revoked => "revoked",
            Self::Quarantined => "quarantined",
            Self::Replaced => "replaced",
            Self::Protocol => "protocol",
            Self::Restarting => "restarting",
            Self::Busy => "busy",
        }
    }

    /// Whether coming back later may help. The others end the agent, with its keys kept.
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Replaced | Self::Protocol | Self::Restarting | Self::Busy | Self::Quarantined => {
                true
            }
            Self::NotEnrolled | Self::TokenInvalid | Self::TokenSpent | Self::Revoked => false,
        }
    }
}

impl ToHub {
    /// Reads a frame. Errors: those of [`json::from_slice`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        json::from_slice(bytes, MAX_FRAME_BYTES)
    }
}

impl ToAgent {
    /// Reads a frame. Errors: those of [`json::from_slice`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        json::from_slice(bytes, MAX_FRAME_BYTES)
    }
}
