//! What the audit trail is told of each request. One layer around all routes sees every change and every
//! refusal; `Caller` and the store add who and what on the way, so that a route is told of without a line
//! of its own. A change's row is written in the change's own transaction ([`due`]).

use std::{
    cell::RefCell,
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode, request::Parts};
use storm_protocol::{
    api::{VIA_HEADER, via_from_header},
    ident::{AccountId, Micros, OperationId, UserId},
};

use super::{Gate, limits, origin};
use crate::{
    error::Fault,
    store::{
        audit::{DONE, Entry},
        sessions::Person,
    },
};

/// Refusals that are told apart in a minute; more of them are counted together.
const MAX_KINDS_A_MINUTE: usize = 100;
const MINUTE_MICROS: i64 = 60 * Micros::SECOND;

tokio::task_local! {
    static TRACE: RefCell<Trace>;
}

/// What is known of the request that is answered.
#[derive(Default)]
struct Trace {
    entry: Entry,
    expects_change: bool,
    written: bool,
    /// The account that an operator's request names.
    named_account: Option<AccountId>,
}

fn with(change: impl FnOnce(&mut Trace)) {
    // Outside a request, such as in the signer, nobody's trail is kept.
    let _ = TRACE.try_with(|trace| change(&mut trace.borrow_mut()));
}

/// What is done, by its name in the table of who may do what.
pub(crate) fn note_act(name: &'static str) {
    with(|trace| name.clone_into(&mut trace.entry.act));
}

/// Who does it. What an operator does to another account is that account's to know.
pub(crate) fn note_person(person: &Person) {
    with(|trace| {
        let named = trace.named_account.filter(|_| person.operator);
        trace.entry.account = Some(named.unwrap_or(person.account));
        trace.entry.user = Some(person.user);
        trace.entry.email = Some(person.email.clone());
        trace.entry.token = person.token.as_ref().map(|token| token.id);
    });
}

/// Who signs in or out.
pub(crate) fn note_who(user: UserId, account: AccountId) {
    with(|trace| {
        trace.entry.user = Some(user);
        trace.entry.account = Some(account);
    });
}

/// Which thing, where the path does not say it.
pub(crate) fn note_thing(thing: &str) {
    with(|trace| {
        trace.entry.thing.get_or_insert_with(|| thing.to_owned());
    });
}

/// The operation that begins.
pub(crate) fn note_operation(operation: OperationId) {
    with(|trace| trace.entry.operation = Some(operation));
}

/// From here on, what the request writes is the change that it is about.
pub(crate) fn expect_change() {
    with(|trace| trace.expects_change = true);
}

/// The row that goes into the transaction that is about to end, if none has been written yet.
pub(crate) fn due() -> Option<Entry> {
    let due = |trace: &RefCell<Trace>| {
        let trace = trace.borrow();
        (trace.expects_change && !trace.written).then(|| trace.entry.clone())
    };
    TRACE.try_with(due).ok().flatten()
}

/// That transaction has ended well.
pub(crate) fn written() {
    with(|trace| trace.written = true);
}

/// Around every route.
pub(crate) async fn trace(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let trace = begin(&mut parts, gate.0.app.clock.now()).await;
    let (now, safe) = (trace.entry.at, parts.method.is_safe());
    let (response, trace) = TRACE
        .scope(RefCell::new(trace), async {
            let response = next.run(Request::from_parts(parts, body)).await;
            (response, TRACE.with(RefCell::take))
        })
        .await;
    let mut rows = gate.0.refusals.over(now);
    if let Some(entry) = outcome(&gate.0.refusals, trace, &response, safe) {
        rows.push(entry);
    }
    if !rows.is_empty()
        && let Err(error) = gate.0.app.store.add_audit_events(&rows).await
    {
        tracing::error!(%error, rows = rows.len(), "the audit trail could not be written");
    }
    response
}

async fn begin(parts: &mut Parts, now: Micros) -> Trace {
    let via = parts.headers.get(VIA_HEADER);
    let via = via_from_header(via.and_then(|via| via.to_str().ok()));
    let mut things = vec![];
    let mut named_account = None;
    if let Ok(values) = RawPathParams::from_request_parts(parts, &()).await {
        for (name, value) in &values {
            things.push(value.to_owned());
            if name == "account" {
                named_account = value.parse().ok();
            }
        }
    }
    let entry = Entry {
        at: now,
        via: via.as_str().to_owned(),
        origin: origin(parts).map(|address| address.to_string()),
        act: act_of(parts),
        thing: (!things.is_empty()).then(|| things.join(" ")),
        result: DONE.to_owned(),
        count: 1,
        ..Entry::default()
    };
    Trace {
        entry,
        named_account,
        ..Trace::default()
    }
}

/// The name of what a route without one does, such as `session.create`.
fn act_of(parts: &Parts) -> String {
    let route = parts.extensions.get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str);
    let words = route.trim_start_matches("/api/v1").split('/');
    let words = words.filter(|word| !word.is_empty() && !word.starts_with('{'));
    let verb = match parts.method {
        Method::POST => "create",
        Method::DELETE => "delete",
        Method::PUT | Method::PATCH => "set",
        _ => "read",
    };
    let noun: Vec<&str> = words.collect();
    format!("{}.{verb}", noun.join("."))
}

/// The row that is left to write once a request is answered.
fn outcome(refusals: &Refusals, trace: Trace, response: &Response, safe: bool) -> Option<Entry> {
    let Trace {
        mut entry,
        expects_change,
        written,
        ..
    } = trace;
    let status = response.status();
    if status.is_success() || status.is_redirection() {
        return (expects_change && !written).then_some(entry);
    }
    let fault = response.extensions().get::<Fault>();
    entry.result = fault.map_or_else(
        || status.as_u16().to_string(),
        |fault| fault.code.to_string(),
    );
    // What began before it failed stands in its own row.
    let refused = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if refused.contains(&status) || (entry.user.is_none() && !safe) {
        return refusals.count(entry);
    }
    (expects_change || (written && !safe)).then_some(entry)
}

/// What refusals are told apart by.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    result: String,
    network: Option<IpAddr>,
    user: Option<UserId>,
    /// The address that somebody tried to sign in with.
    tried: Option<String>,
}

/// Counts refusals, so that a flood of them does not fill the disk: the first of a minute is written at
/// once, how many followed when the minute is over.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    number: i64,
    kinds: HashMap<Kind, Entry>,
}

impl Refusals {
    /// Counts a refusal. Answers with it if it is the first of its kind in this minute.
    fn count(&self, entry: Entry) -> Option<Entry> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = entry.origin.as_ref().and_then(|origin| origin.parse().ok());
        let mut kind = Kind {
            result: entry.result.clone(),
            network: network.map(limits::network),
            user: entry.user,
            tried: entry
                .thing
                .clone()
                .filter(|_| matches!(&*entry.result, "bad_credentials" | "bad_code")),
        };
        let mut entry = entry;
        if minute.kinds.len() >= MAX_KINDS_A_MINUTE && !minute.kinds.contains_key(&kind) {
            kind = Kind {
                network: None,
                user: None,
                tried: None,
                ..kind
            };
            entry = Entry {
                account: None,
                user: None,
                email: None,
                token: None,
                origin: None,
                thing: None,
                ..entry
            };
        }
        if let Some(seen) = minute.kinds.get_mut(&kind) {
            seen.count = seen.count.saturating_add(1);
            return None;
        }
        minute.kinds.insert(
            kind,
            Entry {
                count: 0,
                ..entry.clone()
            },
        );
        Some(entry)
    }

    /// What followed in the minute before, if it is over.
    fn over(&self, now: Micros) -> Vec<Entry> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.0 / MINUTE_MICROS;
        if minute.number == number {
            return vec![];
        }
        minute.number = number;
        let kinds = std::mem::take(&mut minute.kinds);
        kinds.into_values().filter(|seen| seen.count > 0).collect()
    }
}
