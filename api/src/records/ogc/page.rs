//! Replies of OGC API – Features.

use crate::formats::GeoJson;
use crate::operation::reply::{content, document_header};
use crate::operation::routes::{Draft, Reply};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use serde_json::{Value, json};

/// A description: of the service, of what it conforms to, of collections.
#[derive(Debug)]
pub(super) struct OgcDocument(pub(super) Value);

impl Responder for OgcDocument {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl Reply for OgcDocument {
    fn describe(draft: &mut Draft) {
        let schema = json!({"type": "object"});
        let mut response = content("See OGC 17-069.", "application/json", &schema);
        let example =
            json!({"conformsTo": ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"]});
        insert(
            &mut response,
            &["content", "application/json", "example"],
            example,
        );
        draft.response(200, response);
    }
}

/// Features, or one of them.
#[derive(Debug)]
pub(super) struct Features {
    pub(super) text: String,
    pub(super) next: Option<String>,
}

impl Responder for Features {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.content_type(GeoJson::MEDIA_TYPE);
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.body(self.text)
    }
}

impl Reply for Features {
    fn describe(draft: &mut Draft) {
        let schema = json!({
            "type": "object",
            "description": "A Feature or FeatureCollection (RFC 7946) with `links`; a collection has the exact number of matches as `numberMatched`.",
            "required": ["type", "links"],
            "properties": {
                "type": {"type": "string", "enum": ["Feature", "FeatureCollection"]},
                "features": {"type": "array", "items": {"type": "object"}},
                "links": {"type": "array", "items": {"type": "object"}},
                "numberMatched": {"type": "integer", "minimum": 0},
                "numberReturned": {"type": "integer", "minimum": 0},
                "timeStamp": {"type": "string"},
            },
        });
        let mut response = content("Features.", GeoJson::MEDIA_TYPE, &schema);
        let example = json!({"type": "FeatureCollection", "features": [], "links": [], "numberMatched": 0, "numberReturned": 0});
        let at = &["content", GeoJson::MEDIA_TYPE, "example"];
        insert(&mut response, at, example);
        document_header(&mut response, "Link", "The next page (RFC 8288).");
        draft.response(200, response);
    }
}
