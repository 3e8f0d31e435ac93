//! What messages say.

use storm_protocol::ident::Micros;

use super::{Mail, message::Piece};

/// Asks somebody into an account. `link` holds the invitation's secret after `#`, which browsers keep
/// to themselves.
pub(crate) fn invitation(to: &str, account: &str, from: &str, link: &str, days: i64) -> Mail {
    let ask = format!("{from} asks you to join {account} on Storm Buckets.");
    let until = format!(
        "The link works once, for {days} days. If you do not know {from}, do nothing: nothing happens."
    );
    let command = format!("storm invitation accept '{link}'");
    Mail::of(
        to,
        &format!("Join {account} on Storm Buckets"),
        &[
            Piece::Text(&ask),
            Piece::Link(link),
            Piece::Text("Or in a terminal:"),
            Piece::Command(&command),
            Piece::Text(&until),
        ],
    )
}

/// Gives somebody a link that sets a new password.
pub(crate) fn password_reset(to: &str, link: &str, minutes: i64) -> Mail {
    let until = format!(
        "The link works once, for {minutes} minutes. If you did not ask for it, do nothing: your password stays \
         as it is."
    );
    let command = format!("storm password reset '{link}'");
    Mail::of(
        to,
        "Set a new password",
        &[
            Piece::Text("Somebody asked for a new password for you on Storm Buckets."),
            Piece::Link(link),
            Piece::Text("Or in a terminal:"),
            Piece::Command(&command),
            Piece::Text(&until),
        ],
    )
}

/// Tells an owner that their account is being closed.
pub(crate) fn account_closing(to: &str, account: &str, by: &str, clears_at: Micros) -> Mail {
    let what = format!(
        "{by} has closed {account} on Storm Buckets. Its keys have stopped working for good."
    );
    let clears_at = jiff::Timestamp::from_microsecond(clears_at.0)
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default();
    let until = format!(
        "Its buckets are kept until {clears_at}; then all that is in them is deleted. Until then an owner can \
         cancel that (if an operator of the platform closed the account, ask them):"
    );
    Mail::of(
        to,
        &format!("{account} is being closed"),
        &[
            Piece::Text(&what),
            Piece::Text(&until),
            Piece::Command("storm account cancel-close"),
        ],
    )
}

/// Tells an owner that their account is closed.
pub(crate) fn account_closed(to: &str, account: &str) -> Mail {
    let what = format!(
        "{account} is closed: its buckets and keys on Storm Buckets are deleted, and nobody can sign in to it any \
         more. Its name and what it used are kept for bills."
    );
    Mail::of(to, &format!("{account} is closed"), &[Piece::Text(&what)])
}

/// Gives somebody the link that makes their account.
pub(crate) fn sign_up(to: &str, link: &str, hours: i64) -> Mail {
    let until = format!(
        "The link works once, for {hours} hours. If you did not ask for it, do nothing: no account is made."
    );
    let command = format!("storm sign-up confirm '{link}'");
    Mail::of(
        to,
        "Your account on Storm Buckets",
        &[
            Piece::Text("Somebody asked for an account for you on Storm Buckets. This makes it:"),
            Piece::Link(link),
            Piece::Text("Or in a terminal:"),
            Piece::Command(&command),
            Piece::Text(&until),
        ],
    )
}

/// Tells somebody who is known here that somebody asked for an account for them.
pub(crate) fn known_already(to: &str, site: &str) -> Mail {
    Mail::of(
        to,
        "Your account on Storm Buckets",
        &[
            Piece::Text(
                "Somebody asked for an account for you on Storm Buckets. You are there already: sign in, or ask \
                 for a new password if you have forgotten yours.",
            ),
            Piece::Link(site),
            Piece::Text("If it was not you, do nothing: nothing has changed."),
        ],
    )
}

/// Says that e-mail arrives.
pub(crate) fn trial(to: &str, url: &str) -> Mail {
    Mail::of(
        to,
        "E-mail from Storm Buckets arrives",
        &[
            Piece::Text("An operator asked for this message, to see that e-mail arrives from"),
            Piece::Link(url),
        ],
    )
}

/// Tells somebody that how they sign in was changed. `what`: a sentence.
pub(crate) fn sign_in_changed(to: &str, what: &str, undo: &str) -> Mail {
    Mail::of(
        to,
        "How you sign in was changed",
        &[Piece::Text(what), Piece::Text(undo)],
    )
}
