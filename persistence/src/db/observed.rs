//! What tests see of the statements that were run.

use sea_orm::DatabaseConnection;
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static STATEMENTS: RefCell<BTreeSet<String>> = RefCell::default();
}

pub(super) fn observe(connection: &mut DatabaseConnection) {
    connection.set_metric_callback(|info| {
        let sql = info.statement.sql.clone();
        STATEMENTS.with_borrow_mut(|statements| statements.insert(sql));
    });
}

/// The statements of this thread since they were last asked for.
pub(crate) fn statements() -> BTreeSet<String> {
    STATEMENTS.take()
}
