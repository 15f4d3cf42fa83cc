//! JSON: strict parsing of input and canonical serialization.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};

pub const MAX_DEPTH: usize = 32;

/// Parses JSON from outside: no duplicate keys, no control characters but tab, LF and CR, nested no
/// deeper than [`MAX_DEPTH`].
///
/// # Errors
/// What is wrong and where (line and column), in English.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The canonical form (RFC 8785): stored, hashed and exchanged.
#[must_use]
pub fn canonical(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap_or_default()
}

/// The hash of a canonical body: `sha256:` and 64 hexadecimal digits.
#[must_use]
pub fn hash(canonical: &str) -> String {
    let digest = Sha256::digest(canonical.as_bytes());
    let mut text = String::from("sha256:");
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Writes a JSON object as text: stored JSON goes in without being parsed.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    text: &'a mut String,
    /// Whether it has no members yet.
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Begins an object at the end of `text`.
    pub fn new(text: &'a mut String) -> Self {
        text.push('{');
        Self { text, empty: true }
    }

    /// Continues an object whose members are at the end of `text`.
    #[must_use]
    pub const fn resume(text: &'a mut String) -> Self {
        Self { text, empty: false }
    }

    /// Begins a member, whose value is to be written to the returned text.
    pub fn begin(&mut self, name: &str) -> &mut String {
        if !std::mem::replace(&mut self.empty, false) {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.text
    }

    /// Writes the members of a value, if it is an object.
    pub fn members(&mut self, of: &Value) {
        if of.is_object() {
            self.members_of(&of.to_string());
        }
    }

    /// Writes the members of an object given as JSON.
    pub fn members_of(&mut self, json: &str) {
        let inner = json
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
            return;
        };
        if !std::mem::replace(&mut self.empty, false) {
            self.text.push(',');
        }
        self.text.push_str(inner);
    }

    /// Ends the object.
    pub fn end(self) {
        self.text.push('}');
    }
}

/// Inserts a value at a path of members, creating the objects on the way.
pub fn insert(into: &mut Value, path: &[&str], value: impl Into<Value>) {
    let Some((last, parents)) = path.split_last() else {
        *into = value.into();
        return;
    };
    let mut at = into;
    for parent in parents {
        at = match member(at, parent) {
            Some(next) => next,
            None => return,
        };
    }
    if let Some(place) = member(at, last) {
        *place = value.into();
    }
}

/// The member of an object, created if absent; anything but an object becomes one.
fn member<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let members = value.as_object_mut()?;
    Some(members.entry(name).or_insert(Value::Null))
}

/// Removes `null` and `[]` as members of objects, at every depth: they mean absent.
pub fn without_absent(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_absent),
        Value::Object(members) => {
            members.values_mut().for_each(without_absent);
            members.retain(|_, value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (key, change) in changes {
        if change.is_null() {
            members.shift_remove(key);
        } else {
            merge_patch(members.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Builds a value while checking depth, duplicate keys and control characters.
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

/// The integer equal to a number such as `1.0` or `2.5e1`: canonical JSON writes both alike, so
/// both must be read alike too. Beyond ±2^53 neighbouring integers share one float, which is kept.
fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number within ±2^53"
    )]
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

fn clean<E: de::Error>(text: &str) -> Result<(), E> {
    let control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.chars().find(control) {
        Some(c) => Err(E::custom(format!(
            "control character U+{:04X} in a text; only tab, LF and CR are allowed",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(whole(value).map_or_else(|| value.into(), Value::from))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        clean(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            clean(&key)?;
            let value = members.next_value_seed(self.deeper()?)?;
            if map.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!(
                    "the member \"{key}\" occurs twice in one object; keep one"
                )));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn duplicate_keys_control_characters_and_depth_are_refused() {
        assert!(parse(br#"{"a":1,"a":2}"#).is_err());
        assert!(parse(br#"{"a":"\u0000"}"#).is_err());
        assert!(parse(b"{\"a\":\"x\\ty\"}").is_ok());
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(deep(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse(b"{} x").is_err());
        assert!(parse(b"\xff").is_err());
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        for (text, number) in [
            ("1.0", json!(1)),
            ("2.5e1", json!(25)),
            ("-3.0", json!(-3)),
            ("-0.0", json!(0)),
            ("9007199254740992.0", json!(9_007_199_254_740_992_u64)),
            ("1.5", json!(1.5)),
            ("1e300", json!(1e300)),
        ] {
            let parsed = parse(text.as_bytes()).unwrap();
            assert_eq!(parsed, number, "{text}");
            assert_eq!(
                canonical(&parsed),
                canonical(&serde_json::from_str(text).unwrap())
            );
        }
    }

    #[test]
    fn merge_patch_follows_the_cases_of_rfc_7396() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut merged = target;
            merge_patch(&mut merged, &patch);
            assert_eq!(merged, result);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-zäß ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_applied_twice_changes_nothing_more(target in any_json(), patch in any_json()) {
            let mut once = target;
            merge_patch(&mut once, &patch);
            let mut twice = once.clone();
            merge_patch(&mut twice, &patch);
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn patching_with_the_whole_body_gives_the_body(target in any_json(), body in any_json()) {
            let mut body = body;
            without_absent(&mut body);
            prop_assume!(body.is_object());
            let mut cleared = target;
            if let Value::Object(members) = &cleared {
                let nulls: Map<String, Value> = members.keys().map(|k| (k.clone(), Value::Null)).collect();
                merge_patch(&mut cleared, &Value::Object(nulls));
            }
            merge_patch(&mut cleared, &body);
            without_absent(&mut cleared);
            without_absent(&mut body);
            prop_assert_eq!(canonical(&cleared), canonical(&body));
        }

        #[test]
        fn canonical_json_is_its_own_canonical_form(value in any_json()) {
            let text = canonical(&value);
            prop_assert_eq!(canonical(&parse(text.as_bytes()).unwrap()), text);
        }
    }
}
