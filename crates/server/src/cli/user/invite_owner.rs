//! `storm-buckets user invite-owner`: the first owner of an account that has none, as after
//! `storm-buckets adopt`.

use anyhow::{bail, ensure};
use clap::Args;
use storm_protocol::{
    api::{Invitation, Role},
    ident::{AccountId, InvitationId, UserId},
};

use crate::{
    auth::secret::PlainSecret,
    clock::{Clock as _, SystemClock, random},
    config::Config,
    mail,
    output::line,
    store::Store,
};

/// Days that the link is good for.
const VALID_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 24 * 3600;
/// The longest name of an account.
const MAX_NAME_CHARS: usize = 100;

#[derive(Args)]
pub(crate) struct InviteOwner {
    /// The account's id.
    account: AccountId,
    /// Their e-mail address.
    email: String,
    /// What to call the account from now on.
    #[arg(long)]
    name: String,
}

pub(super) async fn run(asked: &InviteOwner, store: &Store, config: &Config) -> anyhow::Result<()> {
    let (account, name) = (asked.account, asked.name.trim());
    let email = asked.email.trim().to_lowercase();
    ensure!(
        email.parse::<lettre::Address>().is_ok(),
        "{email:?} is no e-mail address"
    );
    ensure!(
        (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control),
        "a name has 1 to {MAX_NAME_CHARS} characters, no control characters"
    );
    if !store.has_account(account).await? {
        bail!("there is no account {account}: `storm account list` shows them");
    }
    ensure!(
        !store.has_owner(account).await?,
        "the account {account} has an owner, who asks others in with `storm invitation create`"
    );
    let now = SystemClock.now();
    let secret = PlainSecret::link();
    let link = format!("{}/invitation#{}", config.web.public_url, secret.expose());
    let from = config.mail.from.to_string();
    let mail = mail::invitation(&email, name, &from, &link, VALID_DAYS);
    let invitation = Invitation {
        id: InvitationId::new(now, random()),
        email: email.clone(),
        role: Role::Owner,
        invited_by: UserId::SYSTEM,
        created_at: now,
        expires_at: now.plus_seconds(VALID_DAYS * DAY_SECONDS),
    };
    store.rename_account(account, name).await?;
    let bound = (i64::MAX, now);
    store
        .create_invitation(account, &invitation, secret.stored(), &mail, bound)
        .await?;
    line(format_args!(
        "{email} is asked by e-mail to own the account {name}; the link is good for {VALID_DAYS} days."
    ))
}
