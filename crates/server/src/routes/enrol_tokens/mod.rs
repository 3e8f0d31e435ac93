//! Tokens that let one agent enrol, for operators.

pub(crate) mod create;
pub(crate) mod list;
