//! Reading the cluster: everything by pages, or the few buckets that commands have touched.

use storm_protocol::{
    frame::{BucketState, GrantState, KeyState, LocalAliasState},
    ident::{AccessKeyId, AccountId, BucketId, Limit, parse_key_name},
    result::InventoryRefreshed,
};
use tokio::time::Instant;

use super::{
    Inventory, MAX_TOUCHED, SweepError, Touched,
    outbox::Outbox,
    snapshot::{Known, state_hash},
};
use crate::garage::{AdminRequest, BucketInfo, CallError, KeyInfo, PAGE_ITEMS, rules};

/// The most grants of one bucket that travel, so that a bucket fits a frame.
const MAX_GRANTS_SENT: usize = 1000;
/// The most names of single keys for one bucket that travel. More than one is as good as many: none
/// of them is the bucket's only name.
const MAX_LOCAL_ALIASES_SENT: usize = 100;

/// Whose things are, found while sweeping.
#[derive(Default)]
struct Owners {
    buckets: Vec<(BucketId, AccountId)>,
    keys: Vec<(AccessKeyId, AccountId)>,
}

impl Inventory {
    /// Reads everything and sends what changed since the last sweep; all of it when the control
    /// plane has another generation than ours.
    pub(super) async fn sweep(&mut self) -> Result<InventoryRefreshed, SweepError> {
        // Counted before the pages are read: what moves meanwhile moves the counters again.
        let counted = self.count().await.ok();
        let before = self.counted.zip(counted);
        let whole = self.generation.is_none();
        let still = before.is_some_and(|(old, new)| new.keys_stood_still(old));
        let with_keys = whole || !still || self.stale();
        let generation = self.next_generation();
        let mut outbox = self.outbox(generation, whole);
        let mut owners = Owners::default();
        let began = Instant::now();
        let buckets = self.sweep_buckets(&mut outbox, &mut owners, whole).await?;
        let keys = if with_keys {
            Some(self.sweep_keys(&mut outbox, &mut owners, whole).await?)
        } else {
            None
        };
        self.shell
            .engine
            .learn_owners(owners.buckets, owners.keys, began)
            .await?;
        let sent = self.send(outbox, generation).await?;
        self.swept = Some(Instant::now());
        if with_keys {
            self.keys_swept = self.swept;
        }
        let counts = (buckets.len(), keys.as_ref().unwrap_or(&self.keys).len());
        // Without a connection nothing went out: what the control plane knows stays the measure.
        if sent || self.executes().is_some() {
            self.buckets = buckets;
            if let Some(keys) = keys {
                self.keys = keys;
            }
            self.counted = counted;
        }
        let (buckets, keys) = counts;
        let now = self.shell.clock.now();
        self.shell.board.inventory(|shown| {
            (shown.buckets, shown.keys) = (buckets, keys);
            shown.swept_at = Some(now);
            shown.last_error = None;
        });
        let kept = self.shell.engine.generation().ok();
        Ok(InventoryRefreshed {
            generation: self.generation.or(kept).unwrap_or(0),
            buckets,
            keys,
        })
    }

    /// Reads the buckets and keys that commands have touched. A sweep does it when there are many, or
    /// when there is none to compare with.
    pub(super) async fn read_touched(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        let many = touched.buckets.len() + touched.keys.len() > MAX_TOUCHED;
        if self.executes().is_none() || self.generation.is_none() || many {
            return;
        }
        if let Err(error) = self.send_touched(touched).await {
            self.sweep_failed(&error);
        }
    }

    async fn send_touched(&mut self, touched: Touched) -> Result<(), SweepError> {
        let generation = self.next_generation();
        let mut outbox = self.outbox(generation, false);
        for bucket in touched.buckets {
            self.read_bucket(bucket, &mut outbox).await?;
        }
        for key in touched.keys {
            self.read_key(key, &mut outbox).await?;
        }
        self.send(outbox, generation).await.map(drop)
    }

    async fn read_bucket(
        &mut self,
        bucket: BucketId,
        outbox: &mut Outbox,
    ) -> Result<(), SweepError> {
        match self
            .shell
            .garage
            .ask::<BucketInfo>(AdminRequest::bucket(bucket))
            .await
        {
            Ok(info) => {
                let (state, hash, bytes) = weigh(bucket_state(info));
                if self.buckets.differs(&bucket.0, hash) {
                    self.buckets.set(bucket.0, hash);
                    outbox.bucket(state, bytes).await?;
                }
                Ok(())
            }
            Err(CallError::Rejected(no)) if no.status == 404 => {
                if self.buckets.remove(&bucket.0) {
                    outbox.bucket_gone(bucket).await?;
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read_key(&mut self, key: AccessKeyId, outbox: &mut Outbox) -> Result<(), SweepError> {
        let found = self.shell.garage.key(key.as_str()).await?;
        match (found.and_then(key_state), key_bytes(&key)) {
            (Some((id, state)), _) => {
                let (state, hash, bytes) = weigh(state);
                if self.keys.differs(&id, hash) {
                    self.keys.set(id, hash);
                    outbox.key(state, bytes).await?;
                }
            }
            (None, Some(id)) if self.keys.remove(&id) => outbox.key_gone(key).await?,
            (None, _) => {}
        }
        Ok(())
    }

    async fn sweep_buckets(
        &self,
        outbox: &mut Outbox,
        owners: &mut Owners,
        whole: bool,
    ) -> Result<Known<32>, SweepError> {
        let mut seen = vec![];
        let mut offset: Option<String> = None;
        loop {
            let mut page = self
                .shell
                .garage
                .buckets(offset.as_deref(), PAGE_ITEMS)
                .await?;
            let (mut items, mut last) = (0, None);
            while let Some(info) = page.next().await? {
                items += 1;
                let id = info.id.to_string();
                // The page begins with the bucket that the one before ended with.
                if offset.as_ref() == Some(&id) {
                    continue;
                }
                last = Some(id);
                let (bucket, owner) = (info.id, info.owner());
                let (state, hash, bytes) = weigh(bucket_state(info));
                seen.push((bucket.0, hash));
                if whole || self.buckets.differs(&bucket.0, hash) {
                    owners
                        .buckets
                        .extend(owner.map(|account| (bucket, account)));
                    outbox.bucket(state, bytes).await?;
                }
            }
            match last {
                Some(last) if items >= PAGE_ITEMS => offset = Some(last),
                Some(_) | None => break,
            }
        }
        let seen = Known::from_sweep(seen);
        if !whole {
            for bucket in self.buckets.gone(&seen) {
                outbox.bucket_gone(BucketId(bucket)).await?;
            }
        }
        Ok(seen)
    }

    async fn sweep_keys(
        &self,
        outbox: &mut Outbox,
        owners: &mut Owners,
        whole: bool,
    ) -> Result<Known<12>, SweepError> {
        let mut seen = vec![];
        let mut offset: Option<String> = None;
        loop {
            let mut page = self
                .shell
                .garage
                .keys(offset.as_deref(), PAGE_ITEMS)
                .await?;
            let (mut items, mut last) = (0, None);
            while let Some(info) = page.next().await? {
                items += 1;
                if offset.as_ref() == Some(&info.access_key_id) {
                    continue;
                }
                last = Some(info.access_key_id.clone());
                // Keys that others imported under ids of their own form are not ours to show.
                let Some((id, state)) = key_state(info) else {
                    continue;
                };
                let (state, hash, bytes) = weigh(state);
                seen.push((id, hash));
                if whole || self.keys.differs(&id, hash) {
                    if let Some((account, _)) = parse_key_name(&state.name) {
                        owners.keys.push((state.key.clone(), account));
                    }
                    outbox.key(state, bytes).await?;
                }
            }
            match last {
                Some(last) if items >= PAGE_ITEMS => offset = Some(last),
                Some(_) | None => break,
            }
        }
        let seen = Known::from_sweep(seen);
        if !whole {
            for key in self.keys.gone(&seen) {
                if let Some(key) = key_of(key) {
                    outbox.key_gone(key).await?;
                }
            }
        }
        Ok(seen)
    }

    fn outbox(&self, generation: u64, whole: bool) -> Outbox {
        Outbox::new(self.link.clone(), self.frames.clone(), generation, whole)
    }

    async fn send(&mut self, outbox: Outbox, generation: u64) -> Result<bool, SweepError> {
        let session = self.executes().map(|link| link.session);
        let sent = outbox.finish().await?;
        if let (true, Some(session)) = (sent, session) {
            self.generation = Some(generation);
            self.on_its_way = Some((session, generation, Instant::now()));
        }
        Ok(sent)
    }

    /// Higher than every one that either side has seen.
    fn next_generation(&self) -> u64 {
        let hub = self.link.borrow().map_or(0, |link| link.generation);
        let kept = self.shell.engine.generation().unwrap_or(0);
        hub.max(kept).max(self.generation.unwrap_or(0)) + 1
    }
}

/// A state with its hash and the length of its JSON form.
fn weigh<T: serde::Serialize>(state: T) -> (T, u128, usize) {
    // These are plain structs; were one not to serialise, it would travel as changed each time.
    let json = serde_json::to_vec(&state).unwrap_or_default();
    (state, state_hash(&json), json.len())
}

fn bucket_state(info: BucketInfo) -> BucketState {
    let aliases = info
        .global_aliases
        .iter()
        .filter_map(|alias| alias.parse().ok());
    let grants = info.keys.iter().filter_map(|key| {
        Some(GrantState {
            key: key.access_key_id.parse().ok()?,
            read: key.permissions.read,
            write: key.permissions.write,
            owner: key.permissions.owner,
        })
    });
    let local_aliases = info.keys.iter().flat_map(|key| {
        let names = key.bucket_local_aliases.iter();
        names.filter_map(|name| {
            Some(LocalAliasState {
                key: key.access_key_id.parse().ok()?,
                name: name.parse().ok()?,
            })
        })
    });
    let cors = rules::read_cors(info.cors_rules.as_deref().unwrap_or_default());
    let lifecycle = rules::read_lifecycle(info.lifecycle_rules.as_deref().unwrap_or_default());
    let website = info.website_config.as_ref().filter(|_| info.website_access);
    let (website, redirects) = website.map_or((None, false), rules::read_website);
    BucketState {
        bucket: info.id,
        aliases: aliases.collect(),
        bytes: info.bytes,
        objects: info.objects,
        unfinished_bytes: info.unfinished_multipart_upload_bytes,
        unfinished_uploads: info.unfinished_uploads,
        quota_bytes: info.quotas.max_size.and_then(Limit::new),
        quota_objects: info.quotas.max_objects.and_then(Limit::new),
        website,
        other_rules: cors.other || lifecycle.other || redirects,
        cors: cors.rules,
        lifecycle: lifecycle.rules,
        grants: grants.take(MAX_GRANTS_SENT).collect(),
        local_aliases: local_aliases.take(MAX_LOCAL_ALIASES_SENT).collect(),
        created_at: info.created,
    }
}

fn key_state(info: KeyInfo) -> Option<([u8; 12], KeyState)> {
    let key = info.id()?;
    let id = key_bytes(&key)?;
    let state = KeyState {
        key,
        name: info.name,
        created_at: info.created,
        expires_at: info.expiration,
        create_buckets: info.permissions.create_bucket,
    };
    Some((id, state))
}

fn key_bytes(key: &AccessKeyId) -> Option<[u8; 12]> {
    let mut id = [0; 12];
    hex::decode_to_slice(key.as_str().strip_prefix("GK")?, &mut id).ok()?;
    Some(id)
}

fn key_of(id: [u8; 12]) -> Option<AccessKeyId> {
    format!("GK{}", hex::encode(id)).parse().ok()
}
