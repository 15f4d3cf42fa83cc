//! The query for one word: all records with any of its forms, each with its best score.
//!
//! One query reads every term list once and builds the automaton for typos at most once; a
//! disjunction of a dozen queries takes ten times as long.

use super::cache::TextCache;
use super::query::TextIndex;
use crate::meter::Meter;
use std::fmt;
use std::sync::{Arc, OnceLock};
use tantivy::postings::TermInfo;
use tantivy::query::{
    DfaWrapper, EnableScoring, Explanation, FuzzyTermQuery, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

#[derive(Debug, Clone)]
pub(super) enum Form {
    Term(String),
    Beginning(String),
    Typo,
}

#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) field: Field,
    pub(super) form: Form,
    pub(super) worth: Score,
}

#[derive(Clone)]
pub(super) struct WordQuery {
    ways: Arc<[Way]>,
    typed: Arc<TypedStem>,
    cache: Arc<TextCache>,
    meter: Meter,
}

/// A typed word, of which others within some edits are searched for.
struct TypedStem {
    word: (String, u8),
    /// Built if the words of a segment are not known.
    automaton: OnceLock<DfaWrapper>,
}

impl TypedStem {
    fn automaton(&self, field: Field) -> tantivy::Result<&DfaWrapper> {
        if let Some(known) = self.automaton.get() {
            return Ok(known);
        }
        let (stem, edits) = &self.word;
        let query = FuzzyTermQuery::new(Term::from_field_text(field, stem), *edits, true);
        let automaton = query.automaton()?;
        Ok(self.automaton.get_or_init(|| automaton))
    }
}

impl WordQuery {
    /// A query for these forms, with this many edits of the stem for [`Form::Typo`].
    pub(super) fn new(ways: Vec<Way>, stem: &str, changes: u8, index: &TextIndex<'_>) -> Self {
        Self {
            ways: ways.into(),
            typed: Arc::new(TypedStem {
                word: (stem.to_owned(), changes),
                automaton: OnceLock::new(),
            }),
            cache: index.cache.clone(),
            meter: index.meter.clone(),
        }
    }

    fn documents(
        &self,
        reader: &SegmentReader,
        boost: Score,
    ) -> tantivy::Result<Vec<(DocId, Score)>> {
        let mut matches = Matches::new(reader.max_doc());
        for way in &*self.ways {
            let index = reader.inverted_index(way.field)?;
            let terms = index.terms();
            let mut found: Vec<TermInfo> = Vec::new();
            match &way.form {
                Form::Term(text) => found.extend(terms.get(text.as_bytes())?),
                Form::Beginning(text) => {
                    let end = format!("{text}{}", char::MAX);
                    let mut begun = terms
                        .range()
                        .ge(text.as_bytes())
                        .lt(end.as_bytes())
                        .into_stream()?;
                    while begun.advance() {
                        found.push(begun.value().clone());
                    }
                }
                Form::Typo => {
                    let key = (reader.segment_id(), way.field, self.typed.word.clone());
                    found.extend_from_slice(&self.cache.similar(key, || {
                        let mut alike = terms
                            .search(self.typed.automaton(way.field)?)
                            .into_stream()?;
                        let mut found = Vec::new();
                        while alike.advance() {
                            found.push(alike.value().clone());
                        }
                        Ok(found)
                    })?);
                }
            }
            self.meter.terms(found.len() as u64);
            for info in found {
                if self.meter.is_stopped() {
                    return Err(TantivyError::InternalError(
                        "the client has gone".to_owned(),
                    ));
                }
                self.meter.documents(u64::from(info.doc_freq));
                let mut postings =
                    index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                matches.raise(&mut postings, way.worth);
            }
        }
        let mut all = matches.into_sorted();
        for (_, worth) in &mut all {
            *worth *= boost;
        }
        Ok(all)
    }
}

/// The best score of each document: as a list while it is short, then by document.
enum Matches {
    Few(Vec<(DocId, Score)>, usize),
    Many(Vec<Score>),
}

/// A list longer than this part of the documents is no longer sorted.
const FEW: usize = 32;

impl Matches {
    fn new(docs: u32) -> Self {
        Self::Few(Vec::new(), usize::try_from(docs).unwrap_or(usize::MAX))
    }

    fn raise(&mut self, postings: &mut impl DocSet, to: Score) {
        while postings.doc() != TERMINATED {
            match self {
                Self::Few(list, _) => list.push((postings.doc(), to)),
                Self::Many(scores) => raise(scores, postings.doc(), to),
            }
            postings.advance();
        }
        if let Self::Few(list, docs) = self
            && list.len() > *docs / FEW
        {
            let mut scores = vec![0.0; *docs];
            for (doc, score) in list.drain(..) {
                raise(&mut scores, doc, score);
            }
            *self = Self::Many(scores);
        }
    }

    fn into_sorted(self) -> Vec<(DocId, Score)> {
        match self {
            Self::Few(mut list, _) => {
                // The best of each document first.
                list.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                list.dedup_by_key(|one| one.0);
                list
            }
            Self::Many(scores) => {
                let scores = (0..).zip(scores);
                scores.filter(|(_, score)| *score > 0.0).collect()
            }
        }
    }
}

fn raise(scores: &mut [Score], doc: DocId, to: Score) {
    let at = usize::try_from(doc).unwrap_or(usize::MAX);
    if let Some(score) = scores.get_mut(at) {
        *score = score.max(to);
    }
}

impl fmt::Debug for WordQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordQuery")
            .field("ways", &self.ways)
            .finish_non_exhaustive()
    }
}

impl Query for WordQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for WordQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(Documents {
            all: self.documents(reader, boost)?,
            at: 0,
        }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.documents(reader, 1.0)?
            .into_iter()
            .find(|(found, _)| *found == doc)
            .map(|(_, worth)| Explanation::new("the best form of the word", worth))
            .ok_or_else(|| TantivyError::InvalidArgument(format!("document {doc} does not match")))
    }
}

struct Documents {
    all: Vec<(DocId, Score)>,
    at: usize,
}

impl DocSet for Documents {
    fn advance(&mut self) -> DocId {
        self.at = self.at.saturating_add(1);
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        let rest = self.all.get(self.at..).unwrap_or_default();
        self.at += rest.partition_point(|(doc, _)| *doc < target);
        self.doc()
    }

    fn doc(&self) -> DocId {
        self.all.get(self.at).map_or(TERMINATED, |(doc, _)| *doc)
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }
}

impl Scorer for Documents {
    fn score(&mut self) -> Score {
        self.all.get(self.at).map_or(0.0, |(_, score)| *score)
    }
}
