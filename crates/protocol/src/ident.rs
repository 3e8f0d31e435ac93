//! The name of each thing as a type of its own. Whoever holds one knows that it was checked.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest as _, Sha256};

/// A text that is not what its place takes: names the kind and the form that is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected}")]
pub struct ParseIdentError {
    kind: &'static str,
    expected: &'static str,
}

impl ParseIdentError {
    pub(crate) const fn new(kind: &'static str, expected: &'static str) -> Self {
        Self { kind, expected }
    }
}

/// JSON for a type that has `Display` and `FromStr`.
macro_rules! as_json_string {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }
    };
}

macro_rules! uuid_ident {
    ($(#[$meta:meta])* $name:ident, $kind:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Takes a UUID of version 7, which carries the milliseconds of its making.
            pub fn from_uuid(uuid: uuid::Uuid) -> Option<Self> {
                (uuid.get_version_num() == 7).then_some(Self(uuid))
            }

            /// Makes an id from an instant and ten random bytes.
            pub fn new(now: Micros, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.0 / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The sixteen bytes, big-endian: they sort by the time of making.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The instant in the id, to the millisecond.
            pub fn made_at(&self) -> Micros {
                let mut millis = [0; 8];
                millis[2..].copy_from_slice(&self.0.as_bytes()[..6]);
                Micros(i64::from_be_bytes(millis).saturating_mul(1000))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdentError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parsed = text.parse().ok().and_then(Self::from_uuid);
                // One spelling only: hyphenated lower case.
                parsed
                    .filter(|id| id.to_string() == text)
                    .ok_or(ParseIdentError::new($kind, "a hyphenated lower-case UUID of version 7"))
            }
        }

        as_json_string!($name);
    };
}

uuid_ident!(
    /// A customer organisation.
    AccountId, "account id"
);
uuid_ident!(
    /// A person.
    UserId, "user id"
);
impl UserId {
    /// The platform itself: who asks for what no person asked for. Nobody can sign in as it.
    pub const SYSTEM: Self = Self(uuid::Uuid::from_u128(
        0x0000_0000_0000_7000_8000_0000_0000_0000,
    ));
}

uuid_ident!(
    /// One enrolment of an agent on one server.
    AgentId, "agent id"
);
uuid_ident!(
    /// One intent, from request to receipt. Never changes, however often it is signed.
    OperationId, "operation id"
);
uuid_ident!(
    /// An API token (not its secret).
    TokenId, "token id"
);
uuid_ident!(
    /// A session (not its secret).
    SessionId, "session id"
);
uuid_ident!(
    /// A passkey.
    PasskeyId, "passkey id"
);
uuid_ident!(
    /// Somebody asked into an account.
    InvitationId, "invitation id"
);
uuid_ident!(
    /// An event of the audit trail.
    AuditEventId, "audit event id"
);
uuid_ident!(
    /// Something that an operator should see.
    SecurityEventId, "security event id"
);
uuid_ident!(
    /// A token that lets one agent enrol (not its secret).
    EnrolTokenId, "enrolment token id"
);

/// An instant: microseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = i64))]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;

    /// This instant and `seconds` more (or fewer, if negative), saturating.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(Self::SECOND)))
    }
}

/// A SHA-256 digest, lower-case hex in text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several parts, each preceded by its length as eight bytes big-endian, so that
    /// no two lists of parts have one input.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Digest {
    type Err = ParseIdentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_lower_hex(text)
            .map(Self)
            .ok_or(ParseIdentError::new("digest", "64 lower-case hex digits"))
    }
}

as_json_string!(Digest);

/// Garage's own id of a bucket: 32 bytes, lower-case hex in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct BucketId(pub [u8; 32]);

impl fmt::Display for BucketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for BucketId {
    type Err = ParseIdentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_lower_hex(text).map(Self).ok_or(ParseIdentError::new(
            "bucket id",
            "64 lower-case hex digits",
        ))
    }
}

as_json_string!(BucketId);

fn parse_lower_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (!text.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(bytes)
}

macro_rules! text_ident {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $expected:literal, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            /// The text, which was checked when this value was made.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdentError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                check(text)
                    .then(|| Self(text.to_owned()))
                    .ok_or(ParseIdentError::new($kind, $expected))
            }
        }

        as_json_string!($name);
    };
}

text_ident!(
    /// A bucket's global alias, under Garage's rules for names.
    BucketName,
    "bucket name",
    "3 to 63 of a-z, 0-9, '.' and '-', beginning and ending with a letter or digit, \
     not an IP address, not beginning with 'xn--', not ending in '-s3alias'",
    is_bucket_name
);

/// A bucket as S3 requests name it. Garage takes the id wherever it takes a name, and no name is as
/// long as an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BucketAddress {
    /// By a global alias.
    Name(BucketName),
    /// By its id.
    Id(BucketId),
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl FromStr for BucketAddress {
    type Err = ParseIdentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

as_json_string!(BucketAddress);

text_ident!(
    /// The id of an S3 access key: `GK` and 24 hex digits.
    AccessKeyId,
    "access key id",
    "GK and 24 lower-case hex digits",
    |text| text
        .strip_prefix("GK")
        .is_some_and(|digits| digits.len() == 24 && is_lower_hex(digits))
);

text_ident!(
    /// What a person calls a key. Its name in Garage is `<account id>/<label>`.
    KeyLabel,
    "key label",
    "1 to 64 printable ASCII characters without '/', not beginning or ending with a space",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'/')
        && text.trim() == text
);

text_ident!(
    /// What an API token may: `*`, all of a noun (`bucket.*`), or one thing (`bucket.read`).
    Scope,
    "scope",
    "*, NOUN.* or NOUN.VERB, such as bucket.*",
    is_scope
);

impl Scope {
    /// `*`: everything.
    pub fn everything() -> Self {
        Self("*".to_owned())
    }

    /// Whether it covers `other`: a thing, or another scope.
    pub fn covers(&self, other: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => other.starts_with(start),
            None => self.0 == other,
        }
    }
}

text_ident!(
    /// A region's name.
    RegionName,
    "region name",
    "1 to 32 of a-z, 0-9 and '-', beginning and ending with a letter or digit",
    |text| (1..=32).contains(&text.len()) && is_label(text)
);

text_ident!(
    /// How an object's key begins; `""` means every object.
    ObjectPrefix,
    "object prefix",
    "at most 1024 bytes without control characters",
    |text| text.len() <= 1024 && !text.chars().any(char::is_control)
);

text_ident!(
    /// An object's key.
    ObjectKey,
    "object key",
    "1 to 1024 bytes without control characters",
    |text| (1..=1024).contains(&text.len()) && !text.chars().any(char::is_control)
);

text_ident!(
    /// The object that stands for a folder of a website: a plain name.
    DocumentName,
    "document name",
    "1 to 255 bytes without '/' or control characters, such as index.html",
    |text| (1..=255).contains(&text.len())
        && !text.contains('/')
        && !text.chars().any(char::is_control)
);

text_ident!(
    /// What a CORS or lifecycle rule is called.
    RuleName,
    "rule name",
    "1 to 255 printable ASCII characters",
    |text| (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
);

text_ident!(
    /// Where a page may come from: an origin as browsers send it, with at most one `*` in its host,
    /// or `*` alone.
    CorsOrigin,
    "origin",
    "* or scheme://host[:port] without a path, with at most one *, such as https://*.example.org",
    is_cors_origin
);

text_ident!(
    /// A header's name, with at most one `*` in it.
    HeaderPattern,
    "header name",
    "1 to 255 of the characters that header names may have, with at most one *",
    |text| (1..=255).contains(&text.len())
        && text.matches('*').count() <= 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
);

text_ident!(
    /// A day: `YYYY-MM-DD`.
    Date,
    "date",
    "an existing day as YYYY-MM-DD, from 1970 to 9999",
    is_date
);

text_ident!(
    /// A month: `YYYY-MM`.
    Month,
    "month",
    "a month as YYYY-MM, from 1970 to 9999",
    |text| text.len() == 7 && is_date(&format!("{text}-01"))
);

fn is_cors_origin(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let scheme_ok = !scheme.is_empty()
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        });
    let host_ok = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._*[]:".contains(&byte)
        });
    let port_ok = port.is_none_or(|port| port == "*" || port.parse::<u16>().is_ok());
    text.len() <= 255 && scheme_ok && host_ok && port_ok && text.matches('*').count() <= 1
}

fn is_date(text: &str) -> bool {
    let [year, month, day] = *text.split('-').collect::<Vec<_>>() else {
        return false;
    };
    let shape = year.len() == 4
        && month.len() == 2
        && day.len() == 2
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(year), number(month), number(day));
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    shape && year >= 1970 && (1..=days).contains(&day)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_scope(text: &str) -> bool {
    const MAX_BYTES: usize = 64;
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let is_pair = || {
        let pair = text.split_once('.');
        pair.is_some_and(|(noun, verb)| is_word(noun) && (verb == "*" || is_word(verb)))
    };
    text.len() <= MAX_BYTES && (text == "*" || is_pair())
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_bucket_name(text: &str) -> bool {
    let edge = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        })
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && !text.starts_with("xn--")
        && !text.ends_with("-s3alias")
        && text.parse::<std::net::IpAddr>().is_err()
}

impl AccessKeyId {
    /// The id that `operation` gives its key at its `attempt`-th try (from 0): `GK` and the first
    /// 24 hex digits of SHA-256("storm-buckets/access-key/v1" ‖ operation ‖ try as u32 big-endian).
    pub fn derive(operation: OperationId, attempt: u32) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"storm-buckets/access-key/v1");
        hasher.update(operation.as_bytes());
        hasher.update(attempt.to_be_bytes());
        let digest = hasher.finalize();
        Self(format!("GK{}", hex::encode(&digest[..12])))
    }
}

/// A key's name in Garage, from which ownership can be read back.
pub fn key_name(account: AccountId, label: &KeyLabel) -> String {
    format!("{account}/{label}")
}

/// The owner and label in a key's Garage name; `None` when we did not make the name.
pub fn parse_key_name(name: &str) -> Option<(AccountId, KeyLabel)> {
    let (account, label) = name.split_once('/')?;
    Some((account.parse().ok()?, label.parse().ok()?))
}

/// A positive limit on bytes or objects, exact in JSON numbers everywhere: 1 to 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(value_type = i64, minimum = 1, maximum = 9007199254740991i64)
)]
#[serde(transparent)]
pub struct Limit(u64);

impl Limit {
    /// The largest limit.
    pub const MAX: u64 = (1 << 53) - 1;

    /// Takes `value` when it is a limit.
    pub fn new(value: u64) -> Option<Self> {
        (1..=Self::MAX).contains(&value).then_some(Self(value))
    }

    /// The number of bytes or objects.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("expected a whole number from 1 to 2^53 - 1"))
    }
}
