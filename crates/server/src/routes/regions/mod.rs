//! Regions.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod move_executor;
pub(crate) mod ping;
pub(crate) mod refresh;
