//! How often a sign-in may be tried, by network address and by e-mail address.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use storm_protocol::ident::Digest;

/// Tries in a row from one network address.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Seconds until one more try from it.
const ADDRESS_REFILL_SECONDS: u64 = 2;
/// Tries in a row for one e-mail address.
const EMAIL_BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Seconds until one more try for it.
const EMAIL_REFILL_SECONDS: u64 = 20;
/// Entries after which those that are full again are forgotten.
const FORGET_ABOVE_ENTRIES: usize = 10_000;

/// Counts tries to sign in.
pub(crate) struct SignInLimits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    emails: DefaultKeyedRateLimiter<Digest>,
    clock: DefaultClock,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            addresses: limiter(ADDRESS_BURST, ADDRESS_REFILL_SECONDS),
            emails: limiter(EMAIL_BURST, EMAIL_REFILL_SECONDS),
            clock: DefaultClock::default(),
        }
    }
}

impl SignInLimits {
    /// Counts a try. The error is the number of seconds to wait, at least 1.
    pub(crate) fn admit(&self, address: Option<IpAddr>, email: &str) -> Result<(), u64> {
        let wait = |earliest: Duration| earliest.as_secs() + 1;
        if self.addresses.len() > FORGET_ABOVE_ENTRIES {
            self.addresses.retain_recent();
        }
        if self.emails.len() > FORGET_ABOVE_ENTRIES {
            self.emails.retain_recent();
        }
        if let Some(address) = address {
            self.addresses
                .check_key(&network(address))
                .map_err(|until| wait(until.wait_time_from(self.clock.now())))?;
        }
        self.emails
            .check_key(&Digest::of(email.as_bytes()))
            .map_err(|until| wait(until.wait_time_from(self.clock.now())))
    }
}

fn limiter<K: Clone + Eq + std::hash::Hash>(
    burst: NonZeroU32,
    refill_seconds: u64,
) -> DefaultKeyedRateLimiter<K> {
    let quota =
        Quota::with_period(Duration::from_secs(refill_seconds)).unwrap_or(Quota::per_minute(burst));
    RateLimiter::keyed(quota.allow_burst(burst))
}

/// Who gets an IPv6 address gets 2^64 of them: they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS_BURST, EMAIL_BURST, SignInLimits};

    #[test]
    fn one_address_of_a_network_counts_for_all() {
        let limits = SignInLimits::default();
        for try_number in 0..ADDRESS_BURST.get() {
            let address = format!("2001:db8::{try_number:x}").parse().ok();
            assert_eq!(
                limits.admit(address, &format!("{try_number}@example.org")),
                Ok(())
            );
        }
        let other = |text: &str| limits.admit(text.parse().ok(), "new@example.org");
        assert!(other("2001:db8::ffff").is_err_and(|seconds| seconds > 0));
        assert_eq!(other("2001:db8:0:1::1"), Ok(()));
    }

    #[test]
    fn one_email_from_many_addresses() {
        let limits = SignInLimits::default();
        for try_number in 0..EMAIL_BURST.get() {
            let address = format!("192.0.2.{try_number}").parse().ok();
            assert_eq!(limits.admit(address, "ann@example.org"), Ok(()));
        }
        assert!(
            limits
                .admit("192.0.2.200".parse().ok(), "ann@example.org")
                .is_err()
        );
    }
}
