//! Strays: what belongs to no account; for operators.

pub(crate) mod ignore;
pub(crate) mod list;
