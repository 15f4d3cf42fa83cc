//! Everything that is held about a person, as one document (GDPR Art. 15).

use crate::base::fault::{Fault, FieldError};
use crate::exchange::change::Op;
use crate::statements::application::Applicant;
use crate::statements::contact_person::ContactPerson;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Whom the document is about; one of them at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalDataInput {
    /// The person's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// The person's name; others may have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 200)]
    pub name: Option<String>,
}

impl PersonalDataInput {
    /// What the schema cannot say and that is wrong.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        if self.email.is_some() || self.name.is_some() {
            return Vec::new();
        }
        let fault = Fault::new("required")
            .with("what", "`email`, `name` or both")
            .with("what_de", "`email`, `name` oder beides");
        vec![FieldError::new("/email", fault)]
    }
}

/// Everything that this node holds about a person. What partners hold, and what rests in back-ups,
/// is not in it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"about": {"email": "erika@beispiel.example"}, "at": "2026-03-01T08:00:00.000000Z", "contact_persons": [{"id": "0193e5a0-0000-7000-8000-00000000000a", "record": {"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002"}, "name": "Erika Beispiel", "role": "Netzwerkmanagement", "email": "erika@beispiel.example", "language": "de"}], "applications": [], "accounts": [], "mentions": [{"place": "version", "kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002", "version": 3}], "kept_answers": 0}))]
pub struct PersonalData {
    /// What was looked for.
    pub about: PersonalDataInput,
    /// When (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub at: DateTime<Utc>,
    /// The person as a contact person.
    pub contact_persons: Vec<ContactPerson>,
    /// Applications for membership that name the person.
    pub applications: Vec<HeldApplication>,
    /// Accounts with this name or subject.
    pub accounts: Vec<HeldAccount>,
    /// Where else the address or the name stands in a text.
    pub mentions: Vec<Mention>,
    /// How many answers kept under an `Idempotency-Key` hold the address or the name; they go by
    /// themselves after seven days.
    #[schema(minimum = 0)]
    pub kept_answers: u64,
}

/// An application for membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldApplication {
    /// The application.
    pub id: Uuid,
    /// The network.
    pub network: Uuid,
    /// Who applied.
    pub applicant: Applicant,
    /// What they wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it arrived.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldAccount {
    /// The account.
    pub id: Uuid,
    /// What it signs in with.
    pub name: String,
    /// Where it signs in instead of here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What that issuer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was made.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
    /// What it may: role and region.
    pub grants: Vec<HeldGrant>,
    /// What it has changed, in order.
    pub changes: Vec<HeldChange>,
}

/// What an account may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldGrant {
    /// The role.
    pub role: String,
    /// The region; absent for the whole node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Uuid>,
}

/// A change that an account made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldChange {
    /// When.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub at: DateTime<Utc>,
    /// What happened.
    pub op: Op,
    /// The kind of the record.
    pub kind: String,
    /// The record.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

crate::vocabulary! {
    /// In what kind of text somebody is mentioned.
    MentionPlace "mention_place" {
        Record "record" "im Datensatz" "in the record";
        Version "version" "in einer früheren Fassung" "in an earlier version";
        Reason "reason" "im Grund einer Änderung" "in the reason of a change";
        Confirmation "confirmation" "in der Aussage eines Endes" "in the statement of an end";
    }
}

/// A text in which the address or the name stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mention {
    /// What kind of text it is.
    pub place: MentionPlace,
    /// The kind of the record.
    pub kind: String,
    /// The record.
    pub id: Uuid,
    /// The version.
    pub version: i64,
}
