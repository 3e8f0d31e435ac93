//! `storm-buckets`: the control plane. Three roles in one binary: web (`router`, `routes`, `auth`)
//! takes requests and holds no key, signer alone reads the dispatch and CA key, hub alone speaks
//! with agents. Between them travels only what stands in the database (`store`).

use std::process::ExitCode;

mod account_keeper;
mod app;
mod auth;
mod backup;
mod behind;
mod cli;
mod clock;
mod config;
mod dashboard;
mod error;
mod events;
mod first_operator;
mod hub;
mod keys;
mod listener;
mod mail;
mod oidc;
mod openapi;
mod output;
mod progress;
mod reconcile;
mod roles;
mod router;
mod routes;
mod serve;
mod signer;
mod status;
mod store;
#[cfg(test)]
mod testing;
mod tidy;
mod usage;
mod web;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("storm-buckets: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
