//! The items of supplying systems.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE supply (
        system text NOT NULL,
        kind text NOT NULL,
        external_id text NOT NULL,
        record_id {uuid},
        version bigint NOT NULL,
        sent_hash text NOT NULL,
        system_version text,
        PRIMARY KEY (system, kind, external_id))",
    "CREATE INDEX supply_record ON supply (record_id)",
];
