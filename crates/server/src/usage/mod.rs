//! Use and limits: the arithmetic of bytes over time ([`step`]) and of quotas under a storage limit
//! ([`quota`]), the table for bills ([`csv`]), and who works on them: [`closing`] closes hours and days,
//! [`keeper`] keeps storage limits. What is stored stands in `store::usage` and `store::limits`.

pub(crate) mod closing;
pub(crate) mod csv;
pub(crate) mod keeper;
pub(crate) mod quota;
pub(crate) mod step;
