//! A record as a document of the index, parsed leniently: copies may contain what this release does
//! not know.

use super::area::Spot;
use super::edge_terms::{edge_term, edge_token};
use super::edges::{Audience, Seen};
use super::fields::Fields;
use super::text::{self, Texts};
use crate::merge_targets::MergedBody;
use crate::record::Record;
use chrono::{Datelike, NaiveDate};
use domain::base::clock::rfc3339;
use domain::base::filter::Form;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::dates::Span;
use domain::matching::score::Candidate;
use domain::validation::body::KindSchema;
use domain::value::edtf::{Bounds, EdtfDate, Moment};
use domain::value::identifier::Identifier;
use domain::value::text::collation_key;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use tantivy::TantivyDocument;
use tantivy::schema::Field;
use uuid::Uuid;

/// Maximum length of a filter value; longer ones could not be terms.
const MAX_TOKEN: usize = 2_000;

pub(super) const RELATIONSHIP: &str = "relationship";

/// The relationships that are a facet as well.
pub(super) const SERVES: &str = "serves";

/// Marks the records that were merged into the one of a document.
pub(super) const MERGED: &str = "merged";

pub(super) fn document(
    fields: &Fields,
    row: &Record,
    kind: Kind,
    edges: &[Seen],
    merged: &[MergedBody],
) -> TantivyDocument {
    let body = row.current_value();
    let mut document = TantivyDocument::new();
    let id = row.id.to_string();
    document.add_text(fields.id, &id);
    let mut writer = Writer { fields, document };
    writer.envelope(row, kind);
    writer.filters(kind, &body);
    writer.relationships(edges);
    writer.names(kind, &body);
    let span = KindSchema::of(kind)
        .dates
        .span(&body, row.updated_at.date_naive());
    writer.order(row, &body, &span, &id);
    writer.usage(kind, row, edges, &id);
    writer.dates(&span);
    writer.points(&body);
    writer.match_keys(kind, &body);
    let mut texts = Texts::of(kind, &body);
    for loser in merged {
        writer.term(fields.token, MERGED, &loser.loser.to_string());
        if let Some(body) = &loser.body {
            writer.identifiers(body);
            texts.also(body);
        }
    }
    let mut document = writer.document;
    text::add(&mut document, &fields.text, &texts);
    document
}

struct Writer<'a> {
    fields: &'a Fields,
    document: TantivyDocument,
}

impl Writer<'_> {
    fn term(&mut self, field: Field, name: &str, value: &str) {
        let term = format!("{name}={value}");
        if term.len() <= MAX_TOKEN {
            self.document.add_text(field, term);
        }
    }

    fn envelope(&mut self, row: &Record, kind: Kind) {
        let facet = self.fields.facet;
        self.term(facet, "kind", kind.code());
        self.term(facet, "origin", &row.origin);
        self.term(facet, "publication", row.publication.code());
        if kind == Kind::Region {
            self.term(facet, "itself", &row.id.to_string());
        }
        let token = self.fields.token;
        if row.publication != Publication::Published {
            let home = row
                .home_region
                .map_or_else(|| "-".to_owned(), |home| home.to_string());
            self.term(token, "draft_of", &home);
            if let Some(system) = &row.system {
                self.term(token, "draft_by", system);
                self.term(token, "draft_by", &format!("{system}|{home}"));
            }
        }
        if let (Some(system), Some(id)) = (&row.system, &row.external_id) {
            self.term(token, "external_id", &format!("{system}|{id}"));
        }
        self.document
            .add_i64(self.fields.updated, row.updated_at.timestamp_micros());
    }

    /// The tokens of the filter tables, and the other tokens.
    fn filters(&mut self, kind: Kind, body: &Value) {
        for filter in &KindSchema::of(kind).filters {
            let values: BTreeSet<String> = filter.values(body).into_iter().collect();
            for value in values {
                let value = match filter.form {
                    Form::Record(_) | Form::Tree(_) => value.to_lowercase(),
                    Form::Code(_) | Form::Flag | Form::Text => value,
                };
                self.term(self.fields.facet, filter.name, &value);
            }
        }
        self.identifiers(body);
        let attendance = domain::base::pointer::values(body, "/figures/*")
            .into_iter()
            .filter_map(attendance);
        if let Some(most) = attendance.reduce(f64::max) {
            self.document.add_f64(self.fields.attendance, most);
        }
    }

    fn match_keys(&mut self, kind: Kind, body: &Value) {
        let keys = Candidate::of(kind, body).map(|candidate| candidate.hashed_keys());
        for key in keys.into_iter().flatten() {
            self.document.add_u64(self.fields.match_key, key);
        }
    }

    fn identifiers(&mut self, body: &Value) {
        let identifiers = domain::base::pointer::values(body, "/identifiers/*");
        for identifier in identifiers.into_iter().filter_map(read::<Identifier>) {
            let value = format!("{}|{}", identifier.scheme.as_str(), identifier.normalise());
            self.term(self.fields.token, "identifier", &value);
        }
    }

    fn relationships(&mut self, edges: &[Seen]) {
        for seen in edges {
            let relationship = seen.relationship.to_string();
            self.term(self.fields.token, RELATIONSHIP, &relationship);
            let Some(other) = seen.other else {
                if seen.audience == Audience::Public {
                    self.programme(seen);
                }
                continue;
            };
            let mut tokens = vec![edge_token(&seen.code, None, other)];
            tokens.extend(
                seen.roles
                    .iter()
                    .map(|role| edge_token(&seen.code, Some(role), other)),
            );
            let terms = tokens.iter().map(|token| edge_term(token, &seen.bounds));
            match &seen.audience {
                Audience::Public => {
                    self.programme(seen);
                    for term in terms {
                        self.document.add_text(self.fields.edge, term);
                    }
                    // Those with days are counted by their terms.
                    if seen.code == SERVES && seen.bounds == Bounds::default() {
                        self.term(self.fields.facet, SERVES, &other.to_string());
                    }
                }
                Audience::Editors(regions) => {
                    for term in terms {
                        self.document
                            .add_text(self.fields.editorial, format!("{EVERYTHING}|{term}"));
                        if let Some(regions) = regions {
                            self.document.add_text(
                                self.fields.editorial,
                                format!("{}|{term}", regions_key(regions)),
                            );
                        }
                    }
                }
            }
        }
    }

    fn programme(&mut self, seen: &Seen) {
        if let Some(subject) = seen.subject.as_ref().filter(|_| seen.code == "funded_by") {
            for stem in text::stems(subject) {
                self.term(self.fields.token, "programme", &stem);
            }
        }
    }

    /// The names of a region, a network or a topic, so that a query for the name finds its members.
    fn names(&mut self, kind: Kind, body: &Value) {
        if !KindSchema::of(kind).stands_for_its_members {
            return;
        }
        let mut names = domain::base::pointer::values(body, "/name");
        names.extend(domain::base::pointer::values(body, "/names/*/value"));
        names.extend(domain::base::pointer::values(body, "/translations/*/name"));
        let keys: BTreeSet<String> = names
            .into_iter()
            .filter_map(Value::as_str)
            .map(text::key)
            .collect();
        for key in keys.iter().filter(|key| !key.is_empty()) {
            self.term(self.fields.token, "named", key);
        }
    }

    fn order(&mut self, row: &Record, body: &Value, span: &Span, id: &str) {
        let name = row.name.as_deref().unwrap_or_default();
        self.document
            .add_text(self.fields.by_name, sort_key(&collation_key(name), id));
        let changed_here = row.synced_at.unwrap_or(row.updated_at);
        for (field, at) in [
            (self.fields.by_updated, row.updated_at),
            (self.fields.by_changed_here, changed_here),
        ] {
            self.document.add_text(field, sort_key(&rfc3339(at), id));
        }
        let posted = || {
            let posted = body.get("posted").and_then(read::<EdtfDate>)?;
            Some(posted.sort_key())
        };
        let start = span.begin.as_ref().map(Moment::sort_key).or_else(posted);
        let end = span.end.as_ref().map(Moment::sort_key);
        // Missing dates come last both ways: `~` sorts after every digit, `!` before.
        for (field, key, missing) in [
            (self.fields.by_start, &start, "~"),
            (self.fields.by_start_desc, &start, "!"),
            (self.fields.by_end, &end, "~"),
            (self.fields.by_end_desc, &end, "!"),
        ] {
            self.document
                .add_text(field, sort_key(key.as_deref().unwrap_or(missing), id));
        }
    }

    fn usage(&mut self, kind: Kind, row: &Record, edges: &[Seen], id: &str) {
        let rank = KindSchema::of(kind).suggestion_rank;
        let public = edges
            .iter()
            .filter(|seen| seen.audience == Audience::Public);
        let unused = 999_999_usize.saturating_sub(public.count());
        let name = collation_key(row.name.as_deref().unwrap_or_default());
        let key = format!("{rank} {unused:06} {name}");
        self.document
            .add_text(self.fields.by_use, sort_key(&key, id));
    }

    fn dates(&mut self, span: &Span) {
        let fields = self.fields;
        if let Some(bounds) = &span.bounds {
            for (field, day, absent) in [
                (fields.from_earliest, bounds.from_earliest, i64::MIN),
                (fields.from_latest, bounds.from_latest, i64::MAX),
                (fields.to_earliest, bounds.to_earliest, i64::MIN),
                (fields.to_latest, bounds.to_latest, i64::MAX),
            ] {
                self.document.add_i64(field, day.map_or(absent, number));
            }
        }
        for (moment, possible, surely) in [
            (
                &span.begin,
                [fields.start_first, fields.start_last],
                [fields.start_surely_first, fields.start_surely_last],
            ),
            (
                &span.end,
                [fields.end_first, fields.end_last],
                [fields.end_surely_first, fields.end_surely_last],
            ),
        ] {
            let Some(moment) = moment else {
                continue;
            };
            let (first, last) = moment.possible();
            let surely = surely.into_iter().filter(|_| moment.is_exact());
            for (field, day) in possible.into_iter().zip([first, last]) {
                self.document.add_i64(field, number(day));
            }
            for (field, day) in surely.zip([first, last]) {
                self.document.add_i64(field, number(day));
            }
        }
    }

    fn points(&mut self, body: &Value) {
        for spot in spots(body) {
            self.document.add_f64(self.fields.lat, spot.lat);
            self.document.add_f64(self.fields.lon, spot.lon);
        }
    }
}

/// The location of a record: the points of its places, and its own.
pub(super) fn spots(body: &Value) -> Vec<Spot> {
    let points = domain::value::geometry::points(body).into_iter();
    points
        .map(|point| Spot {
            lat: point.lat,
            lon: point.lon,
        })
        .collect()
}

/// Replaces the regions in what every admin of the node sees.
pub(super) const EVERYTHING: &str = "*";

pub(super) fn regions_key<'a>(regions: impl IntoIterator<Item = &'a Uuid>) -> String {
    let regions: Vec<String> = regions.into_iter().map(Uuid::to_string).collect();
    regions.join("+")
}

/// A unique text that sorts by `key`, then by id.
fn sort_key(key: &str, id: &str) -> String {
    format!("{key}\u{1}{id}")
}

/// The day as a number that the index can compare.
pub(super) fn number(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce())
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// The minimum attendance, if the figure states one.
fn attendance(figure: &Value) -> Option<f64> {
    let text = |member: &str| figure.get(member).and_then(Value::as_str);
    let least = matches!(
        text("qualifier"),
        Some("exact" | "about" | "at_least" | "more_than")
    );
    (text("measure") == Some("attendance") && least)
        .then(|| figure.get("value").and_then(Value::as_f64))
        .flatten()
}
