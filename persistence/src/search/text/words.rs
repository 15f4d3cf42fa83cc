//! Words: their positions in a text, and the common form of all their spellings.

use super::lists::LISTS;
use frostem::{Algorithm, Stemmer};
use std::sync::LazyLock;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) whole: String,
    /// Words with the same number were written as one, like `Rhein-Sieg-Kreis`.
    pub(super) chunk: usize,
}

pub(super) const QUOTES: [char; 7] = ['"', '„', '“', '”', '»', '«', '\u{201f}'];

/// A longer word (in characters) counts by its beginning; the index has a limit.
const LONGEST: usize = 60;

/// The most characters between two words that are written as one (`/-`).
const GLUE: usize = 2;

/// A folded word: lower case, without marks, `ä` = `ae` = `a`, `ß` = `ss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded(pub(super) String);

impl Folded {
    pub(super) fn of(word: &str) -> Self {
        let mut folded = String::with_capacity(word.len());
        for letter in word.chars().flat_map(char::to_lowercase).take(LONGEST) {
            match letter {
                'a'..='z' | '0'..='9' => folded.push(letter),
                'ä' => folded.push('a'),
                'ö' => folded.push('o'),
                'ü' => folded.push('u'),
                'ß' => folded.push_str("ss"),
                _ if is_mark(letter) => {}
                _ => match deunicode::deunicode_char(letter) {
                    Some(plain) if plain.chars().any(|c| c.is_ascii_alphanumeric()) => folded
                        .extend(
                            plain
                                .chars()
                                .filter(char::is_ascii_alphanumeric)
                                .map(|c| c.to_ascii_lowercase()),
                        ),
                    _ => folded.push(letter),
                },
            }
        }
        Self(without_spelt_umlauts(&folded))
    }
}

/// Folds `ae`, `oe`, `ue` to `a`, `o`, `u`, but not the `ue` of `neue`, `Frauen`, `Quelle`.
fn without_spelt_umlauts(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut before = ' ';
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        plain.push(letter);
        let spelt = match letter {
            'a' | 'o' => true,
            'u' => !matches!(before, 'a' | 'e' | 'q'),
            _ => false,
        };
        before = letter;
        if spelt && letters.peek() == Some(&'e') {
            letters.next();
            before = 'e';
        }
    }
    plain
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_glue(between: &str) -> bool {
    !between.is_empty()
        && between.chars().count() <= GLUE
        && between.chars().all(|c| {
            matches!(
                c,
                '-' | '\u{2010}'
                    ..='\u{2014}' | '.' | '/' | '_' | '\'' | '’' | '·' | ':' | '*' | '+' | '&'
            )
        })
}

fn is_gender_mark(between: &str) -> bool {
    matches!(
        between,
        ":" | "*" | "_" | "·" | "/" | "/-" | "(" | "(-" | "."
    )
}

pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut chunk = 0;
    let mut end = 0;
    for (from, to) in runs(text) {
        let run = text.get(from..to).unwrap_or_default();
        let between = text.get(end..from).unwrap_or_default();
        end = to;
        if let Some(last) = found.last_mut() {
            if is_gender_mark(between) && matches!(run, "in" | "innen" | "IN" | "INNEN") {
                last.to = to;
                continue;
            }
            if !is_glue(between) {
                chunk += 1;
            }
        }
        let whole = canonical(run);
        match found.last_mut() {
            // `Hausarzt/Hausärztin` is one word.
            Some(last) if last.chunk == chunk && last.whole == whole && between == "/" => {
                last.to = to;
            }
            _ if whole.is_empty() => {}
            _ => found.push(Word {
                from,
                to,
                whole,
                chunk,
            }),
        }
    }
    found
}

pub(super) fn words_as_written(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.whole).collect()
}

fn runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut begun: Option<usize> = None;
    for (at, letter) in text.char_indices() {
        let inside = letter.is_alphanumeric() || (begun.is_some() && is_mark(letter));
        match (inside, begun) {
            (true, None) => begun = Some(at),
            (false, Some(from)) => {
                runs.push((from, at));
                begun = None;
            }
            _ => {}
        }
    }
    if let Some(from) = begun {
        runs.push((from, text.len()));
    }
    runs
}

fn canonical(run: &str) -> String {
    let folded = Folded::of(without_inner_capital(run)).0;
    if folded == "str" || (folded.ends_with("str") && folded.len() >= 6) {
        return folded + "asse";
    }
    masculine(folded)
}

/// `HausärztIn` and `HausärztInnen` without their ending.
fn without_inner_capital(run: &str) -> &str {
    ["Innen", "In"]
        .iter()
        .filter_map(|ending| run.strip_suffix(ending))
        .find(|base| {
            base.chars().count() >= 3 && base.chars().next_back().is_some_and(char::is_lowercase)
        })
        .unwrap_or(run)
}

/// `hausarztin` and `hausarztinnen` as `hausarzt`; only where the ending is unambiguous, so not
/// `Berlin`.
fn masculine(folded: String) -> String {
    let singular = match folded.strip_suffix("nen") {
        Some(singular) if singular.ends_with("in") => singular,
        _ if folded.ends_with("in") => &folded,
        _ => return folded,
    };
    let feminine = !LISTS.neuter.contains(singular)
        && LISTS
            .feminine
            .iter()
            .any(|end| singular.ends_with(end.as_str()));
    match singular.strip_suffix("in") {
        Some(base) if feminine && base.len() >= 4 => base.to_owned(),
        _ => folded,
    }
}

/// Whether a word only matches exactly, like house numbers and postal codes.
pub(super) fn is_number(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

pub(super) fn stem(whole: &str) -> String {
    static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::German));
    if is_number(whole) {
        return whole.to_owned();
    }
    let stem = STEMMER.stem(whole);
    if stem.is_empty() {
        whole.to_owned()
    } else {
        stem.into_owned()
    }
}

#[must_use]
pub fn stems(text: &str) -> std::collections::BTreeSet<String> {
    words(text).iter().map(|word| stem(&word.whole)).collect()
}

/// The key of a name, to detect whether a query contains a record's name: all its stems, without
/// spaces and punctuation. Empty if it has no word.
#[must_use]
pub fn key(name: &str) -> String {
    words(name).iter().map(|word| stem(&word.whole)).collect()
}

/// The key of a name with every word as written; its characters, if it has no words.
pub(super) fn exact_key(name: &str) -> String {
    let key: String = words_as_written(name).concat();
    if !key.is_empty() {
        return key;
    }
    name.to_lowercase()
        .chars()
        .filter(|sign| !sign.is_whitespace() && !QUOTES.contains(sign))
        .take(300)
        .collect()
}

/// The key of a name without its legal form, if it has one and other words.
pub(super) fn key_without_legal_form(name: &str) -> Option<String> {
    let words = words(name);
    let proper = without_legal_form(&words);
    (!proper.is_empty() && proper.len() < words.len())
        .then(|| proper.iter().map(|word| word.whole.as_str()).collect())
}

/// The words of a name without its legal form at the end.
pub(super) fn without_legal_form(words: &[Word]) -> &[Word] {
    let is = |tail: &[Word], form: &[String]| tail.iter().map(|word| &word.whole).eq(form.iter());
    let mut rest = words;
    while let Some(shorter) = LISTS.legal.iter().find_map(|form| {
        let (proper, tail) = rest.split_at_checked(rest.len().checked_sub(form.len())?)?;
        is(tail, form).then_some(proper)
    }) {
        rest = shorter;
    }
    rest
}
