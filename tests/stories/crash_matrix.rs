//! A few rounds of the crash matrix, always the same: `cargo xtask chaos` plays as many as one likes.

use anyhow::{Result, ensure};
use e2e::chaos::{Wish, play, stage::Cast};

const SEED: u64 = 6;
/// From here on each round has faults beside the death of the agent.
const FIRST: u32 = 7;
const ROUNDS: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_in_a_few_rounds() -> Result<()> {
    let wish = Wish {
        rounds: ROUNDS,
        first: FIRST,
        seed: SEED,
        casts: vec![Cast {
            three_nodes: false,
            postgres: false,
        }],
    };
    let verdict = play(&wish).await?;
    println!("{verdict}");
    ensure!(verdict.losses.is_empty(), "{:?}", verdict.losses);
    ensure!(verdict.rounds == ROUNDS, "{verdict}");
    ensure!(!verdict.faults.is_empty(), "{verdict}");
    Ok(())
}
