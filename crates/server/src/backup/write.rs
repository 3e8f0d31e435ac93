//! Making a backup, of a server that may be running: all of the database is as it was at one instant.

use std::{
    fs,
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use age::stream::StreamWriter;
use anyhow::{Context as _, ensure};
use futures_util::TryStreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::ident::{Digest, Micros};

use super::{End, FILES, FORMAT, Head, LEFT_OUT, Line, NEEDED, lock::To};
use crate::{
    keys::{Files, PublicTrust, read_secret},
    serve::unusable,
    store::{
        Place,
        dump::{
            Source,
            rows::{Summing, rows},
        },
        sql::view,
    },
};

/// Writes a backup to a new file. It stands there whole, on disk, or not at all.
pub(crate) async fn write(
    data: &Path,
    place: &Place,
    file: &Path,
    to: &To,
    now: Micros,
) -> anyhow::Result<(Head, End)> {
    ensure!(
        !file.exists(),
        "{} is there already: name a new file",
        file.display()
    );
    let encryptor = to.encryptor()?;
    let new = Unfinished::make(file)?;
    let written = |error: std::io::Error| {
        anyhow::Error::new(error).context(format!("{} cannot be written", file.display()))
    };
    let out = BufWriter::new(new.file.try_clone().map_err(written)?);
    let mut lines = Lines(encryptor.wrap_output(out).map_err(written)?);
    let said = all(&mut lines, data, place, now).await?;
    lines
        .0
        .finish()
        .and_then(|mut out| out.flush())
        .map_err(written)?;
    new.put_in_place(file).map_err(written)?;
    Ok(said)
}

async fn all<W: Write>(
    lines: &mut Lines<W>,
    data: &Path,
    place: &Place,
    now: Micros,
) -> anyhow::Result<(Head, End)> {
    let trust = PublicTrust::load(&Files::new(data))?;
    let mut source = Source::open(place)
        .await
        .map_err(|error| unusable(place, error))?;
    let head = Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        database: source.database().to_owned(),
        schema: source.schema,
        root_key: trust.root_key.id(),
    };
    lines.add(&Line::Head(head.clone()))?;
    let mut view = view(&mut source.connection).await?;
    // The instant of a view is that of its first query.
    sqlx::query("SELECT COUNT(*) FROM users")
        .execute(&mut *view)
        .await?;
    let mut end = End::default();
    // After that instant: what the database refers to has its key.
    for (at, (name, _)) in FILES.iter().enumerate() {
        if let Some(text) = read(&data.join(name), at < NEEDED)? {
            end.files.insert(
                (*name).to_owned(),
                Digest::of(text.expose_secret().as_bytes()),
            );
            lines.add(&Line::File {
                name: (*name).to_owned(),
                text: text.expose_secret().to_owned(),
            })?;
        }
    }
    for table in &source.tables {
        if LEFT_OUT.contains(&table.name.as_str()) {
            continue;
        }
        lines.add(&Line::Table(table.clone()))?;
        let mut summing = Summing::default();
        let mut rows = std::pin::pin!(rows(&mut view, table));
        while let Some(row) = rows.try_next().await? {
            summing.add(&row);
            lines.add(&Line::Row(row))?;
        }
        end.tables.insert(table.name.clone(), summing.end());
    }
    lines.add(&Line::End(end.clone()))?;
    Ok((head, end))
}

/// Reads a file of the data directory; `None`: it is not there and need not be.
fn read(path: &Path, needed: bool) -> anyhow::Result<Option<SecretString>> {
    if !needed && !path.exists() {
        return Ok(None);
    }
    let private = path.parent().is_some_and(|parent| parent.ends_with("keys"));
    if private {
        return read_secret(path).map(Some);
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Some(SecretString::from(text)))
}

struct Lines<W: Write>(StreamWriter<W>);

impl<W: Write> Lines<W> {
    fn add(&mut self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let written = self.0.write_all(&text);
        zeroize::Zeroize::zeroize(&mut text);
        written.context("the backup cannot be written")
    }
}

/// A file beside the one that it will be; gone with this unless put in place.
struct Unfinished {
    path: PathBuf,
    file: fs::File,
}

impl Unfinished {
    fn make(file: &Path) -> anyhow::Result<Self> {
        let mut name = file.file_name().context("--to names no file")?.to_owned();
        name.push(".unfinished");
        let path = file.with_file_name(name);
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| {
                format!(
                    "{} cannot be made (if it is there, it is of a backup that still runs or was cut off: \
                     delete it in that case)",
                    path.display()
                )
            })?;
        Ok(Self { path, file })
    }

    fn put_in_place(self, file: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        // Unlike a renaming it never replaces what somebody has put there meanwhile.
        fs::hard_link(&self.path, file)?;
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        fs::File::open(directory)?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
