//! A hundred thousand requests, written, rotated, counted and shipped while the agent is killed again
//! and again: each counts once.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use storm_protocol::{
    frame::{MethodClass, TrafficFrame},
    ident::Micros,
};

use super::{Counter, SAVE_SECONDS, Seen};
use crate::{
    config::{LogFormat, TrafficConfig},
    state::StateDir,
};

/// Requests of the long run.
const LINES: u64 = 100_000;
const NOW: Micros = Micros(1_764_067_806_250_000);

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

type Counts = BTreeMap<(Micros, String, MethodClass, u8), (u64, u64, u64)>;

/// The control plane: takes each frame once.
#[derive(Default)]
struct Hub {
    stored: u64,
    counts: Counts,
}

impl Hub {
    fn take(&mut self, frame: &TrafficFrame) -> u64 {
        if frame.sequence > self.stored {
            self.stored = frame.sequence;
            for sum in &frame.sums {
                let place = (sum.minute, sum.bucket.to_string(), sum.method, sum.status);
                let count = self.counts.entry(place).or_default();
                count.0 += sum.requests;
                count.1 += sum.received_bytes;
                count.2 += sum.sent_bytes;
            }
        }
        self.stored
    }

    fn requests(&self) -> u64 {
        self.counts.values().map(|count| count.0).sum()
    }
}

struct Scene {
    config: TrafficConfig,
    state: StateDir,
    counter: Counter,
    hub: Hub,
    now: Micros,
    clock: Instant,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(format: LogFormat) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = TrafficConfig {
            log: folder.path().join("access.log"),
            format,
            s3_hosts: vec!["s3.example.org".to_owned()],
            website_hosts: vec!["web.example.org".to_owned()],
        };
        let state = StateDir::create(&folder.path().join("state")).unwrap();
        Self {
            counter: Counter::open(&config, state.clone()),
            config,
            state,
            hub: Hub::default(),
            now: NOW,
            clock: Instant::now(),
            folder,
        }
    }

    fn write(&self, bytes: &[u8]) {
        append(&self.config.log, bytes);
    }

    fn pass(&mut self, seconds: u64) {
        self.clock += Duration::from_secs(seconds);
        self.now = self.now.plus_seconds(i64::try_from(seconds).unwrap());
    }

    fn kill(&mut self) {
        self.counter = Counter::open(&self.config, self.state.clone());
    }

    fn read(&mut self) {
        while self.counter.read(self.now, self.clock).unwrap_or(false) {}
    }

    /// Ships what is over.
    fn ship(&mut self) {
        loop {
            self.counter.next_frame(self.now, self.clock).unwrap();
            let Some(frame) = self.counter.frame() else {
                return;
            };
            let kept = self.hub.take(frame);
            self.counter.kept(kept, self.clock);
        }
    }

    /// All that was written is read, counted, shipped and written down.
    fn catch_up(&mut self) {
        for _ in 0..3 {
            self.read();
            self.counter.next_frame(self.now, self.clock).unwrap();
            self.pass(SAVE_SECONDS + 1);
        }
        self.counter.next_frame(self.now, self.clock).unwrap();
    }

    /// Requests that were counted, wherever they are.
    fn known(&self) -> u64 {
        let sums: Vec<_> = self.counter.state.sums.clone().into();
        let frame = self.counter.state.frame.iter();
        let on_its_way = frame
            .filter(|frame| frame.sequence > self.hub.stored)
            .flat_map(|frame| &frame.sums);
        let waiting: u64 = sums.iter().chain(on_its_way).map(|sum| sum.requests).sum();
        self.hub.requests() + waiting
    }

    fn finish(&mut self) {
        self.catch_up();
        self.pass(120);
        self.ship();
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// A line, and what it counts as.
fn line(dice: &mut Dice, format: LogFormat, number: u64, counts: &mut Counts) -> String {
    let back = i64::try_from(dice.roll(3 * 3600)).unwrap();
    let at = Micros(NOW.0 - NOW.0.rem_euclid(Micros::SECOND)).plus_seconds(-back);
    let (method, class) = [
        ("GET", MethodClass::Read),
        ("HEAD", MethodClass::Read),
        ("PUT", MethodClass::Write),
        ("POST", MethodClass::Write),
        ("DELETE", MethodClass::Delete),
        ("OPTIONS", MethodClass::Other),
    ][usize::try_from(dice.roll(6)).unwrap()];
    let status = [200, 206, 304, 403, 404, 500][usize::try_from(dice.roll(6)).unwrap()];
    let (bucket, sent) = (format!("bucket-{}", dice.roll(15)), dice.roll(1_000_000));
    let vhost = dice.roll(4) == 0;
    let host = if vhost {
        format!("{bucket}.s3.example.org")
    } else {
        "s3.example.org".to_owned()
    };
    let uri = if vhost {
        format!("/o/{number}?sig=secret")
    } else {
        format!("/{bucket}/o/{number}?sig=secret")
    };
    let received = match format {
        LogFormat::Caddy => dice.roll(1000),
        LogFormat::Nginx => 0,
    };
    let minute = Micros(at.0 - at.0.rem_euclid(60 * Micros::SECOND));
    let count = counts
        .entry((minute, bucket, class, u8::try_from(status / 100).unwrap()))
        .or_default();
    count.0 += 1;
    count.1 += received;
    count.2 += sent;
    match format {
        LogFormat::Caddy => format!(
            "{{\"ts\":{}.0,\"logger\":\"http.log.access\",\"request\":{{\"remote_ip\":\"192.0.2.9\",\
             \"method\":\"{method}\",\"host\":\"{host}\",\"uri\":\"{uri}\"}},\"bytes_read\":{received},\
             \"size\":{sent},\"status\":{status}}}\n",
            at.0 / Micros::SECOND
        ),
        LogFormat::Nginx => {
            let time = jiff::Timestamp::from_microsecond(at.0).unwrap();
            let time = time.strftime("%d/%b/%Y:%H:%M:%S +0000");
            format!(
                "{host} 192.0.2.9 - - [{time}] \"{method} {uri} HTTP/1.1\" {status} {sent} \"-\" \"x\"\n"
            )
        }
    }
}

fn long_run(format: LogFormat, seed: u64) {
    let mut dice = Dice(seed);
    let mut scene = Scene::new(format);
    let mut expected = Counts::new();
    let (mut written, mut rotations, mut kills) = (1, 0, 0);
    // What it never saw before it was rotated away is no part of its log.
    scene.write(line(&mut dice, format, 0, &mut expected).as_bytes());
    scene.read();
    scene.counter.next_frame(scene.now, scene.clock).unwrap();
    while written < LINES {
        let mut chunk = String::new();
        for _ in 0..=dice.roll(40) {
            chunk.push_str(&line(&mut dice, format, written, &mut expected));
            written += 1;
        }
        // The writer is seen in the middle of a line.
        let cut = usize::try_from(dice.roll(chunk.len() as u64)).unwrap();
        let (first, second) = chunk.as_bytes().split_at(cut);
        scene.write(first);
        if dice.roll(3) == 0 {
            scene.read();
        }
        scene.write(second);
        match dice.roll(40) {
            0..20 => scene.read(),
            20..30 => scene.counter.next_frame(scene.now, scene.clock).unwrap(),
            // The frame arrives, its acknowledgement does not.
            30..33 => {
                if let Some(frame) = scene.counter.frame() {
                    scene.hub.take(frame);
                }
            }
            33..36 => scene.ship(),
            36 => {
                kills += 1;
                scene.kill();
            }
            37 => scene.pass(dice.roll(4)),
            _ => {}
        }
        if dice.roll(100) == 0 {
            rotations += 1;
            let old = scene.folder.path().join(format!("access.log.{rotations}"));
            if dice.roll(2) == 0 {
                fs::rename(&scene.config.log, old).unwrap();
            } else {
                fs::copy(&scene.config.log, old).unwrap();
                fs::write(&scene.config.log, "").unwrap();
            }
            if dice.roll(2) == 0 {
                scene.kill();
            }
            // Two rotations within one unread file are more than is promised.
            scene.write(line(&mut dice, format, written, &mut expected).as_bytes());
            written += 1;
            scene.catch_up();
            assert_eq!(scene.known(), written, "after rotation {rotations}");
        }
    }
    assert!(
        rotations > 10 && kills > 10,
        "{rotations} rotations, {kills} kills"
    );
    scene.finish();
    assert_eq!(scene.hub.requests(), written);
    assert!(scene.hub.counts == expected, "some count is another");
    assert_eq!(scene.counter.waiting(), 0);
    let state = fs::read_to_string(scene.state.file("traffic.json")).unwrap();
    for private in ["192.0.2.9", "sig=secret", "/o/"] {
        assert!(!state.contains(private), "{private} is in the state");
    }
}

#[test]
fn each_of_many_requests_in_caddys_log_counts_once() {
    long_run(LogFormat::Caddy, 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn each_of_many_requests_in_nginxs_log_counts_once() {
    long_run(LogFormat::Nginx, 0xd1b5_4a32_d192_ed03);
}

/// A request to photos at the present instant.
fn photo(scene: &Scene) -> Vec<u8> {
    let at = scene.now.0 / Micros::SECOND;
    let mut text = String::new();
    write!(
        text,
        "{{\"ts\":{at},\"request\":{{\"method\":\"GET\",\"host\":\"s3.example.org\",\"uri\":\"/photos/a\"}},\
         \"size\":5,\"status\":200}}"
    )
    .unwrap();
    text.push('\n');
    text.into_bytes()
}

#[test]
fn the_first_frame_says_that_requests_are_counted_and_none_does_before_there_is_a_log() {
    let mut scene = Scene::new(LogFormat::Caddy);
    assert!(scene.counter.read(scene.now, scene.clock).is_err());
    scene.counter.next_frame(scene.now, scene.clock).unwrap();
    assert_eq!(scene.counter.frame(), None);
    scene.write(b"");
    scene.read();
    scene.counter.next_frame(scene.now, scene.clock).unwrap();
    let first = TrafficFrame {
        sequence: 1,
        sums: vec![],
    };
    assert_eq!(scene.counter.frame(), Some(&first));
    // It comes again, under its number, until it is acknowledged; then never.
    scene.kill();
    assert_eq!(scene.counter.frame(), Some(&first));
    scene.ship();
    scene.kill();
    scene.ship();
    scene.pass(SAVE_SECONDS);
    scene.ship();
    scene.kill();
    assert_eq!(scene.counter.frame(), None);
}

#[test]
fn whatever_stands_in_a_log_is_passed_over_and_counted_as_such() {
    let mut scene = Scene::new(LogFormat::Caddy);
    let long = vec![b'{'; 100_000];
    for garbage in [
        b"\xff\xfe\0\x01",
        b"{\"ts\":1e999,\"request\":{},\"size\":1,\"status\":200}".as_slice(),
        b"[[[[[[[[",
        b"",
        &long,
        b"s3.example.org 192.0.2.9 - - [",
    ] {
        scene.write(garbage);
        scene.write(b"\n");
        let photo = photo(&scene);
        scene.write(&photo);
    }
    scene.write(b"{\"ts\":1,\"logger\":\"http.log.error\"}\n");
    scene.finish();
    assert_eq!(scene.hub.requests(), 6);
    let seen = Seen {
        requests: 6,
        other_lines: 1,
        unread_lines: 6,
        dropped: 0,
    };
    assert_eq!(scene.counter.seen, seen);
}

#[test]
fn an_agent_without_its_state_goes_on_after_what_the_control_plane_has() {
    let mut scene = Scene::new(LogFormat::Caddy);
    for _ in 0..3 {
        let photo = photo(&scene);
        scene.write(&photo);
        scene.finish();
    }
    assert_eq!((scene.hub.requests(), scene.hub.stored), (3, 4));
    // Nobody knows what was counted: what is in the log by now is left out.
    fs::write(scene.state.file("traffic.json"), "{").unwrap();
    scene.kill();
    scene.read();
    let photo = photo(&scene);
    scene.write(&photo);
    scene.finish();
    assert_eq!((scene.hub.requests(), scene.hub.stored), (4, 6));
    scene.kill();
    scene.ship();
    assert_eq!((scene.hub.requests(), scene.hub.stored), (4, 6));
}

#[test]
fn another_log_is_counted_from_its_beginning() {
    let mut scene = Scene::new(LogFormat::Caddy);
    let photo = photo(&scene);
    scene.write(&photo);
    scene.finish();
    scene.config.log = scene.folder.path().join("other.json");
    scene.write(&photo);
    scene.write(&photo);
    scene.kill();
    scene.finish();
    assert_eq!(scene.hub.requests(), 3);
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    let mut scene = Scene::new(LogFormat::Caddy);
    let photo = photo(&scene);
    scene.write(&photo);
    scene.read();
    // Root writes anywhere, but not over a folder.
    let state: PathBuf = scene.state.file("traffic.json");
    fs::create_dir(&state).unwrap();
    scene.pass(120);
    assert!(scene.counter.next_frame(scene.now, scene.clock).is_err());
    assert_eq!(scene.counter.frame(), None);
    fs::remove_dir(&state).unwrap();
    scene.ship();
    assert_eq!(scene.hub.requests(), 1);
}
