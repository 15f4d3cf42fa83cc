//! Contact persons of a record. They are not part of it, since data about people follows other
//! rules than data about organisations.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::validation::shape::{Shape, patched};
use crate::value::reference::RecordRef;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

pub const MAX_CONTACT_PERSON: usize = 16 * 1024;

crate::vocabulary! {
    /// Audience of a contact person.
    PersonVisibility "person_visibility" {
        Editors "editors" "nur die Redaktion" "editors only";
        Public "public" "alle, solange die Einwilligung gilt" "everybody, as long as the consent is valid";
    }
}

/// A contact person as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPersonInput {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200, example = "Erika Beispiel")]
    pub name: String,
    /// Role of the person in the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, example = "Netzwerkmanagement")]
    pub role: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
    /// BCP 47 language in which to write to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "language", max_length = 35, example = "de")]
    pub language: Option<String>,
    /// Purpose of keeping the data (GDPR Art. 5(1)(b)).
    #[schema(min_length = 1, max_length = 500)]
    pub purpose: String,
    /// Consent of the person; required for `public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Audience of the person; `editors` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<PersonVisibility>,
}

/// Consent of a person to being shown publicly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Beginning of the consent (RFC 3339).
    #[schema(value_type = String, format = "timestamp", example = "2025-01-01T00:00:00Z")]
    #[serde(serialize_with = "crate::base::record::micros")]
    pub from: DateTime<Utc>,
    /// End of the consent: from then on the person is not shown. Open-ended if absent.
    #[schema(value_type = Option<String>, format = "timestamp")]
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::base::record::micros_opt"
    )]
    pub until: Option<DateTime<Utc>>,
    /// Where the consent is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub proof: Option<String>,
}

impl Consent {
    #[must_use]
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<ContactPersonInput>);

impl ContactPersonInput {
    /// The input that a merge patch makes of a stored one.
    #[must_use]
    pub fn patched(stored: Value, patch: &Value) -> Value {
        patched(stored, patch, SHAPE.unknown_absent(patch))
    }

    /// Parses and validates input.
    ///
    /// # Errors
    /// All violations.
    pub fn read(mut sent: Value) -> Result<Self, Vec<FieldError>> {
        let mut misfits = SHAPE.tidy(&mut sent);
        misfits.extend(SHAPE.misfits(&sent));
        if !misfits.is_empty() {
            return Err(misfits);
        }
        let read: Self = serde_json::from_value(sent).map_err(|why| {
            let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
            vec![FieldError::new("", fault)]
        })?;
        let faults = read.faults();
        if faults.is_empty() {
            return Ok(read);
        }
        Err(faults)
    }

    fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if self.visibility == Some(PersonVisibility::Public) && self.consent.is_none() {
            let fault = Fault::new(FaultCode::Required)
                .with(
                    "what",
                    "the consent of the person, since `visibility` is `public`",
                )
                .with(
                    "what_de",
                    "die Einwilligung der Person, denn `visibility` ist `public`",
                );
            faults.push(FieldError::new("/consent", fault));
        }
        if let Some(consent) = &self.consent
            && let Some(until) = consent.until
            && until < consent.from
        {
            let fault = Fault::new(FaultCode::Order)
                .with("later", "`until`")
                .with("earlier", "`from`");
            faults.push(FieldError::new("/consent/until", fault));
        }
        faults
    }
}

/// A contact person as read. Everyone sees name, role and contact details, if the consent allows it
/// at this moment; the rest is for the editors of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "0193e5a0-0000-7000-8000-00000000000a", "record": {"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002"}, "name": "Erika Beispiel", "role": "Netzwerkmanagement", "email": "erika@beispiel.example", "language": "de"}))]
pub struct ContactPerson {
    /// Id of the contact person.
    pub id: Uuid,
    /// Record of the contact person.
    pub record: RecordRef,
    /// Name of the person.
    #[schema(example = "Erika Beispiel")]
    pub name: String,
    /// Role of the person in the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// BCP 47 language in which to write to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// From 1, plus 1 per change; the `ETag`. This and the following members are only for editors
    /// of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// When the entry was created (RFC 3339 UTC, microseconds).
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::base::record::micros_opt"
    )]
    pub created_at: Option<DateTime<Utc>>,
    /// When the entry was last changed.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::base::record::micros_opt"
    )]
    pub updated_at: Option<DateTime<Utc>>,
    /// Purpose of keeping the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Consent of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Audience of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<PersonVisibility>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(more: &Value) -> Value {
        let mut body = json!({"name": "Erika Beispiel", "purpose": "Auskunft"});
        crate::base::json::merge_patch(&mut body, more);
        body
    }

    fn faults(more: &Value) -> Vec<(String, &'static str)> {
        let faults = ContactPersonInput::read(person(more)).unwrap_err();
        let told = faults.into_iter();
        told.map(|one| (one.pointer, one.fault.code.as_str()))
            .collect()
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        for (more, pointer, code) in [
            (json!({"name": null}), "/name", "required"),
            (json!({"purpose": null}), "/purpose", "required"),
            (json!({"email": "nirgends"}), "/email", "email"),
            (json!({"language": "deutsch!"}), "/language", "language"),
            (
                json!({"visibility": "partners"}),
                "/visibility",
                "unknown-code",
            ),
            (json!({"visibility": "public"}), "/consent", "required"),
            (json!({"iban": "x"}), "/iban", "unknown-member"),
            (
                json!({"consent": {"proof": "x"}}),
                "/consent/from",
                "required",
            ),
            (
                json!({"consent": {"from": "2025"}}),
                "/consent/from",
                "timestamp",
            ),
            (
                json!({"consent": {"from": "2025-01-01T00:00:00Z", "until": "2024-01-01T00:00:00Z"}}),
                "/consent/until",
                "order",
            ),
        ] {
            assert_eq!(faults(&more), [(pointer.to_owned(), code)], "{more}");
        }
        ContactPersonInput::read(person(&json!({}))).unwrap();
    }

    #[test]
    fn a_consent_is_valid_from_its_first_moment_to_before_its_last() {
        let consent = json!({"from": "2025-01-01T00:00:00+01:00", "until": "2026-01-01T00:00:00Z"});
        let consent: Consent = serde_json::from_value(consent).unwrap();
        for (at, valid) in [
            ("2024-12-31T22:59:59Z", false),
            ("2024-12-31T23:00:00Z", true),
            ("2025-12-31T23:59:59Z", true),
            ("2026-01-01T00:00:00Z", false),
        ] {
            assert_eq!(consent.is_valid_at(at.parse().unwrap()), valid, "{at}");
        }
        let open = Consent {
            until: None,
            ..consent
        };
        assert!(open.is_valid_at("2999-01-01T00:00:00Z".parse().unwrap()));
    }
}
