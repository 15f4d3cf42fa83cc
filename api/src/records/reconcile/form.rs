//! A batch of queries as a form: `queries=…`.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{read_body, wrong};
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures::future::LocalBoxFuture;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

const MAX_FORM: usize = 256 * 1024;

/// The JSON in the field `queries`.
#[derive(Debug)]
pub(super) struct QueriesForm(pub(super) String);

impl FromRequest for QueriesForm {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read_body(&request, payload, MAX_FORM, &[FORM]).await?;
            let mut fields = url::form_urlencoded::parse(&body);
            let queries = fields.find(|(name, _)| name == "queries");
            let queries = queries.map(|(_, value)| Self(value.into_owned()));
            queries.ok_or_else(|| {
                let expected = ("a field of the form", "ein Feld des Formulars");
                wrong("queries", "", expected)
            })
        })
    }
}

impl Extract for QueriesForm {
    fn describe(draft: &mut Draft) {
        let queries = json!({
            "type": "string",
            "description": "A batch of queries as JSON, at most 50: `query` is a name or an identifier, `type` a kind or several, `limit` at most 20, `properties` what else is known (`city`, `postal_code`, `street`, `website`, `email`).",
        });
        draft.request_body(json!({
            "required": true,
            "content": {FORM: {
                "schema": {"type": "object", "required": ["queries"], "properties": {"queries": queries}},
                "example": {"queries": "{\"q0\":{\"query\":\"Klinikum Kassel\",\"type\":\"actor\"}}"},
            }},
        }));
        for code in [
            Code::InvalidParameter,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ] {
            draft.problem(code);
        }
    }
}
