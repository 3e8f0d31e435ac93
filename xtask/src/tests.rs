//! `cargo xtask test`: every check there is, in the order in which a mistake shows soonest.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use test_postgres::Postgres;

use crate::{
    again, boundaries,
    cargo::{self, Built, Test},
    checkout, garage, generate,
    libtest::{self, Count, Report},
    met::Met,
    step::step,
    tools, web,
};

/// The program with the server's unit tests.
const SERVER: &str = "storm-buckets storm-buckets";

/// What to test.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Leave the end-to-end stories out.
    pub(crate) fast: bool,
    /// Garage's program.
    pub(crate) garage: Option<PathBuf>,
    /// Only tests whose names contain this.
    pub(crate) filter: Option<String>,
}

/// Runs everything, also after a failure, and says the count. A check that is no test counts when
/// it fails.
pub(crate) fn run(wish: &Wish) -> anyhow::Result<ExitCode> {
    step("Rust tools", tools::need_rust_components)?;
    let garage = if wish.fast {
        None
    } else {
        step("S3 clients", tools::need_clients)?;
        web::need_test_packages()?;
        Some(garage::find_or_build(wish.garage.clone())?)
    };
    web::build()?;

    let mut report = Report::default();
    let found = check(&mut report, step("Web tests", web::test));
    report += found.unwrap_or_default();
    check(&mut report, step("Format", cargo::check_format));
    check(&mut report, step("Boundaries", boundaries::check));
    if let Some(built) = check(&mut report, cargo::build()) {
        check(
            &mut report,
            step("Generated files", || generate::run(&built, true)),
        );
        let (stories, units): (Vec<_>, Vec<_>) = built.tests.iter().partition(|test| test.is_story);
        let (server, others): (Vec<_>, Vec<_>) = units.iter().partition(|test| test.name == SERVER);
        let found = step("Unit tests", || run_tests(&others, wish, &built, None));
        let found = check(&mut report, found);
        report += found.unwrap_or_default();
        let found = step("Server's unit tests on SQLite", || {
            run_server(&server, wish, &built, None)
        });
        let found = check(&mut report, found);
        report += found.unwrap_or_default();
        if !wish.fast {
            let found = step("Server's unit tests on PostgreSQL", || {
                let postgres = Postgres::start_without_disk()?;
                run_server(&server, wish, &built, Some(&postgres))
            });
            let found = check(&mut report, found);
            report += found.unwrap_or_default();
        }
        if let Some(garage) = garage {
            let found = step("Stories", || {
                run_tests(&stories, wish, &built, Some(&garage))
            });
            let found = check(&mut report, found);
            report += found.unwrap_or_default();
            if wish.filter.is_none() {
                let found = step("Stories on PostgreSQL", || {
                    tell_again(&stories, wish, &built, &garage)
                });
                let found = check(&mut report, found);
                report += found.unwrap_or_default();
            }
        }
    }
    let Count { passed, failed } = report.count;
    print!("{}", report.reasons);
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says an error and counts it.
fn check<T>(report: &mut Report, outcome: anyhow::Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            *report += Report::FAILURE;
            None
        }
    }
}

/// The server's own tests, with their databases in files or on a PostgreSQL server.
fn run_server(
    server: &[&Test],
    wish: &Wish,
    built: &Built,
    postgres: Option<&Postgres>,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for test in server {
        let mut command = test_command(test, wish, built);
        let mut database = "sqlite";
        if let Some(postgres) = postgres {
            command.env(test_postgres::VARIABLE, postgres.url());
            database = "postgresql";
        }
        let met = Met::of(&mut command, database)?;
        report += libtest::run(&mut command, &mut std::io::stdout())?;
        if wish.filter.is_none() {
            check(&mut report, met.check());
        }
    }
    Ok(report)
}

fn run_tests(
    tests: &[&Test],
    wish: &Wish,
    built: &Built,
    garage: Option<&PathBuf>,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    // Stories that run on one make databases of their own there.
    let postgres = garage.map(|_| Postgres::start_without_disk()).transpose()?;
    for test in tests {
        eprintln!("--- {}", test.name);
        let mut command = test_command(test, wish, built);
        if let Some(garage) = garage {
            command.env("STORM_GARAGE", garage);
        }
        if let Some(postgres) = &postgres {
            command.env(test_postgres::VARIABLE, postgres.url());
        }
        report += libtest::run(&mut command, &mut std::io::stdout())?;
    }
    Ok(report)
}

/// Some of the stories once more, with their databases on a PostgreSQL server.
fn tell_again(
    stories: &[&Test],
    wish: &Wish,
    built: &Built,
    garage: &PathBuf,
) -> anyhow::Result<Report> {
    let postgres = Postgres::start_without_disk()?;
    let mut report = Report::default();
    for test in stories {
        report += again::run(|| {
            let mut command = test_command(test, wish, built);
            command
                .env("STORM_GARAGE", garage)
                .env(test_postgres::VARIABLE, postgres.url());
            command
        })?;
    }
    Ok(report)
}

fn test_command(test: &Test, wish: &Wish, built: &Built) -> Command {
    let mut command = checkout::command(&test.program);
    command
        .current_dir(&test.folder)
        .env("CARGO_MANIFEST_DIR", &test.folder)
        .env("STORM_BIN_DIR", &built.programs)
        // The words say it; thirty frames a failure would bury them.
        .env("RUST_BACKTRACE", "0")
        .args(wish.filter.as_ref());
    command
}
