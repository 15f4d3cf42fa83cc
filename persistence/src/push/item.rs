//! What a system pushes about one record.

use domain::base::kind::Kind;
use domain::exchange::sync::{PushOp, SystemVersion};
use serde_json::Value;

pub const MAX_ITEMS: usize = 500;

/// A change of the record with a key.
#[derive(Debug, Clone)]
pub struct Item {
    pub op: PushOp,
    pub kind: Kind,
    pub external_id: String,
    pub system_version: Option<SystemVersion>,
    /// The record, unless it is to be deleted.
    pub record: Value,
}

/// The keys of the items of a batch.
pub(super) type Key = (Kind, String);
