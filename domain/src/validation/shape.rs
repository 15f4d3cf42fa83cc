//! Validation of a body against its JSON Schema: every violation at once, each with a pointer.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::json::{merge_patch, without_absent};
use crate::base::nearest::nearest;
use crate::base::pointer::child;
use crate::base::schema::{COMPONENTS, Components};
use crate::value::format::FORMATS;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Violations with a suggestion; responses have no more, and suggesting takes time.
const SUGGESTED: usize = 100;

pub struct Shape {
    schema: Value,
    validator: Option<Validator>,
}

impl Shape {
    #[must_use]
    pub fn new(name: &str, components: Components) -> Self {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("{COMPONENTS}{name}"),
            "components": {"schemas": Value::Object(components)},
        });
        let mut options = jsonschema::options().should_validate_formats(true);
        for (format, check) in FORMATS {
            options = options.with_format(*format, move |text: &str| check(text).is_ok());
        }
        let validator = options.build(&schema).ok();
        Self { schema, validator }
    }

    #[must_use]
    pub fn of<T: ToSchema>() -> Self {
        Self::new(&T::name(), crate::base::schema::of::<T>())
    }

    /// Whether the schema compiled; a test checks every schema.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.validator.is_some()
    }

    /// The violations of the schema: one per location, since a value of the wrong type also
    /// violates everything else the schema requires.
    #[must_use]
    pub fn misfits(&self, body: &Value) -> Vec<FieldError> {
        let Some(validator) = &self.validator else {
            let fault = Fault::new(FaultCode::InvalidValue).with("why", "no schema");
            return vec![FieldError::new("", fault)];
        };
        let mut found = 0;
        let misfits = validator.iter_errors(body).flat_map(|error| {
            let faults = self.faults(&error, found < SUGGESTED);
            found += faults.len();
            faults
        });
        one_each(misfits)
    }

    /// Removes `null` and `[]` from a sent body, where they mean absent, and returns the violations
    /// that this would hide: a misspelt member is one, whatever its value.
    pub fn tidy(&self, body: &mut Value) -> Vec<FieldError> {
        let hidden = self.unknown_absent(body);
        without_absent(body);
        hidden
    }

    /// The unknown members of a body that are `null` or `[]`.
    #[must_use]
    pub fn unknown_absent(&self, body: &Value) -> Vec<FieldError> {
        let mut found = Vec::new();
        self.walk(&[&self.schema], body, "", &mut found);
        found
    }

    fn walk(&self, schemas: &[&Value], value: &Value, at: &str, found: &mut Vec<FieldError>) {
        let forms: Vec<&Value> = schemas.iter().flat_map(|one| self.forms(one)).collect();
        match value {
            Value::Array(items) => {
                let of_items: Vec<&Value> =
                    forms.iter().filter_map(|form| form.get("items")).collect();
                for (index, item) in items.iter().enumerate() {
                    self.walk(&of_items, item, &format!("{at}/{index}"), found);
                }
            }
            Value::Object(members) => {
                let is_open = forms.is_empty() || !forms.iter().all(|form| is_closed(form));
                for (member, inner) in members {
                    let of_member: Vec<&Value> = forms
                        .iter()
                        .filter_map(|form| {
                            let known = form.get("properties").and_then(|all| all.get(member));
                            known.or_else(|| form.get("additionalProperties"))
                        })
                        .filter(|schema| schema.is_object())
                        .collect();
                    if of_member.is_empty() && !is_open && is_absent(inner) {
                        let suggesting = if found.len() < SUGGESTED {
                            forms.as_slice()
                        } else {
                            &[]
                        };
                        let known = suggesting.iter().filter_map(|form| form.get("properties"));
                        let known = known.filter_map(Value::as_object).flat_map(Map::keys);
                        let known: Vec<String> = known.cloned().collect();
                        found.push(unknown_member(at, member, &known));
                    }
                    self.walk(&of_member, inner, &child(at, member), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The schema without references and choices: the forms that a value may have.
    fn forms<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(Value::String(reference)) = schema.get("$ref") {
            let found = self.schema.pointer(reference.trim_start_matches('#'));
            return found.map_or_else(Vec::new, |found| self.forms(found));
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(Value::Array(forms)) = schema.get(choice) {
                return forms.iter().flat_map(|form| self.forms(form)).collect();
            }
        }
        vec![schema]
    }

    /// The violations of an error, the first of them with a suggestion.
    fn faults(&self, error: &ValidationError<'_>, suggest: bool) -> Vec<FieldError> {
        let pointer = error.instance_path().as_str().to_owned();
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            let mut known = if suggest {
                self.known_members(error)
            } else {
                Vec::new()
            };
            let unexpected = unexpected.iter().enumerate();
            let faults = unexpected.map(|(number, member)| {
                if number == SUGGESTED {
                    known.clear();
                }
                unknown_member(&pointer, member, &known)
            });
            return faults.collect();
        }
        if let ValidationErrorKind::Required { property } = error.kind() {
            let member = property.as_str().unwrap_or_default();
            let fault = Fault::new(FaultCode::Required)
                .with("what", "")
                .with("what_de", "");
            return vec![FieldError::new(child(&pointer, member), fault)];
        }
        let fault = match error.kind() {
            ValidationErrorKind::Enum { .. } if !suggest => {
                unknown_code(&excerpt(error.instance()), &Value::Null)
            }
            _ => fault_of(error),
        };
        vec![FieldError::new(pointer, fault)]
    }

    fn known_members(&self, error: &ValidationError<'_>) -> Vec<String> {
        let mut at = &self.schema;
        for segment in error.schema_path().as_str().split('/').skip(1) {
            if segment == "additionalProperties" {
                break;
            }
            at = match (segment, at.get(segment)) {
                ("$ref", Some(Value::String(reference))) => self
                    .schema
                    .pointer(reference.trim_start_matches('#'))
                    .unwrap_or(&Value::Null),
                (_, Some(next)) => next,
                (_, None) => segment
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| at.get(index))
                    .unwrap_or(&Value::Null),
            };
        }
        let members = at.get("properties").and_then(Value::as_object);
        members.map_or_else(Vec::new, |members| members.keys().cloned().collect())
    }
}

/// Applies a merge patch, and puts the unknown members that it removes back as `null`: a validation
/// of the result reports them.
#[must_use]
pub fn patched(mut stored: Value, patch: &Value, hidden: Vec<FieldError>) -> Value {
    merge_patch(&mut stored, patch);
    for error in hidden {
        let Some((parent, _)) = error.pointer.rsplit_once('/') else {
            continue;
        };
        let given = error.fault.param("given");
        if let (Some(Value::Object(members)), Some(member)) = (stored.pointer_mut(parent), given) {
            members.entry(member).or_insert(Value::Null);
        }
    }
    stored
}

/// Whether a value of this form has no members but those that the form lists.
fn is_closed(form: &Value) -> bool {
    let is_scalar = match form.get("type") {
        Some(Value::String(one)) => one != "object",
        Some(Value::Array(some)) => !some.contains(&json!("object")),
        Some(_) | None => form.get("enum").is_some() || form.get("const").is_some(),
    };
    is_scalar || form.get("additionalProperties") == Some(&json!(false))
}

fn is_absent(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The first violation of every location, or the one about its type.
fn one_each(misfits: impl Iterator<Item = FieldError>) -> Vec<FieldError> {
    let mut kept: Vec<FieldError> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for misfit in misfits {
        match places.get(&misfit.pointer).and_then(|at| kept.get_mut(*at)) {
            None => {
                places.insert(misfit.pointer.clone(), kept.len());
                kept.push(misfit);
            }
            Some(first) if misfit.fault.code == FaultCode::Type => *first = misfit,
            Some(_) => {}
        }
    }
    kept
}

fn unknown_member(pointer: &str, member: &str, known: &[String]) -> FieldError {
    let close = nearest(member, known.iter().map(String::as_str)).unwrap_or_default();
    let fault = Fault::new(FaultCode::UnknownMember)
        .with("given", member)
        .with("nearest", close);
    FieldError::new(child(pointer, member), fault)
}

fn fault_of(error: &ValidationError<'_>) -> Fault {
    let instance = error.instance();
    let given = excerpt(instance);
    match error.kind() {
        ValidationErrorKind::Enum { options } => unknown_code(&given, options),
        ValidationErrorKind::Type { kind } => wrong_type(kind, instance),
        ValidationErrorKind::MinLength { limit } => {
            Fault::new(FaultCode::TooShort).with("min", limit)
        }
        ValidationErrorKind::MaxLength { limit } => {
            Fault::new(FaultCode::TooLong).with("max", limit)
        }
        ValidationErrorKind::MaxItems { limit } => {
            Fault::new(FaultCode::TooMany).with("max", limit)
        }
        ValidationErrorKind::UniqueItems => Fault::new(FaultCode::Repeated),
        ValidationErrorKind::Minimum { limit } => Fault::new(FaultCode::Minimum)
            .with("min", limit)
            .with("given", given),
        ValidationErrorKind::Maximum { limit } => Fault::new(FaultCode::Maximum)
            .with("max", limit)
            .with("given", given),
        ValidationErrorKind::Pattern { pattern } => {
            let (en, de) = pattern_in_words(pattern);
            Fault::new(FaultCode::Pattern)
                .with("given", given)
                .with("expected", en)
                .with("expected_de", de)
        }
        ValidationErrorKind::Format { format } => FORMATS
            .iter()
            .find(|(name, _)| name == format)
            .and_then(|(_, check)| check(instance.as_str().unwrap_or_default()).err())
            .unwrap_or_else(|| {
                Fault::new(FaultCode::Pattern)
                    .with("given", given)
                    .with("expected", format)
                    .with("expected_de", format)
            }),
        // Only references offer a choice of forms.
        ValidationErrorKind::AnyOf { .. } => Fault::new(FaultCode::Reference),
        other => Fault::new(FaultCode::InvalidValue).with("why", other.keyword()),
    }
}

fn unknown_code(given: &str, options: &Value) -> Fault {
    let known: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    Fault::new(FaultCode::UnknownCode)
        .with("given", given)
        .with(
            "nearest",
            nearest(given, known.iter().copied()).unwrap_or_default(),
        )
        .with("known", known.join(", "))
}

fn wrong_type(kind: &TypeKind, instance: &Value) -> Fault {
    let expected = match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => many
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
    };
    let (en, de) = type_names(expected.trim_matches('"'));
    let (given, given_de) = type_names(json_type(instance));
    Fault::new(FaultCode::Type)
        .with("expected", en)
        .with("expected_de", de)
        .with("given", given)
        .with("given_de", given_de)
        .with("example", example_of(expected.trim_matches('"'), instance))
}

/// A value of the expected type, from the one that was given if it can be.
fn example_of(expected: &str, given: &Value) -> String {
    let text = given.as_str().unwrap_or_default();
    let example = match expected {
        "string" if given.is_number() || given.is_boolean() => json!(given.to_string()),
        "string" => json!("…"),
        "number" | "integer" => match serde_json::from_str::<Value>(text) {
            Ok(number) if number.is_number() => number,
            _ => json!(1),
        },
        "boolean" => json!(true),
        "array" if given.is_array() => json!([]),
        "array" => json!([given]),
        "object" => return "{…}".to_owned(),
        _ => return String::new(),
    };
    excerpt(&json!(example.to_string()))
}

/// The patterns of texts in words, in English and German.
fn pattern_in_words(pattern: &str) -> (&str, &str) {
    match pattern {
        "^[A-Z]{2}$" => (
            "a code of two capital letters such as DE (ISO 3166-1)",
            "ein Code aus zwei Großbuchstaben wie DE (ISO 3166-1)",
        ),
        "^[a-z][a-z0-9_]*$" => (
            "small letters a-z, digits and underscores, such as beds",
            "aus Kleinbuchstaben a-z, Ziffern und Unterstrichen, etwa beds",
        ),
        "^[a-z][a-z0-9_.-]*$" => (
            "a relation of small letters such as describedby",
            "ein Bezug aus Kleinbuchstaben wie describedby",
        ),
        "^[a-z0-9][a-z0-9._-]*$" => (
            "small letters a-z, digits, points and hyphens, such as cms-nordhessen",
            "aus Kleinbuchstaben a-z, Ziffern, Punkten und Bindestrichen, etwa cms-nordhessen",
        ),
        r"^\S+$" => (
            "a text without blanks such as 42",
            "ein Text ohne Leerzeichen wie 42",
        ),
        other => (other, other),
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn type_names(name: &str) -> (&str, &str) {
    match name {
        "null" => ("null", "null"),
        "boolean" => ("true or false", "true oder false"),
        "number" => ("a number", "eine Zahl"),
        "integer" => ("a whole number", "eine ganze Zahl"),
        "string" => ("a text", "ein Text"),
        "array" => ("a list", "eine Liste"),
        "object" => ("an object", "ein Objekt"),
        other => (other, other),
    }
}

fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
