//! The crash matrix as a program: `cargo xtask chaos` builds and starts it. The last line is the
//! verdict.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use e2e::{
    chaos::{Wish, kind, play, verdict::Counts},
    harness::{process::hide_logs, random},
};

/// Play a mixed load under faults and see that nothing is lost
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask chaos")]
struct Line {
    /// Rounds to play
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: u32,
    /// The number of the first round: plays one again without those before
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u32,
    /// The seed; a random one when absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only the stage with one node of Garage and SQLite
    #[arg(long, conflicts_with = "three")]
    single: bool,
    /// Only the stage with three nodes of Garage and PostgreSQL
    #[arg(long)]
    three: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    hide_logs();
    let line = Line::parse();
    let seed = match line.seed {
        Some(seed) => seed,
        None => u32::from_le_bytes(random()?).into(),
    };
    println!("seed {seed}");
    let mut wish = Wish::usual(line.rounds, line.first, seed);
    wish.casts
        .retain(|cast| !(line.single && cast.three_nodes || line.three && !cast.three_nodes));
    let verdict = play(&wish).await?;
    println!("requests: {}", Counts(&verdict.asked));
    println!("faults: {}", Counts(&verdict.faults));
    println!("ended by themselves: {}", Counts(&verdict.gave_up));
    let points = kind::points();
    let unmet = verdict.unmet(points.iter().map(|point| point.name.as_str()));
    println!("points that no death met: {}", unmet.join(", "));
    for loss in &verdict.losses {
        println!("LOST: {loss}");
    }
    println!("{verdict}");
    Ok(if verdict.losses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
