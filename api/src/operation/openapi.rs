//! The OpenAPI document, generated from the routes without server or database.

use crate::auth::TOKEN_PATH;
use crate::operation::routes::Routes;
use crate::operation::shared;
use domain::access::account::TokenScope;
use domain::base::vocabulary::Coded;
use serde_json::{Value, json};

#[must_use]
pub fn document(routes: &Routes) -> Value {
    let described = routes.describe();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Verbund",
            "summary": "Directory of regional health networks",
            "description": include_str!("../../../docs/openapi-introduction.md"),
            "version": env!("CARGO_PKG_VERSION"),
            "contact": {"name": "The maintainers of Verbund"},
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This node"}],
        "tags": tags(),
        "paths": described.paths,
        "components": {
            "schemas": described.schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of this node (RFC 9068), from `/oauth/token` or `verbund token`, or of a configured OpenID Connect issuer.",
                },
                "oauth2": {
                    "type": "oauth2",
                    "description": "Sign in with the name and password of an account, or with the id and secret of a client.",
                    "flows": {
                        "password": {"tokenUrl": TOKEN_PATH, "scopes": scopes()},
                        "clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": scopes()},
                    },
                },
            },
        },
    });
    shared::complete(&mut document);
    shared::share(&mut document);
    sort_components(&mut document);
    document
}

/// The text of the document as committed, for reviews.
#[must_use]
pub fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn scopes() -> Value {
    let scopes = TokenScope::ALL.iter();
    let scopes = scopes.map(|scope| (scope.code().to_owned(), json!(scope.labels().en)));
    Value::Object(scopes.collect())
}

fn tags() -> Value {
    let tags = [
        (
            "Node",
            "The node itself: service document, health, explanations of problems.",
        ),
        (
            "Actors",
            "Hospitals, insurers, universities, companies, municipalities, associations.",
        ),
        ("Networks", "Networks and their sub-networks."),
        (
            "Regions",
            "Countries, states, health regions, districts, towns, quarters.",
        ),
        ("Projects", "Projects with partners, funders and outcomes."),
        ("Events", "Events, and reports on them."),
        ("Topics", "Subjects of records, as a tree."),
        (
            "Relationships",
            "Who works with whom, in which role and when.",
        ),
        (
            "Contact persons",
            "Contact persons of records, and the data held about a person.",
        ),
        ("Search", "Finding records and their relationships."),
        ("Export", "Bulk export."),
        (
            "Maps",
            "OGC API – Features, for QGIS, GDAL and other programs for maps.",
        ),
        (
            "Reconciliation",
            "Matching the rows of a spreadsheet with records, for OpenRefine.",
        ),
        (
            "Sync",
            "Exchanging records with partner nodes and other systems.",
        ),
        ("Webhooks", "Receivers of change notifications."),
        ("Duplicates", "Records that are probably the same."),
        (
            "Access",
            "Tokens, your own account, and the accounts of people and programs.",
        ),
        ("Vocabularies", "The closed vocabularies with their labels."),
    ];
    tags.iter()
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect()
}

/// Sorts components by name, so that the committed document changes only where it changes.
fn sort_components(document: &mut Value) {
    let components = document
        .get_mut("components")
        .and_then(Value::as_object_mut);
    for section in components.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(section) = section.as_object_mut() {
            section.sort_keys();
        }
    }
}
