//! One pass over all matches: counts them and their facets, and keeps one page.
//!
//! Total, page and facets come from the same pass, so they always agree.

use super::area::{Area, Spot};
use super::facets::{FacetCounter, FacetPlan, ordinals};
use super::fields::{ID, LAT, LON};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader, TantivyError};

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
    /// Distance in metres or score as bits that sort; 0 if the order is by text only.
    pub(super) number: u64,
    pub(super) text: String,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) ranking: Ranking,
    pub(super) after: Option<Place>,
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

impl Collector for Plan {
    type Fruit = Collected;
    type Child = Segment;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<Segment> {
        let columns = reader.fast_fields();
        let name = match self.ranking {
            Ranking::Column { name, .. } | Ranking::Score { then: name, .. } => name,
            Ranking::Distance { .. } => ID,
        };
        let texts = columns.str(name)?;
        let after = match (&self.after, &texts) {
            (Some(after), Some(texts)) => {
                Some(After::find(after, texts, self.ranking.is_backwards())?)
            }
            (Some(_), None) | (None, _) => None,
        };
        let needs_points =
            !self.areas.is_empty() || matches!(self.ranking, Ranking::Distance { .. });
        let points = if needs_points {
            Some((columns.f64(LAT)?, columns.f64(LON)?))
        } else {
            None
        };
        let facets = self
            .facets
            .iter()
            .map(|plan| FacetCounter::new(plan, reader));
        Ok(Segment {
            ranking: self.ranking.clone(),
            areas: self.areas.clone(),
            keep: self.keep,
            texts,
            points,
            after,
            facets: facets.collect::<tantivy::Result<_>>()?,
            total: 0,
            heap: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        matches!(self.ranking, Ranking::Score { .. })
    }

    fn merge_fruits(&self, fruits: Vec<tantivy::Result<Collected>>) -> tantivy::Result<Collected> {
        let mut all = Collected {
            facets: vec![BTreeMap::new(); self.facets.len()],
            ..Collected::default()
        };
        for fruit in fruits {
            let fruit = fruit?;
            all.total += fruit.total;
            all.places.extend(fruit.places);
            for (sum, counts) in all.facets.iter_mut().zip(fruit.facets) {
                for (value, count) in counts {
                    *sum.entry(value).or_default() += count;
                }
            }
        }
        all.places.sort_by(|a, b| self.ranking.compare(a, b));
        all.places.truncate(self.keep);
        Ok(all)
    }
}

impl Ranking {
    fn is_backwards(&self) -> bool {
        matches!(
            self,
            Self::Column {
                descending: true,
                ..
            }
        )
    }

    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let texts = match self {
            _ if self.is_backwards() => b.text.cmp(&a.text),
            _ => a.text.cmp(&b.text),
        };
        a.number.cmp(&b.number).then(texts)
    }
}

#[derive(Debug, Clone)]
struct After {
    number: u64,
    ordinals: Range<u64>,
}

impl After {
    fn find(after: &Place, texts: &StrColumn, descending: bool) -> tantivy::Result<Self> {
        let text = std::ops::Bound::Excluded(after.text.as_bytes());
        let bounds = if descending {
            (std::ops::Bound::Unbounded, text)
        } else {
            (text, std::ops::Bound::Unbounded)
        };
        let bounds = texts.dictionary().term_bounds_to_ord(bounds.0, bounds.1)?;
        Ok(Self {
            number: after.number,
            ordinals: ordinals(bounds),
        })
    }

    fn holds(&self, number: u64, ordinal: u64) -> bool {
        number > self.number || (number == self.number && self.ordinals.contains(&ordinal))
    }
}

pub(super) struct Segment {
    ranking: Ranking,
    areas: Vec<Area>,
    keep: usize,
    texts: Option<StrColumn>,
    points: Option<(Column<f64>, Column<f64>)>,
    after: Option<After>,
    facets: Vec<FacetCounter>,
    total: u64,
    heap: BinaryHeap<(u64, u64)>,
}

/// A non-negative distance or score, as bits in the same order.
fn bits(number: f64) -> u64 {
    number.max(0.0).to_bits()
}

/// The inverse of [`bits`].
pub(super) fn number(bits: u64) -> f64 {
    f64::from_bits(bits)
}

impl Segment {
    fn spots(&self, doc: DocId) -> Vec<Spot> {
        let Some((lats, lons)) = &self.points else {
            return Vec::new();
        };
        let pairs = lats.values_for_doc(doc).zip(lons.values_for_doc(doc));
        pairs.map(|(lat, lon)| Spot { lat, lon }).collect()
    }

    /// The number by which a document is ranked; `None` if it has no position in this order.
    fn number(&self, spots: &[Spot], score: Score) -> Option<u64> {
        match self.ranking {
            Ranking::Column { .. } => Some(0),
            Ranking::Score {
                step, descending, ..
            } => {
                let score = bits(f64::from((score / step).floor() * step));
                Some(if descending { score } else { !score })
            }
            Ranking::Distance { from, descending } => {
                let nearest = spots
                    .iter()
                    .map(|spot| from.distance(*spot))
                    .reduce(f64::min)?;
                Some(if descending {
                    !bits(nearest)
                } else {
                    bits(nearest)
                })
            }
        }
    }

    fn rank(&mut self, number: u64, doc: DocId) {
        let ordinal = self
            .texts
            .as_ref()
            .and_then(|texts| texts.ords().first(doc));
        let Some(ordinal) = ordinal.filter(|_| self.keep > 0) else {
            return;
        };
        let descending = self.ranking.is_backwards();
        if self
            .after
            .as_ref()
            .is_some_and(|after| !after.holds(number, ordinal))
        {
            return;
        }
        let entry = (number, if descending { !ordinal } else { ordinal });
        if self.heap.len() < self.keep {
            self.heap.push(entry);
        } else if self.heap.peek().is_some_and(|worst| entry < *worst) {
            self.heap.pop();
            self.heap.push(entry);
        }
    }

    fn places(&mut self) -> tantivy::Result<Vec<Place>> {
        let descending = self.ranking.is_backwards();
        let Some(texts) = &self.texts else {
            return Ok(Vec::new());
        };
        let heap = std::mem::take(&mut self.heap);
        let mut places = Vec::with_capacity(heap.len());
        for (number, entry) in heap {
            let mut text = String::new();
            let ordinal = if descending { !entry } else { entry };
            if !texts.ord_to_str(ordinal, &mut text)? {
                return Err(TantivyError::InternalError(
                    "an ordinal without its text".to_owned(),
                ));
            }
            places.push(Place { number, text });
        }
        Ok(places)
    }
}

impl SegmentCollector for Segment {
    type Fruit = tantivy::Result<Collected>;

    fn collect(&mut self, doc: DocId, score: Score) {
        let spots = self.spots(doc);
        let inside = self
            .areas
            .iter()
            .all(|area| spots.iter().any(|spot| area.holds(*spot)));
        if !inside {
            return;
        }
        let Some(number) = self.number(&spots, score) else {
            return;
        };
        self.total += 1;
        for facet in &mut self.facets {
            facet.count(doc);
        }
        self.rank(number, doc);
    }

    fn harvest(mut self) -> Self::Fruit {
        let places = self.places()?;
        let facets = std::mem::take(&mut self.facets)
            .into_iter()
            .map(FacetCounter::harvest);
        Ok(Collected {
            total: self.total,
            places,
            facets: facets.collect::<tantivy::Result<_>>()?,
        })
    }
}
