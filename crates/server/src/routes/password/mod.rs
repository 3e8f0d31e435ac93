//! Passwords.

pub(crate) mod change;
pub(crate) mod forgotten;
pub(crate) mod remove;
pub(crate) mod reset;
