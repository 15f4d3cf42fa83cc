//! The digests of this node's own public records, changed by every write.

pub(super) const STATEMENTS: &[&str] = &[
    // Without a home region it is zeros.
    "CREATE TABLE digest (
        kind text NOT NULL,
        home_region {uuid} NOT NULL,
        count bigint NOT NULL,
        limb_0 bigint NOT NULL,
        limb_1 bigint NOT NULL,
        limb_2 bigint NOT NULL,
        limb_3 bigint NOT NULL,
        limb_4 bigint NOT NULL,
        limb_5 bigint NOT NULL,
        limb_6 bigint NOT NULL,
        limb_7 bigint NOT NULL,
        PRIMARY KEY (kind, home_region))",
    // The entry up to which they are right; an earlier release leaves it behind.
    "ALTER TABLE sync_state ADD COLUMN digest_seq bigint NOT NULL DEFAULT -1",
];
