//! Disjoint sets of records.

use rustc_hash::FxHashMap;

use crate::base::id::SourceRecordId;

/// Disjoint sets; a record that was never joined is a set of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets(FxHashMap<SourceRecordId, SourceRecordId>);

impl Sets {
    /// The record that stands for the set of `record`: its smallest, whatever was joined in which order.
    pub(super) fn root(&self, record: SourceRecordId) -> SourceRecordId {
        let mut at = record;
        while let Some(next) = self.0.get(&at) {
            at = *next;
        }
        at
    }

    /// Makes the sets of two records one.
    pub(super) fn join(&mut self, one: SourceRecordId, two: SourceRecordId) {
        let (one_root, two_root) = (self.root(one), self.root(two));
        let (small, large) = (one_root.min(two_root), one_root.max(two_root));
        if small != large {
            self.0.insert(large, small);
            // Shortens the way for next time.
            for record in [one, two] {
                if record != small {
                    self.0.insert(record, small);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::Timestamp;

    #[test]
    fn joined_records_have_one_root_whatever_the_order() {
        let random = SeededRandom::new(1);
        let ids: Vec<_> = (1..=6)
            .map(|at| SourceRecordId::new(Timestamp::from_seconds(at), &random))
            .collect();
        let mut forward = Sets::default();
        let mut backward = Sets::default();
        let joins = [(0, 1), (2, 3), (1, 3), (4, 5)];
        for (one, two) in joins {
            forward.join(ids[one], ids[two]);
        }
        for (one, two) in joins.into_iter().rev() {
            backward.join(ids[two], ids[one]);
        }
        for id in &ids {
            assert_eq!(forward.root(*id), backward.root(*id));
        }
        assert_eq!(forward.root(ids[3]), ids[0]);
        assert_eq!(forward.root(ids[5]), ids[4]);
        assert_ne!(forward.root(ids[0]), forward.root(ids[4]));
    }
}
