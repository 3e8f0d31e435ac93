//! A stretch of a bucket's keys, and the deletion of what was written there before. A listing is obeyed
//! at once or not at all: whoever waited, for S3 or for the hub, lists again, so that what was
//! overwritten meanwhile stays. Garage has no conditional deletion that could do better.

use std::time::Duration;

use storm_protocol::ident::Micros;
use tokio::time::Instant;

use super::super::{
    Stop,
    job::{Requests, Tries},
};
use crate::s3::{Naming, Object, PAGE_OBJECTS, S3Error};

/// Seconds for which a listing may be obeyed.
const LISTING_HOLDS_SECONDS: u64 = 10;

/// A stretch of a bucket's keys.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The key behind which it begins; the bucket's first without one.
    after: Option<String>,
    /// The key with which it ends.
    last: String,
    /// What was written up to then goes.
    before: Micros,
    /// When it was listed.
    listed: Instant,
    /// Keys that XML can say.
    many: Vec<String>,
    /// Keys that a path alone can say.
    single: Vec<String>,
    left: Left,
}

/// What of a stretch stays.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    /// Objects that are younger than the command.
    pub(super) kept: u64,
    /// Objects whose keys no request can name.
    pub(super) unnamed: u64,
}

/// What of a stretch goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Going {
    pub(super) objects: u64,
    pub(super) bytes: u64,
}

impl Stretch {
    /// The stretch from `after` to `last`, and how much of what goes lies behind `counted`.
    pub(super) fn new(
        after: Option<String>,
        last: String,
        before: Micros,
        objects: Vec<Object>,
        counted: Option<&str>,
    ) -> (Self, Going) {
        let mut stretch = Self {
            after,
            last,
            before,
            listed: Instant::now(),
            many: Vec::with_capacity(objects.len()),
            single: Vec::new(),
            left: Left::default(),
        };
        let mut going = Going::default();
        for object in objects {
            let new = counted.is_none_or(|counted| object.key.as_str() > counted);
            let bytes = object.bytes;
            if stretch.sort(object) && new {
                going.objects += 1;
                going.bytes += bytes;
            }
        }
        (stretch, going)
    }

    /// Deletes what goes; tells what stays.
    pub(super) async fn delete(mut self, requests: Requests) -> Result<Left, Stop> {
        let mut tries = requests.tries();
        while !self.obey(&requests, &mut tries).await? {
            self.list_again(&requests).await?;
        }
        Ok(self.left)
    }

    /// Obeys the listing; `false` when it has to be made again.
    async fn obey(&self, requests: &Requests, tries: &mut Tries<'_>) -> Result<bool, Stop> {
        let s3 = requests.s3();
        for keys in self.many.chunks(PAGE_OBJECTS) {
            if !self.at_once(tries, s3.delete(keys)).await? {
                return Ok(false);
            }
        }
        for key in &self.single {
            if !self.at_once(tries, s3.delete_one(key)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends a request while the listing holds; `false` when it does not hold any more, or the request
    /// has failed.
    async fn at_once(
        &self,
        tries: &mut Tries<'_>,
        request: impl Future<Output = Result<(), S3Error>> + Send,
    ) -> Result<bool, Stop> {
        let holds = Duration::from_secs(LISTING_HOLDS_SECONDS);
        if tries.pass().await? || self.listed.elapsed() > holds {
            return Ok(false);
        }
        match request.await {
            Ok(()) => {
                tries.answered();
                Ok(true)
            }
            Err(error) => {
                tries.failed(error).await?;
                Ok(false)
            }
        }
    }

    async fn list_again(&mut self, requests: &Requests) -> Result<(), Stop> {
        self.many.clear();
        self.single.clear();
        self.left = Left::default();
        let mut after = self.after.clone();
        loop {
            let page = requests.list("", after.as_deref(), PAGE_OBJECTS).await?;
            after = page.objects.last().map(|object| object.key.clone());
            let ended = after.as_ref().is_none_or(|last| *last >= self.last);
            for object in page.objects {
                if object.key <= self.last {
                    self.sort(object);
                }
            }
            if ended || !page.more {
                self.listed = Instant::now();
                return Ok(());
            }
        }
    }

    /// Takes an object in; tells whether it goes.
    fn sort(&mut self, object: Object) -> bool {
        if object.written_at >= self.before {
            self.left.kept += 1;
            return false;
        }
        match Naming::of(&object.key) {
            Naming::Xml => self.many.push(object.key),
            Naming::Path => self.single.push(object.key),
            Naming::Nothing => {
                self.left.unnamed += 1;
                return false;
            }
        }
        true
    }
}
