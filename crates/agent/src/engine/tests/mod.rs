//! The engine against a real Garage: a single node for each test, its admin socket behind a proxy
//! that can lose answers, hold them back, or count the calls.

mod acceptance;
mod account_quotas;
mod clearing;
mod commands;
mod elsewhere;
mod interruptions;
mod jobs;
mod node;
mod ownership;
mod proxy;
mod reconciliation;
mod release;
mod s3_proxy;
mod settings;
mod support;
