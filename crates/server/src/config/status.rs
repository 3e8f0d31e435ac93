//! The listener for machines that watch over this one.

use std::net::SocketAddr;

use serde::Deserialize;

/// Health, readiness and figures.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    /// The address to answer on, in plain http and to anybody: keep it where only your own machines reach.
    /// Without one there is no such listener.
    pub listen: Option<SocketAddr>,
}
