//! `data/refused/`: each refused value has a message with one that passes, in both languages.

use crate::base::fault::Lang;
use crate::base::kind::Kind;
use crate::validation::body::KindSchema;
use serde_json::{Map, Value, json};

const VALUES: &str = include_str!("../../../../../data/refused/values.ndjson");

/// Puts a value at a pointer, with the lists and objects around it.
fn put(into: &mut Value, pointer: &str, value: Value) {
    let Some((first, rest)) = pointer
        .get(1..)
        .map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        *into = value;
        return;
    };
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("/{rest}")
    };
    if let Ok(index) = first.parse::<usize>() {
        if !into.is_array() {
            *into = json!([]);
        }
        let items = into.as_array_mut().unwrap();
        while items.len() <= index {
            items.push(Value::Null);
        }
        return put(&mut items[index], &rest, value);
    }
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let place = into
        .as_object_mut()
        .unwrap()
        .entry(first)
        .or_insert(Value::Null);
    put(place, &rest, value);
}

#[test]
fn every_refusal_names_a_value_that_passes() {
    let mut count = 0;
    for line in VALUES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let kind: Kind = serde_json::from_value(case["kind"].clone()).unwrap();
        let body = |at: &str, value: &Value| {
            let mut body = json!({"name": "A"});
            if let Some(more) = case["with"].as_object() {
                body.as_object_mut().unwrap().extend(more.clone());
            }
            if !value.is_null() || at == text("at") {
                put(&mut body, at, value.clone());
            }
            body
        };
        let at = text("at");
        let value = body(&at, &case["refused"]);
        let checked = KindSchema::of(kind).check(value);
        let code = text("code");
        let error = checked
            .errors
            .iter()
            .find(|error| error.fault.code.as_str() == code);
        let error = error.unwrap_or_else(|| panic!("{line}: {:?}", checked.errors));
        assert!(error.pointer.starts_with(&at), "{line}: {}", error.pointer);
        let passes = &case["passes"];
        let named = match &case["names"] {
            Value::String(names) => names.clone(),
            _ => passes
                .as_str()
                .map_or_else(|| passes.to_string(), str::to_owned),
        };
        let (en, de) = (error.fault.message(Lang::En), error.fault.message(Lang::De));
        for message in [&en, &de] {
            assert!(message.contains(&named), "{line}: {message} lacks {named}");
            assert!(!message.contains("^["), "{line}: {message}");
        }
        assert_ne!(en, de, "{line}");
        let place = if case["passes_at"].is_string() {
            text("passes_at")
        } else {
            at
        };
        let right = KindSchema::of(kind).check(body(&place, passes));
        let wrong: Vec<_> = right
            .errors
            .iter()
            .filter(|error| error.pointer.starts_with(&place))
            .collect();
        assert!(wrong.is_empty(), "{line}: {wrong:?}");
        count += 1;
    }
    assert!(count >= 150, "{count}");
}
