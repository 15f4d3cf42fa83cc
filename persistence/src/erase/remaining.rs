//! The relationships of a record that had too many to be deleted with it at once.
//!
//! Deleting or erasing a record takes the first of its relationships along in the same transaction.
//! None of the others is shown from then on, because an end is missing; this log consumer deletes or
//! erases them in batches. Their entries name the same deletion as that of the record. Copies of
//! partners stay: they are theirs to delete.

use crate::consumers::{Entry, LogConsumer};
use crate::entity::{change, log_consumer, tombstone};
use crate::erase::forget_everything;
use crate::error::Result;
use crate::merge_targets::with_losers;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::delete::{forget_persons, owned_edges, replace_with_tombstone};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Number of entries without deletions after which the cursor is saved without effect.
const FAR: i64 = 1000;

#[derive(Debug)]
pub struct DeletionConsumer {
    store: Store,
    /// The cursor as last saved here.
    saved: i64,
}

impl DeletionConsumer {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, saved: 0 }
    }
}

impl LogConsumer for DeletionConsumer {
    fn name(&self) -> &'static str {
        log_consumer::DELETIONS
    }

    async fn cursor(&mut self) -> Result<i64> {
        self.saved = self.store.cursors().get(log_consumer::DELETIONS).await?;
        Ok(self.saved)
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        let deletions: BTreeSet<Uuid> = entries.iter().filter_map(deleted_here).collect();
        if deletions.is_empty() && last - self.saved < FAR {
            return Ok(());
        }
        for id in deletions {
            self.store.records().finish_deletion(id).await?;
        }
        self.store
            .write(&Caller::node(), &options(), async |tx| {
                if tx.cursors().lock(log_consumer::DELETIONS).await? < last {
                    tx.cursors().update(log_consumer::DELETIONS, last).await?;
                }
                Ok(())
            })
            .await?;
        self.saved = last;
        Ok(())
    }
}

fn options() -> WriteOptions {
    WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    }
}

/// The record that an entry deletes by a decision of this node.
fn deleted_here(entry: &Entry) -> Option<Uuid> {
    let here = entry.is(Op::Delete) && entry.deletion_id.is_some();
    (here && entry.kind != Kind::Relationship.code()).then_some(entry.record_id)
}

impl crate::records::Records<'_> {
    /// Deletes or erases the relationships that are left of a deleted record. It may be interrupted
    /// and repeated at any time.
    pub async fn finish_deletion(self, id: Uuid) -> Result<()> {
        let store = self.store;
        while !store
            .write(&Caller::node(), &options(), async |tx| {
                delete_some(tx, id).await
            })
            .await?
        {}
        Ok(())
    }
}

/// Deletes some of the relationships of a deleted record; returns whether none was left.
async fn delete_some(tx: &mut Transaction<'_>, id: Uuid) -> Result<bool> {
    // Locked, so that it is not restored between this and the relationships.
    let mut query = tombstone::Entity::find_by_id(id);
    if tx.db().is_postgres() {
        query = query.lock(LockType::Update);
    }
    let Some(tombstone) = query.one(&tx.sql).await? else {
        // It was restored, and what is left is shown with it again.
        return Ok(true);
    };
    if tombstone.merged_into.is_some() {
        return Ok(true);
    }
    let erased = tombstone.cause == Cause::Erased.code();
    let cause = if erased {
        Cause::Erased
    } else {
        Cause::Deleted
    };
    let at = with_losers(&tx.sql, [id]).await?;
    let edges = owned_edges(tx, &at, erased.then_some(tombstone.origin.as_str())).await?;
    if edges.is_empty() {
        return Ok(true);
    }
    tx.deletion = deletion_of(tx, id).await?;
    let ids: BTreeSet<Uuid> = edges.iter().map(|row| row.id).collect();
    forget_persons(tx, &ids).await?;
    for row in &edges {
        replace_with_tombstone(tx, row, cause, None).await?;
    }
    if erased {
        forget_everything(tx, &BTreeSet::new(), &ids).await?;
    }
    // Fewer than a batch holds may also mean that some were moved while they were locked.
    Ok(false)
}

async fn deletion_of(tx: &Transaction<'_>, id: Uuid) -> Result<Option<Uuid>> {
    let found = change::Entity::find()
        .select_only()
        .column(change::Column::DeletionId)
        .filter(change::Column::RecordId.eq(id))
        .filter(change::Column::Newest.eq(true))
        .into_tuple::<Option<Uuid>>()
        .one(&tx.sql)
        .await?;
    Ok(found.flatten())
}
