//! `job.cancel`: marks the job in the journal, so that the next process knows it too, then stops it at
//! its next step. Garage is not called.

use storm_protocol::{command::JobCancel, error::Failure, result::JobCancelled};

use super::Stop;
use crate::engine::Run;

pub(super) async fn execute(run: &mut Run, p: &JobCancel) -> Result<JobCancelled, Stop> {
    let actor = &run.entry.actor;
    if run.inner.cancel_job(p.operation, actor).await? {
        Ok(JobCancelled {
            operation: p.operation,
        })
    } else {
        // The same for a job of another account: it does not exist for this one.
        Err(Stop::because(Failure::TooLate))
    }
}
