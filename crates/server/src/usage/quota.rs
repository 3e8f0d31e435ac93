//! A storage limit kept by Garage's own quotas. A quota is a bucket's, a limit the account's, so each
//! bucket gets what it uses and some slack; what slack all of them have together can exceed what is
//! left, and that is the bound on overshoot (see `docs/architecture.md`).

use storm_protocol::ident::Limit;

/// The slack that a bucket gets at least, in bytes, as long as the account has as much left: 10 GiB.
const MIN_SLACK_BYTES: u64 = 10 << 30;
/// A bucket's slack is this part of what the account has left.
const SLACK_PART: u64 = 4;
/// A bucket may be promised what is left and this part of it more before its quota is lowered, so that
/// each write of one bucket does not set the quotas of all the others.
const TOLERATED_PART: u64 = 4;
/// The marks of a storage limit, in per cent.
const MARKS: [u8; 3] = [100, 95, 80];

/// How full an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    /// Bytes in its buckets, unfinished uploads included.
    pub(crate) used_bytes: u64,
    /// Its storage limit.
    pub(crate) limit_bytes: Option<Limit>,
}

impl Fill {
    /// Bytes that it may still store; `None`: as many as it likes.
    pub(crate) fn left(self) -> Option<u64> {
        let limit = self.limit_bytes?;
        Some(limit.get().saturating_sub(self.used_bytes))
    }

    /// The mark that it is at or above: 0, 80, 95 or 100.
    pub(crate) fn mark(self) -> u8 {
        let Some(limit) = self.limit_bytes else {
            return 0;
        };
        let reached = |mark: &u8| {
            u128::from(self.used_bytes) * 100 >= u128::from(limit.get()) * u128::from(*mark)
        };
        MARKS.into_iter().find(reached).unwrap_or(0)
    }

    /// The quota to set for a bucket that uses `used` bytes and whose people want `own`. Never less
    /// than one byte, since Garage knows no quota of none.
    pub(crate) fn quota(self, own: Option<Limit>, used: u64) -> Option<Limit> {
        let Some(left) = self.left() else { return own };
        let most = used.saturating_add(slack(left)).clamp(1, Limit::MAX);
        let most = Limit::new(most);
        match (own, most) {
            (Some(own), Some(most)) => Some(own.min(most)),
            (own, most) => most.or(own),
        }
    }

    /// Whether a bucket's quota, `set`, has to be set anew.
    pub(crate) fn is_due(self, own: Option<Limit>, used: u64, set: Option<Limit>) -> bool {
        let wanted = self.quota(own, used);
        if wanted == set {
            return false;
        }
        let (Some(left), Some(set)) = (self.left(), set) else {
            // Without a limit the quota is its people's own; with one there has to be a quota.
            return true;
        };
        if own.is_some_and(|own| own < set) {
            return true;
        }
        let headroom = set.get().saturating_sub(used);
        headroom < slack(left) / 2 || headroom > left.saturating_add(left / TOLERATED_PART)
    }
}

/// What a bucket may grow by before its quota is set anew.
pub(crate) fn slack(left: u64) -> u64 {
    MIN_SLACK_BYTES.max(left / SLACK_PART).min(left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn limit(bytes: u64) -> Option<Limit> {
        Limit::new(bytes)
    }

    fn fill(used_bytes: u64, limit_bytes: u64) -> Fill {
        Fill {
            used_bytes,
            limit_bytes: limit(limit_bytes),
        }
    }

    #[test]
    fn slack_is_the_larger_of_ten_gib_and_a_quarter_and_never_more_than_is_left() {
        for (left, expected) in [
            (0, 0),
            (1, 1),
            (9 * GIB, 9 * GIB),
            (10 * GIB, 10 * GIB),
            (40 * GIB, 10 * GIB),
            (44 * GIB, 11 * GIB),
            (400 * GIB, 100 * GIB),
        ] {
            assert_eq!(slack(left), expected, "{left}");
        }
    }

    #[test]
    fn a_quota_is_the_smaller_of_own_and_used_with_slack() {
        assert_eq!(fill(0, 100 * GIB).quota(None, 0), limit(25 * GIB));
        assert_eq!(
            fill(60 * GIB, 100 * GIB).quota(None, 60 * GIB),
            limit(70 * GIB)
        );
        assert_eq!(fill(0, 100 * GIB).quota(limit(5), 0), limit(5));
        // Full: what is there, and no more; an empty bucket gets the one byte that a quota has.
        assert_eq!(fill(100, 100).quota(None, 60), limit(60));
        assert_eq!(fill(100, 100).quota(None, 0), limit(1));
        assert_eq!(fill(u64::MAX, 100).quota(None, u64::MAX), limit(Limit::MAX));
        let free = Fill {
            used_bytes: 7,
            limit_bytes: None,
        };
        assert_eq!(free.quota(None, 7), None);
        assert_eq!(free.quota(limit(9), 7), limit(9));
    }

    #[test]
    fn marks() {
        for (used, mark) in [
            (0, 0),
            (79, 0),
            (80, 80),
            (94, 80),
            (95, 95),
            (99, 95),
            (100, 100),
            (500, 100),
        ] {
            assert_eq!(fill(used, 100).mark(), mark, "{used}");
        }
        // Never rounded up to a mark.
        assert_eq!(fill(799, 999).mark(), 0);
        assert_eq!(fill(800, 999).mark(), 80);
        let free = Fill {
            used_bytes: u64::MAX,
            limit_bytes: None,
        };
        assert_eq!(free.mark(), 0);
    }

    #[test]
    fn a_quota_is_set_anew_when_it_is_nearly_used_up_or_promises_too_much() {
        // 100 GiB left: slack is 25 GiB.
        let account = fill(0, 100 * GIB);
        assert!(account.is_due(None, 0, None));
        assert!(!account.is_due(None, 0, limit(25 * GIB)));
        assert!(!account.is_due(None, 0, limit(13 * GIB)));
        assert!(account.is_due(None, 0, limit(12 * GIB)));
        assert!(!account.is_due(None, 0, limit(125 * GIB)));
        assert!(account.is_due(None, 0, limit(126 * GIB)));
        // Its people's own quota is not exceeded, and is enough.
        assert!(account.is_due(limit(5), 0, limit(25 * GIB)));
        assert!(!account.is_due(limit(5), 0, limit(5)));
        // A full account: whatever is more than what is there goes.
        assert!(fill(100, 100).is_due(None, 10, limit(11)));
        assert!(!fill(100, 100).is_due(None, 10, limit(10)));
        // A lifted limit gives the bucket back what its people want.
        let free = Fill {
            used_bytes: 0,
            limit_bytes: None,
        };
        assert!(free.is_due(None, 0, limit(25 * GIB)));
        assert!(!free.is_due(None, 0, None));
        assert!(!free.is_due(limit(3), 0, limit(3)));
    }

    proptest! {
        /// Writers as bad as they come: between two sweeps each fills its bucket up to its quota or
        /// somewhere below. Whatever they do, the account never has more than it had at the last sweep
        /// and all that its buckets' quotas left open then, and those are as small as promised.
        #[test]
        fn overshoot_is_within_its_bound(
            limit_gib in 1..500u64,
            buckets in 1..12usize,
            writes in proptest::collection::vec(proptest::collection::vec(0..=100u64, 12), 1..30),
        ) {
            let limit_bytes = limit_gib * GIB;
            let mut used = vec![0u64; buckets];
            let mut set: Vec<Option<Limit>> = vec![None; buckets];
            for write in writes {
                let account = fill(used.iter().sum(), limit_bytes);
                let left = account.left().unwrap();
                for (used, set) in used.iter().zip(&mut set) {
                    if account.is_due(None, *used, *set) {
                        *set = account.quota(None, *used);
                    }
                }
                // What the quotas leave open, bucket by bucket: no more than what is left and the
                // tolerated part of it, or the one byte that a quota has at least.
                let open: Vec<u64> = used.iter().zip(&set)
                    .map(|(used, set)| set.unwrap().get().saturating_sub(*used)).collect();
                for open in &open {
                    prop_assert!(*open <= (left + left / TOLERATED_PART).max(1));
                }
                let before: u64 = used.iter().sum();
                for ((used, open), part) in used.iter_mut().zip(&open).zip(write) {
                    *used += u64::try_from(u128::from(*open) * u128::from(part) / 100).unwrap();
                }
                let after: u64 = used.iter().sum();
                let bound = open.iter().sum::<u64>();
                prop_assert!(after <= before + bound);
                let over = after.saturating_sub(limit_bytes.max(before));
                let n = buckets as u64;
                prop_assert!(over <= (n * (left + left / TOLERATED_PART)).saturating_sub(left).max(n));
            }
        }

        /// What was set just now is never due again by itself.
        #[test]
        fn setting_a_quota_settles_it(used in 0..600 * GIB, limit_gib in 1..500u64, own in 1..600 * GIB) {
            let account = fill(used, limit_gib * GIB);
            for own in [None, limit(own)] {
                let set = account.quota(own, used);
                prop_assert!(!account.is_due(own, used, set));
            }
        }
    }
}
