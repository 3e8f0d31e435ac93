//! Keys.

pub(crate) mod create;
pub(crate) mod create_temporary;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod rename;
pub(crate) mod resume;
pub(crate) mod revoke_leaked;
pub(crate) mod rotate;
pub(crate) mod set_expiry;
pub(crate) mod suspend;
