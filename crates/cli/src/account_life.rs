//! `storm account suspend`, `resume`, `close` and `cancel-close`.

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{api::Account, ident::AccountId};

use crate::{
    account::{any, facts},
    client::Call,
    errors::Thing,
    output,
    session::{Context, Session},
    units,
};

/// An account and why it is suspended.
#[derive(Debug, Args)]
pub(crate) struct Suspend {
    /// Its id
    account: AccountId,
    /// Why, for its people
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// An account by its id.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its id
    account: AccountId,
}

/// An account, one's own unless named.
#[derive(Debug, Args)]
pub(crate) struct Any {
    /// Its id (operators) [default: your own]
    account: Option<AccountId>,
}

impl Any {
    fn path(&self, what: &str) -> String {
        match self.account {
            Some(id) => format!("/accounts/{id}/{what}"),
            None => format!("/account/{what}"),
        }
    }

    async fn read(&self, session: &Session) -> Result<Account> {
        match self.account {
            Some(id) => any(session, id).await,
            None => Ok(session.api.get("/account").await?),
        }
    }
}

/// Suspends it.
pub(crate) async fn suspend(session: &Session, args: &Suspend) -> Result<()> {
    let path = format!("/accounts/{}/suspend", args.account);
    let body = json!({ "reason": args.reason });
    let account = post(session, &path, Some(&body), Some(args.account)).await?;
    show(session, &account, "Its keys stop working within seconds.")
}

/// Resumes it.
pub(crate) async fn resume(session: &Session, args: &Named) -> Result<()> {
    let path = format!("/accounts/{}/resume", args.account);
    let account = post(session, &path, None, Some(args.account)).await?;
    show(
        session,
        &account,
        "The keys that worked before work again within seconds.",
    )
}

/// Closes it, once it was confirmed.
pub(crate) async fn close(context: &Context, session: &Session, args: &Any) -> Result<()> {
    let name = args.read(session).await?.name;
    let what = format!(
        "All keys of the account {} are deleted at once and do not come back; some days later all its buckets \
         are, with all that is in them.",
        output::clean(&name)
    );
    context.confirm(&what, &name)?;
    let account = post(session, &args.path("close"), None, args.account).await?;
    let until = output::maybe(account.clears_at, units::instant);
    show(
        session,
        &account,
        &format!("Its buckets are kept until {until}; until then: storm account cancel-close"),
    )
}

/// Cancels that.
pub(crate) async fn cancel_close(session: &Session, args: &Any) -> Result<()> {
    let account = post(session, &args.path("cancel-close"), None, args.account).await?;
    show(
        session,
        &account,
        "Its buckets stay. Its keys do not come back: make new ones (storm key create).",
    )
}

async fn post(
    session: &Session,
    path: &str,
    body: Option<&Value>,
    named: Option<AccountId>,
) -> Result<Account> {
    let call = Call {
        method: Method::POST,
        path,
        body,
        idempotency_key: None,
    };
    let account: Result<Account, _> = session.api.json(&call).await;
    match named {
        Some(id) => account.map_err(Thing::Account.named(&id)),
        None => Ok(account?),
    }
}

fn show(session: &Session, account: &Account, note: &str) -> Result<()> {
    session.show(account, || {
        facts(account)?;
        output::note(note);
        Ok(())
    })
}
