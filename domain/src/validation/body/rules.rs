//! Violations of the rules of the structs with their locations, and warnings.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::pointer::{Pruned, child};
use crate::validation::body::Facts;
use crate::value::identifier::Identifier;
use std::collections::BTreeSet;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// Members that serde flattens and pseudo-fields of `validator` are not part of the pointer.
const TRANSPARENT: &[&str] = &["described", "__all__"];

/// Parameters that rules pass on through `validator`.
const PARAMS: &[&str] = &[
    "given",
    "kind",
    "expected",
    "expected_de",
    "example",
    "members",
    "from",
    "to",
    "later",
    "earlier",
    "scheme",
    "type",
    "end",
    "nearest",
    "known",
    "what",
    "what_de",
    "why",
];

/// The rules that a body violates, except at locations with a violation of the shape.
pub(crate) fn broken(
    invalid: &ValidationErrors,
    pruned: &Pruned,
    misfits: &[FieldError],
) -> Vec<FieldError> {
    let mut found = Vec::new();
    collect(invalid, "", &mut found);
    let mut errors: Vec<_> = found
        .into_iter()
        .map(|error| FieldError::new(pruned.original(&error.pointer), error.fault))
        .filter(|error| {
            // The parts that were cut out below may be the only violation.
            let below = format!("{}/", error.pointer);
            let told = |misfit: &FieldError| {
                misfit.pointer == error.pointer || misfit.pointer.starts_with(&below)
            };
            !misfits.iter().any(told)
        })
        .collect();
    // `validator` keeps them in a hash map; responses should be deterministic.
    errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    errors
}

fn collect(invalid: &ValidationErrors, at: &str, found: &mut Vec<FieldError>) {
    for (field, kind) in invalid.errors() {
        let here = if TRANSPARENT.contains(&field.as_ref()) {
            at.to_owned()
        } else {
            child(at, field.trim_start_matches("r#"))
        };
        match kind {
            ValidationErrorsKind::Struct(nested) => collect(nested, &here, found),
            ValidationErrorsKind::List(items) => {
                for (index, nested) in items {
                    collect(nested, &format!("{here}/{index}"), found);
                }
            }
            ValidationErrorsKind::Field(rules) => {
                found.extend(rules.iter().filter_map(|rule| told(rule, &here)));
            }
        }
    }
}

fn told(rule: &ValidationError, at: &str) -> Option<FieldError> {
    let code = FaultCode::parse(&rule.code)?;
    let text = |key: &str| {
        let value = rule.params.get(key)?;
        let text = value.as_str().map(str::to_owned);
        Some(text.unwrap_or_else(|| value.to_string()))
    };
    let mut fault = Fault::new(code);
    for key in PARAMS {
        if let Some(text) = text(key) {
            fault.params.push((key, text));
        }
    }
    let pointer = text("field").map_or_else(|| at.to_owned(), |field| format!("{at}/{field}"));
    Some(FieldError::new(pointer, fault))
}

/// Values that are probably wrong but accepted: wrong check digits of schemes that tolerate them,
/// and identifiers that are stated twice.
pub(crate) fn warnings(facts: &Facts, pruned: &Pruned) -> Vec<FieldError> {
    // Those of a relationship are not among the fields, because they need not be unique.
    let identifiers = facts
        .relationship
        .as_ref()
        .map_or(&facts.identifiers, |relationship| &relationship.identifiers);
    let warned = |(index, identifier): (usize, &Identifier)| {
        let fault = identifier.check().ok()??;
        let pointer = pruned.original(&format!("/identifiers/{index}/value"));
        Some(FieldError::new(pointer, fault))
    };
    let mut warnings: Vec<FieldError> = identifiers.iter().enumerate().filter_map(warned).collect();
    let mut seen = BTreeSet::new();
    let is_new = |one: &Identifier| seen.insert((one.scheme.to_string(), one.normalise()));
    if !identifiers.iter().all(is_new) {
        warnings.push(FieldError::new(
            "/identifiers",
            Fault::new(FaultCode::Repeated),
        ));
    }
    warnings
}
