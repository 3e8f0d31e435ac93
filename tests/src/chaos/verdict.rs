//! What the rounds came to, in one line.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::kind::Kind;

/// Rounds in which every command, every fault and every point has to have been met.
pub const ROUNDS_THAT_MEET_ALL: u32 = 200;

/// Counts, and what was lost.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// Rounds that came to their end.
    pub rounds: u32,
    /// Requests by command.
    pub asked: BTreeMap<&'static str, u32>,
    /// Requests that the API itself turned away.
    pub turned_away: u32,
    /// Operations by the state that they ended in.
    pub ended: BTreeMap<String, u32>,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u32>,
    /// Faults that the stages could have.
    pub possible: BTreeSet<&'static str>,
    /// Deaths of the agent by point.
    pub deaths: BTreeMap<String, u32>,
    /// Points that the stages could lead to.
    pub points: BTreeSet<String>,
    /// Times that a program ended by itself, with a full disk or without its database.
    pub gave_up: BTreeMap<&'static str, u32>,
    /// Times that another process had the role, or the agent, when one that a fault had taken came back.
    pub taken_over: BTreeMap<&'static str, u32>,
    /// Secrets that came to a client and were tried.
    pub secrets: u32,
    /// Receipts that were verified.
    pub receipts: u64,
    /// What could not be tried here, and why.
    pub skipped: Vec<String>,
    /// What was lost: stage, round, words.
    pub losses: Vec<String>,
}

impl Verdict {
    /// Counts one.
    pub fn count<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
        *counts.entry(key).or_default() += 1;
    }

    /// What was never met of all that so many rounds have to meet: commands, faults, points.
    pub fn unmet(&self) -> Vec<&str> {
        let commands = Kind::ALL.iter().map(|kind| kind.command());
        let commands = commands.filter(|command| !self.asked.contains_key(command));
        let faults = self.possible.iter().copied();
        let faults = faults.filter(|fault| !self.faults.contains_key(fault));
        let points = self.points.iter().map(String::as_str);
        let points = points.filter(|point| !self.deaths.contains_key(*point));
        commands.chain(faults).chain(points).collect()
    }

    /// Whether most of what was asked for was done. Where all is refused, nothing can be lost.
    pub fn is_at_work(&self) -> bool {
        let done = self.ended.get("done").copied().unwrap_or(0);
        done >= self.ended.values().sum::<u32>() / 2
    }

    /// Whether nothing was lost, and in rounds enough for that all was met and most was done.
    pub fn is_good(&self) -> bool {
        let few = self.rounds < ROUNDS_THAT_MEET_ALL;
        self.losses.is_empty() && (few || self.unmet().is_empty() && self.is_at_work())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked: u32 = self.asked.values().sum();
        let faults: u32 = self.faults.values().sum();
        let deaths: u32 = self.deaths.values().sum();
        write!(
            f,
            "chaos: seed {}, {} rounds, {asked} requests of {} commands ({} turned away), operations {}, \
             {faults} faults, {deaths} deaths at {} of {} points, {} receipts verified, {} secrets tried",
            self.seed,
            self.rounds,
            self.asked.len(),
            self.turned_away,
            Counts(&self.ended),
            self.deaths.len(),
            self.points.len(),
            self.receipts,
            self.secrets,
        )?;
        if !self.skipped.is_empty() {
            write!(f, ", skipped: {}", self.skipped.join(", "))?;
        }
        match self.losses.len() {
            0 if self.is_good() => write!(f, ": nothing lost"),
            0 if !self.is_at_work() => write!(f, ": nothing lost, but MOST WAS NOT DONE"),
            0 => write!(f, ": nothing lost, but {} NEVER MET", self.unmet().len()),
            lost => write!(f, ": {lost} LOST"),
        }
    }
}

/// Counts as words.
pub struct Counts<'a, K>(pub &'a BTreeMap<K, u32>);

impl<K: fmt::Display> fmt::Display for Counts<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, count)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {key}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Kind, ROUNDS_THAT_MEET_ALL, Verdict};

    type Spoil = fn(&mut Verdict);

    /// All that many rounds have to come to.
    fn good() -> Verdict {
        let commands = Kind::ALL.iter().map(|kind| (kind.command(), 1));
        Verdict {
            rounds: ROUNDS_THAT_MEET_ALL,
            asked: commands.collect(),
            ended: BTreeMap::from([("done".to_owned(), 5), ("expired".to_owned(), 5)]),
            possible: ["web killed"].into(),
            faults: BTreeMap::from([("web killed", 1)]),
            points: ["call.GetKey.after".to_owned()].into(),
            deaths: BTreeMap::from([("call.GetKey.after".to_owned(), 1)]),
            ..Verdict::default()
        }
    }

    #[test]
    fn many_rounds_lose_nothing_meet_all_and_do_most() {
        assert!(good().is_good() && good().to_string().ends_with(": nothing lost"));
        let spoil: [(&str, Spoil); 5] = [
            ("1 LOST", |verdict| {
                verdict.losses.push("a key".to_owned());
            }),
            ("1 NEVER MET", |verdict| verdict.faults.clear()),
            ("1 NEVER MET", |verdict| verdict.deaths.clear()),
            ("1 NEVER MET", |verdict| {
                verdict.asked.remove("key.create");
            }),
            ("MOST WAS NOT DONE", |verdict| {
                verdict.ended.insert("expired".to_owned(), 9);
            }),
        ];
        for (words, spoil) in spoil {
            let mut verdict = good();
            spoil(&mut verdict);
            assert!(!verdict.is_good(), "{words}");
            assert!(verdict.to_string().ends_with(words), "{verdict}");
            // A few rounds cannot meet all; what they lose is lost.
            verdict.rounds = 1;
            assert_eq!(verdict.is_good(), verdict.losses.is_empty(), "{words}");
        }
    }
}
