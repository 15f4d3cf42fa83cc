//! Pairs of likely duplicates, kept by a log consumer.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE duplicate_pair (
        a_id {uuid} NOT NULL,
        b_id {uuid} NOT NULL,
        score integer NOT NULL,
        reasons text NOT NULL,
        PRIMARY KEY (a_id, b_id))",
    "CREATE INDEX duplicate_pair_b ON duplicate_pair (b_id)",
];
