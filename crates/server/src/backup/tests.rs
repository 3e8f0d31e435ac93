//! A backup comes back as it was, on either kind of database; one that is not whole leaves nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use age::x25519;
use secrecy::ExposeSecret as _;
use storm_protocol::ident::Micros;
use tempfile::TempDir;

use super::{
    FILES, LEFT_OUT, Line, TRUST,
    lock::{To, With, by_passphrase, by_recipient},
    restore::restore,
    write::write,
};
use crate::{
    clock::{Clock as _, SystemClock},
    keys::{Files, PublicTrust, make_missing},
    store::{
        Place, Store,
        dump::{self, Source, rows::sum},
    },
    testing::database,
};

const PASSPHRASE: &str = "correct horse battery staple";

/// A grown installation, and a place beside it.
struct Bench {
    dir: TempDir,
    data: PathBuf,
    to: To,
    with: With,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        make_missing(&Files::new(&data), None, SystemClock.now()).unwrap();
        dump::tests::filled(&Place::File(data.join("storm.db"))).await;
        let identity = x25519::Identity::generate();
        let file = secret(dir.path(), "identity", identity.to_string().expose_secret());
        let (to, with) = by_recipient(&identity.to_public().to_string(), &file);
        Self {
            dir,
            data,
            to,
            with,
        }
    }

    fn database(&self) -> Place {
        Place::File(self.data.join("storm.db"))
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("backup.age")
    }

    async fn back_up(&self) {
        let (place, file) = (self.database(), self.file());
        write(&self.data, &place, &file, &self.to, Micros(1))
            .await
            .unwrap();
    }

    async fn restore_to(&self, data: &Path, place: &Place) -> Result<(), String> {
        self.restore_with(&self.with, data, place).await
    }

    async fn restore_with(&self, with: &With, data: &Path, place: &Place) -> Result<(), String> {
        let key = with.key().map_err(|error| format!("{error:#}"))?;
        let done = restore(&self.file(), &key, data, place).await;
        done.map(drop).map_err(|error| format!("{error:#}"))
    }

    /// A restoration that is refused and leaves nothing.
    async fn refused(&self, with: &With) -> String {
        let data = self.dir.path().join("other");
        let place = Place::File(data.join("storm.db"));
        let words = self.restore_with(with, &data, &place).await.unwrap_err();
        assert!(!data.exists(), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        words
    }

    /// Makes a backup of other lines.
    fn forge(&self, change: impl FnOnce(&mut Vec<String>)) {
        let key = self.with.key().unwrap();
        let opened = key.open(fs::File::open(self.file()).unwrap()).unwrap();
        let text = std::io::read_to_string(opened).unwrap();
        let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        change(&mut lines);
        let out = fs::File::create(self.file()).unwrap();
        let mut out = self.to.encryptor().unwrap().wrap_output(out).unwrap();
        for line in lines {
            std::io::Write::write_all(&mut out, format!("{line}\n").as_bytes()).unwrap();
        }
        out.finish().unwrap();
    }
}

fn secret(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    fs::write(&file, format!("{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn require_same(here: &Place, there: &Place) {
    let mut here = Source::open(here).await.unwrap();
    let mut there = Source::open(there).await.unwrap();
    assert!(here.tables.len() > 40);
    for table in &here.tables {
        let ours = sum(&mut here.connection, table).await.unwrap();
        let theirs = sum(&mut there.connection, table).await.unwrap();
        assert!(ours.rows > 0, "{}", table.name);
        if LEFT_OUT.contains(&table.name.as_str()) {
            assert_eq!(theirs.rows, 0, "{}", table.name);
        } else {
            assert_eq!(ours, theirs, "{}", table.name);
        }
    }
}

#[tokio::test]
async fn it_comes_back_as_it_was() {
    let bench = Bench::new().await;
    bench.back_up().await;
    assert_eq!(mode(&bench.file()), 0o600);
    let beside = fs::read_dir(bench.dir.path()).unwrap().count();
    assert_eq!(beside, 3, "something was left beside it");
    let bytes = fs::read(bench.file()).unwrap();
    for plain in ["PRIVATE KEY", "users", "head"] {
        let found = bytes
            .windows(plain.len())
            .any(|part| part == plain.as_bytes());
        assert!(!found, "{plain}");
    }
    let (dir, other) = (tempfile::tempdir().unwrap(), bench.dir.path().join("other"));
    let there = match database(dir.path()).await {
        Place::File(_) => Place::File(other.join("storm.db")),
        server @ Place::Server(_) => server,
    };
    bench.restore_to(&other, &there).await.unwrap();
    require_same(&bench.database(), &there).await;
    for (name, wanted) in FILES.into_iter().take(6) {
        let (ours, theirs) = (bench.data.join(name), other.join(name));
        assert_eq!(
            fs::read(&ours).unwrap(),
            fs::read(&theirs).unwrap(),
            "{name}"
        );
        assert_eq!(mode(&theirs), wanted, "{name}");
    }
    assert_eq!((mode(&other), mode(&other.join("keys"))), (0o700, 0o700));
    // What `serve` does first.
    let files = Files::new(&other);
    assert!(!make_missing(&files, Some(&there), SystemClock.now()).unwrap());
    let ours = PublicTrust::load(&Files::new(&bench.data)).unwrap();
    assert_eq!(PublicTrust::load(&files).unwrap(), ours);
    Store::open(there.clone()).await.unwrap();
    let again = bench.restore_to(&other, &there).await.unwrap_err();
    assert!(again.contains("holds an installation"), "{again}");
}

#[tokio::test]
async fn a_passphrase_does_too_and_another_does_not() {
    let bench = Bench::new().await;
    let passphrase = secret(bench.dir.path(), "passphrase", PASSPHRASE);
    let (to, with) = by_passphrase(&passphrase);
    let bench = Bench { to, with, ..bench };
    bench.back_up().await;
    let wrong = secret(bench.dir.path(), "wrong", "correct horse battery stapler");
    let words = bench.refused(&by_passphrase(&wrong).1).await;
    assert!(words.contains("passphrase is wrong"), "{words}");
    let identity = x25519::Identity::generate();
    let identity = secret(
        bench.dir.path(),
        "stranger",
        identity.to_string().expose_secret(),
    );
    let words = bench.refused(&by_recipient("", &identity).1).await;
    assert!(words.contains("--passphrase-file"), "{words}");
    let other = bench.dir.path().join("there");
    let there = Place::File(other.join("storm.db"));
    bench.restore_to(&other, &there).await.unwrap();
    require_same(&bench.database(), &there).await;
    let short = secret(bench.dir.path(), "short", "short");
    let words = by_passphrase(&short).0.encryptor().err().unwrap();
    assert!(words.to_string().contains("16 characters"), "{words}");
}

#[tokio::test]
async fn one_that_is_not_whole_leaves_nothing() {
    let bench = Bench::new().await;
    bench.back_up().await;
    let identity = x25519::Identity::generate();
    let identity = secret(
        bench.dir.path(),
        "stranger",
        identity.to_string().expose_secret(),
    );
    let words = bench.refused(&by_recipient("", &identity).1).await;
    assert!(words.contains("identity is another"), "{words}");
    let whole = fs::read(bench.file()).unwrap();
    for cut in [whole.len() - 1, whole.len() / 2, 300, 20, 0] {
        fs::write(bench.file(), &whole[..cut]).unwrap();
        let words = bench.refused(&bench.with).await;
        assert!(words.contains("cut short"), "{cut}: {words}");
    }
    for at in [whole.len() - 1, whole.len() / 2, 190] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(bench.file(), changed).unwrap();
        let words = bench.refused(&bench.with).await;
        assert!(words.contains("changed"), "{at}: {words}");
    }
    let longer = [whole.as_slice(), b"x"].concat();
    fs::write(bench.file(), longer).unwrap();
    let words = bench.refused(&bench.with).await;
    assert!(words.contains("changed"), "{words}");
}

/// Whoever knows the recipient can write what decrypts. It still has to be a backup.
#[tokio::test]
async fn what_somebody_else_wrote_is_refused() {
    let bench = Bench::new().await;
    bench.back_up().await;
    let whole = fs::read(bench.file()).unwrap();
    let evil = |name: &str| {
        let line = Line::File {
            name: name.to_owned(),
            text: "x".to_owned(),
        };
        serde_json::to_string(&line).unwrap()
    };
    type Change = Box<dyn FnOnce(&mut Vec<String>)>;
    let changes: Vec<(&str, Change)> = vec![
        ("none of ours", {
            let line = evil("../../etc/cron.d/evil");
            Box::new(move |lines| lines.insert(1, line))
        }),
        ("none of ours", {
            let line = evil("keys/../trust.json");
            Box::new(move |lines| lines.insert(1, line))
        }),
        ("changed", {
            let line = evil("keys/second-factor.key");
            Box::new(move |lines| lines.insert(1, line))
        }),
        ("changed", Box::new(|lines| drop(lines.pop()))),
        (
            "changed",
            Box::new(|lines| drop(lines.remove(lines.len() / 2))),
        ),
        ("changed", Box::new(|lines| lines.push("{}".to_owned()))),
        (
            "newer",
            Box::new(|lines| {
                lines[0] = lines[0].replace("\"format\":1", "\"format\":2,\"more\":{}");
            }),
        ),
        (
            "newer",
            Box::new(|lines| {
                let ours = format!("\"schema\":{}", dump::newest_schema());
                lines[0] = lines[0].replace(&ours, "\"schema\":9999");
            }),
        ),
    ];
    for (wanted, change) in changes {
        fs::write(bench.file(), &whole).unwrap();
        bench.forge(change);
        let words = bench.refused(&bench.with).await;
        assert!(words.contains(wanted), "{words}");
    }
}

/// What an older version wrote goes into the tables as they were then; the first start brings them up to
/// date.
#[tokio::test]
async fn an_older_versions_is_restored() {
    /// The schema before the archive of operations, and the tables that came with it and after it.
    const SCHEMA: i64 = 28;
    const LATER: [&str; 4] = [
        "archived_operations",
        "epoch_claims",
        "region_hints",
        "terms",
    ];
    let bench = Bench::new().await;
    bench.back_up().await;
    bench.forge(|lines| {
        let ours = format!("\"schema\":{}", dump::newest_schema());
        assert!(lines[0].contains(&ours));
        lines[0] = lines[0].replace(&ours, &format!("\"schema\":{SCHEMA}"));
        let mut later = false;
        lines.retain(|line| {
            if line.starts_with("{\"table\"") {
                let is = |name: &&str| line.contains(&format!("\"name\":\"{name}\""));
                later = LATER.iter().any(is);
            }
            !later || line.starts_with("{\"end\"")
        });
        let mut end: serde_json::Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
        let tables = end["end"]["tables"].as_object_mut().unwrap();
        for name in LATER {
            tables.remove(name).unwrap();
        }
        lines.push(end.to_string());
    });
    let (dir, other) = (tempfile::tempdir().unwrap(), bench.dir.path().join("other"));
    let there = match database(dir.path()).await {
        Place::File(_) => Place::File(other.join("storm.db")),
        server @ Place::Server(_) => server,
    };
    bench.restore_to(&other, &there).await.unwrap();
    assert!(Source::open(&there).await.is_err(), "it is newer already");
    drop(Store::open(there.clone()).await.unwrap());
    let mut source = Source::open(&there).await.unwrap();
    for table in &source.tables {
        let rows = sum(&mut source.connection, table).await.unwrap().rows;
        let name = table.name.as_str();
        let left_out = LEFT_OUT.contains(&name) || LATER.contains(&name);
        assert_eq!(rows == 0, left_out, "{}", table.name);
    }
}

#[tokio::test]
async fn nothing_is_mixed_with_what_is_there() {
    let bench = Bench::new().await;
    bench.back_up().await;
    // Another backup under the same name.
    let twice = write(
        &bench.data,
        &bench.database(),
        &bench.file(),
        &bench.to,
        Micros(2),
    )
    .await;
    assert!(twice.unwrap_err().to_string().contains("is there already"));
    let (other, third) = (
        bench.dir.path().join("other"),
        bench.dir.path().join("third"),
    );
    let there = Place::File(bench.dir.path().join("there.db"));
    dump::tests::filled(&there).await;
    let change = "DELETE FROM sign_ups";
    let store = Store::open(there.clone()).await.unwrap();
    let mut writing = store
        .write(crate::store::Durability::Machine)
        .await
        .unwrap();
    sqlx::query(change).execute(&mut *writing).await.unwrap();
    writing.commit().await.unwrap();
    let words = bench.restore_to(&other, &there).await.unwrap_err();
    assert!(words.contains("not empty"), "{words}");
    assert!(!other.exists());
    let theirs = Files::new(&third);
    make_missing(&theirs, None, SystemClock.now()).unwrap();
    fs::remove_file(theirs.trust()).unwrap();
    let place = Place::File(third.join("storm.db"));
    let words = bench.restore_to(&third, &place).await.unwrap_err();
    assert!(words.contains("is not the backup's"), "{words}");
    let Place::File(file) = place else {
        unreachable!()
    };
    assert!(!file.exists());
}

#[tokio::test]
async fn cut_off_at_any_place_it_can_be_done_again() {
    let bench = Bench::new().await;
    bench.back_up().await;
    let other = bench.dir.path().join("other");
    let there = Place::File(other.join("storm.db"));
    bench.restore_to(&other, &there).await.unwrap();
    // Before the last file.
    fs::remove_file(other.join(TRUST)).unwrap();
    bench.restore_to(&other, &there).await.unwrap();
    // Before the database.
    for name in [TRUST, "storm.db", "storm.db-wal", "storm.db-shm"] {
        let _ = fs::remove_file(other.join(name));
    }
    bench.restore_to(&other, &there).await.unwrap();
    require_same(&bench.database(), &there).await;
}
