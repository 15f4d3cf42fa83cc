//! The geometry of regions: GeoJSON with an ETag of its own.

use crate::formats::GeoJson;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    App, GeoJsonBody, GeometryCondition, HowToWrite, IfNoneMatch, Query, Reader, RecordId, Writer,
};
use crate::operation::media_type::Formats;
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes, reference};
use crate::records::crud::find;
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use domain::value::geometry;
use serde_json::json;

#[must_use]
pub fn routes() -> Routes {
    let path = "/v1/regions/{id}/geometry";
    let read = ("get_region_geometry", "Read the geometry of a region");
    let write = ("put_region_geometry", "Write the geometry of a region");
    Routes::of(KindSchema::of(Kind::Region))
        .get(path, read, &[Code::Moved, Code::Gone], get)
        .route(Method::PUT, path, write, &[Code::Moved, Code::Gone], put)
}

async fn get(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    _: Query<()>,
    known: IfNoneMatch,
) -> Result<GeometryReply, Problem> {
    let row = app.store.geometries().get(&caller, &id.key).await?;
    let current = known.has(&format!("\"{}\"", row.version));
    Ok(GeometryReply {
        version: row.version,
        body: (!current).then_some(row.body),
    })
}

/// The geometry of a region as GeoJSON, for the pages of the explorer.
pub(crate) async fn json(app: &App, caller: &Caller, id: &RecordId) -> Result<String, Problem> {
    let row = app.store.geometries().get(caller, &id.key).await?;
    Ok(row.body)
}

async fn put(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    GeometryCondition(expected): GeometryCondition,
    HowToWrite(options): HowToWrite,
    GeoJsonBody(body): GeoJsonBody,
) -> Result<GeometryReply, Problem> {
    let region = find(&app, &caller, Kind::Region, &id.key).await?;
    let row = app
        .store
        .geometries()
        .put(
            &caller,
            region.id,
            expected.as_ref(),
            &body.to_string(),
            &options,
        )
        .await?;
    Ok(GeometryReply {
        version: row.version,
        body: Some(row.body),
    })
}

#[derive(Debug)]
struct GeometryReply {
    version: i64,
    body: Option<String>,
}

impl Responder for GeometryReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = (header::ETAG, format!("\"{}\"", self.version));
        match self.body {
            Some(body) => HttpResponse::Ok()
                .content_type(GeoJson::MEDIA_TYPE)
                .insert_header(etag)
                .body(body),
            None => HttpResponse::NotModified().insert_header(etag).finish(),
        }
    }
}

impl Reply for GeometryReply {
    fn formats(_: Option<Kind>) -> Formats {
        Formats::only(&[&GeoJson])
    }

    fn describe(draft: &mut Draft) {
        draft.components(geometry::components());
        let mut response = content("The geometry.", GeoJson::MEDIA_TYPE, &reference("Geometry"));
        insert(
            &mut response,
            &["content", GeoJson::MEDIA_TYPE, "example"],
            geometry::example(),
        );
        insert(
            &mut response,
            &["headers", "ETag"],
            json!({
                "description": "Version of the geometry, independent of that of the region.",
                "schema": {"type": "string"},
            }),
        );
        draft.response(200, response);
    }
}
