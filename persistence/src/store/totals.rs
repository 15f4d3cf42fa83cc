//! Totals of lists that are counted in the database, kept until the next write.

use crate::db::SqlTransaction;
use crate::entity::node;
use crate::error::Result;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, EntityTrait};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Statements whose totals are kept at once.
const MAX_KEPT: usize = 1000;

/// By the text of the statement, so that what a caller may read is a part of the key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    head: i64,
    totals: HashMap<String, Arc<OnceCell<u64>>>,
}

impl Totals {
    /// The number that `count` selects. Callers that ask at the same time wait for one statement.
    ///
    /// It must depend on nothing that changes without an entry of the log.
    pub(crate) async fn get(&self, tx: &SqlTransaction, count: &SelectStatement) -> Result<u64> {
        let node = node::Entity::find_by_id(1).one(tx).await?;
        let head = node.map_or(0, |node| node.head);
        let name = tx.get_database_backend().build(count).to_string();
        let total = self.cell(head, name);
        total.get_or_try_init(|| counted(tx, count)).await.copied()
    }

    /// Where the total of this state of the database is kept; nowhere if a later one was seen.
    fn cell(&self, head: i64, name: String) -> Arc<OnceCell<u64>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.head > head {
            return Arc::default();
        }
        if known.head < head || known.totals.len() >= MAX_KEPT {
            known.totals.clear();
            known.head = head;
        }
        known.totals.entry(name).or_default().clone()
    }
}

pub(crate) async fn counted(tx: &SqlTransaction, count: &SelectStatement) -> Result<u64> {
    let row = tx.query_one(count).await?;
    let total: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u64::try_from(total).unwrap_or_default())
}
