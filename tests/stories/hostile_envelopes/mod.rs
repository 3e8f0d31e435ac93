//! A hub that has the agent's trust and abuses it, and everyone who has not. Each bad envelope is
//! refused under its own code, leaves a trace, and Garage is never called.

mod repeated;
mod signed;
mod stage;
mod unsigned;
