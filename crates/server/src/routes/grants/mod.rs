//! Grants: a key's rights on a bucket.

pub(crate) mod list;
pub(crate) mod set;
