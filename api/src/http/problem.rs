//! Errors as RFC 9457 problem documents, from one table of stable codes.
//!
//! A handler returns a [`Problem`]; the [`crate::operation::middleware`] renders it in the caller's
//! language. 4xx say what to fix. 5xx only say that the server failed; the cause is logged once.

mod store;
mod table;

pub use table::{Code, ProblemKind};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use chrono::{DateTime, Utc};
use domain::base::fault::{FieldError, Lang};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::exchange::change::Cause;
use domain::value::reference::RecordRef;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// Violations of one body in a response; the others are counted.
const MAX_ERRORS: usize = 100;

/// Bytes of these, so that a response to a mistake stays small whatever the mistake is.
const MAX_ERROR_BYTES: usize = 32 * 1024;

/// Bytes of rejected items, or of another list.
const MAX_LIST_BYTES: usize = 40 * 1024;

/// Characters of a pointer or a message.
const MAX_TEXT: usize = 1000;

pub const MEDIA_TYPE: &str = "application/problem+json";

#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: &'static ProblemKind,
    // Boxed, since most results are fine and problems are large.
    case: Box<Case>,
}

#[derive(Debug, Clone)]
struct Case {
    detail: [String; 2],
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    correction: Option<Correction>,
}

/// What is wrong with a query, and what would be right if that is known: for pages, which offer it
/// as a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The parameter as given.
    pub parameter: String,
    /// The wrong value; absent if there is no such parameter.
    pub value: Option<String>,
    /// The right value, or the right name.
    pub right: Option<String>,
}

impl Problem {
    /// A problem of the table, with its advice as the detail.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let kind = code.kind();
        let case = Case {
            detail: [kind.fix.en.to_owned(), kind.fix.de.to_owned()],
            errors: Vec::new(),
            members: Map::new(),
            headers: Vec::new(),
            correction: None,
        };
        Self {
            kind,
            case: Box::new(case),
        }
    }

    #[must_use]
    pub fn detail(mut self, en: impl Into<String>, de: impl Into<String>) -> Self {
        self.case.detail = [en.into(), de.into()];
        self
    }

    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.case.errors = errors;
        self
    }

    #[must_use]
    pub fn member(mut self, name: &str, value: Value) -> Self {
        self.case.members.insert(name.to_owned(), value);
        self
    }

    /// Adds a list, as much of it as fits into a response.
    #[must_use]
    pub fn list(self, name: &str, items: impl IntoIterator<Item = impl Serialize>) -> Self {
        let items = items.into_iter().map(|item| json!(item));
        let items: Vec<Value> = within(MAX_LIST_BYTES, items).collect();
        self.member(name, json!(items))
    }

    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.case.members.get(name)?.as_str()
    }

    #[must_use]
    pub fn correct(mut self, parameter: &str, value: Option<&str>, right: Option<&str>) -> Self {
        self.case.correction = Some(Correction {
            parameter: parameter.to_owned(),
            value: value.map(str::to_owned),
            right: right.map(str::to_owned),
        });
        self
    }

    #[must_use]
    pub fn correction(&self) -> Option<&Correction> {
        self.case.correction.as_ref()
    }

    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.case.headers
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.case.headers.push((name, value));
        }
        self
    }

    #[must_use]
    pub fn document(&self, lang: Lang, instance: &str, request_id: &str) -> Value {
        let [en, de] = &self.case.detail;
        let detail = match lang {
            Lang::En => en,
            Lang::De => de,
        };
        let mut document = json!({
            "type": format!("/problems/{}", self.kind.code.as_str()),
            "title": self.kind.title.get(lang),
            "status": self.kind.status.as_u16(),
            "detail": detail,
            "instance": instance,
            "request_id": request_id,
        });
        let errors = &self.case.errors;
        if !errors.is_empty() {
            let told = ProblemField::all(errors, lang);
            if told.len() < errors.len() {
                insert(&mut document, &["total"], json!(errors.len()));
            }
            insert(&mut document, &["errors"], json!(told));
        }
        if let Some(members) = document.as_object_mut() {
            members.extend(self.case.members.clone());
        }
        document
    }

    /// The document of one item in a response that is not a problem as a whole.
    #[must_use]
    pub fn of_item(&self, lang: Lang) -> Value {
        let mut document = self.document(lang, "", "");
        if let Some(members) = document.as_object_mut() {
            members.retain(|name, _| !["instance", "request_id"].contains(&name.as_str()));
        }
        document
    }

    #[must_use]
    pub fn response(&self, lang: Lang, instance: &str, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.kind.status);
        response.content_type(MEDIA_TYPE);
        for header in &self.case.headers {
            response.append_header(header.clone());
        }
        response.body(self.document(lang, instance, request_id).to_string())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.code.as_str())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response(Lang::En, "", "")
    }
}

/// Problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Address of the explanation, relative to this server.
    #[schema(example = "/problems/validation-failed")]
    pub r#type: String,
    /// Title of the problem, in the language of `Accept-Language` (de or en).
    #[schema(example = "The body is not valid")]
    pub title: String,
    /// HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong in this case and what would be right.
    pub detail: String,
    /// Path of the request.
    #[schema(example = "/v1/actors")]
    pub instance: String,
    /// Id of the request in the server's log.
    pub request_id: String,
    /// The violations in the body: all, or the first hundred.
    pub errors: Option<Vec<ProblemField>>,
    /// With `precondition-failed`: the current version.
    #[schema(minimum = 1)]
    pub current: Option<i64>,
    /// With `gone`: the tombstone of the record.
    pub tombstone: Option<ProblemTombstone>,
    /// With `moved`: the current address of the record, relative to this server.
    pub moved_to: Option<String>,
    /// With `ambiguous-slug`: the ids of the records with the slug.
    pub candidates: Option<Vec<Uuid>>,
    /// With `conflict`: JSON pointer (RFC 6901) to the value that another record already has.
    pub pointer: Option<String>,
    /// With `conflict`: the rule of uniqueness.
    pub unique: Option<String>,
    /// With `conflict`: the other record, if you may see it.
    pub other: Option<RecordRef>,
    /// With `still-referenced`: records that reference this one.
    pub referenced_by: Option<Vec<RecordRef>>,
    /// With `still-referenced` and `has-relationships`: their total number. With `errors`: that of
    /// all violations, if there are more.
    pub total: Option<u64>,
    /// With `forbidden` and `resync-required`: the reason, as a stable code.
    pub reason: Option<String>,
    /// With `insufficient-scope`: the scope that the token lacks.
    pub scope: Option<String>,
    /// With `resync-required`: the address for a fresh start, relative to this server.
    pub resync_url: Option<String>,
    /// With `items-refused`: the rejected items, or the first of them.
    #[schema(schema_with = refused_items)]
    pub items: Option<Vec<Value>>,
    /// With `deletion-threshold-exceeded`: the number of records to be deleted.
    pub deletions: Option<u64>,
    /// With `deletion-threshold-exceeded` and `removal-threshold-exceeded`: the number of records
    /// that the system has supplied, or of lines.
    pub records: Option<u64>,
    /// With `removal-threshold-exceeded`: the members that records would lose.
    #[schema(schema_with = removed_members)]
    pub removed: Option<Vec<Value>>,
    /// With `records-rekeyed`: the records that probably have another key now.
    #[schema(schema_with = rekeyed_records)]
    pub rekeyed: Option<Vec<Value>>,
    /// With `newer-than-export`: the keys of the newer records.
    #[schema(schema_with = newer_records)]
    pub newer: Option<Vec<Value>>,
}

fn refused_items() -> utoipa::openapi::Schema {
    let text = "With `items-refused`: the items that were refused, or the first of them.";
    list_of("PushResult", text)
}

fn removed_members() -> utoipa::openapi::Schema {
    let text = "With `removal-threshold-exceeded`: the members that records would lose.";
    list_of("RemovedMember", text)
}

fn rekeyed_records() -> utoipa::openapi::Schema {
    let text = "With `records-rekeyed`: the records that probably have another key now.";
    list_of("Rekeyed", text)
}

fn newer_records() -> utoipa::openapi::Schema {
    let text = "With `newer-than-export`: the keys of the newer records.";
    list_of("RecordKey", text)
}

/// A list of a component that belongs to pushing, above this layer.
fn list_of(component: &str, description: &str) -> utoipa::openapi::Schema {
    let item = utoipa::openapi::Ref::from_schema_name(component);
    utoipa::openapi::schema::ArrayBuilder::new()
        .items(item)
        .description(Some(description))
        .into()
}

/// Tombstone of a deleted record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemTombstone {
    /// Id of the record.
    pub id: Uuid,
    /// Kind of the record.
    pub kind: Kind,
    /// Origin of the record.
    pub origin: String,
    /// Version of the deletion.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When the record was deleted (RFC 3339 UTC, microseconds).
    pub deleted_at: DateTime<Utc>,
    /// Cause of the deletion.
    pub cause: Cause,
    /// Merge target of the record.
    pub merged_into: Option<Uuid>,
}

/// Problem of one of several items, as for a single write.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemProblem {
    /// Address of the explanation, relative to this server.
    #[schema(example = "/problems/validation-failed")]
    pub r#type: String,
    /// Title of the problem, in the language of `Accept-Language` (de or en).
    #[schema(example = "The body is not valid")]
    pub title: String,
    /// HTTP status of a single write.
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong in this case and what would be right.
    pub detail: String,
    /// The violations in the record: all, or the first hundred.
    pub errors: Option<Vec<ProblemField>>,
}

impl ProblemField {
    /// The violations of a body, in the caller's language: all, or the first of very many.
    #[must_use]
    pub fn all(found: &[FieldError], lang: Lang) -> Vec<Self> {
        let each = found.iter().take(MAX_ERRORS).map(|one| Self {
            pointer: shortened(&one.pointer),
            code: one.fault.code.to_string(),
            message: shortened(&one.fault.message(lang)),
            cell: one.fault.param("cell").map(str::to_owned),
        });
        within(MAX_ERROR_BYTES, each).collect()
    }
}

/// The first items that have so many bytes together.
fn within<T: Serialize>(most: usize, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut bytes = 0;
    items.take_while(move |item| {
        bytes += serde_json::to_string(item).map_or(most, |text| text.len());
        bytes <= most
    })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Violation in a body.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer (RFC 6901) into the body.
    #[schema(example = "/places/0/point/lat")]
    pub pointer: String,
    /// Stable code.
    #[schema(example = "maximum")]
    pub code: String,
    /// What is wrong and what would be right.
    #[schema(example = "must be at most 90, not 91")]
    pub message: String,
    /// In tables: the cell, as spreadsheets name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "C17")]
    pub cell: Option<String>,
}
