//! `storm audit list` and `export`: who did, or tried, what.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use storm_protocol::{
    api::{AuditEvent, AuditPage},
    ident::{AccountId, Scope, UserId},
};

use crate::{
    client::query,
    clock, files,
    output::{self, Column, Sheet},
    session::Session,
    units::{self, Since},
};

/// The most events of one page.
const MAX_PAGE: usize = 1000;

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Since when: 7d, 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = units::parse_since, allow_hyphen_values = true)]
    since: Option<Since>,
    /// Until when, in the same form
    #[arg(long, value_name = "WHEN", value_parser = units::parse_since, allow_hyphen_values = true)]
    until: Option<Since>,
    /// Of this person, by their id
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// What: bucket.create, or bucket.* for all with buckets
    #[arg(long)]
    act: Option<Scope>,
    /// done, failed for all else, or a code such as forbidden
    #[arg(long)]
    result: Option<String>,
    /// About this thing: an id or name
    #[arg(long)]
    thing: Option<String>,
    /// Of this account (operators) [default: your own; for operators, all]
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
}

impl Which {
    fn filters(&self) -> Result<Vec<(&'static str, Option<String>)>> {
        let now = clock::now();
        let instant = |since: Option<Since>, place| {
            let at = since.map(|since| since.instant(now, place)).transpose()?;
            anyhow::Ok(at.map(|at| at.0.to_string()))
        };
        Ok(vec![
            ("from", instant(self.since, "--since")?),
            ("to", instant(self.until, "--until")?),
            ("user", self.user.map(|id| id.to_string())),
            ("act", self.act.as_ref().map(|act| act.as_str().to_owned())),
            ("result", self.result.clone()),
            ("thing", self.thing.clone()),
            ("account", self.account.map(|id| id.to_string())),
        ])
    }
}

/// The newest events.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// How many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: usize,
}

/// Events as a file.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// How it is written [default: csv; jsonl with --json]
    #[arg(long)]
    format: Option<Format>,
    /// Where to put it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table: RFC 4180, with a header
    Csv,
    /// JSON Lines: one event a line
    Jsonl,
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

fn borrowed<'a>(filters: &'a [(&'static str, Option<String>)]) -> Vec<(&'a str, Option<&'a str>)> {
    let borrow = |(name, value): &'a (&'static str, Option<String>)| (*name, value.as_deref());
    filters.iter().map(borrow).collect()
}

/// Lists them.
pub(crate) async fn list(session: &Session, args: &List) -> Result<()> {
    let filters = args.which.filters()?;
    let mut events: Vec<AuditEvent> = vec![];
    let mut cursor: Option<String> = None;
    while events.len() < args.limit {
        let size = (args.limit - events.len()).min(MAX_PAGE).to_string();
        let mut parts = borrowed(&filters);
        parts.push(("limit", Some(&size)));
        parts.push(("cursor", cursor.as_deref()));
        let mut page: AuditPage = session.api.get(&query("/audit", &parts)).await?;
        let got_none = page.items.is_empty();
        events.append(&mut page.items);
        let next = page.next_cursor;
        if got_none || next.is_none() || next == cursor {
            break;
        }
        cursor = next;
    }
    session.show(&events, || print(&events))
}

fn print(events: &[AuditEvent]) -> Result<()> {
    let mut sheet = Sheet::new(&[
        Column::Text("When"),
        Column::Text("Who"),
        Column::Text("What"),
        Column::Text("Which"),
        Column::Text("Result"),
        Column::Text("From"),
        Column::Number("Times"),
    ]);
    let now = clock::now();
    for event in events {
        sheet.row([
            units::when(now, event.at),
            output::maybe(event.email.clone(), |email| email),
            event.act.clone(),
            output::maybe(event.thing.clone(), |thing| thing),
            event.result.clone(),
            output::maybe(event.origin.clone(), |origin| {
                format!("{origin} ({})", event.via)
            }),
            units::count(event.count),
        ]);
    }
    sheet.print("No such event.")
}

/// Exports them.
pub(crate) async fn export(session: &Session, args: &Export) -> Result<()> {
    if let Some(path) = &args.output {
        files::check_can_write(path)?;
    }
    let format = args.format.unwrap_or(match session.json {
        true => Format::Jsonl,
        false => Format::Csv,
    });
    let filters = args.which.filters()?;
    let mut parts = borrowed(&filters);
    parts.push(("format", Some(format.as_str())));
    let text = session.api.text(&query("/audit/export", &parts)).await?;
    match &args.output {
        None => output::raw(&text),
        Some(path) => {
            files::write_private(path, text.as_bytes())?;
            output::note(&format!("Written to {}.", path.display()));
            Ok(())
        }
    }
}
