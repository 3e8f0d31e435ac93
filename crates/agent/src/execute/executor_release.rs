//! `executor.release`: no call to Garage. The commit of its receipt raises the agent's own epoch, so
//! that whatever is still on its way for the one that ends is refused, after a restart too.

use storm_protocol::{command::ExecutorRelease, result::ExecutorReleased};

use super::Stop;
use crate::engine::Run;

pub(super) async fn execute(run: &mut Run, _p: &ExecutorRelease) -> Result<ExecutorReleased, Stop> {
    run.leave_role().await?;
    Ok(ExecutorReleased {
        epoch: run.entry.epoch,
    })
}
