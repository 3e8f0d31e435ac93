//! Operations: each intent from request to receipt.

use serde::{Deserialize, Serialize};

use super::{Bucket, Key, api_types};
use crate::{
    envelope::{Actor, Envelope},
    ident::{AgentId, Micros, OperationId, RegionName},
    receipt::Outcome,
    seal::Sealed,
};

api_types! {
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
        /// When it expires, should no agent take it by then; only while none has.
        gives_up_at: Option<Micros>,
        /// How far it is, as last heard; only of jobs that run.
        progress: Option<Progress>,
        /// When it ended.
        finished_at: Option<Micros>,
        /// What came of it.
        outcome: Option<Outcome>,
        /// The receipt, as the agent signed it.
        receipt: Option<Envelope>,
    }

    /// How far a job is.
    Progress {
        /// Objects that are done.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// Objects in all, as they were counted at its start.
        total_objects: Option<u64>,
        /// Their bytes.
        total_bytes: Option<u64>,
        /// When this was heard.
        at: Micros,
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
    /// Was cancelled before it was signed; nothing was changed. A job that was cancelled while it
    /// ran has failed, under the code `cancelled`.
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
