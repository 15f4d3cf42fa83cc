//! The service document: what this node is and where its parts are.

use crate::http::problem::Problem;
use crate::operation::extract::{Anyone, App, Query};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    let names = (
        "get_service",
        "Read what this node is and where its parts are",
    );
    Routes::new("Node").get("/", names, &[], get)
}

/// What this node is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "Verbund", "version": "0.1.0", "origin": "nordhessen", "docs": "/docs/", "openapi": "/openapi.json", "vocabularies": "/v1/vocabularies", "sync": "/v1/sync", "kinds": {"network": "/v1/networks"}, "limits": {"record_bytes": 262_144, "geometry_bytes": 4_194_304, "page_items": 200, "json_depth": 32}}))]
struct Service {
    /// The software.
    name: &'static str,
    /// Its release.
    version: &'static str,
    /// The node's name in the envelope of its records.
    origin: String,
    /// Swagger UI.
    docs: &'static str,
    /// The OpenAPI document.
    openapi: &'static str,
    /// The closed vocabularies.
    vocabularies: &'static str,
    /// How partners take over records.
    sync: &'static str,
    /// Where the records of each kind are.
    kinds: BTreeMap<&'static str, String>,
    /// What fits.
    limits: Limits,
}

/// What fits.
#[derive(Debug, Serialize, ToSchema)]
struct Limits {
    /// Bytes of a record.
    record_bytes: usize,
    /// Bytes of a geometry.
    geometry_bytes: usize,
    /// Items of a page.
    page_items: usize,
    /// Levels of nested JSON.
    json_depth: usize,
}

async fn get(_: Anyone, app: App, _: Query<()>) -> Result<Json<Service>, Problem> {
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.code(), format!("/v1/{}", kind.plural())));
    Ok(Json(Service {
        name: "Verbund",
        version: env!("CARGO_PKG_VERSION"),
        origin: app.store.node().origin.clone(),
        docs: "/docs/",
        openapi: "/openapi.json",
        vocabularies: "/v1/vocabularies",
        sync: "/v1/sync",
        kinds: kinds.collect(),
        limits: Limits {
            record_bytes: persistence::store::MAX_BODY,
            geometry_bytes: crate::operation::extract::MAX_GEOMETRY,
            page_items: 200,
            json_depth: domain::base::json::MAX_DEPTH,
        },
    }))
}
