//! JSON Schemas of the bodies, generated from the structs, for documentation and validation.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

pub type Components = Map<String, Value>;

/// Location of components in an `OpenAPI` document.
pub const COMPONENTS: &str = "#/components/schemas/";

/// A reference to a component.
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("{COMPONENTS}{name}")})
}

/// Turns utoipa's schemas into plain JSON Schema: no `null` alternatives (absent means absent), no
/// `allOf` for flattened members, no `default`: what serde fills in is not stored.
#[must_use]
pub fn tidy(schemas: Vec<(String, RefOr<Schema>)>) -> Components {
    let mut components: Components = schemas
        .into_iter()
        .filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)))
        .collect();
    components.values_mut().for_each(without_null);
    components.values_mut().for_each(without_defaults);
    let parts = components.clone();
    for schema in components.values_mut() {
        flatten(schema, &parts);
    }
    components
}

/// The schema of a type with all referenced ones.
#[must_use]
pub fn of<T: ToSchema>() -> Components {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    tidy(schemas)
}

fn without_defaults(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_defaults),
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    property.shift_remove("default");
                }
            }
            members.values_mut().for_each(without_defaults);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                // In a map `null` is a value, not an absent member.
                if name != "additionalProperties" || !is_nullable(value) {
                    without_null(value);
                }
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            drop_null_alternative(members);
        }
        _ => {}
    }
}

fn is_nullable(schema: &Value) -> bool {
    let types = schema.get("type").and_then(Value::as_array);
    types.is_some_and(|types| types.iter().any(|name| name == "null"))
}

fn drop_null_alternative(members: &mut Map<String, Value>) {
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(alternatives)) = members.get_mut(keyword) else {
            continue;
        };
        let before = alternatives.len();
        alternatives.retain(|one| one.get("type").is_none_or(|name| name != "null"));
        if let (true, [Value::Object(only)]) =
            (alternatives.len() < before, alternatives.as_slice())
        {
            let only = only.clone();
            members.remove(keyword);
            for (key, value) in only {
                members.entry(key).or_insert(value);
            }
        }
    }
}

/// Merges the parts of an `allOf` (serde's `flatten`) into one object.
fn flatten(schema: &mut Value, components: &Components) {
    let Some(Value::Array(parts)) = schema.as_object_mut().and_then(|s| s.shift_remove("allOf"))
    else {
        return;
    };
    for part in parts {
        let part = match part.get("$ref").and_then(Value::as_str) {
            Some(reference) => lookup(reference, components).cloned().unwrap_or_default(),
            None => part,
        };
        merge(schema, &part);
    }
}

/// Adds the members of a part; existing ones stay.
pub(crate) fn merge(into: &mut Value, part: &Value) {
    let (Some(into), Some(part)) = (into.as_object_mut(), part.as_object()) else {
        return;
    };
    for (key, value) in part {
        match (into.get_mut(key), value) {
            (Some(Value::Object(own)), Value::Object(more)) => own.extend(more.clone()),
            (Some(Value::Array(own)), Value::Array(more)) => own.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

fn lookup<'a>(reference: &str, components: &'a Components) -> Option<&'a Value> {
    components.get(reference.strip_prefix(COMPONENTS)?)
}
