//! Merging a record into another one of its kind, and undoing it. Nothing else is rewritten: the
//! loser becomes a tombstone that names the merge target, and its last body stays in the log.

use crate::entity::{edge, merged, record, tombstone};
use crate::error::{Result, StoreError};
use crate::merge_targets::{last_bodies, merge_targets, with_merged};
use crate::record::{Record, gone, parse, tombstone_subject};
use crate::records::{Records, RecordsMut};
use crate::transaction::{Transaction, WriteOptions};
use crate::visibility::public::update_visibility_around;
use crate::write::conflict::{free_slug, refuse_conflicts};
use crate::write::delete::{lock_against_naming, replace_with_tombstone};
use crate::write::edges::{is_above, take_turns};
use crate::write::prepare::{prepare, row};
use crate::write::resolve::resolve_slot;
use crate::write::revive::revive;
use crate::write::{Precondition, Saved, insert_record};
use domain::access::rules::{Action, Caller, Subject};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::{canonical, insert};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::kinds::common::Publication;
use domain::kinds::record_type::Hierarchy;
use domain::validation::body::KindSchema;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use serde_json::Value;
use uuid::Uuid;

impl Records<'_> {
    /// Undoes the merge of a record, which is restored with its last body.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nothing of that key was merged; [`StoreError::Forbidden`]
    /// without write access to it and to the merge target; [`StoreError::Conflict`] if another record
    /// has taken an identifier of it; [`StoreError::Invalid`] if it references what no longer
    /// exists.
    pub async fn unmerge(
        self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        expected: &Precondition,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.store
            .write(caller, options, async |tx| {
                let tombstone = tombstone(tx, kind, key, expected).await?;
                let mut saved = unmerge(tx, kind, tombstone).await?;
                tx.finish(&mut saved.row).await?;
                Ok(saved)
            })
            .await
    }
}

impl RecordsMut<'_, '_> {
    /// Merges a record into another one of its kind and returns the merge target.
    ///
    /// `into` is a reference in any form; a merged record means its merge target. Relationships of
    /// the loser are not changed; where one of them equals one of the merge target's, both are shown.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if `into` names nothing, the record itself or something above or
    /// below it; [`StoreError::Forbidden`] without write access to both; as
    /// [`crate::records::Records::update`].
    pub async fn merge(
        self,
        (kind, loser): (Kind, Uuid),
        into: &Value,
        expected: &Precondition,
    ) -> Result<Record> {
        take_turns(self.tx, tree_of(kind)).await?;
        // Callers that may not write the record learn nothing of the other one.
        let old = self.tx.records().lock(kind, loser, expected).await?;
        authorise_merge(self.tx, &self.tx.subject(&old))?;
        let merge_target = resolve_slot(self.tx, "/into", kind, into).await?;
        if merge_target == loser {
            return Err(wrong_merge_target(FaultCode::MergeSelf));
        }
        let into = record::Entity::find_by_id(merge_target)
            .into_model::<Record>()
            .one(&self.tx.sql)
            .await?;
        let into = into.ok_or(StoreError::NotFound)?;
        authorise_merge(self.tx, &self.tx.subject(&into))?;
        lock_against_naming(self.tx, loser).await?;
        for (below, above) in [(loser, merge_target), (merge_target, loser)] {
            if is_above(self.tx, kind, below, above).await? {
                return Err(wrong_merge_target(FaultCode::MergeCircle));
            }
        }
        replace_with_tombstone(self.tx, &old, Cause::Merged, Some(merge_target)).await?;
        // Records merged into the loser belong to the merge target now.
        merged::Entity::update_many()
            .col_expr(merged::Column::TargetId, Expr::value(merge_target))
            .filter(merged::Column::TargetId.eq(loser))
            .exec(&self.tx.sql)
            .await?;
        let row = merged::ActiveModel {
            loser_id: Set(loser),
            target_id: Set(merge_target),
        };
        merged::Entity::insert(row)
            .exec_without_returning(&self.tx.sql)
            .await?;
        if into.is_public && !old.is_public {
            report_known_losers(self.tx, loser).await?;
        }
        update_visibility_around(self.tx, loser).await?;
        Ok(into)
    }
}

/// Logs that a hidden record and what was merged into it lead to a visible one now: readers of the
/// feed that knew them learn of it.
async fn report_known_losers(tx: &mut Transaction<'_>, loser: Uuid) -> Result<()> {
    let ids = with_merged(&tx.sql, loser).await?;
    let known = tombstone::Entity::find()
        .filter(tombstone::Column::Id.is_in(ids))
        .filter(tombstone::Column::Origin.eq(&tx.origin))
        .filter(tombstone::Column::WasPublic.eq(true))
        .all(&tx.sql)
        .await?;
    for tombstone in &known {
        tx.log().merge_reported(tombstone);
    }
    Ok(())
}

/// Merging regions changes the tree, which is reserved for admins.
fn authorise_merge(tx: &Transaction<'_>, subject: &Subject<'_>) -> Result<()> {
    tx.authorise(Action::Write, subject)?;
    if subject.kind == Kind::Region {
        tx.authorise(Action::ShapeTree, subject)?;
    }
    Ok(())
}

/// The tombstone of this node's merged record of this id or slug, locked.
async fn tombstone(
    tx: &Transaction<'_>,
    kind: Kind,
    key: &str,
    expected: &Precondition,
) -> Result<tombstone::Model> {
    take_turns(tx, tree_of(kind)).await?;
    let mut tombstones = tombstone::Entity::find()
        .filter(tombstone::Column::Kind.eq(kind.code()))
        .filter(tombstone::Column::Origin.eq(&tx.origin))
        .filter(tombstone::Column::MergedInto.is_not_null())
        .order_by_desc(tombstone::Column::DeletedAt);
    tombstones = match Uuid::try_parse(key) {
        Ok(id) => tombstones.filter(tombstone::Column::Id.eq(id)),
        Err(_) => tombstones.filter(tombstone::Column::Slug.eq(key)),
    };
    if tx.db().is_postgres() {
        tombstones = tombstones.lock(LockType::Update);
    }
    let Some(tombstone) = tombstones.one(&tx.sql).await? else {
        return Err(nothing_merged(tx, kind, key).await?);
    };
    let subject = tombstone_subject(&tombstone, kind, &tx.origin);
    if !tx.caller.can_read(&subject) {
        return Err(StoreError::NotFound);
    }
    authorise_merge(tx, &subject)?;
    expected.met_by(tombstone.version)?;
    Ok(tombstone)
}

/// A caller without write access gets that error, whether the record was merged or not.
async fn nothing_merged(tx: &Transaction<'_>, kind: Kind, key: &str) -> Result<StoreError> {
    let rows = record::Entity::find().filter(record::Column::Kind.eq(kind.code()));
    let rows = match Uuid::try_parse(key) {
        Ok(id) => rows.filter(record::Column::Id.eq(id)),
        Err(_) => rows.filter(record::Column::Slug.eq(key)),
    };
    for row in rows.into_model::<Record>().all(&tx.sql).await? {
        let subject = tx.subject(&row);
        if tx.caller.can_read(&subject) {
            authorise_merge(tx, &subject)?;
        }
    }
    Ok(StoreError::NotFound)
}

async fn unmerge(
    tx: &mut Transaction<'_>,
    kind: Kind,
    tombstone: tombstone::Model,
) -> Result<Saved> {
    authorise_merge_target(tx, tombstone.id).await?;
    // Readers of the feed know that it was merged.
    let told = tombstone.was_public || is_named_publicly(tx, tombstone.id).await?;
    let mut bodies = last_bodies(&tx.sql, [tombstone.id]).await?;
    let Some(body) = bodies.remove(&tombstone.id) else {
        // Erased, or pruned from the log: there is nothing to restore.
        return Err(gone(kind, tombstone));
    };
    let mut body = parse(&body)?;
    if let Some(slug) = body.get("slug").and_then(Value::as_str) {
        let free = free_slug(tx, kind, slug).await?;
        insert(&mut body, &["slug"], free);
    }
    merged::Entity::delete_by_id(tombstone.id)
        .exec(&tx.sql)
        .await?;
    follow_again(tx, tombstone.id).await?;
    let saved = reinsert(tx, kind, &tombstone, &body).await?;
    if told && !saved.row.is_public {
        tx.log().withdrawal(&saved.row);
    }
    update_visibility_around(tx, saved.row.id).await?;
    Ok(saved)
}

/// Puts a record with its last body in the place of its tombstone. Nothing is written unless it can be
/// restored.
///
/// # Errors
/// As those of creating a record with this body.
pub(crate) async fn reinsert(
    tx: &mut Transaction<'_>,
    kind: Kind,
    tombstone: &tombstone::Model,
    body: &Value,
) -> Result<Saved> {
    let old = as_it_was(kind, tombstone, body);
    let prepared = prepare(tx, kind, tombstone.id, old.parse_body()?, Some(&old)).await?;
    let mut row = row(tx, kind, tombstone.id, &prepared)?;
    row.version = tombstone.version + 1;
    row.created_at = tombstone.created_at;
    row.was_public |= tombstone.was_public;
    refuse_conflicts(tx, &row, &prepared).await?;
    revive(tx, kind, tombstone).await?;
    insert_record(tx, &mut row, &prepared).await?;
    Ok(Saved {
        row,
        warnings: prepared.warnings,
        changed: true,
    })
}

/// Whether a relationship that outsiders see has the record at an end.
async fn is_named_publicly(tx: &Transaction<'_>, id: Uuid) -> Result<bool> {
    let at = Condition::any()
        .add(edge::Column::FromId.eq(id))
        .add(edge::Column::ToId.eq(id));
    let named = edge::Entity::find()
        .select_only()
        .column(edge::Column::RecordId)
        .filter(at);
    let shown = record::Entity::find()
        .filter(record::Column::Id.in_subquery(named.into_query()))
        .filter(record::Column::IsPublic.eq(true))
        .limit(1);
    Ok(shown.count(&tx.sql).await? > 0)
}

async fn authorise_merge_target(tx: &Transaction<'_>, loser: Uuid) -> Result<()> {
    let merge_targets = merge_targets(&tx.sql, [loser]).await?;
    let Some(merge_target) = merge_targets.get(&loser) else {
        return Ok(());
    };
    match record::Entity::find_by_id(*merge_target)
        .into_model::<Record>()
        .one(&tx.sql)
        .await?
    {
        Some(row) => authorise_merge(tx, &tx.subject(&row)),
        // Deleted since.
        None => Ok(()),
    }
}

/// Records merged into a restored record have it as their merge target again.
pub(crate) async fn follow_again(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    let sql = "WITH RECURSIVE below(id) AS (\
         SELECT id FROM tombstone WHERE merged_into = $1 UNION \
         SELECT tombstone.id FROM tombstone JOIN below ON tombstone.merged_into = below.id) \
         UPDATE merged SET target_id = $1 WHERE loser_id IN (SELECT id FROM below)";
    tx.execute(sql, [id.into()]).await
}

/// The kind whose lock protects the tree of a kind.
pub(crate) fn tree_of(kind: Kind) -> Kind {
    match KindSchema::of(kind).hierarchy {
        Hierarchy::Broader => kind,
        Hierarchy::PartOf => Kind::Relationship,
    }
}

fn wrong_merge_target(code: FaultCode) -> StoreError {
    StoreError::Invalid(vec![FieldError::new("/into", Fault::new(code))])
}

/// The former row of a merged record, with which the rules compare the restored body.
fn as_it_was(kind: Kind, tombstone: &tombstone::Model, body: &Value) -> Record {
    let facts = KindSchema::of(kind).facts(body);
    Record {
        id: tombstone.id,
        kind,
        origin: tombstone.origin.clone(),
        slug: facts.slug,
        name: facts.name,
        system: tombstone.system.clone(),
        external_id: tombstone.external_id.clone(),
        home_region: tombstone.home_region,
        publication: facts.publication.unwrap_or(Publication::Draft),
        was_public: tombstone.was_public,
        is_public: false,
        suppressed: false,
        withholds: false,
        publish_at: facts.publish_at,
        relationship_key: None,
        version: tombstone.version,
        seq: 0,
        created_at: tombstone.created_at,
        updated_at: tombstone.deleted_at,
        synced_at: None,
        body: canonical(body),
    }
}
