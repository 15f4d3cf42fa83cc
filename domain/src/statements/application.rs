use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kinds::common::Publication;

pub const MAX_APPLICATION: usize = 8 * 1024;

/// An application as sent. Data about people in it is visible to the editors of the network only
/// and not part of any record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationInput {
    /// Applicant.
    pub applicant: Applicant,
    /// Organisation, if it is in the directory: id or slug of a published actor.
    #[schema(min_length = 1, max_length = 200)]
    pub actor: Option<String>,
    /// Message to the editors.
    #[schema(min_length = 1, max_length = 4000)]
    pub message: Option<String>,
}

/// Applicant for membership.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Applicant {
    /// Name of the organisation; required without `actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 300)]
    pub organisation: Option<String>,
    /// Contact at the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub person: Option<String>,
    /// E-mail address of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 300)]
    pub email: Option<String>,
    /// Phone number of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
}

/// An application as the editors of the network read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Application {
    /// Id of the application.
    pub id: Uuid,
    /// The requested membership: publishing this relationship admits the applicant, deleting it
    /// rejects the application and erases it.
    pub relationship: Uuid,
    /// Publication state of that relationship.
    pub publication: Publication,
    /// Applicant.
    pub applicant: Applicant,
    /// Message to the editors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the application arrived (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
}
