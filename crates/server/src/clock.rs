//! The clock and the random bytes, as parameters: the only places that ask the system for either.

use storm_protocol::ident::Micros;

/// Tells the time. A test gives another one.
pub trait Clock: Send + Sync + 'static {
    /// Now, UTC.
    fn now(&self) -> Micros;
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system"
    )]
    fn now(&self) -> Micros {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// `N` random bytes from the system.
///
/// # Panics
/// When the system has no randomness to give: nothing safe could follow.
#[expect(
    clippy::expect_used,
    reason = "a server without randomness must not go on"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
