//! Regions, the agents in them, and what proves who an agent is.

use serde::{Deserialize, Serialize};

use super::{Operation, api_types};
use crate::{
    envelope::{Envelope, VerifyKey},
    ident::{AccountId, AgentId, EnrolTokenId, Micros, OperationId, RegionName},
    result::ClusterHealth,
};

api_types! {
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

    /// What a cluster says of its health.
    RegionHealth {
        /// The operation.
        operation: Operation,
        /// The health; absent when the agent did not answer in time.
        health: Option<ClusterHealth>,
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

    /// Moves the executor's role of a region.
    #[serde(deny_unknown_fields)]
    MoveExecutorRequest {
        /// Who takes it: an agent of the region that is connected.
        agent: AgentId,
    }

    /// What became of the operations that a lost agent had taken.
    AgentLost {
        /// The agent.
        agent: Agent,
        /// Operations that the region's next executor is asked for: it finds out what was done.
        asked_again: u32,
        /// Operations that ended as failed, `agent_lost`.
        ended: u32,
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
}
