//! The crash matrix as a program: `cargo xtask chaos` builds and starts it. The last line is the
//! verdict.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use e2e::{
    chaos::{Wish, play, stage::Roles, verdict::Counts},
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
    /// Only the stages with one node of Garage
    #[arg(long, conflicts_with = "three")]
    single: bool,
    /// Only the stages with three nodes of Garage
    #[arg(long)]
    three: bool,
    /// Only the stages with a process for each role of the control plane
    #[arg(long, conflicts_with = "together")]
    apart: bool,
    /// Only the stages with one process for all roles
    #[arg(long)]
    together: bool,
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
    wish.casts.retain(|cast| {
        let apart = cast.roles == Roles::Apart;
        let nodes = !(line.single && cast.three_nodes || line.three && !cast.three_nodes);
        nodes && !(line.apart && !apart || line.together && apart)
    });
    let verdict = play(&wish).await?;
    println!("requests: {}", Counts(&verdict.asked));
    println!("faults: {}", Counts(&verdict.faults));
    println!("ended by themselves: {}", Counts(&verdict.gave_up));
    println!("others took over: {}", Counts(&verdict.taken_over));
    println!("deaths: {}", Counts(&verdict.deaths));
    println!("never met: {}", verdict.unmet().join(", "));
    for loss in &verdict.losses {
        println!("LOST: {loss}");
    }
    println!("{verdict}");
    Ok(if verdict.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
