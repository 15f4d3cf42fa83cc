//! Records as GeoJSON (RFC 7946): a Feature, or a `FeatureCollection`.

use crate::formats::view::with_members;
use crate::http::problem::Problem;
use crate::operation::extract::{Parameter, wrong};
use crate::operation::media_type::Media;
use crate::operation::param;
use crate::operation::routes::{Draft, reference};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use domain::value::geometry;
use persistence::Store;
use persistence::records::Record;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

pub type Geometries = BTreeMap<Uuid, String>;

/// Bytes of stored geometry in a response that is not streamed.
const MAX_GEOMETRY: usize = 32 * 1024 * 1024;

/// The parameter that lists accept with GeoJSON.
pub const GEOMETRY: Parameter = param::boolean(
    "geometry",
    "With GeoJSON: regions with their area instead of a point, as far as it is known; at most 32 MiB in all.",
);

/// Rejects `geometry=true` where it has no meaning.
pub fn check_geometry(geometry: bool, media: Media) -> Result<bool, Problem> {
    if geometry && media != Media::GeoJson {
        let expected = (
            "asked of GeoJSON (`Accept: application/geo+json`)",
            "nur mit GeoJSON (`Accept: application/geo+json`)",
        );
        return Err(wrong("geometry", "true", expected));
    }
    Ok(geometry)
}

pub fn regions<'a>(rows: impl IntoIterator<Item = &'a Record>) -> Vec<Uuid> {
    let regions = rows.into_iter().filter(|row| row.kind == Kind::Region);
    regions.map(|row| row.id).collect()
}

/// The stored geometries of rows, for a response that is not streamed.
pub async fn stored(store: &Store, rows: &[&Record]) -> Result<Geometries, Problem> {
    let regions = regions(rows.iter().copied());
    if regions.is_empty() {
        return Ok(Geometries::new());
    }
    let bytes: usize = store.geometries().sizes(&regions).await?.values().sum();
    if bytes > MAX_GEOMETRY {
        let most = bytes / 1024 / 1024;
        let expected = (
            format!(
                "asked of fewer regions: these have {most} MiB of geometry, and an answer holds 32 MiB; lower limit or export them"
            ),
            format!(
                "weniger Regionen: diese haben {most} MiB Geometrie, und eine Antwort fasst 32 MiB; verkleinern Sie limit oder nutzen Sie den Export"
            ),
        );
        return Err(wrong("geometry", "true", expected));
    }
    Ok(store.geometries().list(&regions).await?)
}

/// A record as a Feature; `more` are further members.
#[must_use]
pub fn feature(row: &Record, shown: &str, stored: &Geometries, more: Option<&Value>) -> String {
    let points = || geometry::of_record(&row.current_value()).to_string();
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

/// Documents that a response is a Feature.
pub fn describe_feature(
    draft: &mut Draft,
    response: &mut Value,
    name: &str,
    (schema, example): (&Value, &Value),
) {
    let mut feature = feature_schema(draft, schema);
    describe_included(draft);
    let included = included_schema();
    if let (Some(members), Some(more)) = (
        feature.get_mut("properties").and_then(Value::as_object_mut),
        included.as_object(),
    ) {
        members.extend(more.clone());
    }
    add(draft, response, name, feature, example_of(example));
}

/// Documents a response as a `FeatureCollection` with the other members of the page.
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

/// The schemas of included records; needs [`describe_included`] too.
#[must_use]
pub fn included_schema() -> Value {
    json!({
        "included": reference("Included"),
        "included_total": {"type": "integer", "minimum": 0, "description": "How many there would be without the limit."},
    })
}

/// Registers the schema of included records.
pub fn describe_included(draft: &mut Draft) {
    let mut kinds = Map::new();
    for kind in Kind::ALL {
        let schema = KindSchema::of(*kind);
        draft.components(schema.documented().clone());
        let records = reference(&format!("{}Record", schema.name));
        kinds.insert(
            kind.code().to_owned(),
            json!({"type": "object", "additionalProperties": records}),
        );
    }
    let included = json!({
        "type": "object",
        "description": "The records that `include` brings along, by kind and id.",
        "properties": kinds,
    });
    draft.components(Map::from_iter([("Included".to_owned(), included)]));
}
