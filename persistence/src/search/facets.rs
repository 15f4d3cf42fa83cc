//! Facets: the number of occurrences of each value among the matches.

use super::fields::FACET;
use super::trees::Trees;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use tantivy::columnar::StrColumn;
use tantivy::{DocId, SegmentReader};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) struct FacetPlan {
    /// The prefixes of the counted tokens: `seat=`, `serves=`.
    pub(super) prefixes: Vec<String>,
    /// Values are records, and count for their merge targets; with everything above them if the
    /// facet is a tree.
    pub(super) records: Option<Records>,
}

#[derive(Debug, Clone)]
pub(super) struct Records {
    pub(super) trees: Arc<Trees>,
    pub(super) above: bool,
}

impl Records {
    fn expand(&self, value: &str) -> Vec<Uuid> {
        let Ok(id) = Uuid::try_parse(value) else {
            return Vec::new();
        };
        let id = self.trees.survivor(id);
        if !self.above {
            return vec![id];
        }
        let above = self.trees.above(id).into_iter();
        let above: BTreeSet<Uuid> = above.map(|id| self.trees.survivor(id)).collect();
        above.into_iter().collect()
    }
}

pub(super) struct FacetCounter {
    column: Option<StrColumn>,
    ranges: Vec<std::ops::Range<u64>>,
    prefixes: Vec<usize>,
    records: Option<Records>,
    plain: HashMap<u64, u64>,
    expanded: HashMap<u64, Vec<Uuid>>,
    counted: HashMap<Uuid, u64>,
    failed: Option<tantivy::TantivyError>,
}

impl FacetCounter {
    pub(super) fn new(plan: &FacetPlan, reader: &SegmentReader) -> tantivy::Result<Self> {
        let column = reader.fast_fields().str(FACET)?;
        let mut ranges = Vec::new();
        if let Some(column) = &column {
            for prefix in &plan.prefixes {
                // `=` is followed by `>` in ASCII: everything that begins with `name=`.
                let end = format!("{}>", prefix.trim_end_matches('='));
                let bounds = column.dictionary().term_bounds_to_ord(
                    Bound::Included(prefix.as_bytes()),
                    Bound::Excluded(end.as_bytes()),
                )?;
                ranges.push(ordinals(bounds));
            }
        }
        Ok(Self {
            column,
            ranges,
            prefixes: plan.prefixes.iter().map(String::len).collect(),
            records: plan.records.clone(),
            plain: HashMap::new(),
            expanded: HashMap::new(),
            counted: HashMap::new(),
            failed: None,
        })
    }

    pub(super) fn count(&mut self, doc: DocId) {
        let Some(column) = &self.column else { return };
        let ords = column.ords().values_for_doc(doc);
        let ranges = &self.ranges;
        let mine: Vec<u64> = ords
            .filter(|ord| ranges.iter().any(|range| range.contains(ord)))
            .collect();
        if self.records.is_none() {
            for ord in mine {
                *self.plain.entry(ord).or_default() += 1;
            }
            return;
        }
        // A record counts once, however many of its values lead to the same one above.
        let mut found = BTreeSet::new();
        for ord in mine {
            match self.expand(ord) {
                Ok(ids) => found.extend(ids),
                Err(error) => self.failed = Some(error),
            }
        }
        for id in found {
            *self.counted.entry(id).or_default() += 1;
        }
    }

    fn expand(&mut self, ord: u64) -> tantivy::Result<Vec<Uuid>> {
        if let Some(known) = self.expanded.get(&ord) {
            return Ok(known.clone());
        }
        let value = self.value(ord)?;
        let ids = self
            .records
            .as_ref()
            .map(|records| records.expand(&value))
            .unwrap_or_default();
        self.expanded.insert(ord, ids.clone());
        Ok(ids)
    }

    fn value(&self, ord: u64) -> tantivy::Result<String> {
        let mut text = String::new();
        if let Some(column) = &self.column {
            column.ord_to_str(ord, &mut text)?;
        }
        let at = self.ranges.iter().position(|range| range.contains(&ord));
        let length = at
            .and_then(|at| self.prefixes.get(at))
            .copied()
            .unwrap_or_default();
        Ok(text.get(length..).unwrap_or_default().to_owned())
    }

    pub(super) fn harvest(self) -> tantivy::Result<BTreeMap<String, u64>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut counts = BTreeMap::new();
        for (ord, count) in &self.plain {
            *counts.entry(self.value(*ord)?).or_default() += count;
        }
        for (id, count) in &self.counted {
            *counts.entry(id.to_string()).or_default() += count;
        }
        Ok(counts)
    }
}

pub(super) fn ordinals((from, to): (Bound<u64>, Bound<u64>)) -> std::ops::Range<u64> {
    let from = match from {
        Bound::Included(ord) => ord,
        Bound::Excluded(ord) => ord + 1,
        Bound::Unbounded => 0,
    };
    let to = match to {
        Bound::Included(ord) => ord + 1,
        Bound::Excluded(ord) => ord,
        Bound::Unbounded => u64::MAX,
    };
    from..to
}
