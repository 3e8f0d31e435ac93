//! `storm logout`: the token ends, on the server first and then here. The rest of the configuration
//! stays, with it the pinned root key.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;

use crate::{
    client::{Api, Call, Credential},
    config::Config,
    errors::ApiError,
    files, output,
    session::Context,
    token_place,
};

/// A file beside the configuration that `storm up` writes, and nowhere else.
const UP_MARK: &str = "up.toml";

/// Signs out. When the server cannot be reached, nothing changes.
pub(crate) async fn run(context: &Context) -> Result<()> {
    let path = &context.config_path;
    let mut config = Config::load(path)?;
    let token = config.token(path)?;
    let api = Api::new(config.api_url.clone(), Credential::Token(token))?;
    let mut may_not = false;
    let deleted = match config.token_id {
        Some(id) => {
            let path = format!("/tokens/{id}");
            let call = Call {
                method: Method::DELETE,
                path: &path,
                body: None,
                idempotency_key: None,
            };
            match api.send(&call).await {
                // One that the server does not know any more is what was wanted.
                Ok(_)
                | Err(ApiError::Problem {
                    status: 401 | 404, ..
                }) => true,
                // One for certain scopes has not this one.
                Err(ApiError::Problem { status: 403, .. }) => {
                    may_not = true;
                    false
                }
                Err(error) => return Err(error.into()),
            }
        }
        None => false,
    };
    if config.token_in_keyring {
        token_place::forget(path)?;
    }
    (config.token, config.token_in_keyring, config.token_id) = (None, false, None);
    config.save(path)?;
    if context.json {
        return output::json(&json!({ "config": path, "token_deleted": deleted }));
    }
    output::line("Signed out.")?;
    if files::parent(path).join(UP_MARK).exists() {
        output::note(
            "`storm up` used this token too. Give it STORM_ADMIN_EMAIL and STORM_ADMIN_PASSWORD at its \
             next start, and it makes a new one.",
        );
    }
    if may_not {
        output::note(
            "The token may not delete itself (scope token.delete), so it works until it ends. Delete it with              `storm token delete` once you have signed in again.",
        );
    } else if !deleted {
        output::note(
            "The token was given to `storm login`, so it still works where else it is kept. Delete \
             it with `storm token delete` once you have signed in again.",
        );
    }
    Ok(())
}
