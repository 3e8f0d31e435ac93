//! `storm token`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{CreateTokenRequest, TokenCreated, TokenPage},
    ident::TokenId,
};

use crate::{
    client::Call,
    clock,
    errors::Thing,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units::{self, Expiry},
};

/// What can be done with API tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// List your API tokens
    List,
    /// Make an API token; its secret is shown once
    Create(Create),
    /// Delete an API token; what uses it is signed out
    Delete(Delete),
}

/// A new API token.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it
    name: String,
    /// When it ends: 30d, 12h, a date or an instant [default: never]
    #[arg(long, value_name = "WHEN", value_parser = units::parse_expiry, allow_hyphen_values = true)]
    expires: Option<Expiry>,
}

/// An API token to delete.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its id
    id: TokenId,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: TokenCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        TokenCommand::List => list(&session).await,
        TokenCommand::Create(args) => create(&session, args).await,
        TokenCommand::Delete(args) => {
            let what = format!("Token {} will be deleted.", args.id);
            context.confirm(&what, &args.id.to_string())?;
            let path = format!("/tokens/{}", args.id);
            let call = Call {
                method: Method::DELETE,
                path: &path,
                body: None,
                idempotency_key: None,
            };
            let gone = session.api.send(&call).await;
            gone.map_err(Thing::Token.named(&args.id))?;
            session.show(&serde_json::json!({ "id": args.id }), || {
                output::line(&format!("Token {} is deleted.", args.id))
            })
        }
    }
}

async fn list(session: &Session) -> Result<()> {
    let tokens = session.api.list::<TokenPage>("/tokens", &[]).await?;
    session.show(&tokens, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Token"),
            Column::Text("Name"),
            Column::Text("Created"),
            Column::Text("Last used"),
            Column::Text("Ends"),
        ]);
        let now = clock::now();
        for token in &tokens {
            sheet.row([
                token.id.to_string(),
                token.name.clone(),
                units::when(now, token.created_at),
                output::maybe(token.last_used_at, |at| units::when(now, at)),
                output::maybe(token.expires_at, |at| units::when(now, at)),
            ]);
        }
        sheet.print("No API tokens yet. Make one: storm token create NAME")
    })
}

async fn create(session: &Session, args: Create) -> Result<()> {
    let ends = args
        .expires
        .map(|expiry| expiry.instant(clock::now(), "--expires"));
    let ends = ends.transpose()?;
    let request = CreateTokenRequest {
        name: args.name,
        expires_at: ends,
    };
    let body = serde_json::to_value(&request)?;
    let call = Call {
        method: Method::POST,
        path: "/tokens",
        body: Some(&body),
        idempotency_key: None,
    };
    let made: TokenCreated = session.api.json(&call).await?;
    session.show(&made, || {
        output::line(&output::clean(&made.secret))?;
        output::note("Take the token now. It is shown once.");
        Ok(())
    })
}
