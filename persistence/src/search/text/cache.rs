//! What text queries read of each segment of the index once.

use super::scored::Scored;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tantivy::index::SegmentId;
use tantivy::{DocId, Score};

/// Documents in all lists after which all are forgotten: 32 MB.
const MAX_DOCUMENTS: usize = 4_000_000;

/// The memory of a list and its key, in documents.
fn size(key: &str, list: &Scored) -> usize {
    list.len() + key.len() / size_of::<(DocId, Score)>() + 16
}

/// Tie-breakers of documents, and the documents that have a word. A segment does not change but for
/// its deletions, so neither do they, deleted documents included.
#[derive(Debug, Default)]
pub struct TextCache {
    ties: Mutex<HashMap<SegmentId, Arc<[Score]>>>,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    known: HashMap<SegmentId, HashMap<String, Scored>>,
    size: usize,
}

impl TextCache {
    /// Forgets segments that are no longer `present`.
    pub(in crate::search) fn retain(&self, present: &HashSet<SegmentId>) {
        lock(&self.ties).retain(|id, _| present.contains(id));
        let mut lists = lock(&self.lists);
        lists.known.retain(|id, _| present.contains(id));
        let all = lists.known.values().flatten();
        lists.size = all.map(|(key, list)| size(key, list)).sum();
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

    /// The documents of a segment that have what the key says, read if they are not known.
    pub(in crate::search) fn list(
        &self,
        segment: SegmentId,
        key: &str,
        read: impl FnOnce() -> tantivy::Result<Scored>,
    ) -> tantivy::Result<Scored> {
        if let Some(known) = lock(&self.lists).of(segment, key) {
            return Ok(known);
        }
        let list = read()?;
        let more = size(key, &list);
        let mut lists = lock(&self.lists);
        if lists.size + more > MAX_DOCUMENTS {
            *lists = Lists::default();
        }
        lists.size += more;
        let of = lists.known.entry(segment).or_default();
        if let Some(same) = of.insert(key.to_owned(), list.clone()) {
            lists.size -= size(key, &same);
        }
        Ok(list)
    }
}

impl Lists {
    fn of(&self, segment: SegmentId, key: &str) -> Option<Scored> {
        self.known.get(&segment)?.get(key).cloned()
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
        let segment = SegmentId::generate_random();
        for number in 0..MAX_DOCUMENTS / 800 {
            let key = format!("word{number}");
            for _ in 0..2 {
                let list: Scored = vec![(7, 1.0); 1000].into();
                let found = cache.list(segment, &key, || Ok(list)).unwrap();
                assert_eq!(found.len(), 1000);
            }
            let lists = lock(&cache.lists);
            let known = lists.known.values().flatten();
            let sum: usize = known.map(|(key, list)| size(key, list)).sum();
            assert!(sum == lists.size && sum <= MAX_DOCUMENTS);
        }
        cache.retain(&HashSet::new());
        assert_eq!(lock(&cache.lists).size, 0);
    }
}
