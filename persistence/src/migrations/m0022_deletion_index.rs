//! What was deleted together is found together, to be restored.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE INDEX change_deletion ON change (deletion_id, record_id) WHERE deletion_id IS NOT NULL",
];
