//! The command line: every noun, and the flags that all of them take.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    account::AccountCommand, agent::AgentCommand, audit::AuditCommand, bucket::BucketCommand,
    completions::CompletionsArgs, device::DeviceCommand, env::EnvArgs, errors::EXIT_CODES_HELP,
    grant::GrantCommand, invitation::InvitationCommand, job::JobCommand, key::KeyCommand,
    login::LoginArgs, member::MemberCommand, offline::OfflineCommand, op::OpCommand,
    password::PasswordCommand, region::RegionCommand, sessions::SessionCommand,
    stray::StrayCommand, token::TokenCommand, up::UpArgs, usage::UsageArgs,
};

/// Storm Buckets: S3 buckets on your own servers, from the command line.
#[derive(Debug, Parser)]
#[command(name = "storm", version, after_help = EXIT_CODES_HELP, propagate_version = true)]
pub(crate) struct Cli {
    /// The configuration file [default: storm/config.toml in your configuration directory]
    #[arg(
        long,
        global = true,
        env = "STORM_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Answer with JSON, errors too (these on stderr)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before what cannot be taken back
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// What there is to deal with.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Run everything on this machine: Garage, control plane, agent
    Up(UpArgs),
    /// Sign in: make an API token for this machine and pin the root key
    Login(LoginArgs),
    /// Sign out: delete this machine's API token
    Logout,
    /// Show who is signed in
    Whoami,
    /// Regions: where buckets live
    #[command(subcommand)]
    Region(RegionCommand),
    /// Buckets
    #[command(subcommand)]
    Bucket(BucketCommand),
    /// S3 access keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// What keys may do in buckets
    #[command(subcommand)]
    Grant(GrantCommand),
    /// What your account or a bucket uses, over time
    Usage(UsageArgs),
    /// Accounts: what they may have and what they have
    #[command(subcommand)]
    Account(AccountCommand),
    /// People of the account, and their roles
    #[command(subcommand)]
    Member(MemberCommand),
    /// Invitations into the account
    #[command(subcommand)]
    Invitation(InvitationCommand),
    /// Operations: what was asked and what came of it
    #[command(subcommand)]
    Op(OpCommand),
    /// Jobs: long work, and how far it is
    #[command(subcommand)]
    Job(JobCommand),
    /// Who did what, and receipts: signed proof of what was done
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Agents on storage servers (operators)
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Buckets and keys that belong to no account (operators)
    #[command(subcommand)]
    Stray(StrayCommand),
    /// Your sessions: where you are signed in with a browser
    #[command(subcommand)]
    Session(SessionCommand),
    /// Your password
    #[command(subcommand)]
    Password(PasswordCommand),
    /// An account of your own, where the server lets you
    #[command(subcommand)]
    SignUp(crate::sign_up::SignUpCommand),
    /// Your API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Programs that ask to be let in, such as `storm login` elsewhere
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Commands signed without the control plane
    #[command(subcommand)]
    Offline(OfflineCommand),
    /// Print a bucket's configuration for an S3 tool
    Env(EnvArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_values_are_named_with_their_flag() {
        for (line, name) in [
            (
                vec!["bucket", "create", "photos", "--quota", "10XB"],
                "--quota",
            ),
            (vec!["bucket", "create", "Photos"], "<NAME>"),
            (
                vec!["bucket", "create", "photos", "--max-objects", "0"],
                "--max-objects",
            ),
            (vec!["key", "create", "k", "--expires", "soon"], "--expires"),
            (vec!["key", "create", "k", "--grant", "photos"], "--grant"),
            (
                vec!["bucket", "create", "photos", "--quota", "-5"],
                "'-5' for '--quota",
            ),
            (
                vec!["bucket", "set-quota", "photos", "--max-objects", "-5"],
                "'-5' for '--max-objects",
            ),
            (
                vec!["key", "create", "k", "--expires", "-1d"],
                "'-1d' for '--expires",
            ),
            (
                vec!["key", "rotate", "k", "--grace", "-1h"],
                "'-1h' for '--grace",
            ),
            (
                vec!["bucket", "measure", "photos", "--max-objects", "-1"],
                "'-1' for '--max-objects",
            ),
            (
                vec!["bucket", "measure", "photos", "--max-objects", "10000001"],
                "10000001 is not in 1..=10000000",
            ),
            (vec!["usage", "--since", "-1d"], "'-1d' for '--since"),
            (vec!["usage", "--step", "week"], "'week' for '--step"),
            (vec!["usage", "photos", "export"], "'export' cannot be used"),
            (vec!["usage", "export", "--month", "2026-13"], "--month"),
            (
                vec!["account", "set-limits", "--buckets", "0"],
                "'0' for '--buckets",
            ),
            (
                vec!["account", "set-limits", "--storage", "-1GB"],
                "'-1GB' for '--storage",
            ),
            (
                vec!["agent", "enrol-token", "create", "--expires", "8d"],
                "'8d' for '--expires",
            ),
        ] {
            let line = [vec!["storm"], line].concat();
            let error = Cli::try_parse_from(line).err().unwrap().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
