//! The names of columns and tables as the code uses them, and stored responses with an opaque head.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE record RENAME COLUMN shown TO is_public",
    "ALTER TABLE record RENAME COLUMN withheld TO suppressed",
    "ALTER TABLE record RENAME COLUMN sameness TO relationship_key",
    "ALTER TABLE merged RENAME COLUMN survivor_id TO target_id",
    "ALTER TABLE supply RENAME TO source_key",
    "ALTER TABLE kept_answer RENAME TO idempotency_record",
    "ALTER TABLE idempotency_record ADD COLUMN head text",
    "UPDATE idempotency_record SET head = '{\"status\":' || CAST(status AS text) || ',\"headers\":' || headers || '}' \
     WHERE status IS NOT NULL AND headers IS NOT NULL",
    "ALTER TABLE idempotency_record DROP COLUMN status",
    "ALTER TABLE idempotency_record DROP COLUMN headers",
];
