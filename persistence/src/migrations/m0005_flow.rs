//! Data of this node about records: statements of the ends of relationships, hidden copies,
//! applications for membership; and the index of the publishing job.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE record ADD COLUMN withheld boolean NOT NULL DEFAULT false",
    "CREATE INDEX record_publish_at ON record (publish_at) WHERE publish_at IS NOT NULL",
    // Neither is deleted with the record: a restored record is still disputed or hidden.
    "CREATE TABLE confirmation (
        record_id {uuid} NOT NULL,
        end_id {uuid} NOT NULL,
        state text NOT NULL,
        note text,
        version bigint NOT NULL,
        by {uuid},
        at {time} NOT NULL,
        PRIMARY KEY (record_id, end_id))",
    "CREATE TABLE hidden (
        record_id {uuid} PRIMARY KEY,
        by {uuid},
        at {time} NOT NULL)",
    "CREATE TABLE application (
        id {uuid} PRIMARY KEY,
        network_id {uuid} NOT NULL,
        relationship_id {uuid} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
        organisation text,
        person text,
        email text,
        phone text,
        message text,
        created_at {time} NOT NULL)",
    "CREATE INDEX application_network ON application (network_id, id)",
    "CREATE INDEX application_relationship ON application (relationship_id)",
    "CREATE INDEX change_by ON change (by, seq)",
];
