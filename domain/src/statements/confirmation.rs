//! Statements of the ends of a relationship about it, separate from the record that its author
//! wrote.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

crate::vocabulary! {
    /// Statement of an end about a relationship.
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
    /// End that makes the statement: a record of this node of which the caller is an approver.
    pub end: EndName,
    /// Statement; a relationship that an end disputes is not shown on this node.
    pub state: ConfirmationState,
    /// Reason; visible to those who may write an end.
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// Statement of an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Statement {
    /// State of the statement.
    pub state: ConfirmationState,
    /// When it was stated (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "crate::base::record::micros")]
    pub at: DateTime<Utc>,
    /// Reason; only for those who may write an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Account that made the statement; only for those who may write an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
}

/// Statements of both ends of a relationship; an end without a statement is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"to": {"state": "confirmed", "at": "2026-03-02T08:00:00.000000Z"}}))]
pub struct Confirmation {
    /// Statement of the `from` end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Statement>,
    /// Statement of the `to` end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Statement>,
}
