//! Pruning the log: entries that were superseded long ago are removed, if the operator wants that.
//!
//! The newest entry of every record stays forever, deletions included, and so does the last body of
//! a merged record, which undoing the merge needs.

use crate::entity::{change, log_consumer};
use crate::error::Result;
use crate::feed::Feed;
use crate::store::Store;
use crate::transaction::WriteOptions;
use chrono::TimeDelta;
use domain::access::rules::Caller;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};

pub const LEAST_DAYS: u32 = 90;

const BATCH: i64 = 500;

/// An entry has the time at which its transaction began; it became visible a little later.
pub(crate) const MARGIN: TimeDelta = TimeDelta::hours(1);

/// The superseded entries up to `$1`, oldest first, `$2` of them.
const SUPERSEDED: &str = "SELECT change.seq FROM change \
    JOIN change AS latest ON latest.record_id = change.record_id AND latest.newest \
        AND latest.version > change.version \
    WHERE change.seq <= $1 AND NOT change.newest \
        AND NOT (change.op = 'upsert' AND EXISTS (SELECT 1 FROM tombstone \
            WHERE tombstone.id = change.record_id AND tombstone.merged_into IS NOT NULL \
            AND tombstone.version = change.version + 1)) \
    ORDER BY change.seq LIMIT $2";

impl Feed<'_> {
    /// Prunes superseded entries older than this; returns their number.
    ///
    /// Cursors of the feed that were issued within these days remain valid, and log consumers are
    /// waited for.
    pub async fn prune(self, days: u32) -> Result<usize> {
        let end = prunable_up_to(self.store, days).await?;
        let mut pruned = 0;
        loop {
            let batch = superseded(self.store, end).await?;
            let Some(floor) = batch.last().copied() else {
                return Ok(pruned);
            };
            let options = WriteOptions::default();
            self.store
                .write(&Caller::node(), &options, async |tx| {
                    change::Entity::delete_many()
                        .filter(change::Column::Seq.is_in(batch.iter().copied()))
                        .exec(&tx.sql)
                        .await?;
                    let sql =
                        "UPDATE sync_state SET floor_seq = $1 WHERE id = 1 AND floor_seq < $1";
                    tx.execute(sql, [floor.into()]).await
                })
                .await?;
            pruned += batch.len();
        }
    }
}

/// The newest entry that may be pruned. The one before the first young entry was the end of the
/// log until that one was written, so cursors at it are young too.
async fn prunable_up_to(store: &Store, days: u32) -> Result<i64> {
    let limit = store.clock().now() - TimeDelta::days(days.into()) - MARGIN;
    let young = change::Entity::find()
        .select_only()
        .column(change::Column::Seq)
        .filter(change::Column::At.gte(limit))
        .order_by_asc(change::Column::Seq)
        .into_tuple::<i64>()
        .one(store.db().reader())
        .await?;
    let young = match young {
        Some(young) => young,
        None => store.log().head().await? + 1,
    };
    // Who finishes deletions needs the newest entry of a record only, which stays.
    let behind: Vec<i64> = log_consumer::Entity::find()
        .select_only()
        .column(log_consumer::Column::Seq)
        .filter(log_consumer::Column::Name.ne(log_consumer::DELETIONS))
        .into_tuple()
        .all(store.db().reader())
        .await?;
    Ok(behind.into_iter().fold(young - 2, i64::min))
}

async fn superseded(store: &Store, end: i64) -> Result<Vec<i64>> {
    let reader = store.db().reader();
    let values = [end.into(), BATCH.into()];
    let backend = reader.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, SUPERSEDED, values);
    let rows = reader.query_all_raw(statement).await?;
    let seqs = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(seqs.collect::<Result<_, _>>()?)
}
