//! Facets: the number of occurrences of each value among the matches.

use super::by_doc::ByDoc;
use super::doc_set::index_of;
use super::edge_terms::dated;
use super::fields::FACET;
use super::trees::Trees;
use domain::kinds::relationship::on::{HoldsOn, RelationshipsOn};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;
use tantivy::columnar::StrColumn;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, SegmentReader, TERMINATED};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) struct FacetPlan {
    /// The prefixes of the counted tokens: `seat=`, `serves=`.
    pub(super) prefixes: Vec<String>,
    /// Relationships with days, which are counted in addition to the tokens.
    pub(super) dated: Option<Dated>,
    /// Values are records, and count for their merge targets; with everything above them if the
    /// facet is a tree.
    pub(super) records: Option<Records>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Dated {
    pub(super) field: Field,
    /// The type as read from the counted records.
    pub(super) code: &'static str,
    pub(super) holds: Option<HoldsOn>,
}

#[derive(Debug, Clone)]
pub(super) struct Records {
    pub(super) trees: Arc<Trees>,
    pub(super) above: bool,
    pub(super) on: RelationshipsOn,
}

impl Records {
    fn expand(&self, value: &str) -> Vec<Uuid> {
        let Ok(id) = Uuid::try_parse(value) else {
            return Vec::new();
        };
        let id = self.trees.merge_target(id);
        if !self.above {
            return vec![id];
        }
        let above = self.trees.above(id, self.on).into_iter();
        let above: BTreeSet<Uuid> = above.map(|id| self.trees.merge_target(id)).collect();
        above.into_iter().collect()
    }
}

impl FacetPlan {
    /// The generation of the trees on which the values depend; 0 if they depend on none.
    pub(super) fn generation(&self) -> u64 {
        let records = self.records.as_ref();
        records.map_or(0, |records| records.trees.generation())
    }

    /// A text that is the same only for facets with the same values, with the same trees.
    pub(super) fn key(&self) -> String {
        let on = self.records.as_ref().map(|records| records.on);
        let holds = self.dated.map(|dated| dated.holds);
        format!("{} {on:?} {holds:?}", self.prefixes.concat())
    }
}

/// The values of a facet in one segment.
#[derive(Debug)]
pub(super) struct FacetColumn {
    names: Vec<String>,
    /// Indices of names.
    values: ByDoc<u32>,
}

impl FacetColumn {
    pub(super) fn read(plan: &FacetPlan, reader: &SegmentReader) -> tantivy::Result<Self> {
        let (mut names, mut values) = (Vec::new(), ByDoc::with_capacity(reader.max_doc()));
        let Some(tokens) = reader.fast_fields().str(FACET)? else {
            return Ok(Self { names, values });
        };
        let mut reading = Reading {
            ranges: ranges(plan, &tokens)?,
            known: HashMap::new(),
            numbers: HashMap::new(),
            plan,
            tokens,
        };
        let dated = reading.dated(reader, &mut names)?;
        let (mut ordinals, mut mine) = (Vec::new(), Vec::new());
        for doc in 0..reader.max_doc() {
            ordinals.clear();
            let all = reading.tokens.ords().values_for_doc(doc);
            ordinals.extend(all.filter(|ordinal| reading.is_wanted(*ordinal)));
            mine.clear();
            for ordinal in &ordinals {
                mine.extend_from_slice(reading.values(*ordinal, &mut names)?);
            }
            mine.extend(dated.get(&doc).into_iter().flatten());
            // A record counts once, however many of its values lead to the same one above.
            mine.sort_unstable();
            mine.dedup();
            values.push(mine.iter().copied());
        }
        Ok(Self { names, values })
    }
}

fn ranges(plan: &FacetPlan, tokens: &StrColumn) -> tantivy::Result<Vec<(Range<u64>, usize)>> {
    let mut ranges = Vec::new();
    for prefix in &plan.prefixes {
        // `=` is followed by `>` in ASCII: everything that begins with `name=`.
        let end = format!("{}>", prefix.trim_end_matches('='));
        let bounds = tokens.dictionary().term_bounds_to_ord(
            Bound::Included(prefix.as_bytes()),
            Bound::Excluded(end.as_bytes()),
        )?;
        ranges.push((ordinals(bounds), prefix.len()));
    }
    Ok(ranges)
}

struct Reading<'a> {
    plan: &'a FacetPlan,
    tokens: StrColumn,
    /// The ordinals of each prefix, and its length.
    ranges: Vec<(Range<u64>, usize)>,
    /// The values of a token.
    known: HashMap<u64, Vec<u32>>,
    numbers: HashMap<String, u32>,
}

impl Reading<'_> {
    fn is_wanted(&self, ordinal: u64) -> bool {
        self.ranges
            .iter()
            .any(|(range, _)| range.contains(&ordinal))
    }

    fn values(&mut self, ordinal: u64, names: &mut Vec<String>) -> tantivy::Result<&[u32]> {
        let number = match self.known.entry(ordinal) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(new) => new,
        };
        let range = self
            .ranges
            .iter()
            .find(|(range, _)| range.contains(&ordinal));
        let prefix = range.map(|(_, prefix)| *prefix).unwrap_or_default();
        let mut token = String::new();
        self.tokens.ord_to_str(ordinal, &mut token)?;
        let value = token.get(prefix..).unwrap_or_default();
        Ok(number.insert(numbers(self.plan, &mut self.numbers, value, names)))
    }

    /// The values of relationships with days, by document.
    fn dated(
        &mut self,
        reader: &SegmentReader,
        names: &mut Vec<String>,
    ) -> tantivy::Result<HashMap<DocId, Vec<u32>>> {
        let mut values: HashMap<DocId, Vec<u32>> = HashMap::new();
        let Some(Dated { field, code, holds }) = self.plan.dated else {
            return Ok(values);
        };
        let index = reader.inverted_index(field)?;
        let begin = format!("{code}|");
        for (token, info) in dated(&index, &begin, holds)? {
            let other = token.get(begin.len()..).unwrap_or_default();
            let found = numbers(self.plan, &mut self.numbers, other, names);
            let mut docs = index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            while docs.doc() != TERMINATED {
                values.entry(docs.doc()).or_default().extend(&found);
                docs.advance();
            }
        }
        Ok(values)
    }
}

/// The numbers of the values for which a token counts.
fn numbers(
    plan: &FacetPlan,
    known: &mut HashMap<String, u32>,
    value: &str,
    names: &mut Vec<String>,
) -> Vec<u32> {
    let found = match &plan.records {
        None => vec![value.to_owned()],
        Some(records) => records.expand(value).iter().map(Uuid::to_string).collect(),
    };
    let numbers = found.into_iter().map(|name| {
        *known.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
        })
    });
    numbers.collect()
}

/// Counts the values of a facet among the documents of a segment.
pub(super) struct FacetCounter {
    column: Arc<FacetColumn>,
    counts: Vec<u64>,
}

impl FacetCounter {
    pub(super) fn new(column: Arc<FacetColumn>) -> Self {
        let counts = vec![0; column.names.len()];
        Self { column, counts }
    }

    pub(super) fn count(&mut self, doc: DocId) {
        for value in self.column.values.of(doc) {
            if let Some(count) = self.counts.get_mut(index_of(*value)) {
                *count += 1;
            }
        }
    }

    pub(super) fn counted(&self) -> impl Iterator<Item = (&String, u64)> {
        let counts = self.column.names.iter().zip(self.counts.iter().copied());
        counts.filter(|(_, count)| *count > 0)
    }
}

pub(super) fn ordinals((from, to): (Bound<u64>, Bound<u64>)) -> Range<u64> {
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
