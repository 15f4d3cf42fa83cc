//! Replies with records.

use crate::formats::{Atom, GeoJson, ICalendar, Json, JsonLd, RecordSchema};
use crate::http::problem::Code;
use crate::operation::idempotency::{Storable, StoredResponse, respond};
use crate::operation::media_type::Formats;
use crate::operation::reply::{content, header_pair};
use crate::operation::routes::{Draft, Reply, reference};
use crate::records::example::example;
use crate::records::view::{Shown, describe_included, included_schema};
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::fault::FieldError;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use domain::value::format;
use persistence::records::Record;
use persistence::write::Saved;
use serde_json::{Value, json};

pub const WARNINGS: HeaderName = HeaderName::from_static("verbund-warnings");

/// The formats of a record.
const RECORD_FORMATS: Formats = Formats::with_paths(&[&Json, &GeoJson, &JsonLd]);
const EVENT_FORMATS: Formats = Formats::with_paths(&[&Json, &GeoJson, &JsonLd, &ICalendar]);

/// The formats of a list of records.
const LIST_FORMATS: Formats = Formats::with_paths(&[&Json, &GeoJson, &JsonLd, &Atom]);
const RELATIONSHIP_LIST_FORMATS: Formats = Formats::with_paths(&[&Json, &GeoJson, &JsonLd]);
const EVENT_LIST_FORMATS: Formats =
    Formats::with_paths(&[&Json, &GeoJson, &JsonLd, &Atom, &ICalendar]);

/// The formats of a record of a kind.
#[must_use]
pub(crate) const fn record_formats(kind: Option<Kind>) -> Formats {
    match kind {
        Some(Kind::Event) => EVENT_FORMATS,
        Some(_) | None => RECORD_FORMATS,
    }
}

/// The formats of a list of records of a kind, or of several.
#[must_use]
pub(crate) const fn list_formats(kind: Option<Kind>) -> Formats {
    match kind {
        Some(Kind::Event) => EVENT_LIST_FORMATS,
        // In the order of their types: the feed of all changes has them by time.
        Some(Kind::Relationship) => RELATIONSHIP_LIST_FORMATS,
        Some(_) | None => LIST_FORMATS,
    }
}

#[derive(Debug)]
pub struct Found {
    shown: Option<Shown>,
    etag: String,
}

impl Found {
    #[must_use]
    pub fn new(shown: Shown) -> Self {
        Self {
            etag: shown.etag.clone(),
            shown: Some(shown),
        }
    }

    #[must_use]
    pub fn not_modified(etag: String) -> Self {
        Self { etag, shown: None }
    }
}

/// `Content-Language` of a response, without invalid tags: copies are kept as received.
pub(crate) fn content_language<'a>(tags: impl IntoIterator<Item = &'a str>) -> Option<HeaderValue> {
    let tags: Vec<&str> = tags
        .into_iter()
        .filter(|tag| format::language(tag).is_ok())
        .collect();
    if tags.is_empty() {
        return None;
    }
    HeaderValue::try_from(tags.join(", ")).ok()
}

impl Responder for Found {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Some(shown) = self.shown else {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, self.etag))
                .finish();
        };
        let mut response = HttpResponse::Ok();
        response
            .content_type(shown.format.content_type())
            .insert_header((header::ETAG, shown.etag));
        if let Some(language) = content_language(shown.language.as_deref()) {
            response.insert_header((header::CONTENT_LANGUAGE, language));
        }
        response.body(shown.text)
    }
}

impl Reply for Found {
    fn formats(kind: Option<Kind>) -> Formats {
        record_formats(kind)
    }

    fn describe(draft: &mut Draft) {
        let kind = draft.kind_schema();
        draft.components(kind.documented().clone());
        describe_included(draft);
        let record = RecordSchema {
            name: kind.name.to_owned(),
            schema: reference(&format!("{}Record", kind.name)),
            more: included_schema(),
            example: example(kind),
        };
        let mut response = draft.success("The record.", |format| format.document_record(&record));
        for header in ["ETag", "Content-Language"] {
            insert(&mut response, &["headers", header], header_object(header));
        }
        draft.response(200, response);
        // Paths with an extension are for programs.
        if draft.formats().iter().any(|format| format.is_canonical()) {
            let location =
                json!({"description": "Address of the page.", "schema": {"type": "string"}});
            let text = "For browsers, which prefer `text/html`: the page of the record.";
            let page = json!({"description": text, "headers": {"Location": location}});
            draft.response(303, page);
        }
        draft.problem(Code::Moved);
        draft.problem(Code::Gone);
    }
}

#[derive(Debug)]
pub struct Written {
    pub json: String,
    /// Absent for a dry run, since nothing has that version.
    pub version: Option<i64>,
    pub warnings: Vec<FieldError>,
}

impl Written {
    #[must_use]
    pub fn new(row: &Record, warnings: Vec<FieldError>) -> Self {
        Self {
            json: row.json(),
            version: Some(row.version),
            warnings,
        }
    }

    fn answer(&self, status: StatusCode) -> StoredResponse {
        let mut headers = vec![header_pair(&header::CONTENT_TYPE, Json::MEDIA_TYPE)];
        if let Some(version) = self.version {
            headers.push(header_pair(&header::ETAG, &format!("\"{version}\"")));
        }
        if let Some(warnings) = warnings(&self.warnings) {
            headers.push(header_pair(&WARNINGS, &warnings));
        }
        StoredResponse {
            status: status.as_u16(),
            headers,
            body: self.json.clone(),
        }
    }
}

fn warnings(found: &[FieldError]) -> Option<String> {
    let list: Vec<String> = found
        .iter()
        .map(|one| format!("{} {}", one.pointer, one.fault.code))
        .collect();
    let text = list.join(", ");
    // Members that do not fit into a header are in the body only.
    (!list.is_empty() && HeaderValue::from_str(&text).is_ok()).then_some(text)
}

#[derive(Debug)]
pub struct Changed(pub Written);

impl Responder for Changed {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(self.to_stored())
    }
}

impl Storable for Changed {
    fn to_stored(&self) -> StoredResponse {
        self.0.answer(StatusCode::OK)
    }
}

impl Reply for Changed {
    fn describe(draft: &mut Draft) {
        let text = "Record after the change; unchanged if the change had no effect.";
        let response = record_content(draft, text, &["ETag", "Verbund-Warnings"]);
        draft.response(200, response);
        for code in [
            Code::Moved,
            Code::Gone,
            Code::Conflict,
            Code::ValidationFailed,
            Code::PayloadTooLarge,
        ] {
            draft.problem(code);
        }
    }
}

/// 201 with a new record; 200 without `id` and `Location` for a dry run.
#[derive(Debug)]
pub enum Created {
    /// The created record.
    At(String, Written),
    /// The record that would be created.
    Rehearsed(Written),
}

impl Responder for Created {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(self.to_stored())
    }
}

impl Created {
    #[must_use]
    pub fn new(kind: Kind, saved: Saved, dry_run: bool) -> Self {
        let mut written = Written::new(&saved.row, saved.warnings);
        if !dry_run {
            let location = format!("/v1/{}/{}", kind.plural(), saved.row.id);
            return Self::At(location, written);
        }
        if let Ok(mut record) = serde_json::from_str::<Value>(&written.json) {
            insert(&mut record, &["id"], Value::Null);
            written.json = record.to_string();
        }
        written.version = None;
        Self::Rehearsed(written)
    }
}

impl Storable for Created {
    fn to_stored(&self) -> StoredResponse {
        match self {
            Self::At(location, written) => {
                let mut answer = written.answer(StatusCode::CREATED);
                answer
                    .headers
                    .push(header_pair(&header::LOCATION, location));
                answer
            }
            Self::Rehearsed(written) => written.answer(StatusCode::OK),
        }
    }
}

impl Reply for Created {
    fn describe(draft: &mut Draft) {
        let headers = &["ETag", "Location", "Verbund-Warnings"];
        let response = record_content(draft, "The new record.", headers);
        draft.response(201, response);
        let text = "What a dry run would create; `id` is null.";
        let mut rehearsed = record_content(draft, text, &["Verbund-Warnings"]);
        let kind = draft.kind_schema();
        let schema = reference(&format!("{}Preview", kind.name));
        insert(
            &mut rehearsed,
            &["content", Json::MEDIA_TYPE, "schema"],
            schema,
        );
        let mut shown = example(kind);
        insert(&mut shown, &["id"], Value::Null);
        insert(
            &mut rehearsed,
            &["content", Json::MEDIA_TYPE, "example"],
            shown,
        );
        draft.response(200, rehearsed);
        for code in [
            Code::Conflict,
            Code::ValidationFailed,
            Code::PayloadTooLarge,
        ] {
            draft.problem(code);
        }
    }
}

pub(crate) fn record_content(draft: &mut Draft, description: &str, headers: &[&str]) -> Value {
    let kind = draft.kind_schema();
    draft.components(kind.documented().clone());
    let schema = reference(&format!("{}Record", kind.name));
    let mut response = content(description, Json::MEDIA_TYPE, &schema);
    insert(
        &mut response,
        &["content", Json::MEDIA_TYPE, "example"],
        example(kind),
    );
    for header in headers {
        insert(&mut response, &["headers", header], header_object(header));
    }
    response
}

fn header_object(name: &str) -> Value {
    let description = match name {
        "ETag" => {
            "The strong tag of the canonical record is its version in quotes; other representations have weak tags."
        }
        "Location" => "Address of the new record.",
        "Verbund-Upgraded" => {
            "`true` if this version was written with former names of members; the response has the current ones."
        }
        "Content-Language" => "Language of the texts, if `lang` was given.",
        _ => "Pointers and codes of accepted but suspicious values, such as a wrong check digit.",
    };
    json!({"description": description, "schema": {"type": "string"}})
}

/// Registers the schema of a list's items: the record of type `of` with further members.
pub fn list_item(
    draft: &mut Draft,
    of: &'static KindSchema,
    name: &str,
    extras: &Value,
    required: &[&str],
) {
    let mut more = json!({"type": "object", "properties": extras});
    if !required.is_empty() {
        insert(&mut more, &["required"], json!(required));
    }
    let record = reference(&format!("{}Record", of.name));
    let item = json!({
        "description": format!("{} and how it was found.", of.name),
        "allOf": [record, more],
    });
    // Only its referenced schemas are needed in addition.
    let mut components = of.documented().clone();
    components.retain(|name, _| {
        !["Input", "Patch", "Preview"]
            .iter()
            .any(|form| name.ends_with(form))
            && name != "PreviewEnvelope"
    });
    components.insert(name.to_owned(), item);
    draft.components(components);
}
