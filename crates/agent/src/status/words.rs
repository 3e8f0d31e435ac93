//! The status in words for a person.

use std::collections::BTreeMap;

use storm_protocol::ident::Micros;

use super::{ClockOffset, ConnectionState, InventoryStatus, Status, TrafficStatus};

/// An instant for a person.
pub(crate) fn instant(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(
        |_| "never".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// Bytes that the disk has to have left, or the agent can hardly write anything down.
const LITTLE_ROOM_BYTES: u64 = 1024 * 1024;

/// The status for a person; `running` says whether the agent that wrote it is there, `room_bytes` how
/// much the disk has left for its state.
pub(crate) fn describe(status: &Status, running: bool, room_bytes: u64) -> String {
    let mut lines = vec![
        (
            "agent",
            format!("{} in region {}", status.agent, status.region),
        ),
        ("version", status.agent_version.clone()),
    ];
    let connection = match (running, status.connection.state) {
        (false, _) => "not running".to_owned(),
        (true, ConnectionState::Connected) => format!("connected to {}", status.hub),
        (true, ConnectionState::Waiting | ConnectionState::Connecting) => {
            format!(
                "not connected to {}, attempt {}",
                status.hub,
                status.connection.attempts + 1
            )
        }
        (true, ConnectionState::Introducing) => format!("being registered at {}", status.hub),
        (true, ConnectionState::Stopped) => "stopping".to_owned(),
    };
    let since = if running {
        status.connection.since
    } else {
        status.written_at
    };
    lines.push(("state", format!("{connection}, since {}", instant(since))));
    if let Some(error) = &status.connection.last_error {
        lines.push(("last error", error.clone()));
    }
    if let Some(clock) = status.clock {
        lines.push(("clock", describe_clock(clock)));
    }
    let role = if status.executor {
        "executor"
    } else {
        "not the executor"
    };
    lines.push(("role", format!("{role}, epoch {}", status.epoch)));
    lines.push(("trust", format!("document {}", status.trust_serial)));
    if let Some(end) = status.certificate_expires_at {
        lines.push(("certificate", format!("until {}", instant(end))));
    }
    let receipts = format!(
        "{}, the control plane has {}",
        status.receipts, status.receipts_kept
    );
    lines.push(("receipts", receipts));
    if let Some(error) = &status.journal_error {
        lines.push(("journal", format!("no change is taken: {error}")));
    }
    if room_bytes < LITTLE_ROOM_BYTES {
        let words = format!(
            "full, {room_bytes} bytes left: no change is taken before there is room, and what stands \
             here may be old ({})",
            instant(status.written_at)
        );
        lines.push(("disk", words));
    }
    lines.push(("inventory", describe_inventory(&status.inventory)));
    if let Some(traffic) = &status.traffic {
        lines.push(("requests", describe_traffic(traffic)));
    }
    if let Some(version) = &status.garage_version {
        lines.push(("garage", version.clone()));
    }
    let counted = |counts: &BTreeMap<String, u64>| {
        let counts: Vec<_> = counts
            .iter()
            .map(|(code, n)| format!("{code} {n}"))
            .collect();
        if counts.is_empty() {
            "none".to_owned()
        } else {
            counts.join(", ")
        }
    };
    let mut refused = BTreeMap::new();
    for entry in &status.refused {
        *refused.entry(entry.code.clone()).or_default() += entry.count;
    }
    lines.push(("refused", format!("{} in the last hour", counted(&refused))));
    if !status.frames_refused.is_empty() {
        lines.push(("not understood", counted(&status.frames_refused)));
    }
    lines
        .into_iter()
        .map(|(name, value)| format!("{name:<15}{value}\n"))
        .collect()
}

fn describe_clock(clock: ClockOffset) -> String {
    let milliseconds = |micros: i64| micros as f64 / 1000.0;
    let side = if clock.offset_micros >= 0 {
        "behind"
    } else {
        "ahead of"
    };
    format!(
        "{:.2} ms {side} the hub's (within {:.2} ms)",
        milliseconds(clock.offset_micros.saturating_abs()),
        milliseconds(clock.round_trip_micros / 2),
    )
}

fn describe_inventory(inventory: &InventoryStatus) -> String {
    let swept = match inventory.swept_at {
        Some(at) => format!(
            "{} buckets, {} keys at {}",
            inventory.buckets,
            inventory.keys,
            instant(at)
        ),
        None => "not swept yet".to_owned(),
    };
    match &inventory.last_error {
        Some(error) => format!("{swept}; last attempt: {error}"),
        None => swept,
    }
}

fn describe_traffic(traffic: &TrafficStatus) -> String {
    let log = traffic.log.display();
    let mut words = match &traffic.problem {
        Some(problem) => format!("waiting for {log}: {problem}; {} counted", traffic.requests),
        None => format!("{} counted from {log}", traffic.requests),
    };
    for (count, what) in [
        (traffic.waiting, "sums not sent yet"),
        (traffic.unread_lines, "lines not understood"),
        (traffic.dropped, "dropped"),
    ] {
        if count > 0 {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    words
}
