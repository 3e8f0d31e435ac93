//! The hub against agents of the test's own making, over real TLS and WebSockets.

mod chains;
mod commands;
mod connections;
mod double;
mod enrolment;
mod executor;
mod full;
mod inventory;
mod many;
mod reconciliation;
mod regions;
mod removal;

use storm_protocol::{
    command::{BucketCreate, Command, CommandResult},
    ident::BucketId,
    receipt::Outcome,
    result::BucketCreated,
};

use crate::clock::random;

/// The key of [`made`], where one does.
const KEY: &str = "GK0123456789abcdef01234567";

/// A command that makes a bucket with a key.
fn create(name: &str) -> Command {
    Command::BucketCreate(BucketCreate {
        bucket: name.parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: Some("first".parse().unwrap()),
    })
}

/// What an agent says that did so.
fn made(name: &str, key: &str) -> (BucketId, Outcome) {
    let bucket = BucketId(random());
    let created = BucketCreated {
        bucket,
        name: name.parse().unwrap(),
        key: Some(key.parse().unwrap()),
    };
    (bucket, Outcome::Done(CommandResult::BucketCreate(created)))
}
