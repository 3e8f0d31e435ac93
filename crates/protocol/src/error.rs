//! The stable codes under which an agent refuses an envelope or reports that a command failed.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[doc = $doc])+ #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// Every code, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it stands in receipts, logs and API answers.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl std::error::Error for $name {}
    };
}

codes! {
    /// Why an agent did not take an envelope. Garage was not called.
    Refusal {
        /// More bytes than an envelope may have.
        Oversized = "oversized",
        /// Not JSON of the expected shape.
        Malformed = "malformed",
        /// One JSON object names a member twice.
        DuplicateKey = "duplicate_key",
        /// A member that this version does not know.
        UnknownField = "unknown_field",
        /// Bytes after the end of the JSON document.
        TrailingData = "trailing_data",
        /// Another payload type than the place takes.
        WrongPayloadType = "wrong_payload_type",
        /// No signature by a key that is trusted for this place and time.
        BadSignature = "bad_signature",
        /// A payload version that this agent does not speak.
        UnsupportedVersion = "unsupported_version",
        /// Addressed to another agent or region.
        WrongAudience = "wrong_audience",
        /// Signed for an executor epoch that has passed.
        OldEpoch = "old_epoch",
        /// The operation is known with another intent.
        IntentConflict = "intent_conflict",
        /// Its time has passed.
        Expired = "expired",
        /// Issued in the agent's future, or valid for longer than allowed.
        NotYetValid = "not_yet_valid",
        /// An operation from before the journal's memory; it may have run already.
        Replayed = "replayed",
        /// The journal or the work queue is full.
        Busy = "busy",
        /// A name that is not in the whitelist.
        UnknownCommand = "unknown_command",
        /// Switched off in this agent's configuration.
        DisabledCommand = "disabled_command",
        /// Parameters that do not parse.
        BadParameters = "bad_parameters",
        /// The command answers with a secret and the envelope names no key to seal it to.
        SealKeyRequired = "seal_key_required",
        /// A bucket or key of another account, or an operator's command without an operator.
        NotYours = "not_yours",
        /// The account has as many buckets or keys as it may have.
        LimitReached = "limit_reached",
    }
}

codes! {
    /// Why an accepted command ended without doing its work.
    Failure {
        /// The bucket name is already in use in this region.
        NameTaken = "name_taken",
        /// The bucket still has objects.
        BucketNotEmpty = "bucket_not_empty",
        /// Garage knows no such bucket.
        NoSuchBucket = "no_such_bucket",
        /// Garage knows no such key.
        NoSuchKey = "no_such_key",
        /// Garage refused the change; the message holds its words.
        GarageRefused = "garage_refused",
        /// Garage cannot be reached or has no quorum; nothing was changed.
        GarageUnavailable = "garage_unavailable",
        /// Recovery could not finish what a crash interrupted and took it back.
        GaveUp = "gave_up",
        /// The last name of a bucket cannot be taken away.
        LastAlias = "last_alias",
        /// The bucket has no such name.
        NoSuchAlias = "no_such_alias",
        /// The executor has taken changes that have not ended, so it keeps its role.
        JobsRunning = "jobs_running",
        /// The agent that took the operation is lost, and what it did is not known.
        AgentLost = "agent_lost",
        /// A job was cancelled; what it had done stays done.
        Cancelled = "cancelled",
        /// There is no such job waiting or running, so there is nothing to cancel.
        TooLate = "too_late",
        /// A job could not go on; what it had done stays done.
        JobBroken = "job_broken",
    }
}

impl Refusal {
    /// Whether the same operation, signed afresh, may still be taken.
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::NotYetValid | Self::OldEpoch | Self::Busy
        )
    }
}

impl Failure {
    /// One sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NameTaken => "That bucket name is taken in this region. Choose another.",
            Self::BucketNotEmpty => {
                "The bucket is not empty. Nothing was deleted. Delete its objects first."
            }
            Self::NoSuchBucket => "There is no such bucket in this region.",
            Self::NoSuchKey => "There is no such key in this region.",
            Self::GarageRefused => "The storage engine refused the change.",
            Self::GarageUnavailable => {
                "The storage engine cannot be reached. Nothing was changed. Try again."
            }
            Self::GaveUp => "The change was interrupted and has been taken back. Ask again.",
            Self::LastAlias => {
                "A bucket keeps its last name. Nothing was changed. Give it another one first."
            }
            Self::NoSuchAlias => "The bucket has no such name. Nothing was changed.",
            Self::JobsRunning => {
                "The executor has taken changes that have not ended, so it keeps its role. Ask again \
                 when they have."
            }
            Self::AgentLost => {
                "The agent that took it is lost, and what it did of it is not known. Look at what is \
                 there before you ask again."
            }
            Self::Cancelled => "It was cancelled. What it had done by then stays done.",
            Self::TooLate => "There is no such job running, so there was nothing to cancel.",
            Self::JobBroken => {
                "It could not go on. What it had done by then stays done. Ask again for the rest."
            }
        }
    }
}

impl Refusal {
    /// One sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Oversized => "The envelope is too large.",
            Self::Malformed => "The envelope is not of the expected shape.",
            Self::DuplicateKey => "The envelope names a member twice.",
            Self::UnknownField => "The envelope has a member that this agent does not know.",
            Self::TrailingData => "The envelope has bytes after its end.",
            Self::WrongPayloadType => "The envelope is of another type.",
            Self::BadSignature => "No trusted key signed the envelope.",
            Self::UnsupportedVersion => "The envelope is of a version this agent does not speak.",
            Self::WrongAudience => "The command is addressed to another agent or region.",
            Self::OldEpoch => "The command was signed for an earlier executor.",
            Self::IntentConflict => "The operation is already known with another intent.",
            Self::Expired => "The command expired before it arrived.",
            Self::NotYetValid => "The command is dated in the agent's future.",
            Self::Replayed => "The operation is older than the agent's journal.",
            Self::Busy => "The agent has no room for another command.",
            Self::UnknownCommand => "The command is not in the whitelist.",
            Self::DisabledCommand => "The command is switched off on this agent.",
            Self::BadParameters => "The command's parameters are not valid.",
            Self::SealKeyRequired => "The command needs a key to seal its secret to.",
            Self::NotYours => "The bucket or key belongs to another account.",
            Self::LimitReached => "The account has as many buckets or keys as it may have.",
        }
    }
}
