//! Translations: per language a merge patch of the text members, validated by the rules of the
//! body.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::json::merge_patch;
use crate::base::nearest::nearest;
use crate::base::pointer::child;
use crate::validation::body::KindSchema;
use crate::value::format;
use serde_json::{Map, Value, json};

impl KindSchema {
    /// The violations in the translations of a body whose own `errors` are known.
    pub(crate) fn translations(&self, body: &Value, errors: &[FieldError]) -> Vec<FieldError> {
        let Some(Value::Object(languages)) = body.get("translations") else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (language, patch) in languages {
            let pointer = child("/translations", language);
            if let Err(fault) = format::language(language) {
                found.push(FieldError::new(pointer.as_str(), fault));
            }
            if let Value::Object(members) = patch {
                let others = members.keys().filter(|member| !self.is_text(member));
                found.extend(others.map(|member| self.untranslatable(member, &pointer)));
                found.extend(self.translation(body, members, &pointer, errors));
            }
        }
        found
    }

    /// The members of translations that are `null` or `[]` and could not be translated.
    pub(crate) fn untranslatable_absent(&self, body: &Value) -> Vec<FieldError> {
        let languages = body.get("translations").and_then(Value::as_object);
        let mut found = Vec::new();
        for (language, patch) in languages.into_iter().flatten() {
            let pointer = child("/translations", language);
            let members = patch.as_object().into_iter().flatten();
            let absent = |value: &Value| value.is_null() || *value == json!([]);
            let others = members.filter(|(member, value)| absent(value) && !self.is_text(member));
            found.extend(others.map(|(member, _)| self.untranslatable(member, &pointer)));
        }
        found
    }

    fn is_text(&self, member: &str) -> bool {
        self.texts.contains(&member)
    }

    fn untranslatable(&self, member: &str, pointer: &str) -> FieldError {
        let close = nearest(member, self.texts.iter().copied()).unwrap_or_default();
        let fault = Fault::new(FaultCode::TranslationMember)
            .with("given", member)
            .with("nearest", close);
        FieldError::new(child(pointer, member), fault)
    }

    fn translation(
        &self,
        body: &Value,
        members: &Map<String, Value>,
        pointer: &str,
        errors: &[FieldError],
    ) -> Vec<FieldError> {
        // Only the members that it changes: the others are the same as in the body, and validating
        // them for every language would take quadratic time.
        let texts = || members.iter().filter(|(member, _)| self.is_text(member));
        let mut translated = Value::Object(
            texts()
                .filter_map(|(member, _)| Some((member.clone(), body.get(member)?.clone())))
                .collect(),
        );
        let patch: Map<String, Value> = texts().map(|(k, v)| (k.clone(), v.clone())).collect();
        let patch = Value::Object(patch);
        merge_patch(&mut translated, &patch);
        self.inspect(&translated)
            .errors
            .into_iter()
            .filter(|error| {
                changes(&patch, error) && (states(&patch, error) || !errors.contains(error))
            })
            .map(|error| FieldError::new(format!("{pointer}{}", error.pointer), error.fault))
            .collect()
    }
}

fn changes(patch: &Value, error: &FieldError) -> bool {
    let member = error.pointer.split('/').nth(1).unwrap_or_default();
    patch.get(member).is_some()
}

/// Whether the patch itself contains the wrong value; otherwise it is already in the body.
fn states(patch: &Value, error: &FieldError) -> bool {
    let mut at = patch;
    for segment in error.pointer.split('/').skip(1) {
        let Value::Object(members) = at else {
            return true;
        };
        match members.get(&segment.replace("~1", "/").replace("~0", "~")) {
            Some(member) => at = member,
            None => return false,
        }
    }
    !at.is_object()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::kind::Kind;

    /// The codes and pointers for a network that has `members` and the translation `english`.
    fn told(members: &Value, english: &Value) -> Vec<(String, &'static str)> {
        let mut body = json!({"name": "A", "translations": {"en": english}});
        merge_patch(&mut body, members);
        let checked = KindSchema::of(Kind::Network).check(body);
        let errors = checked.errors.into_iter();
        errors
            .map(|error| (error.pointer, error.fault.code.as_str()))
            .collect()
    }

    #[test]
    fn what_a_translation_makes_passes_every_rule() {
        let figure = |value: u8| json!([{"measure": "members", "value": value, "value_to": 5, "qualifier": "about"}]);
        for (english, expected) in [
            (json!({"name": " "}), vec![("name", "too-short")]),
            (
                json!({"description": "a <b>c</b>"}),
                vec![("description", "raw-html")],
            ),
            (
                json!({"description": "[a](javascript:b)"}),
                vec![("description", "link-scheme")],
            ),
            (
                json!({"links": [{"rel": "self"}]}),
                vec![("links/0", "empty-entry")],
            ),
            (
                json!({"figures": figure(9), "places": [{}], "summary": ""}),
                vec![
                    ("summary", "too-short"),
                    ("figures/0/value_to", "value-order"),
                    ("places/0", "empty-entry"),
                ],
            ),
            (
                json!({"joining": {"url": "ftp://a.de"}}),
                vec![("joining/url", "url")],
            ),
            (json!({"figures": figure(1), "name": "B"}), vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(at, code)| (format!("/translations/en/{at}"), code))
                .collect();
            assert_eq!(told(&json!({}), &english), expected, "{english}");
        }
    }

    #[test]
    fn the_own_errors_of_a_body_are_told_once() {
        let how = "x".repeat(2001);
        let body = json!({"description": "<b>", "joining": {"how": how}, "founded": "x"});
        let own = [
            ("/founded", "date"),
            ("/joining/how", "too-long"),
            ("/description", "raw-html"),
        ];
        let pairs = |errors: &[(&str, &'static str)]| -> Vec<_> {
            let mut pairs: Vec<_> = errors
                .iter()
                .map(|(at, code)| ((*at).to_owned(), *code))
                .collect();
            pairs.sort();
            pairs
        };
        let sorted = |english: Value| {
            let mut found = told(&body, &english);
            found.sort();
            found
        };
        assert_eq!(
            sorted(json!({"name": "B", "joining": {"url": "https://a.de"}})),
            pairs(&own)
        );
        // Values that the translation repeats have to be corrected there, too.
        let repeated = [
            own.as_slice(),
            &[("/translations/en/description", "raw-html")],
        ]
        .concat();
        assert_eq!(sorted(json!({"description": "<b>"})), pairs(&repeated));
    }
}
