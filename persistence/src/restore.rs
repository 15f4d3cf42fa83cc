//! Undoing a deletion: the record comes back with its last body, and so do the relationships that went
//! with it.

use crate::entity::{change, record, tombstone};
use crate::error::{Result, StoreError};
use crate::merge::{follow_again, reinsert, tree_of};
use crate::merge_targets::last_bodies;
use crate::record::{Record, gone, parse, tombstone_subject};
use crate::records::Records;
use crate::transaction::{Transaction, WriteOptions};
use crate::visibility::public::update_visibility_around;
use crate::write::conflict::free_slug;
use crate::write::edges::take_turns;
use crate::write::revive::{refuse_erased, refuse_merged};
use crate::write::supplied::refuse_supplied;
use crate::write::{Precondition, locked};
use domain::access::rules::{Action, Caller};
use domain::base::fault::FieldError;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, LeftOut, Op};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

/// Relationships that are restored in one transaction.
const BATCH: u64 = 400;

/// Relationships that could not be restored of which each is named.
const NAMED: usize = 100;

/// What came back.
#[derive(Debug)]
pub struct Restoration {
    pub record: Record,
    /// Number of relationships that came back with it.
    pub relationships: u64,
    /// Number of those that did not.
    pub left_out: u64,
    /// The first ones, and why.
    pub examples: Vec<(Uuid, LeftOut)>,
}

/// How far the relationships of a deletion have been restored.
#[derive(Debug, Default)]
struct Batch {
    last: Option<Uuid>,
    is_full: bool,
    restored: u64,
    left_out: Vec<(Uuid, LeftOut)>,
}

impl Records<'_> {
    /// Restores a deleted record of this node with the relationships that were deleted with it. Of a
    /// record that is there again, it restores what is left.
    ///
    /// What cannot come back is named: relationships whose other end is gone, that were stated again or
    /// that the caller may not write. Contact persons and geometries are not kept by a deletion.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none that the caller may see, [`StoreError::Gone`] if its
    /// body was erased or is no longer kept, [`StoreError::Conflict`] if it was merged, or another
    /// record has an identifier of it; otherwise as those of an update.
    pub async fn restore(
        self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        expected: &Precondition,
        options: &WriteOptions,
    ) -> Result<Restoration> {
        let restored = self.store.write(caller, options, async |tx| {
            let mut restoration = restore_record(tx, kind, key, expected).await?;
            let id = restoration.record.id;
            let mut batch = Batch::default();
            // A relationship comes back alone.
            let deletion = match kind {
                Kind::Relationship => None,
                _ => deletion_of(tx, id).await?,
            };
            let mut next = deletion;
            while let Some(one) = next {
                batch = restore_batch(tx, one, batch.last).await?;
                restoration.add(&mut batch);
                // A dry run is one transaction, whose changes are rolled back.
                next = next.filter(|_| tx.options.dry_run && batch.is_full);
            }
            let rest = deletion.filter(|_| batch.is_full);
            tx.finish(&mut restoration.record).await?;
            Ok((restoration, rest, batch.last))
        });
        let (mut restoration, rest, mut last) = restored.await?;
        let mut rest = rest.filter(|_| !options.dry_run);
        while let Some(deletion) = rest {
            let work = async |tx: &mut Transaction<'_>| restore_batch(tx, deletion, last).await;
            let mut batch = self.store.write(caller, options, work).await?;
            restoration.add(&mut batch);
            last = batch.last;
            rest = rest.filter(|_| batch.is_full);
        }
        Ok(restoration)
    }
}

impl Restoration {
    fn of(record: Record) -> Self {
        Self {
            record,
            relationships: 0,
            left_out: 0,
            examples: Vec::new(),
        }
    }

    fn add(&mut self, batch: &mut Batch) {
        self.relationships += batch.restored;
        self.left_out += batch.left_out.len() as u64;
        let room = NAMED.saturating_sub(self.examples.len());
        self.examples.extend(batch.left_out.drain(..).take(room));
    }
}

async fn restore_record(
    tx: &mut Transaction<'_>,
    kind: Kind,
    key: &str,
    expected: &Precondition,
) -> Result<Restoration> {
    take_turns(tx, tree_of(kind)).await?;
    let Some(tombstone) = deleted(tx, kind, key).await? else {
        let row = living(tx, kind, key).await?;
        expected.met_by(row.version)?;
        return Ok(Restoration::of(row));
    };
    let subject = tombstone_subject(&tombstone, kind, &tx.origin);
    tx.authorise(Action::Write, &subject)?;
    refuse_erased(tx, kind, &tombstone)?;
    refuse_merged(tx, kind, &tombstone).await?;
    refuse_supplied(tx, tombstone.system.as_deref()).await?;
    expected.met_by(tombstone.version)?;
    let mut body = last_body(tx, kind, &tombstone).await?;
    if let Some(slug) = body.get("slug").and_then(Value::as_str) {
        let free = free_slug(tx, kind, slug).await?;
        insert(&mut body, &["slug"], free);
    }
    follow_again(tx, tombstone.id).await?;
    let saved = reinsert(tx, kind, &tombstone, &body).await?;
    update_visibility_around(tx, saved.row.id).await?;
    Ok(Restoration::of(saved.row))
}

/// The tombstone of this node's record of this id, or of the last one of this slug, if the caller may
/// see it.
async fn deleted(tx: &Transaction<'_>, kind: Kind, key: &str) -> Result<Option<tombstone::Model>> {
    let named = match Uuid::try_parse(key) {
        Ok(id) => tombstone::Column::Id.eq(id),
        Err(_) => tombstone::Column::Slug.eq(key),
    };
    let found = tombstone::Entity::find()
        .filter(tombstone::Column::Kind.eq(kind.code()))
        .filter(tombstone::Column::Origin.eq(&tx.origin))
        .filter(named)
        .order_by_desc(tombstone::Column::DeletedAt)
        .one(&tx.sql)
        .await?;
    let is_seen = |found: &tombstone::Model| {
        tx.caller
            .can_read(&tombstone_subject(found, kind, &tx.origin))
    };
    Ok(found.filter(is_seen))
}

/// A record that is there, if the caller may write it.
async fn living(tx: &Transaction<'_>, kind: Kind, key: &str) -> Result<Record> {
    let id = match Uuid::try_parse(key) {
        Ok(id) => Some(id),
        Err(_) => {
            record::Entity::find()
                .select_only()
                .column(record::Column::Id)
                .filter(record::Column::Kind.eq(kind.code()))
                .filter(record::Column::Origin.eq(&tx.origin))
                .filter(record::Column::Slug.eq(key))
                .into_tuple()
                .one(&tx.sql)
                .await?
        }
    };
    let row = locked(tx, kind, id.ok_or(StoreError::NotFound)?).await?;
    let subject = tx.subject(&row);
    if !tx.caller.can_read(&subject) {
        return Err(StoreError::NotFound);
    }
    tx.authorise(Action::Write, &subject)?;
    Ok(row)
}

async fn last_body(
    tx: &Transaction<'_>,
    kind: Kind,
    tombstone: &tombstone::Model,
) -> Result<Value> {
    let mut bodies = last_bodies(&tx.sql, [tombstone.id]).await?;
    match bodies.remove(&tombstone.id) {
        Some(body) => parse(&body),
        // It was erased, or pruned from the log.
        None => Err(gone(kind, tombstone.clone())),
    }
}

/// The last deletion of a record.
async fn deletion_of(tx: &Transaction<'_>, id: Uuid) -> Result<Option<Uuid>> {
    let found = change::Entity::find()
        .select_only()
        .column(change::Column::DeletionId)
        .filter(change::Column::RecordId.eq(id))
        .filter(change::Column::Op.eq(Op::Delete.code()))
        .order_by_desc(change::Column::Seq)
        .into_tuple::<Option<Uuid>>()
        .one(&tx.sql)
        .await?;
    Ok(found.flatten())
}

/// Restores the next relationships of a deletion, in the order of their ids.
async fn restore_batch(
    tx: &mut Transaction<'_>,
    deletion: Uuid,
    after: Option<Uuid>,
) -> Result<Batch> {
    take_turns(tx, Kind::Relationship).await?;
    let ids: Vec<Uuid> = change::Entity::find()
        .select_only()
        .column(change::Column::RecordId)
        .filter(change::Column::DeletionId.eq(deletion))
        // What came back may have been deleted since for another reason.
        .filter(change::Column::Newest.eq(true))
        .filter(change::Column::Kind.eq(Kind::Relationship.code()))
        .filter(change::Column::RecordId.gt(after.unwrap_or(Uuid::nil())))
        .order_by_asc(change::Column::RecordId)
        .limit(BATCH)
        .into_tuple()
        .all(&tx.sql)
        .await?;
    let tombstones = tombstone::Entity::find()
        .filter(tombstone::Column::Id.is_in(ids.iter().copied()))
        .filter(tombstone::Column::Cause.eq(Cause::Deleted.code()))
        .order_by_asc(tombstone::Column::Id)
        .all(&tx.sql)
        .await?;
    let mut batch = Batch {
        last: ids.last().copied().or(after),
        is_full: ids.len() as u64 == BATCH,
        ..Batch::default()
    };
    for tombstone in tombstones {
        match restore_relationship(tx, &tombstone).await {
            Ok(()) => batch.restored += 1,
            Err(why) => {
                let why = left_out(&why).ok_or(why)?;
                batch.left_out.push((tombstone.id, why));
            }
        }
    }
    Ok(batch)
}

async fn restore_relationship(
    tx: &mut Transaction<'_>,
    tombstone: &tombstone::Model,
) -> Result<()> {
    let body = last_body(tx, Kind::Relationship, tombstone).await?;
    let saved = reinsert(tx, Kind::Relationship, tombstone, &body).await?;
    update_visibility_around(tx, saved.row.id).await
}

/// Why a relationship stays deleted; none if the error is another one.
fn left_out(why: &StoreError) -> Option<LeftOut> {
    Some(match why {
        StoreError::Invalid(errors) => {
            let is_end = |error: &FieldError| {
                ["/from", "/to"]
                    .iter()
                    .any(|end| error.pointer.starts_with(end))
            };
            if errors.iter().any(is_end) {
                LeftOut::EndMissing
            } else {
                LeftOut::Invalid
            }
        }
        StoreError::Conflict(_) => LeftOut::StatedAgain,
        StoreError::Forbidden(_) => LeftOut::NotAllowed,
        StoreError::Gone(_) => LeftOut::Pruned,
        _ => return None,
    })
}
