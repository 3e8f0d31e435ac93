//! Agents, for operators.

pub(crate) mod list;
