//! Signing in through a browser, on this machine or any other (RFC 8628): a code is shown here, compared and
//! approved there, and the token comes here alone.

use std::{
    io::IsTerminal as _,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use reqwest::{Method, StatusCode};
use serde_json::json;
use storm_protocol::{
    api::{DeviceCodes, DeviceWaiting, MAX_HOST_CHARS, TokenCreated},
    ident::Scope,
};
use url::Url;

use crate::{
    client::{Api, Call},
    errors::{ApiError, Exit, fault, usage},
    output::{self, Waiting},
};

/// What this program calls itself.
const CLIENT: &str = "storm";
/// What a token needs for `storm` itself: to say who is signed in, and to verify.
const OWN_SCOPES: [&str; 2] = ["session.read", "trust.read"];
/// Seconds between two questions, at most.
const MAX_INTERVAL_SECONDS: u64 = 60;
/// Seconds that codes last, at most.
const MAX_CODES_SECONDS: u64 = 1800;

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Wish {
    /// Show the address and the code, wait even where nobody seems to read them, and open no browser
    #[arg(long, conflicts_with_all = ["token", "password", "email", "password_file"])]
    no_browser: bool,
    /// What the token may, such as bucket.read or usage.*, beside what `storm` itself needs; may be
    /// repeated [default: all that you may]
    #[arg(long, value_name = "SCOPE", conflicts_with_all = ["token", "password", "email", "password_file"])]
    scope: Vec<Scope>,
    /// Days that the token lasts [default: 90]
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["token", "password", "email", "password_file"],
          value_parser = clap::value_parser!(u32).range(1..=365))]
    days: Option<u32>,
}

/// Waits until somebody has approved it; gives the token.
pub(crate) async fn run(api: &Api, wish: &Wish) -> Result<TokenCreated> {
    if !wish.no_browser && !somebody_reads() {
        return Err(usage(
            "There is no terminal to show a code on, so nobody could approve this login. In a job, set STORM_TOKEN or \
             use `storm login --token -`; to have it approved elsewhere all the same, add --no-browser.",
        ));
    }
    let scopes = (!wish.scope.is_empty()).then(|| {
        let asked = wish.scope.iter().map(Scope::as_str);
        asked.chain(OWN_SCOPES).collect::<Vec<_>>()
    });
    let body = json!({
        "client": CLIENT, "host": host(), "scopes": scopes, "token_days": wish.days,
    });
    let begin = Call {
        method: Method::POST,
        path: "/device-authorizations",
        body: Some(&body),
        idempotency_key: None,
    };
    let codes: DeviceCodes = api.json(&begin).await?;
    let page = page(&codes)?;
    let opened = !wish.no_browser && open(&page);
    let minutes = codes.expires_in.min(MAX_CODES_SECONDS).div_ceil(60);
    output::note(&format!(
        "{} {page}\nSign in there. This waits up to {minutes} minutes for your approval; Ctrl-C ends it.\nApprove it \
         there if it shows this code: {}",
        if opened { "Opening" } else { "Open" },
        output::clean(&codes.user_code)
    ));
    wait(api, &codes).await
}

async fn wait(api: &Api, codes: &DeviceCodes) -> Result<TokenCreated> {
    let waiting = Waiting::new("Waiting for your approval");
    let body = json!({ "device_code": codes.device_code });
    let fetch = Call {
        method: Method::POST,
        path: "/device-authorizations/token",
        body: Some(&body),
        idempotency_key: None,
    };
    let mut interval = codes.interval.clamp(1, MAX_INTERVAL_SECONDS);
    let mut left = codes.expires_in.min(MAX_CODES_SECONDS);
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        left = left.saturating_sub(interval);
        match api.send(&fetch).await {
            Ok((StatusCode::ACCEPTED, _, bytes)) => {
                // One that cannot be read changes nothing about when to ask again.
                if let Ok(answer) = serde_json::from_slice::<DeviceWaiting>(&bytes) {
                    interval = answer.interval.clamp(1, MAX_INTERVAL_SECONDS);
                }
            }
            Ok((_, _, bytes)) => {
                drop(waiting);
                return Ok(serde_json::from_slice(&bytes)?);
            }
            Err(ApiError::Problem { body, .. }) if body.code == "expired_token" => {
                return Err(expired());
            }
            // A server that is away for a moment has not said no.
            Err(error) if left == 0 || error.is_final_word() => return Err(error.into()),
            Err(_) => {}
        }
        if left == 0 {
            return Err(expired());
        }
    }
}

/// Whether anybody is there to compare the code.
fn somebody_reads() -> bool {
    std::io::stderr().is_terminal() || std::io::stdin().is_terminal()
}

fn expired() -> anyhow::Error {
    let text = "Nobody approved it in time, or its answer was lost. Begin again with: storm login";
    fault(Exit::Failed, "login_expired", text)
}

/// The page to open, if it is one: what a browser is given comes from the server.
fn page(codes: &DeviceCodes) -> Result<Url> {
    let page: Option<Url> = codes.verification_uri_complete.parse().ok();
    let is_page = |page: &Url| matches!(page.scheme(), "http" | "https") && page.has_host();
    page.filter(is_page).ok_or_else(|| {
        let text = "The server names no page to approve it on. Tell the operator, and sign in with: storm login \
                    --password";
        fault(Exit::Failed, "bad_page", text)
    })
}

/// Opens the page in the desktop's browser, if there is one here; whether it was tried.
fn open(page: &Url) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return false;
    };
    // Over SSH it would open where nobody looks.
    if is_set("SSH_CONNECTION") {
        return false;
    }
    let mut opener = Command::new(program);
    opener.arg(page.as_str()).process_group(0);
    opener.stdin(Stdio::null()).stdout(Stdio::null());
    // Not waited for: some openers end with the browser.
    opener.stderr(Stdio::null()).spawn().is_ok()
}

/// This machine's name, as far as the server takes it.
fn host() -> String {
    let uname = rustix::system::uname();
    plain(&uname.nodename().to_string_lossy())
}

fn plain(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = name
        .chars()
        .map(|c| if kept(c) { c } else { '-' })
        .take(MAX_HOST_CHARS)
        .collect();
    if name.is_empty() {
        return "unknown".to_owned();
    }
    name
}

#[cfg(test)]
mod tests {
    use storm_protocol::api::DeviceCodes;

    use super::{page, plain};

    #[test]
    fn a_host_is_named_in_plain_characters() {
        for (name, expected) in [
            ("laptop.example", "laptop.example"),
            ("Ann's laptop", "Ann-s-laptop"),
            ("", "unknown"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&"é".repeat(100)), "-".repeat(40));
    }

    #[test]
    fn a_browser_is_given_pages_alone() {
        let codes = |uri: &str| DeviceCodes {
            device_code: String::new(),
            user_code: String::new(),
            verification_uri: String::new(),
            verification_uri_complete: uri.to_owned(),
            expires_in: 600,
            interval: 5,
        };
        assert!(page(&codes("https://buckets.example.org/device#BCDF-GHJK")).is_ok());
        for wrong in [
            "",
            "-help",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(page(&codes(wrong)).is_err(), "{wrong}");
        }
    }
}
