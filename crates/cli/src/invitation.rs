//! `storm invitation`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use storm_protocol::{
    api::{Invitation, InvitationOffer, InvitationPage, Role},
    ident::InvitationId,
};
use url::Url;

use crate::{
    client::{Api, Call, Credential},
    clock,
    config::{self, check_url},
    errors::Thing,
    login,
    member::parse_role,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units, whoami,
};

/// What can be done with invitations.
#[derive(Debug, Subcommand)]
pub(crate) enum InvitationCommand {
    /// List who was asked into the account and has not answered
    List,
    /// Ask somebody into the account, by e-mail
    Create(Create),
    /// Withdraw an invitation; its link stops working
    Withdraw(Withdraw),
    /// See what an invitation asks that you got
    Show(Show),
    /// Answer an invitation that you got
    Accept(Accept),
}

/// Whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Their e-mail address
    email: String,
    /// What they are to be: viewer, member, admin or owner
    #[arg(long, default_value = "member", value_parser = parse_role)]
    role: Role,
}

/// An invitation.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// Its id
    id: InvitationId,
}

/// An invitation that one got.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The link in the e-mail
    #[arg(value_parser = config::parse_url)]
    link: Url,
}

/// An answer.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// The link in the e-mail
    #[arg(value_parser = config::parse_url)]
    link: Url,
    /// A file (mode 0600) that holds the password: the one that you have here, or want to have; - for
    /// standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: InvitationCommand) -> Result<()> {
    match command {
        InvitationCommand::List => list(&context.session()?).await,
        InvitationCommand::Create(args) => create(&context.session()?, &args).await,
        InvitationCommand::Withdraw(args) => {
            let session = context.session()?;
            let path = format!("/invitations/{}", args.id);
            let gone = session.api.change(Method::DELETE, &path, None).await;
            gone.map_err(Thing::Invitation.named(&args.id))?;
            session.show(&json!({ "id": args.id }), || {
                output::line("The invitation is withdrawn.")
            })
        }
        InvitationCommand::Show(args) => show(context, args).await,
        InvitationCommand::Accept(args) => accept(context, args).await,
    }
}

async fn list(session: &Session) -> Result<()> {
    let open = session
        .api
        .list::<InvitationPage>("/invitations", &[])
        .await?;
    session.show(&open, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Invitation"),
            Column::Text("E-mail"),
            Column::Text("Role"),
            Column::Text("Ends"),
        ]);
        let now = clock::now();
        for invitation in &open {
            sheet.row([
                invitation.id.to_string(),
                invitation.email.clone(),
                whoami::role(invitation.role).to_owned(),
                units::when(now, invitation.expires_at),
            ]);
        }
        sheet.print("Nobody is asked in. Ask somebody: storm invitation create EMAIL")
    })
}

async fn create(session: &Session, args: &Create) -> Result<()> {
    let body = json!({ "email": args.email, "role": args.role });
    let call = Call {
        method: Method::POST,
        path: "/invitations",
        body: Some(&body),
        idempotency_key: None,
    };
    let made: Invitation = session.api.json(&call).await?;
    session.show(&made, || {
        output::line(&format!(
            "{} is asked in as {}. The link goes by e-mail and works once, for 7 days.",
            output::clean(&made.email),
            whoami::role(made.role)
        ))
    })
}

async fn show(context: &Context, args: Show) -> Result<()> {
    let (site, token) = config::link_parts(args.link)?;
    check_url(&site)?;
    let api = Api::new(site, Credential::None)?;
    let body = json!({ "token": token });
    let call = Call {
        method: Method::POST,
        path: "/invitations/look-up",
        body: Some(&body),
        idempotency_key: None,
    };
    let offer: InvitationOffer = api.json(&call).await?;
    if context.json {
        return output::json(&offer);
    }
    output::line(&format!(
        "{} asks {} into {} as {}.",
        output::clean(&offer.invited_by),
        output::clean(&offer.email),
        output::clean(&offer.account_name),
        whoami::role(offer.role)
    ))?;
    let password = match offer.known {
        true => "the password that you have here",
        false => "the password that you want to have",
    };
    output::note(&format!(
        "Answer it with {password}: storm invitation accept LINK"
    ));
    Ok(())
}

async fn accept(context: &Context, args: Accept) -> Result<()> {
    let (site, token) = config::link_parts(args.link)?;
    check_url(&site)?;
    let password = login::password(args.password_file, "Password: ")?;
    let api = Api::new(site.clone(), Credential::None)?;
    let body = json!({ "token": token, "password": password.expose_secret() });
    api.change(Method::POST, "/invitations/accept", Some(&body))
        .await?;
    if context.json {
        return output::json(&json!({ "server": site }));
    }
    output::line("You are in the account.")?;
    output::note(&format!(
        "Sign in: storm login --url {}",
        site.as_str().trim_end_matches('/')
    ));
    Ok(())
}
