//! What text queries read of each segment of the index once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tantivy::Score;
use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::schema::Field;

/// Terms after which all are forgotten: some 10 MB.
const MAX_TERMS: usize = 200_000;

/// Tie-breakers of documents, and the terms that a typo may mean. A segment does not change, so
/// neither do they.
#[derive(Debug, Default)]
pub struct TextCache {
    ties: Mutex<HashMap<SegmentId, Arc<[Score]>>>,
    similar: Mutex<Similar>,
}

/// A segment, a field, and a word with the number of edits.
pub(super) type SimilarKey = (SegmentId, Field, (String, u8));

#[derive(Debug, Default)]
struct Similar {
    terms: HashMap<SimilarKey, Arc<[TermInfo]>>,
    /// The number of all terms, and of words, which may have none.
    size: usize,
}

impl TextCache {
    /// Forgets segments that are no longer `present`.
    pub(in crate::search) fn retain(&self, present: &HashSet<SegmentId>) {
        lock(&self.ties).retain(|id, _| present.contains(id));
        let mut similar = lock(&self.similar);
        similar.terms.retain(|(id, ..), _| present.contains(id));
        similar.size = similar.terms.values().map(|terms| terms.len() + 1).sum();
    }

    /// The tie-breakers of a segment. Others wait while they are read.
    pub(super) fn ties(
        &self,
        segment: SegmentId,
        read: impl FnOnce() -> tantivy::Result<Vec<Score>>,
    ) -> tantivy::Result<Arc<[Score]>> {
        let mut ties = lock(&self.ties);
        if let Some(known) = ties.get(&segment) {
            return Ok(known.clone());
        }
        let scores: Arc<[Score]> = read()?.into();
        ties.insert(segment, scores.clone());
        Ok(scores)
    }

    /// The terms that are similar to a word.
    pub(super) fn similar(
        &self,
        key: SimilarKey,
        search: impl FnOnce() -> tantivy::Result<Vec<TermInfo>>,
    ) -> tantivy::Result<Arc<[TermInfo]>> {
        if let Some(known) = lock(&self.similar).terms.get(&key) {
            return Ok(known.clone());
        }
        let terms: Arc<[TermInfo]> = search()?.into();
        let mut similar = lock(&self.similar);
        if similar.size + terms.len() >= MAX_TERMS {
            *similar = Similar::default();
        }
        similar.size += terms.len() + 1;
        similar.terms.insert(key, terms.clone());
        Ok(terms)
    }
}

/// A poisoned lock only means that another thread panicked; what it guards can be read again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_anyone_types_take_bounded_memory() {
        let cache = TextCache::default();
        let term = TermInfo {
            doc_freq: 1,
            postings_range: 0..1,
            positions_range: 0..1,
        };
        let segment = SegmentId::generate_random();
        for number in 0..MAX_TERMS {
            let key = (
                segment,
                Field::from_field_id(0),
                (format!("word{number}"), 2),
            );
            let found = cache.similar(key, || Ok(vec![term.clone(); 7])).unwrap();
            assert_eq!(found.len(), 7);
            let similar = lock(&cache.similar);
            assert!(similar.size <= MAX_TERMS + 1 && similar.terms.len() * 8 <= similar.size);
        }
        cache.retain(&HashSet::new());
        assert_eq!(lock(&cache.similar).size, 0);
    }
}
