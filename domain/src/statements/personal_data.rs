//! Everything that this node holds about a person, as one document (GDPR Art. 15).

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::exchange::change::Op;
use crate::statements::application::Applicant;
use crate::statements::contact_person::ContactPerson;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Person in question; at least one member is required.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalDataInput {
    /// E-mail address of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// Name of the person; others may have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 200)]
    pub name: Option<String>,
}

impl PersonalDataInput {
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        if self.email.is_some() || self.name.is_some() {
            return Vec::new();
        }
        let fault = Fault::new(FaultCode::Required)
            .with("what", "`email`, `name` or both")
            .with("what_de", "`email`, `name` oder beides");
        vec![FieldError::new("/email", fault)]
    }
}

/// Everything that this node holds about a person. Data at partners and in backups is not included.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"query": {"email": "erika@beispiel.example"}, "generated_at": "2026-03-01T08:00:00.000000Z", "contact_persons": [{"id": "0193e5a0-0000-7000-8000-00000000000a", "record": {"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002"}, "name": "Erika Beispiel", "role": "Netzwerkmanagement", "email": "erika@beispiel.example", "language": "de"}], "applications": [], "accounts": [], "mentions": [{"place": "version", "kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002", "version": 3}], "idempotency_records": 0}))]
pub struct PersonalData {
    /// Query of the request.
    pub query: PersonalDataInput,
    /// When the document was generated (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub generated_at: DateTime<Utc>,
    /// Entries of the person as a contact person.
    pub contact_persons: Vec<ContactPerson>,
    /// Applications for membership that name the person.
    pub applications: Vec<HeldApplication>,
    /// Accounts with this name or subject.
    pub accounts: Vec<HeldAccount>,
    /// Other texts that contain the address or the name.
    pub mentions: Vec<Mention>,
    /// Number of stored responses to requests with an `Idempotency-Key` that contain the address or
    /// the name; they expire after seven days.
    #[schema(minimum = 0)]
    pub idempotency_records: u64,
}

/// An application for membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldApplication {
    /// Id of the application.
    pub id: Uuid,
    /// Network that was applied to.
    pub network: Uuid,
    /// Applicant.
    pub applicant: Applicant,
    /// Message of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the application arrived.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldAccount {
    /// Id of the account.
    pub id: Uuid,
    /// Sign-in name.
    pub name: String,
    /// External issuer, if the account signs in there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Subject at that issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the account was created.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
    /// Permissions: role and region.
    pub grants: Vec<HeldGrant>,
    /// Changes made by the account, in order.
    pub changes: Vec<HeldChange>,
}

/// A permission of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldGrant {
    /// Role of the grant.
    pub role: String,
    /// Region of the grant; absent for the whole node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Uuid>,
}

/// A change made by an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldChange {
    /// Time of the change.
    #[serde(serialize_with = "crate::base::record::micros")]
    pub at: DateTime<Utc>,
    /// Operation of the change.
    pub op: Op,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// Reason of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

crate::vocabulary! {
    /// Type of text that mentions the person.
    MentionPlace "mention_place" {
        Record "record" "im Datensatz" "in the record";
        Version "version" "in einer früheren Fassung" "in an earlier version";
        Reason "reason" "im Grund einer Änderung" "in the reason of a change";
        Confirmation "confirmation" "in der Aussage eines Endes" "in the statement of an end";
        Quarantine "quarantine" "in einem abgelehnten Eintrag eines Partners" "in a rejected entry of a partner";
    }
}

/// A text that contains the address or the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mention {
    /// Type of text.
    pub place: MentionPlace,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: Uuid,
    /// Version of the record.
    pub version: i64,
}
