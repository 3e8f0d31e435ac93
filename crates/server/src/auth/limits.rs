//! How often a sign-in may be tried, and how often a person may ask.
//!
//! A flood costs its sender: tries are refused by where they come from. What counts tries for one
//! e-mail address from everywhere only slows them down, so that nobody can lock another person out.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use storm_protocol::ident::{Digest, UserId};

use super::counter::{Counter, Share, whole_seconds};
use crate::config;

/// Tries to sign in from one network.
const NETWORK: Share = Share {
    burst: NonZeroU32::new(30).unwrap(),
    refill: Duration::from_secs(2),
};
/// Tries for one e-mail address from one network.
const EMAIL_AND_NETWORK: Share = Share {
    burst: NonZeroU32::new(10).unwrap(),
    refill: Duration::from_secs(20),
};
/// Tries for one e-mail address from everywhere, before they are slowed down.
const EMAIL: Share = Share {
    burst: NonZeroU32::new(50).unwrap(),
    refill: Duration::from_secs(10),
};
/// Tries for all addresses from everywhere, before they are slowed down.
const ALL: Share = Share {
    burst: NonZeroU32::new(200).unwrap(),
    refill: Duration::from_millis(40),
};
/// Guesses at one person's six digits, from everywhere: a million of them are hit by chance in a day or so
/// if nobody counts.
const CODES: Share = Share {
    burst: NonZeroU32::new(20).unwrap(),
    refill: Duration::from_secs(60),
};
/// The longest that a try is slowed down by.
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// A burst of requests, in seconds' worth of them.
const REQUESTS_BURST_SECONDS: u32 = 4;
/// A burst of changes, in seconds' worth of them.
const CHANGES_BURST_SECONDS: u32 = 5;

/// Counts tries to sign in.
pub(crate) struct SignInLimits {
    networks: Counter<IpAddr>,
    emails_and_networks: Counter<(Digest, IpAddr)>,
    emails: Counter<Digest>,
    all: Counter<()>,
    codes: Counter<UserId>,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            networks: Counter::new(NETWORK),
            emails_and_networks: Counter::new(EMAIL_AND_NETWORK),
            emails: Counter::new(EMAIL),
            all: Counter::new(ALL),
            codes: Counter::new(CODES),
        }
    }
}

impl SignInLimits {
    /// Counts a try, and gives the pause to make before it is looked at: mostly none. The error is
    /// the number of seconds to wait, at least 1.
    pub(crate) fn admit(&self, address: Option<IpAddr>, email: &str) -> Result<Duration, u64> {
        // Without an address, which a listener always gives, all are one network.
        let network = network(address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()));
        let email = Digest::of(email.as_bytes());
        self.networks.take(&network).map_err(whole_seconds)?;
        self.emails_and_networks
            .take(&(email, network))
            .map_err(whole_seconds)?;
        let slowed = [self.emails.take(&email), self.all.take(&())];
        let pause = slowed.into_iter().filter_map(Result::err).max();
        Ok(pause.unwrap_or_default().min(MAX_PAUSE))
    }

    /// Counts a guess at the digits that somebody's authenticator app shows. The error is the number of
    /// seconds to wait, at least 1.
    pub(crate) fn admit_code(&self, person: UserId) -> Result<(), u64> {
        self.codes.take(&person).map_err(whole_seconds)
    }
}

impl SignInLimits {
    /// Counts a try by its network alone, for who proves elsewhere who they are. The error is the number of
    /// seconds to wait, at least 1.
    pub(crate) fn admit_network(&self, address: Option<IpAddr>) -> Result<(), u64> {
        let network = network(address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()));
        self.networks.take(&network).map_err(whole_seconds)
    }
}

/// Counts what each person asks for, whichever session or token they use: making more tokens gives
/// no more.
pub(crate) struct PersonLimits {
    requests: Counter<UserId>,
    changes: Counter<UserId>,
}

impl PersonLimits {
    /// The limits that the configuration sets.
    pub(crate) fn new(limits: &config::Limits) -> Self {
        let share = |rate: NonZeroU32, burst_seconds: u32| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(burst_seconds - 1));
            Counter::new(Share::per_second(rate, burst))
        };
        Self {
            requests: share(limits.requests_per_second, REQUESTS_BURST_SECONDS),
            changes: share(limits.changes_per_second, CHANGES_BURST_SECONDS),
        }
    }

    /// Counts a request. The error is the number of seconds to wait, at least 1.
    pub(crate) fn admit(&self, person: UserId, is_change: bool) -> Result<(), u64> {
        self.requests.take(&person).map_err(whole_seconds)?;
        if is_change {
            self.changes.take(&person).map_err(whole_seconds)?;
        }
        Ok(())
    }
}

/// Who gets an IPv6 address gets 2^64 of them: they count as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use storm_protocol::ident::{Micros, UserId};

    use super::{
        CHANGES_BURST_SECONDS, EMAIL, EMAIL_AND_NETWORK, MAX_PAUSE, PersonLimits, SignInLimits,
    };
    use crate::{clock::random, config};

    /// Tries that outlast a share and whatever comes back while they last.
    const FLOOD: u32 = 20_000;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::V4((0x0a00_0000 + number).into()))
    }

    #[test]
    fn one_address_of_a_network_counts_for_all() {
        let limits = SignInLimits::default();
        let refused = (0..FLOOD).find_map(|number| {
            let address = format!("2001:db8::{number:x}").parse().ok();
            limits
                .admit(address, &format!("{number}@example.org"))
                .err()
        });
        assert!(refused.is_some_and(|seconds| seconds > 0));
        let other = "2001:db8:0:1::1".parse().ok();
        assert!(limits.admit(other, "new@example.org").is_ok());
    }

    #[test]
    fn a_flood_from_one_network_does_not_keep_the_owner_out_from_another() {
        let limits = SignInLimits::default();
        let flood = (0..FLOOD).filter(|_| limits.admit(address(1), "ann@example.org").is_ok());
        let taken = u32::try_from(flood.count()).unwrap();
        let some = EMAIL_AND_NETWORK.burst.get()..EMAIL.burst.get();
        assert!(some.contains(&taken), "{taken}");
        assert_eq!(
            limits.admit(address(2), "ann@example.org"),
            Ok(Duration::ZERO)
        );
    }

    #[test]
    fn a_flood_from_everywhere_slows_down_and_locks_nobody_out() {
        let limits = SignInLimits::default();
        let mut slowed = 0;
        for number in 0..FLOOD {
            let pause = limits.admit(address(number), "ann@example.org").unwrap();
            assert!(pause <= MAX_PAUSE);
            slowed += u32::from(pause > Duration::ZERO);
        }
        assert!(slowed > FLOOD / 2, "{slowed}");
    }

    #[test]
    fn a_flood_of_one_person_is_theirs_alone() {
        let limits = config::Limits::default();
        let counts = PersonLimits::new(&limits);
        let [one, other] = [1, 2].map(|at| UserId::new(Micros(at), random()));
        let flood = |is_change| {
            let answers: Vec<_> = (0..FLOOD).map(|_| counts.admit(one, is_change)).collect();
            assert!(
                answers
                    .iter()
                    .flat_map(|answer| answer.err())
                    .all(|seconds| seconds > 0)
            );
            let taken = answers.iter().filter(|answer| answer.is_ok()).count();
            u32::try_from(taken).unwrap()
        };
        let changes = limits.changes_per_second.get() * CHANGES_BURST_SECONDS;
        assert!((changes..FLOOD).contains(&flood(true)));
        assert!(flood(false) < FLOOD);
        for _ in 0..changes {
            assert_eq!(counts.admit(other, true), Ok(()));
        }
    }
}
