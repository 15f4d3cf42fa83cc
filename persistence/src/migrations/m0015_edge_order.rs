//! Indexes in the order of lists of relationships, so that a page reads no more than it shows.

pub(super) const STATEMENTS: &[&str] = &[
    "DROP INDEX edge_type",
    "DROP INDEX edge_from",
    "DROP INDEX edge_to",
    "CREATE INDEX edge_order ON edge (type, coalesce(position, 2147483647), record_id)",
    "CREATE INDEX edge_from ON edge (from_id, type, coalesce(position, 2147483647), record_id)",
    "CREATE INDEX edge_to ON edge (to_id, type, coalesce(position, 2147483647), record_id)",
];
