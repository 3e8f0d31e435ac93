//! What the roles share in one process: configuration, store, clock and the bus that wakes them.
//! The bus only wakes; what is true stands in the database.

use std::sync::Arc;

use storm_protocol::ident::{AccessKeyId, AccountId, AgentId, BucketId, OperationId};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    behind::Behind, clock::Clock, config::Config, keys::PublicTrust, progress::JobProgress,
    status::Figures, store::Store,
};

/// Changes that a slow listener may fall behind by before it is told that it missed some.
const CHANGES_CAPACITY: usize = 1024;

/// Shared by web, signer and hub. Holds no private key of any kind.
#[derive(Clone)]
pub struct App {
    /// The configuration.
    pub config: Arc<Config>,
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub figures: Arc<Figures>,
    /// Wakes the roles.
    pub bus: Arc<Bus>,
    /// Root key, trust document and CA key digest: `app.trust.borrow().clone()`. Follows the file.
    pub trust: watch::Receiver<Arc<PublicTrust>>,
}

/// Wakes who waits. A lost wake costs at most the poll interval of the one who waits.
pub struct Bus {
    /// There is something to sign or issue.
    pub signer: Notify,
    /// An agent may have to be cut off, or take a role.
    pub hub: Notify,
    /// There is an e-mail to send.
    pub mail: Notify,
    /// An account was suspended, resumed or is to be closed.
    pub accounts: Notify,
    /// A cluster was swept.
    pub reconcile: Notify,
    /// The process ends: whoever waits for long lets go.
    pub stopping: CancellationToken,
    /// How far jobs are.
    pub progress: JobProgress,
    /// What goes on behind answers.
    pub behind: Behind,
    signed: broadcast::Sender<AgentId>,
    changes: broadcast::Sender<Change>,
}

/// Something in the database moved. Carries ids only: whoever cares reads the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An operation of an account.
    Operation(AccountId, OperationId),
    /// A bucket of an account.
    Bucket(Option<AccountId>, BucketId),
    /// A key of an account.
    Key(Option<AccountId>, AccessKeyId),
    /// An agent.
    Agent(AgentId),
    /// A certificate request, by its row id.
    Certificate(String),
    /// What an account may have was set.
    Limits(AccountId),
    /// An account crossed a mark of its storage limit.
    Mark(AccountId),
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            signer: Notify::new(),
            hub: Notify::new(),
            mail: Notify::new(),
            accounts: Notify::new(),
            reconcile: Notify::new(),
            stopping: CancellationToken::new(),
            progress: JobProgress::default(),
            behind: Behind::default(),
            signed: broadcast::channel(CHANGES_CAPACITY).0,
            changes: broadcast::channel(CHANGES_CAPACITY).0,
        }
    }
}

impl Bus {
    /// Says that something moved.
    pub fn tell(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }

    /// Says that there is something to send to `agent`.
    pub fn hand_out(&self, agent: AgentId) {
        // The hub looks by itself, too.
        let _ = self.signed.send(agent);
    }

    /// Hears from now on for which agents there is something to send.
    pub fn signed(&self) -> broadcast::Receiver<AgentId> {
        self.signed.subscribe()
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
