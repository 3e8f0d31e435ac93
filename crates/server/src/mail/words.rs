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
