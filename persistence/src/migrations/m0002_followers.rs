//! The cursors of the log consumers, and the last reported visibility of each record.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE follower (name text PRIMARY KEY, seq bigint NOT NULL)",
    "ALTER TABLE record ADD COLUMN shown boolean NOT NULL DEFAULT false",
    // What the log says so far; the consumer that starts at its beginning corrects it.
    "UPDATE record SET shown = (publication = 'published')",
];
