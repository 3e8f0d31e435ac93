//! Letting a program in that cannot show a sign-in page, after RFC 8628: it begins, shows a code and asks
//! for its token; somebody who is signed in looks the code up, and approves or denies it.

pub(crate) mod approve;
pub(crate) mod begin;
pub(crate) mod deny;
pub(crate) mod look_up;
pub(crate) mod token;

use std::net::IpAddr;

use http::StatusCode;

use crate::{
    auth::{Caller, Need, audit, device::UserCode},
    error::ApiError,
    store::device::Waiting,
};

/// The program that waits under a code that somebody typed. Counts as a try.
async fn find<N: Need>(caller: &Caller<N>, typed: &str) -> Result<(UserCode, Waiting), ApiError> {
    let admitted = caller
        .code_limits()
        .admit(caller.person.user, address(caller));
    admitted.map_err(|retry_after_seconds| ApiError::RateLimited {
        retry_after_seconds,
        message: format!("Too many codes were tried. Try again in {retry_after_seconds} s."),
    })?;
    let code = UserCode::read(typed).ok_or_else(no_such_code)?;
    let waiting = caller.store().waiting_device(code.stored(), caller.now());
    let waiting = waiting.await?.ok_or_else(no_such_code)?;
    audit::note_thing(&format!("{} on {}", waiting.client, waiting.host));
    Ok((code, waiting))
}

fn address<N: Need>(caller: &Caller<N>) -> Option<IpAddr> {
    caller.origin.as_deref()?.parse().ok()
}

/// The same for a code that never was, was answered, or has ended.
fn no_such_code() -> ApiError {
    let message = "No program waits under this code: it is mistyped, was answered, or is older than ten minutes. \
                   Compare it with what the program shows.";
    ApiError::refused(StatusCode::NOT_FOUND, "no_such_code", message)
}
