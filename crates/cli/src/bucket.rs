//! `storm bucket`.

use anyhow::Result;
use clap::{Args, Subcommand};
use storm_protocol::{
    api::{Bucket, BucketPage, CreateBucketRequest, SetQuotaRequest},
    ident::{BucketId, BucketName, KeyLabel, Limit, Micros, RegionName},
};

use crate::{
    asked::{BucketAsked, RegionAsked},
    bucket_requests, change, clock,
    errors::usage,
    job,
    output::{self, Column, Sheet},
    secret::{self, Delivery},
    session::{BucketRef, Context, Session},
    units::{self, Quota},
};
use crate::{bucket_reconcile as reconcile, bucket_settings as settings};

/// What can be done with buckets.
#[derive(Debug, Subcommand)]
pub(crate) enum BucketCommand {
    /// List the buckets
    List(List),
    /// Show a bucket
    Show(Which),
    /// Make a bucket, with its first key
    Create(Create),
    /// Delete an empty bucket
    Delete(Which),
    /// Delete all objects of a bucket; a job, which Ctrl-C leaves running
    Clear(job::Clear),
    /// Count the objects under a prefix and their bytes
    Measure(job::Measure),
    /// Set a bucket's limits
    SetQuota(SetQuota),
    /// Show what is set on a bucket, as asked for and as it is in the storage
    Settings(Which),
    /// Set which pages may use a bucket from a browser
    SetCors(settings::SetCors),
    /// Ask whether a page may use a bucket from a browser
    CheckCors(settings::CheckCors),
    /// Set what a bucket deletes by itself
    SetLifecycle(settings::SetLifecycle),
    /// Show a bucket as a website, or stop that
    SetWebsite(settings::SetWebsite),
    /// Give a bucket one more name
    AddAlias(settings::Alias),
    /// Take one of its names from a bucket; the last one stays
    RemoveAlias(settings::Alias),
    /// Remove unfinished uploads
    CleanupUploads(settings::CleanupUploads),
    /// Set a bucket to what was asked for, after somebody changed it by other means
    Restore(Which),
    /// Take what somebody set on a bucket by other means for what is wanted
    Accept(Which),
    /// Give a bucket that nobody has to an account (operators)
    Adopt(reconcile::Adopt),
    /// Take a bucket from its account; its objects stay (operators)
    Release(reconcile::Release),
    /// Show requests to a bucket over time, where a proxy's access log is counted
    Requests(bucket_requests::Requests),
}

/// Which buckets.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this region only
    #[arg(long)]
    region: Option<RegionName>,
    /// Only those that are not as they were asked for
    #[arg(long)]
    drift: bool,
    /// With --drift: whoever's they are (operators)
    #[arg(long, requires = "drift")]
    everyones: bool,
    /// Those that vanished within 90 days without having been deleted here
    #[arg(long, conflicts_with = "drift")]
    vanished: bool,
    /// The largest first, instead of by name
    #[arg(long, conflicts_with_all = ["drift", "vanished"])]
    largest: bool,
}

/// A bucket.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its name or id
    bucket: BucketRef,
    /// Its region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
}

impl Which {
    /// The bucket.
    pub(crate) async fn find(&self, session: &Session) -> Result<Bucket> {
        session.bucket(&self.bucket, self.region.as_ref()).await
    }

    /// Its id, whoever's it is (operators).
    pub(crate) async fn find_anyones(&self, session: &Session) -> Result<BucketId> {
        let region = self.region.as_ref();
        session.anyones_bucket(&self.bucket, region).await
    }
}

/// A new bucket.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name, unique in the region
    name: BucketName,
    /// The most it may hold, such as 10GB or 500MiB
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, allow_hyphen_values = true)]
    quota: Option<Limit>,
    /// The most objects it may hold
    #[arg(long, value_name = "N", value_parser = units::parse_count, allow_hyphen_values = true)]
    max_objects: Option<Limit>,
    /// Its region [default: the configured or only one]
    #[arg(long)]
    region: Option<RegionName>,
    /// Make no key
    #[arg(long, conflicts_with_all = ["key_label", "save_to"])]
    no_key: bool,
    /// What to call its first key [default: the bucket's name]
    #[arg(long, value_name = "LABEL")]
    key_label: Option<KeyLabel>,
    #[command(flatten)]
    delivery: Delivery,
}

/// A bucket's limits.
#[derive(Debug, Args)]
pub(crate) struct SetQuota {
    #[command(flatten)]
    which: Which,
    /// The most it may hold, or none; stays as it is when not given
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size_or_none, allow_hyphen_values = true)]
    quota: Option<Quota>,
    /// The most objects it may hold, or none; stays as it is when not given
    #[arg(long, value_name = "N", value_parser = units::parse_count_or_none, allow_hyphen_values = true)]
    max_objects: Option<Quota>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: BucketCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        BucketCommand::List(args) => list(&session, args).await,
        BucketCommand::Show(which) => {
            let bucket = session.bucket(&which.bucket, which.region.as_ref()).await?;
            session.show(&bucket, || facts(&bucket))
        }
        BucketCommand::Create(args) => create(&session, args).await,
        BucketCommand::Delete(which) => delete(context, &session, which).await,
        BucketCommand::Clear(args) => job::clear(context, &session, args).await,
        BucketCommand::Measure(args) => job::measure(&session, args).await,
        BucketCommand::SetQuota(args) => set_quota(&session, args).await,
        BucketCommand::Settings(which) => reconcile::show(&session, &which).await,
        BucketCommand::SetCors(args) => settings::set_cors(&session, args).await,
        BucketCommand::CheckCors(args) => settings::check_cors(&session, args).await,
        BucketCommand::SetLifecycle(args) => settings::set_lifecycle(&session, args).await,
        BucketCommand::SetWebsite(args) => settings::set_website(&session, args).await,
        BucketCommand::AddAlias(args) => settings::add_alias(&session, args).await,
        BucketCommand::RemoveAlias(args) => settings::remove_alias(context, &session, args).await,
        BucketCommand::CleanupUploads(args) => {
            settings::cleanup_uploads(context, &session, args).await
        }
        BucketCommand::Restore(which) => reconcile::restore(&session, &which).await,
        BucketCommand::Accept(which) => reconcile::accept(&session, &which).await,
        BucketCommand::Adopt(args) => reconcile::adopt(&session, args).await,
        BucketCommand::Release(args) => reconcile::release(context, &session, args).await,
        BucketCommand::Requests(args) => bucket_requests::show(&session, args).await,
    }
}

/// What a bucket is called.
pub(crate) fn name(bucket: &Bucket) -> String {
    bucket
        .name
        .as_ref()
        .map_or_else(|| bucket.id.to_string(), BucketName::to_string)
}

async fn list(session: &Session, args: List) -> Result<()> {
    let region = args.region.as_ref().or(session.config.region.as_ref());
    let filters = [
        ("region", region.map(RegionName::as_str)),
        ("drift", args.drift.then_some("true")),
        ("everyones", args.everyones.then_some("true")),
        ("vanished", args.vanished.then_some("true")),
        ("largest", args.largest.then_some("true")),
    ];
    let buckets = session.api.list::<BucketPage>("/buckets", &filters).await?;
    session.show(&buckets, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Bucket"),
            Column::Text("Region"),
            Column::Number("Size"),
            Column::Number("Objects"),
            Column::Number("Quota"),
            Column::Text("Created"),
            Column::Text("State"),
        ]);
        let now = clock::now();
        for bucket in &buckets {
            sheet.row([
                name(bucket),
                bucket.region.to_string(),
                output::maybe(bucket.bytes, units::size),
                output::maybe(bucket.objects, units::count),
                output::maybe(bucket.quota_bytes, |limit| units::size(limit.get())),
                units::when(now, bucket.created_at),
                state(bucket, now),
            ]);
        }
        sheet.print(match (args.drift, args.vanished) {
            (true, _) => "All buckets are as they were asked for.",
            (_, true) => "No bucket has vanished.",
            (false, false) => "No buckets yet. Make one: storm bucket create NAME",
        })
    })
}

/// Whether all is well with a bucket.
fn state(bucket: &Bucket, now: Micros) -> String {
    match bucket.vanished_at {
        Some(at) => format!("vanished {}", units::when(now, at)),
        None if bucket.drift => "drift".to_owned(),
        None => "-".to_owned(),
    }
}

fn facts(bucket: &Bucket) -> Result<()> {
    let now = clock::now();
    let size = |bytes: u64| format!("{} ({} bytes)", units::size(bytes), units::count(bytes));
    let aliases: Vec<_> = bucket.aliases.iter().map(BucketName::to_string).collect();
    output::facts(&[
        ("Bucket", name(bucket)),
        ("Id", bucket.id.to_string()),
        ("Region", bucket.region.to_string()),
        ("Names", aliases.join(", ")),
        ("Size", output::maybe(bucket.bytes, size)),
        ("Objects", output::maybe(bucket.objects, units::count)),
        (
            "Unfinished uploads",
            output::maybe(bucket.unfinished_uploads, units::count),
        ),
        ("Their size", output::maybe(bucket.unfinished_bytes, size)),
        (
            "Quota",
            output::maybe(bucket.quota_bytes, |limit| size(limit.get())),
        ),
        (
            "Quota in force",
            output::maybe(bucket.effective_quota_bytes, |limit| size(limit.get())),
        ),
        (
            "Most objects",
            output::maybe(bucket.quota_objects, |limit| units::count(limit.get())),
        ),
        ("Created", units::instant(bucket.created_at)),
        (
            "Website",
            if bucket.website { "on" } else { "off" }.to_owned(),
        ),
        ("As asked for", output::yes_no(!bucket.drift)),
        (
            "Figures read",
            output::maybe(bucket.seen_at, |at| units::when(now, at)),
        ),
    ])
}

async fn create(session: &Session, args: Create) -> Result<()> {
    let label = if args.no_key {
        None
    } else {
        Some(args.key_label.map_or_else(|| own_label(&args.name), Ok)?)
    };
    let has_key = label.is_some();
    let name = args.name.clone();
    let region = session.region(args.region.as_ref(), "--region").await?;
    let request = CreateBucketRequest {
        region: Some(region.name),
        name: args.name,
        quota_bytes: args.quota,
        quota_objects: args.max_objects,
        key: label,
        seal_to: None,
    };
    if has_key {
        let asked = |seal_key| BucketAsked::BucketCreate {
            request: CreateBucketRequest {
                seal_to: Some(seal_key),
                ..request
            },
        };
        return secret::ask(session, &args.delivery, asked).await;
    }
    let done = change::make(session, BucketAsked::BucketCreate { request }).await?;
    let words = format!(
        "Bucket {name} is ready in region {}. Give a key rights on it: storm grant set KEY {name} --read --write",
        done.answer.operation.region
    );
    done.say(session, &words)
}

/// A bucket's name is always a label too.
fn own_label(name: &BucketName) -> Result<KeyLabel> {
    Ok(name.as_str().parse()?)
}

async fn delete(context: &Context, session: &Session, which: Which) -> Result<()> {
    let bucket = session.bucket(&which.bucket, which.region.as_ref()).await?;
    let name = name(&bucket);
    let what = format!("Bucket {name} in region {} will be deleted.", bucket.region);
    context.confirm(&what, &name)?;
    let done = change::make(session, BucketAsked::BucketDelete { bucket: bucket.id }).await?;
    done.say(session, &format!("Bucket {name} is deleted."))
}

async fn set_quota(session: &Session, args: SetQuota) -> Result<()> {
    if args.quota.is_none() && args.max_objects.is_none() {
        return Err(usage("Say what to set: --quota, --max-objects or both."));
    }
    let which = args.which;
    let mut bucket = session.bucket(&which.bucket, which.region.as_ref()).await?;
    if args.quota.is_none() || args.max_objects.is_none() {
        // The other limit is to stay: what was last heard of it may be old.
        let region = bucket.region.clone();
        change::make(session, RegionAsked::Refresh { region }).await?;
        bucket = session.bucket(&BucketRef::Id(bucket.id), None).await?;
    }
    let request = SetQuotaRequest {
        quota_bytes: args.quota.map_or(bucket.quota_bytes, Quota::limit),
        quota_objects: args.max_objects.map_or(bucket.quota_objects, Quota::limit),
    };
    let words = format!(
        "Bucket {} may hold {} and {} objects.",
        name(&bucket),
        request
            .quota_bytes
            .map_or_else(|| "any size".to_owned(), |limit| units::size(limit.get())),
        request.quota_objects.map_or_else(
            || "any number of".to_owned(),
            |limit| units::count(limit.get())
        ),
    );
    let wanted = request.quota_bytes;
    let asked = BucketAsked::BucketSetQuota {
        bucket: bucket.id,
        request,
    };
    let done = change::make(session, asked).await?;
    done.say(session, &words)?;
    let in_force = done.answer.bucket.and_then(|b| b.effective_quota_bytes);
    let is_less = |limit: &Limit| wanted.is_none_or(|wanted| *limit < wanted);
    if let Some(less) = in_force.filter(is_less) {
        output::note(&leaves_less(less));
    }
    Ok(())
}

/// Why a bucket has a smaller limit than was asked for.
pub(crate) fn leaves_less(limit: Limit) -> String {
    let size = units::size(limit.get());
    format!("The account's storage limit leaves {size} for it at the moment.")
}
