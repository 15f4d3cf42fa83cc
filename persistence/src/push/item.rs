//! Items of a push.

use domain::base::kind::Kind;
use domain::exchange::line::Statement;
use domain::exchange::sync::{PushOp, SystemVersion};
use serde_json::Value;

pub const MAX_ITEMS: usize = 500;

#[derive(Debug, Clone)]
pub struct Item {
    pub op: PushOp,
    pub kind: Kind,
    pub external_id: String,
    pub system_version: Option<SystemVersion>,
    /// The record, unless it is to be deleted.
    pub record: Value,
    /// What the record says of a stored one.
    pub statement: Statement,
}

pub(super) type Key = (Kind, String);
