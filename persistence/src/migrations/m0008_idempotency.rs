//! Stored responses under keys that callers choose.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE kept_answer (
        principal {uuid} NOT NULL,
        key_hash text NOT NULL,
        request_hash text NOT NULL,
        status integer,
        headers text,
        body text,
        created_at {time} NOT NULL,
        PRIMARY KEY (principal, key_hash))",
    "CREATE INDEX kept_answer_created ON kept_answer (created_at)",
];
