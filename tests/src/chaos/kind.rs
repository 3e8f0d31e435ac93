//! What is asked for under faults: one kind for each command of the whitelist.

use anyhow::{Result, ensure};
use storm_protocol::command::{Command, Row};

/// Commands that no round asks for, and where else they meet kills.
const ELSEWHERE: &[(&str, &str)] = &[(
    "executor.release",
    "needs a second agent: the story `executor` kills around it",
)];

macro_rules! kinds {
    ($($kind:ident = $command:literal,)+) => {
        /// A kind of request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names are the whitelist's")]
        pub enum Kind { $($kind,)+ }

        impl Kind {
            /// All of them, in the whitelist's order.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The command that it leads to.
            pub const fn command(self) -> &'static str {
                match self { $(Self::$kind => $command,)+ }
            }
        }
    };
}

kinds! {
    AgentPing = "agent.ping",
    ClusterHealth = "cluster.health",
    InventoryRefresh = "inventory.refresh",
    JobCancel = "job.cancel",
    BucketCreate = "bucket.create",
    BucketDelete = "bucket.delete",
    BucketClear = "bucket.clear",
    BucketMeasure = "bucket.measure_prefix",
    BucketSetQuota = "bucket.set_quota",
    BucketSetCors = "bucket.set_cors",
    BucketSetLifecycle = "bucket.set_lifecycle",
    BucketSetWebsite = "bucket.set_website",
    BucketAddAlias = "bucket.add_alias",
    BucketRemoveAlias = "bucket.remove_alias",
    BucketCleanupUploads = "bucket.cleanup_uploads",
    BucketRestore = "bucket.restore",
    BucketAdopt = "bucket.adopt",
    BucketRelease = "bucket.release",
    AccountLimits = "account.set_quotas",
    KeyCreate = "key.create",
    KeyCreateTemporary = "key.create_temporary",
    KeyRename = "key.rename",
    KeySetExpiry = "key.set_expiry",
    KeySuspend = "key.suspend",
    KeyResume = "key.resume",
    KeyDelete = "key.delete",
    KeySetGrant = "key.set_grant",
    KeyRotate = "key.rotate",
    KeyRevokeLeaked = "key.revoke_leaked",
}

impl Kind {
    /// Whether only whoever runs the platform can ask for it.
    pub const fn is_operators(self) -> bool {
        matches!(
            self,
            Self::AgentPing
                | Self::ClusterHealth
                | Self::InventoryRefresh
                | Self::BucketAdopt
                | Self::BucketRelease
                | Self::AccountLimits
        )
    }

    /// Whether it makes the admin call called `call`.
    pub fn calls(self, call: &str) -> bool {
        let row = Row::find(self.command());
        row.is_some_and(|row| row.calls.iter().any(|made| made.as_str() == call))
    }
}

/// Fails when the whitelist has a command that no round asks for.
pub fn check_all_covered() -> Result<()> {
    for row in Command::TABLE {
        let asked = Kind::ALL.iter().any(|kind| kind.command() == row.name);
        let elsewhere = ELSEWHERE.iter().any(|(name, _)| *name == row.name);
        ensure!(
            asked || elsewhere,
            "the whitelist has {}, which the crash matrix does not ask for: give it a kind in \
             tests/src/chaos/kind.rs",
            row.name
        );
    }
    Ok(())
}
