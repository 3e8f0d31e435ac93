//! What the rounds came to, in one line.

use std::{collections::BTreeMap, fmt};

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
    /// Deaths of the agent by point.
    pub deaths: BTreeMap<String, u32>,
    /// Points that there are.
    pub points: usize,
    /// Times that a program ended by itself, with a full disk or without its database.
    pub gave_up: BTreeMap<&'static str, u32>,
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

    /// Points that no death has met, of those named.
    pub fn unmet<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        names
            .filter(|name| !self.deaths.contains_key(*name))
            .collect()
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
            self.points,
            self.receipts,
            self.secrets,
        )?;
        if !self.skipped.is_empty() {
            write!(f, ", skipped: {}", self.skipped.join(", "))?;
        }
        match self.losses.len() {
            0 => write!(f, ": nothing lost"),
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
