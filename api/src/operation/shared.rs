//! Shared parts of operations: parameters, responses and examples become components.
//!
//! Names are derived from the content and not from an order, so that they stay when something else
//! is added: a problem response is named by its codes, a parameter by its name.

use domain::base::json::insert;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Minimum number of occurrences of a component.
const OFTEN: usize = 2;

/// Moves repeated parts of the paths of a document to its components.
pub(crate) fn share(document: &mut Value) {
    codes(document);
    examples(document);
    responses(document);
    parameters(document);
}

/// Adds a format to integers, and the enumerations of bodies to parameters.
pub(crate) fn complete(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(complete),
        Value::Object(members) => {
            let integer = members.get("type") == Some(&json!("integer"))
                || members.get("type") == Some(&json!(["integer", "null"]));
            if integer && !members.contains_key("format") {
                let small = members.get("maximum").and_then(Value::as_u64);
                let small = small.is_some_and(|most| i32::try_from(most).is_ok());
                let format = if small { "int32" } else { "int64" };
                members.insert("format".to_owned(), json!(format));
            }
            for (name, value) in members {
                if !["example", "examples", "default", "enum", "const"].contains(&name.as_str()) {
                    complete(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operations(document: &mut Value, see: &mut impl FnMut(&mut Map<String, Value>)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operations in paths.into_iter().flat_map(Map::values_mut) {
        let operations = operations.as_object_mut();
        let operations = operations.into_iter().flat_map(Map::values_mut);
        operations
            .filter_map(Value::as_object_mut)
            .for_each(&mut *see);
    }
}

/// Occurrences by text: the number and the value.
type Counted = BTreeMap<String, (usize, Value)>;

fn count(counted: &mut Counted, value: &Value) {
    let entry = counted.entry(value.to_string());
    entry.or_insert_with(|| (0, value.clone())).0 += 1;
}

fn component(document: &mut Value, section: &str, name: &str, value: Value) {
    insert(document, &["components", section, name], value);
}

fn pointer(section: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{section}/{name}")})
}

/// Makes enumerations of parameters refer to the component with the same codes.
fn codes(document: &mut Value) {
    let schemas = document.pointer("/components/schemas");
    let schemas = schemas.and_then(Value::as_object);
    let known: BTreeMap<String, String> = schemas
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some((schema.get("enum")?.to_string(), name.clone())))
        .collect();
    operations(document, &mut |operation| {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            for place in ["/schema/items", "/schema"] {
                let schema = parameter.pointer_mut(place);
                let schema = schema.filter(|schema| schema.get("default").is_none());
                if let Some(schema) = schema
                    && let Some(codes) = schema.get("enum")
                    && let Some(name) = known.get(&codes.to_string())
                {
                    *schema = pointer("schemas", name);
                }
            }
        }
    });
}

fn contents(operation: &mut Map<String, Value>, see: &mut impl FnMut(&mut Map<String, Value>)) {
    let mut bodies = Vec::new();
    for (name, value) in operation {
        match name.as_str() {
            "requestBody" => bodies.push(value),
            "responses" => {
                let responses = value.as_object_mut().into_iter();
                bodies.extend(responses.flat_map(Map::values_mut));
            }
            _ => {}
        }
    }
    for body in bodies {
        let content = body.get_mut("content").and_then(Value::as_object_mut);
        let content = content.into_iter().flat_map(Map::values_mut);
        content.filter_map(Value::as_object_mut).for_each(&mut *see);
    }
}

/// The name of the referenced schema of a media type.
fn schema_of(media: &Map<String, Value>) -> Option<String> {
    let reference = media.get("schema")?.get("$ref")?.as_str()?;
    Some(reference.rsplit('/').next()?.to_owned())
}

/// Moves the example of a schema to the schema, if it is always the same.
fn examples(document: &mut Value) {
    let mut found: BTreeMap<String, Counted> = BTreeMap::new();
    operations(document, &mut |operation| {
        contents(operation, &mut |media| {
            if let (Some(name), Some(example)) = (schema_of(media), media.get("example")) {
                count(found.entry(name).or_default(), example);
            }
        });
    });
    let mut named = Map::new();
    for (name, all) in found {
        if let Some((times, example)) = all.into_values().max_by_key(|(times, _)| *times)
            && times >= OFTEN
        {
            named.insert(name, example);
        }
    }
    operations(document, &mut |operation| {
        contents(operation, &mut |media| {
            let Some(name) = schema_of(media) else {
                return;
            };
            if named
                .get(&name)
                .is_some_and(|one| media.get("example") == Some(one))
            {
                media.shift_remove("example");
                let example = json!({"example": pointer("examples", &name)});
                media.insert("examples".to_owned(), example);
            }
        });
    });
    for (name, value) in named {
        component(document, "examples", &name, json!({"value": value}));
    }
}

fn responses(document: &mut Value) {
    let mut found = Counted::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    operations(document, &mut |operation| {
        let responses = operation.get("responses").and_then(Value::as_object);
        for (status, response) in responses.into_iter().flatten() {
            if let Some(name) = response_name(status, response) {
                count(&mut found, response);
                names.insert(response.to_string(), name);
            }
        }
    });
    let often: BTreeSet<&String> = found
        .keys()
        .filter(|text| found.get(*text).is_some_and(|(times, _)| *times >= OFTEN))
        .collect();
    // A name with two candidates is given to neither.
    let mut claims: BTreeMap<&String, usize> = BTreeMap::new();
    for text in &often {
        if let Some(name) = names.get(*text) {
            *claims.entry(name).or_default() += 1;
        }
    }
    let named = |text: &String| {
        let name = names.get(text).filter(|_| often.contains(text))?;
        (claims.get(name) == Some(&1)).then_some(name)
    };
    operations(document, &mut |operation| {
        let responses = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(Map::values_mut) {
            if let Some(name) = named(&response.to_string()) {
                *response = pointer("responses", name);
            }
        }
    });
    for (text, (_, response)) in &found {
        if let Some(name) = named(text) {
            component(document, "responses", name, response.clone());
        }
    }
}

/// The name of a response: problems by their codes, empty responses by their status.
fn response_name(status: &str, response: &Value) -> Option<String> {
    let content = response.get("content");
    match (content, status) {
        (None, "204") => Some("NoContent".to_owned()),
        (None, "304") => Some("NotModified".to_owned()),
        (None, _) => None,
        (Some(content), _) => {
            content.get("application/problem+json")?;
            let text = response.get("description")?.as_str()?;
            let codes = text.split(" · ").filter_map(|one| one.split('`').nth(1));
            let codes: Vec<String> = codes.map(pascal).collect();
            (!codes.is_empty()).then(|| codes.join("Or"))
        }
    }
}

/// Names parameters; of several with one name, the most frequent one keeps it.
fn parameters(document: &mut Value) {
    let mut found = Counted::new();
    let mut users: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    operations(document, &mut |operation| {
        let text = |name: &str| {
            operation
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let tag = operation.get("tags").and_then(|tags| tags.get(0)?.as_str());
        let user = (
            tag.unwrap_or_default().to_owned(),
            text("operationId").to_owned(),
        );
        let parameters = operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten() {
            count(&mut found, parameter);
            users
                .entry(parameter.to_string())
                .or_default()
                .push(user.clone());
        }
    });
    found.retain(|_, (times, _)| *times >= OFTEN);
    let names = parameter_names(&found, &users);
    operations(document, &mut |operation| {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if let Some(name) = names.get(&parameter.to_string()) {
                *parameter = pointer("parameters", name);
            }
        }
    });
    for (text, (_, parameter)) in found {
        if let Some(name) = names.get(&text) {
            component(document, "parameters", name, parameter);
        }
    }
}

fn parameter_names(
    found: &Counted,
    users: &BTreeMap<String, Vec<(String, String)>>,
) -> BTreeMap<String, String> {
    let plain = |parameter: &Value| {
        let text = |member| parameter.get(member).and_then(Value::as_str);
        let end = if text("in") == Some("path") {
            "InPath"
        } else {
            ""
        };
        format!("{}{end}", pascal(text("name").unwrap_or_default()))
    };
    let mut most: BTreeMap<String, (usize, &String)> = BTreeMap::new();
    for (text, (times, parameter)) in found {
        let best = most.entry(plain(parameter)).or_insert((0, text));
        if *times > best.0 {
            *best = (*times, text);
        }
    }
    let mut names = BTreeMap::new();
    let mut taken: BTreeSet<String> = most.keys().cloned().collect();
    for (text, (_, parameter)) in found {
        let name = plain(parameter);
        if most.get(&name).is_some_and(|(_, most)| *most == text) {
            names.insert(text.clone(), name);
            continue;
        }
        let users = users.get(text).map(Vec::as_slice).unwrap_or_default();
        let tags: BTreeSet<&str> = users.iter().map(|(tag, _)| tag.as_str()).collect();
        let shared = if tags.len() > 2 {
            "Records".to_owned()
        } else {
            tags.into_iter().map(pascal).collect()
        };
        let operations: Vec<String> = users.iter().map(|(_, id)| pascal(id)).collect();
        let optional = parameter.get("required").is_none();
        let header = parameter.get("in") == Some(&json!("header"));
        let first = if optional && header {
            "Optional".to_owned()
        } else {
            shared.clone()
        };
        let choices = [first, shared, operations.concat()];
        let mut choices = choices.into_iter().map(|user| format!("{user}{name}"));
        if let Some(chosen) = choices.find(|choice| !taken.contains(choice)) {
            taken.insert(chosen.clone());
            names.insert(text.clone(), chosen);
        }
    }
    names
}

/// `not-found`, `If-Match` and `part_of.direct` as `NotFound`, `IfMatch` and `PartOfDirect`.
fn pascal(text: &str) -> String {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric());
    let words = words.map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect()
}
