//! Queries to the index, and the ranking of their hits.
//!
//! A score is a sum of the matches of the whole query (each level weighs more than all lower ones
//! together), of the matches of each word, and of tie-breakers.

use super::cache::TextCache;
use super::compound;
use super::fields::{Area, TextFields, identifier_key};
use super::joint::{MOST, is_joinable};
use super::ties::WithTies;
use super::typed::Typed;
use super::word_query::{Form, Way, WordQuery};
use super::words::{exact_key, is_number, stem};
use crate::meter::Meter;
use std::ops::Bound;
use std::ops::Range;
use std::sync::Arc;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, InvertedIndexRangeQuery, Occur,
    PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Term};

/// Returns the queries for the members of a region, network or topic whose name has this
/// [`key`](super::key): they match a query that contains the name.
pub type Named<'a> = dyn Fn(&str) -> Vec<Box<dyn Query>> + 'a;

const IDENTIFIER: Score = 800_000.0;
const NAME: Score = 400_000.0;
const ACRONYM: Score = 200_000.0;
const BEGINNING: Score = 100_000.0;

/// Scores of a word in an area: as it is, as a part, as a beginning, with a typo.
struct Worth {
    same: Score,
    part: Score,
    beginning: Score,
    typo: Score,
}

const WORTH: [Worth; 3] = [
    Worth {
        same: 100.0,
        part: 90.0,
        beginning: 80.0,
        typo: 30.0,
    },
    Worth {
        same: 95.0,
        part: 85.0,
        beginning: 75.0,
        typo: 25.0,
    },
    Worth {
        same: 60.0,
        part: 55.0,
        beginning: 50.0,
        typo: 20.0,
    },
];
const WHOLE_PIECE: Score = 100.0;
/// The word belongs to the name of something that contains the record.
const NAMED: Score = 10.0;

/// Maximum number of words of a name that is recognised in a query.
const LONGEST_NAMED: usize = 6;

/// Minimum length of a word that matches as a beginning.
const BEGINNING_FROM: usize = 3;

/// The fields of an index, what is known of its segments, and who counts.
#[derive(Debug, Clone, Copy)]
pub struct TextIndex<'a> {
    pub fields: &'a TextFields,
    pub cache: &'a Arc<TextCache>,
    pub meter: &'a Meter,
}

type Queries = Vec<Box<dyn Query>>;

impl Typed {
    /// The query for the records that have all its words.
    #[must_use]
    pub fn query(&self, index: &TextIndex<'_>, named: &Named<'_>) -> Box<dyn Query> {
        self.ranked(index, self.all_words(index, named, BEGINNING_FROM))
    }

    /// The query for suggestions: every word may be a beginning, from the first letter on.
    #[must_use]
    pub fn suggest_query(&self, index: &TextIndex<'_>) -> Box<dyn Query> {
        self.ranked(index, self.all_words(index, &|_| Vec::new(), 1))
    }

    /// Combines the matches of the words with those of the whole query, and ranks them.
    fn ranked(&self, index: &TextIndex<'_>, words: Option<Box<dyn Query>>) -> Box<dyn Query> {
        let fields = index.fields;
        let key = exact_key(&self.whole);
        let mut matching: Queries = words.into_iter().collect();
        let identifier = identifier_key(&self.whole);
        for (field, key, score) in [
            (fields.identifier, &identifier, IDENTIFIER),
            (fields.exact, &key, NAME),
            (fields.acronym, &key, ACRONYM),
        ] {
            if !key.is_empty() {
                matching.push(constant(term(field, key), score));
            }
        }
        if matching.is_empty() {
            return Box::new(EmptyQuery);
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> =
            vec![(Occur::Must, Box::new(BooleanQuery::union(matching)))];
        if !key.is_empty() {
            clauses.push((
                Occur::Should,
                constant(beginning(fields.exact, &key), BEGINNING),
            ));
        }
        Box::new(WithTies {
            query: Box::new(BooleanQuery::new(clauses)),
            fields: *fields,
            cache: index.cache.clone(),
        })
    }

    fn all_words(
        &self,
        index: &TextIndex<'_>,
        named: &Named<'_>,
        beginning_from: usize,
    ) -> Option<Box<dyn Query>> {
        let fields = index.fields;
        let spans = self.spans(index, named, beginning_from);
        let mut all: Queries = Vec::new();
        for (at, word) in self.words.iter().enumerate() {
            if word.dropped {
                continue;
            }
            let mut ways: Queries = vec![
                any_form(index, &word.whole, beginning_from, true),
                constant(
                    term(fields.identifier, &identifier_key(&word.piece)),
                    WHOLE_PIECE,
                ),
            ];
            for (_, queries) in spans.iter().filter(|(range, _)| range.contains(&at)) {
                ways.extend(queries.iter().map(|query| query.box_clone()));
            }
            all.push(Box::new(DisjunctionMaxQuery::new(ways)));
        }
        all.extend(self.phrases.iter().map(|words| phrase(fields, words)));
        let all = (!all.is_empty()).then(|| BooleanQuery::intersection(all));
        all.map(|all| Box::new(all) as Box<dyn Query>)
    }

    /// The matches of adjacent words: a joined word, a name, an identifier.
    fn spans(
        &self,
        index: &TextIndex<'_>,
        named: &Named<'_>,
        beginning_from: usize,
    ) -> Vec<(Range<usize>, Queries)> {
        let fields = index.fields;
        let mut spans: Vec<(Range<usize>, Queries)> = Vec::new();
        for (range, whole) in &self.written_as_one {
            let query = any_form(index, whole, beginning_from, true);
            spans.push((range.clone(), vec![query]));
        }
        for from in 0..self.words.len() {
            for length in 1..=LONGEST_NAMED {
                let Some(words) = self.words.get(from..from + length) else {
                    break;
                };
                if words.iter().all(|word| word.dropped) {
                    continue;
                }
                let wholes = || words.iter().map(|word| word.whole.as_str());
                let mut queries: Queries = Vec::new();
                if (2..=MOST).contains(&length) && is_joinable(wholes()) {
                    let whole: String = wholes().collect();
                    queries.push(any_form(index, &whole, beginning_from, false));
                }
                if length > 1 {
                    let mut pieces: Vec<&str> =
                        words.iter().map(|word| word.piece.as_str()).collect();
                    pieces.dedup();
                    let key = identifier_key(&pieces.concat());
                    queries.push(constant(term(fields.identifier, &key), WHOLE_PIECE));
                }
                let key: String = wholes().map(stem).collect();
                queries.extend(named(&key).into_iter().map(|query| constant(query, NAMED)));
                if !queries.is_empty() {
                    spans.push((from..from + length, queries));
                }
            }
        }
        spans
    }
}

fn any_form(
    index: &TextIndex<'_>,
    whole: &str,
    beginning_from: usize,
    typos: bool,
) -> Box<dyn Query> {
    let fields = index.fields;
    let stem = stem(whole);
    let letters = stem.chars().count();
    let changes = match letters {
        _ if !typos || is_number(whole) => 0,
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    let parts = compound::parts(whole);
    let part = if parts.is_empty() {
        stem.clone()
    } else {
        compound::term(&parts)
    };
    let mut ways = Vec::new();
    for (
        Area {
            word, part: parts, ..
        },
        worth,
    ) in fields.areas().into_iter().zip(&WORTH)
    {
        let mut way = |field, form, worth| ways.push(Way { field, form, worth });
        way(word, Form::Term(stem.clone()), worth.same);
        if is_number(whole) {
            continue;
        }
        way(parts, Form::Term(part.clone()), worth.part);
        if letters >= beginning_from {
            way(word, Form::Beginning(stem.clone()), worth.beginning);
        }
        if changes > 0 {
            way(word, Form::Typo, worth.typo);
        }
    }
    Box::new(WordQuery::new(ways, &stem, changes, index))
}

fn phrase(fields: &TextFields, words: &[String]) -> Box<dyn Query> {
    let mut ways: Queries = Vec::new();
    for (Area { sequence, .. }, worth) in fields.areas().into_iter().zip(&WORTH) {
        let query: Box<dyn Query> = match words {
            [only] => term(sequence, only),
            _ => Box::new(PhraseQuery::new(
                words
                    .iter()
                    .map(|word| Term::from_field_text(sequence, word))
                    .collect(),
            )),
        };
        ways.push(constant(query, worth.same));
    }
    Box::new(DisjunctionMaxQuery::new(ways))
}

fn constant(query: Box<dyn Query>, score: Score) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, score))
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(
        Term::from_field_text(field, text),
        IndexRecordOption::Basic,
    ))
}

fn beginning(field: Field, text: &str) -> Box<dyn Query> {
    let end = format!("{text}{}", char::MAX);
    Box::new(InvertedIndexRangeQuery::new(
        Bound::Included(Term::from_field_text(field, text)),
        Bound::Excluded(Term::from_field_text(field, &end)),
    ))
}
