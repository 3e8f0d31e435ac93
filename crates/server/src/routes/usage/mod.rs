//! Use over time.

pub(crate) mod chart;
pub(crate) mod export;
