//! Reading a backup, line by line, and believing nothing of it before its end.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read},
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use storm_protocol::ident::Digest;

use super::{End, FILES, FORMAT, Head, LEFT_OUT, Line, NEEDED, lock::Key};
use crate::store::dump::{
    newest_schema,
    rows::{Summing, Values, fits},
    schema::Table,
};

/// The longest line: no row comes near it.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
/// What is said of a file that does not come to its end as it should.
const DAMAGED: &str = "it is cut short or was changed";

/// What comes out of a backup, one after the other.
pub(crate) enum Piece {
    Table(Table),
    Row(Values),
}

/// A backup that was read to its end and is what it says.
pub(crate) struct Contents {
    pub(crate) head: Head,
    pub(crate) end: End,
    pub(crate) files: BTreeMap<&'static str, SecretString>,
}

/// A backup that is being read.
pub(crate) struct Reading<R: Read> {
    lines: BufReader<age::stream::StreamReader<R>>,
    head: Head,
    files: BTreeMap<&'static str, SecretString>,
    sums: BTreeMap<String, Summing>,
    table: Option<Table>,
    end: Option<End>,
}

/// Opens a backup.
pub(crate) fn open(file: &Path, key: &Key) -> anyhow::Result<Reading<BufReader<fs::File>>> {
    let input = fs::File::open(file).context("it cannot be read")?;
    Reading::begin(BufReader::new(input), key)
}

/// Reads a backup to its end.
pub(crate) fn verify(file: &Path, key: &Key) -> anyhow::Result<Contents> {
    let mut reading = open(file, key)?;
    while reading.next()?.is_some() {}
    reading.contents()
}

impl<R: Read> Reading<R> {
    fn begin(input: R, key: &Key) -> anyhow::Result<Self> {
        /// A newer format may have lines that this version cannot read.
        #[derive(Deserialize)]
        struct First {
            head: Format,
        }
        #[derive(Deserialize)]
        struct Format {
            format: u32,
            version: String,
        }
        let mut lines = BufReader::new(key.open(input)?);
        let text = line(&mut lines)?;
        let first: First = serde_json::from_slice(&text).context("it is no backup")?;
        let newer = || {
            format!(
                "version {} wrote it, which is newer than this one ({}): use that version",
                first.head.version,
                env!("CARGO_PKG_VERSION")
            )
        };
        ensure!(first.head.format <= FORMAT, newer());
        let Ok(Line::Head(head)) = serde_json::from_slice(&text) else {
            bail!(DAMAGED)
        };
        ensure!(head.schema <= newest_schema(), newer());
        Ok(Self {
            lines,
            head,
            files: BTreeMap::new(),
            sums: BTreeMap::new(),
            table: None,
            end: None,
        })
    }

    /// The next piece of the database; `None`: that was all, and all of it is right.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Piece>> {
        loop {
            let text = line(&mut self.lines)?;
            let read = serde_json::from_slice(&text).map_err(|_| anyhow::anyhow!(DAMAGED))?;
            match read {
                Line::File { name, text } if self.table.is_none() => self.keep(&name, text)?,
                Line::Table(table) => {
                    let left_out = LEFT_OUT.contains(&table.name.as_str());
                    let known = self.sums.insert(table.name.clone(), Summing::default());
                    ensure!(known.is_none() && !left_out, DAMAGED);
                    self.table = Some(table.clone());
                    return Ok(Some(Piece::Table(table)));
                }
                Line::Row(row) => {
                    let table = self.table.as_ref().context(DAMAGED)?;
                    ensure!(fits(table, &row), DAMAGED);
                    self.sums.get_mut(&table.name).context(DAMAGED)?.add(&row);
                    return Ok(Some(Piece::Row(row)));
                }
                Line::End(end) => {
                    self.finish(&end)?;
                    self.end = Some(end);
                    return Ok(None);
                }
                Line::Head(_) | Line::File { .. } => bail!(DAMAGED),
            }
        }
    }

    fn keep(&mut self, name: &str, text: String) -> anyhow::Result<()> {
        // No name leads out of the data directory.
        let known = FILES.iter().find(|(known, _)| *known == name);
        let (known, _) = known.context("it holds a file that is none of ours")?;
        let before = self.files.insert(known, SecretString::from(text));
        ensure!(before.is_none(), DAMAGED);
        Ok(())
    }

    /// Whether all is as the end says, and nothing follows.
    fn finish(&mut self, end: &End) -> anyhow::Result<()> {
        let sums = std::mem::take(&mut self.sums);
        let sums: BTreeMap<_, _> = sums
            .into_iter()
            .map(|(table, summing)| (table, summing.end()))
            .collect();
        let digests: BTreeMap<_, _> = self
            .files
            .iter()
            .map(|(name, text)| {
                (
                    (*name).to_owned(),
                    Digest::of(text.expose_secret().as_bytes()),
                )
            })
            .collect();
        ensure!(sums == end.tables && digests == end.files, DAMAGED);
        for (needed, _) in FILES.iter().take(NEEDED) {
            ensure!(digests.contains_key(*needed), "it lacks {needed}");
        }
        let after = self
            .lines
            .fill_buf()
            .map_err(|_| anyhow::anyhow!(DAMAGED))?;
        ensure!(after.is_empty(), DAMAGED);
        Ok(())
    }

    /// What was read, once its end was.
    pub(crate) fn contents(self) -> anyhow::Result<Contents> {
        Ok(Contents {
            head: self.head,
            end: self.end.context(DAMAGED)?,
            files: self.files,
        })
    }
}

/// One line, whole.
fn line<R: Read>(lines: &mut BufReader<age::stream::StreamReader<R>>) -> anyhow::Result<Vec<u8>> {
    let mut text = vec![];
    lines
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut text)
        .map_err(|_| anyhow::anyhow!(DAMAGED))?;
    ensure!(text.last() == Some(&b'\n'), DAMAGED);
    Ok(text)
}
