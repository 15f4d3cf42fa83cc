//! A row that is written to test whether writing succeeds; the attempts of a delivery that count;
//! and times of failures, by a clock that may have been wrong.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE write_probe (id integer PRIMARY KEY, content text NOT NULL)",
    "ALTER TABLE webhook_delivery ADD COLUMN refusals integer NOT NULL DEFAULT 0",
    "ALTER TABLE webhook ADD COLUMN failed_at {time}",
    "ALTER TABLE partner ADD COLUMN failed_at {time}",
];
