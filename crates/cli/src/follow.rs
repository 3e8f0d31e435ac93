//! Following an operation to its end: what is said meanwhile, for how long, and how it is left alone.

use std::time::{Duration, Instant};

use anyhow::Result;
use storm_protocol::{
    api::{Operation, OperationAnswer, Region},
    command::Row,
    ident::Micros,
};

use crate::{
    change,
    errors::{ApiError, Exit, fault, operation_fault},
    output::{self, Waiting},
    progress::Pace,
    session::Session,
    units,
};

/// Seconds for which a command waits once an agent has taken the operation.
const WAIT_SECONDS: u64 = 120;
/// Seconds for which an operation is followed while the server cannot be reached.
const MAX_SILENCE_SECONDS: u64 = 120;
/// Milliseconds before the first look; each next wait is twice as long.
const FIRST_LOOK_MILLIS: u64 = 100;
/// The longest wait between looks.
const LOOK_MILLIS: u64 = 2000;
/// The longest wait between looks at a job: progress comes once a second.
const LOOK_AT_JOB_MILLIS: u64 = 1000;

/// How long an operation is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// As long as it may wait for its region's agent, and [`WAIT_SECONDS`] from when one has it.
    Usual,
    /// So many seconds.
    Seconds(u32),
    /// To its end.
    Endless,
}

/// Follows an operation until it has ended; an error unless it is done. Ctrl-C leaves it alone, and
/// says how to go on.
pub(crate) async fn to_its_end(
    session: &Session,
    answer: OperationAnswer,
    patience: Patience,
    waiting: &Waiting,
) -> Result<OperationAnswer> {
    let words = format!(
        "It goes on without this command. {}",
        ways_on(&answer.operation)
    );
    unless_stopped(&words, follow(session, answer, patience, waiting)).await
}

/// Does `work` unless Ctrl-C comes first, which ends the waiting alone, with these words.
pub(crate) async fn unless_stopped<T>(
    words: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        done = work => done,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            Err(fault(Exit::Unfinished, "unfinished", words))
        }
    }
}

/// How to look at an operation that was left alone, and how to stop it.
pub(crate) fn ways_on(operation: &Operation) -> String {
    let id = operation.id;
    // Waiting also gives the secret that was asked for.
    let look = match is_job(operation) {
        true => "watch",
        false => "wait",
    };
    format!("Follow it with: storm op {look} {id} - stop it with: storm op cancel {id}")
}

/// Whether an operation is for a job.
pub(crate) fn is_job(operation: &Operation) -> bool {
    Row::find(&operation.command).is_some_and(|row| row.job)
}

async fn follow(
    session: &Session,
    mut answer: OperationAnswer,
    patience: Patience,
    waiting: &Waiting,
) -> Result<OperationAnswer> {
    let mut pace = Pace::default();
    let mut look = FIRST_LOOK_MILLIS;
    let mut told = false;
    let mut heard = Instant::now();
    let mut deadline = patience.deadline(&answer.operation);
    while !answer.operation.state.is_final() {
        let operation = &answer.operation;
        match &operation.progress {
            Some(progress) => waiting.job(progress, &pace.line(progress)),
            None => waiting.say(&state_line(operation)),
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(unfinished(session, operation).await);
        }
        if !told && let Some(words) = absence(session, operation).await {
            waiting.pause(|| output::note(&words));
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(look)).await;
        let most = match operation.progress {
            Some(_) => LOOK_AT_JOB_MILLIS,
            None => LOOK_MILLIS,
        };
        look = (look * 2).min(most);
        match change::get(session, operation.id).await {
            Ok(next) => {
                heard = Instant::now();
                if waits(&next.operation) != waits(operation) {
                    deadline = patience.anew(&next.operation).or(deadline);
                }
                answer = next;
            }
            Err(error) if is_passing(&error) && heard.elapsed().as_secs() < MAX_SILENCE_SECONDS => {
                waiting.say("The server cannot be reached; the operation goes on without it");
            }
            Err(error) => return Err(error),
        }
    }
    operation_fault(&answer.operation).map_or(Ok(answer), Err)
}

impl Patience {
    fn deadline(self, operation: &Operation) -> Option<Instant> {
        match self {
            Self::Usual => self.anew(operation),
            Self::Seconds(seconds) => Some(after(u64::from(seconds))),
            Self::Endless => None,
        }
    }

    /// The deadline from when an operation has begun or ceased to wait for an agent.
    fn anew(self, operation: &Operation) -> Option<Instant> {
        match self {
            Self::Usual => Some(after(longest_wait(operation) + WAIT_SECONDS)),
            Self::Seconds(_) | Self::Endless => None,
        }
    }
}

fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Seconds for which an operation may wait for an agent, by the server's clock alone.
fn longest_wait(operation: &Operation) -> u64 {
    let until = operation.gives_up_at.unwrap_or(operation.requested_at);
    let micros = until.0.saturating_sub(operation.requested_at.0);
    u64::try_from(micros / Micros::SECOND).unwrap_or(0)
}

/// Whether no agent has taken an operation yet.
const fn waits(operation: &Operation) -> bool {
    operation.gives_up_at.is_some()
}

/// A control plane that restarts stops no operation.
fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ApiError>() {
        Some(ApiError::Unreachable { .. }) => true,
        Some(ApiError::Unexpected { status, .. }) => matches!(status, 502..=504),
        Some(ApiError::Problem { .. }) | None => false,
    }
}

/// What to know of an operation that waits for an agent that is not there; `None` when none does.
async fn absence(session: &Session, operation: &Operation) -> Option<String> {
    let until = operation.gives_up_at?;
    let path = format!("/regions/{}", operation.region);
    let region: Region = session.api.get(&path).await.ok()?;
    if region.connected {
        return None;
    }
    let (name, id) = (&region.name, operation.id);
    let why = match region.executor {
        Some(_) => format!("Region {name}'s agent is away. The operation waits for it"),
        None => format!("Region {name} has no agent at the moment. The operation waits for one"),
    };
    Some(format!(
        "{why} until {}; then it expires, and nothing is done. Cancel it before with: storm op cancel {id}",
        units::instant(until)
    ))
}

/// How far an operation is, in a line.
fn state_line(operation: &Operation) -> String {
    let Operation {
        command, region, ..
    } = operation;
    match operation.gives_up_at {
        Some(until) => format!(
            "{command} · waiting for region {region}'s agent until {}",
            units::instant(until)
        ),
        None => format!(
            "{command} · {} · with region {region}'s agent",
            operation.state.as_str()
        ),
    }
}

async fn unfinished(session: &Session, operation: &Operation) -> anyhow::Error {
    let path = format!("/regions/{}", operation.region);
    let region = session.api.get::<Region>(&path).await;
    let trouble = region.ok().and_then(|region| region.trouble);
    let trouble = trouble.map(|trouble| {
        let (region, trouble) = (&operation.region, output::clean(&trouble));
        format!(" Region {region}'s agent takes no change at the moment: {trouble}.")
    });
    let text = format!(
        "Not finished yet: the operation is {}.{} Nothing is lost. {}",
        operation.state.as_str(),
        trouble.unwrap_or_default(),
        ways_on(operation)
    );
    fault(Exit::Unfinished, "unfinished", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(gives_up_at: Option<i64>) -> Operation {
        let mut operation = serde_json::json!({
            "id": "019a0000-0000-7000-8000-000000000001", "state": "requested",
            "command": "bucket.create", "parameters": {}, "region": "home", "attempt": 0,
            "actor": {
                "account": "019a0000-0000-7000-8000-000000000002",
                "user": "019a0000-0000-7000-8000-000000000003", "operator": false, "via": "cli",
            },
            "requested_at": 5_000_000,
        });
        operation["gives_up_at"] = gives_up_at.into();
        serde_json::from_value(operation).unwrap()
    }

    #[test]
    fn the_usual_patience_covers_all_of_the_waiting_for_an_agent() {
        let (waiting, taken) = (operation(Some(605_000_000)), operation(None));
        assert_eq!((longest_wait(&waiting), longest_wait(&taken)), (600, 0));
        let before = Instant::now();
        let left = |patience: Patience, operation: &Operation| {
            let deadline = patience.deadline(operation);
            deadline.map(|deadline| deadline.duration_since(before).as_secs())
        };
        assert!(left(Patience::Usual, &waiting) >= Some(720));
        assert!(left(Patience::Usual, &taken) < Some(720));
        assert_eq!(left(Patience::Endless, &waiting), None);
        // What was asked for is not stretched by an agent's taking it.
        assert!(Patience::Seconds(3).anew(&taken).is_none());
    }

    #[test]
    fn a_line_says_who_is_waited_for_and_until_when() {
        assert_eq!(
            state_line(&operation(Some(605_000_000))),
            "bucket.create · waiting for region home's agent until 1970-01-01 00:10:05 UTC"
        );
    }
}
