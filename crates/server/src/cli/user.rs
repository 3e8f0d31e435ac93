//! `storm-buckets user`

use anyhow::{bail, ensure};
use clap::Subcommand;
use secrecy::ExposeSecret as _;

use crate::{
    auth::password, config::Config, first_operator::generate_password, output::line_once,
    serve::open_store,
};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Give a person a new password, printed once, and end their sessions. API tokens stay.
    ResetPassword {
        /// Their e-mail address.
        email: String,
    },
}

pub(super) async fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    let Verb::ResetPassword { email } = verb;
    ensure!(
        config.database().exists(),
        "there is no database in {} yet: `storm-buckets serve` makes it at its first start",
        config.data_dir.display()
    );
    let store = open_store(config).await?;
    let new = generate_password();
    let email = email.trim().to_lowercase();
    if !store.reset_password(&email, &password::hash(&new, &email)?).await? {
        bail!("there is no user with the e-mail address {email}");
    }
    line_once(new.expose_secret())
}
