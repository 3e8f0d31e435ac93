//! Stories that are told once more on PostgreSQL: by one process, and by a process for each role that may do no
//! more in the database than `roles.sql` grants. Any other is by hand, with `STORM_TEST_STORE`.

use std::process::Command;

use anyhow::ensure;

use crate::libtest::{self, Report};

/// The environment variable that says which database a story's control plane has.
const VARIABLE: &str = "STORM_TEST_STORE";
/// The databases, and the stories for each: those in which most of the control plane is at work, and the fewest
/// that need a browser.
const AGAIN: [(&str, &[&str]); 2] = [
    (
        "postgres",
        &[
            "jobs::a_clearing_survives_kills_of_agent_and_control_plane",
            "kill_matrix::cancels::each_commit_of_a_cancel",
            "no_secret_at_the_control_plane::its_files_logs_and_memory_hold_none",
            "restored_backup::what_happened_since_comes_back_from_the_agent",
            "restored_role::a_backup_from_before_the_role_moved_is_restored",
            "revoked_agent::a_revoked_agent_is_turned_away",
        ],
    ),
    (
        "roles",
        &[
            "accounts::a_closing_goes_on_after_a_kill_and_leaves_nothing",
            "executor::the_role_is_handed_over",
            "people::two_accounts_of_one_platform_see_nothing_of_each_other",
            "reconciliation::an_adopted_bucket_has_its_quota_with_the_adoption",
            "restored_backup::a_backup_under_load_is_whole",
            "sign_up::from_nothing_to_the_first_bucket_where_sign_up_is_open",
            "usage::an_account_stays_within_its_limits",
        ],
    ),
];

/// Runs them. `command` runs stories, on a server for their databases.
pub(crate) fn run(command: impl Fn() -> Command) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for (store, names) in AGAIN {
        eprintln!("--- on {store}");
        let mut command = command();
        command.env(VARIABLE, store).arg("--exact").args(names);
        let found = libtest::run(&mut command, &mut std::io::stdout())?;
        let told = found.count.passed + found.count.failed;
        report += found;
        // A story that has another name by now would go untold.
        ensure!(
            told == u64::try_from(names.len())?,
            "{told} stories were told on {store} of {names:?}"
        );
    }
    Ok(report)
}
