//! `storm usage`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use storm_protocol::{
    api::{Usage, UsageExport, UsagePoint},
    ident::{AccountId, Micros, Month, RegionName},
};

use crate::{
    client::query,
    clock,
    errors::{ApiError, Thing},
    files,
    output::{self, Column, Sheet},
    session::{BucketRef, Context, Session},
    units::{self, Since},
};

/// Signs of a sparkline at most.
const SPARKLINE_SIGNS: usize = 60;
/// The signs, from nothing to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const HOUR_SECONDS: u32 = 3600;

/// Use over time.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UsageArgs {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    /// Of this bucket, by its name or id [default: of all your buckets together]
    bucket: Option<BucketRef>,
    /// The bucket's region, when the name is in several
    #[arg(long, requires = "bucket")]
    region: Option<RegionName>,
    /// Since when: 7d, 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "WHEN", default_value = "7d", value_parser = units::parse_since, allow_hyphen_values = true)]
    since: Since,
    /// From one line to the next [default: an hour for up to 14 days, else a day]
    #[arg(long)]
    step: Option<Step>,
}

/// What else can be done with use.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageCommand {
    /// Print a month's use of an account and each of its buckets, for a bill
    Export(Export),
}

/// From one line to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Every change; kept 48 hours
    Change,
    /// An hour; kept 90 days
    Hour,
    /// A day, UTC; kept for ever
    Day,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// A month.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The month, UTC [default: the present one]
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<Month>,
    /// How it is written [default: csv; json with --json]
    #[arg(long)]
    format: Option<Format>,
    /// Where to put it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of this account (operators) [default: your own]
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
}

/// How a month is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table: RFC 4180, with a header
    Csv,
    /// JSON
    Json,
}

/// Does it.
pub(crate) async fn run(context: &Context, args: UsageArgs) -> Result<()> {
    let session = context.session()?;
    match &args.command {
        Some(UsageCommand::Export(export_args)) => export(&session, export_args).await,
        None => chart(&session, &args).await,
    }
}

async fn chart(session: &Session, args: &UsageArgs) -> Result<()> {
    let from = args.since.instant(clock::now(), "--since")?.0.to_string();
    let bucket = match &args.bucket {
        Some(bucket) => Some(session.bucket(bucket, args.region.as_ref()).await?.id),
        None => None,
    };
    let bucket = bucket.map(|id| id.to_string());
    let filters = [
        ("bucket", bucket.as_deref()),
        ("from", Some(from.as_str())),
        ("step", args.step.map(Step::as_str)),
    ];
    let used: Usage = session.api.get(&query("/usage", &filters)).await?;
    session.show(&used, || print(&used))
}

fn print(used: &Usage) -> Result<()> {
    let mut columns = vec![
        Column::Text("From (UTC)"),
        Column::Number("Size"),
        Column::Number("Objects"),
        Column::Number("Unfinished"),
        Column::Number("Peak"),
        Column::Number("Byte-hours"),
    ];
    if used.has_requests {
        columns.extend([Column::Number("Requests"), Column::Number("Sent")]);
    }
    let mut sheet = Sheet::new(&columns);
    for point in &used.points {
        let mut cells = vec![
            begins(point.at, used.step_seconds),
            units::size(point.bytes),
            units::count(point.objects),
            units::size(point.unfinished_bytes),
            units::size(point.peak_bytes),
            format!("{}h", units::size(point.byte_hours)),
        ];
        if used.has_requests {
            cells.push(output::maybe(point.requests, units::count));
            cells.push(output::maybe(point.sent_bytes, units::size));
        }
        sheet.row(cells);
    }
    sheet.print("Nothing was stored in that time.")?;
    let Some(last) = used.points.last() else {
        return Ok(());
    };
    let peaks: Vec<u64> = used.points.iter().map(|point| point.peak_bytes).collect();
    let most = peaks.iter().copied().max().unwrap_or(0);
    output::line(&format!(
        "\n{}  {} now, {} at most",
        sparkline(&peaks),
        units::size(stored(last)),
        units::size(most)
    ))
}

const fn stored(point: &UsagePoint) -> u64 {
    point.bytes.saturating_add(point.unfinished_bytes)
}

/// When a step begins, as precisely as its length wants it.
fn begins(at: Micros, step_seconds: u32) -> String {
    let form = match step_seconds {
        0 => "%Y-%m-%d %H:%M:%S",
        1..=HOUR_SECONDS => "%Y-%m-%d %H:%M",
        _ => "%Y-%m-%d",
    };
    Timestamp::from_microsecond(at.0)
        .map_or_else(|_| "unknown".to_owned(), |at| at.strftime(form).to_string())
}

/// The figures as bars from nothing to the most; neighbours share a bar, the higher one counts, when
/// there are more than fit.
fn sparkline(figures: &[u64]) -> String {
    let most = figures.iter().copied().max().unwrap_or(0).max(1);
    let a_bar = figures.len().div_ceil(SPARKLINE_SIGNS).max(1);
    let bars = figures.chunks(a_bar).map(|figures| {
        let figure = figures.iter().copied().max().unwrap_or(0);
        // Whatever is not nothing stands above the lowest bar, and only the most reaches the highest.
        let steps = BARS.len() as u128 - 1;
        let bar = (u128::from(figure) * steps).div_ceil(u128::from(most));
        usize::try_from(bar)
            .ok()
            .and_then(|bar| BARS.get(bar))
            .copied()
            .unwrap_or(' ')
    });
    bars.collect()
}

async fn export(session: &Session, args: &Export) -> Result<()> {
    if let Some(path) = &args.output {
        files::check_can_write(path)?;
    }
    let format = args.format.unwrap_or(match session.json {
        true => Format::Json,
        false => Format::Csv,
    });
    let account = args.account.map(|id| id.to_string());
    let path = |format| {
        let filters = [
            ("month", args.month.as_ref().map(Month::as_str)),
            ("account", account.as_deref()),
            ("format", Some(format)),
        ];
        query("/usage/export", &filters)
    };
    let not_found = |error: ApiError| match args.account {
        Some(id) => Thing::Account.named(&id)(error),
        None => error.into(),
    };
    let text = match format {
        Format::Json => {
            let export: Result<UsageExport, _> = session.api.get(&path("json")).await;
            let export = export.map_err(not_found)?;
            format!("{}\n", serde_json::to_string_pretty(&export)?)
        }
        Format::Csv => {
            let text = session.api.text(&path("csv")).await;
            text.map_err(not_found)?
        }
    };
    match &args.output {
        None => output::raw(&text),
        Some(path) => {
            files::write_private(path, text.as_bytes())?;
            output::note(&format!("Written to {}.", path.display()));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_goes_from_nothing_to_the_most() {
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[0, 1, 50, 100]), "▁▂▅█");
        assert_eq!(sparkline(&[u64::MAX]), "█");
        // More than fit: none of the heights is lost.
        let mut many = vec![1; 1_000];
        many[500] = 7;
        let line = sparkline(&many);
        assert!(line.chars().count() <= SPARKLINE_SIGNS, "{line}");
        assert_eq!(line.matches('█').count(), 1);
    }

    #[test]
    fn a_step_is_told_as_precisely_as_it_is_long() {
        let at = Micros(1_793_491_200 * Micros::SECOND);
        for (step, text) in [
            (0, "2026-11-01 00:00:00"),
            (3_600, "2026-11-01 00:00"),
            (86_400, "2026-11-01"),
        ] {
            assert_eq!(begins(at, step), text);
        }
    }
}
