//! The job that publishes records at their date: `publish_at`.

use crate::entity::record;
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::records::Records;
use crate::store::Store;
use crate::transaction::WriteOptions;
use crate::write::{Edit, Precondition};
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;

/// Number of records per batch; the rest follows at once.
const PAGE: u64 = 100;

const POLL: Duration = Duration::from_secs(5);

impl Records<'_> {
    /// Publishes due records; returns their number.
    ///
    /// Each is a separate change in the name of the node, which removes the body's `publish_at`.
    /// Concurrent instances publish each record once. A record that cannot be published (its body
    /// is no longer valid, say) is logged and does not affect the others.
    pub async fn publish_due(self) -> Result<usize> {
        let now = self.store.clock().now();
        let mut published = 0;
        let mut last = None;
        loop {
            let mut due = record::Entity::find()
                .filter(record::Column::Origin.eq(&self.store.node().origin))
                .filter(record::Column::PublishAt.lte(now))
                .filter(record::Column::Publication.ne(Publication::Published.code()))
                .order_by_asc(record::Column::Id)
                .limit(PAGE);
            if let Some(last) = last {
                due = due.filter(record::Column::Id.gt(last));
            }
            let due = due
                .into_model::<Record>()
                .all(self.store.db().reader())
                .await?;
            let Some(end) = due.last() else {
                return Ok(published);
            };
            last = Some(end.id);
            for row in &due {
                match publish_one(self.store, row, now).await {
                    Ok(done) => published += usize::from(done),
                    Err(why) if why.is_of_database() => return Err(why),
                    Err(why) => {
                        tracing::error!(record_id = %row.id, kind = row.kind.code(), error = %why, "cannot publish a record at its date");
                    }
                }
            }
        }
    }
}

/// Publishes a record if it is still due; returns whether it was.
async fn publish_one(store: &Store, row: &Record, now: DateTime<Utc>) -> Result<bool> {
    let Some(date) = row.publish_at else {
        return Ok(false);
    };
    let kind = row.kind;
    let options = WriteOptions {
        reason: Some(format!("publish_at {}", domain::base::clock::rfc3339(date))),
        ..WriteOptions::default()
    };
    let node = Caller::node();
    let outcome = store.write(&node, &options, async |tx| {
        let row = tx.records().lock(kind, row.id, &Precondition::Any).await?;
        // Another instance, or an editor, may have been faster.
        let due = row.publish_at.is_some_and(|date| date <= now);
        if !due || row.publication == Publication::Published {
            return Ok(false);
        }
        let edit = Edit::Patch(json!({"publication": Publication::Published}));
        Ok(tx.records().update(row, edit).await?.changed)
    });
    match outcome.await {
        // Deleted since.
        Err(StoreError::NotFound) => Ok(false),
        outcome => outcome,
    }
}

pub(crate) async fn publish(store: Store, mut stop: watch::Receiver<bool>) {
    let mut written = store.log().watch();
    while !*stop.borrow() && stop.has_changed().is_ok() {
        match store.records().publish_due().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "records published at their date"),
            Err(error) => {
                tracing::error!(%error, "cannot publish due records; will retry");
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(POLL) => {}
            // A date may have been changed; a burst of writes is handled at once.
            () = woken(&mut written) => {}
        }
    }
}

/// Waits for a write, and a little longer, so that many writes are handled together.
async fn woken(written: &mut watch::Receiver<i64>) {
    if written.changed().await.is_err() {
        // All writers are gone; the pause ends the wait.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
}
