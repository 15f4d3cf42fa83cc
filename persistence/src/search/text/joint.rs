//! Words written together, apart, or with a hyphen: `Rheinsiegkreis`, `Rhein Sieg Kreis`.
//!
//! Words written apart show how they can be joined. The index stores that as terms
//! `rheinsiegkreis|rhein sieg kreis`, of published records only, and joined words in a query are
//! split by them. So all spellings result in the same query.

use super::lists::LISTS;
use super::words::{Word, is_number, stem, without_legal_form};
use tantivy::schema::Field;
use tantivy::{DocSet, Searcher, TERMINATED};

pub(super) const MOST: usize = 4;

const SEPARATOR: char = '|';

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) whole: String,
    pub(super) words: Vec<String>,
}

impl Joined {
    pub(super) fn term(&self) -> String {
        format!("{}{SEPARATOR}{}", self.whole, self.words.join(" "))
    }
}

/// Two to four adjacent words as one: those written as one (`Rhein-Sieg-Kreis`), and in names and
/// places all (`B. Braun`) except the legal form.
pub(super) fn joined(words: &[Word], name: bool) -> Vec<Joined> {
    let proper = if name {
        without_legal_form(words).len()
    } else {
        0
    };
    let mut found = Vec::new();
    for from in 0..words.len() {
        for length in 2..=MOST {
            let Some(span) = words.get(from..from + length) else {
                break;
            };
            let wholes = || span.iter().map(|word| word.whole.as_str());
            // `Rheine` is not `Rhein E`, but `B Braun` is `BBraun`.
            let apart = from + length <= proper && !wholes().skip(1).any(|word| word.len() == 1);
            if (apart || is_one_chunk(span)) && is_joinable(wholes()) {
                found.push(Joined {
                    whole: wholes().collect(),
                    words: wholes().map(str::to_owned).collect(),
                });
            }
        }
    }
    found
}

fn is_one_chunk(span: &[Word]) -> bool {
    let mut chunks = span.iter().map(|word| word.chunk);
    let first = chunks.next();
    chunks.all(|chunk| Some(chunk) == first)
}

/// Whether words may be joined: not across `und` and the like, and not numbers alone.
pub(super) fn is_joinable<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut numbers_only = true;
    for word in words {
        if LISTS.stop.contains(word) {
            return false;
        }
        numbers_only &= is_number(word);
    }
    !numbers_only
}

/// The words of a joined form as published records write them, the most frequent split if they
/// differ.
pub(super) fn apart(
    whole: &str,
    field: Field,
    searcher: &Searcher,
) -> tantivy::Result<Option<Vec<String>>> {
    match find(whole, field, searcher)? {
        None => find(&stem(whole), field, searcher),
        found => Ok(found),
    }
}

/// Whether published records write apart words that are this when joined.
pub(super) fn is_known(whole: &str, field: Field, searcher: &Searcher) -> tantivy::Result<bool> {
    Ok(apart(whole, field, searcher)?.is_some())
}

fn find(whole: &str, field: Field, searcher: &Searcher) -> tantivy::Result<Option<Vec<String>>> {
    let prefix = format!("{whole}{SEPARATOR}");
    let mut best: Option<Vec<String>> = None;
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().range().ge(prefix.as_bytes()).into_stream()?;
        while terms.advance() {
            let Some(words) = terms.key().strip_prefix(prefix.as_bytes()) else {
                break;
            };
            let words: Vec<String> = String::from_utf8_lossy(words)
                .split(' ')
                .map(str::to_owned)
                .collect();
            let better = best
                .as_ref()
                .is_none_or(|best| (words.len(), best) > (best.len(), &words));
            // A term outlives the last record that had it until segments are merged.
            if better {
                let mut postings = index.read_postings_from_terminfo(
                    terms.value(),
                    tantivy::schema::IndexRecordOption::Basic,
                )?;
                let mut alive = false;
                while !alive && postings.doc() != TERMINATED {
                    alive = !segment.is_deleted(postings.doc());
                    postings.advance();
                }
                if alive {
                    best = Some(words);
                }
            }
        }
    }
    Ok(best)
}
