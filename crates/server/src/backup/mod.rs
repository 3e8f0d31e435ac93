//! A backup: one file that holds the keys and the database, encrypted with age (<https://age-encryption.org>),
//! to be put in place on either kind of database.
//!
//! Inside stand lines of JSON, each an object with one member: `head`, then a `file` for each key, then
//! for each table `table` and its `row`s, and at the end `end` with the digests of all. What is cut or
//! changed has no end, or another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use storm_protocol::ident::{Digest, Micros};

use crate::store::dump::{
    rows::{Sum, Values},
    schema::Table,
};

pub(crate) mod lock;
pub(crate) mod read;
pub(crate) mod restore;
#[cfg(test)]
mod tests;
pub(crate) mod write;

/// The version of these lines.
const FORMAT: u32 = 1;

/// The files of the data directory that are kept, with their modes. What is needed comes first; of the
/// others the root key may be elsewhere, and the last is made when it is first used.
const FILES: [(&str, u32); 7] = [
    ("keys/dispatch.key", 0o600),
    ("keys/ca.key", 0o600),
    ("keys/ca.pem", 0o600),
    ("root.pub", 0o644),
    (TRUST, 0o644),
    (ROOT_KEY, 0o600),
    ("keys/second-factor.key", 0o600),
];
/// How many of them every installation has.
const NEEDED: usize = 5;
/// The last to be put in place: a directory that has it is whole.
const TRUST: &str = "trust.json";
const ROOT_KEY: &str = "keys/root.key";

/// Tables that are left out: what lives for minutes or hours, and must not come to life again.
const LEFT_OUT: [&str; 9] = [
    "device_authorizations",
    "hub_agents",
    "hubs",
    "job_progress",
    "oidc_flows",
    "passkey_challenges",
    "password_resets",
    "sessions",
    "sign_in_challenges",
];

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Head(Head),
    File { name: String, text: String },
    Table(Table),
    Row(Values),
    End(End),
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// [`FORMAT`].
    pub(crate) format: u32,
    /// The version of Storm Buckets that wrote it.
    pub(crate) version: String,
    /// As of when.
    pub(crate) made_at: Micros,
    /// From which kind of database.
    pub(crate) database: String,
    /// The number of its schema's last migration.
    pub(crate) schema: i64,
    /// Digest of the root key, by which agents and clients know the installation.
    pub(crate) root_key: Digest,
}

/// What everything before has to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// SHA-256 of each file.
    pub(crate) files: BTreeMap<String, Digest>,
    pub(crate) tables: BTreeMap<String, Sum>,
}

impl End {
    /// Whether the root key is among the files.
    pub(crate) fn has_root_key(&self) -> bool {
        self.files.contains_key(ROOT_KEY)
    }

    /// Rows of all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.values().map(|sum| sum.rows).sum()
    }
}
