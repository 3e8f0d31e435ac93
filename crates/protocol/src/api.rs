//! The types of the public API under `/api/v1`, shared by the server and the CLI. Names are the
//! same in JSON, SQL and on screen; instants are microseconds UTC.

use serde::{Deserialize, Serialize};

use crate::{
    command::KeyGrant,
    envelope::{Actor, Envelope, VerifyKey, Via},
    ident::{
        AccessKeyId, AccountId, AgentId, BucketId, BucketName, Digest, EnrolTokenId, KeyLabel,
        Limit, Micros, OperationId, RegionName, TokenId, UserId,
    },
    receipt::Outcome,
    result::ClusterHealth,
    seal::{SealKey, Sealed},
};

/// Seconds that a request waits for its operation before it answers 202.
pub const WAIT_SECONDS: u64 = 10;
/// The most items on a page.
pub const MAX_PAGE: u32 = 1000;
/// Items on a page when the request does not say.
pub const DEFAULT_PAGE: u32 = 100;
/// How every API token begins.
pub const TOKEN_PREFIX: &str = "sbt_";

macro_rules! api_types {
    ($( $(#[$meta:meta])+ $name:ident { $( $(#[doc = $doc:literal])+ $(#[serde($($attr:tt)+)])? $field:ident: $type:ty, )* } )+) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            $(#[$meta])+
            pub struct $name { $( $(#[doc = $doc])+ $(#[serde($($attr)+)])? pub $field: $type, )* }
        )+
    };
}

api_types! {
    /// An error, for people and programs.
    ProblemBody {
        /// A stable code, such as `name_taken`.
        code: String,
        /// What happened, what was kept, what to do: one or two sentences.
        message: String,
        /// The request's id, to find it in the log.
        request: String,
    }

    /// The body of every error answer.
    Problem {
        /// The error.
        error: ProblemBody,
    }

    /// The signed-in person.
    Whoami {
        /// The person.
        user: UserId,
        /// Their e-mail address.
        email: String,
        /// The account in use.
        account: AccountId,
        /// The account's name.
        account_name: String,
        /// Their role in it.
        role: Role,
        /// Whether they run the platform.
        operator: bool,
    }

    /// A region.
    Region {
        /// Its name.
        name: RegionName,
        /// Where S3 is spoken.
        s3_endpoint: String,
        /// The S3 region name that requests are signed for.
        s3_region: String,
        /// The domain under which websites appear.
        website_domain: Option<String>,
        /// The agent that makes changes.
        executor: Option<AgentId>,
        /// The executor epoch.
        epoch: u64,
        /// Whether the executor is connected.
        connected: bool,
        /// Why the executor takes no change at the moment, in its words.
        trouble: Option<String>,
    }

    /// A bucket, as last heard.
    Bucket {
        /// Its id.
        id: BucketId,
        /// Its region.
        region: RegionName,
        /// Its name: the first global alias.
        name: Option<BucketName>,
        /// All its global aliases.
        aliases: Vec<BucketName>,
        /// Bytes in whole objects, as last heard; absent before the first sweep.
        bytes: Option<u64>,
        /// Objects, as last heard.
        objects: Option<u64>,
        /// Bytes in unfinished uploads.
        unfinished_bytes: Option<u64>,
        /// Unfinished uploads.
        unfinished_uploads: Option<u64>,
        /// The limit on bytes.
        quota_bytes: Option<Limit>,
        /// The limit on objects.
        quota_objects: Option<Limit>,
        /// When it was made.
        created_at: Micros,
        /// When the figures were read.
        seen_at: Option<Micros>,
    }

    /// A key, without its secret, which the control plane never has.
    Key {
        /// Its id.
        id: AccessKeyId,
        /// Its region.
        region: RegionName,
        /// What a person calls it.
        label: KeyLabel,
        /// When it was made.
        created_at: Micros,
        /// When it ends.
        expires_at: Option<Micros>,
        /// Whether a client has confirmed that it holds the secret.
        acknowledged: bool,
        /// Its rights.
        grants: Vec<KeyGrant>,
    }

    /// A key's rights on a bucket.
    Grant {
        /// The key.
        key: AccessKeyId,
        /// What a person calls it.
        label: KeyLabel,
        /// List and read objects.
        read: bool,
        /// Write and delete objects.
        write: bool,
        /// Delete the bucket; change its CORS, website and lifecycle.
        owner: bool,
    }

    /// One intent, from request to receipt.
    Operation {
        /// Its id.
        id: OperationId,
        /// Its state.
        state: OperationStatus,
        /// The command.
        command: String,
        /// The command's parameters. An object: empty when they are not known, as of an operation that
        /// came from a node's spool.
        #[serde(default = "no_parameters", serialize_with = "write_parameters")]
        parameters: serde_json::Value,
        /// Who asked.
        actor: Actor,
        /// Where the request came from (an address), when known.
        origin: Option<String>,
        /// The region.
        region: RegionName,
        /// The agent that took it.
        agent: Option<AgentId>,
        /// How often it was signed.
        attempt: u32,
        /// When it was asked.
        requested_at: Micros,
        /// When it ended.
        finished_at: Option<Micros>,
        /// What came of it.
        outcome: Option<Outcome>,
        /// The receipt, as the agent signed it.
        receipt: Option<Envelope>,
    }

    /// What a request for a change answers: the operation, and what came of it when it ended in time.
    OperationAnswer {
        /// The operation.
        operation: Operation,
        /// The bucket that was made or changed.
        bucket: Option<Bucket>,
        /// The key that was made or changed.
        key: Option<Key>,
        /// The new key's secret, sealed to the request's `seal_to`.
        sealed: Option<Sealed>,
    }

    /// Asks for a bucket.
    #[serde(deny_unknown_fields)]
    CreateBucketRequest {
        /// The region; the only one when absent.
        region: Option<RegionName>,
        /// The bucket's name.
        name: BucketName,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
        /// The label of its first key; no key without one.
        key: Option<KeyLabel>,
        /// Where the secret is sealed to; needed with a key.
        seal_to: Option<SealKey>,
    }

    /// Sets both limits of a bucket; an absent one is lifted.
    #[serde(deny_unknown_fields)]
    SetQuotaRequest {
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
    }

    /// Sets a key's rights on a bucket to exactly these.
    #[serde(deny_unknown_fields)]
    SetGrantRequest {
        /// List and read objects.
        read: bool,
        /// Write and delete objects.
        write: bool,
        /// Delete the bucket; change its CORS, website and lifecycle.
        owner: bool,
    }

    /// Asks for a key.
    #[serde(deny_unknown_fields)]
    CreateKeyRequest {
        /// The region; the only one when absent.
        region: Option<RegionName>,
        /// What to call it.
        label: KeyLabel,
        /// When it ends; never when absent.
        expires_at: Option<Micros>,
        /// Its rights.
        #[serde(default)]
        grants: Vec<KeyGrant>,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }

    /// Asks to replace a key.
    #[serde(deny_unknown_fields)]
    RotateKeyRequest {
        /// The new key's label; the old one's when absent.
        label: Option<KeyLabel>,
        /// Seconds that the old key keeps working.
        grace_seconds: u32,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }

    /// Asks for a region.
    #[serde(deny_unknown_fields)]
    CreateRegionRequest {
        /// Its name.
        name: RegionName,
        /// Where S3 is spoken.
        s3_endpoint: String,
        /// The S3 region name that requests are signed for.
        s3_region: String,
        /// The domain under which websites appear.
        website_domain: Option<String>,
    }

    /// Signs in.
    #[serde(deny_unknown_fields)]
    SignInRequest {
        /// The e-mail address.
        email: String,
        /// The password.
        password: String,
    }

    /// An API token, without its secret.
    Token {
        /// Its id.
        id: TokenId,
        /// What a person calls it.
        name: String,
        /// When it was made.
        created_at: Micros,
        /// When it was last used.
        last_used_at: Option<Micros>,
        /// When it ends.
        expires_at: Option<Micros>,
    }

    /// Asks for an API token.
    #[serde(deny_unknown_fields)]
    CreateTokenRequest {
        /// What to call it.
        name: String,
        /// When it ends; never when absent.
        expires_at: Option<Micros>,
    }

    /// A new API token. The secret is shown this once.
    TokenCreated {
        /// The token.
        token: Token,
        /// The secret, beginning with `sbt_`.
        secret: String,
    }

    /// An agent.
    Agent {
        /// Its id.
        id: AgentId,
        /// Its region.
        region: RegionName,
        /// The name of its host, as it said.
        host: String,
        /// Its version, as it said.
        version: Option<String>,
        /// Garage's version on its node, as it said.
        garage_version: Option<String>,
        /// Whether it is connected.
        connected: bool,
        /// Whether it is its region's executor.
        executor: bool,
        /// Why an operator has to decide about it, if so.
        quarantined: Option<String>,
        /// Why it takes no change at the moment, in its words.
        trouble: Option<String>,
        /// When it was heard last.
        seen_at: Option<Micros>,
        /// Its clock less the hub's, in microseconds, as last measured.
        clock_offset_micros: Option<i64>,
        /// When its certificate ends.
        certificate_expires_at: Option<Micros>,
        /// The last receipt that is stored.
        receipts: u64,
        /// Commands that are not offered: switched off there, or of another version.
        not_offered: Vec<String>,
        /// The statement that binds it to its keys.
        statement: Option<Envelope>,
    }

    /// A token that lets one agent enrol, without its secret.
    EnrolTokenInfo {
        /// Its id.
        id: EnrolTokenId,
        /// The region that the agent will belong to.
        region: RegionName,
        /// When it was made.
        created_at: Micros,
        /// When it ends.
        expires_at: Micros,
        /// The agent that used it.
        agent: Option<AgentId>,
    }

    /// Asks for an enrolment token.
    #[serde(deny_unknown_fields)]
    CreateEnrolTokenRequest {
        /// The region that the agent will belong to; the only one when absent.
        region: Option<RegionName>,
        /// Seconds until it ends; an hour when absent, a week at most.
        expires_in_seconds: Option<u32>,
    }

    /// A new enrolment token. It is shown this once.
    EnrolTokenCreated {
        /// The token.
        token: EnrolTokenInfo,
        /// Its text.
        secret: String,
        /// Where the agent has to connect to.
        url: String,
        /// The command to type on the node.
        command: String,
    }

    /// One receipt, as the agent signed it.
    ReceiptRecord {
        /// The agent.
        agent: AgentId,
        /// Its place in the agent's chain; only operators see it gapless.
        sequence: u64,
        /// Its place in the account's chain on this agent.
        account_sequence: u64,
        /// The account.
        account: AccountId,
        /// The operation.
        operation: OperationId,
        /// The signed receipt.
        receipt: Envelope,
    }

    /// All that a client needs to verify receipts.
    TrustBundle {
        /// The root key: compare its digest with the one that was written down at first start.
        root_key: VerifyKey,
        /// The trust document.
        trust: Envelope,
        /// A statement for each agent that ever signed a receipt.
        agents: Vec<Envelope>,
    }

    /// What a cluster says of its health.
    RegionHealth {
        /// The operation.
        operation: Operation,
        /// The health; absent when the agent did not answer in time.
        health: Option<ClusterHealth>,
    }

    /// What the server is and does, for anyone.
    About {
        /// The server's version.
        version: String,
        /// The digest of the root key.
        root_key: Digest,
    }
}

/// A role in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees, changes nothing.
    Viewer,
    /// Buckets and keys; no people, no danger.
    Member,
    /// All but the account itself.
    Admin,
    /// Everything.
    Owner,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Written down; not signed yet. Can be cancelled.
    Requested,
    /// Signed.
    Signed,
    /// Sent to the agent.
    Sent,
    /// In the agent's journal.
    Accepted,
    /// Did its work.
    Done,
    /// Was taken and did not do its work.
    Failed,
    /// Was not taken.
    Refused,
    /// Was never taken in time; nothing was changed.
    Expired,
    /// Was cancelled before it was signed; nothing was changed.
    Cancelled,
    /// The agent that took it is lost; what came of it is not known yet.
    Unknown,
}

impl OperationStatus {
    /// Whether nothing more will come.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Done | Self::Failed | Self::Refused | Self::Expired | Self::Cancelled => true,
            Self::Requested | Self::Signed | Self::Sent | Self::Accepted | Self::Unknown => false,
        }
    }

    /// The name, the same in SQL, JSON and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

macro_rules! pages {
    ($($page:ident of $item:ident,)+) => {
        $(
            #[doc = concat!("A page of ", stringify!($item), ".")]
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            pub struct $page {
                /// The items.
                pub items: Vec<$item>,
                /// Give this as `cursor` for the next page; absent on the last.
                pub next_cursor: Option<String>,
            }
        )+
    };
}

pages! {
    RegionPage of Region,
    BucketPage of Bucket,
    KeyPage of Key,
    GrantPage of Grant,
    OperationPage of Operation,
    TokenPage of Token,
    AgentPage of Agent,
    EnrolTokenPage of EnrolTokenInfo,
    ReceiptPage of ReceiptRecord,
}

/// One event of `/api/v1/events`: the name and JSON data of a server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// An operation moved.
    Operation(Operation),
    /// A bucket is new, or its figures moved.
    Bucket(Bucket),
    /// A bucket is gone.
    BucketGone(BucketId),
    /// A key is new or changed.
    Key(Key),
    /// A key is gone.
    KeyGone(AccessKeyId),
    /// An agent came, went or changed (operators only).
    Agent(Agent),
    /// Events were missed; read again what you show.
    Missed,
}

/// How a client says which way it came (header `Storm-Via`): `web`, `cli` or `api`.
pub const VIA_HEADER: &str = "storm-via";

/// Reads the header [`VIA_HEADER`]; anything unknown is the API.
pub fn via_from_header(value: Option<&str>) -> Via {
    match value {
        Some("web") => Via::Web,
        Some("cli") => Via::Cli,
        _ => Via::Api,
    }
}

fn no_parameters() -> serde_json::Value {
    serde_json::Map::new().into()
}

fn write_parameters<S: serde::Serializer>(
    parameters: &serde_json::Value,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match parameters {
        serde_json::Value::Null => no_parameters().serialize(serializer),
        known => known.serialize(serializer),
    }
}
