//! A few rounds of the crash matrix, always the same: `cargo xtask chaos` plays as many as one likes.

use anyhow::{Result, ensure};
use e2e::chaos::{
    Wish, play,
    stage::{Cast, Roles},
    verdict::Verdict,
};

const SEED: u64 = 6;
/// From here on each round has faults beside the death of the agent.
const FIRST: u32 = 7;

async fn nothing_is_lost(rounds: u32, roles: Roles) -> Result<Verdict> {
    let wish = Wish {
        rounds,
        first: FIRST,
        seed: SEED,
        casts: vec![Cast {
            three_nodes: false,
            roles,
        }],
    };
    let verdict = play(&wish).await?;
    println!("{verdict}");
    ensure!(verdict.losses.is_empty(), "{:?}", verdict.losses);
    ensure!(verdict.rounds == rounds, "{verdict}");
    ensure!(!verdict.faults.is_empty(), "{verdict}");
    Ok(verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_in_a_few_rounds() -> Result<()> {
    nothing_is_lost(4, Roles::Sqlite).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_in_a_round_with_the_roles_apart() -> Result<()> {
    let verdict = nothing_is_lost(1, Roles::Apart).await?;
    let roles = ["signer", "hub", "web"];
    let of_a_role = verdict.faults.keys();
    let of_a_role = of_a_role.filter(|name| roles.iter().any(|role| name.starts_with(role)));
    ensure!(of_a_role.count() > 0, "{verdict}");
    Ok(())
}
