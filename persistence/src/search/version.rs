//! The version of an index: a hash of its schema, of the filters, and of the documents of example
//! records, term by term. A release that indexes any of them differently rebuilds the index.

use super::document::document;
use super::edges::{Audience, Seen, code};
use super::fields::{Fields, schema};
use crate::merge_targets::MergedBody;
use crate::record::Record;
use chrono::{DateTime, NaiveDate};
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::data::{SEARCH_WORDS, SEEDS};
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::validation::body::KindSchema;
use domain::value::edtf::Bounds;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tantivy::TantivyDocument;
use tantivy::schema::{Document, Schema};
use uuid::Uuid;

/// The version of this release.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let (schema, fields) = schema();
        let documents: Vec<_> = examples(&fields).collect();
        of(&schema, &documents)
    });
    &VERSION
}

/// The version of an index with this schema in which the examples are these documents.
fn of(schema: &Schema, documents: &[TantivyDocument]) -> String {
    let mut text = serde_json::to_string(schema).unwrap_or_default();
    for kind in Kind::ALL {
        for filter in &KindSchema::of(*kind).filters {
            let form = std::mem::discriminant(&filter.form);
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{kind} {} {} {form:?}", filter.name, filter.path);
        }
    }
    // Not every word of the lists is in an example.
    text += SEARCH_WORDS;
    for document in documents {
        text += "\n";
        text += &terms(schema, document);
    }
    json::hash(&text)
}

/// All values of a document.
fn terms(schema: &Schema, document: &TantivyDocument) -> String {
    serde_json::to_string(&document.to_named_doc(schema)).unwrap_or_default()
}

/// A record with the members that the examples of the kinds and the seed pages lack.
const SPECIMEN: &str = r#"{
    "name": "Größte Kinderklinik für Gefäßchirurgie Rhein-Sieg gGmbH", "legal_form": "gGmbH",
    "names": [{"value": "KKRS", "type": "acronym"}, {"value": "Mo.WiN.net", "type": "short"}],
    "identifiers": [{"scheme": "ik", "value": "260326822"}, {"scheme": "wikidata", "value": "Q1"}],
    "external_id": {"system": "cms", "id": "1"},
    "places": [{"street": "Straße des 17. Juni", "postal_code": "34117", "city": "Kassel",
        "region": "0193e5a0-0000-7000-8000-000000000001", "point": {"lat": 51.3, "lon": 9.5}}],
    "period": {"from": "2010-01", "to": "2012?"}, "start": "2021-01-27", "posted": "2020",
    "figures": [{"measure": "attendance", "value": 40, "qualifier": "about", "as_stated": "rund 40"}],
    "joining": {"open": true, "how": "Ärztinnen und Ärzte schreiben uns"},
    "description": "Die Gesundheitswirtschaft fördert Telemedizin, e-Health und naïve Ansätze.",
    "translations": {"en": {"name": "Children's hospital", "summary": "Care networks"}},
    "publication": "published"
}"#;

/// The documents of examples of every kind: those of the documentation and of the seed pages, and
/// the specimen as a record of each kind, published and as a draft, with relationships of every
/// type.
fn examples(fields: &Fields) -> impl Iterator<Item = TantivyDocument> {
    let kinds = Kind::ALL.iter().copied();
    let kinds = kinds.filter(|kind| *kind != Kind::Relationship);
    let documented = kinds
        .clone()
        .map(|kind| (kind, KindSchema::of(kind).example.to_owned()));
    let seeds = SEEDS.iter().flat_map(|(_, lines)| lines.lines());
    let seeds = seeds.filter_map(|line| {
        let kind = serde_json::from_str::<Value>(line).ok()?;
        let kind = Kind::parse(kind.get("kind")?.as_str()?)?;
        (kind != Kind::Relationship).then(|| (kind, line.to_owned()))
    });
    let specimens = kinds.flat_map(|kind| {
        [Publication::Published, Publication::Draft].map(|publication| {
            let body = SPECIMEN.replace("published", publication.code());
            (kind, body)
        })
    });
    let bodies = documented.chain(seeds).chain(specimens);
    bodies.map(|(kind, body)| example(fields, kind, body))
}

fn example(fields: &Fields, kind: Kind, body: String) -> TantivyDocument {
    let value: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |pointer: &str| Some(value.pointer(pointer)?.as_str()?.to_owned());
    let publication = text("/publication").and_then(|code| Publication::parse(&code));
    let row = Record {
        id: Uuid::from_u128(1),
        kind,
        origin: "example".to_owned(),
        slug: text("/slug"),
        name: text("/name"),
        system: text("/external_id/system"),
        external_id: text("/external_id/id"),
        home_region: Some(Uuid::from_u128(2)),
        publication: publication.unwrap_or(Publication::Published),
        was_public: true,
        is_public: true,
        suppressed: false,
        withholds: false,
        publish_at: None,
        relationship_key: None,
        version: 1,
        seq: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        synced_at: None,
        body,
    };
    let merged = MergedBody {
        loser: Uuid::from_u128(3),
        merge_target: row.id,
        body: Some(value),
    };
    document(fields, &row, kind, &relationships(), &[merged])
}

/// A relationship of every type, seen from both ends, by the public and by editors.
fn relationships() -> Vec<Seen> {
    let audiences = [
        Audience::Public,
        Audience::Editors(None),
        Audience::Editors(Some(BTreeSet::from([Uuid::from_u128(4)]))),
    ];
    let codes = RelationshipType::ALL
        .iter()
        .flat_map(|one| [true, false].map(|from| code(one.code(), from)));
    let day = NaiveDate::from_ymd_opt(2015, 12, 31);
    let dated = Bounds {
        from_earliest: day,
        to_latest: day,
        ..Bounds::default()
    };
    let mut all = Vec::new();
    for code in codes {
        for audience in &audiences {
            for bounds in [Bounds::default(), dated] {
                all.push(Seen {
                    relationship: Uuid::from_u128(5),
                    code: code.clone(),
                    other: Some(Uuid::from_u128(6)),
                    roles: vec!["member".to_owned()],
                    subject: Some("Förderprogramm Telemedizin".to_owned()),
                    audience: audience.clone(),
                    bounds,
                });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use tantivy::schema::OwnedValue;

    fn all() -> (Schema, Vec<TantivyDocument>) {
        let (schema, fields) = schema();
        (schema, examples(&fields).collect())
    }

    #[test]
    fn the_version_is_the_same_every_time() {
        let (schema, documents) = all();
        assert_eq!(of(&schema, &documents), version());
    }

    #[test]
    fn another_term_another_field_or_another_number_is_another_version() {
        let (schema, documents) = all();
        for document in [0, documents.len() / 2, documents.len() - 1] {
            let fields: BTreeSet<_> = documents[document]
                .field_values()
                .map(|(field, _)| field)
                .collect();
            for field in fields {
                let mut changed = documents.clone();
                let values = documents[document]
                    .field_values()
                    .filter(|one| one.0 != field);
                let mut without = TantivyDocument::new();
                for (field, value) in values {
                    without.add_field_value(field, value);
                }
                changed[document] = without;
                let name = schema.get_field_name(field);
                assert_ne!(of(&schema, &changed), version(), "{name}");
            }
        }
        // A single letter of an analysed word.
        let mut changed = documents.clone();
        let mut altered = TantivyDocument::new();
        let mut done = false;
        for (field, value) in documents[0].field_values() {
            let mut value = OwnedValue::from(value);
            if let OwnedValue::PreTokStr(text) = &mut value
                && !done
            {
                text.tokens[0].text.push('x');
                done = true;
            }
            altered.add_field_value(field, &value);
        }
        changed[0] = altered;
        assert!(done);
        assert_ne!(of(&schema, &changed), version());
        let mut builder = Schema::builder();
        for (_, entry) in schema.fields() {
            builder.add_field(entry.clone());
        }
        builder.add_text_field("more", tantivy::schema::STRING);
        assert_ne!(of(&builder.build(), &documents), version());
    }

    #[test]
    fn the_examples_have_something_in_every_field_and_filter() {
        let (schema, documents) = all();
        let used: BTreeSet<_> = documents
            .iter()
            .flat_map(|document| document.field_values().map(|(field, _)| field))
            .collect();
        for (field, entry) in schema.fields() {
            assert!(used.contains(&field), "no example has {}", entry.name());
        }
    }
}
