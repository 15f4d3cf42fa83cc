//! Applications for membership in a network.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kinds::common::Publication;

/// How many bytes an application may have.
pub const MAX_APPLICATION: usize = 8 * 1024;

/// An application as sent. What it says of people is for the editors of the network alone and is
/// no part of any record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationInput {
    /// Who applies.
    pub applicant: Applicant,
    /// The organisation, if the directory has it: the id or slug of a published actor.
    #[schema(min_length = 1, max_length = 200)]
    pub actor: Option<String>,
    /// What there is to say.
    #[schema(min_length = 1, max_length = 4000)]
    pub message: Option<String>,
}

/// Who applies for membership.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Applicant {
    /// The name of the organisation; required without `actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 300)]
    pub organisation: Option<String>,
    /// Whom to ask there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub person: Option<String>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email", max_length = 300)]
    pub email: Option<String>,
    /// Their phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
}

/// An application as the editors of the network read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Application {
    /// The application.
    pub id: Uuid,
    /// The membership that it asks for: publishing this relationship admits the applicant, deleting
    /// it turns the application down and erases it.
    pub relationship: Uuid,
    /// How far that relationship is.
    pub publication: Publication,
    /// Who applies.
    pub applicant: Applicant,
    /// What there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it arrived (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub created_at: DateTime<Utc>,
}
