//! Merged records: their merge targets, and the data that stays until a merge is undone.

/// Former slugs and geometries outlive the row of a merged record, so they are no longer deleted by
/// a foreign key. SQLite can drop a constraint only with the table.
pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE merged (
        loser_id {uuid} PRIMARY KEY,
        survivor_id {uuid} NOT NULL)",
    "CREATE INDEX merged_survivor ON merged (survivor_id)",
    "ALTER TABLE redirect RENAME TO redirect_old",
    "DROP INDEX redirect_record",
    "CREATE TABLE redirect (
        kind text NOT NULL,
        slug text NOT NULL,
        origin text NOT NULL,
        record_id {uuid} NOT NULL,
        PRIMARY KEY (kind, slug, origin))",
    "INSERT INTO redirect (kind, slug, origin, record_id)
        SELECT kind, slug, origin, record_id FROM redirect_old",
    "DROP TABLE redirect_old",
    "CREATE INDEX redirect_record ON redirect (record_id)",
    "ALTER TABLE geometry RENAME TO geometry_old",
    "CREATE TABLE geometry (
        record_id {uuid} PRIMARY KEY,
        version bigint NOT NULL,
        body text NOT NULL,
        updated_at {time} NOT NULL)",
    "INSERT INTO geometry (record_id, version, body, updated_at)
        SELECT record_id, version, body, updated_at FROM geometry_old",
    "DROP TABLE geometry_old",
];
