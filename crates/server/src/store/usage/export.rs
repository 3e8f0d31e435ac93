//! A month's use for a bill: what each bucket and the account as a whole had and served, from days
//! that are closed and, in the month that goes on, what is not closed yet.

use crate::store::sql::{self, Builder, Connection};
use std::collections::BTreeMap;

use sqlx::Row as _;
use storm_protocol::{
    api::{UsageExport, UsageRow},
    ident::{AccountId, Micros, Month},
};

use super::{ROWS_AT_ONCE, Span, TABLE, charts::read_span, live, read_figures};
use crate::{
    store::{Result, Store, parsed, parsed_option, traffic},
    usage::step::{self, DAY_MICROS, Figures},
};

/// The instants of a month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MonthSpan {
    /// Its first.
    pub(crate) from: Micros,
    /// The first of the next one.
    pub(crate) to: Micros,
}

/// What a bucket had and served.
#[derive(Default)]
struct Had {
    region: String,
    byte_hours: u64,
    peak_bytes: u64,
    served: traffic::Served,
}

impl Had {
    fn add(&mut self, byte_hours: u64, peak_bytes: u64) {
        self.byte_hours = self.byte_hours.saturating_add(byte_hours);
        self.peak_bytes = self.peak_bytes.max(peak_bytes);
    }
}

impl Store {
    /// The use of an account in a month. `now`: to which instant a month that goes on is counted.
    pub(crate) async fn usage_export(
        &self,
        account: AccountId,
        month: &Month,
        span: MonthSpan,
        now: Micros,
    ) -> Result<UsageExport> {
        let mut reader = self.read().await?;
        // One view of everything: closing goes on meanwhile.
        let mut view = sql::view(&mut reader).await?;
        let live = live::read(&mut view, account, None, now).await?;
        // Days before this one are closed.
        let open_day = step::day_of(live.since);
        let to = span.to.min(now);
        let mut buckets: BTreeMap<String, Had> = BTreeMap::new();
        let closed = (span.from, span.to.min(open_day));
        add_days(&mut view, account, closed, &mut buckets).await?;
        add_live(&live, span.from, to, &mut buckets);
        let peak_bytes = peak(&mut view, account, span, &live, to).await?;
        for (bucket, served) in traffic::by_bucket(&mut view, account, span.from, span.to).await? {
            buckets.entry(bucket).or_default().served = served;
        }
        buckets.retain(|_, had| had.peak_bytes > 0 || had.served.requests > 0);
        let names = names(&mut view, &mut buckets).await?;
        let counting = traffic::counting_regions(&mut view).await?;
        let mut rows = vec![];
        for (bucket, had) in &buckets {
            let counted = counting.contains(&had.region);
            rows.push(UsageRow {
                bucket: Some(parsed(TABLE, bucket)?),
                region: Some(parsed(TABLE, &had.region)?),
                name: parsed_option("buckets", names.get(bucket).map(String::as_str))?,
                byte_hours: had.byte_hours,
                peak_bytes: had.peak_bytes,
                requests: counted.then_some(had.served.requests),
                sent_bytes: counted.then_some(had.served.sent_bytes),
            });
        }
        rows.sort_by(|a, b| (&a.region, &a.bucket).cmp(&(&b.region, &b.bucket)));
        Ok(UsageExport {
            month: month.clone(),
            account,
            complete: live.since >= span.to,
            total: UsageRow {
                bucket: None,
                region: None,
                name: None,
                byte_hours: rows
                    .iter()
                    .fold(0, |sum, row| sum.saturating_add(row.byte_hours)),
                peak_bytes,
                requests: total(&rows, |row| row.requests),
                sent_bytes: total(&rows, |row| row.sent_bytes),
            },
            buckets: rows,
        })
    }
}

/// The sum of what is counted; none where nothing is.
fn total(rows: &[UsageRow], figure: impl Fn(&UsageRow) -> Option<u64>) -> Option<u64> {
    rows.iter().filter_map(figure).reduce(u64::saturating_add)
}

/// Days that are closed: a bucket's rows, and between them what it had all the time.
async fn add_days(
    view: &mut Connection,
    account: AccountId,
    (from, to): (Micros, Micros),
    buckets: &mut BTreeMap<String, Had>,
) -> Result<()> {
    if from >= to {
        return Ok(());
    }
    let opening = sqlx::query(
        "SELECT d.bucket, d.region, d.bytes, d.objects, d.unfinished_bytes \
         FROM (SELECT bucket, MAX(at) AS at FROM usage_days WHERE account = $1 AND at < $2 \
           GROUP BY bucket) last \
         JOIN usage_days d ON d.account = $1 AND d.bucket = last.bucket AND d.at = last.at",
    )
    .bind(account.to_string())
    .bind(from.0)
    .fetch_all(&mut *view)
    .await?;
    // What each bucket has, and since when that is not counted yet.
    let mut now: BTreeMap<String, (Figures, Micros)> = BTreeMap::new();
    for row in &opening {
        let figures = read_figures(row)?;
        if figures.used() > 0 {
            let had = buckets.entry(row.try_get("bucket")?).or_default();
            had.region = row.try_get("region")?;
            now.insert(row.try_get("bucket")?, (figures, from));
        }
    }
    let days = sqlx::query(
        "SELECT bucket, region, at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours \
         FROM usage_days WHERE account = $1 AND at >= $2 AND at < $3 ORDER BY bucket, at",
    )
    .bind(account.to_string())
    .bind(from.0)
    .bind(to.0)
    .fetch_all(&mut *view)
    .await?;
    for row in &days {
        let bucket: String = row.try_get("bucket")?;
        let day: Span = read_span(row)?;
        let had = buckets.entry(bucket.clone()).or_default();
        had.region = row.try_get("region")?;
        if let Some((figures, since)) = now.get(&bucket) {
            add_still(had, *figures, *since, day.at);
        }
        had.add(day.byte_hours, day.peak_bytes);
        now.insert(bucket, (day.closing, Micros(day.at.0 + DAY_MICROS)));
    }
    for (bucket, (figures, since)) in now {
        add_still(buckets.entry(bucket).or_default(), figures, since, to);
    }
    Ok(())
}

/// Whole days from `from` to `to` in which nothing changed.
fn add_still(had: &mut Had, figures: Figures, from: Micros, to: Micros) {
    if to > from {
        let still = Span::still(from, figures, to.0 - from.0);
        had.add(still.byte_hours, still.peak_bytes);
    }
}

/// The day that is not closed, as far as its hours are, and then what changed since.
fn add_live(live: &live::Live, from: Micros, to: Micros, buckets: &mut BTreeMap<String, Had>) {
    let day_counts = from <= step::day_of(live.since) && step::day_of(live.since) < to;
    for series in &live.series {
        let had = buckets.entry(series.bucket.clone()).or_default();
        had.region.clone_from(&series.region);
        if day_counts {
            let (byte_hours, peak_bytes) = series.day_before(live.since);
            had.add(byte_hours, peak_bytes);
        }
        for (start, end) in live.steps(from, to) {
            let (opening, changes) = series.during(start, end);
            let used = step::between(opening, changes, start, end);
            had.add(used.byte_hours(), used.peak_bytes);
        }
    }
}

/// The most bytes that the account had at any time.
async fn peak(
    view: &mut Connection,
    account: AccountId,
    span: MonthSpan,
    live: &live::Live,
    to: Micros,
) -> Result<u64> {
    let open_day = step::day_of(live.since);
    let mut peak = 0;
    for (sql, from, to) in [
        (
            "SELECT COALESCE(MAX(peak_bytes), 0) FROM account_usage_days \
             WHERE account = $1 AND at >= $2 AND at < $3",
            span.from,
            span.to.min(open_day),
        ),
        (
            "SELECT COALESCE(MAX(peak_bytes), 0) FROM account_usage_hours \
             WHERE account = $1 AND at >= $2 AND at < $3",
            span.from.max(open_day),
            span.to,
        ),
    ] {
        let closed: i64 = sqlx::query_scalar(sql)
            .bind(account.to_string())
            .bind(from.0)
            .bind(to.0)
            .fetch_one(&mut *view)
            .await?;
        peak = peak.max(u64::try_from(closed).unwrap_or(0));
    }
    let hours = live.hours(span.from, to);
    Ok(hours
        .iter()
        .fold(peak, |peak, hour| peak.max(hour.peak_bytes)))
}

/// The last names of those buckets that have had one; gives each its region, too.
async fn names(
    view: &mut Connection,
    buckets: &mut BTreeMap<String, Had>,
) -> Result<BTreeMap<String, String>> {
    let ids: Vec<String> = buckets.keys().cloned().collect();
    let mut names = BTreeMap::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut select = Builder::new("SELECT id, name, region FROM buckets WHERE id IN (");
        let mut list = select.separated(", ");
        for id in ids {
            list.push_bind(id);
        }
        select.push(")");
        for row in &select.build().fetch_all(&mut *view).await? {
            let id: String = row.try_get("id")?;
            if let Some(had) = buckets.get_mut(&id) {
                had.region = row.try_get("region")?;
            }
            if let Some(name) = row.try_get("name")? {
                names.insert(id, name);
            }
        }
    }
    Ok(names)
}
