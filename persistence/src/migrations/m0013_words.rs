//! The words of operations, phases and states as clients read them, and the table of the log consumers.

pub(super) const STATEMENTS: &[&str] = &[
    "ALTER TABLE follower RENAME TO log_consumer",
    "UPDATE log_consumer SET name = 'visibility' WHERE name = 'touch'",
    "UPDATE change SET op = 'visibility' WHERE op = 'touch'",
    "UPDATE partner SET phase = 'changes' WHERE phase = 'tail'",
    "UPDATE partner SET state = 'awaiting_approval' WHERE state = 'held'",
    "ALTER TABLE quarantine RENAME COLUMN why TO reason",
    "UPDATE webhook_delivery SET op = 'withdraw' WHERE op = 'leave'",
];
