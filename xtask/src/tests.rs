//! `cargo xtask test`: every check there is, in the order in which a mistake shows soonest.

use std::{path::PathBuf, process::ExitCode};

use crate::{
    boundaries,
    cargo::{self, Built, Test},
    checkout, garage, generate,
    libtest::{self, Count},
    step::step,
    tools, web,
};

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

    let mut count = Count::default();
    let found = check(&mut count, step("Web tests", web::test));
    count += found.unwrap_or_default();
    check(&mut count, step("Format", cargo::check_format));
    check(&mut count, step("Boundaries", boundaries::check));
    if let Some(built) = check(&mut count, cargo::build()) {
        check(
            &mut count,
            step("Generated files", || generate::run(&built, true)),
        );
        let (stories, units): (Vec<_>, Vec<_>) = built.tests.iter().partition(|test| test.is_story);
        let found = step("Unit tests", || run_tests(&units, wish, &built, None));
        let found = check(&mut count, found);
        count += found.unwrap_or_default();
        if let Some(garage) = garage {
            let found = step("Stories", || {
                run_tests(&stories, wish, &built, Some(&garage))
            });
            let found = check(&mut count, found);
            count += found.unwrap_or_default();
        }
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    Ok(if count.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says an error and counts it.
fn check<T>(count: &mut Count, outcome: anyhow::Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            *count += Count::FAILURE;
            None
        }
    }
}

fn run_tests(
    tests: &[&Test],
    wish: &Wish,
    built: &Built,
    garage: Option<&PathBuf>,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    for test in tests {
        eprintln!("--- {}", test.name);
        let mut command = checkout::command(&test.program);
        command
            .current_dir(&test.folder)
            .env("CARGO_MANIFEST_DIR", &test.folder);
        command.env("STORM_BIN_DIR", &built.programs);
        if let Some(garage) = garage {
            command.env("STORM_GARAGE", garage);
        }
        command.args(wish.filter.as_ref());
        count += libtest::run(&mut command, &mut std::io::stdout())?;
    }
    Ok(count)
}
