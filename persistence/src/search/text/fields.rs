//! The fields of the index for the text search, and the terms of a record.

use super::compound;
use super::joint::{self, Joined};
use super::texts::Texts;
use super::words::{exact_key, key_without_legal_form, stem, words, words_as_written};
use domain::validation::body::KindSchema;
use std::collections::BTreeSet;
use tantivy::TantivyDocument;
use tantivy::schema::{Field, IndexRecordOption, SchemaBuilder, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) word: Field,
    pub(super) part: Field,
    pub(super) sequence: Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextFields {
    /// Names, also without their legal form, as keys.
    pub(in crate::search) exact: Field,
    pub(in crate::search) acronym: Field,
    pub(super) identifier: Field,
    pub(super) joint: Field,
    pub(super) order: Field,
    pub(super) name: Area,
    pub(super) place: Area,
    pub(super) text: Area,
}

/// Marks a record whose kind comes last among equal matches.
pub(super) const LAST: &str = "last";

/// Names of as many words or more count as equally long.
pub(super) const LONG_NAME: usize = 8;

pub(super) fn length_term(words: usize) -> String {
    format!("words:{}", words.clamp(1, LONG_NAME))
}

/// Gap between the positions of two texts, so that no phrase spans both.
const GAP: usize = 10;

impl TextFields {
    pub fn add_to(schema: &mut SchemaBuilder) -> Self {
        let mut add = |name: &str, record| {
            // Documents come with their tokens; the tokenizer named here never runs.
            let indexing = TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(record);
            schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
        };
        let mut area = |name: &str| Area {
            word: add(&format!("{name}_word"), IndexRecordOption::Basic),
            part: add(&format!("{name}_part"), IndexRecordOption::Basic),
            sequence: add(
                &format!("{name}_sequence"),
                IndexRecordOption::WithFreqsAndPositions,
            ),
        };
        let (name, place, text) = (area("name"), area("place"), area("text"));
        Self {
            exact: add("exact", IndexRecordOption::Basic),
            acronym: add("acronym", IndexRecordOption::Basic),
            identifier: add("identifier", IndexRecordOption::Basic),
            joint: add("joint", IndexRecordOption::Basic),
            order: add("order", IndexRecordOption::Basic),
            name,
            place,
            text,
        }
    }

    pub(super) const fn areas(&self) -> [Area; 3] {
        [self.name, self.place, self.text]
    }
}

pub fn add(document: &mut TantivyDocument, fields: &TextFields, texts: &Texts) {
    let exact = texts
        .names
        .iter()
        .flat_map(|name| std::iter::once(exact_key(name)).chain(key_without_legal_form(name)));
    put(document, fields.exact, exact.collect());
    put(
        document,
        fields.acronym,
        texts.acronyms.iter().map(|name| exact_key(name)).collect(),
    );
    put(
        document,
        fields.identifier,
        texts
            .identifiers
            .iter()
            .flat_map(|value| identifier_keys(value))
            .collect(),
    );

    let names: Vec<&str> = texts
        .names
        .iter()
        .chain(&texts.acronyms)
        .map(String::as_str)
        .collect();
    let places: Vec<&str> = texts.places.iter().map(String::as_str).collect();
    let rest: Vec<&str> = texts.texts.iter().map(String::as_str).collect();
    let mut joint = put_area(document, fields.name, &names, true);
    joint.extend(put_area(document, fields.place, &places, true));
    joint.extend(put_area(document, fields.text, &rest, false));
    if texts.published {
        put(document, fields.joint, joint);
    }

    let shortest = texts
        .names
        .iter()
        .map(|name| words_as_written(name).len())
        .min();
    let mut order = BTreeSet::from([length_term(shortest.unwrap_or(LONG_NAME))]);
    if KindSchema::of(texts.kind).classifies {
        order.insert(LAST.to_owned());
    }
    put(document, fields.order, order);
}

/// An identifier for comparison, and the end of one that is an address, which people type.
fn identifier_keys(value: &str) -> Vec<String> {
    let mut keys = vec![identifier_key(value)];
    if value.contains("://")
        && let Some((_, end)) = value.trim_end_matches('/').rsplit_once('/')
    {
        keys.push(identifier_key(end));
    }
    keys
}

/// An identifier for comparison: in capitals, without spaces.
pub(super) fn identifier_key(value: &str) -> String {
    let key: String = value.split_whitespace().collect();
    key.to_uppercase().chars().take(300).collect()
}

/// Adds texts to an area; returns the terms of its joined forms.
fn put_area(
    document: &mut TantivyDocument,
    area: Area,
    texts: &[&str],
    names: bool,
) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    let mut parts = BTreeSet::new();
    let mut joint = BTreeSet::new();
    let mut sequence = Vec::new();
    let mut position = 0;
    for text in texts {
        let words = words(text);
        for Joined { whole, words } in joint::joined(&words, names) {
            forms.insert(stem(&whole));
            forms.insert(whole.clone());
            joint.insert(Joined { whole, words }.term());
        }
        for word in words {
            parts.extend(compound::terms(&compound::parts(&word.whole)));
            forms.insert(stem(&word.whole));
            sequence.push(token(position, word.whole.clone()));
            forms.insert(word.whole);
            position += 1;
        }
        position += GAP;
    }
    put(document, area.word, forms);
    put(document, area.part, parts);
    put_tokens(document, area.sequence, sequence);
    joint
}

fn put(document: &mut TantivyDocument, field: Field, terms: BTreeSet<String>) {
    let tokens = terms
        .into_iter()
        .filter(|term| !term.is_empty())
        .enumerate()
        .map(|(position, text)| token(position, text))
        .collect();
    put_tokens(document, field, tokens);
}

fn put_tokens(document: &mut TantivyDocument, field: Field, tokens: Vec<Token>) {
    if !tokens.is_empty() {
        document.add_pre_tokenized_text(
            field,
            PreTokenizedString {
                text: String::new(),
                tokens,
            },
        );
    }
}

fn token(position: usize, text: String) -> Token {
    Token {
        offset_from: 0,
        offset_to: 0,
        position,
        text,
        position_length: 1,
    }
}
