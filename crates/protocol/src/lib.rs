//! What travels between Storm Buckets and Storm Pulse, and nothing else: the whitelist of commands,
//! the signed envelopes around them, the receipts that answer them, the frames that carry both,
//! the trust document, the sealing of secrets, and the types of the public API.
//!
//! No I/O, no async, no clock: whoever calls brings bytes and instants.

pub mod api;
pub mod backoff;
pub mod command;
pub mod encoding;
pub mod envelope;
pub mod error;
pub mod frame;
pub mod ident;
pub mod json;
pub mod receipt;
pub mod result;
pub mod rules;
pub mod seal;
pub mod trust;
