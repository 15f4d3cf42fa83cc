//! Exchange with partners: the partners, the progress of a snapshot, and entries that could not be
//! understood.
//!
//! Copies arrive in the order of the log, each in its newest version, so that two of them may have
//! one slug, key or identifier for a while. Only this node's own must be unique.

pub(super) const STATEMENTS: &[&str] = &[
    // The order of a snapshot.
    "CREATE INDEX record_feed ON record (origin, kind, id)",
    "DROP INDEX record_slug",
    "CREATE INDEX record_slug ON record (kind, slug)",
    "CREATE UNIQUE INDEX record_own_slug ON record (kind, slug, origin) WHERE synced_at IS NULL",
    "DROP INDEX record_external_id",
    "CREATE INDEX record_external_id ON record (kind, system, external_id)",
    "CREATE UNIQUE INDEX record_own_external_id ON record (kind, system, external_id, origin)
        WHERE synced_at IS NULL",
    "ALTER TABLE identifier ADD COLUMN copied boolean NOT NULL DEFAULT false",
    "DROP INDEX identifier_value",
    "CREATE INDEX identifier_value ON identifier (scheme, value)",
    "CREATE UNIQUE INDEX identifier_own_value ON identifier (scheme, value, origin)
        WHERE NOT copied",
    "CREATE TABLE partner (
        id {uuid} PRIMARY KEY,
        name text NOT NULL,
        version bigint NOT NULL,
        url text NOT NULL,
        origin text,
        kinds text NOT NULL,
        home_regions text NOT NULL,
        state text NOT NULL,
        phase text NOT NULL,
        next text,
        unswept boolean NOT NULL,
        rereads boolean NOT NULL,
        reader text NOT NULL,
        seq bigint NOT NULL,
        head_seq bigint NOT NULL,
        taken bigint NOT NULL,
        skipped bigint NOT NULL,
        refused bigint NOT NULL,
        held_deletions bigint,
        held_copies bigint,
        allowed_deletions bigint NOT NULL,
        contacted_at {time},
        up_to_date_at {time},
        compared_at {time},
        failures integer NOT NULL,
        last_error text,
        retry_at {time},
        fence bigint NOT NULL,
        leased_until {time},
        created_at {time} NOT NULL)",
    "CREATE UNIQUE INDEX partner_name ON partner (name)",
    "CREATE UNIQUE INDEX partner_origin ON partner (origin)",
    "CREATE TABLE partner_seen (
        partner_id {uuid} NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
        record_id {uuid} NOT NULL,
        PRIMARY KEY (partner_id, record_id))",
    "CREATE TABLE quarantine (
        id {uuid} PRIMARY KEY,
        partner_id {uuid} NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
        kind text,
        record_id {uuid},
        why text NOT NULL,
        entry text NOT NULL,
        at {time} NOT NULL)",
    "CREATE INDEX quarantine_partner ON quarantine (partner_id, id)",
    "CREATE INDEX quarantine_record ON quarantine (record_id)",
];
