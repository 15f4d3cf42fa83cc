//! Tie-breakers between equal matches: shorter names first, regions and topics last. They depend on
//! the document alone, so they are read once for each segment instead of in every query.

use super::cache::TextCache;
use super::fields::{LAST, LONG_NAME, TextFields, length_term};
use std::sync::Arc;
use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Regions and topics come last among equals.
const NOT_LAST: Score = 4.0;
const SHORT: Score = 3.0;

fn read(fields: &TextFields, reader: &SegmentReader) -> tantivy::Result<Vec<Score>> {
    let mut scores = vec![NOT_LAST; usize::try_from(reader.max_doc()).unwrap_or(usize::MAX)];
    let lengths = (1..=LONG_NAME).zip(1_u8..);
    let lengths = lengths.map(|(words, rank)| (length_term(words), SHORT / Score::from(rank)));
    let last = (LAST.to_owned(), -NOT_LAST);
    let index = reader.inverted_index(fields.order)?;
    for (text, score) in lengths.chain([last]) {
        let term = Term::from_field_text(fields.order, &text);
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
            continue;
        };
        while postings.doc() != TERMINATED {
            let at = usize::try_from(postings.doc()).unwrap_or(usize::MAX);
            if let Some(sum) = scores.get_mut(at) {
                *sum += score;
            }
            postings.advance();
        }
    }
    Ok(scores)
}

/// A query, with the tie-breakers added to its scores.
#[derive(Debug)]
pub(super) struct WithTies {
    pub(super) query: Box<dyn Query>,
    pub(super) fields: TextFields,
    pub(super) cache: Arc<TextCache>,
}

impl Clone for WithTies {
    fn clone(&self) -> Self {
        Self {
            query: self.query.box_clone(),
            fields: self.fields,
            cache: self.cache.clone(),
        }
    }
}

impl Query for WithTies {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(TiesWeight {
            weight: self.query.weight(scoring)?,
            fields: self.fields,
            cache: self.cache.clone(),
        }))
    }
}

struct TiesWeight {
    weight: Box<dyn Weight>,
    fields: TextFields,
    cache: Arc<TextCache>,
}

impl Weight for TiesWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(TiesScorer {
            scorer: self.weight.scorer(reader, boost)?,
            scores: self
                .cache
                .ties(reader.segment_id(), || read(&self.fields, reader))?,
        }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.weight.explain(reader, doc)
    }
}

struct TiesScorer {
    scorer: Box<dyn Scorer>,
    scores: Arc<[Score]>,
}

impl DocSet for TiesScorer {
    fn advance(&mut self) -> DocId {
        self.scorer.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.scorer.seek(target)
    }

    fn doc(&self) -> DocId {
        self.scorer.doc()
    }

    fn size_hint(&self) -> u32 {
        self.scorer.size_hint()
    }
}

impl Scorer for TiesScorer {
    fn score(&mut self) -> Score {
        let at = usize::try_from(self.doc()).unwrap_or(usize::MAX);
        self.scorer.score() + self.scores.get(at).copied().unwrap_or_default()
    }
}
