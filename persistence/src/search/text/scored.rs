//! Documents of a segment with their scores, in ascending order.

use std::sync::Arc;
use tantivy::{DocId, Score};

pub type Scored = Arc<[(DocId, Score)]>;

/// The documents of both lists; `combine` makes one score of two.
pub(super) fn merge(
    some: &[(DocId, Score)],
    others: &[(DocId, Score)],
    combine: impl Fn(Score, Score) -> Score,
) -> Vec<(DocId, Score)> {
    let mut merged = Vec::with_capacity(some.len() + others.len());
    let (mut some, mut others) = (some.iter().peekable(), others.iter().peekable());
    loop {
        match (some.peek(), others.peek()) {
            (Some((doc, score)), Some((other, other_score))) if doc == other => {
                merged.push((*doc, combine(*score, *other_score)));
                some.next();
                others.next();
            }
            (Some((doc, _)), Some((other, _))) if doc > other => merged.extend(others.next()),
            (Some(_), _) => merged.extend(some.next()),
            (None, _) => {
                merged.extend(others);
                return merged;
            }
        }
    }
}

/// The documents of any of the lists, each with its best score.
pub(super) fn best(lists: &[Scored]) -> Scored {
    match lists {
        [] => Arc::default(),
        [only] => only.clone(),
        [first, rest @ ..] => {
            let mut all = first.to_vec();
            for list in rest {
                all = merge(&all, list, Score::max);
            }
            all.into()
        }
    }
}

/// Looks up documents in a list, each after the one before it.
pub(super) struct Cursor<'a> {
    rest: &'a [(DocId, Score)],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(list: &'a [(DocId, Score)]) -> Self {
        Self { rest: list }
    }

    /// The score of a document, if it is in the list; the steps grow with the logarithm of the
    /// distance to the last one.
    pub(super) fn score_of(&mut self, doc: DocId) -> Option<Score> {
        let is_before = |at: usize| self.rest.get(at).is_some_and(|(one, _)| *one < doc);
        let mut reach = 1;
        while is_before(reach - 1) {
            reach *= 2;
        }
        let within = self.rest.get(..reach).unwrap_or(self.rest);
        let at = within.partition_point(|(one, _)| *one < doc);
        self.rest = self.rest.get(at..).unwrap_or_default();
        let (found, score) = self.rest.first()?;
        (*found == doc).then_some(*score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn list(scores: &BTreeMap<DocId, u8>) -> Scored {
        let scores = scores.iter().map(|(doc, score)| (*doc, f32::from(*score)));
        scores.collect()
    }

    proptest! {
        #[test]
        fn lists_are_combined_as_maps_are(
            some in proptest::collection::btree_map(0_u32..200, 0_u8.., 0..60),
            others in proptest::collection::btree_map(0_u32..200, 0_u8.., 0..60),
            asked in proptest::collection::btree_set(0_u32..220, 0..60),
        ) {
            let mut expected = some.clone();
            for (doc, score) in &others {
                let best = expected.entry(*doc).or_default();
                *best = (*best).max(*score);
            }
            let all = best(&[list(&some), list(&others)]);
            prop_assert_eq!(&all, &list(&expected));
            let mut cursor = Cursor::new(&all);
            for doc in asked {
                let score = expected.get(&doc).map(|score| f32::from(*score));
                prop_assert_eq!(cursor.score_of(doc), score);
            }
        }
    }
}
