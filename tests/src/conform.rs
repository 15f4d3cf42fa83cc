//! Validates every response against the OpenAPI document: the status is documented for the
//! operation, and the body matches the schema of its media type.

use crate::call::Answer;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = api::operation::openapi::document(&api::routes::all());
    let shared = document["components"].clone();
    spell_out(&mut document["paths"], &shared);
    document
});

/// The document with all references of operations expanded; only schemas are shared.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

fn spell_out(value: &mut Value, shared: &Value) {
    let target = value["$ref"].as_str().unwrap_or_default();
    let target = target.strip_prefix("#/components");
    if let Some(target) = target.filter(|target| !target.starts_with("/schemas/")) {
        *value = shared.pointer(target).expect(target).clone();
        return spell_out(value, shared);
    }
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|one| spell_out(one, shared));
            if let Some(examples) = members.remove("examples") {
                members.insert("example".to_owned(), examples["example"]["value"].clone());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|one| spell_out(one, shared)),
        _ => {}
    }
}

static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Upper limit of the answer to a mistake, whatever the mistake is.
const MAX_ERROR: usize = 64 * 1024;

/// Fails if a response to an operation of the document is not documented.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let length = answer.text.len();
    assert!(
        answer.status < 400 || length < MAX_ERROR,
        "{length} bytes: {method} {path}"
    );
    let path = path.split('?').next().unwrap_or_default();
    // HEAD is answered like GET, without the body.
    let verb = match method {
        "HEAD" => "get".to_owned(),
        method => method.to_ascii_lowercase(),
    };
    let Some((template, mut operation)) = operation(&verb, path) else {
        return;
    };
    let media_type = answer.header("content-type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    // Another format than that of the path is documented at the path with its extension.
    if let Some(twin) = twin(template, &verb, media_type) {
        operation = twin;
    }
    let status = answer.status.to_string();
    let response = &operation["responses"][&status];
    assert!(
        response.is_object(),
        "{method} {template} answers {status}, which is not documented: {}",
        answer.text
    );
    let contents = response["content"].as_object();
    if answer.text.is_empty() || method == "HEAD" {
        return;
    }
    let content = contents.and_then(|contents| contents.get(media_type));
    let schema = content.map(|content| &content["schema"]);
    let schema = schema.unwrap_or_else(|| {
        panic!("{method} {template} {status} answers {media_type}, which is not documented")
    });
    let key = format!("{verb} {template} {status} {media_type}");
    let validator = compiled(&key, schema);
    let values = match media_type {
        // The schema is that of one line.
        "application/x-ndjson" => {
            let lines = answer.text.lines().map(serde_json::from_str);
            lines.collect::<Result<Vec<Value>, _>>().unwrap()
        }
        "text/csv"
        | "text/plain"
        | "text/calendar"
        | "application/xml"
        | "application/atom+xml"
        | "application/rdf+xml"
        | "application/graphml+xml"
        | "application/openmetrics-text"
        | XLSX => vec![json!(answer.text)],
        _ => vec![answer.json.clone()],
    };
    let wrong: Vec<String> = values
        .iter()
        .flat_map(|value| validator.iter_errors(value))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(
        wrong.is_empty(),
        "{key} does not fit its schema: {wrong:?} in {}",
        answer.text
    );
}

/// The operation at the path that ends with the extension of a media type.
fn twin(template: &str, verb: &str, media_type: &str) -> Option<&'static Value> {
    let mut paths = DOCUMENT["paths"].as_object()?.iter();
    let found = paths.find(|(path, operations)| {
        let extension = path.strip_prefix(template).unwrap_or_default();
        let content = &operations[verb]["responses"]["200"]["content"];
        extension.starts_with('.') && !extension.contains('/') && content[media_type].is_object()
    })?;
    Some(&found.1[verb])
}

fn compiled(key: &str, schema: &Value) -> Arc<Validator> {
    let mut compiled = COMPILED.lock().unwrap();
    if let Some(validator) = compiled.get(key) {
        return validator.clone();
    }
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": DOCUMENT["components"],
    });
    let validator = Arc::new(jsonschema::options().build(&root).unwrap());
    compiled.insert(key.to_owned(), validator.clone());
    validator
}

fn operation(verb: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fits = |template: &str| {
        let (a, b) = (template.split('/'), path.split('/'));
        template.split('/').count() == path.split('/').count()
            && a.zip(b).all(|(a, b)| {
                let (variable, end) = a.split_once('}').unwrap_or_default();
                a == b || variable.starts_with('{') && b.ends_with(end)
            })
    };
    // Literal paths take precedence over paths with variables.
    let found = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| {
            // The longer of two ends with an extension.
            (template.matches('{').count(), Reverse(template.len()))
        })?;
    let operation = found.1.get(verb)?;
    Some((found.0.as_str(), operation))
}
