//! What the process takes, as the system counts it, under the names that all programs use.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use rustix::param::{clock_ticks_per_second, page_size};

/// Reads `/proc/self` when asked. What cannot be read is left out.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(seconds) = cpu_seconds() {
            let help = "Seconds of processor time, user and system";
            write_counter(&mut encoder, "process_cpu_seconds", help, seconds)?;
        }
        if let Some(bytes) = resident_bytes() {
            let help = "Bytes of memory that are in use";
            write_gauge(&mut encoder, "process_resident_memory_bytes", help, bytes)?;
        }
        if let Some(open) = open_files() {
            let help = "File descriptors that are open";
            write_gauge(&mut encoder, "process_open_fds", help, open)?;
        }
        Ok(())
    }
}

fn write_counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: f64,
) -> fmt::Result {
    let metric = ConstCounter::new(value);
    let place = encoder.encode_descriptor(name, help, None, EncodeMetric::metric_type(&metric))?;
    metric.encode(place)
}

fn write_gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> fmt::Result {
    let metric = ConstGauge::new(value);
    let place = encoder.encode_descriptor(name, help, None, EncodeMetric::metric_type(&metric))?;
    metric.encode(place)
}

fn cpu_seconds() -> Option<f64> {
    /// Where `utime` stands behind the program's name, which may hold spaces; `stime` is next (proc_pid_stat(5)).
    const UTIME: usize = 11;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks = behind_name.split_ascii_whitespace().skip(UTIME).take(2);
    let ticks: u32 = ticks
        .map(|field| field.parse::<u32>().ok())
        .sum::<Option<u32>>()?;
    let a_second = u32::try_from(clock_ticks_per_second()).ok()?;
    Some(f64::from(ticks) / f64::from(a_second))
}

fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * u64::try_from(page_size()).ok()?)
}

fn open_files() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // The folder itself was one of them.
    u64::try_from(count).ok()?.checked_sub(1)
}
