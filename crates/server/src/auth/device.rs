//! The codes that let a program in, and how often somebody may try one.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use storm_protocol::{
    api::{USER_CODE_ALPHABET, USER_CODE_LETTERS},
    ident::{Digest, UserId},
};

use super::{
    counter::{Counter, Share, whole_seconds},
    limits::network,
    secret::StoredSecret,
};
use crate::clock::random;

/// Codes that one person may try; looking one up and approving it are two.
const PERSON: Share = Share {
    burst: NonZeroU32::new(20).unwrap(),
    refill: Duration::from_secs(15),
};
/// Codes that may be tried from one network.
const NETWORK: Share = Share {
    burst: NonZeroU32::new(60).unwrap(),
    refill: Duration::from_secs(5),
};

/// Counts tries of codes: there are 2^34.5 of them, and some wait.
pub(crate) struct CodeLimits {
    persons: Counter<UserId>,
    networks: Counter<IpAddr>,
}

impl Default for CodeLimits {
    fn default() -> Self {
        Self {
            persons: Counter::new(PERSON),
            networks: Counter::new(NETWORK),
        }
    }
}

impl CodeLimits {
    /// Counts a try. The error is the seconds to wait, at least 1.
    pub(crate) fn admit(&self, user: UserId, address: Option<IpAddr>) -> Result<(), u64> {
        self.persons.take(&user).map_err(whole_seconds)?;
        // Behind a proxy that does not say who asks, this machine is everybody.
        let network = address.filter(|it| !it.is_loopback()).map(network);
        let counted = network.map_or(Ok(()), |network| self.networks.take(&network));
        counted.map_err(whole_seconds)
    }
}

/// The code that a person compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserCode(String);

impl UserCode {
    /// A new one, each as likely as any other.
    pub(crate) fn new() -> Self {
        Self((0..USER_CODE_LETTERS).map(|_| random_letter()).collect())
    }

    /// As somebody typed it; `None` when it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        // One too many is enough to know.
        let letters: String = letters
            .take(USER_CODE_LETTERS + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let known = |byte| USER_CODE_ALPHABET.contains(&byte);
        let sound = letters.len() == USER_CODE_LETTERS && letters.bytes().all(known);
        sound.then_some(Self(letters))
    }

    /// What is stored of it.
    pub(crate) fn stored(&self) -> StoredSecret {
        StoredSecret(Digest::of(self.0.as_bytes()))
    }
}

impl std::fmt::Display for UserCode {
    /// In two groups, as people read it out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, second) = self.0.split_at(USER_CODE_LETTERS / 2);
        write!(f, "{first}-{second}")
    }
}

fn random_letter() -> char {
    loop {
        let [byte] = random::<1>();
        // The largest multiple of 20 in a byte.
        if byte < 240 {
            return char::from(USER_CODE_ALPHABET[usize::from(byte % 20)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::{Micros, UserId};

    use super::{CodeLimits, UserCode};
    use crate::clock::random;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = UserCode::new();
        let shown = code.to_string();
        assert_eq!((shown.len(), shown.find('-')), (9, Some(4)));
        let typed = format!(" {} ", shown.to_lowercase().replace('-', " "));
        for text in [&shown, &typed] {
            assert_eq!(UserCode::read(text), Some(code.clone()), "{text}");
        }
        for wrong in [
            "",
            "BCDF-GHJ",
            "BCDF-GHJKL",
            "ABCD-FGHJ",
            "BCDF-GHJ0",
            "BCDF-GHJſ",
            "BCDF_GHJK",
        ] {
            assert_eq!(UserCode::read(wrong), None, "{wrong}");
        }
        assert_ne!(UserCode::new(), code);
    }

    #[test]
    fn guessing_is_slowed_down_by_person_and_by_network() {
        let limits = CodeLimits::default();
        let person = || UserId::new(Micros(1), random());
        let one = person();
        let taken = (0..100).filter(|_| limits.admit(one, None).is_ok()).count();
        assert_eq!(taken, 20);
        // Many people behind one address guess no faster for it.
        let network = "192.0.2.1".parse().ok();
        let taken = (0..100)
            .filter(|_| limits.admit(person(), network).is_ok())
            .count();
        assert_eq!(taken, 60);
        assert_eq!(limits.admit(person(), "198.51.100.1".parse().ok()), Ok(()));
    }
}
