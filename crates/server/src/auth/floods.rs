//! How often an address, an account and a token may ask. A person's own share stands in `limits`.

use std::{net::IpAddr, num::NonZeroU32};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use storm_protocol::ident::{AccountId, TokenId};

use super::{
    Gate,
    counter::{Counter, Share, whole_seconds},
    limits, origin,
};
use crate::{config, error::ApiError};

/// A burst, in seconds' worth of requests.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// Counts requests.
pub(crate) struct FloodLimits {
    addresses: Counter<IpAddr>,
    accounts: Counter<AccountId>,
    tokens: Counter<TokenId>,
}

impl FloodLimits {
    /// The limits that the configuration sets.
    pub(crate) fn new(limits: &config::Limits) -> Self {
        fn share<K: std::hash::Hash + Eq + Clone>(rate: NonZeroU32) -> Counter<K> {
            Counter::new(Share::per_second(rate, rate.saturating_mul(BURST_SECONDS)))
        }
        Self {
            addresses: share(limits.address_requests_per_second),
            accounts: share(limits.account_requests_per_second),
            tokens: share(limits.token_requests_per_second),
        }
    }

    /// Counts a request of somebody who is signed in. The error is the seconds to wait, at least 1.
    pub(crate) fn admit(&self, account: AccountId, token: Option<TokenId>) -> Result<(), u64> {
        // The token first: what it has too much of is not taken from the account.
        if let Some(token) = token {
            self.tokens.take(&token).map_err(whole_seconds)?;
        }
        self.accounts.take(&account).map_err(whole_seconds)
    }
}

/// Around every route: turns away who asks too much, before anything is looked up.
pub(crate) async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>();
    let is_probe = route.is_some_and(|path| matches!(path.as_str(), "/healthz" | "/readyz"));
    let address = origin(&parts).filter(|address| !is_probe && !address.is_loopback());
    let counted = address.map(|address| gate.0.floods.addresses.take(&limits::network(address)));
    if let Some(Err(wait)) = counted {
        let retry_after_seconds = whole_seconds(wait);
        let message = format!(
            "Your network asks for too much at once. Nothing was changed. Try again in \
             {retry_after_seconds} s."
        );
        return ApiError::RateLimited {
            retry_after_seconds,
            message,
        }
        .into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}
