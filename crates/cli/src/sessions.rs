//! `storm session`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{api::SessionPage, ident::SessionId};

use crate::{
    clock,
    errors::Thing,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units,
};

/// What can be done with your sessions: the places where you are signed in with a browser.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List your sessions
    List,
    /// End one
    End(End),
    /// End all of them; API tokens, this machine's too, stay
    EndAll,
}

/// A session.
#[derive(Debug, Args)]
pub(crate) struct End {
    /// Its id
    id: SessionId,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: SessionCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        SessionCommand::List => list(&session).await,
        SessionCommand::End(args) => {
            let path = format!("/sessions/{}", args.id);
            let ended = session.api.change(Method::DELETE, &path, None).await;
            ended.map_err(Thing::Session.named(&args.id))?;
            session.show(&json!({ "id": args.id }), || {
                output::line("The session has ended.")
            })
        }
        SessionCommand::EndAll => {
            session
                .api
                .change(Method::POST, "/sessions/end-others", None)
                .await?;
            session.show(&json!({}), || output::line("All sessions have ended."))
        }
    }
}

async fn list(session: &Session) -> Result<()> {
    let sessions = session.api.list::<SessionPage>("/sessions", &[]).await?;
    session.show(&sessions, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Session"),
            Column::Text("From"),
            Column::Text("With"),
            Column::Text("Signed in by"),
            Column::Text("Begun"),
            Column::Text("Last used"),
            Column::Text("Ends"),
        ]);
        let now = clock::now();
        for one in &sessions {
            sheet.row([
                one.id.to_string(),
                output::maybe(one.origin.clone(), |text| text),
                output::maybe(one.user_agent.clone(), |text| text),
                output::clean(&one.method),
                units::when(now, one.created_at),
                output::maybe(one.seen_at, |at| units::when(now, at)),
                units::when(now, one.expires_at),
            ]);
        }
        sheet.print("No sessions.")
    })
}
