//! The clock and the random bytes: the only places that ask the system for either.

use storm_protocol::ident::Micros;

/// Now, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system"
)]
pub(crate) fn now() -> Micros {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// `N` random bytes from the system.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("The system gives no random bytes: {error}."))?;
    Ok(bytes)
}
