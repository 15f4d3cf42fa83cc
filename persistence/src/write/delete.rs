//! Deleting: referenced records stay, relationships are deleted with the record, a tombstone
//! remains.

use crate::entity::{edge, geometry, record, redirect, reference, tombstone};
use crate::error::{Result, StoreError};
use crate::merge::standing::{survivors, with_losers};
use crate::unit::Unit;
use crate::write::kind_of;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::value::reference::RecordRef;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Maximum number of relationships deleted with a record in one transaction.
const MAX_RELATIONSHIPS: usize = 400;

/// Maximum number of references that are checked.
const MOST_NAMING: u64 = 200;

impl Unit<'_> {
    pub async fn delete(&mut self, old: record::Model) -> Result<()> {
        self.refuse_supplied(old.system.as_deref()).await?;
        self.lock_against_naming(old.id).await?;
        // References to a record that was merged into this one are references to this one.
        let ids = with_losers(&self.tx, [old.id]).await?;
        let edges = self.own_edges(&ids).await?;
        let going: BTreeSet<Uuid> = edges.iter().map(|row| row.id).collect();
        self.refuse_referenced(&ids, &going).await?;
        self.refuse_shaping(going.iter().copied().chain([old.id]))
            .await?;
        self.forget_persons(&ids.union(&going).copied().collect())
            .await?;
        for row in edges.into_iter().chain([old]) {
            self.bury(&row, Cause::Deleted, None).await?;
        }
        Ok(())
    }

    /// Waits for writers that reference the record and blocks new ones.
    pub(crate) async fn lock_against_naming(&self, id: Uuid) -> Result<()> {
        if !self.db().is_postgres() {
            return Ok(());
        }
        let sql = "SELECT id FROM record WHERE id = $1 FOR UPDATE";
        self.execute(sql, [id.into()]).await
    }

    /// This node's relationships that have the record at an end.
    pub(crate) async fn own_edges(&self, at: &BTreeSet<Uuid>) -> Result<Vec<record::Model>> {
        let ids = self.edges_at(at).await?;
        if ids.len() > MAX_RELATIONSHIPS {
            return Err(StoreError::HasRelationships(ids.len()));
        }
        let mut query = record::Entity::find()
            .filter(record::Column::Id.is_in(ids))
            .filter(record::Column::Origin.eq(&self.origin))
            .order_by_asc(record::Column::Id);
        if !self.db().is_postgres() {
            return Ok(query.all(&self.tx).await?);
        }
        query = query.lock(LockType::Update);
        let mut rows = query.all(&self.tx).await?;
        // Until they were locked, some may have been moved to another record.
        let still: BTreeSet<Uuid> = self.edges_at(at).await?.into_iter().collect();
        rows.retain(|row| still.contains(&row.id));
        Ok(rows)
    }

    async fn edges_at(&self, at: &BTreeSet<Uuid>) -> Result<Vec<Uuid>> {
        let at = Condition::any()
            .add(edge::Column::FromId.is_in(at.iter().copied()))
            .add(edge::Column::ToId.is_in(at.iter().copied()));
        let ids = edge::Entity::find()
            .select_only()
            .column(edge::Column::RecordId)
            .filter(at)
            .into_tuple()
            .all(&self.tx)
            .await?;
        Ok(ids)
    }

    /// Rejects the deletion of a record that another own record references.
    pub(crate) async fn refuse_referenced(
        &self,
        ids: &BTreeSet<Uuid>,
        going: &BTreeSet<Uuid>,
    ) -> Result<()> {
        let naming = reference::Entity::find()
            .select_only()
            .column(reference::Column::RecordId)
            .filter(reference::Column::TargetId.is_in(ids.iter().copied()))
            .into_query();
        // Copies keep a dangling reference; only own records prevent the deletion.
        let rows = record::Entity::find()
            .filter(record::Column::Id.in_subquery(naming))
            .filter(record::Column::Id.is_not_in(ids.union(going).copied()))
            .filter(record::Column::Origin.eq(&self.origin))
            .order_by_asc(record::Column::Id)
            .limit(MOST_NAMING)
            .all(&self.tx)
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut seen = Vec::new();
        for row in &rows {
            if self.caller.sees(&self.subject(row)?) {
                seen.push(RecordRef {
                    kind: kind_of(row)?,
                    id: row.id,
                });
            }
        }
        let total = seen.len();
        seen.truncate(10);
        Err(StoreError::StillReferenced {
            by: seen,
            total,
            hidden: total < rows.len(),
        })
    }

    /// Replaces a record by a tombstone. Former slugs and geometry are deleted with it, unless it
    /// is merged: they lead to the survivor, and return if the merge is undone.
    pub(crate) async fn bury(
        &mut self,
        row: &record::Model,
        cause: Cause,
        merged_into: Option<Uuid>,
    ) -> Result<()> {
        let version = row.version + 1;
        let erased = cause == Cause::Erased;
        if erased {
            self.log_living_erasure(row, version).await?;
        } else {
            self.log_delete(row, version, cause == Cause::Merged)
                .await?;
        }
        self.forget_key(row).await?;
        // An erased record leaves no names.
        let name = |text: &Option<String>| text.clone().filter(|_| !erased);
        let grave = tombstone::ActiveModel {
            id: Set(row.id),
            kind: Set(row.kind.clone()),
            origin: Set(row.origin.clone()),
            slug: Set(name(&row.slug)),
            system: Set(name(&row.system)),
            external_id: Set(name(&row.external_id)),
            home_region: Set(row.home_region),
            version: Set(version),
            was_public: Set(row.was_public && self.ends_were_public(row.id).await?),
            cause: Set(cause.code().to_owned()),
            merged_into: Set(merged_into),
            created_at: Set(row.created_at),
            deleted_at: Set(self.now),
        };
        tombstone::Entity::insert(grave)
            .exec_without_returning(&self.tx)
            .await?;
        if merged_into.is_none() {
            redirect::Entity::delete_many()
                .filter(redirect::Column::RecordId.eq(row.id))
                .exec(&self.tx)
                .await?;
            geometry::Entity::delete_by_id(row.id)
                .exec(&self.tx)
                .await?;
        }
        record::Entity::delete_by_id(row.id).exec(&self.tx).await?;
        Ok(())
    }

    /// A relationship was public only if both its ends were; other records have no ends.
    async fn ends_were_public(&self, id: Uuid) -> Result<bool> {
        let Some(edge) = edge::Entity::find_by_id(id).one(&self.tx).await? else {
            return Ok(true);
        };
        let ends = edge.from_id.into_iter().chain(edge.to_id);
        let survivors = survivors(&self.tx, ends.clone()).await?;
        let ends = ends.map(|id| survivors.get(&id).copied().unwrap_or(id));
        let ends: BTreeSet<Uuid> = ends.collect();
        let public = record::Entity::find()
            .filter(record::Column::Id.is_in(ends.iter().copied()))
            .filter(record::Column::WasPublic.eq(true))
            .count(&self.tx)
            .await?;
        Ok(public == ends.len() as u64)
    }

    /// A key revives the last record that had it.
    async fn forget_key(&self, row: &record::Model) -> Result<()> {
        let (Some(system), Some(key)) = (&row.system, &row.external_id) else {
            return Ok(());
        };
        let sql = "UPDATE tombstone SET system = NULL, external_id = NULL \
             WHERE kind = $1 AND system = $2 AND external_id = $3 AND origin = $4";
        let values = [&row.kind, system, key, &row.origin].map(|text| text.clone().into());
        self.execute(sql, values).await
    }
}
