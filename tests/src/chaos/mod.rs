//! The crash matrix: a mixed load of every command from several accounts while programs are killed,
//! connections cut, disks filled and clocks moved; afterwards everything has to be what the receipts
//! say. `cargo xtask chaos` plays it; CONTRIBUTING.md says how.

mod apply;
pub mod checks;
pub mod control;
mod excuse;
pub mod fault;
pub mod faults;
pub mod kind;
pub mod load;
pub mod model;
mod people;
pub mod plan;
pub mod point;
pub mod request;
pub mod set;
pub mod stage;
pub mod verdict;

use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::{Context as _, Result};
use test_postgres::Postgres;

use self::{
    faults::Faults,
    kind::Kind,
    load::Told,
    plan::{ACCOUNTS, Ask, Plan},
    point::points,
    stage::{Cast, Roles, Stage},
    verdict::Verdict,
};
use crate::harness::{require_fault_points, tools::succeed};

/// Buckets, each with a key, that an account has before a round.
const BUCKETS_BEFORE: usize = 3;
/// Objects that are put into a bucket whose clearing is asked for.
const OBJECTS: u64 = 3;

/// What to play.
#[derive(Debug, Clone)]
pub struct Wish {
    /// How many rounds, over all stages.
    pub rounds: u32,
    /// The first round's number: a round can be played again without those before.
    pub first: u32,
    /// The seed.
    pub seed: u64,
    /// The stages, which share the rounds.
    pub casts: Vec<Cast>,
}

impl Wish {
    /// One node of Garage and three, each with a control plane that is one process (on SQLite, and on
    /// PostgreSQL) and with one whose roles are apart.
    pub fn usual(rounds: u32, first: u32, seed: u64) -> Self {
        let cast = |three_nodes, roles| Cast { three_nodes, roles };
        let casts = vec![
            cast(false, Roles::Sqlite),
            cast(true, Roles::Postgres),
            cast(false, Roles::Apart),
            cast(true, Roles::Apart),
        ];
        Self {
            rounds,
            first,
            seed,
            casts,
        }
    }
}

/// Plays it. A loss ends its stage: what comes after would only repeat it.
pub async fn play(wish: &Wish) -> Result<Verdict> {
    require_fault_points()?;
    kind::check_all_covered()?;
    let mut verdict = Verdict {
        seed: wish.seed,
        ..Verdict::default()
    };
    let casts = possible_casts(wish, &mut verdict);
    let count = u32::try_from(casts.len())?.max(1);
    let mut first = wish.first;
    for (index, cast) in casts.iter().enumerate() {
        let rounds = share(wish.rounds, count, u32::try_from(index)?);
        if rounds > 0 {
            play_stage(*cast, first..first + rounds, &mut verdict).await?;
        }
        first += rounds;
    }
    Ok(verdict)
}

/// Those that can be set here: some need PostgreSQL.
fn possible_casts(wish: &Wish, verdict: &mut Verdict) -> Vec<Cast> {
    let here = |cast: &&Cast| cast.roles == Roles::Sqlite || Postgres::is_here();
    let casts: Vec<_> = wish.casts.iter().filter(here).copied().collect();
    if casts.len() < wish.casts.len() {
        verdict.skipped.push("PostgreSQL (not here)".to_owned());
    }
    casts
}

async fn play_stage(cast: Cast, rounds: Range<u32>, verdict: &mut Verdict) -> Result<()> {
    let mut stage = Stage::set(cast).await?;
    for skipped in std::mem::take(&mut stage.skipped) {
        if !verdict.skipped.contains(&skipped) {
            verdict.skipped.push(skipped);
        }
    }
    verdict.possible.extend(stage.possible.fault_names());
    let points = points().into_iter();
    let points = points.filter(|point| stage.possible.leads_to(point));
    verdict.points.extend(points.map(|point| point.name));
    for round in rounds {
        let begun = Instant::now();
        let plan = Plan::make(verdict.seed, round, &stage.possible);
        if let Err(error) = play_round(&mut stage, &plan, verdict).await {
            let words = format!("round {round} on {cast:?}: {error:#}");
            println!("LOST in {words}\n  the plan was {plan:?}");
            verdict.losses.push(words);
            stage.keep_logs();
            break;
        }
        verdict.rounds += 1;
        println!(
            "round {round}: {} requests, {}, {:.1} s",
            plan.asks.len(),
            plan.fault_names(),
            begun.elapsed().as_secs_f64()
        );
    }
    if let Err(error) = checks::prove_chains(&stage) {
        let words = format!("the accounts' chains on {cast:?}: {error:#}");
        verdict.losses.push(words);
    }
    Ok(())
}

/// How many of the rounds are this stage's.
fn share(rounds: u32, stages: u32, index: u32) -> u32 {
    rounds / stages + u32::from(index < rounds % stages)
}

async fn play_round(stage: &mut Stage, plan: &Plan, verdict: &mut Verdict) -> Result<()> {
    let before = prepare(stage, plan.round).await?;
    checks::check(stage, &before, &mut Verdict::default())
        .await
        .context("before the round")?;
    fill(stage, plan)?;
    for ask in &plan.asks {
        Verdict::count(&mut verdict.asked, ask.kind.command());
    }
    stage.model.agent_behind = plan.sets_agent_back();
    let answered = AtomicBool::new(false);
    let faults = Faults::arm(&mut stage.parts, plan, verdict).await?;
    let asked = async {
        let told = load::send_all(plan, &stage.model, &stage.people).await;
        answered.store(true, Ordering::Relaxed);
        told
    };
    let (told, played) = tokio::join!(asked, faults.play(&answered));
    played?;
    checks::check(stage, &told?, verdict).await
}

/// Gives each account something to act on, while nothing goes wrong.
async fn prepare(stage: &Stage, round: u32) -> Result<Vec<Told>> {
    let mut asks = Vec::new();
    for account in 0..ACCOUNTS {
        let person = &stage.people[account as usize];
        let ask = |kind, value| Ask {
            kind,
            account,
            pick: 0,
            value,
            twice: false,
            at_millis: 0,
        };
        let there = stage.model.buckets_of(Some(person.account));
        for number in there.len()..BUCKETS_BEFORE {
            asks.push(ask(Kind::BucketCreate, u32::try_from(number)? * 5));
        }
        // A bucket keeps its last name, so one of them has another to lose.
        if !there.is_empty() && stage.model.with_names_to_spare(&there).is_empty() {
            asks.push(ask(Kind::BucketAddAlias, 0));
        }
    }
    let plan = Plan {
        // Names of its own, beside the round's.
        round: round + 1_000_000,
        asks,
        deaths: vec![],
        faults: vec![],
        frames_twice: false,
    };
    load::send_all(&plan, &stage.model, &stage.people).await
}

/// Puts objects into the buckets that are to be cleared or measured.
fn fill(stage: &mut Stage, plan: &Plan) -> Result<()> {
    let jobs = [Kind::BucketClear, Kind::BucketMeasure, Kind::JobCancel];
    for ask in plan.asks.iter().filter(|ask| jobs.contains(&ask.kind)) {
        let person = &stage.people[ask.account as usize % stage.people.len()];
        let made = request::request(&stage.model, person, ask, "never-sent");
        let Some(id) = made.bucket else { continue };
        let Some(key) = stage.model.writer_of(&id).cloned() else {
            continue;
        };
        let stack = &stage.parts.stack;
        let Some(bucket) = stage.model.buckets.get_mut(&id) else {
            continue;
        };
        let name = bucket.names.first().context("a bucket has a name")?;
        let folder = stack.directory().join("objects");
        std::fs::create_dir_all(&folder)?;
        for number in 0..OBJECTS {
            // The first name is none that XML can say: it is deleted by a request of its own.
            let odd = if number == 0 { "\u{1}" } else { "" };
            std::fs::write(folder.join(format!("{number}{odd}.txt")), "eleven byte")?;
        }
        let mut rclone = stack.tools(&key)?.rclone()?;
        rclone.arg("copy").arg(&folder).arg(format!("storm:{name}"));
        rclone.args(["--s3-no-check-bucket", "--no-traverse", "--no-check-dest"]);
        succeed(&mut rclone)?;
        (bucket.objects, bucket.fewer) = (OBJECTS, false);
        let words = format!("round {}: {OBJECTS} objects put into {id}", plan.round);
        stage.history.push(words);
    }
    Ok(())
}
