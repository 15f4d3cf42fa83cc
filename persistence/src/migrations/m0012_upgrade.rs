//! The names of members in this node's own bodies, and the cause of a log entry.
//!
//! `head_seq` is renamed so that a running instance of an earlier release can no longer write: it
//! would write former names.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE sync_state RENAME COLUMN head_seq TO head",
    "ALTER TABLE sync_state ADD COLUMN body_format integer NOT NULL DEFAULT 0",
    "ALTER TABLE sync_state ADD COLUMN upgraded_to {uuid}",
    "ALTER TABLE change ADD COLUMN cause text",
];
