//! `GET /api/v1/buckets`

use std::{cmp::Reverse, collections::BTreeSet};

use serde::Deserialize;
use storm_protocol::{
    api::{Bucket, BucketPage},
    ident::{BucketId, BucketName, RegionName},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    store::views::{AfterBucket, AfterLarger},
    web::{Json, Search},
};

/// Which buckets.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this region.
    region: Option<RegionName>,
    /// Only those with exactly this name.
    name: Option<BucketName>,
    /// With `name` or `drift`: whoever's they are. For operators.
    #[serde(default)]
    everyones: bool,
    /// Only those whose settings or rights are not as asked for.
    #[serde(default)]
    drift: bool,
    /// Those that vanished within 90 days without having been asked to, instead of those that there
    /// are.
    #[serde(default)]
    vanished: bool,
    /// The largest first, instead of by name.
    #[serde(default)]
    largest: bool,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Your buckets, by name, or the largest first; those that drift or vanished by id.
///
/// Figures are as last heard from the storage; `seen_at` says when.
#[utoipa::path(
    get,
    path = "/api/v1/buckets",
    tag = "buckets",
    params(Filter),
    responses((status = 200, body = BucketPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadBuckets>,
    Search(filter): Search<Filter>,
) -> Result<Json<BucketPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let account = caller.person.account;
    let region = filter.region.as_ref();
    if [
        filter.name.is_some(),
        filter.drift,
        filter.vanished,
        filter.largest,
    ]
    .iter()
    .filter(|asked| **asked)
    .count()
        > 1
    {
        return Err(ApiError::field(
            "name, drift, vanished, largest",
            "expected one of them at most",
        ));
    }
    if filter.everyones && filter.name.is_none() && !filter.drift {
        return Err(ApiError::field(
            "everyones",
            "expected a name or drift with it",
        ));
    }
    if filter.everyones && !caller.person.operator {
        let words = "Only an operator of the platform sees the buckets of other accounts.";
        return Err(ApiError::forbidden(words));
    }
    if let Some(ids) = caller.person.rights().buckets() {
        return few(&caller, ids, &filter).await.map(Json);
    }
    if let Some(name) = &filter.name {
        let store = caller.store();
        let items = match filter.everyones {
            true => store.everyones_buckets_named(region, name).await?,
            false => store.buckets_named(account, region, name).await?,
        };
        return Ok(Json(BucketPage {
            items,
            next_cursor: None,
        }));
    }
    if filter.drift || filter.vanished {
        let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[id]| id);
        let store = caller.store();
        let found = if filter.drift && filter.everyones {
            let drifting = store.everyones_buckets_drifting(region, &after, size + 1);
            drifting.await?
        } else if filter.drift {
            let drifting = store.buckets_drifting(account, region, &after, size + 1);
            drifting.await?
        } else {
            let now = caller.now();
            let vanished = store.buckets_vanished(account, region, &after, size + 1, now);
            vanished.await?
        };
        let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
        return Ok(Json(BucketPage { items, next_cursor }));
    }
    if filter.largest {
        return by_size(&caller, &filter, size).await.map(Json);
    }
    let after = place(filter.cursor.as_deref())?.map(|[name, id]| AfterBucket {
        name: Some(name).filter(|name| !name.is_empty()),
        id,
    });
    let found = caller
        .store()
        .buckets(account, region, after.as_ref(), size + 1)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| {
        let name = last.name.as_ref().map(BucketName::to_string);
        vec![name.unwrap_or_default(), last.id.to_string()]
    });
    Ok(Json(BucketPage { items, next_cursor }))
}

async fn by_size(
    caller: &Caller<act::ReadBuckets>,
    filter: &Filter,
    size: usize,
) -> Result<BucketPage, ApiError> {
    let after = match place(filter.cursor.as_deref())? {
        Some([bytes, id]) => {
            let bytes = bytes
                .parse()
                .map_err(|_| ApiError::field("cursor", "not one that this list gave"))?;
            Some(AfterLarger { bytes, id })
        }
        None => None,
    };
    let account = caller.person.account;
    let region = filter.region.as_ref();
    let found = caller
        .store()
        .buckets_by_size(account, region, after.as_ref(), size + 1)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| {
        let bytes = last
            .bytes
            .map_or("-1".to_owned(), |bytes| bytes.to_string());
        vec![bytes, last.id.to_string()]
    });
    Ok(BucketPage { items, next_cursor })
}

/// Those that a token is for: a page holds them all.
async fn few(
    caller: &Caller<act::ReadBuckets>,
    ids: &BTreeSet<BucketId>,
    filter: &Filter,
) -> Result<BucketPage, ApiError> {
    let mut items = vec![];
    for id in ids {
        items.extend(caller.store().bucket(caller.person.account, *id).await?);
    }
    let is_asked_for = |bucket: &Bucket| {
        filter.region.as_ref().is_none_or(|region| bucket.region == *region)
            && filter.name.as_ref().is_none_or(|name| bucket.name.as_ref() == Some(name))
            && (!filter.drift || bucket.drift)
            // What vanished is no bucket that can be read.
            && !filter.vanished
    };
    items.retain(is_asked_for);
    if filter.largest {
        items.sort_by_key(|bucket| Reverse(bucket.bytes));
    }
    Ok(BucketPage {
        items,
        next_cursor: None,
    })
}
