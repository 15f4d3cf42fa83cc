//! The documents with any form of a word, each with its best score.

use super::query::TextIndex;
use super::scored::Scored;
use std::fmt;
use std::sync::OnceLock;
use tantivy::postings::TermInfo;
use tantivy::query::{DfaWrapper, FuzzyTermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, InvertedIndexReader, Score, SegmentReader};
use tantivy::{TERMINATED, TantivyError, Term};

#[derive(Debug, Clone)]
pub(super) enum Form {
    Term(String),
    Beginning(String),
    /// Within some edits of the stem.
    Typo,
}

#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) field: Field,
    pub(super) form: Form,
    pub(super) worth: Score,
}

pub(super) struct Forms {
    ways: Vec<Way>,
    stem: String,
    edits: u8,
    /// Built if the documents of a segment are not known.
    automaton: OnceLock<DfaWrapper>,
    /// The same for the same forms.
    key: String,
}

impl Forms {
    /// Forms with this many edits of the stem for [`Form::Typo`].
    pub(super) fn new(ways: Vec<Way>, stem: String, edits: u8) -> Self {
        let all = ways.iter().map(|Way { field, form, worth }| {
            let (sign, text) = match form {
                Form::Term(text) => ('=', text.as_str()),
                Form::Beginning(text) => ('>', text.as_str()),
                Form::Typo => ('~', ""),
            };
            let (field, length) = (field.field_id(), text.len());
            format!(" {field}{sign}{length}:{text}*{worth}")
        });
        let key = format!("{stem}/{edits}{}", all.collect::<Vec<_>>().concat());
        Self {
            ways,
            stem,
            edits,
            automaton: OnceLock::new(),
            key,
        }
    }

    /// The documents of a segment, deleted ones included.
    pub(super) fn documents(
        &self,
        index: &TextIndex<'_>,
        reader: &SegmentReader,
    ) -> tantivy::Result<Scored> {
        let read = || self.read(index, reader);
        index.cache.list(reader.segment_id(), &self.key, read)
    }

    fn read(&self, index: &TextIndex<'_>, reader: &SegmentReader) -> tantivy::Result<Scored> {
        let mut matches = Matches::new(reader.max_doc());
        for way in &self.ways {
            let inverted = reader.inverted_index(way.field)?;
            let found = self.terms(way, &inverted)?;
            index.meter.terms(found.len() as u64);
            for info in found {
                if index.meter.is_stopped() {
                    let why = "the client has gone".to_owned();
                    return Err(TantivyError::InternalError(why));
                }
                index.meter.documents(u64::from(info.doc_freq));
                let mut postings =
                    inverted.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                matches.raise(&mut postings, way.worth);
            }
        }
        Ok(matches.into_sorted().into())
    }

    fn terms(&self, way: &Way, index: &InvertedIndexReader) -> tantivy::Result<Vec<TermInfo>> {
        let mut found = Vec::new();
        match &way.form {
            Form::Term(text) => found.extend(index.terms().get(text.as_bytes())?),
            Form::Beginning(text) => {
                let end = format!("{text}{}", char::MAX);
                let begun = index.terms().range().ge(text.as_bytes());
                let mut begun = begun.lt(end.as_bytes()).into_stream()?;
                while begun.advance() {
                    found.push(begun.value().clone());
                }
            }
            Form::Typo => {
                let automaton = self.automaton(way.field)?;
                let mut alike = index.terms().search(automaton).into_stream()?;
                while alike.advance() {
                    found.push(alike.value().clone());
                }
            }
        }
        Ok(found)
    }

    fn automaton(&self, field: Field) -> tantivy::Result<&DfaWrapper> {
        if let Some(known) = self.automaton.get() {
            return Ok(known);
        }
        let stem = Term::from_field_text(field, &self.stem);
        let automaton = FuzzyTermQuery::new(stem, self.edits, true).automaton()?;
        Ok(self.automaton.get_or_init(|| automaton))
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms")
            .field("ways", &self.ways)
            .finish_non_exhaustive()
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
