//! What people and programs see: tables, JSON, the waiting line. Data goes to stdout, all else to
//! stderr.

use std::{
    io::{ErrorKind, IsTerminal as _, Write as _},
    time::Duration,
};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use storm_protocol::api::Progress;

use crate::progress;

const SPINNER_TICK_MILLIS: u64 = 100;
const COLUMN_GAP: u16 = 2;
const JOB_TEMPLATE: &str = "{spinner} {bar:24} {percent:>3}% {msg} ({elapsed})";
const WHOLE_PERCENT: u64 = 100;

/// Writes a line to stdout. A reader that has gone away is no error.
pub(crate) fn line(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes `text` to stdout as it is. A reader that has gone away is no error.
pub(crate) fn raw(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes `value` to stdout as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Writes a line to stderr.
pub(crate) fn note(text: &str) {
    // There is nowhere left to say that stderr is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Text from outside without control characters, which could write on the terminal what they like.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The last eight characters of an id: its front is the time.
pub(crate) fn short_end(id: &impl ToString) -> String {
    let text = id.to_string();
    text.get(text.len().saturating_sub(8)..)
        .unwrap_or(&text)
        .to_owned()
}

/// The first eight characters of a hash.
pub(crate) fn short(hash: &impl ToString) -> String {
    hash.to_string().chars().take(8).collect()
}

/// A column of a table.
pub(crate) enum Column {
    /// Words.
    Text(&'static str),
    /// Numbers, to the right.
    Number(&'static str),
}

/// A table without borders.
pub(crate) struct Sheet(Table);

impl Sheet {
    /// A table with these columns.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(columns.iter().map(|column| match column {
            Column::Text(name) | Column::Number(name) => *name,
        }));
        for (column, drawn) in columns.iter().zip(table.column_iter_mut()) {
            drawn.set_padding((0, COLUMN_GAP));
            if let Column::Number(_) = column {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(table)
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(|cell| clean(&cell)));
    }

    /// Prints the table, or `empty` on stderr when there is no row.
    pub(crate) fn print(&self, empty: &str) -> Result<()> {
        if self.0.is_empty() {
            note(empty);
            return Ok(());
        }
        line(&self.0.trim_fmt())
    }
}

/// Names with values below each other.
pub(crate) fn facts(facts: &[(&str, String)]) -> Result<()> {
    let width = facts.iter().map(|fact| fact.0.len()).max().unwrap_or(0);
    for (name, value) in facts {
        line(&format!("{name:width$}  {}", clean(value)))?;
    }
    Ok(())
}

/// A value that may not be known.
pub(crate) fn maybe<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

/// `yes` or `no`.
pub(crate) fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// `rwo` letters, with `-` for a right that is not there.
pub(crate) fn rights(read: bool, write: bool, owner: bool) -> String {
    let letter = |has, letter| if has { letter } else { '-' };
    [letter(read, 'r'), letter(write, 'w'), letter(owner, 'o')]
        .iter()
        .collect()
}

/// The waiting line on stderr; nothing when stderr is no terminal. Gone when dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    /// Begins to wait for `what`.
    pub(crate) fn new(what: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(clean(what));
        bar.enable_steady_tick(Duration::from_millis(SPINNER_TICK_MILLIS));
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(clean(what));
    }

    /// Makes room for whatever is written beside it.
    pub(crate) fn pause(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// Shows how far a job is: `line`, behind a bar when its whole is known.
    pub(crate) fn job(&self, progress: &Progress, line: &str) {
        if let Some(percent) = progress::percent(progress) {
            if self.0.length().is_none() {
                if let Ok(style) = ProgressStyle::with_template(JOB_TEMPLATE) {
                    self.0.set_style(style);
                }
                self.0.set_length(WHOLE_PERCENT);
            }
            self.0.set_position(u64::from(percent));
        }
        self.0.set_message(clean(line));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
