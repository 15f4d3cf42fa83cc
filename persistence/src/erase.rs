//! Erasing: no content of a record is left, only the fact that it existed.
//!
//! A tombstone without slug and keys stays, and so do the entries of the log without bodies and
//! reasons: log consumers and partners must learn of it, and numbers and versions must not be
//! reused. The index removes its content when it processes the entry; see [`crate::search`].

pub mod remaining;
mod vacuum;

use crate::entity::{change, tombstone};
use crate::error::{Denied, Result, StoreError};
use crate::merge_targets::with_merged;
use crate::record::Record;
use crate::records::{Records, RecordsMut};
use crate::store::REFERENCE_ORIGIN;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::delete::{
    forget_persons, lock_against_naming, owned_edges, refuse_referenced, replace_with_tombstone,
};
use crate::write::idempotency::blank_responses;
use crate::write::{Precondition, locked};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Every place except the rows of records and contact persons that stores content of a record or
/// statements about it; `{ids}` are the records. **A new table with bodies, names or texts needs a
/// line here**.
const PLACES: &[&str] = &[
    "UPDATE change SET body = NULL, reason = NULL, erased = (erased OR op = 'upsert') \
     WHERE record_id IN ({ids})",
    "UPDATE tombstone SET slug = NULL, system = NULL, external_id = NULL, cause = 'erased' \
     WHERE id IN ({ids})",
    "DELETE FROM redirect WHERE record_id IN ({ids})",
    "DELETE FROM geometry WHERE record_id IN ({ids})",
    "DELETE FROM hidden WHERE record_id IN ({ids})",
    "DELETE FROM application WHERE network_id IN ({ids}) OR relationship_id IN ({ids})",
    "DELETE FROM confirmation WHERE record_id IN ({ids})",
    "DELETE FROM duplicate_pair WHERE a_id IN ({ids}) OR b_id IN ({ids})",
    "UPDATE confirmation SET note = NULL WHERE end_id IN ({ids})",
    "DELETE FROM quarantine WHERE record_id IN ({ids})",
    "DELETE FROM source_key WHERE record_id IN ({ids})",
];

const CHUNK: usize = 200;

/// The options of an erasure: the audit gets the version and the reason.
#[must_use]
pub fn options(version: Option<i64>, reason: Option<String>, dry_run: bool) -> WriteOptions {
    let reason = match (version, reason) {
        (Some(version), Some(reason)) => Some(format!("version {version} erased: {reason}")),
        (Some(version), None) => Some(format!("version {version} erased")),
        (None, reason) => reason,
    };
    WriteOptions {
        dry_run,
        reason,
        bulk: false,
    }
}

impl Records<'_> {
    /// The record to be erased, living or dead, by id or slug.
    ///
    /// # Errors
    /// As [`Self::get`] for slugs; [`crate::records::RecordsMut::erase`] reports unknown ids.
    pub async fn find_erasable(self, caller: &Caller, kind: Kind, key: &str) -> Result<Uuid> {
        if let Ok(id) = Uuid::try_parse(key) {
            return Ok(id);
        }
        match self.store.records().get(caller, kind, key).await {
            Ok(row) => Ok(row.id),
            Err(StoreError::Gone(tombstone)) => Ok(tombstone.envelope.id),
            Err(other) => Err(other),
        }
    }
}

impl RecordsMut<'_, '_> {
    /// Erases a record with its relationships, contact persons and applications, the records merged
    /// into it, and every earlier version of all of these; or the remains of a deleted one. Of many
    /// relationships some are left, which [`Records::finish_deletion`] erases.
    ///
    /// A copy is erased on this node only. Its id stays closed, so that its origin cannot bring it
    /// back.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for callers other than admins of the node, [`StoreError::Gone`] if
    /// it is erased already, [`StoreError::NotFound`], [`StoreError::PreconditionFailed`];
    /// [`StoreError::StillReferenced`] as for deleting.
    pub async fn erase(self, kind: Kind, id: Uuid, expected: &Precondition) -> Result<()> {
        let erasable = erasable(self.tx, kind, id).await?;
        expected.met_by(erasable.version())?;
        lock_against_naming(self.tx, id).await?;
        let ids = with_merged(&self.tx.sql, id).await?;
        let mut going = Vec::new();
        if let Erasable::Living(row) = erasable {
            refuse_referenced(self.tx, &ids).await?;
            going = owned_edges(self.tx, &ids, Some(&row.origin)).await?;
            going.push(*row);
        }
        self.tx.deletion = Some(domain::base::id::new());
        log_dead(self.tx, &ids).await?;
        for row in &going {
            replace_with_tombstone(self.tx, row, Cause::Erased, None).await?;
        }
        self.tx.deletion = None;
        let all = ids.iter().copied().chain(going.iter().map(|row| row.id));
        forget_everything(self.tx, &ids, &all.collect()).await
    }

    /// Erases one superseded version of a record of this node.
    pub async fn erase_version(
        self,
        (kind, id): (Kind, Uuid),
        version: i64,
        expected: &Precondition,
    ) -> Result<()> {
        let erasable = erasable(self.tx, kind, id).await?;
        // Of copies there are no earlier versions.
        if erasable.origin() != self.tx.origin {
            return Err(StoreError::Forbidden(Denied::Copy));
        }
        expected.met_by(erasable.version())?;
        let made = change::Entity::find()
            .select_only()
            .column(change::Column::Newest)
            .filter(change::Column::RecordId.eq(id))
            .filter(change::Column::Version.eq(version))
            .filter(change::Column::Op.eq(Op::Upsert.code()))
            .into_tuple::<bool>()
            .one(&self.tx.sql)
            .await?;
        match made {
            None => return Err(StoreError::NotFound),
            Some(true) => return Err(StoreError::NotSuperseded { version }),
            Some(false) => {}
        }
        let sql = "UPDATE change SET body = NULL, reason = NULL, erased = (erased OR op = 'upsert') \
             WHERE record_id = $1 AND version = $2";
        self.tx.execute(sql, [id.into(), version.into()]).await?;
        blank_responses(self.tx, &[id]).await?;
        match &erasable {
            Erasable::Living(row) => self.tx.log().version_erased(row),
            Erasable::Dead(tombstone) => self.tx.log().dead_version_erased(tombstone),
        }
        Ok(())
    }
}

/// The target of an erasure, if the caller may erase it, locked.
async fn erasable(tx: &Transaction<'_>, kind: Kind, id: Uuid) -> Result<Erasable> {
    if !tx.caller.is_node_admin() {
        return Err(StoreError::Forbidden(Denied::Admin));
    }
    match locked(tx, kind, id).await {
        Ok(row) if row.origin == REFERENCE_ORIGIN => Err(StoreError::Forbidden(Denied::Copy)),
        Ok(row) => Ok(Erasable::Living(Box::new(row))),
        Err(StoreError::NotFound) => {
            let dead = dead_to_erase(tx, kind, id).await?;
            Ok(Erasable::Dead(Box::new(dead)))
        }
        Err(other) => Err(other),
    }
}

async fn dead_to_erase(tx: &Transaction<'_>, kind: Kind, id: Uuid) -> Result<tombstone::Model> {
    let mut tombstone =
        tombstone::Entity::find_by_id(id).filter(tombstone::Column::Kind.eq(kind.code()));
    if tx.db().is_postgres() {
        tombstone = tombstone.lock(LockType::Update);
    }
    let tombstone = tombstone.one(&tx.sql).await?.ok_or(StoreError::NotFound)?;
    if tombstone.cause == Cause::Erased.code() {
        return Err(crate::record::gone(kind, tombstone));
    }
    Ok(tombstone)
}

/// Writes log entries for those of the records that are dead already.
async fn log_dead(tx: &mut Transaction<'_>, ids: &BTreeSet<Uuid>) -> Result<()> {
    let tombstones = tombstone::Entity::find()
        .filter(tombstone::Column::Id.is_in(ids.iter().copied()))
        .filter(tombstone::Column::Cause.ne(Cause::Erased.code()))
        .all(&tx.sql)
        .await?;
    for mut tombstone in tombstones {
        tombstone.version += 1;
        tombstone.deleted_at = tx.now;
        tx.log().erasure(&tombstone).await?;
        tombstone::Entity::update(tombstone.into_active_model().reset_all())
            .exec(&tx.sql)
            .await?;
    }
    Ok(())
}

/// Blanks all content of records; `described` are those that relationships can reference.
pub(crate) async fn forget_everything(
    tx: &mut Transaction<'_>,
    described: &BTreeSet<Uuid>,
    all: &BTreeSet<Uuid>,
) -> Result<()> {
    forget_persons(tx, all).await?;
    let ids: Vec<Uuid> = all.iter().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        let marks: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
        let marks = marks.join(", ");
        for place in PLACES {
            let values = chunk.iter().map(|id| (*id).into());
            tx.execute(&place.replace("{ids}", &marks), values).await?;
        }
    }
    for id in described {
        forget_former_relationships(tx, *id).await?;
    }
    blank_responses(tx, &ids).await
}

/// Blanks the content of relationships from the time when the record was an end: they may have
/// another end now, or be deleted.
async fn forget_former_relationships(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    // Bodies are canonical, so the members of an end are in this order.
    let end = |end: &str| format!("%\"{end}\":{{\"id\":\"{id}\"%").into();
    let sql = "UPDATE change SET body = NULL, reason = NULL, erased = true \
         WHERE kind = 'relationship' AND (body LIKE $1 OR body LIKE $2)";
    tx.execute(sql, [end("from"), end("to")]).await
}

enum Erasable {
    Living(Box<Record>),
    Dead(Box<tombstone::Model>),
}

impl Erasable {
    fn origin(&self) -> &str {
        match self {
            Self::Living(row) => &row.origin,
            Self::Dead(tombstone) => &tombstone.origin,
        }
    }

    fn version(&self) -> i64 {
        match self {
            Self::Living(row) => row.version,
            Self::Dead(tombstone) => tombstone.version,
        }
    }
}
