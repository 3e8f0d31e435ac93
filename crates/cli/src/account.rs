//! `storm account`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{Account, AccountLimits, AccountPage, OwnAccountPage, Whoami},
    ident::{AccountId, Limit},
};

use crate::{
    account_life, change,
    client::Call,
    errors::{Thing, usage},
    member::{self, Who},
    output::{self, Column, Sheet},
    session::{Context, Session},
    units::{self, Quota},
    whoami,
};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Show what an account may have and what it has
    Show(Show),
    /// List the accounts that you are in
    ListOwn,
    /// Leave the account; your sessions and API tokens in it end
    Leave,
    /// Make somebody else in the account its owner in your place
    Transfer(Who),
    /// Make an account, and ask its first owner in by e-mail (operators)
    Create(Create),
    /// Call your account something else
    Rename(Rename),
    /// List the accounts (operators)
    List,
    /// Set what an account may have (operators)
    SetLimits(SetLimits),
    /// Stop an account's keys and changes until it is resumed (operators)
    Suspend(account_life::Suspend),
    /// Let a suspended account go on (operators)
    Resume(account_life::Named),
    /// Close an account: its keys at once, its buckets after some days
    Close(account_life::Any),
    /// Cancel the closing of an account while its buckets are kept
    CancelClose(account_life::Any),
}

/// An account.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id (operators) [default: your own]
    account: Option<AccountId>,
}

/// A new account.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it
    name: String,
    /// The e-mail address of its first owner
    #[arg(long, value_name = "EMAIL")]
    owner: String,
}

/// A name.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// What to call it
    name: String,
}

/// An account's limits.
#[derive(Debug, Args)]
pub(crate) struct SetLimits {
    /// Its id
    account: AccountId,
    /// The most it may store, unfinished uploads included, or none; stays as it is when not given
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size_or_none, allow_hyphen_values = true)]
    storage: Option<Quota>,
    /// The most buckets, or none; stays as it is when not given
    #[arg(long, value_name = "N", value_parser = units::parse_count_or_none, allow_hyphen_values = true)]
    buckets: Option<Quota>,
    /// The most keys that work, temporary ones aside, or none; stays as it is when not given
    #[arg(long, value_name = "N", value_parser = units::parse_count_or_none, allow_hyphen_values = true)]
    keys: Option<Quota>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: AccountCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        AccountCommand::Show(args) => {
            let account = match args.account {
                Some(id) => any(&session, id).await?,
                None => session.api.get("/account").await?,
            };
            session.show(&account, || facts(&account))
        }
        AccountCommand::ListOwn => list_own(&session).await,
        AccountCommand::Leave => {
            let me: Whoami = session.api.get("/whoami").await?;
            let what = format!("You will leave the account {}.", me.account_name);
            context.confirm(&what, &me.account_name)?;
            session
                .api
                .change(Method::POST, "/account/leave", None)
                .await?;
            session.show(&serde_json::json!({ "account": me.account }), || {
                output::line("You have left. This machine's API token has ended with it.")
            })
        }
        AccountCommand::Transfer(args) => {
            let to = member::find(&session, &args.email).await?;
            let what = format!("{} will be an owner in your place.", args.email);
            context.confirm(&what, &args.email)?;
            let body = serde_json::json!({ "user": to.user });
            session
                .api
                .change(Method::POST, "/account/transfer", Some(&body))
                .await?;
            session.show(&to, || {
                output::line(&format!(
                    "{} is an owner now, and you are an admin.",
                    output::clean(&to.email)
                ))
            })
        }
        AccountCommand::Create(args) => create(&session, &args).await,
        AccountCommand::Rename(args) => {
            let body = serde_json::json!({ "name": args.name });
            session
                .api
                .change(Method::PUT, "/account/name", Some(&body))
                .await?;
            session.show(&serde_json::json!({ "name": args.name }), || {
                output::line(&format!(
                    "The account is called {} now.",
                    output::clean(&args.name)
                ))
            })
        }
        AccountCommand::List => list(&session).await,
        AccountCommand::SetLimits(args) => set_limits(&session, &args).await,
        AccountCommand::Suspend(args) => account_life::suspend(&session, &args).await,
        AccountCommand::Resume(args) => account_life::resume(&session, &args).await,
        AccountCommand::Close(args) => account_life::close(context, &session, &args).await,
        AccountCommand::CancelClose(args) => account_life::cancel_close(&session, &args).await,
    }
}

pub(crate) async fn any(session: &Session, id: AccountId) -> Result<Account> {
    let account = session.api.get(&format!("/accounts/{id}")).await;
    account.map_err(Thing::Account.named(&id))
}

async fn create(session: &Session, args: &Create) -> Result<()> {
    let body = serde_json::json!({ "name": args.name, "owner": args.owner });
    let call = Call {
        method: Method::POST,
        path: "/accounts",
        body: Some(&body),
        idempotency_key: None,
    };
    let account: Account = session.api.json(&call).await?;
    session.show(&account, || {
        output::line(&format!(
            "Account {} is there, with the id {}.",
            output::clean(&account.name),
            account.id
        ))?;
        output::note(&format!(
            "{} is asked in as its owner, by e-mail. Set its limits: storm account set-limits {}",
            output::clean(&args.owner),
            account.id
        ));
        Ok(())
    })
}

async fn list_own(session: &Session) -> Result<()> {
    let own = session
        .api
        .list::<OwnAccountPage>("/accounts/own", &[])
        .await?;
    session.show(&own, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Account"),
            Column::Text("Name"),
            Column::Text("Role"),
        ]);
        for account in &own {
            sheet.row([
                account.id.to_string(),
                account.name.clone(),
                whoami::role(account.role).to_owned(),
            ]);
        }
        sheet.print("You are in no account.")
    })
}

async fn list(session: &Session) -> Result<()> {
    let accounts = session.api.list::<AccountPage>("/accounts", &[]).await?;
    session.show(&accounts, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Account"),
            Column::Text("Name"),
            Column::Text("State"),
            Column::Number("Stores"),
            Column::Number("of"),
            Column::Number("Buckets"),
            Column::Number("of"),
            Column::Number("Keys"),
            Column::Number("of"),
        ]);
        for account in &accounts {
            let limits = &account.limits;
            sheet.row([
                account.id.to_string(),
                account.name.clone(),
                account.state.as_str().to_owned(),
                units::size(account.used_bytes),
                output::maybe(limits.storage_bytes, |limit| units::size(limit.get())),
                units::count(account.buckets),
                most(limits.buckets),
                units::count(account.keys),
                most(limits.keys),
            ]);
        }
        sheet.print("No accounts.")
    })
}

fn most(limit: Option<Limit>) -> String {
    output::maybe(limit, |limit| units::count(limit.get()))
}

pub(crate) fn facts(account: &Account) -> Result<()> {
    let limits = &account.limits;
    let size = |bytes: u64| format!("{} ({} bytes)", units::size(bytes), units::count(bytes));
    output::facts(&[
        ("Account", account.name.clone()),
        ("Id", account.id.to_string()),
        ("State", account.state.as_str().to_owned()),
        (
            "because",
            output::maybe(account.state_reason.as_ref(), Clone::clone),
        ),
        ("cleared", output::maybe(account.clears_at, units::instant)),
        ("Stores", size(account.used_bytes)),
        (
            "of at most",
            output::maybe(limits.storage_bytes, |limit| {
                let limit = limit.get();
                format!(
                    "{}, {} % used",
                    size(limit),
                    percent(account.used_bytes, limit)
                )
            }),
        ),
        ("Objects", units::count(account.objects)),
        ("Buckets", units::count(account.buckets)),
        ("of at most", most(limits.buckets)),
        ("Keys", units::count(account.keys)),
        ("of at most", most(limits.keys)),
        ("Since", units::instant(account.created_at)),
    ])
}

/// Rounded down, as the marks are that warn.
fn percent(used: u64, limit: u64) -> u128 {
    u128::from(used) * 100 / u128::from(limit.max(1))
}

async fn set_limits(session: &Session, args: &SetLimits) -> Result<()> {
    if args.storage.is_none() && args.buckets.is_none() && args.keys.is_none() {
        return Err(usage(
            "Say what to set: --storage, --buckets, --keys or several of them.",
        ));
    }
    let known = any(session, args.account).await?.limits;
    let limits = AccountLimits {
        storage_bytes: args.storage.map_or(known.storage_bytes, Quota::limit),
        buckets: args.buckets.map_or(known.buckets, Quota::limit),
        keys: args.keys.map_or(known.keys, Quota::limit),
    };
    let path = format!("/accounts/{}/limits", args.account);
    // Setting them twice is the same as once.
    let key = change::new_idempotency_key()?;
    let call = Call {
        method: Method::PUT,
        path: &path,
        body: Some(&serde_json::to_value(&limits)?),
        idempotency_key: Some(&key),
    };
    let account: Result<Account, _> = session.api.json(&call).await;
    let account = account.map_err(Thing::Account.named(&args.account))?;
    session.show(&account, || {
        facts(&account)?;
        if args.storage.is_some() {
            output::note("The quotas of its buckets follow within minutes.");
        }
        Ok(())
    })
}
