//! Sends a round's requests as clients that lose answers do: the same request with the same
//! idempotency key, until there is an answer that lasts.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::join_all;
use reqwest::Method;
use storm_protocol::{
    api::{OperationAnswer, OperationPage},
    ident::OperationId,
};

use super::{
    kind::Kind,
    model::Model,
    plan::Plan,
    request::{Request, request},
    stage::Person,
};
use crate::harness::api::{Answer, Api};

/// The longest that a client waits for an operation's end: faults last seconds.
const PATIENCE: Duration = Duration::from_secs(150);
/// The longest that one request waits for its answer: what was lost on the way is asked for again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
const AGAIN: Duration = Duration::from_millis(100);
/// Between two looks for the job that is to be cancelled.
const CANCEL_AGAIN: Duration = Duration::from_millis(20);

/// What a client asked for and was told in the end.
pub struct Told {
    /// What was sent.
    pub request: Request,
    /// Who asked, as an index.
    pub person: usize,
    /// What came of it.
    pub end: End,
}

/// What a client was told in the end.
#[derive(Debug)]
pub enum End {
    /// An operation, in a final state.
    Operation(Box<OperationAnswer>),
    /// No operation: the API said no, or had nothing to tell an agent.
    None(Answer),
}

/// Sends all of a plan's requests at their times; gives what each client was told.
pub async fn send_all(plan: &Plan, model: &Model, people: &[Person]) -> Result<Vec<Told>> {
    let operator = 0;
    let asks = plan.asks.iter().enumerate().map(async |(index, ask)| {
        let about = &people[ask.account as usize % people.len()];
        let person = if ask.kind.is_operators() {
            operator
        } else {
            ask.account as usize % people.len()
        };
        let name = format!("round-{}-{index}", plan.round);
        let made = request(model, about, ask, &name);
        // What stands in for an operator's request is another's.
        let person = if made.kind.is_operators() {
            operator
        } else {
            person
        };
        tokio::time::sleep(Duration::from_millis(ask.at_millis.into())).await;
        let api = &people[person].api;
        let ended = AtomicBool::new(false);
        let first = async {
            let end = settle(api, &made, &name).await;
            ended.store(true, Ordering::Relaxed);
            end
        };
        let cancels = ask.kind == Kind::JobCancel;
        let (end, other, cancelled) = tokio::join!(
            first,
            again(api, &made, &name, ask.twice),
            cancel(api, &made, &name, cancels, &ended)
        );
        let end = end.with_context(|| format!("{} {}", made.method, made.path))?;
        if let (End::Operation(one), Some(End::Operation(two))) = (&end, &other?) {
            ensure!(
                one.operation.id == two.operation.id,
                "one idempotency key, two operations: {one:?} and {two:?}"
            );
        }
        let mut told = Vec::new();
        if let Some(end) = cancelled? {
            let request = Request {
                seal: None,
                ..made.clone()
            };
            told.push(Told {
                request,
                person,
                end,
            });
        }
        told.push(Told {
            request: made,
            person,
            end,
        });
        Ok(told)
    });
    let told: Vec<Result<Vec<Told>>> = join_all(asks).await;
    let told: Result<Vec<Vec<Told>>> = told.into_iter().collect();
    Ok(told?.into_iter().flatten().collect())
}

async fn again(api: &Api, made: &Request, name: &str, twice: bool) -> Result<Option<End>> {
    if !twice {
        return Ok(None);
    }
    settle(api, made, name).await.map(Some)
}

/// Cancels the job that this request leads to, as soon as it is there.
async fn cancel(
    api: &Api,
    made: &Request,
    name: &str,
    wanted: bool,
    ended: &AtomicBool,
) -> Result<Option<End>> {
    while wanted && !ended.load(Ordering::Relaxed) {
        let page = api.get::<OperationPage>("/operations?limit=50").await;
        let mut items = page.map(|page| page.items).unwrap_or_default().into_iter();
        let job = items.find(|operation| {
            let bucket = operation.parameters["bucket"].as_str();
            operation.command == made.kind.command()
                && bucket == made.bucket.as_deref()
                && !operation.state.is_final()
        });
        if let Some(job) = job {
            let path = format!("/operations/{}/cancel", job.id);
            let key = format!("{name}-cancel");
            let asked = async || api.send(Method::POST, &path, None, Some(&key)).await;
            return until_it_lasts(api, asked).await.map(Some);
        }
        tokio::time::sleep(CANCEL_AGAIN).await;
    }
    Ok(None)
}

/// Asks until the answer lasts.
async fn settle(api: &Api, made: &Request, key: &str) -> Result<End> {
    let asked = async || {
        let sent = api.send(
            made.method.clone(),
            &made.path,
            made.body.as_ref(),
            Some(key),
        );
        sent.await
    };
    until_it_lasts(api, asked).await
}

async fn until_it_lasts(api: &Api, asked: impl AsyncFn() -> Result<Answer>) -> Result<End> {
    let begun = Instant::now();
    let mut last = String::new();
    while begun.elapsed() < PATIENCE {
        let answer = match tokio::time::timeout(ANSWER_TIMEOUT, asked()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                last = format!("{error:#}");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(_) => continue,
        };
        last = format!("{} {}", answer.status, answer.body);
        let named = named_operation(&answer);
        match answer.status.as_u16() {
            200..=299 => {
                let Ok(read) = serde_json::from_value::<OperationAnswer>(answer.body.clone())
                else {
                    return Ok(End::None(answer));
                };
                if read.operation.state.is_final() {
                    return Ok(End::Operation(Box::new(read)));
                }
            }
            _ if named.is_some() => {
                let id = named.context("an operation")?;
                if let Ok(read) = api.operation(id).await
                    && read.operation.state.is_final()
                {
                    return Ok(End::Operation(Box::new(read)));
                }
            }
            429 | 500..=599 => {}
            400..=499 => return Ok(End::None(answer)),
            _ => bail!("answered {last}"),
        }
        tokio::time::sleep(AGAIN).await;
    }
    bail!("no end after {PATIENCE:?}; the last answer was {last}")
}

/// An operation that failed is told as a problem whose words name it.
fn named_operation(answer: &Answer) -> Option<OperationId> {
    let words = answer.body["error"]["message"].as_str()?;
    let (_, id) = words.rsplit_once("(operation ")?;
    id.strip_suffix(')')?.parse().ok()
}
