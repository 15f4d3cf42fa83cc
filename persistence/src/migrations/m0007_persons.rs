//! Contact persons, and the entries of the log that have lost their bodies to an erasure.

pub(super) const STATEMENTS: &[&str] = &[
    // They outlive the row of a merged record, so they are not deleted by a foreign key.
    "CREATE TABLE contact_person (
        id {uuid} PRIMARY KEY,
        record_id {uuid} NOT NULL,
        version bigint NOT NULL,
        name text NOT NULL,
        role text,
        email text,
        phone text,
        language text,
        purpose text NOT NULL,
        consent_from {time},
        consent_until {time},
        consent_proof text,
        visibility text NOT NULL,
        created_at {time} NOT NULL,
        updated_at {time} NOT NULL)",
    "CREATE INDEX contact_person_record ON contact_person (record_id, id)",
    "ALTER TABLE change ADD COLUMN erased boolean NOT NULL DEFAULT false",
];
