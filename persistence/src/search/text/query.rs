//! Queries to the index, and the ranking of their hits.
//!
//! A score is a sum of the matches of the whole query (each level weighs more than all lower ones
//! together), of the matches of each word, and of tie-breakers.

use super::cache::TextCache;
use super::compound;
use super::fields::{Area, TextFields, identifier_key};
use super::forms::{Form, Forms, Way};
use super::joint::{MOST, is_joinable};
use super::scored::{Cursor, Scored, best, merge};
use super::ties;
use super::typed::{Typed, TypedWord};
use super::words::{exact_key, is_number, stem};
use crate::meter::Meter;
use std::ops::{Add, Range};
use std::sync::Arc;
use tantivy::query::{EnableScoring, PhraseQuery, Query as _};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Returns the members of regions, networks and topics whose name has this [`key`](super::key), by
/// segment: they match a query that contains the name.
pub type Named<'a> = dyn Fn(&str) -> tantivy::Result<Option<Vec<Scored>>> + 'a;

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
pub const NAMED: Score = 10.0;

/// Maximum number of words of a name that is recognised in a query.
const LONGEST_NAMED: usize = 6;

/// Minimum length of a word that matches as a beginning.
const BEGINNING_FROM: usize = 3;

/// The fields of an index, what is known of its segments, and who counts.
#[derive(Debug, Clone, Copy)]
pub struct TextIndex<'a> {
    pub fields: &'a TextFields,
    pub cache: &'a TextCache,
    pub meter: &'a Meter,
}

/// Finds the records that have all words of a typed text, or are named by all of it.
#[derive(Debug)]
pub struct TextQuery {
    words: Vec<Vec<Alternative>>,
    /// Each in the areas of the text, with its score there.
    phrases: Vec<Vec<(Phrase, Score)>>,
    /// The matches of the whole text.
    whole: Vec<(Term, Score)>,
    beginning: Option<Forms>,
}

/// What a word matches.
#[derive(Debug, Clone)]
enum Alternative {
    Forms(Arc<Forms>),
    /// Documents by segment.
    Members(Arc<[Scored]>),
}

#[derive(Debug)]
enum Phrase {
    Word(Term),
    Words(PhraseQuery),
}

/// The matches of adjacent words, as a range of them.
type Spans = Vec<(Range<usize>, Vec<Alternative>)>;

impl Typed {
    /// The query for the records that have all its words.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn query(&self, index: &TextIndex<'_>, named: &Named<'_>) -> tantivy::Result<TextQuery> {
        self.ranked(index, named, BEGINNING_FROM)
    }

    /// The query for suggestions: every word may be a beginning, from the first letter on.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn suggest_query(&self, index: &TextIndex<'_>) -> tantivy::Result<TextQuery> {
        self.ranked(index, &|_| Ok(None), 1)
    }

    /// Combines the matches of the words with those of the whole query.
    fn ranked(
        &self,
        index: &TextIndex<'_>,
        named: &Named<'_>,
        beginning_from: usize,
    ) -> tantivy::Result<TextQuery> {
        let fields = index.fields;
        let key = exact_key(&self.whole);
        let identifier = identifier_key(&self.whole);
        let whole = [
            (fields.identifier, &identifier, IDENTIFIER),
            (fields.exact, &key, NAME),
            (fields.acronym, &key, ACRONYM),
        ];
        let whole = whole.into_iter().filter(|(_, key, _)| !key.is_empty());
        let spans = self.spans(fields, named, beginning_from)?;
        let words = self.words.iter().enumerate();
        let words = words.filter(|(_, word)| !word.dropped).map(|(at, word)| {
            let of_word = Alternative::of(fields, word, beginning_from);
            let around = spans.iter().filter(|(range, _)| range.contains(&at));
            let around = around.flat_map(|(_, alternatives)| alternatives.iter().cloned());
            std::iter::once(of_word).chain(around).collect()
        });
        let phrases = self.phrases.iter();
        Ok(TextQuery {
            words: words.collect(),
            phrases: phrases.map(|words| phrase(fields, words)).collect(),
            whole: whole
                .map(|(field, key, score)| (Term::from_field_text(field, key), score))
                .collect(),
            beginning: (!key.is_empty()).then(|| beginning(fields.exact, key)),
        })
    }

    /// The matches of adjacent words: a joined word, a name, an identifier.
    fn spans(
        &self,
        fields: &TextFields,
        named: &Named<'_>,
        beginning_from: usize,
    ) -> tantivy::Result<Spans> {
        let mut spans = Spans::new();
        for (range, whole) in &self.written_as_one {
            let forms = any_form(fields, whole, beginning_from, true);
            spans.push((range.clone(), vec![Alternative::forms(forms)]));
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
                let mut alternatives = Vec::new();
                if (2..=MOST).contains(&length) && is_joinable(wholes()) {
                    let whole: String = wholes().collect();
                    let forms = any_form(fields, &whole, beginning_from, false);
                    alternatives.push(Alternative::forms(forms));
                }
                if length > 1 {
                    let mut pieces: Vec<&str> =
                        words.iter().map(|word| word.piece.as_str()).collect();
                    pieces.dedup();
                    let way = identifier(fields, &pieces.concat());
                    alternatives.push(Alternative::forms((vec![way], String::new(), 0)));
                }
                let key: String = wholes().map(stem).collect();
                let members = named(&key)?;
                alternatives.extend(members.map(|all| Alternative::Members(all.into())));
                if !alternatives.is_empty() {
                    spans.push((from..from + length, alternatives));
                }
            }
        }
        Ok(spans)
    }
}

impl Alternative {
    /// A word, or the identifier that it is a part of.
    fn of(fields: &TextFields, word: &TypedWord, beginning_from: usize) -> Self {
        let (mut ways, stem, edits) = any_form(fields, &word.whole, beginning_from, true);
        ways.push(identifier(fields, &word.piece));
        Self::forms((ways, stem, edits))
    }

    fn forms((ways, stem, edits): (Vec<Way>, String, u8)) -> Self {
        Self::Forms(Arc::new(Forms::new(ways, stem, edits)))
    }

    /// The documents of a segment, deleted ones included.
    fn documents(
        &self,
        index: &TextIndex<'_>,
        reader: &SegmentReader,
        segment: usize,
    ) -> tantivy::Result<Scored> {
        match self {
            Self::Forms(forms) => forms.documents(index, reader),
            Self::Members(members) => Ok(members.get(segment).cloned().unwrap_or_default()),
        }
    }
}

impl TextQuery {
    /// The matches among those documents of a segment that `may` be shown, in ascending order, with
    /// their scores. `segment` is its number in the searcher.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn matches(
        &self,
        index: &TextIndex<'_>,
        (reader, segment): (&SegmentReader, usize),
        may: impl Fn(DocId) -> bool,
    ) -> tantivy::Result<Vec<(DocId, Score)>> {
        let mut found = self.with_all_words(index, (reader, segment), &may)?;
        for (term, score) in &self.whole {
            let mut documents = Vec::new();
            let inverted = reader.inverted_index(term.field())?;
            if let Some(postings) = inverted.read_postings(term, IndexRecordOption::Basic)? {
                each(postings, |doc| documents.push((doc, *score)));
                index.meter.documents(documents.len() as u64);
                documents.retain(|(doc, _)| may(*doc));
                found = merge(&found, &documents, Score::add);
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        let ties = index
            .cache
            .ties(reader.segment_id(), || ties::read(index.fields, reader))?;
        let begun = match &self.beginning {
            Some(forms) => forms.documents(index, reader)?,
            None => Scored::default(),
        };
        let mut begun = Cursor::new(&begun);
        for (doc, score) in &mut found {
            *score += begun.score_of(*doc).unwrap_or_default();
            let at = usize::try_from(*doc).unwrap_or(usize::MAX);
            *score += ties.get(at).copied().unwrap_or_default();
        }
        Ok(found)
    }

    /// The documents that have all words and phrases: those of the rarest, looked up in the others.
    fn with_all_words(
        &self,
        index: &TextIndex<'_>,
        (reader, segment): (&SegmentReader, usize),
        may: &impl Fn(DocId) -> bool,
    ) -> tantivy::Result<Vec<(DocId, Score)>> {
        let mut all: Vec<Vec<Scored>> = Vec::new();
        for word in &self.words {
            let mut lists = Vec::with_capacity(word.len());
            for alternative in word {
                let documents = alternative.documents(index, reader, segment)?;
                if !documents.is_empty() {
                    lists.push(documents);
                }
            }
            if lists.is_empty() {
                return Ok(Vec::new());
            }
            all.push(lists);
        }
        for areas in &self.phrases {
            let mut lists = Vec::new();
            for (phrase, score) in areas {
                lists.push(phrase.documents(index, reader, *score)?);
            }
            all.push(lists);
        }
        all.sort_by_key(|lists| lists.iter().map(|list| list.len()).sum::<usize>());
        let Some((rarest, others)) = all.split_first() else {
            return Ok(Vec::new());
        };
        let rarest = best(rarest);
        index.meter.documents(rarest.len() as u64);
        let others = others.iter().map(|lists| {
            let cursors = lists.iter().map(|list| Cursor::new(list));
            cursors.collect::<Vec<_>>()
        });
        let mut others: Vec<_> = others.collect();
        let rarest = rarest.iter().filter(|(doc, _)| may(*doc));
        let scored = rarest.filter_map(|(doc, score)| {
            let mut sum = *score;
            for cursors in &mut others {
                let scores = cursors.iter_mut().filter_map(|one| one.score_of(*doc));
                sum += scores.reduce(Score::max)?;
            }
            Some((*doc, sum))
        });
        Ok(scored.collect())
    }
}

impl Phrase {
    fn documents(
        &self,
        index: &TextIndex<'_>,
        reader: &SegmentReader,
        score: Score,
    ) -> tantivy::Result<Scored> {
        let mut documents = Vec::new();
        match self {
            Self::Word(term) => {
                let inverted = reader.inverted_index(term.field())?;
                let postings = inverted.read_postings(term, IndexRecordOption::Basic)?;
                if let Some(postings) = postings {
                    each(postings, |doc| documents.push((doc, score)));
                }
            }
            Self::Words(query) => {
                let scoring = EnableScoring::disabled_from_schema(reader.schema());
                let weight = query.weight(scoring)?;
                let scorer = weight.scorer(reader, 1.0)?;
                each(scorer, |doc| documents.push((doc, score)));
            }
        }
        index.meter.documents(documents.len() as u64);
        Ok(documents.into())
    }
}

fn each(mut documents: impl DocSet, mut seen: impl FnMut(DocId)) {
    while documents.doc() != TERMINATED {
        seen(documents.doc());
        documents.advance();
    }
}

/// The forms of a word, its stem, and how many edits of it are typos.
fn any_form(
    fields: &TextFields,
    whole: &str,
    beginning_from: usize,
    typos: bool,
) -> (Vec<Way>, String, u8) {
    let stem = stem(whole);
    let letters = stem.chars().count();
    let edits = match letters {
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
        if edits > 0 {
            way(word, Form::Typo, worth.typo);
        }
    }
    (ways, stem, edits)
}

fn identifier(fields: &TextFields, text: &str) -> Way {
    Way {
        field: fields.identifier,
        form: Form::Term(identifier_key(text)),
        worth: WHOLE_PIECE,
    }
}

fn beginning(field: Field, key: String) -> Forms {
    let way = Way {
        field,
        form: Form::Beginning(key),
        worth: BEGINNING,
    };
    Forms::new(vec![way], String::new(), 0)
}

fn phrase(fields: &TextFields, words: &[String]) -> Vec<(Phrase, Score)> {
    let areas = fields.areas().into_iter().zip(&WORTH);
    let areas = areas.map(|(Area { sequence, .. }, worth)| {
        let terms = words
            .iter()
            .map(|word| Term::from_field_text(sequence, word));
        let mut terms: Vec<Term> = terms.collect();
        let phrase = match terms.pop() {
            Some(only) if terms.is_empty() => Phrase::Word(only),
            last => {
                terms.extend(last);
                Phrase::Words(PhraseQuery::new(terms))
            }
        };
        (phrase, worth.same)
    });
    areas.collect()
}
