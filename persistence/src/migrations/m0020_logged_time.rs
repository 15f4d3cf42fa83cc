//! The time of the newest log entry: later entries have later times.

pub(super) const STATEMENTS: &[&str] = &[
    // Microseconds since the Unix epoch; 0 if no release that knows it has written yet.
    "ALTER TABLE sync_state ADD COLUMN logged_micros bigint NOT NULL DEFAULT 0",
];
