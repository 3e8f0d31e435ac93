//! A row of the whitelist as documents and peers see it: its class, its digest, the calls it makes.

use serde::{Deserialize, Serialize};

use super::Command;
use crate::ident::Digest;

/// What a command may touch, which decides who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes settings.
    Write,
    /// Makes or widens rights or expiry.
    Access,
    /// Removes data or access.
    Destructive,
    /// Only for whoever runs the platform.
    Operator,
}

impl Class {
    /// The class's name in the table and in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Access => "access",
            Self::Destructive => "destructive",
            Self::Operator => "operator",
        }
    }
}

/// One row of the whitelist, as documents and peers see it.
#[derive(Debug)]
pub struct Row {
    /// The command's name, which is also its permission scope.
    pub name: &'static str,
    /// Its class.
    pub class: Class,
    /// Whether it is a job: long work that tells how far it is and can be cancelled.
    pub job: bool,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Its parameters: name, type, meaning.
    pub parameters: &'static [(&'static str, &'static str, &'static str)],
    /// The type of its result.
    pub result: &'static str,
    /// The Garage admin calls that it may make, recovery included.
    pub calls: &'static [AdminCall],
}

impl Row {
    /// The row of the command called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        Command::TABLE.iter().find(|row| row.name == name)
    }

    /// What two peers compare: all of the row but its words for people.
    pub fn digest(&self) -> Digest {
        let mut parts = vec![self.name, self.class.as_str(), self.result];
        parts.extend(self.job.then_some("job"));
        parts.extend(self.parameters.iter().flat_map(|p| [p.0, p.1]));
        parts.extend(self.calls.iter().map(|call| call.as_str()));
        let bytes: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        Digest::of_parts(&bytes)
    }
}

macro_rules! admin_calls {
    ($($call:ident),+ $(,)?) => {
        /// An operation of Garage's admin API (v2) that the agent uses. The agent's token is made
        /// for exactly these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are Garage's")]
        pub enum AdminCall { $($call,)+ }

        impl AdminCall {
            /// Every call in use: the scope of the agent's token.
            pub const ALL: &'static [Self] = &[$(Self::$call,)+];

            /// Garage's name for the call.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$call => stringify!($call),)+ }
            }
        }
    };
}

admin_calls!(
    AddBucketAlias,
    AllowBucketKey,
    CleanupIncompleteUploads,
    CreateBucket,
    DeleteBucket,
    DeleteKey,
    DenyBucketKey,
    GetBucketInfo,
    GetClusterHealth,
    GetClusterStatus,
    ImportKey,
    ListBucketsInfo,
    ListKeysInfo,
    RemoveBucketAlias,
    UpdateBucket,
    UpdateKey,
);
