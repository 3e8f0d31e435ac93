//! A log and all that becomes of logs.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{CHUNK_BYTES, MAX_LINE_BYTES, Tail, Turn};
use crate::traffic::content::Position;

struct Log {
    folder: tempfile::TempDir,
    path: PathBuf,
    clock: Instant,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            path: folder.path().join("s3.json"),
            folder,
            clock: Instant::now(),
        }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, text: &str) {
        write(&self.path, text);
    }

    fn tail(&self) -> Tail {
        Tail::new(&self.path, Position::default())
    }

    /// Everything that there is to read now.
    fn read(&self, tail: &mut Tail) -> (String, Turn) {
        let (mut lines, mut whole) = (String::new(), Turn::default());
        loop {
            let turn = tail
                .read(self.clock, &mut |line| {
                    lines.push_str(&String::from_utf8_lossy(line));
                    lines.push(' ');
                })
                .unwrap();
            whole.broken_lines += turn.broken_lines;
            whole.lost_track |= turn.lost_track;
            if !turn.more {
                return (lines.trim_end().to_owned(), whole);
            }
        }
    }

    fn lines(&self, tail: &mut Tail) -> String {
        self.read(tail).0
    }

    /// So much later that a file which was moved away has been quiet for long enough.
    fn later(&mut self) {
        self.clock += Duration::from_secs(6);
    }

    fn move_away(&self, name: &str) {
        fs::rename(&self.path, self.beside(name)).unwrap();
    }

    fn copy_and_empty(&self, name: &str) {
        fs::copy(&self.path, self.beside(name)).unwrap();
        let log = OpenOptions::new().write(true).open(&self.path).unwrap();
        log.set_len(0).unwrap();
    }
}

fn write(path: &Path, text: &str) {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn lines_are_read_whole_however_they_are_written() {
    let log = Log::new();
    let mut tail = log.tail();
    let nothing = tail.read(log.clock, &mut |_| panic!("a line out of nothing"));
    assert_eq!(nothing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    log.write("on");
    assert_eq!(log.lines(&mut tail), "");
    log.write("e\n\ntwo\nthr");
    assert_eq!(log.lines(&mut tail), "one  two");
    assert_eq!(tail.position().offset, 9);
    log.write("ee\n");
    assert_eq!(log.lines(&mut tail), "three");
    // Another process goes on where this one was.
    log.write("four\n");
    let mut tail = Tail::new(&log.path, tail.position());
    assert_eq!(log.lines(&mut tail), "four");
}

#[test]
fn a_log_that_was_moved_away_is_read_to_its_end_before_the_next() {
    let mut log = Log::new();
    let mut tail = log.tail();
    log.write("one\n");
    assert_eq!(log.lines(&mut tail), "one");
    log.write("two\n");
    log.move_away("s3.json.1");
    log.write("three\n");
    assert_eq!(log.lines(&mut tail), "two");
    // A worker that has not heard of it yet.
    write(&log.beside("s3.json.1"), "late\n");
    log.later();
    assert_eq!(log.lines(&mut tail), "late");
    assert_eq!(log.lines(&mut tail), "");
    log.later();
    assert_eq!(log.lines(&mut tail), "three");
}

#[test]
fn a_log_that_was_moved_away_stays_until_there_is_another() {
    let mut log = Log::new();
    let mut tail = log.tail();
    log.write("one\n");
    assert_eq!(log.lines(&mut tail), "one");
    log.move_away("s3.json.1");
    assert_eq!(log.lines(&mut tail), "");
    log.later();
    assert!(tail.read(log.clock, &mut |_| {}).is_err());
    write(&log.beside("s3.json.1"), "two\nwithout end");
    assert_eq!(log.lines(&mut tail), "two");
    log.write("three\n");
    assert_eq!(log.lines(&mut tail), "");
    log.later();
    let (lines, turn) = log.read(&mut tail);
    assert_eq!((&*lines, turn.broken_lines), ("three", 1));
}

#[test]
fn what_was_not_read_of_a_log_that_was_emptied_is_read_from_its_copy() {
    let mut log = Log::new();
    let mut tail = log.tail();
    log.write("one\n");
    assert_eq!(log.lines(&mut tail), "one");
    log.write("two\n");
    write(&log.beside("s3.json.old"), "something else\n");
    write(&log.beside("other.json"), "one\ntwo\nnever\n");
    log.copy_and_empty("s3-2026.json");
    // More than there was before: by its length alone it cannot be told.
    log.write("three and more\n");
    assert_eq!(log.lines(&mut tail), "two");
    assert_eq!(log.lines(&mut tail), "");
    log.later();
    assert_eq!(log.lines(&mut tail), "three and more");
    assert_eq!(log.lines(&mut tail), "");
}

#[test]
fn a_rotation_that_nobody_saw_loses_nothing() {
    type Rotate = fn(&Log, &str);
    for rotate in [Log::move_away as Rotate, Log::copy_and_empty as Rotate] {
        let mut log = Log::new();
        let mut tail = log.tail();
        log.write("one\n");
        assert_eq!(log.lines(&mut tail), "one");
        let position = tail.position();
        drop(tail);
        log.write("two\n");
        rotate(&log, "s3.json.1");
        let mut tail = Tail::new(&log.path, position);
        assert_eq!(log.lines(&mut tail), "two");
        log.write("three\n");
        log.later();
        assert_eq!(log.lines(&mut tail), "");
        log.later();
        assert_eq!(log.lines(&mut tail), "three");
    }
}

#[test]
fn a_log_whose_rest_is_gone_begins_anew_and_says_so() {
    let log = Log::new();
    let mut tail = log.tail();
    log.write("one\n");
    assert_eq!(log.lines(&mut tail), "one");
    let position = tail.position();
    fs::remove_file(&log.path).unwrap();
    log.write("two\n");
    let mut tail = Tail::new(&log.path, position);
    let (lines, turn) = log.read(&mut tail);
    assert_eq!((&*lines, turn.lost_track), ("two", true));
}

#[test]
fn links_are_not_followed() {
    let log = Log::new();
    let secret = log.beside("secret");
    write(&secret, "one\ntwo\n");
    symlink(&secret, &log.path).unwrap();
    let error = log.tail().read(log.clock, &mut |_| panic!("read"));
    assert!(error.unwrap_err().to_string().contains("link"));
    // Nor when it looks like the rest of a log.
    fs::remove_file(&log.path).unwrap();
    let mut tail = log.tail();
    log.write("one\n");
    assert_eq!(log.lines(&mut tail), "one");
    fs::remove_file(&log.path).unwrap();
    symlink(&secret, log.beside("s3.json.1")).unwrap();
    log.write("three\n");
    let mut tail = Tail::new(&log.path, tail.position());
    let (lines, turn) = log.read(&mut tail);
    assert_eq!((&*lines, turn.lost_track), ("three", true));
    // A folder is no log either.
    let folder = log.folder.path();
    assert!(
        Tail::new(folder, Position::default())
            .read(log.clock, &mut |_| {})
            .is_err()
    );
}

#[test]
fn lines_that_are_too_long_are_passed_over() {
    let mut log = Log::new();
    for length in [
        MAX_LINE_BYTES + 1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES + 7,
        20 * CHUNK_BYTES,
    ] {
        let mut tail = log.tail();
        let name = format!("s3.json.{length}");
        log.write("before\n");
        log.write(&"x".repeat(length));
        assert_eq!(log.lines(&mut tail), "before", "{length}");
        log.write(&"x".repeat(length));
        assert_eq!(log.lines(&mut tail), "", "{length}");
        // A place in the middle of a line is never written down.
        assert_eq!(tail.position().offset, 7);
        log.write("\nafter\n");
        let (lines, turn) = log.read(&mut tail);
        assert_eq!((&*lines, turn.broken_lines), ("after", 1), "{length}");
        let mut again = log.tail();
        let (lines, turn) = log.read(&mut again);
        assert_eq!(
            (&*lines, turn.broken_lines),
            ("before after", 1),
            "{length}"
        );
        log.move_away(&name);
        log.later();
    }
    let longest = "y".repeat(MAX_LINE_BYTES);
    log.write(&format!("{longest}\n"));
    assert_eq!(log.lines(&mut log.tail()), longest);
}

#[test]
fn a_damaged_state_begins_at_the_end() {
    for (before, after) in [
        ("", "new\n"),
        ("old\nold\n", "new\n"),
        ("old\nn", "ew\n"),
        ("n", "ew\n"),
    ] {
        let log = Log::new();
        log.write(before);
        let mut tail = Tail::from_end(&log.path);
        assert_eq!(log.lines(&mut tail), "");
        log.write(after);
        assert_eq!(log.lines(&mut tail), "new", "{before:?}");
    }
    let log = Log::new();
    let mut tail = Tail::from_end(&log.path);
    assert!(tail.read(log.clock, &mut |_| {}).is_err());
    log.write("old\n");
    assert_eq!(log.lines(&mut tail), "");
    log.write("new\n");
    assert_eq!(log.lines(&mut tail), "new");
}
