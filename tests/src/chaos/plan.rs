//! What happens in a round, from one seed: the same seed gives the same requests and the same faults
//! at the same times. What the machine makes of them is its own.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use super::kind::{Kind, Point, points};

/// The accounts that ask.
pub const ACCOUNTS: u32 = 3;
const MIN_ASKS: u32 = 6;
const MAX_ASKS: u32 = 12;
const MAX_FAULTS: u32 = 3;
/// Milliseconds over which requests and faults begin.
const SPREAD_MILLIS: u32 = 900;
const MAX_FAULT_MILLIS: u32 = 1_500;
const HOUR_SECONDS: i64 = 3600;

/// What else a round does to the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL to the agent.
    AgentKill,
    /// SIGKILL to the control plane, which is hub, signer and web in one.
    ServerKill,
    /// SIGKILL to a node of Garage.
    GarageKill(u32),
    /// An immediate stop of PostgreSQL, which recovers at its next start.
    PostgresKill,
    /// The agent's connections are cut.
    HubCut,
    /// The clients' connections are cut.
    WebCut,
    /// Frames between agent and hub are late.
    HubHold,
    /// Requests and answers are late.
    WebHold,
    /// The agent's disk is full.
    AgentDisk,
    /// The control plane's disk is full.
    ServerDisk,
    /// The agent's clock jumps by so many seconds, and back.
    AgentClock(i64),
    /// The control plane's clock jumps by so many seconds, and back.
    ServerClock(i64),
}

impl Fault {
    /// Its name in the verdict.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentKill => "agent killed",
            Self::ServerKill => "control plane killed",
            Self::GarageKill(_) => "Garage killed",
            Self::PostgresKill => "PostgreSQL killed",
            Self::HubCut => "agent cut off",
            Self::WebCut => "clients cut off",
            Self::HubHold => "frames late",
            Self::WebHold => "requests late",
            Self::AgentDisk => "agent's disk full",
            Self::ServerDisk => "control plane's disk full",
            Self::AgentClock(_) => "agent's clock jumped",
            Self::ServerClock(_) => "control plane's clock jumped",
        }
    }
}

/// A fault with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    /// Which.
    pub fault: Fault,
    /// When it begins, in milliseconds of the round.
    pub at_millis: u32,
    /// How long it lasts.
    pub for_millis: u32,
}

/// A request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// For what.
    pub kind: Kind,
    /// Which of the accounts asks, or is meant.
    pub account: u32,
    /// Chooses among what there is.
    pub pick: u32,
    /// Chooses a value.
    pub value: u32,
    /// Whether the client sends it twice at once.
    pub twice: bool,
    /// When it is sent, in milliseconds of the round.
    pub at_millis: u32,
}

/// A place for the agent to die at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// The point.
    pub point: String,
    /// Microseconds after which it dies `during` a call.
    pub delay_micros: u32,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its number, from 0.
    pub round: u32,
    /// What is asked for.
    pub asks: Vec<Ask>,
    /// Where the agent dies, one after the other.
    pub deaths: Vec<Death>,
    /// What else goes wrong.
    pub faults: Vec<Timed>,
    /// Whether the agent takes each command and sends each receipt twice.
    pub frames_twice: bool,
}

/// What can go wrong where the rounds run.
#[derive(Debug, Clone)]
pub struct Possible {
    /// Nodes of Garage.
    pub nodes: u32,
    /// Whether the control plane's data is in PostgreSQL.
    pub postgres: bool,
    /// Whether disks can be filled.
    pub disks: bool,
    /// Whether clocks can be moved.
    pub clocks: bool,
}

impl Plan {
    /// The plan of a round.
    pub fn make(seed: u64, round: u32, possible: &Possible) -> Self {
        let mut dice = Dice::new(seed, round);
        let points = points();
        // Each point has its turn; a second one meets the recovery from the first.
        let turn = &points[round as usize % points.len()];
        let mut deaths = vec![dice.death(turn)];
        if dice.once_in(3) {
            let second = dice.index(points.len());
            deaths.push(dice.death(&points[second]));
        }
        let count = MIN_ASKS + dice.below(MAX_ASKS - MIN_ASKS + 1);
        let mut asks: Vec<Ask> = (0..count).map(|_| dice.ask()).collect();
        for ask in asks.iter_mut().take(2) {
            if !turn.kinds.is_empty() {
                ask.kind = turn.kinds[dice.index(turn.kinds.len())];
            }
        }
        let faults = (0..dice.below(MAX_FAULTS + 1)).map(|_| dice.timed(possible));
        let faults = faults.collect();
        Self {
            round,
            asks,
            deaths,
            faults,
            frames_twice: dice.once_in(3),
        }
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    /// Each round has a stream of its own, so that one can be played alone.
    fn new(seed: u64, round: u32) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(round.into());
        Self(generator)
    }

    fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        self.0.next_u32() as usize % length.max(1)
    }

    fn once_in(&mut self, turns: u32) -> bool {
        self.below(turns) == 0
    }

    fn death(&mut self, point: &Point) -> Death {
        Death {
            point: format!("{}:{}", point.name, 1 + u32::from(self.once_in(4))),
            delay_micros: [300, 1_000, 5_000, 20_000][self.index(4)],
        }
    }

    fn ask(&mut self) -> Ask {
        Ask {
            kind: Kind::ALL[self.index(Kind::ALL.len())],
            account: self.below(ACCOUNTS),
            pick: self.0.next_u32(),
            value: self.0.next_u32(),
            twice: self.once_in(4),
            at_millis: self.below(SPREAD_MILLIS),
        }
    }

    fn timed(&mut self, possible: &Possible) -> Timed {
        let mut choices = vec![
            Fault::AgentKill,
            Fault::ServerKill,
            Fault::GarageKill(self.below(possible.nodes)),
            Fault::HubCut,
            Fault::WebCut,
            Fault::HubHold,
            Fault::WebHold,
        ];
        if possible.postgres {
            choices.push(Fault::PostgresKill);
        }
        if possible.disks {
            choices.extend([Fault::AgentDisk, Fault::ServerDisk]);
        }
        if possible.clocks {
            let jump = [1, -1, 48, -48][self.index(4)] * HOUR_SECONDS;
            choices.extend([Fault::AgentClock(jump), Fault::ServerClock(jump)]);
        }
        Timed {
            fault: choices[self.index(choices.len())],
            at_millis: self.below(SPREAD_MILLIS),
            for_millis: 1 + self.below(MAX_FAULT_MILLIS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSSIBLE: Possible = Possible {
        nodes: 3,
        postgres: true,
        disks: true,
        clocks: true,
    };

    #[test]
    fn a_seed_replays() {
        let plan = |seed, round| Plan::make(seed, round, &POSSIBLE);
        assert_eq!(plan(7, 3), plan(7, 3));
        assert_ne!(plan(7, 3).asks, plan(8, 3).asks);
        assert_ne!(plan(7, 3).asks, plan(7, 4).asks);
    }

    #[test]
    fn every_command_point_and_fault_has_its_turn() {
        let plans: Vec<_> = (0..200)
            .map(|round| Plan::make(1, round, &POSSIBLE))
            .collect();
        for kind in Kind::ALL {
            let asked = plans.iter().flat_map(|plan| &plan.asks);
            assert!(asked.clone().any(|ask| ask.kind == *kind), "{kind:?}");
        }
        for point in points() {
            let mut deaths = plans.iter().flat_map(|plan| &plan.deaths);
            let name = format!("{}:", point.name);
            assert!(deaths.any(|death| death.point.starts_with(&name)), "{name}");
        }
        let mut names: Vec<_> = plans
            .iter()
            .flat_map(|plan| plan.faults.iter().map(|timed| timed.fault.name()))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 12, "{names:?}");
    }
}
