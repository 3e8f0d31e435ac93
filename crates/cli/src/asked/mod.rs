//! What a person asked for: the request to the API, and what the agent's command and result have to
//! be for it to be that. One file a noun.

mod bucket;
mod key;
mod region;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storm_protocol::{
    command::{Command, CommandResult},
    ident::{AccessKeyId, RegionName},
    seal::SealKey,
};

pub(crate) use self::{bucket::BucketAsked, key::KeyAsked, region::RegionAsked};

/// A change that is asked for. In JSON each noun's changes tell themselves apart by their command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Asked {
    /// Of a region's agent.
    Region(RegionAsked),
    /// Of a bucket.
    Bucket(BucketAsked),
    /// Of a key.
    Key(KeyAsked),
}

impl From<RegionAsked> for Asked {
    fn from(asked: RegionAsked) -> Self {
        Self::Region(asked)
    }
}

impl From<BucketAsked> for Asked {
    fn from(asked: BucketAsked) -> Self {
        Self::Bucket(asked)
    }
}

impl From<KeyAsked> for Asked {
    fn from(asked: KeyAsked) -> Self {
        Self::Key(asked)
    }
}

/// A request to the API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The path below `/api/v1`.
    pub(crate) path: String,
    /// The body.
    pub(crate) body: Option<Value>,
}

impl Request {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
        }
    }

    fn with(mut self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = Some(serde_json::to_value(body)?);
        Ok(self)
    }
}

impl Asked {
    /// The request that asks for it.
    pub(crate) fn request(&self) -> Result<Request, serde_json::Error> {
        match self {
            Self::Region(asked) => asked.request(),
            Self::Bucket(asked) => asked.request(),
            Self::Key(asked) => asked.request(),
        }
    }

    /// The command's name in the whitelist.
    pub(crate) fn command(&self) -> &'static str {
        match self {
            Self::Region(asked) => asked.command(),
            Self::Bucket(asked) => asked.command(),
            Self::Key(asked) => asked.command(),
        }
    }

    /// What it is about, for people: `bucket photos`.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Region(asked) => asked.subject(),
            Self::Bucket(asked) => asked.subject(),
            Self::Key(asked) => asked.subject(),
        }
    }

    /// Where its secret is sealed to.
    pub(crate) fn seal_to(&self) -> Option<SealKey> {
        match self {
            Self::Region(_) => None,
            Self::Bucket(asked) => asked.seal_to(),
            Self::Key(asked) => asked.seal_to(),
        }
    }

    /// The same with another key to seal to: two requests are alike whatever they are sealed to.
    pub(crate) fn sealed_to(mut self, seal_key: SealKey) -> Self {
        match &mut self {
            Self::Region(_) => {}
            Self::Bucket(asked) => asked.seal(seal_key),
            Self::Key(asked) => asked.seal(seal_key),
        }
        self
    }

    /// The region that was named.
    pub(crate) fn region(&self) -> Option<&RegionName> {
        match self {
            Self::Region(asked) => asked.region(),
            Self::Bucket(asked) => asked.region(),
            Self::Key(asked) => asked.region(),
        }
    }

    /// Whether `command` is what was asked.
    pub(crate) fn is(&self, command: &Command) -> bool {
        match self {
            Self::Region(asked) => asked.is(command),
            Self::Bucket(asked) => asked.is(command),
            Self::Key(asked) => asked.is(command),
        }
    }

    /// Whether `result` is of what was asked.
    pub(crate) fn fits(&self, result: &CommandResult) -> bool {
        match self {
            Self::Region(asked) => asked.fits(result),
            Self::Bucket(asked) => asked.fits(result),
            Self::Key(asked) => asked.fits(result),
        }
    }
}

/// The key that a result says was made.
pub(crate) fn new_key(result: &CommandResult) -> Option<AccessKeyId> {
    match result {
        CommandResult::BucketCreate(made) => made.key.clone(),
        CommandResult::KeyCreate(made) => Some(made.key.clone()),
        CommandResult::KeyCreateTemporary(made) => Some(made.key.clone()),
        CommandResult::KeyRotate(made) => Some(made.key.clone()),
        CommandResult::KeyRevokeLeaked(made) => Some(made.key.clone()),
        CommandResult::AgentPing(_)
        | CommandResult::ClusterHealthCommand(_)
        | CommandResult::InventoryRefresh(_)
        | CommandResult::ExecutorRelease(_)
        | CommandResult::JobCancel(_)
        | CommandResult::BucketDelete(_)
        | CommandResult::BucketClear(_)
        | CommandResult::BucketMeasurePrefix(_)
        | CommandResult::BucketSetQuota(_)
        | CommandResult::BucketSetCors(_)
        | CommandResult::BucketSetLifecycle(_)
        | CommandResult::BucketSetWebsite(_)
        | CommandResult::BucketAddAlias(_)
        | CommandResult::BucketRemoveAlias(_)
        | CommandResult::BucketCleanupUploads(_)
        | CommandResult::BucketRestore(_)
        | CommandResult::BucketAdopt(_)
        | CommandResult::BucketRelease(_)
        | CommandResult::AccountSetQuotas(_)
        | CommandResult::KeyRename(_)
        | CommandResult::KeySetExpiry(_)
        | CommandResult::KeySuspend(_)
        | CommandResult::KeyResume(_)
        | CommandResult::KeyDelete(_)
        | CommandResult::KeySetGrant(_) => None,
    }
}

#[cfg(test)]
mod tests;
