//! `storm-buckets user`

mod invite_owner;

use anyhow::{bail, ensure};
use clap::Subcommand;
use secrecy::ExposeSecret as _;

use crate::{
    auth::password,
    clock::{Clock as _, SystemClock},
    config::Config,
    first_operator::generate_password,
    mail,
    output::{line, line_once},
    serve::open_store,
    store::{
        Store,
        audit::{DONE, Entry},
    },
};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Give a person a new password, printed once, and end their sessions. API tokens stay.
    ResetPassword {
        /// Their e-mail address.
        email: String,
    },
    /// Take a person's authenticator app and recovery codes away, and end their sessions. Their password is
    /// enough to sign in then; they are told so by e-mail.
    ResetSecondFactor {
        /// Their e-mail address.
        email: String,
    },
    /// Ask somebody by e-mail to own an account that nobody owns, as after `adopt`.
    InviteOwner(invite_owner::InviteOwner),
}

pub(super) async fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    let place = config.place()?;
    ensure!(
        place.is_known().await?,
        "there is no database in {place} yet: `storm-buckets serve` makes it at its first start"
    );
    let store = open_store(config).await?;
    match verb {
        Verb::ResetPassword { email } => reset_password(&store, &email.trim().to_lowercase()).await,
        Verb::ResetSecondFactor { email } => {
            reset_second_factor(&store, &email.trim().to_lowercase()).await
        }
        Verb::InviteOwner(asked) => invite_owner::run(asked, &store, config).await,
    }
}

async fn reset_password(store: &Store, email: &str) -> anyhow::Result<()> {
    let new = generate_password();
    if !store
        .reset_password(email, &password::hash(&new, email)?)
        .await?
    {
        bail!("there is no user with the e-mail address {email}");
    }
    line_once(new.expose_secret())
}

async fn reset_second_factor(store: &Store, email: &str) -> anyhow::Result<()> {
    let Some(user) = store.user_by_email(email).await? else {
        bail!("there is no user with the e-mail address {email}");
    };
    let entry = Entry {
        at: SystemClock.now(),
        account: store.first_account(user.id).await?,
        via: "server".to_owned(),
        act: "user.reset_second_factor".to_owned(),
        thing: Some(user.id.to_string()),
        result: DONE.to_owned(),
        count: 1,
        ..Entry::default()
    };
    let mail = mail::second_factor_reset(email);
    if !store.reset_second_factor(user.id, &mail, &entry).await? {
        bail!("{email} has no second factor and no passkey");
    }
    line(format_args!(
        "The password of {email} is enough to sign in now. They are told so by e-mail."
    ))
}
