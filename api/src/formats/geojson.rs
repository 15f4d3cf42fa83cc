//! Records as GeoJSON (RFC 7946): a Feature, or a `FeatureCollection`.

use crate::formats::view::with_members;
use crate::http::problem::Problem;
use crate::operation::extract::{Parameter, wrong};
use crate::operation::media_type::Media;
use crate::operation::routes::{Draft, reference};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::value::geometry;
use persistence::Store;
use persistence::entity::record;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

pub type Geometries = BTreeMap<Uuid, String>;

/// Bytes of stored geometry in a response that is not streamed.
const MAX_GEOMETRY: usize = 32 * 1024 * 1024;

/// The parameter of lists in addition to `format=geojson`.
pub const GEOMETRY: Parameter = Parameter {
    name: "geometry",
    description: "With GeoJSON: regions with their area instead of a point, if it is known; at most 32 MiB in total.",
    schema: r#"{"type": "boolean", "default": false}"#,
    example: "true",
    repeatable: false,
};

/// Rejects `geometry=` where it has no meaning.
pub fn check_geometry(geometry: Option<bool>, media: Media) -> Result<bool, Problem> {
    match geometry {
        Some(given) if media != Media::GeoJson => Err(wrong(
            "geometry",
            &given.to_string(),
            "given together with format=geojson",
        )),
        given => Ok(given.unwrap_or(false)),
    }
}

pub fn regions<'a>(rows: impl IntoIterator<Item = &'a record::Model>) -> Vec<Uuid> {
    let regions = rows
        .into_iter()
        .filter(|row| row.kind == Kind::Region.code());
    regions.map(|row| row.id).collect()
}

/// The stored geometries of rows, for a response that is not streamed.
pub async fn stored(store: &Store, rows: &[&record::Model]) -> Result<Geometries, Problem> {
    let regions = regions(rows.iter().copied());
    if regions.is_empty() {
        return Ok(Geometries::new());
    }
    let bytes: usize = store.geometries().sizes(&regions).await?.values().sum();
    if bytes > MAX_GEOMETRY {
        let expected = format!(
            "used for fewer regions: these have {} MiB of geometry, and a response has at most 32 MiB; lower limit or export them",
            bytes / 1024 / 1024
        );
        return Err(wrong("geometry", "true", &expected));
    }
    Ok(store.geometries().list(&regions).await?)
}

/// A record as a Feature; `more` are further members.
#[must_use]
pub fn feature(
    row: &record::Model,
    shown: &str,
    stored: &Geometries,
    more: Option<&Value>,
) -> String {
    let points = || {
        let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        geometry::of_record(&body).to_string()
    };
    let geometry = stored.get(&row.id).cloned().unwrap_or_else(points);
    let feature = format!(
        r#"{{"type":"Feature","id":"{}","geometry":{geometry},"properties":{shown}}}"#,
        row.id
    );
    match more {
        Some(more) => with_members(&feature, more),
        None => feature,
    }
}

pub const HEAD: &str = r#"{"type":"FeatureCollection","features":["#;

/// The text after the last.
pub const TAIL: &str = "]}";

/// Features as a collection; `more` are further members.
#[must_use]
pub fn collection(features: &[String], more: &Value) -> String {
    with_members(&format!("{HEAD}{}{TAIL}", features.join(",")), more)
}

/// Documents that a response is also available as a Feature.
pub fn describe_feature(
    draft: &mut Draft,
    response: &mut Value,
    name: &str,
    (schema, example): (&Value, &Value),
) {
    let mut feature = feature_schema(draft, schema);
    let included = included_schema();
    if let (Some(members), Some(more)) = (
        feature.get_mut("properties").and_then(Value::as_object_mut),
        included.as_object(),
    ) {
        members.extend(more.clone());
    }
    add(draft, response, name, feature, example_of(example));
}

/// Documents that a page is also available as a `FeatureCollection`, with the other members of the
/// page.
pub fn describe_collection(
    draft: &mut Draft,
    response: &mut Value,
    name: &str,
    page: &Value,
    example: &Value,
) {
    let item = page.pointer("/properties/items/items").cloned();
    let feature = feature_schema(draft, &item.unwrap_or_default());
    let mut collection = page.clone();
    let required = collection
        .get("required")
        .and_then(Value::as_array)
        .cloned();
    let required = required
        .into_iter()
        .flatten()
        .filter(|name| *name != "items");
    let required: Vec<Value> = required.chain([json!("type"), json!("features")]).collect();
    insert(&mut collection, &["required"], required);
    if let Some(members) = collection
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    {
        members.shift_remove("items");
        members.insert(
            "type".to_owned(),
            json!({"type": "string", "enum": ["FeatureCollection"]}),
        );
        members.insert(
            "features".to_owned(),
            json!({"type": "array", "items": feature}),
        );
    }
    let mut shown = json!({"type": "FeatureCollection", "features": [example_of(example)]});
    if page.pointer("/properties/total").is_some() {
        insert(&mut shown, &["total"], 1);
    }
    add(draft, response, name, collection, shown);
}

fn add(draft: &mut Draft, response: &mut Value, name: &str, schema: Value, example: Value) {
    draft.components(Map::from_iter([(name.to_owned(), schema)]));
    let media = Media::GeoJson.name();
    insert(response, &["content", media, "schema"], reference(name));
    insert(response, &["content", media, "example"], example);
}

fn example_of(record: &Value) -> Value {
    json!({
        "type": "Feature",
        "id": record.get("id"),
        "geometry": geometry::of_record(record),
        "properties": record,
    })
}

fn feature_schema(draft: &mut Draft, properties: &Value) -> Value {
    draft.components(geometry::components());
    draft.components(geometry::record_components());
    json!({
        "type": "object",
        "description": "A Feature (RFC 7946, 3.2).",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string", "format": "uuid"},
            "geometry": reference("RecordGeometry"),
            "properties": properties,
        },
    })
}

#[must_use]
pub fn included_schema() -> Value {
    json!({
        "included": {"type": "object", "description": "Included records, by kind and id.", "additionalProperties": {"type": "object", "additionalProperties": {"type": "object"}}},
        "included_total": {"type": "integer", "minimum": 0, "description": "Number of included records without the limit."},
    })
}
