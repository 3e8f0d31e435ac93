//! Which passwords are too easy to guess: the common ones, what is built from a few of them, and what is
//! near to the person's address or to this service's name. No rules about kinds of characters.

use secrecy::{ExposeSecret as _, SecretString};
use zxcvbn::{Score, zxcvbn};

/// Names of this service, which are the first that somebody tries here.
const OUR_NAMES: [&str; 4] = ["storm", "buckets", "storm buckets", "stormbuckets"];
/// What falls to a million guesses is refused; sign-ins are slowed down long before that.
const LEAST: Score = Score::Two;

/// Why a password of `email` is too easy to guess, for a person; `None`: it is not.
pub(super) fn why(password: &SecretString, email: &str) -> Option<String> {
    let mut near = OUR_NAMES.to_vec();
    near.push(email);
    near.extend(email.split(['@', '.', '+', '-', '_']));
    near.retain(|word| word.len() > 2);
    let found = zxcvbn(password.expose_secret(), &near);
    if found.score() >= LEAST {
        return None;
    }
    let warning = found.feedback().and_then(|feedback| feedback.warning());
    let why = warning.map_or_else(String::new, |why| {
        format!(" ({})", why.to_string().trim_end_matches('.'))
    });
    Some(format!(
        "too easy to guess{why}: take several words that have nothing to do with each other, with you or with \
         this service, or let a password manager make one"
    ))
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn what_is_tried_first_is_refused_and_what_is_not_is_taken() {
        let email = "ann.miller@example.org";
        for bad in [
            "password",
            "Password1!",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "annmiller1",
            "Ann.Miller@example.org",
            "miller2026",
            "stormbuckets",
            "Storm Buckets1",
            "St0rmBuckets!",
        ] {
            assert!(why(&bad.into(), email).is_some(), "{bad}");
        }
        for good in [
            "correct horse battery staple",
            "a fine long password",
            "qk7fw-8z2mn-abc4x-99ttr",
            "Donaudampfschifffahrt im Nebel",
            "今日はとても良い天気ですね",
        ] {
            assert_eq!(why(&good.into(), email), None, "{good}");
        }
    }

    #[test]
    fn the_longest_password_does_not_take_long() {
        let long = "password1".repeat(113);
        assert!(why(&long.as_str().into(), "ann@example.org").is_none_or(|why| !why.is_empty()));
    }
}
