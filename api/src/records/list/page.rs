//! A page of records: as JSON, and its documentation.

use crate::formats::{FEED_ITEMS, Format, ListSchema};
use crate::http::problem::Code;
use crate::operation::media_type::Formats;
use crate::operation::paging::LIMIT;
use crate::operation::reply::{document_header, document_page_headers};
use crate::operation::routes::{Draft, Reply, reference};
use crate::records::download::{EndedEarly, Running};
use crate::records::example::example;
use crate::records::list::parameters;
use crate::records::list::read::OF_PAGES;
use crate::records::reply::{content_language, list_formats};
use crate::records::view::{Representation, describe_included, included_schema, translate};
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::filter::Form;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use domain::value::edtf::Certainty;
use futures::stream;
use persistence::search::text::Typed;
use persistence::search::{Facet, FacetValue, Hit, ListPage};
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub(crate) struct RecordList {
    /// Absent if the caller has it already.
    pub(crate) body: Option<(&'static dyn Format, Content)>,
    pub(crate) etag: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) languages: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    /// Everything that matches, as it is read.
    Stream(Box<Running>),
}

impl Responder for RecordList {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = match self.body {
            Some(_) => HttpResponse::Ok(),
            None => HttpResponse::NotModified(),
        };
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        let Some((format, body)) = self.body else {
            return response.finish();
        };
        response.content_type(format.content_type());
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        if let Some(languages) = content_language(self.languages.iter().map(String::as_str)) {
            response.insert_header((header::CONTENT_LANGUAGE, languages));
        }
        match body {
            Content::Text(text) => response.body(text),
            Content::Stream(_) if request.method() == Method::HEAD => {
                response.streaming(stream::empty::<Result<Bytes, EndedEarly>>())
            }
            Content::Stream(running) => response.streaming(running.into_stream()),
        }
    }
}

/// The other members of the items: their hits, as far as asked for.
pub(crate) fn more(page: &ListPage, records: &[String], typed: Option<&str>) -> Vec<Option<Value>> {
    let typed = typed.map(Typed::parse);
    let hits = page.hits.iter().zip(records);
    let more = hits.map(|(hit, record)| {
        let extras = extras(hit, typed.as_ref(), record)?;
        Some(json!({"hit": extras}))
    });
    more.collect()
}

pub(crate) fn rest(
    page: &ListPage,
    included: Option<(Value, usize)>,
    next: Option<&str>,
    representation: &Representation,
) -> Value {
    let mut rest = json!({"total": page.total});
    if let Some(next) = next {
        insert(&mut rest, &["next"], next);
    }
    if !page.facets.is_empty() {
        insert(
            &mut rest,
            &["facets"],
            facets(&page.facets, representation.lang()),
        );
    }
    if let Some((included, total)) = included {
        insert(&mut rest, &["included"], included);
        insert(&mut rest, &["included_total"], total);
    }
    rest
}

/// The other members of a hit; `None` if nothing was requested.
fn extras(hit: &Hit, typed: Option<&Typed>, record: &str) -> Option<Value> {
    let mut extras = Map::new();
    if let Some(score) = hit.score {
        extras.insert("score".to_owned(), json!(score));
    }
    if let Some(distance) = hit.distance {
        // Whole metres: no address is more precise.
        extras.insert("distance_m".to_owned(), json!(distance.round()));
    }
    if let Some(certainty) = hit.certainty {
        extras.insert("certainty".to_owned(), json!(certainty));
    }
    if let Some(typed) = typed {
        extras.insert(
            "highlights".to_owned(),
            highlights(typed, hit.row.kind, record),
        );
    }
    (!extras.is_empty()).then_some(Value::Object(extras))
}

/// Highlights by JSON pointer: the text with `<mark>` around the matches.
fn highlights(typed: &Typed, kind: Kind, record: &str) -> Value {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let mut found = Map::new();
    for member in texts(kind) {
        if let Some(value) = record.get(member) {
            mark(typed, &format!("/{member}"), value, &mut found);
        }
    }
    Value::Object(found)
}

fn texts(kind: Kind) -> Vec<&'static str> {
    KindSchema::of(kind).texts.clone()
}

fn mark(typed: &Typed, pointer: &str, value: &Value, found: &mut Map<String, Value>) {
    match value {
        Value::String(text) => {
            if let Some(marked) = typed.highlight(text) {
                found.insert(pointer.to_owned(), json!(marked));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mark(typed, &format!("{pointer}/{index}"), item, found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                mark(typed, &format!("{pointer}/{name}"), member, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn facets(facets: &[Facet], lang: Option<&str>) -> Value {
    let counted = facets.iter().map(|facet| {
        let values = facet.values.iter().map(|value| {
            json!({"value": value.value, "label": label(&facet.name, value, lang), "count": value.count})
        });
        (facet.name.clone(), values.collect::<Value>())
    });
    Value::Object(counted.collect())
}

/// The display text of a value: the label of a code, the name of a record, otherwise the value
/// itself.
fn label(facet: &str, value: &FacetValue, lang: Option<&str>) -> String {
    if let Some(row) = &value.record {
        let mut record = row.current_value();
        if let Some(lang) = lang {
            translate(row.kind, &mut record, lang);
        }
        let name = record.get("name").and_then(Value::as_str);
        return name.unwrap_or(&value.value).to_owned();
    }
    let vocabulary = match facet {
        "kind" => Some(Kind::vocabulary()),
        "publication" => Some(domain::kinds::common::Publication::vocabulary()),
        name => vocabulary_of(name),
    };
    let terms = vocabulary
        .map(|vocabulary| vocabulary.items)
        .unwrap_or_default();
    let term = terms.iter().find(|term| term.code == value.value);
    let english = lang.is_some_and(|lang| !lang.starts_with("de"));
    let text = term.map(|term| {
        if english {
            term.labels.en
        } else {
            term.labels.de
        }
    });
    text.unwrap_or(&value.value).to_owned()
}

fn vocabulary_of(facet: &str) -> Option<domain::base::vocabulary::Vocabulary> {
    let mut filters = parameters::DESCRIBED
        .iter()
        .flat_map(|kind| &KindSchema::of(*kind).filters);
    filters.find_map(|filter| match filter.form {
        Form::Code(vocabulary) if filter.name == facet => Some(vocabulary()),
        _ => None,
    })
}

impl Reply for RecordList {
    fn formats(kind: Option<Kind>) -> Formats {
        list_formats(kind)
    }

    fn describe(draft: &mut Draft) {
        describe_list(draft, draft.kind());
    }
}

/// Documents a list of records of a kind, or of several.
pub(crate) fn describe_list(draft: &mut Draft, listed: Option<Kind>) {
    if draft.formats().iter().all(|format| format.is_calendar()) {
        draft.without(&OF_PAGES);
    }
    if draft.formats().iter().all(|format| format.is_feed()) {
        draft.default_of(LIMIT.name, FEED_ITEMS);
    }
    let list = describe(draft, listed);
    let mut response = draft.success("A page.", |format| format.document_list(&list));
    document_page_headers(&mut response);
    let languages = "The languages of the texts, when `lang` was given.";
    document_header(&mut response, "Content-Language", languages);
    draft.response(200, response);
    draft.problem(Code::IndexBehind);
    draft.problem(Code::Overloaded);
}

/// Registers the schemas of a page.
fn describe(draft: &mut Draft, listed: Option<Kind>) -> ListSchema {
    let kinds = parameters::kinds(listed);
    for kind in kinds {
        item_schema(draft, *kind);
    }
    describe_included(draft);
    let (name, item) = match listed {
        Some(kind) => (type_name(kind), item_reference(kind)),
        None => ("Search", any_item(kinds)),
    };
    let first = kinds.first().copied().unwrap_or(Kind::Actor);
    ListSchema {
        name: name.to_owned(),
        page: page_schema(&item),
        example: example(KindSchema::of(first)),
    }
}

fn type_name(kind: Kind) -> &'static str {
    KindSchema::of(kind).name
}

fn item_reference(kind: Kind) -> Value {
    reference(&format!("{}ListItem", type_name(kind)))
}

fn any_item(kinds: &[Kind]) -> Value {
    let mapping: Map<String, Value> = kinds
        .iter()
        .filter_map(|kind| {
            Some((
                kind.code().to_owned(),
                item_reference(*kind).get("$ref")?.clone(),
            ))
        })
        .collect();
    json!({
        "anyOf": kinds.iter().map(|kind| item_reference(*kind)).collect::<Vec<_>>(),
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    })
}

/// The schemas of a kind, and its record with `hit`.
fn item_schema(draft: &mut Draft, kind: Kind) {
    let schema = KindSchema::of(kind);
    let certainty = draft.schema::<Certainty>();
    let hit = json!({
        "type": "object",
        "description": "How a record was found; each member only if it was asked for.",
        "properties": {
            "score": {"type": "number", "format": "double", "description": "How well it fits `q`; comparable within one answer only."},
            "distance_m": {"type": "number", "format": "double", "description": "Metres to `near`, along a great circle."},
            "certainty": certainty,
            "highlights": {
                "type": "object",
                "description": "Matching texts as HTML, by JSON pointer (RFC 6901): escaped, with `<mark>` around the matches.",
                "additionalProperties": {"type": "string"},
            },
        },
    });
    let value = json!({
        "type": "object",
        "description": "A value and how often it occurs.",
        "required": ["value", "label", "count"],
        "properties": {
            "value": {"type": "string", "description": "A code, a text or the id of a record."},
            "label": {"type": "string", "description": "Label for people, in `lang`."},
            "count": {"type": "integer", "minimum": 1},
        },
    });
    draft.components(Map::from_iter([
        ("Hit".to_owned(), hit),
        ("FacetValue".to_owned(), value),
    ]));
    let name = format!("{}ListItem", schema.name);
    let extras = json!({"hit": reference("Hit")});
    crate::records::reply::list_item(draft, schema, &name, &extras, &[]);
}

fn page_schema(item: &Value) -> Value {
    let mut page = json!({
        "type": "object",
        "required": ["items", "total"],
        "properties": {
            "items": {"type": "array", "items": item},
            "total": {"type": "integer", "minimum": 0, "description": "Exact number of matches on all pages."},
            "next": {"type": "string", "description": "Address of the next page, relative to this server; absent on the last page. Also as `Link`."},
            "facets": {
                "type": "object",
                "description": "Per facet its most frequent values among everything that matches.",
                "additionalProperties": {"type": "array", "items": reference("FacetValue")},
            },
        },
    });
    let included = included_schema();
    if let (Some(members), Some(more)) = (
        page.get_mut("properties").and_then(Value::as_object_mut),
        included.as_object(),
    ) {
        members.extend(more.clone());
    }
    page
}
