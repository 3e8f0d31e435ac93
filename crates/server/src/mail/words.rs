//! What messages say.

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
