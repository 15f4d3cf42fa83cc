//! Which deletion an entry of the log belongs to: a record and its relationships are deleted in
//! several transactions if there are many.

pub(super) const STATEMENTS: &[&str] = &["ALTER TABLE change ADD COLUMN deletion_id {uuid}"];
