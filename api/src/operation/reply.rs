//! Replies that document themselves: the return type of a handler is its documentation.

use crate::formats;
use crate::http::problem::Code;
use crate::operation::idempotency::{Storable, StoredResponse};
use crate::operation::routes::{Draft, Reply};
use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header, header::HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use serde::Serialize;
use serde_json::{Value, json};
use std::marker::PhantomData;
use utoipa::ToSchema;

const JSON: &str = formats::Json::MEDIA_TYPE;

#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl<T: Serialize + ToSchema> Reply for Json<T> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        draft.response(200, content("The value.", JSON, &schema));
    }
}

#[derive(Debug)]
pub struct Private<T> {
    value: T,
    version: Option<i64>,
}

impl<T> Private<T> {
    #[must_use]
    pub fn new(value: T) -> Self {
        Self {
            value,
            version: None,
        }
    }

    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }
}

impl<T: Serialize> Responder for Private<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(version) = self.version {
            response.insert_header((header::ETAG, format!("\"{version}\"")));
        }
        response.json(self.value)
    }
}

impl<T: Serialize + ToSchema> Reply for Private<T> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        let mut response = content("The value.", JSON, &schema);
        for header in ["ETag", "Cache-Control"] {
            let object = json!({"schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        draft.response(200, response);
    }
}

/// A [`Private`] value as JSON that is there already.
#[derive(Debug)]
pub struct Rendered<T> {
    json: Bytes,
    value: PhantomData<T>,
}

impl<T> Rendered<T> {
    #[must_use]
    pub const fn new(json: Bytes) -> Self {
        Self {
            json,
            value: PhantomData,
        }
    }
}

impl<T> Responder for Rendered<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type(JSON)
            .body(self.json)
    }
}

impl<T: Serialize + ToSchema> Reply for Rendered<T> {
    fn describe(draft: &mut Draft) {
        Private::<T>::describe(draft);
    }
}

/// The weak tag of what a response shows.
#[must_use]
pub fn weak_tag(shown: &str) -> String {
    let hash = domain::base::json::hash(shown);
    format!("W/\"{}\"", hash.get(7..31).unwrap_or_default())
}

#[must_use]
pub fn header_pair(name: &HeaderName, value: &str) -> (String, String) {
    (name.as_str().to_owned(), value.to_owned())
}

/// 204: deleted.
#[derive(Debug)]
pub struct Removed;

impl Responder for Removed {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
    }
}

impl Reply for Removed {
    fn describe(draft: &mut Draft) {
        draft.response(204, json!({"description": "Removed."}));
    }
}

/// 204: done, without content.
#[derive(Debug)]
pub struct Done;

impl Responder for Done {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Storable for Done {
    fn to_stored(&self) -> StoredResponse {
        StoredResponse {
            status: StatusCode::NO_CONTENT.as_u16(),
            headers: Vec::new(),
            body: String::new(),
        }
    }
}

impl Reply for Done {
    fn describe(draft: &mut Draft) {
        draft.response(204, json!({"description": "Done."}));
        draft.problem(Code::Moved);
        draft.problem(Code::Gone);
    }
}

/// Documents the headers of a page of a list.
pub(crate) fn document_page_headers(response: &mut Value) {
    let weak = "Weak: it changes with anything that the page shows (RFC 9110).";
    document_header(response, "ETag", weak);
    document_header(response, "Link", "The next page (RFC 8288).");
}

pub(crate) fn document_header(response: &mut Value, name: &str, description: &str) {
    let object = json!({"description": description, "schema": {"type": "string"}});
    insert(response, &["headers", name], object);
}

#[must_use]
pub fn content(description: &str, media_type: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "content": {media_type: {"schema": schema}},
    })
}
