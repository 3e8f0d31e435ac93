//! What happens in a round, from one seed: the same seed gives the same requests and the same faults
//! at the same times. What the machine makes of them is its own.
//!
//! `fault.rs` says what can go wrong.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use super::{
    fault::{Fault, Possible},
    kind::Kind,
    point::{Need, Point, points},
};

/// The accounts that ask.
pub const ACCOUNTS: u32 = 3;
const MIN_ASKS: u32 = 6;
const MAX_ASKS: u32 = 12;
const MAX_FAULTS: u32 = 3;
/// Asks that lead to the point whose turn it is.
const ASKS_OF_TURN: usize = 3;
/// Milliseconds over which requests and faults begin.
const SPREAD_MILLIS: u32 = 900;
const MAX_FAULT_MILLIS: u32 = 1_500;
/// The same where one process takes over from another.
const MAX_TAKING_MILLIS: u32 = 4_000;
/// Longer than a process may sleep before it is taken for dead.
const LONG_SLEEP_MILLIS: u32 = 12_000;

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

impl Plan {
    /// The plan of a round.
    pub fn make(seed: u64, round: u32, possible: &Possible) -> Self {
        let mut dice = Dice::new(seed, round);
        let points: Vec<_> = points()
            .into_iter()
            .filter(|point| possible.leads_to(point))
            .collect();
        // Each point has its turn; a second one meets the recovery from the first.
        let turn = &points[round as usize % points.len()];
        let mut deaths = vec![dice.death(turn, 1)];
        if let Some(point) = turn.need.and_then(Need::death) {
            let point = point.to_owned();
            deaths.insert(
                0,
                Death {
                    point,
                    delay_micros: 0,
                },
            );
        }
        if !dice.once_in(3) {
            let second = dice.index(points.len());
            let pass = 1 + u32::from(dice.once_in(4));
            deaths.push(dice.death(&points[second], pass));
        }
        let count = MIN_ASKS + dice.below(MAX_ASKS - MIN_ASKS + 1);
        let mut asks: Vec<Ask> = (0..count).map(|_| dice.ask()).collect();
        for ask in asks.iter_mut().take(ASKS_OF_TURN) {
            if !turn.kinds.is_empty() {
                ask.kind = turn.kinds[dice.index(turn.kinds.len())];
            }
        }
        let mut faults = Vec::from_iter(turn.need.and_then(Need::fault));
        if possible.apart {
            faults.push(dice.taking());
        }
        let others = dice.below(MAX_FAULTS + 1);
        faults.extend((0..others).map(|_| dice.timed(possible)));
        one_clock(&mut faults);
        Self {
            round,
            asks,
            deaths,
            faults,
            frames_twice: dice.once_in(3),
        }
    }

    /// Its faults in words, in the order in which they begin.
    pub fn fault_names(&self) -> String {
        let mut faults = self.faults.clone();
        faults.sort_by_key(|timed| timed.at_millis);
        let names: Vec<_> = faults.iter().map(|timed| timed.fault.name()).collect();
        if names.is_empty() {
            "no fault".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// Whether the agent's clock jumps back, be it from where it was ahead.
    pub fn sets_agent_back(&self) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|timed| matches!(timed.fault, Fault::AgentClock(_)))
    }
}

/// Leaves the jumps of one program's clock alone, the first one's. When both jump ahead together and back, the
/// agent, by design, takes nothing older than what it has taken, until the time is there again.
fn one_clock(faults: &mut Vec<Timed>) {
    let program = |timed: &Timed| match timed.fault {
        Fault::AgentClock(_) => Some("agent"),
        Fault::ServerClock(_) => Some("control plane"),
        _ => None,
    };
    let first = faults.iter().find_map(program);
    faults.retain(|timed| program(timed).is_none_or(|program| Some(program) == first));
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

    fn death(&mut self, point: &Point, pass: u32) -> Death {
        Death {
            point: format!("{}:{pass}", point.name),
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
        let node = self.below(possible.nodes);
        let hours = [1, -1, 48, -48][self.index(4)];
        let choices = possible.faults(node, hours);
        Timed {
            fault: choices[self.index(choices.len())],
            at_millis: self.below(SPREAD_MILLIS),
            for_millis: 1 + self.below(MAX_FAULT_MILLIS),
        }
    }

    /// Takes a process of one role away.
    fn taking(&mut self) -> Timed {
        let choices = Fault::takings(self.below(2));
        let fault = choices[self.index(choices.len())];
        let at_millis = self.below(SPREAD_MILLIS);
        let for_millis = 1 + self.below(MAX_TAKING_MILLIS);
        let long = self.once_in(4) && fault.is_sleep();
        Timed {
            fault,
            at_millis,
            for_millis: if long { LONG_SLEEP_MILLIS } else { for_millis },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const POSSIBLE: Possible = Possible {
        nodes: 3,
        postgres: true,
        disks: true,
        clocks: true,
        apart: true,
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
        for plan in &plans {
            let jumps = |name| plan.faults.iter().any(|timed| timed.fault.name() == name);
            let both = jumps("agent's clock jumped") && jumps("control plane's clock jumped");
            assert!(!both, "{plan:?}");
        }
        let faults = plans.iter().flat_map(|plan| &plan.faults);
        let names: BTreeSet<_> = faults.map(|timed| timed.fault.name()).collect();
        assert_eq!(names, POSSIBLE.fault_names());
        assert_eq!(names.len(), 17, "{names:?}");
    }
}
