//! What the end of a relationship says of it, beside the record that its author wrote.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

crate::vocabulary! {
    /// What an end states of a relationship.
    ConfirmationState "confirmation_state" {
        Claimed "claimed" "Angegeben" "Claimed";
        Confirmed "confirmed" "Bestätigt" "Confirmed";
        Disputed "disputed" "Bestritten" "Disputed";
        Revoked "revoked" "Widerrufen" "Revoked";
    }
}

crate::vocabulary! {
    /// An end of a relationship.
    EndName "end" {
        From "from" "Ausgangspunkt" "From";
        To "to" "Ziel" "To";
    }
}

/// A statement as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationInput {
    /// The end that states it: a record of this node of which the caller is an approver.
    pub end: EndName,
    /// What it states; what an end disputes is not shown on this node.
    pub state: ConfirmationState,
    /// Why; read by those who may write an end.
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// What an end states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Statement {
    /// What it states.
    pub state: ConfirmationState,
    /// When (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub at: DateTime<Utc>,
    /// Why; only for those who may write an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The account; only for those who may write an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
}

/// What both ends of a relationship state; an end that has stated nothing is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"to": {"state": "confirmed", "at": "2026-03-02T08:00:00.000000Z"}}))]
pub struct Confirmation {
    /// The end where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Statement>,
    /// The end where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Statement>,
}
