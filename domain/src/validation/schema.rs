//! The JSON Schemas of the kinds, three variants of each: the body as stored (`Actor`), the record
//! as served (`ActorRecord`: open, since copies keep members that this release does not know), and
//! the body as sent (`ActorInput`: closed, with references in every form that input may have, and
//! the envelope allowed).

use crate::base::json::insert;
use crate::base::record::{ENVELOPE, Envelope};
use crate::base::schema::{COMPONENTS, Components, merge, tidy};
use crate::base::vocabulary::Coded;
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
    let kind = json!({"type": "string", "const": T::KIND.code(), "description": "The kind."});
    let mut record = record(&name, &envelope, &body);
    insert(&mut record, &["properties", "kind"], kind);
    components.insert(format!("{name}Record"), record);
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
    // Input may reference a record in more ways, which `EndInput` lists.
    components.remove("RecordEndInput");
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

fn named_by(what: &str) -> [Value; 3] {
    let kind = json!({"$ref": format!("{COMPONENTS}Kind")});
    let uuid = json!({"type": "string", "format": "uuid"});
    let slug = json!({"type": "string", "format": "slug", "maxLength": 200});
    let external = json!({"$ref": format!("{COMPONENTS}ExternalId")});
    [
        ("Id", "id", uuid),
        ("Slug", "slug", slug),
        ("ExternalId", "external_id", external),
    ]
    .map(|(by, key, schema)| {
        json!({
            "title": format!("{what}By{by}"),
            "type": "object",
            "properties": {"kind": kind, key: schema},
            "required": [key],
        })
    })
}

fn reference_input() -> Value {
    let mut alternatives = vec![json!({"type": "string", "minLength": 1, "maxLength": 200})];
    alternatives.extend(named_by("Reference"));
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
    let mut alternatives: Vec<Value> = named_by("End")
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

/// The schemas as documented. A record is an envelope and a body, so that reads, lists and previews
/// share one body; a merge patch has a separate schema.
#[must_use]
pub fn documented(name: &str, components: &Components) -> Components {
    let mut shown = components.clone();
    let record = shown.remove(&format!("{name}Record")).unwrap_or_default();
    let is_envelope = |member: &str| ENVELOPE.contains(&member) && member != "kind";
    let mut envelope = part(&record, is_envelope);
    insert(
        &mut envelope,
        &["description"],
        "What the node knows of a record.",
    );
    let mut body = part(&record, |member| !is_envelope(member));
    insert(
        &mut body,
        &["description"],
        format!("{name} without the envelope."),
    );
    let mut preview = envelope.clone();
    insert(&mut preview, &["properties", "id"], absent_id());
    insert(
        &mut preview,
        &["description"],
        "What the node would know of a record.",
    );
    let both = |envelope: &str, description: Value| {
        let parts = [envelope.to_owned(), format!("{name}Body")];
        let parts = parts.map(|part| json!({"$ref": format!("{COMPONENTS}{part}")}));
        json!({"description": description, "allOf": parts})
    };
    let described = record.get("description").cloned().unwrap_or_default();
    shown.insert(format!("{name}Record"), both("RecordEnvelope", described));
    let rehearsed = json!(format!(
        "{name} as a dry run would create it; `id` is null."
    ));
    shown.insert(format!("{name}Preview"), both("PreviewEnvelope", rehearsed));
    shown.insert("RecordEnvelope".to_owned(), envelope);
    shown.insert("PreviewEnvelope".to_owned(), preview);
    shown.insert(format!("{name}Body"), body);
    patch(&mut shown, &format!("{name}Input"));
    shown
}

/// The id in the result of a dry run. Generated clients cannot have a member that is only `null`.
#[must_use]
pub fn absent_id() -> Value {
    json!({"type": ["string", "null"], "format": "uuid", "description": "`null`: nothing was created."})
}

/// An object schema restricted to some of its members.
fn part(schema: &Value, wanted: impl Fn(&str) -> bool) -> Value {
    let members = schema.get("properties").and_then(Value::as_object);
    let members = members.into_iter().flatten();
    let members: Components = members
        .filter(|(member, _)| wanted(member))
        .map(|(member, schema)| (member.clone(), schema.clone()))
        .collect();
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten();
    let required: Vec<&Value> = required
        .filter(|member| member.as_str().is_some_and(&wanted))
        .collect();
    json!({"type": "object", "required": required, "properties": members})
}

/// Adds the `…Patch` of an `…Input`, and of every object in it that a merge patch (RFC 7396)
/// changes: every member is optional, optional ones may be `null`, lists are replaced as a whole.
pub fn patch(components: &mut Components, input: &str) {
    let Some(mut schema) = components.get(input).cloned() else {
        return;
    };
    let name = base(input);
    let required = schema.get("required").and_then(Value::as_array).cloned();
    let required = required.unwrap_or_default();
    if let Some(members) = schema.as_object_mut() {
        members.shift_remove("required");
        members.shift_remove("example");
    }
    let description = format!(
        "A merge patch (RFC 7396) of {name}: what is absent stays, `null` removes a member, a list is replaced whole."
    );
    insert(&mut schema, &["description"], description);
    // Registered first, in case it contains itself.
    components.insert(format!("{name}Patch"), Value::Null);
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (member, schema) in members.into_iter().flatten() {
        let target = schema.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|name| name.strip_prefix(COMPONENTS));
        let target = target.map(str::to_owned).filter(|target| {
            let object = components.get(target);
            object.is_some_and(|object| object.get("properties").is_some())
        });
        if let Some(target) = target {
            let patched = format!("{}Patch", base(&target));
            if !components.contains_key(&patched) {
                patch(components, &target);
            }
            insert(schema, &["$ref"], format!("{COMPONENTS}{patched}"));
        }
        if !required.contains(&json!(member)) {
            nullable(schema);
        }
    }
    components.insert(format!("{name}Patch"), schema);
}

fn base(input: &str) -> &str {
    input.strip_suffix("Input").unwrap_or(input)
}

/// Allows `null` in a schema.
fn nullable(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    let plain = !["$ref", "enum", "const", "anyOf", "oneOf"]
        .iter()
        .any(|keyword| members.contains_key(*keyword));
    match members.get_mut("type") {
        Some(name) if plain => *name = json!([name.clone(), "null"]),
        // Without a type it accepts everything.
        None if plain => {}
        Some(_) | None => {
            let description = members.shift_remove("description");
            let own = Value::Object(std::mem::take(members));
            members.extend(description.map(|text| ("description".to_owned(), text)));
            members.insert("anyOf".to_owned(), json!([own, {"type": "null"}]));
        }
    }
    members.shift_remove("example");
}

#[cfg(test)]
mod tests {
    use crate::base::kind::Kind;
    use crate::base::vocabulary::Coded;
    use crate::validation::body::KindSchema;
    use serde_json::{Value, json};

    fn takes(kind: Kind, form: &str, value: &Value) -> bool {
        let schema = KindSchema::of(kind);
        let root = json!({
            "$ref": format!("#/components/schemas/{}{form}", schema.name),
            "components": {"schemas": schema.documented()},
        });
        jsonschema::validator_for(&root).unwrap().is_valid(value)
    }

    #[test]
    fn a_patch_is_any_part_of_a_body_and_null_removes() {
        for kind in Kind::ALL {
            let example = serde_json::from_str(KindSchema::of(*kind).example).unwrap();
            assert!(takes(*kind, "Input", &example), "{kind}");
            assert!(takes(*kind, "Patch", &example), "{kind}");
            assert!(takes(*kind, "Patch", &json!({})), "{kind}");
            assert!(!takes(*kind, "Input", &json!({})), "{kind}");
            assert!(
                takes(*kind, "Patch", &json!({"external_id": null})),
                "{kind}"
            );
            assert!(!takes(*kind, "Patch", &json!({"nmae": "x"})), "{kind}");
        }
        let deep = json!({"contact": {"email": null, "phone": "1"}, "summary": null});
        assert!(takes(Kind::Actor, "Patch", &deep));
        assert!(!takes(Kind::Actor, "Patch", &json!({"name": null})));
        assert!(!takes(
            Kind::Actor,
            "Patch",
            &json!({"places": [{"ctiy": "Kassel"}]})
        ));
    }

    #[test]
    fn a_preview_is_a_record_that_may_lack_an_id() {
        let mut record = json!({
            "id": "0193e5a0-0000-7000-8000-000000000000", "kind": "topic", "origin": "a", "version": 1,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "name": "x",
        });
        assert!(takes(Kind::Topic, "Record", &record));
        record["id"] = Value::Null;
        assert!(takes(Kind::Topic, "Preview", &record));
        assert!(!takes(Kind::Topic, "Record", &record));
        record["kind"] = json!("actor");
        assert!(!takes(Kind::Topic, "Preview", &record), "kinds differ");
    }
}
