//! What the end-to-end stories stand on: real programs on free ports in directories of their own,
//! and peers that misbehave on purpose. The stories themselves are in `tests/stories`.

pub mod chaos;
pub mod harness;
