//! `storm token`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{CreateTokenRequest, Token, TokenCreated, TokenPage},
    ident::{Scope, TokenId},
};

use crate::{
    client::Call,
    clock,
    errors::Thing,
    output::{self, Column, Sheet},
    session::{BucketRef, Context, Session},
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
    /// What it may, such as bucket.read or key.*; can be given several times [default: all that you may]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// With this bucket alone, by its name or id; can be given several times [default: all buckets]
    #[arg(long = "bucket", value_name = "BUCKET")]
    buckets: Vec<BucketRef>,
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
            let gone = session.api.change(Method::DELETE, &path, None).await;
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
            Column::Text("May"),
            Column::Text("Created"),
            Column::Text("Last used"),
            Column::Text("Ends"),
        ]);
        let now = clock::now();
        for token in &tokens {
            sheet.row([
                token.id.to_string(),
                token.name.clone(),
                may(token),
                units::when(now, token.created_at),
                output::maybe(token.last_used_at, |at| units::when(now, at)),
                output::maybe(token.expires_at, |at| units::when(now, at)),
            ]);
        }
        sheet.print("No API tokens yet. Make one: storm token create NAME")
    })
}

/// What a token may, in short.
fn may(token: &Token) -> String {
    let scopes: Vec<_> = token.scopes.iter().map(Scope::as_str).collect();
    let scopes = scopes.join(" ");
    match token.buckets.as_ref().map(Vec::len) {
        None => scopes,
        Some(1) => format!("{scopes} (1 bucket)"),
        Some(number) => format!("{scopes} ({number} buckets)"),
    }
}

async fn create(session: &Session, args: Create) -> Result<()> {
    let ends = args
        .expires
        .map(|expiry| expiry.instant(clock::now(), "--expires"));
    let ends = ends.transpose()?;
    let mut buckets = vec![];
    for bucket in &args.buckets {
        buckets.push(session.bucket(bucket, None).await?.id);
    }
    let request = CreateTokenRequest {
        name: args.name,
        expires_at: ends,
        scopes: (!args.scopes.is_empty()).then_some(args.scopes),
        buckets: (!buckets.is_empty()).then_some(buckets),
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
