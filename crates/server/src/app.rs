//! What the roles share in one process: configuration, store, clock and the bus that wakes them.
//! The bus only wakes; what is true stands in the database.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};
use storm_protocol::ident::{AccessKeyId, AccountId, AgentId, BucketId, OperationId};
use tokio::sync::{Notify, broadcast, mpsc, watch};
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
    pub signer: Wake,
    /// An agent may have to be cut off, or take a role.
    pub hub: Wake,
    /// There is an e-mail to send.
    pub mail: Wake,
    /// An account was suspended, resumed or is to be closed.
    pub accounts: Wake,
    /// A cluster was swept.
    pub reconcile: Wake,
    /// The process ends: whoever waits for long lets go.
    pub stopping: CancellationToken,
    /// How far jobs are.
    pub progress: JobProgress,
    /// What goes on behind answers.
    pub behind: Behind,
    signed: broadcast::Sender<AgentId>,
    out: Out,
    changes: broadcast::Sender<Change>,
}

/// Something in the database moved. Carries ids only: whoever cares reads the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Nobody knows what: other processes were not heard for a while.
    Missed,
}

/// What one process tells the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// There is something to do.
    Wake(Who),
    /// There is something to send to an agent.
    HandOut(AgentId),
    /// Something moved.
    Change(Change),
}

/// Who is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The signer.
    Signer,
    /// The hub.
    Hub,
    /// Who sends e-mail.
    Mail,
    /// Who keeps accounts.
    Accounts,
    /// Who compares clusters with what was asked for.
    Reconcile,
}

type Out = Option<(mpsc::Sender<Word>, Arc<AtomicBool>)>;

/// What is told here, for whoever carries it to other processes.
pub struct Words {
    /// One after the other.
    pub words: mpsc::Receiver<Word>,
    /// Whether one found no room since this was last unset.
    pub lost: Arc<AtomicBool>,
}

/// Wakes one who waits, in whichever process.
pub struct Wake {
    who: Who,
    here: Notify,
    out: Out,
}

impl Wake {
    /// Wakes them, or lets them not wait the next time.
    pub fn notify_one(&self) {
        say(&self.out, || Word::Wake(self.who));
        self.here.notify_one();
    }

    /// Until woken.
    pub async fn notified(&self) {
        self.here.notified().await;
    }
}

/// A word that finds no room is lost, which the others are told.
fn say(out: &Out, word: impl FnOnce() -> Word) {
    if let Some((out, lost)) = out
        && out.try_send(word()).is_err()
    {
        lost.store(true, Ordering::Relaxed);
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::telling(None)
    }
}

impl Bus {
    /// One whose words other processes hear, too, when somebody carries them there.
    pub fn linked() -> (Self, Words) {
        let (out, words) = mpsc::channel(CHANGES_CAPACITY);
        let lost = Arc::<AtomicBool>::default();
        let bus = Self::telling(Some((out, Arc::clone(&lost))));
        (bus, Words { words, lost })
    }

    fn telling(out: Out) -> Self {
        let wake = |who| Wake {
            who,
            here: Notify::new(),
            out: out.clone(),
        };
        Self {
            signer: wake(Who::Signer),
            hub: wake(Who::Hub),
            mail: wake(Who::Mail),
            accounts: wake(Who::Accounts),
            reconcile: wake(Who::Reconcile),
            stopping: CancellationToken::new(),
            progress: JobProgress::default(),
            behind: Behind::default(),
            signed: broadcast::channel(CHANGES_CAPACITY).0,
            changes: broadcast::channel(CHANGES_CAPACITY).0,
            out,
        }
    }

    /// Takes in what another process told.
    pub fn hear(&self, word: Word) {
        match word {
            Word::Wake(Who::Signer) => self.signer.here.notify_one(),
            Word::Wake(Who::Hub) => self.hub.here.notify_one(),
            Word::Wake(Who::Mail) => self.mail.here.notify_one(),
            Word::Wake(Who::Accounts) => self.accounts.here.notify_one(),
            Word::Wake(Who::Reconcile) => self.reconcile.here.notify_one(),
            // Nobody listening is fine.
            Word::HandOut(agent) => drop(self.signed.send(agent)),
            Word::Change(change) => drop(self.changes.send(change)),
        }
    }

    /// Says that something moved.
    pub fn tell(&self, change: Change) {
        say(&self.out, || Word::Change(change.clone()));
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }

    /// Says that there is something to send to `agent`.
    pub fn hand_out(&self, agent: AgentId) {
        say(&self.out, || Word::HandOut(agent));
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
