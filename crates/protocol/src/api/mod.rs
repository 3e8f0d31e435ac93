//! The types of the public API under `/api/v1`, shared by the server and the CLI. Names are the
//! same in JSON, SQL and on screen; instants are microseconds UTC.

mod account;
mod account_state;
mod agent;
mod audit;
mod bucket;
mod device;
mod key;
mod operation;
mod passkey;
mod people;
mod session;
mod sign_up;
mod traffic;
mod usage;

use serde::{Deserialize, Serialize};

pub use self::{
    account::*, account_state::*, agent::*, audit::*, bucket::*, device::*, key::*, operation::*,
    passkey::*, people::*, session::*, sign_up::*, traffic::*, usage::*,
};
use crate::{
    envelope::Via,
    ident::{AccessKeyId, BucketId},
};

/// Seconds that a request waits for its operation before it answers 202.
pub const WAIT_SECONDS: u64 = 10;
/// The most items on a page.
pub const MAX_PAGE: u32 = 1000;
/// Items on a page when the request does not say.
pub const DEFAULT_PAGE: u32 = 100;
/// How every API token begins.
pub const TOKEN_PREFIX: &str = "sbt_";

macro_rules! api_types {
    ($( $(#[$meta:meta])+ $name:ident { $( $(#[doc = $doc:literal])+ $(#[serde($($attr:tt)+)])? $field:ident: $type:ty, )* } )+) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            $(#[$meta])+
            pub struct $name { $( $(#[doc = $doc])+ $(#[serde($($attr)+)])? pub $field: $type, )* }
        )+
    };
}
use api_types;

macro_rules! pages {
    ($($page:ident of $item:ident,)+) => {
        $(
            #[doc = concat!("A page of ", stringify!($item), ".")]
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            pub struct $page {
                /// The items.
                pub items: Vec<$item>,
                /// Give this as `cursor` for the next page; absent on the last.
                pub next_cursor: Option<String>,
            }
        )+
    };
}

pages! {
    RegionPage of Region,
    BucketPage of Bucket,
    KeyPage of Key,
    GrantPage of Grant,
    OperationPage of Operation,
    TokenPage of Token,
    AgentPage of Agent,
    EnrolTokenPage of EnrolTokenInfo,
    ReceiptPage of ReceiptRecord,
    StrayPage of Stray,
    AccountPage of Account,
    OwnAccountPage of OwnAccount,
    MemberPage of Member,
    SessionPage of Session,
    PasskeyPage of Passkey,
    InvitationPage of Invitation,
    AuditPage of AuditEvent,
    SecurityEventPage of SecurityEvent,
}

/// One event of `/api/v1/events`: the name and JSON data of a server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// An operation moved.
    Operation(Operation),
    /// A bucket is new, or its figures moved.
    Bucket(Bucket),
    /// A bucket is gone.
    BucketGone(BucketId),
    /// A key is new or changed.
    Key(Key),
    /// A key is gone.
    KeyGone(AccessKeyId),
    /// An agent came, went or changed (operators only).
    Agent(Agent),
    /// A region's agent came, went or changed (operators hear of the agent instead).
    Region(Region),
    /// The account crossed a mark of its storage limit.
    Limit(LimitNotice),
    /// Events were missed; read again what you show.
    Missed,
}

/// How a client says which way it came (header `Storm-Via`): `web`, `cli` or `api`.
pub const VIA_HEADER: &str = "storm-via";

/// Reads the header [`VIA_HEADER`]; anything unknown is the API.
pub fn via_from_header(value: Option<&str>) -> Via {
    match value {
        Some("web") => Via::Web,
        Some("cli") => Via::Cli,
        _ => Via::Api,
    }
}
