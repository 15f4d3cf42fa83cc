//! The service document: the node and its endpoints.

use crate::http::problem::Problem;
use crate::operation::extract::{App, Pairs, Parameter, Parameters, Public, Query};
use crate::operation::media_type::FORMAT;
use crate::operation::param::{self, Known};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_service", "Read the service document");
    Routes::new("Node").get("/", names, &[], get)
}

/// Node and its endpoints.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "Verbund", "version": "0.1.0", "origin": "nordhessen", "licence": "https://creativecommons.org/licenses/by/4.0/", "publisher": "Gesundheitsregion Nordhessen", "contact_email": "daten@verzeichnis.example", "docs": "/docs/", "openapi": "/openapi.json", "vocabularies": "/v1/vocabularies", "sync": "/v1/sync", "kinds": {"network": "/v1/networks"}, "limits": {"record_bytes": 262_144, "geometry_bytes": 4_194_304, "page_items": 200, "json_depth": 32}}))]
struct Service {
    /// Name of the software.
    name: &'static str,
    /// Release of the software.
    version: &'static str,
    /// Name of the node in the envelope of its records.
    origin: String,
    /// Address of the licence of this node's data, unless a record states another.
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    /// Name of the organisation that provides the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    /// Mailbox of that organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_email: Option<String>,
    /// Address of Swagger UI.
    docs: &'static str,
    /// Address of the OpenAPI document.
    openapi: &'static str,
    /// Address of the closed vocabularies.
    vocabularies: &'static str,
    /// Address of the feed's properties.
    sync: &'static str,
    /// Addresses of the records of each kind.
    kinds: BTreeMap<&'static str, String>,
    /// Limits of requests.
    limits: Limits,
}

/// Limits of requests.
#[derive(Debug, Serialize, ToSchema)]
struct Limits {
    /// Maximum size of a record in bytes.
    record_bytes: usize,
    /// Maximum size of a geometry in bytes.
    geometry_bytes: usize,
    /// Maximum number of items on a page.
    page_items: usize,
    /// Maximum nesting depth of JSON.
    json_depth: usize,
}

/// `format=json`: the document for browsers too, which get a page otherwise.
#[derive(Debug)]
struct AsJson;

impl Parameters for AsJson {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        const AS_JSON: Parameter = param::code(
            FORMAT,
            "Browsers, which get the first page of the explorer otherwise, get this document too.",
            Known::These(&["json"]),
        );
        &[AS_JSON]
    }

    fn read(_: &Pairs) -> Result<Self, Problem> {
        Ok(Self)
    }
}

async fn get(_: Public, app: App, _: Query<AsJson>) -> Result<Json<Service>, Problem> {
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.code(), format!("/v1/{}", kind.plural())));
    Ok(Json(Service {
        name: "Verbund",
        version: env!("CARGO_PKG_VERSION"),
        origin: app.store.node().origin.clone(),
        licence: app.site.licence.clone(),
        publisher: app.site.publisher.clone(),
        contact_email: app.site.contact_email.clone(),
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
