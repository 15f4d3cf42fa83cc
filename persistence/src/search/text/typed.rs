use super::fields::TextFields;
use super::joint;
use super::lists::LISTS;
use super::words::{QUOTES, exact_key, words};
use std::collections::HashSet;
use tantivy::Searcher;

/// A typed query: words, and phrases in quotation marks. No character is an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub(super) whole: String,
    pub(super) words: Vec<TypedWord>,
    /// The joined spellings in it, as ranges of `words`.
    pub(super) written_as_one: Vec<(std::ops::Range<usize>, String)>,
    pub(super) phrases: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypedWord {
    pub(super) whole: String,
    /// The text between the surrounding spaces, for identifiers; the same for all words of one
    /// piece.
    pub(super) piece: String,
    pub(super) dropped: bool,
}

const DEPTH: usize = 3;

impl Typed {
    /// Parses a query. An unclosed quotation mark is a space.
    #[must_use]
    pub fn parse(q: &str) -> Self {
        let mut pieces: Vec<&str> = q.split(QUOTES).collect();
        let unclosed = if pieces.len().is_multiple_of(2) {
            pieces.pop()
        } else {
            None
        };
        let mut typed = Self {
            whole: q.to_owned(),
            words: Vec::new(),
            written_as_one: Vec::new(),
            phrases: Vec::new(),
        };
        for (at, piece) in pieces.into_iter().enumerate() {
            if at.is_multiple_of(2) {
                typed.take(piece);
            } else {
                let phrase: Vec<String> = words(piece).into_iter().map(|word| word.whole).collect();
                if !phrase.is_empty() {
                    typed.phrases.push(phrase);
                }
            }
        }
        typed.take(unclosed.unwrap_or_default());
        typed.drop_needless();
        typed
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && exact_key(&self.whole).is_empty()
    }

    /// The number of its words and phrases, without needless words.
    pub fn size(&self) -> usize {
        let words = self.words.iter().filter(|word| !word.dropped).count();
        words + self.phrases.len()
    }

    /// The query with joined words split the way published records write them, so that
    /// `Rheinsiegkreis` becomes the query `Rhein Sieg Kreis`.
    pub fn take_apart(mut self, fields: &TextFields, searcher: &Searcher) -> tantivy::Result<Self> {
        let mut taken: Vec<TypedWord> = Vec::new();
        for word in std::mem::take(&mut self.words) {
            let from = taken.len();
            for part in apart(&word.whole, fields, searcher, DEPTH)? {
                taken.push(TypedWord {
                    whole: part,
                    ..word.clone()
                });
            }
            if taken.len() > from + 1 {
                self.written_as_one.push((from..taken.len(), word.whole));
            }
        }
        self.words = taken;
        self.drop_needless();
        for from in 0..self.words.len() {
            for to in from + 2..=(from + joint::MOST).min(self.words.len()) {
                let words = self.words.get(from..to).unwrap_or_default();
                let whole: String = words.iter().map(|word| word.whole.as_str()).collect();
                let span = (from..to, whole);
                if !self.written_as_one.contains(&span)
                    && joint::is_known(&span.1, fields.joint, searcher)?
                {
                    self.written_as_one.push(span);
                }
            }
        }
        Ok(self)
    }

    fn take(&mut self, text: &str) {
        for word in words(text) {
            let piece = around(text, word.from, word.to).to_owned();
            self.words.push(TypedWord {
                whole: word.whole,
                piece,
                dropped: false,
            });
        }
    }

    /// Marks optional words: stop words next to others, and repetitions.
    fn drop_needless(&mut self) {
        let is_stop = |word: &TypedWord| LISTS.stop.contains(&word.whole);
        let others = !self.phrases.is_empty() || !self.words.iter().all(is_stop);
        let mut seen = HashSet::new();
        for word in &mut self.words {
            word.dropped = (others && is_stop(word)) || !seen.insert(word.whole.clone());
        }
    }
}

/// The text between the spaces around a range, without commas.
fn around(text: &str, from: usize, to: usize) -> &str {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let before = text.get(..from).unwrap_or_default();
    let begin = before.rfind(is_end).map_or(0, |at| {
        at + before
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8)
    });
    let end = text
        .get(to..)
        .and_then(|rest| rest.find(is_end))
        .map_or(text.len(), |at| to + at);
    text.get(begin..end).unwrap_or_default()
}

fn apart(
    whole: &str,
    fields: &TextFields,
    searcher: &Searcher,
    depth: usize,
) -> tantivy::Result<Vec<String>> {
    if depth == 0 {
        return Ok(vec![whole.to_owned()]);
    }
    match joint::apart(whole, fields.joint, searcher)? {
        None => Ok(vec![whole.to_owned()]),
        Some(words) => {
            let mut all = Vec::new();
            for word in words {
                all.extend(apart(&word, fields, searcher, depth - 1)?);
            }
            Ok(all)
        }
    }
}
