//! What the last sweep saw, held small: for each bucket and key its id and a hash of its state.

use sha2::{Digest as _, Sha256};

/// The states of things with ids of `N` bytes, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known<const N: usize>(Vec<([u8; N], u128)>);

/// Of a state in its JSON form. 128 bits: what customers write into their buckets cannot make two
/// states look alike.
pub(super) fn state_hash(json: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(json)[..16]);
    u128::from_be_bytes(half)
}

impl<const N: usize> Known<N> {
    /// Takes the things of a sweep in any order.
    pub(super) fn from_sweep(mut seen: Vec<([u8; N], u128)>) -> Self {
        seen.sort_unstable();
        seen.dedup_by_key(|(id, _)| *id);
        seen.shrink_to_fit();
        Self(seen)
    }

    /// Whether `id` is new or its state another.
    pub(super) fn differs(&self, id: &[u8; N], hash: u128) -> bool {
        self.find(id).map_or(true, |at| self.0[at].1 != hash)
    }

    /// The ids that are not in `now`.
    pub(super) fn gone<'a>(&'a self, now: &'a Self) -> impl Iterator<Item = [u8; N]> + 'a {
        let ids = self.0.iter().map(|(id, _)| *id);
        ids.filter(|id| now.find(id).is_err())
    }

    /// Sets one state.
    pub(super) fn set(&mut self, id: [u8; N], hash: u128) {
        match self.find(&id) {
            Ok(at) => self.0[at].1 = hash,
            Err(at) => self.0.insert(at, (id, hash)),
        }
    }

    /// Forgets one thing; tells whether it was there.
    pub(super) fn remove(&mut self, id: &[u8; N]) -> bool {
        self.find(id).map(|at| self.0.remove(at)).is_ok()
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn find(&self, id: &[u8; N]) -> Result<usize, usize> {
        self.0.binary_search_by_key(id, |(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_by_id_and_hash() {
        let before = Known::from_sweep(vec![([3], 30), ([1], 10), ([2], 20)]);
        assert!(!before.differs(&[1], 10));
        assert!(before.differs(&[1], 11));
        assert!(before.differs(&[9], 10));
        let mut now = Known::from_sweep(vec![([2], 20), ([4], 40)]);
        assert_eq!(before.gone(&now).collect::<Vec<_>>(), [[1], [3]]);
        now.set([1], 10);
        now.set([2], 21);
        assert!(now.remove(&[4]) && !now.remove(&[4]));
        assert_eq!(now, Known::from_sweep(vec![([1], 10), ([2], 21)]));
        assert_eq!(now.len(), 2);
    }
}
