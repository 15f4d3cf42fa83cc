//! Sets of documents of one segment, as bits.

use tantivy::DocId;

const BITS: u32 = u64::BITS;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocSet {
    words: Vec<u64>,
}

impl DocSet {
    /// No document, of a segment with so many.
    pub(super) fn empty(docs: u32) -> Self {
        Self {
            words: vec![0; index_of(docs.div_ceil(BITS))],
        }
    }

    pub(super) fn of(docs: u32, ids: impl IntoIterator<Item = DocId>) -> Self {
        let mut set = Self::empty(docs);
        for doc in ids {
            set.insert(doc);
        }
        set
    }

    pub(super) fn insert(&mut self, doc: DocId) {
        if let Some(word) = self.words.get_mut(index_of(doc / BITS)) {
            *word |= 1 << (doc % BITS);
        }
    }

    pub(super) fn contains(&self, doc: DocId) -> bool {
        let word = self.words.get(index_of(doc / BITS));
        word.is_some_and(|word| word & (1 << (doc % BITS)) != 0)
    }

    pub(super) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = DocId> + '_ {
        (0..).zip(&self.words).flat_map(|(number, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(number * BITS + bit)
            })
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }
}

pub(super) fn index_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_is_a_set(docs in 1_u32..300, some: Vec<u32>, others: Vec<u32>) {
            let known = |ids: &[u32]| ids.iter().map(|id| id % docs).collect::<BTreeSet<_>>();
            let (some, others) = (known(&some), known(&others));
            let mut set = DocSet::of(docs, some.iter().copied());
            prop_assert!(set.iter().eq(some.iter().copied()));
            prop_assert!((0..docs).all(|doc| set.contains(doc) == some.contains(&doc)));
            set.intersect(&DocSet::of(docs, others.iter().copied()));
            prop_assert!(set.iter().eq(some.intersection(&others).copied()));
            prop_assert_eq!(set.count(), some.intersection(&others).count() as u64);
        }
    }
}
