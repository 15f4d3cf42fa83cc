//! A row that is written to see whether writing succeeds; which attempts of a delivery count; when
//! something failed, by a clock that may have been wrong.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE write_probe (id integer PRIMARY KEY, content text NOT NULL)",
    "ALTER TABLE webhook_delivery ADD COLUMN refusals integer NOT NULL DEFAULT 0",
    "ALTER TABLE webhook ADD COLUMN failed_at {time}",
    "ALTER TABLE partner ADD COLUMN failed_at {time}",
];
