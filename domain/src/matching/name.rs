use crate::matching::legal;
use crate::matching::legal::LegalForm;
use crate::matching::words;
use crate::value::text::slugify;
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Without umlaut and ending, so that inflected forms are equal.
    pub(crate) stem: String,
    pub(crate) short: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) words: Vec<Word>,
    pub(crate) text: String,
    pub(crate) form: Option<LegalForm>,
}

/// The names in a text: text in brackets is another name.
pub(crate) fn spellings(name: &str) -> Vec<Spelling> {
    let mut outside = String::new();
    let mut inside = Vec::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('(') {
        let (bracket, behind) = after.split_once(')').unwrap_or((after, ""));
        outside.push_str(before);
        inside.push(bracket.trim());
        rest = behind;
    }
    outside.push_str(rest);
    let mut main = Spelling::of(&outside);
    let mut found = Vec::new();
    for bracket in inside {
        if let Some(form) = legal::parse(folded(bracket)) {
            main.form = main.form.or(Some(form));
        } else if is_acronym(bracket) {
            found.push(Spelling::of(bracket));
        } else {
            // "Frankfurt (Oder)" is not Frankfurt.
            main.words.extend(Spelling::of(bracket).words);
        }
    }
    found.insert(0, main);
    found.retain(|one| !one.words.is_empty());
    found
}

fn is_acronym(text: &str) -> bool {
    let letters = text.chars().filter(|letter| letter.is_alphabetic());
    let capitals = letters.clone().filter(|letter| letter.is_uppercase());
    (2..=8).contains(&text.chars().count())
        && !text.contains(' ')
        && capitals.count() * 2 > letters.count()
}

pub(crate) fn folded(text: &str) -> Vec<String> {
    let text = text.replace('&', " und ").replace('+', " plus ");
    let slug = slugify(&text);
    let words = slug.split('-').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Replaces gender colons, stars and underscores by the form without them.
fn plain_gender(name: &str) -> String {
    let mut text = name.to_owned();
    for mark in [':', '*', '_'] {
        text = text.replace(&format!("{mark}innen"), "e");
        text = text.replace(&format!("{mark}in"), "");
    }
    text
}

/// "Löwen-Apotheke Inh. Karl Muster": the owner is not part of the name.
fn without_owner(words: &mut Vec<String>) {
    let owner = ["inh", "inhaber", "inhaberin"];
    if let Some(at) = words.iter().position(|word| owner.contains(&word.as_str()))
        && at > 0
    {
        words.truncate(at);
    }
}

impl Spelling {
    fn of(name: &str) -> Self {
        let name = plain_gender(name);
        let mut raw = folded(&name);
        raw.retain(|word| word != "und");
        let form = legal::take(&mut raw);
        without_owner(&mut raw);
        let text = raw.concat();
        let shortened = shortened(&name);
        let mut words: Vec<Word> = Vec::new();
        let mut push = |word: Word| {
            if !words.iter().any(|known| known.stem == word.stem) {
                words.push(word);
            }
        };
        for word in raw {
            let short = shortened.contains(&word);
            match words::spelt_out(&word) {
                Some(long) => long
                    .split(' ')
                    .for_each(|word| push(Word::new(word, false))),
                None if words::is_stop(&word) => {}
                None => push(Word::new(&word, short)),
            }
        }
        Self { words, text, form }
    }

    pub(crate) fn stems(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|word| word.stem.as_str())
    }

    pub(crate) fn telling(&self) -> impl Iterator<Item = &str> {
        let telling = self
            .words
            .iter()
            .filter(|word| !words::is_common(&word.text));
        telling.map(|word| word.stem.as_str())
    }

    pub(crate) fn joined(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }

    /// Whether similar institutions in other towns probably have the same name.
    pub(crate) fn is_local(&self, towns: &BTreeSet<String>) -> bool {
        let names_town = self.stems().any(|stem| towns.contains(stem));
        let local = |word: &Word| words::is_local(&word.text) || words::is_common(&word.text);
        !names_town && self.words.iter().any(local)
    }

    pub(crate) fn is_shop(&self) -> bool {
        self.words.iter().any(|word| words::is_shop(&word.text))
    }

    pub(crate) fn is_one_short_word(&self) -> bool {
        matches!(self.words.as_slice(), [word] if word.short)
    }

    pub(crate) fn initials(&self) -> String {
        self.words
            .iter()
            .filter_map(|word| word.text.chars().next())
            .collect()
    }
}

fn shortened(name: &str) -> BTreeSet<String> {
    let pieces = name.split([' ', '-', '/', ',', '–']);
    let short = pieces.filter(|piece| is_acronym(piece) || piece.ends_with('.'));
    short.flat_map(folded).collect()
}

impl Word {
    pub(crate) fn new(text: &str, short: bool) -> Self {
        Self {
            text: text.to_owned(),
            stem: stem(text),
            short,
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Whether both are the same word: inflected, mistyped or abbreviated.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.stem == other.stem || self.is_typo_of(other) || {
            let (a, b) = (self, other);
            a.abbreviates(b) || b.abbreviates(a)
        }
    }

    fn is_typo_of(&self, other: &Self) -> bool {
        let length = self.text.len().min(other.text.len());
        let allowed = match length {
            0..7 => return false,
            7..13 => 1,
            _ => 2,
        };
        self.text.len().abs_diff(other.text.len()) <= allowed
            && strsim::osa_distance(&self.text, &other.text) <= allowed
    }

    fn abbreviates(&self, other: &Self) -> bool {
        self.short && self.text.len() >= 4 && other.text.starts_with(&self.text)
    }
}

/// A word without umlauts and ending: "Räume" and "Raum" are equal.
pub(crate) fn stem(word: &str) -> String {
    let bare = word
        .replace("ae", "a")
        .replace("oe", "o")
        .replace("ue", "u");
    for ending in ["es", "en", "er", "em", "e", "s", "n"] {
        if let Some(stem) = bare.strip_suffix(ending)
            && stem.len() >= 4
        {
            return stem.to_owned();
        }
    }
    bare
}
