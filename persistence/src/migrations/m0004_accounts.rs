//! Accounts of people, clients and external subjects, with versions.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE account ADD COLUMN kind text NOT NULL DEFAULT 'person'",
    "ALTER TABLE account ADD COLUMN version bigint NOT NULL DEFAULT 1",
    "ALTER TABLE account ADD COLUMN secret_hash text",
    "ALTER TABLE account ADD COLUMN issuer text",
    "ALTER TABLE account ADD COLUMN subject text",
    "CREATE UNIQUE INDEX account_subject ON account (issuer, subject)",
];
