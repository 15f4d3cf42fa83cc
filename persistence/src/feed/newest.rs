//! The newest changes for people: of own records and copies, newest first, each record once.

use super::{Feed, FeedFilter};
use crate::cursor;
use crate::entity::record;
use crate::error::Result;
use crate::record::{Record, readable};
use chrono::{DateTime, Utc};
use domain::base::vocabulary::Coded;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Entries of the log that one query scans, and how many queries a page may take: a narrow filter
/// cannot make one page read all of it.
const WINDOW: i64 = 20_000;
const WINDOWS: usize = 10;

#[derive(Debug)]
pub struct NewestPage {
    pub changes: Vec<NewestChange>,
    pub next: Option<String>,
}

/// The last change of a record that outsiders see, or saw before.
#[derive(Debug)]
pub struct NewestChange {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// The record, unless outsiders no longer see it.
    pub row: Option<Record>,
}

impl Feed<'_> {
    /// A page of the newest changes; `query` is what a cursor is bound to.
    ///
    /// # Errors
    /// [`crate::StoreError::BadCursor`].
    pub async fn newest(
        self,
        filter: &FeedFilter,
        limit: usize,
        (cursor, query): (Option<&str>, &str),
    ) -> Result<NewestPage> {
        let secret = &self.store.node().secret;
        let before: Option<i64> = cursor
            .map(|text| cursor::decode(secret, query, text))
            .transpose()?;
        let _turn = self.turn().await?;
        let state = self.state().await?;
        let mut before = before.unwrap_or(state.head + 1);
        let tx = self.store.db().begin_read().await?;
        let mut found: Vec<(i64, Uuid, DateTime<Utc>)> = Vec::new();
        let mut windows = 0;
        while found.len() <= limit && windows < WINDOWS && before > state.floor + 1 {
            let after = (before - WINDOW).max(state.floor + 1);
            let wanted = limit + 1 - found.len();
            let sql = sql(filter, wanted);
            let values = [before.into(), after.into()];
            let homes = filter.home_regions.iter().map(|id| id.to_string().into());
            let values: Vec<sea_orm::Value> = values.into_iter().chain(homes).collect();
            let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
            for row in tx.query_all_raw(statement).await? {
                found.push((
                    row.try_get_by_index(0)?,
                    row.try_get_by_index(1)?,
                    row.try_get_by_index(2)?,
                ));
            }
            before = after;
            windows += 1;
        }
        let next = match found.get(limit) {
            // The page ends before this one.
            Some((seq, ..)) => Some(seq + 1),
            None => (before > state.floor + 1).then_some(before),
        };
        found.truncate(limit);
        let ids = found.iter().map(|(_, id, _)| *id);
        let rows = record::Entity::find()
            .filter(record::Column::Id.is_in(ids))
            .filter(record::Column::IsPublic.eq(true))
            .all(&tx)
            .await?;
        tx.commit().await?;
        let homes = &filter.home_regions;
        let rows = readable(rows).into_iter();
        let rows = rows.filter(|row| {
            homes.is_empty() || row.home_region.is_some_and(|home| homes.contains(&home))
        });
        let mut rows: BTreeMap<Uuid, Record> = rows.map(|row| (row.id, row)).collect();
        let changes = found.into_iter().map(|(_, id, at)| NewestChange {
            id,
            at,
            row: rows.remove(&id),
        });
        Ok(NewestPage {
            changes: changes.collect(),
            next: next.map(|seq| cursor::encode(secret, query, &seq)),
        })
    }
}

/// Entries below `$1` and from `$2` that outsiders saw, unless such an entry of the record is newer.
fn sql(filter: &FeedFilter, limit: usize) -> String {
    let homes = 3..filter.home_regions.len() + 3;
    let homes: Vec<String> = homes.map(|n| format!("${n}")).collect();
    let test = if homes.is_empty() {
        "IS NOT NULL".to_owned()
    } else {
        format!("IN ({})", homes.join(", "))
    };
    let seen = |log: &str| format!("({log}.audience_before {test} OR {log}.audience_after {test})");
    let kinds = filter.kinds().iter();
    let kinds: Vec<String> = kinds.map(|kind| format!("'{}'", kind.code())).collect();
    format!(
        "SELECT log.seq, log.record_id, log.at FROM change AS log \
         WHERE log.seq < $1 AND log.seq >= $2 AND log.kind IN ({}) AND {} \
         AND NOT EXISTS (SELECT 1 FROM change AS newer WHERE newer.record_id = log.record_id \
         AND newer.seq > log.seq AND {}) ORDER BY log.seq DESC LIMIT {limit}",
        kinds.join(", "),
        seen("log"),
        seen("newer"),
    )
}
