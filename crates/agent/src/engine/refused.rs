//! The receipts of envelopes that were refused lately, so that repeating one adds nothing to the
//! chain.

use std::collections::{HashMap, VecDeque};

use storm_protocol::{error::Refusal, ident::Digest};

/// Refused envelopes that are remembered.
const REFUSED_KEPT: usize = 1024;

#[derive(Default)]
pub(super) struct RefusedBefore {
    sequences: HashMap<(Digest, Refusal), u64>,
    order: VecDeque<(Digest, Refusal)>,
}

impl RefusedBefore {
    /// The sequence of the receipt by which the envelope was refused for the same reason.
    pub(super) fn receipt(&self, envelope: Digest, refusal: Refusal) -> Option<u64> {
        self.sequences.get(&(envelope, refusal)).copied()
    }

    pub(super) fn keep(&mut self, refused: (Digest, Refusal), sequence: u64) {
        if self.order.len() >= REFUSED_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.sequences.remove(&oldest);
        }
        if self.sequences.insert(refused, sequence).is_none() {
            self.order.push_back(refused);
        }
    }
}
