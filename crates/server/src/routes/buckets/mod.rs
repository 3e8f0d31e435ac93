//! Buckets.

pub(crate) mod add_alias;
pub(crate) mod check_cors;
pub(crate) mod cleanup_uploads;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod remove_alias;
pub(crate) mod set_cors;
pub(crate) mod set_lifecycle;
pub(crate) mod set_quota;
pub(crate) mod set_website;
pub(crate) mod settings;
