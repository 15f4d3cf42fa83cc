//! The JSON Schemas of the kinds, three variants of each: the body as stored (`Actor`), the record
//! as served (`ActorRecord`: open, since copies keep members that this release does not know), and
//! the body as sent (`ActorInput`: closed, with references in every form that input may have, and
//! the envelope allowed).

use crate::base::record::Envelope;
use crate::base::schema::{COMPONENTS, Components, merge, tidy};
use crate::kinds::record_type::RecordType;
use crate::kinds::relationship::end::End;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use utoipa::{PartialSchema, ToSchema};

const ENVELOPE_IN_INPUT: &str = "Accepted so that a record that was read can be sent back; `id` and `kind` must match the URL, the rest is ignored.";

/// The schemas of a kind: its body, its record, its input, and everything they refer to.
#[must_use]
pub fn of<T: RecordType>() -> Components {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas.push((Envelope::name().into_owned(), Envelope::schema()));
    Envelope::schemas(&mut schemas);
    let mut components = tidy(schemas);
    let name = T::name().into_owned();
    let body = components.get(&name).cloned().unwrap_or_default();
    let envelope = components
        .remove(Envelope::name().as_ref())
        .unwrap_or_default();
    components.insert(format!("{name}Record"), record(&name, &envelope, &body));
    // The body alone is never sent or served; its components are.
    components.remove(&name);
    components.remove("Described");
    inputs(&mut components, &name, &body, &envelope);
    components
}

fn record(name: &str, envelope: &Value, body: &Value) -> Value {
    let mut schema = json!({
        "type": "object",
        "description": format!("{name}, with the envelope. Partner regions may run a newer release: expect members and codes that this document does not list."),
    });
    merge(&mut schema, envelope);
    merge(&mut schema, body);
    schema
}

/// Adds `{name}Input` and an `…Input` variant of every object that it refers to.
fn inputs(components: &mut Components, name: &str, body: &Value, envelope: &Value) {
    let objects: BTreeSet<String> = components
        .iter()
        .filter(|(key, schema)| {
            (schema.get("properties").is_some() || ["Reference", "End"].contains(&key.as_str()))
                && !key.ends_with("Record")
        })
        .map(|(key, _)| key.clone())
        .collect();
    for object in &objects {
        let mut schema = match object.as_str() {
            "Reference" => reference_input(),
            "End" => end_input(),
            _ => components.get(object).cloned().unwrap_or_default(),
        };
        close(&mut schema, &objects);
        components.insert(format!("{object}Input"), schema);
    }
    let mut input = body.clone();
    if let Some(Value::Object(members)) = envelope.get("properties") {
        let ignored: Components = members
            .keys()
            .map(|member| (member.clone(), json!({"description": ENVELOPE_IN_INPUT})))
            .collect();
        merge(&mut input, &json!({"properties": ignored}));
    }
    if let Some(input) = input.as_object_mut() {
        let description = format!(
            "{name} as sent: references may be ids, slugs or `{{kind, slug}}`; `null` and `[]` mean absent; unknown members are rejected."
        );
        input.insert("description".to_owned(), Value::String(description));
    }
    close(&mut input, &objects);
    components.insert(format!("{name}Input"), input);
}

fn close(schema: &mut Value, objects: &BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, objects)),
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(COMPONENTS)
                && objects.contains(name)
            {
                *reference = format!("{COMPONENTS}{name}Input");
            }
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(|value| close(value, objects));
        }
        _ => {}
    }
}

fn named_by() -> [Value; 3] {
    let kind = json!({"$ref": format!("{COMPONENTS}Kind")});
    let uuid = json!({"type": "string", "format": "uuid"});
    let slug = json!({"type": "string", "format": "slug", "maxLength": 200});
    let external = json!({"$ref": format!("{COMPONENTS}ExternalId")});
    [("id", uuid), ("slug", slug), ("external_id", external)].map(|(key, schema)| {
        json!({"type": "object", "properties": {"kind": kind, key: schema}, "required": [key]})
    })
}

fn reference_input() -> Value {
    let mut alternatives = vec![json!({"type": "string", "minLength": 1, "maxLength": 200})];
    alternatives.extend(named_by());
    json!({
        "description": "A record: its id, its slug, or `{kind, slug}`, `{kind, id}`, `{kind, external_id}`.",
        "anyOf": alternatives
    })
}

fn end_input() -> Value {
    let serde_json::Value::Object(end) = serde_json::to_value(End::schema()).unwrap_or_default()
    else {
        return Value::Null;
    };
    let open = end.get("anyOf").and_then(Value::as_array).cloned();
    let mut alternatives: Vec<Value> = named_by()
        .into_iter()
        .map(|mut schema| {
            merge(&mut schema, &json!({"required": ["kind"]}));
            schema
        })
        .collect();
    // The first alternative is `{kind, id}`, which is among the names already.
    alternatives.extend(open.unwrap_or_default().into_iter().skip(1));
    json!({
        "description": "A record `{kind, id}`, `{kind, slug}`, `{kind, external_id}`, a class `{class, as_stated}`, or a wording of the source `{kind?, as_stated}`.",
        "anyOf": alternatives
    })
}
