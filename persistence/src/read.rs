//! Reading records by id or slug.

pub mod addresses;
pub mod export;
pub mod graph;
pub mod history;
pub mod relationships;
pub mod statements;

use crate::entity::{edge, record, redirect, tombstone};
use crate::error::{Result, StoreError};
use crate::merge_targets::merge_targets;
use crate::read::statements::may_write_an_end;
use crate::record::{Record, gone, tombstone_subject};
use crate::records::{Records, by_text};
use crate::store::{Store, rank};
use crate::visibility::seen::visible;
use domain::access::rules::{Action, Caller};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::value::reference::Name;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Records<'_> {
    /// Finds a record by id or slug.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it never existed or is invisible to the caller,
    /// [`StoreError::Gone`], [`StoreError::Moved`], [`StoreError::AmbiguousSlug`].
    pub async fn get(self, caller: &Caller, kind: Kind, key: &str) -> Result<Record> {
        let found = match by_text(key.to_owned()) {
            Name::Id(id) => by_id(self.store, caller, kind, id).await?,
            Name::Slug(slug) => by_slug(self.store, caller, kind, &slug).await?,
            // Paths contain no keys of supplying systems.
            Name::External(_) => None,
        };
        match found {
            Some(row) if can_read(self.store, caller, &row).await? => Ok(row),
            // An invisible draft does not exist for the caller.
            Some(_) => Err(StoreError::NotFound),
            None => Err(absent(self.store, caller, kind, key).await?),
        }
    }

    /// The records among `ids` that the caller sees, in one query.
    pub async fn list(self, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Record>> {
        let rows = rows(self.store, ids).await?.into_values();
        let visible = rows.filter(|row| caller.can_read(&self.store.subject(row)));
        Ok(visible.collect())
    }

    /// As [`Records::list`], with merged records replaced by their merge targets.
    pub async fn list_resolved(self, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Record>> {
        let merge_targets = merge_targets(self.store.db().reader(), ids.iter().copied()).await?;
        let ids = ids.iter().map(|id| merge_targets.get(id).unwrap_or(id));
        let ids: Vec<Uuid> = ids.copied().collect();
        self.list(caller, &ids).await
    }
}

async fn by_id(store: &Store, caller: &Caller, kind: Kind, id: Uuid) -> Result<Option<Record>> {
    Ok(record::Entity::find_by_id(id)
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(not_hidden(store, caller, kind))
        .into_model::<Record>()
        .one(store.db().reader())
        .await?)
}

/// Leaves out what is hidden from the caller before its body is read: the time that a response takes
/// must not tell that something is there.
///
/// Of relationships and hidden copies more than the row decides; see [`can_read`].
fn not_hidden(store: &Store, caller: &Caller, kind: Kind) -> Condition {
    if kind == Kind::Relationship || caller.is_node_admin() {
        return Condition::all();
    }
    visible("record", &caller.visibility(), &store.node().origin)
}

/// This node's own record, otherwise that of the reference data, otherwise the only copy with the
/// slug.
async fn by_slug(store: &Store, caller: &Caller, kind: Kind, slug: &str) -> Result<Option<Record>> {
    let rows = record::Entity::find()
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(record::Column::Slug.eq(slug))
        .filter(not_hidden(store, caller, kind))
        .order_by_asc(record::Column::Id)
        .into_model::<Record>()
        .all(store.db().reader())
        .await?;
    let mut visible = Vec::new();
    for row in rows {
        if caller.can_read(&store.subject(&row)) {
            visible.push(row);
        }
    }
    let rank = |row: &Record| rank(&row.origin, &store.node().origin);
    let first = visible.iter().map(rank).min();
    visible.retain(|row| Some(rank(row)) == first);
    if visible.len() > 1 {
        let candidates = visible.iter().map(|row| row.id).collect();
        return Err(StoreError::AmbiguousSlug { candidates });
    }
    Ok(visible.pop())
}

/// Whether the caller sees a record; a relationship only with both its ends.
pub(crate) async fn can_read(store: &Store, caller: &Caller, row: &Record) -> Result<bool> {
    let subject = store.subject(row);
    let relationship = row.kind == Kind::Relationship;
    let seen = if relationship && row.suppressed {
        // Disputed relationships are not for callers who only read.
        caller.is_allowed(Action::Write, &subject) || caller.is_node_admin()
    } else {
        caller.can_read(&subject)
    };
    if !relationship || !(seen || row.suppressed) {
        return Ok(seen);
    }
    let Some(edge) = edge::Entity::find_by_id(row.id)
        .one(store.db().reader())
        .await?
    else {
        return Ok(false);
    };
    // A relationship that an end disputes is still visible to those who may write an end.
    let published = row.publication == Publication::Published;
    let reader = store.db().reader();
    let may = seen || published && may_write_an_end(store, reader, caller, &edge).await?;
    if !may {
        return Ok(false);
    }
    let ends = edge.from_id.into_iter().chain(edge.to_id);
    // An end that was merged is as visible as its merge target.
    let merge_targets = merge_targets(store.db().reader(), ends.clone()).await?;
    let ends = ends.map(|id| merge_targets.get(&id).copied().unwrap_or(id));
    let ends: Vec<Uuid> = ends.collect();
    let rows = rows(store, &ends).await?;
    for id in &ends {
        match rows.get(id) {
            Some(end) if caller.can_read(&store.subject(end)) => {}
            Some(_) | None => return Ok(false),
        }
    }
    // A copied relationship has an end of its origin: others are not its origin's to state.
    let own = |end: &Record| end.origin == row.origin;
    Ok(row.synced_at.is_none() || rows.values().any(own))
}

pub(crate) async fn rows(store: &Store, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Record>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(ids.iter().copied()))
        .into_model::<Record>()
        .all(store.db().reader())
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The error for a key without a record: moved, gone or unknown.
async fn absent(store: &Store, caller: &Caller, kind: Kind, key: &str) -> Result<StoreError> {
    let by_slug = Uuid::try_parse(key).is_err();
    if by_slug && let Some(moved) = moved(store, caller, kind, key).await? {
        return Ok(moved);
    }
    let tombstones = tombstone::Entity::find().filter(tombstone::Column::Kind.eq(kind.code()));
    let tombstones = match Uuid::try_parse(key) {
        Ok(id) => tombstones.filter(tombstone::Column::Id.eq(id)),
        Err(_) => tombstones.filter(tombstone::Column::Slug.eq(key)),
    };
    let tombstones = tombstones.all(store.db().reader()).await?;
    let here = &store.node().origin;
    // A draft that was deleted later does not hide the tombstone of a public record.
    let seen = tombstones
        .into_iter()
        .filter(|tombstone| caller.can_read(&tombstone_subject(tombstone, kind, here)));
    let newest = seen.min_by_key(|tombstone| {
        let rank = rank(&tombstone.origin, here);
        (rank, std::cmp::Reverse(tombstone.deleted_at))
    });
    let Some(tombstone) = newest else {
        return Ok(StoreError::NotFound);
    };
    if let Some(merge_target) = find_merge_target(store, caller, &tombstone).await? {
        return Ok(StoreError::Moved {
            to: merge_target.id.to_string(),
        });
    }
    // Its merge target, if it had one, is deleted as well, or invisible to the caller.
    Ok(gone(kind, tombstone))
}

async fn moved(
    store: &Store,
    caller: &Caller,
    kind: Kind,
    slug: &str,
) -> Result<Option<StoreError>> {
    let mut redirects = redirect::Entity::find()
        .filter(redirect::Column::Kind.eq(kind.code()))
        .filter(redirect::Column::Slug.eq(slug))
        .all(store.db().reader())
        .await?;
    // This node's own record comes first, as with slugs.
    redirects.sort_by_key(|one| rank(&one.origin, &store.node().origin));
    let Some(redirect) = redirects.first() else {
        return Ok(None);
    };
    let Some(target) = by_id(store, caller, kind, redirect.record_id).await? else {
        let merged = redirect.record_id.to_string();
        let merge_target = find_merge_target_of(store, caller, kind, &merged).await?;
        let to = merge_target.map(|row| row.id.to_string());
        return Ok(to.map(|to| StoreError::Moved { to }));
    };
    let visible = caller.can_read(&store.subject(&target));
    Ok(match (visible, target.slug) {
        (true, Some(to)) => Some(StoreError::Moved { to }),
        _ => None,
    })
}

/// The living merge target of a merged record, if the caller could see both.
pub(crate) async fn find_merge_target(
    store: &Store,
    caller: &Caller,
    tombstone: &tombstone::Model,
) -> Result<Option<Record>> {
    let Some(kind) = Kind::parse(&tombstone.kind) else {
        return Ok(None);
    };
    if !caller.can_read(&tombstone_subject(tombstone, kind, &store.node().origin)) {
        return Ok(None);
    }
    let merge_targets = merge_targets(store.db().reader(), [tombstone.id]).await?;
    let Some(merge_target) = merge_targets.get(&tombstone.id) else {
        return Ok(None);
    };
    match rows(store, &[*merge_target]).await?.remove(merge_target) {
        Some(row) if caller.can_read(&store.subject(&row)) => Ok(Some(row)),
        Some(_) | None => Ok(None),
    }
}

/// The living merge target of the merged record of this id or slug.
pub(crate) async fn find_merge_target_of(
    store: &Store,
    caller: &Caller,
    kind: Kind,
    key: &str,
) -> Result<Option<Record>> {
    let tombstones = tombstone::Entity::find()
        .filter(tombstone::Column::Kind.eq(kind.code()))
        .filter(tombstone::Column::MergedInto.is_not_null());
    let tombstones = match Uuid::try_parse(key) {
        Ok(id) => tombstones.filter(tombstone::Column::Id.eq(id)),
        Err(_) => tombstones.filter(tombstone::Column::Slug.eq(key)),
    };
    let mut tombstones = tombstones.all(store.db().reader()).await?;
    tombstones.sort_by_key(|tombstone| rank(&tombstone.origin, &store.node().origin));
    for tombstone in tombstones {
        if let Some(row) = find_merge_target(store, caller, &tombstone).await? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}
