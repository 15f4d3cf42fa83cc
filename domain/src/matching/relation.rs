//! Comparison of two names, word by word.

use crate::matching::name::{Spelling, Word, stem};
use crate::matching::words;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    /// Each has words that the other lacks.
    Different,
    /// One has words for a part of the other, or for a related body.
    Part,
    /// One is the initials of the other.
    Acronym,
    /// One has words that the other lacks.
    Longer,
    /// They differ in insignificant words or in spelling.
    Similar,
    Same,
}

/// Words by which two names may differ for a known reason.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Stems of the towns of both, and of the years in which both take place.
    pub(crate) stems: BTreeSet<String>,
    /// Whether the names are those of regions, where "Kreis" is a significant difference.
    pub(crate) regions: bool,
}

pub(crate) fn relation(a: &Spelling, b: &Spelling, known: &Known) -> Relation {
    if a.joined() == b.joined() {
        return Relation::Same;
    }
    let (a_words, b_words) = (merged(&a.words, &b.words), merged(&b.words, &a.words));
    let Some(compared) = align(&a_words, &b_words) else {
        return if is_initials(a, b) || is_initials(b, a) {
            Relation::Acronym
        } else {
            Relation::Different
        };
    };
    if is_initials(a, b) || is_initials(b, a) {
        return Relation::Acronym;
    }
    let left_a = compared.left_of((&a_words, 0), b, known);
    let left_b = compared.left_of((&b_words, 1), a, known);
    judge(&left_a, &left_b, &compared, known)
}

fn judge(left_a: &Left<'_>, left_b: &Left<'_>, compared: &Aligned<'_>, known: &Known) -> Relation {
    let towns = [left_a.explained, left_b.explained];
    let (left_a, left_b) = (&left_a.words, &left_b.words);
    let telling = |words: &[&Word]| words.iter().any(|word| !is_slight(word, known));
    match (telling(left_a), telling(left_b)) {
        (true, true) => Relation::Different,
        (false, false) => {
            if left_a.is_empty() && left_b.is_empty() && !compared.mistyped {
                Relation::Same
            } else {
                Relation::Similar
            }
        }
        (true, false) | (false, true) => {
            let (longer, town) = if telling(left_a) {
                (left_a, towns[1])
            } else {
                (left_b, towns[0])
            };
            if compared.spells_out(longer) {
                return Relation::Similar;
            }
            // "B. Braun Melsungen" and "B. Braun Avitum", both in Melsungen.
            if town {
                return Relation::Different;
            }
            let part = |word: &&Word| words::is_part(&word.text) || word.is_number();
            if longer.iter().any(part) {
                Relation::Part
            } else {
                Relation::Longer
            }
        }
    }
}

fn is_slight(word: &Word, known: &Known) -> bool {
    if known.regions {
        return ["stadt", "gesundheitsregion", "region"].contains(&word.text.as_str());
    }
    words::is_soft(&word.text)
}

struct Aligned<'a> {
    pairs: Vec<(&'a Word, &'a Word)>,
    /// Remainder of a word whose ending is the other's: "Hausarztpraxis" and "Praxis".
    prefixes: [Vec<Word>; 2],
    mistyped: bool,
}

fn align<'a>(a: &'a [Word], b: &'a [Word]) -> Option<Aligned<'a>> {
    let mut free: Vec<&Word> = b.iter().collect();
    let mut aligned = Aligned {
        pairs: Vec::new(),
        prefixes: [Vec::new(), Vec::new()],
        mistyped: false,
    };
    let mut rest = Vec::new();
    for word in a {
        let same = free.iter().position(|other| other.stem == word.stem);
        let found = same.or_else(|| free.iter().position(|other| other.fits(word)));
        match found {
            Some(at) => {
                aligned.mistyped |= same.is_none();
                aligned.pairs.push((word, free.remove(at)));
            }
            None => rest.push(word),
        }
    }
    for word in rest {
        let found = free.iter().position(|other| head(word, other).is_some());
        if let Some(at) = found {
            let other = free.remove(at);
            aligned.mistyped = true;
            match head(word, other) {
                Some((0, prefix)) => aligned.prefixes[0].push(prefix),
                Some((_, prefix)) => aligned.prefixes[1].push(prefix),
                None => {}
            }
            aligned.pairs.push((word, other));
        }
    }
    (!aligned.pairs.is_empty()).then_some(aligned)
}

/// Which of two words is a compound that ends in the other, and its prefix.
fn head(a: &Word, b: &Word) -> Option<(usize, Word)> {
    let before = |long: &Word, short: &Word| {
        if !words::is_common(&short.text) || short.text.len() < 5 {
            return None;
        }
        let prefix = long.text.strip_suffix(short.text.as_str())?;
        (prefix.len() >= 3).then(|| Word::new(prefix, false))
    };
    before(a, b)
        .map(|word| (0, word))
        .or_else(|| before(b, a).map(|word| (1, word)))
}

/// The words of one name without a counterpart.
struct Left<'a> {
    /// Words without a known reason.
    words: Vec<&'a Word>,
    /// Whether there are words with a known reason, such as the town.
    explained: bool,
}

impl Aligned<'_> {
    fn left_of<'a>(
        &'a self,
        (all, side): (&'a [Word], usize),
        other: &Spelling,
        known: &Known,
    ) -> Left<'a> {
        let paired = |word: &&Word| {
            self.pairs.iter().any(|(a, b)| {
                let one = if side == 0 { a } else { b };
                std::ptr::eq(*one, *word)
            })
        };
        let unpaired = all.iter().filter(|word| !paired(word));
        let prefixes = self.prefixes.get(side).into_iter().flatten();
        let all = unpaired.chain(prefixes);
        let all = all.filter(|word| !self.abbreviates_rest(word, other));
        let (explained, words): (Vec<_>, Vec<_>) =
            all.partition(|word| known.stems.contains(&word.stem));
        Left {
            words,
            explained: !explained.is_empty(),
        }
    }

    /// "KCR Klinikcluster Ruhr": the acronym of the other words.
    fn abbreviates_rest(&self, word: &Word, other: &Spelling) -> bool {
        word.short
            && word.text.len() >= 2
            && self.pairs.len() >= 2
            && is_subsequence(&word.text, &other.text)
    }

    fn spells_out(&self, words: &[&Word]) -> bool {
        let text: String = words.iter().map(|word| word.text.as_str()).collect();
        let mut acronyms = self.pairs.iter().filter(|(a, b)| a.short && b.short);
        self.pairs.len() >= 2 && acronyms.any(|(a, _)| is_subsequence(&a.text, &text))
    }
}

/// Whether the letters of an acronym occur in a text in order, beginning with its first.
fn is_subsequence(acronym: &str, text: &str) -> bool {
    let mut letters = text.chars();
    acronym.chars().next() == text.chars().next()
        && acronym
            .chars()
            .all(|letter| letters.any(|one| one == letter))
}

/// Whether one name is a single word of the initials of the other.
fn is_initials(short: &Spelling, long: &Spelling) -> bool {
    let [word] = short.words.as_slice() else {
        return false;
    };
    let joined = long.joined();
    word.short
        && long.words.len() >= 2
        && (word.text == long.initials()
            || word.text.len() >= 3 && is_subsequence(&word.text, &joined) && {
                // Every word of the long name begins with a letter of the acronym, or is part of
                // one.
                long.words.len() <= word.text.len() && is_subsequence(&long.initials(), &word.text)
            })
}

/// Joins neighbouring words that the other name writes as one.
fn merged(words: &[Word], others: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let joined = (2..=3).rev().find_map(|count| {
            let piece = rest.get(..count)?;
            let text: String = piece.iter().map(|word| word.text.as_str()).collect();
            let known = others
                .iter()
                .any(|other| other.text == text || other.stem == stem(&text));
            known.then(|| (Word::new(&text, false), count))
        });
        if let Some((word, count)) = joined {
            found.push(word);
            rest = rest.get(count..).unwrap_or_default();
        } else {
            found.push(first.clone());
            rest = after;
        }
    }
    found
}
