//! `storm member`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use storm_protocol::api::{Member, MemberPage, Role};

use crate::{
    errors::Thing,
    output::{self, Column, Sheet},
    session::{Context, Session},
    whoami,
};

/// What can be done with the people of the account.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// List who is in the account
    List,
    /// Give somebody another role
    SetRole(SetRole),
    /// Take somebody out of the account; their sessions and API tokens in it end
    Remove(Who),
}

/// Somebody and a role.
#[derive(Debug, Args)]
pub(crate) struct SetRole {
    /// Their e-mail address
    email: String,
    /// viewer, member, admin or owner
    #[arg(value_parser = parse_role)]
    role: Role,
}

/// Somebody.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Their e-mail address
    pub(crate) email: String,
}

/// Reads a role.
pub(crate) fn parse_role(text: &str) -> Result<Role, String> {
    serde_json::from_value(json!(text))
        .map_err(|_| "expected viewer, member, admin or owner".to_owned())
}

/// Does it.
pub(crate) async fn run(context: &Context, command: MemberCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        MemberCommand::List => list(&session).await,
        MemberCommand::SetRole(args) => {
            let member = find(&session, &args.email).await?;
            let path = format!("/members/{}/role", member.user);
            session
                .api
                .change(Method::PUT, &path, Some(&json!({ "role": args.role })))
                .await?;
            let role = whoami::role(args.role);
            let shown = Member {
                role: args.role,
                ..member
            };
            session.show(&shown, || {
                output::line(&format!(
                    "{} has the role {role} now.",
                    output::clean(&shown.email)
                ))
            })
        }
        MemberCommand::Remove(args) => {
            let member = find(&session, &args.email).await?;
            let what = format!("{} will be taken out of the account.", args.email);
            context.confirm(&what, &args.email)?;
            session
                .api
                .change(Method::DELETE, &format!("/members/{}", member.user), None)
                .await?;
            session.show(&json!({ "user": member.user }), || {
                output::line(&format!(
                    "{} is not in the account any more.",
                    output::clean(&member.email)
                ))
            })
        }
    }
}

async fn list(session: &Session) -> Result<()> {
    let members = session.api.list::<MemberPage>("/members", &[]).await?;
    session.show(&members, || {
        let mut sheet = Sheet::new(&[
            Column::Text("E-mail"),
            Column::Text("Role"),
            Column::Text("User id"),
        ]);
        for member in &members {
            sheet.row([
                member.email.clone(),
                whoami::role(member.role).to_owned(),
                member.user.to_string(),
            ]);
        }
        sheet.print("Nobody.")
    })
}

/// Somebody in the account, by their e-mail address.
pub(crate) async fn find(session: &Session, email: &str) -> Result<Member> {
    let email = email.trim().to_lowercase();
    let members = session.api.list::<MemberPage>("/members", &[]).await?;
    let found = members.into_iter().find(|member| member.email == email);
    found.ok_or_else(|| Thing::Member.missing(&email))
}
