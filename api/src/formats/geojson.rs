//! GeoJSON (RFC 7946): a Feature, or a `FeatureCollection`.

use crate::formats::json::write_record;
use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use domain::base::json::{ObjectWriter, insert};
use domain::base::schema::reference;
use domain::value::geometry;
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Debug)]
pub struct GeoJson;

impl GeoJson {
    pub const MEDIA_TYPE: &str = "application/geo+json";
}

impl Format for GeoJson {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "geojson"
    }

    fn name(&self) -> &'static str {
        "GeoJSON"
    }

    fn about(&self) -> &'static str {
        "GeoJSON (RFC 7946) for maps: a record without a known place has the geometry `null`"
    }

    fn has_areas(&self) -> bool {
        true
    }

    fn head(&self, _: &Context, to: &mut String) {
        to.push_str("{\"type\":\"FeatureCollection\",\"features\":[");
    }

    fn item(&self, item: &Item<'_>, _: &Context, to: &mut String) -> Result<(), Problem> {
        write_feature(item, &Value::Null, to);
        Ok(())
    }

    fn separator(&self) -> &'static str {
        ","
    }

    fn tail(&self, rest: &Value, to: &mut String) {
        to.push(']');
        let mut collection = ObjectWriter::resume(to);
        collection.members(rest);
        collection.end();
    }

    fn record(&self, item: &Item<'_>, _: &Context, more: &Value) -> Result<String, Problem> {
        let mut text = String::new();
        write_feature(item, more, &mut text);
        Ok(text)
    }

    fn document_record(&self, of: &RecordSchema) -> Documented {
        let mut feature = feature_schema(&of.schema);
        let members = feature.get_mut("properties").and_then(Value::as_object_mut);
        if let (Some(members), Some(more)) = (members, of.more.as_object()) {
            members.extend(more.clone());
        }
        let name = format!("{}Feature", of.name);
        documented(name, feature, example_of(&of.example))
    }

    /// A page with `features` in place of its `items`.
    fn document_list(&self, of: &ListSchema) -> Documented {
        let mut collection = of.page.clone();
        let required = of.page.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().cloned();
        let required = required.filter(|name| name != "items");
        let required: Vec<Value> = required.chain([json!("type"), json!("features")]).collect();
        insert(&mut collection, &["required"], required);
        let members = collection.get_mut("properties");
        if let Some(members) = members.and_then(Value::as_object_mut) {
            members.shift_remove("items");
        }
        let of_type = json!({"type": "string", "enum": ["FeatureCollection"]});
        insert(&mut collection, &["properties", "type"], of_type);
        let features = json!({"type": "array", "items": feature_schema(&of.item())});
        insert(&mut collection, &["properties", "features"], features);
        let mut example =
            json!({"type": "FeatureCollection", "features": [example_of(&of.example)]});
        if of.page.pointer("/properties/total").is_some() {
            insert(&mut example, &["total"], 1);
        }
        let name = format!("{}FeatureCollection", of.name);
        documented(name, collection, example)
    }
}

/// Writes a record as a Feature; `more` are further members of the Feature.
fn write_feature(item: &Item<'_>, more: &Value, to: &mut String) {
    let mut feature = ObjectWriter::new(to);
    feature.begin("type").push_str("\"Feature\"");
    // Writing to a string cannot fail.
    let _ = write!(feature.begin("id"), "\"{}\"", item.row.id);
    let geometry = feature.begin("geometry");
    match item.area {
        Some(area) => geometry.push_str(area),
        None => {
            let _ = write!(
                geometry,
                "{}",
                geometry::of_record(&item.row.current_value())
            );
        }
    }
    write_record(item, item.more, feature.begin("properties"));
    feature.members(more);
    feature.end();
}

fn documented(name: String, schema: Value, example: Value) -> Documented {
    let mut components = geometry::components();
    components.extend(geometry::record_components());
    let refers = reference(&name);
    components.insert(name, schema);
    Documented {
        schema: refers,
        example,
        components,
    }
}

fn example_of(record: &Value) -> Value {
    json!({
        "type": "Feature",
        "id": record.get("id"),
        "geometry": geometry::of_record(record),
        "properties": record,
    })
}

fn feature_schema(properties: &Value) -> Value {
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
