//! What a pass needs to know of each segment of the index, read once: sets of documents, orders,
//! facets and points.
//!
//! A segment never changes but for its deletions, so everything here is of all its documents; each
//! pass leaves out the deleted ones. Nothing depends on a caller.

use super::doc_set::{DocSet, index_of};
use super::facets::{FacetColumn, FacetPlan};
use super::fields::ID;
use super::points::Points;
use super::text::TextCache;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tantivy::columnar::StrColumn;
use tantivy::index::SegmentId;
use tantivy::{DocId, Opstamp, Searcher, SegmentReader};
use uuid::Uuid;

/// Bytes of the sets of one segment, after which they are read again.
const MAX_SET_BYTES: usize = 16 << 20;

/// Sets of one segment, after which they are read again.
const MAX_SETS: usize = 1_000;

/// Facets of one segment, after which they are read again.
const MAX_FACETS: usize = 24;

/// Documents from which on a segment is prepared before it is shown.
const LARGE: u32 = 5_000;

#[derive(Debug, Default)]
pub(super) struct Segments {
    all: Mutex<HashMap<SegmentId, Arc<SegmentData>>>,
    /// What the text search keeps.
    pub(super) text: Arc<TextCache>,
}

#[derive(Debug, Default)]
pub(super) struct SegmentData {
    sets: Mutex<HashMap<String, Arc<DocSet>>>,
    orders: Mutex<BTreeMap<&'static str, Arc<Order>>>,
    facets: Mutex<HashMap<(String, u64), Arc<FacetColumn>>>,
    points: Mutex<Option<Arc<Points>>>,
    ids: Mutex<Option<Arc<[Uuid]>>>,
    /// After the deletions up to an operation.
    alive: Mutex<Option<(Opstamp, Arc<DocSet>)>>,
}

/// The documents of a segment by a column of texts.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) texts: StrColumn,
    /// The ordinal of each document's text; [`NONE`] without one.
    ordinals: Vec<u32>,
    docs: Vec<DocId>,
}

const NONE: u32 = u32::MAX;

impl Segments {
    pub(super) fn of(&self, reader: &SegmentReader) -> Arc<SegmentData> {
        let mut all = lock(&self.all);
        all.entry(reader.segment_id()).or_default().clone()
    }

    /// Forgets segments that have been merged away, and prepares large new ones for the orders that
    /// were asked for before.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub(super) fn show(&self, searcher: &Searcher) -> tantivy::Result<()> {
        let readers = searcher.segment_readers();
        let present: HashSet<SegmentId> = readers.iter().map(SegmentReader::segment_id).collect();
        let known: Vec<Arc<SegmentData>> = lock(&self.all).values().cloned().collect();
        for reader in readers.iter().filter(|reader| reader.max_doc() >= LARGE) {
            let data = self.of(reader);
            for other in &known {
                let orders: Vec<&'static str> = lock(&other.orders).keys().copied().collect();
                for name in orders {
                    data.order(reader, name)?;
                }
                if lock(&other.points).is_some() {
                    data.points(reader)?;
                }
            }
            data.ids(reader)?;
        }
        lock(&self.all).retain(|id, _| present.contains(id));
        self.text.retain(&present);
        Ok(())
    }
}

impl SegmentData {
    /// The set of this name, made if it is not known.
    pub(super) fn set(
        &self,
        key: &str,
        make: impl FnOnce() -> tantivy::Result<DocSet>,
    ) -> tantivy::Result<Arc<DocSet>> {
        if let Some(known) = lock(&self.sets).get(key) {
            return Ok(known.clone());
        }
        let set = Arc::new(make()?);
        let mut sets = lock(&self.sets);
        if sets.len() >= MAX_SETS || (sets.len() + 1) * set.bytes() > MAX_SET_BYTES {
            sets.clear();
        }
        sets.insert(key.to_owned(), set.clone());
        Ok(set)
    }

    pub(super) fn order(
        &self,
        reader: &SegmentReader,
        name: &'static str,
    ) -> tantivy::Result<Option<Arc<Order>>> {
        // Others wait, or many would read the same at once.
        let mut orders = lock(&self.orders);
        if let Some(known) = orders.get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(texts) = reader.fast_fields().str(name)? else {
            return Ok(None);
        };
        let order = Arc::new(Order::of(texts, reader.max_doc()));
        orders.insert(name, order.clone());
        Ok(Some(order))
    }

    /// A facet; one of a tree is read again when the trees have changed.
    pub(super) fn facet(
        &self,
        reader: &SegmentReader,
        plan: &FacetPlan,
    ) -> tantivy::Result<Arc<FacetColumn>> {
        let generation = plan.generation();
        let key = (plan.key(), generation);
        // Others wait, or many would read the same at once.
        let mut facets = lock(&self.facets);
        if let Some(known) = facets.get(&key) {
            return Ok(known.clone());
        }
        let column = Arc::new(FacetColumn::read(plan, reader)?);
        facets.retain(|(_, of), _| *of == 0 || generation == 0 || *of == generation);
        if facets.len() >= MAX_FACETS {
            facets.clear();
        }
        facets.insert(key, column.clone());
        Ok(column)
    }

    pub(super) fn points(&self, reader: &SegmentReader) -> tantivy::Result<Arc<Points>> {
        once(&self.points, || Ok(Arc::new(Points::read(reader)?)))
    }

    /// The ids of the documents.
    pub(super) fn ids(&self, reader: &SegmentReader) -> tantivy::Result<Arc<[Uuid]>> {
        once(&self.ids, || read_ids(reader))
    }

    /// The documents that are not deleted; `None` if all are.
    pub(super) fn alive(&self, reader: &SegmentReader) -> Option<Arc<DocSet>> {
        let bits = reader.alive_bitset()?;
        let stamp = reader.delete_opstamp()?;
        let mut alive = lock(&self.alive);
        if let Some((of, known)) = alive.as_ref()
            && *of == stamp
        {
            return Some(known.clone());
        }
        let set = Arc::new(DocSet::of(reader.max_doc(), bits.iter_alive()));
        *alive = Some((stamp, set.clone()));
        Some(set)
    }
}

fn read_ids(reader: &SegmentReader) -> tantivy::Result<Arc<[Uuid]>> {
    let mut ids = Vec::with_capacity(index_of(reader.max_doc()));
    if let Some(column) = reader.fast_fields().str(ID)? {
        let mut text = String::new();
        for doc in 0..reader.max_doc() {
            text.clear();
            if let Some(ordinal) = column.ords().first(doc) {
                column.ord_to_str(ordinal, &mut text)?;
            }
            ids.push(Uuid::try_parse(&text).unwrap_or_default());
        }
    }
    Ok(ids.into())
}

/// What is known, or is read now while others wait.
fn once<T: Clone>(
    slot: &Mutex<Option<T>>,
    read: impl FnOnce() -> tantivy::Result<T>,
) -> tantivy::Result<T> {
    let mut slot = lock(slot);
    if let Some(known) = &*slot {
        return Ok(known.clone());
    }
    let value = read()?;
    *slot = Some(value.clone());
    Ok(value)
}

impl Order {
    fn of(texts: StrColumn, docs: u32) -> Self {
        let ordinals = (0..docs).map(|doc| {
            let ordinal = texts.ords().first(doc);
            ordinal
                .and_then(|one| u32::try_from(one).ok())
                .unwrap_or(NONE)
        });
        let ordinals: Vec<u32> = ordinals.collect();
        let of = |doc: &DocId| ordinals.get(index_of(*doc)).copied().unwrap_or(NONE);
        let mut docs: Vec<DocId> = (0..docs).filter(|doc| of(doc) != NONE).collect();
        docs.sort_by_key(of);
        Self {
            texts,
            ordinals,
            docs,
        }
    }

    pub(super) fn ordinal(&self, doc: DocId) -> Option<u32> {
        let ordinal = self.ordinals.get(index_of(doc)).copied();
        ordinal.filter(|ordinal| *ordinal != NONE)
    }

    /// The documents with these ordinals, in order.
    pub(super) fn docs(&self, ordinals: &Range<u32>) -> &[DocId] {
        let before = |end: u32| {
            let below = |doc: &DocId| self.ordinal(*doc).is_some_and(|one| one < end);
            self.docs.partition_point(below)
        };
        let range = before(ordinals.start)..before(ordinals.end);
        self.docs.get(range).unwrap_or_default()
    }

    /// The ordinals after a text, or before it.
    pub(super) fn beyond(&self, text: &str, descending: bool) -> tantivy::Result<Range<u32>> {
        let text = Bound::Excluded(text.as_bytes());
        let (from, to) = if descending {
            (Bound::Unbounded, text)
        } else {
            (text, Bound::Unbounded)
        };
        let bounds = self.texts.dictionary().term_bounds_to_ord(from, to)?;
        let range = super::facets::ordinals(bounds);
        let narrow = |ordinal: u64| u32::try_from(ordinal).unwrap_or(NONE);
        Ok(narrow(range.start)..narrow(range.end))
    }
}

/// A poisoned lock only means that another thread panicked; what it guards can be read again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
