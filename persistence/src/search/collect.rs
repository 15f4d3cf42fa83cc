//! One pass over all matches: counts them and their facets, and keeps one page.
//!
//! Total, page and facets come from the same pass, so they always agree.

use super::area::{Area, Spot};
use super::doc_set::{DocSet, index_of};
use super::facets::{FacetCounter, FacetPlan};
use super::fields::ID;
use super::points::Points;
use super::segments::{Order, SegmentData};
use crate::error::Result;
use crate::meter::{BLOCK, Meter};
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::sync::Arc;
use tantivy::{DocId, Score, SegmentReader, TantivyError};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) enum Ranking {
    /// By a column of unique texts that end in the id.
    Column {
        name: &'static str,
        descending: bool,
    },
    Distance {
        from: Spot,
        descending: bool,
    },
    /// By score, then by a column of unique texts.
    Score {
        then: &'static str,
        step: Score,
        descending: bool,
    },
}

/// The sort position of a record: by number, then by text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) id: Uuid,
    /// Distance in metres or score as bits that sort; 0 if the order is by text only.
    pub(super) number: u64,
    /// Only where it is needed: for places of several segments, and at the end of a page.
    pub(super) text: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) ranking: Ranking,
    /// The number and the text of the place before the page.
    pub(super) after: Option<(u64, String)>,
    pub(super) keep: usize,
    /// Only records with a point in each of these count.
    pub(super) areas: Vec<Area>,
    pub(super) facets: Vec<FacetPlan>,
}

#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) total: u64,
    pub(super) places: Vec<Place>,
    /// Per facet of the plan, the number of occurrences of each value.
    pub(super) facets: Vec<BTreeMap<String, u64>>,
}

impl Ranking {
    fn column(&self) -> &'static str {
        match self {
            Self::Column { name, .. } | Self::Score { then: name, .. } => name,
            Self::Distance { .. } => ID,
        }
    }

    fn is_reversed(&self) -> bool {
        matches!(
            self,
            Self::Column {
                descending: true,
                ..
            }
        )
    }
}

/// The pass over one segment.
pub(super) struct Pass {
    ranking: Ranking,
    keep: usize,
    /// What matches apart from the typed text, without deleted documents.
    matches: DocSet,
    ids: Arc<[Uuid]>,
    order: Option<Arc<Order>>,
    points: Option<Arc<Points>>,
    after: Option<(u64, Range<u32>)>,
    facets: Vec<FacetCounter>,
    total: u64,
    /// The best documents so far, by number and ordinal.
    heap: BinaryHeap<(u64, u32, DocId)>,
}

/// A non-negative distance or score, as bits in the same order.
fn bits(number: f64) -> u64 {
    number.max(0.0).to_bits()
}

/// The inverse of [`bits`].
pub(super) fn number(bits: u64) -> f64 {
    f64::from_bits(bits)
}

impl Pass {
    /// `matches` are those of the filter, without areas.
    pub(super) fn new(
        plan: &Plan,
        reader: &SegmentReader,
        data: &SegmentData,
        mut matches: DocSet,
    ) -> tantivy::Result<Self> {
        let order = data.order(reader, plan.ranking.column())?;
        let after = match (&plan.after, &order) {
            (Some((number, text)), Some(order)) => {
                Some((*number, order.beyond(text, plan.ranking.is_reversed())?))
            }
            (Some(_), None) | (None, _) => None,
        };
        let by_distance = matches!(plan.ranking, Ranking::Distance { .. });
        let points = if by_distance || !plan.areas.is_empty() {
            Some(data.points(reader)?)
        } else {
            None
        };
        for area in &plan.areas {
            if let Some(points) = &points {
                matches.intersect(&points.within(area, reader.max_doc()));
            }
        }
        let facets = plan.facets.iter().map(|facet| {
            let column = data.facet(reader, facet)?;
            Ok(FacetCounter::new(column))
        });
        Ok(Self {
            ranking: plan.ranking.clone(),
            keep: plan.keep,
            matches,
            ids: data.ids(reader)?,
            order,
            points,
            after,
            facets: facets.collect::<tantivy::Result<_>>()?,
            total: 0,
            heap: BinaryHeap::new(),
        })
    }

    /// Passes over all matches of the filter, if there is no typed text.
    ///
    /// # Errors
    /// [`StoreError::Abandoned`](crate::StoreError::Abandoned) if the client has gone.
    pub(super) fn run(mut self, meter: &Meter) -> Result<Self> {
        let matches = std::mem::replace(&mut self.matches, DocSet::empty(0));
        if self.is_walked() {
            self.total = matches.count();
            if !self.facets.is_empty() {
                self.visit(&matches, meter, Self::count)?;
            }
            self.walk(&matches);
        } else {
            self.visit(&matches, meter, |pass, doc| pass.add(doc, 0.0))?;
        }
        Ok(self)
    }

    /// Whether a document matches the filter.
    pub(super) fn may_match(&self, doc: DocId) -> bool {
        self.matches.contains(doc)
    }

    /// Passes over the matches of the typed text, which are among those of the filter.
    ///
    /// # Errors
    /// [`StoreError::Abandoned`](crate::StoreError::Abandoned) if the client has gone.
    pub(super) fn of(mut self, found: &[(DocId, Score)], meter: &Meter) -> Result<Self> {
        for block in found.chunks(BLOCK) {
            meter.check()?;
            for (doc, score) in block {
                self.add(*doc, *score);
            }
        }
        Ok(self)
    }

    /// Visits the documents, and stops between two blocks of them if the client has gone.
    fn visit(
        &mut self,
        matches: &DocSet,
        meter: &Meter,
        each: impl Fn(&mut Self, DocId),
    ) -> Result<()> {
        let mut docs = matches.iter();
        loop {
            meter.check()?;
            let mut visited = 0;
            for doc in docs.by_ref().take(BLOCK) {
                each(self, doc);
                visited += 1;
            }
            if visited == 0 {
                return Ok(());
            }
            meter.documents(visited);
        }
    }

    /// Whether the order of all documents is known beforehand.
    fn is_walked(&self) -> bool {
        matches!(self.ranking, Ranking::Column { .. })
    }

    /// Keeps the first matches in the order of the column: by walking all documents in this order
    /// if many match, otherwise by sorting the matches.
    fn walk(&mut self, matches: &DocSet) {
        let Some(order) = self.order.clone().filter(|_| self.keep > 0) else {
            return;
        };
        let reversed = self.ranking.is_reversed();
        let beyond = self.after.as_ref().map(|(_, ordinals)| ordinals.clone());
        let docs = order.docs(&beyond.unwrap_or(0..u32::MAX));
        let keep = u64::try_from(self.keep).unwrap_or(u64::MAX);
        let steps = (docs.len() as u64).saturating_mul(keep) / (self.total + 1);
        if steps > self.total.saturating_mul(SORTING) {
            for doc in matches.iter() {
                self.rank(0, doc);
            }
            return;
        }
        let found = |doc: &&DocId| matches.contains(**doc);
        let found: Vec<DocId> = if reversed {
            docs.iter()
                .rev()
                .filter(found)
                .take(self.keep)
                .copied()
                .collect()
        } else {
            docs.iter().filter(found).take(self.keep).copied().collect()
        };
        for doc in found {
            self.rank(0, doc);
        }
    }

    fn count(&mut self, doc: DocId) {
        for facet in &mut self.facets {
            facet.count(doc);
        }
    }

    fn add(&mut self, doc: DocId, score: Score) {
        let Some(number) = self.number(doc, score) else {
            return;
        };
        self.total += 1;
        self.count(doc);
        self.rank(number, doc);
    }

    /// The number by which a document is ranked; `None` if it has no position in this order.
    fn number(&self, doc: DocId, score: Score) -> Option<u64> {
        match self.ranking {
            Ranking::Column { .. } => Some(0),
            Ranking::Score {
                step, descending, ..
            } => {
                let score = bits(f64::from((score / step).floor() * step));
                Some(if descending { score } else { !score })
            }
            Ranking::Distance { from, descending } => {
                let nearest = bits(self.points.as_ref()?.nearest(doc, from)?);
                Some(if descending { !nearest } else { nearest })
            }
        }
    }

    fn rank(&mut self, number: u64, doc: DocId) {
        let ordinal = self.order.as_ref().and_then(|order| order.ordinal(doc));
        let Some(ordinal) = ordinal.filter(|_| self.keep > 0) else {
            return;
        };
        let behind = self.after.as_ref().is_none_or(|(last, ordinals)| {
            number > *last || (number == *last && ordinals.contains(&ordinal))
        });
        if !behind {
            return;
        }
        let key = if self.ranking.is_reversed() {
            !ordinal
        } else {
            ordinal
        };
        let entry = (number, key, doc);
        if self.heap.len() < self.keep {
            self.heap.push(entry);
        } else if self.heap.peek().is_some_and(|worst| entry < *worst) {
            self.heap.pop();
            self.heap.push(entry);
        }
    }

    /// The text of a place by its key.
    fn text(&self, key: u32) -> tantivy::Result<String> {
        let ordinal = if self.ranking.is_reversed() {
            !key
        } else {
            key
        };
        let mut text = String::new();
        let order = self.order.as_ref();
        let found = order.map(|order| order.texts.ord_to_str(u64::from(ordinal), &mut text));
        if found.transpose()? == Some(true) {
            return Ok(text);
        }
        let why = "an ordinal without its text".to_owned();
        Err(TantivyError::InternalError(why))
    }
}

/// Sorting a match counts as much as walking so many documents: an estimate.
const SORTING: u64 = 6;

/// Merges the passes over all segments.
pub(super) fn merge(plan: &Plan, passes: Vec<Pass>) -> tantivy::Result<Collected> {
    let mut all = Collected {
        facets: vec![BTreeMap::new(); plan.facets.len()],
        ..Collected::default()
    };
    let occupied = passes.iter().filter(|pass| !pass.heap.is_empty()).count();
    let mut places = Vec::new();
    for (number, mut pass) in passes.into_iter().enumerate() {
        all.total += pass.total;
        for (sum, facet) in all.facets.iter_mut().zip(&pass.facets) {
            for (value, count) in facet.counted() {
                *sum.entry(value.clone()).or_default() += count;
            }
        }
        let heap = std::mem::take(&mut pass.heap).into_sorted_vec();
        let last = plan.keep.checked_sub(2);
        for (at, (rank, key, doc)) in heap.into_iter().enumerate() {
            let needed = occupied > 1 || Some(at) == last;
            let place = Place {
                id: pass.ids.get(index_of(doc)).copied().unwrap_or_default(),
                number: rank,
                text: needed.then(|| pass.text(key)).transpose()?,
            };
            places.push((number, place));
        }
    }
    if occupied > 1 {
        let reversed = plan.ranking.is_reversed();
        places.sort_by(|(_, a), (_, b)| {
            let texts = if reversed {
                b.text.cmp(&a.text)
            } else {
                a.text.cmp(&b.text)
            };
            a.number.cmp(&b.number).then(texts)
        });
    }
    places.truncate(plan.keep);
    all.places = places.into_iter().map(|(_, place)| place).collect();
    Ok(all)
}
