//! Paging by limit and cursor only.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{Pairs, Parameter, Parameters};
use crate::operation::param;
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use domain::base::kind::Kind;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

pub(crate) const LIMIT: Parameter =
    param::integer("limit", "How many items a page holds.", &(1..=200))
        .default(20)
        .example("20");
pub(crate) const CURSOR: Parameter = param::cursor(
    "cursor",
    "Where the page begins; taken from `next`, which carries it.",
    2000,
);

#[derive(Debug)]
pub(crate) struct Paging {
    pub(crate) limit: u64,
    pub(crate) cursor: Option<String>,
    pub(crate) text: String,
}

impl Parameters for Paging {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[LIMIT, CURSOR]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            limit: pairs.integer(&LIMIT),
            cursor: pairs.one("cursor").map(str::to_owned),
            text: pairs.without_cursor(),
        })
    }
}

impl Paging {
    pub(crate) fn bound(&self, path: &str) -> String {
        format!("{path}?{}", self.text)
    }

    pub(crate) fn next(&self, path: &str, cursor: Option<&String>) -> Option<String> {
        cursor.map(|cursor| Pairs::next(path, &self.text, cursor))
    }
}

/// 200 with a page, for the caller alone, and the address of the next one.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) body: T,
    pub(crate) next: Option<String>,
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.json(self.body)
    }
}

impl<T: Serialize + ToSchema> Reply for Page<T> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        let mut response = content("A page.", "application/json", &schema);
        let link = json!({"description": "See RFC 8288.", "schema": {"type": "string"}});
        insert(&mut response, &["headers", "Link"], link);
        draft.response(200, response);
        draft.problem(Code::InvalidCursor);
    }
}
