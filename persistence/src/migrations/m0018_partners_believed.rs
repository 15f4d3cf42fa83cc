//! What is kept so that partners are believed no more than writers: deletions over a day, whose id
//! an entry has, what a dispute is about, and which copies are served in part.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE partner ADD COLUMN deletions bigint NOT NULL DEFAULT 0",
    "ALTER TABLE partner ADD COLUMN deletions_since {time}",
    "ALTER TABLE quarantine ADD COLUMN rival text",
    "ALTER TABLE confirmation ADD COLUMN type text",
    "ALTER TABLE confirmation ADD COLUMN from_id {uuid}",
    "ALTER TABLE confirmation ADD COLUMN to_id {uuid}",
    "UPDATE confirmation SET \
        type = (SELECT edge.type FROM edge WHERE edge.record_id = confirmation.record_id), \
        from_id = (SELECT edge.from_id FROM edge WHERE edge.record_id = confirmation.record_id), \
        to_id = (SELECT edge.to_id FROM edge WHERE edge.record_id = confirmation.record_id)",
    "CREATE INDEX confirmation_statement ON confirmation (type, from_id, to_id)",
    "ALTER TABLE record ADD COLUMN withholds boolean NOT NULL DEFAULT false",
];
