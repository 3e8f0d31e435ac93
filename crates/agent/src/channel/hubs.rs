//! Which hub is dialled next: all that are known, in a random order, so that the agents of a hub that went
//! away spread over the others.

use std::net::SocketAddr;

use tokio::{net::lookup_host, time::timeout};

use super::{HubAddress, Transient, link::DIAL_TIMEOUT_SECONDS};
use crate::clock::random;

/// Places that are tried in one round at most.
const MAX_PLACES: usize = 32;

/// The hubs, and those of them that this round has not tried yet.
pub(crate) struct Hubs {
    known: Vec<HubAddress>,
    left: Vec<Place>,
    last: Option<SocketAddr>,
}

/// One address of one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The hub as it is named.
    pub(crate) hub: HubAddress,
    /// Where that is.
    pub(crate) at: SocketAddr,
}

impl Hubs {
    /// Those at these addresses; behind each name there may be several.
    pub(crate) fn new(known: Vec<HubAddress>) -> Self {
        Self {
            known,
            left: vec![],
            last: None,
        }
    }

    /// Whether others are left to be tried before it is time to rest.
    pub(crate) fn has_more(&self) -> bool {
        !self.left.is_empty()
    }

    /// A connection held: the next round has all of them again.
    pub(crate) fn begin_anew(&mut self) {
        self.left.clear();
    }

    /// Where to dial. Names are looked up once a round.
    pub(crate) async fn next(&mut self) -> Result<Place, Transient> {
        if self.left.is_empty() {
            let found = look_up(&self.known).await?;
            self.left = order(found, self.last, |bound| {
                let bound = u64::try_from(bound).unwrap_or(u64::MAX);
                // The bound is so small that the modulus favours nobody.
                usize::try_from(u64::from_be_bytes(random()) % bound).unwrap_or_default()
            });
        }
        let next = self
            .left
            .pop()
            .ok_or_else(|| not_found(&self.known, "it has no address"))?;
        self.last = Some(next.at);
        Ok(next)
    }
}

async fn look_up(known: &[HubAddress]) -> Result<Vec<Place>, Transient> {
    let (mut places, mut failure) = (vec![], None);
    let limit = std::time::Duration::from_secs(DIAL_TIMEOUT_SECONDS);
    for hub in known {
        match timeout(limit, lookup_host(hub.host_and_port())).await {
            Ok(Ok(found)) => places.extend(found.map(|at| Place {
                hub: hub.clone(),
                at,
            })),
            Ok(Err(cause)) => failure = Some(cause.to_string()),
            Err(_) => failure = Some("its name was not resolved in time".to_owned()),
        }
    }
    match failure {
        Some(cause) if places.is_empty() => Err(not_found(known, &cause)),
        _ => Ok(places),
    }
}

fn not_found(known: &[HubAddress], cause: &str) -> Transient {
    let names: Vec<_> = known.iter().map(ToString::to_string).collect();
    Transient::NotReached {
        hub: names.join(", "),
        cause: cause.to_owned(),
    }
}

/// The order in which places are taken, from the end: any, with the one that was tried last tried last
/// again. `below` gives a random number below its argument.
fn order(
    mut places: Vec<Place>,
    last: Option<SocketAddr>,
    mut below: impl FnMut(usize) -> usize,
) -> Vec<Place> {
    for end in (1..places.len()).rev() {
        places.swap(end, below(end + 1));
    }
    places.sort_by_key(|place| Some(place.at) != last);
    let spare = places.len().saturating_sub(MAX_PLACES);
    places.drain(..spare);
    places
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{HubAddress, Hubs, MAX_PLACES, Place, order};

    fn place(port: u16) -> Place {
        Place {
            hub: HubAddress::parse("https://hub.example.org").expect("sound"),
            at: ([127, 0, 0, 1], port).into(),
        }
    }

    #[test]
    fn every_place_comes_once_and_the_last_one_comes_last() {
        let places: Vec<_> = (1..=3).map(place).collect();
        let last = Some(place(2).at);
        let mut firsts = BTreeSet::new();
        for choice in 0..6 {
            let mut ordered = order(places.clone(), last, |bound| choice % bound);
            assert_eq!(ordered[0], place(2), "{ordered:?}");
            firsts.insert(ordered.pop().expect("three of them").at.port());
            ordered.sort_by_key(|place| place.at);
            assert_eq!(ordered.len(), 2);
        }
        assert_eq!(firsts, BTreeSet::from([1, 3]));
        let many = (1..=100).map(place).collect();
        assert_eq!(order(many, None, |_| 0).len(), MAX_PLACES);
    }

    #[tokio::test]
    async fn a_round_tries_all_and_the_next_begins_with_all_again() {
        let known = [
            "https://127.0.0.1:1",
            "https://127.0.0.1:2",
            "https://[::1]:3",
        ];
        let known = known.map(|text| HubAddress::parse(text).expect("sound"));
        let mut hubs = Hubs::new(known.to_vec());
        let mut tried = BTreeSet::new();
        for more in [true, true, false] {
            tried.insert(hubs.next().await.expect("resolved").at);
            assert_eq!(hubs.has_more(), more);
        }
        assert_eq!(tried.len(), 3);
        let held = hubs.next().await.expect("resolved").at;
        hubs.begin_anew();
        assert_ne!(hubs.next().await.expect("resolved").at, held);
        assert!(hubs.has_more());
    }

    #[tokio::test]
    async fn one_name_that_leads_nowhere_keeps_none_of_the_others_away() {
        let parsed = |text| HubAddress::parse(text).expect("sound");
        let (nowhere, here) = ("https://nowhere.invalid", "https://127.0.0.1:2");
        let mut hubs = Hubs::new(vec![parsed(nowhere), parsed(here)]);
        assert_eq!(hubs.next().await.expect("resolved").at.port(), 2);
        let error = Hubs::new(vec![parsed(nowhere)])
            .next()
            .await
            .expect_err("nowhere");
        assert!(error.to_string().contains("nowhere.invalid"), "{error}");
    }
}
