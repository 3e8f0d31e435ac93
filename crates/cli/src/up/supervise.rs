//! Keeping everything up: whatever ends is started again.

use std::{convert::Infallible, time::Duration};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    fleet::{Event, Fleet},
    start::{Ground, Up},
};
use crate::output::note;

/// How often the logs are looked at.
const LOG_CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// How often it is asked whether everything answers again.
const RECOVERY_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Restarts parts until this is dropped.
pub(super) async fn supervise(
    ground: &Ground,
    up: &Up,
    fleet: &mut Fleet,
) -> anyhow::Result<Infallible> {
    let mut log_check = interval(LOG_CHECK_INTERVAL);
    log_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut recovering = false;
    loop {
        tokio::select! {
            event = fleet.next_event() => match event {
                Event::Ended(part, status) => {
                    recovering = true;
                    let why = fleet.obituary(part, status);
                    fleet.plan_restart(part, &why);
                }
                Event::Due(part) => if let Err(error) = fleet.restart(part) {
                    fleet.plan_restart(part, &format!("{error:#}."));
                },
            },
            () = until_answers(up), if recovering && fleet.pids().is_some() => {
                recovering = false;
                note("Everything answers again.");
                if let Err(error) = up.announce(ground, fleet) {
                    note(&format!("The ready file is out of date: {error:#}"));
                }
            }
            _ = log_check.tick() => fleet.bound_logs(),
        }
    }
}

async fn until_answers(up: &Up) {
    while !up.answers().await {
        sleep(RECOVERY_POLL_INTERVAL).await;
    }
}
