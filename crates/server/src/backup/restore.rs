//! Putting a backup in place, where nothing is yet. It is read twice: all of it is verified before the
//! first thing is made. Cut off on the way, the same backup can be put there again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use secrecy::ExposeSecret as _;

use super::{
    FILES, TRUST,
    lock::Key,
    read::{Contents, Piece, open, verify},
};
use crate::{
    keys::{Files, make_private_dir, write_file},
    serve::unusable,
    store::{
        Place, StoreError,
        dump::{
            Source, Target,
            rows::{ROWS_AT_ONCE, insert, sum},
        },
    },
};

/// Restores the keys into `data` and the database into `place`.
pub(crate) async fn restore(
    file: &Path,
    key: &Key,
    data: &Path,
    place: &Place,
) -> anyhow::Result<Contents> {
    let contents =
        verify(file, key).with_context(|| format!("{} is not restored", file.display()))?;
    require_room(data, &contents)?;
    let made = Made::directories(data)?;
    let lock = Files::new(data).lock()?;
    match fill(file, key, place, data, &contents).await {
        Ok(()) => {}
        Err(error) => {
            drop(lock);
            made.undo(place);
            return Err(error);
        }
    }
    put(data, &contents, |name| name == TRUST)?;
    Ok(contents)
}

/// Files that are there already are those of a restoration of the same backup that was cut off.
fn require_room(data: &Path, contents: &Contents) -> anyhow::Result<()> {
    ensure!(
        !data.join(TRUST).exists(),
        "{} holds an installation: name another data_dir, for nothing is ever mixed with what is there",
        data.display()
    );
    for (name, _) in FILES {
        let path = data.join(name);
        if !path.exists() {
            continue;
        }
        let there = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let same = contents
            .files
            .get(name)
            .is_some_and(|text| text.expose_secret() == there);
        ensure!(
            same,
            "{} is there and is not the backup's: move it away, or name another data_dir",
            path.display()
        );
    }
    Ok(())
}

async fn fill(
    file: &Path,
    key: &Key,
    place: &Place,
    data: &Path,
    contents: &Contents,
) -> anyhow::Result<()> {
    let target = match Target::open(place, contents.head.schema).await {
        Ok(target) => target,
        Err(StoreError::Unsuitable(why)) => {
            if is_there(place, contents).await {
                return put(data, contents, |name| name != TRUST);
            }
            return Err(unusable(place, StoreError::Unsuitable(why)));
        }
        Err(error) => return Err(unusable(place, error)),
    };
    let target = load(file, key, target, contents).await?;
    // Whoever finds the database finds its keys.
    put(data, contents, |name| name != TRUST)?;
    target.commit().await?;
    Ok(())
}

/// Reads the backup again, into the database.
async fn load(
    file: &Path,
    key: &Key,
    mut target: Target,
    contents: &Contents,
) -> anyhow::Result<Target> {
    let mut reading = open(file, key)?;
    let mut table = None;
    let mut batch = vec![];
    loop {
        let piece = reading.next()?;
        if let (Some(Piece::Row(row)), true) = (&piece, batch.len() < ROWS_AT_ONCE) {
            batch.push(row.clone());
            continue;
        }
        if let Some(table) = &table {
            insert(&mut target.connection, table, &batch).await?;
        }
        batch.clear();
        match piece {
            Some(Piece::Row(row)) => batch.push(row),
            Some(Piece::Table(next)) => {
                ensure!(
                    target.tables.contains(&next),
                    "its table {} is not as schema {} has it",
                    next.name,
                    contents.head.schema
                );
                table = Some(next);
            }
            None => break,
        }
    }
    // Nobody has put another in its place meanwhile.
    ensure!(
        reading.contents()?.end == contents.end,
        "the backup changed meanwhile"
    );
    for table in target.tables.clone() {
        if let Some(sum) = contents.end.tables.get(&table.name) {
            target.require(&table, sum).await?;
        }
    }
    Ok(target)
}

/// Whether the database is the backup's already.
async fn is_there(place: &Place, contents: &Contents) -> bool {
    let compare = async {
        let mut source = Source::open(place).await?;
        let mut same = 0;
        for table in &source.tables {
            let sum = sum(&mut source.connection, table).await?;
            match contents.end.tables.get(&table.name) {
                Some(wanted) if *wanted == sum => same += 1,
                None if sum.rows == 0 => {}
                Some(_) | None => return Ok(false),
            }
        }
        Ok::<_, StoreError>(same == contents.end.tables.len())
    };
    compare.await.unwrap_or(false)
}

fn put(data: &Path, contents: &Contents, which: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for (name, mode) in FILES {
        if let Some(text) = contents.files.get(name).filter(|_| which(name)) {
            write_file(&data.join(name), text.expose_secret().as_bytes(), mode)?;
        }
    }
    Ok(())
}

/// What was made on the way, to be taken away again when it comes to nothing.
struct Made {
    data: PathBuf,
    directories: Vec<PathBuf>,
    had_database: bool,
    had: Vec<&'static str>,
}

impl Made {
    fn directories(data: &Path) -> anyhow::Result<Self> {
        let mut made = Self {
            data: data.to_owned(),
            directories: vec![],
            had_database: data.join("storm.db").exists(),
            had: vec![],
        };
        for directory in [data.to_owned(), data.join("keys")] {
            let is_new = !directory.exists();
            make_private_dir(&directory)?;
            if is_new {
                made.directories.push(directory);
            }
        }
        let there = |name: &&str| data.join(name).exists();
        made.had = FILES
            .map(|(name, _)| name)
            .into_iter()
            .filter(there)
            .collect();
        Ok(made)
    }

    fn undo(self, place: &Place) {
        for (name, _) in FILES {
            if !self.had.contains(&name) {
                let _ = fs::remove_file(self.data.join(name));
            }
        }
        if let (Place::File(file), false) = (place, self.had_database) {
            for end in ["", "-wal", "-shm"] {
                let mut name = file.clone().into_os_string();
                name.push(end);
                let _ = fs::remove_file(name);
            }
        }
        if self.directories.contains(&self.data) {
            let _ = fs::remove_file(self.data.join("lock"));
        }
        for directory in self.directories.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}
