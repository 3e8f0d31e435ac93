//! `storm-buckets mail`

use clap::Subcommand;

use crate::{config::Config, mail, output::line};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Send one message now, over the server in [mail.smtp], and say what it answered.
    Test {
        /// Whom to send it to.
        address: String,
    },
}

pub(super) async fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    let Verb::Test { address } = verb;
    let answer = mail::try_out(config, address).await?;
    line(format_args!(
        "The server took a message to {address}: {answer}\nSee that it arrives, and not among spam."
    ))
}
