//! German compounds: `gesundheitswirtschaftsregion` is `gesundheit`, `wirtschaft`, `region`.
//!
//! The segmenter knows words with their umlauts, the index only folded ones. So umlauts are
//! restored in a folded word, fewest first; the result depends on the folded word alone.

use super::lists::{LISTS, PLACE_NAMES};
use super::words::{Folded, stem};
use charabia::{Language, Tokenizer, TokenizerBuilder};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its stem, without the joining `s`.
    pub(super) stem: String,
    pub(super) letters: usize,
}

/// Two parts of four letters: shorter words are not split.
const SHORTEST: usize = 8;

/// Longer strings are not words.
const LONGEST: usize = 50;

/// Shorter segments are not parts.
const SHORTEST_PART: usize = 3;

/// The remainder that the segmenter leaves of an inflected word.
const ENDINGS: [&str; 8] = ["e", "en", "er", "es", "em", "n", "s", "r"];

/// Words of more parts are not searched for by part.
const MOST_PARTS: usize = 6;

/// Maximum number of restored umlauts, which means up to 32 spellings.
const MOST_UMLAUTS: usize = 5;

const REMEMBERED: usize = 50_000;

/// Ends a word for the segmenter, since no German word continues like this.
const END: char = 'ÿ';

static TOKENIZER: LazyLock<Tokenizer<'static>> = LazyLock::new(|| {
    let mut builder: TokenizerBuilder<'static, Vec<u8>> = TokenizerBuilder::new();
    builder.allow_list(&[Language::Deu]);
    builder.into_tokenizer()
});

type Memory = Mutex<HashMap<String, Arc<[Part]>>>;

/// The parts of a folded word; none if it is not a compound.
pub(super) fn parts(whole: &str) -> Arc<[Part]> {
    static MEMORY: LazyLock<Memory> = LazyLock::new(Memory::default);
    let letters = whole.chars().count();
    if !(SHORTEST..=LONGEST).contains(&letters)
        || !whole.bytes().all(|letter| letter.is_ascii_lowercase())
        || LISTS.whole.contains(whole)
        || is_place(whole)
    {
        return Arc::default();
    }
    if let Some(known) = MEMORY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(whole)
    {
        return known.clone();
    }
    let parts: Arc<[Part]> = split(whole).into();
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(whole.to_owned(), parts.clone());
    parts
}

/// The terms for queries of a part or of some parts in order: `region`, `gesundheit+region`. Single
/// parts under four letters are left out.
pub(super) fn terms(parts: &[Part]) -> Vec<String> {
    let mut terms = Vec::new();
    for chosen in 1_u32..(1 << parts.len().min(MOST_PARTS)) {
        let picked: Vec<&Part> = parts
            .iter()
            .enumerate()
            .filter(|(at, _)| chosen & (1 << at) != 0)
            .map(|(_, part)| part)
            .collect();
        match picked.as_slice() {
            [only] if only.letters < 4 => {}
            _ => terms.push(joined(&picked)),
        }
    }
    terms
}

pub(super) fn term(parts: &[Part]) -> String {
    joined(&parts.iter().collect::<Vec<_>>())
}

fn joined(parts: &[&Part]) -> String {
    parts
        .iter()
        .map(|part| part.stem.as_str())
        .collect::<Vec<_>>()
        .join("+")
}

fn split(whole: &str) -> Vec<Part> {
    split_at_listed(whole)
        .or_else(|| {
            spellings(whole)
                .iter()
                .find_map(|spelling| split_spelling(spelling))
        })
        .unwrap_or_default()
}

/// The parts of a word that begins or ends with one that only our list knows (`klinikcluster`).
fn split_at_listed(whole: &str) -> Option<Vec<Part>> {
    LISTS.parts.iter().find_map(|listed| {
        let (rest, at_end) = match (
            whole.strip_suffix(listed.as_str()),
            whole.strip_prefix(listed.as_str()),
        ) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return None,
        };
        let mut parts = if is_known(rest) {
            vec![part(rest)]
        } else {
            split(rest)
        };
        if rest.is_empty() || parts.is_empty() {
            return None;
        }
        parts.insert(if at_end { parts.len() } else { 0 }, part(listed));
        (parts.len() <= MOST_PARTS).then_some(parts)
    })
}

fn is_known(whole: &str) -> bool {
    whole.chars().count() >= SHORTEST_PART
        && (LISTS.parts.iter().any(|listed| listed == whole)
            || spellings(whole).iter().any(|spelling| is_word(spelling)))
}

/// The parts of a word spelt with umlauts, if all of them are words.
fn split_spelling(spelling: &str) -> Option<Vec<Part>> {
    let mut segments: Vec<String> = Vec::new();
    let mut ended = false;
    for segment in TOKENIZER.segment_str(spelling) {
        let short = segment.chars().count() < SHORTEST_PART;
        match segments.last_mut() {
            // `krankenhaus·er`: a short segment is an ending, or the word is unknown.
            _ if ended => return None,
            Some(last) if short && ENDINGS.contains(&segment) => {
                last.push_str(segment);
                ended = true;
            }
            _ if short || !is_word(segment) => return None,
            _ => segments.push(segment.to_owned()),
        }
    }
    (2..=MOST_PARTS).contains(&segments.len()).then(|| {
        segments
            .iter()
            .map(|segment| part(&Folded::of(segment).0))
            .collect()
    })
}

fn part(whole: &str) -> Part {
    Part {
        stem: stem(whole),
        letters: whole.chars().count(),
    }
}

/// Whether a word is a place name or derived from one (`dortmunder`, `kassels`).
fn is_place(whole: &str) -> bool {
    ["", "er", "s", "es"]
        .iter()
        .filter_map(|ending| whole.strip_suffix(ending))
        .any(|name| PLACE_NAMES.contains(name))
}

/// Whether the segmenter knows a word: it would join an unknown one with the end.
fn is_word(segment: &str) -> bool {
    let ended = format!("{segment}{END}");
    TOKENIZER.segment_str(&ended).next() == Some(segment)
}

/// A folded word with umlauts restored in all ways, those with few of them first.
fn spellings(whole: &str) -> Vec<String> {
    let letters: Vec<char> = whole.chars().collect();
    let mut at: Vec<usize> = Vec::new();
    let mut before = ' ';
    for (place, letter) in letters.iter().copied().enumerate() {
        let may = match letter {
            'a' | 'o' => true,
            'u' => !matches!(before, 'a' | 'e' | 'q'),
            's' => before == 's',
            _ => false,
        };
        if may && at.len() < MOST_UMLAUTS {
            at.push(place);
        }
        before = letter;
    }
    let mut choices: Vec<u32> = (0..(1 << at.len())).collect();
    choices.sort_by_key(|choice: &u32| choice.count_ones());
    choices
        .into_iter()
        .map(|choice| {
            let mut spelling = String::with_capacity(whole.len() + at.len());
            for (place, letter) in letters.iter().copied().enumerate() {
                let changed = at
                    .iter()
                    .position(|&p| p == place)
                    .is_some_and(|i| choice & (1 << i) != 0);
                match (changed, letter) {
                    (true, 'a') => spelling.push('ä'),
                    (true, 'o') => spelling.push('ö'),
                    (true, 'u') => spelling.push('ü'),
                    (true, _) => {
                        spelling.pop();
                        spelling.push('ß');
                    }
                    (false, _) => spelling.push(letter),
                }
            }
            spelling
        })
        .collect()
}
