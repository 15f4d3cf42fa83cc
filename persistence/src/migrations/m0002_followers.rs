//! The cursors of the followers, and what the outside was last told of each record.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE follower (name text PRIMARY KEY, seq bigint NOT NULL)",
    "ALTER TABLE record ADD COLUMN shown boolean NOT NULL DEFAULT false",
    // What the log says so far; the follower that starts at its beginning puts it right.
    "UPDATE record SET shown = (publication = 'published')",
];
