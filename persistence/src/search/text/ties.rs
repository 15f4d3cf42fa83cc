//! Tie-breakers between equal matches: shorter names first, regions and topics last. They depend on
//! the document alone, so they are read once for each segment instead of in every query.

use super::fields::{LAST, LONG_NAME, TextFields, length_term};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Score, SegmentReader, TERMINATED, Term};

/// Regions and topics come last among equals.
const NOT_LAST: Score = 4.0;
const SHORT: Score = 3.0;

pub(super) fn read(fields: &TextFields, reader: &SegmentReader) -> tantivy::Result<Vec<Score>> {
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
