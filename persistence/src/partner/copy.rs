//! Copies: records of other nodes as stored here. They are kept as received; content that this
//! release does not understand is ignored, not rejected.

use crate::entity::{merged, record, redirect, tombstone};
use crate::erase::forget_everything;
use crate::error::Result;
use crate::merge::follow_again;
use crate::merge_targets::merge_targets;
use crate::record::Record;
use crate::transaction::Transaction;
use crate::visibility::public::{update_is_public, update_visibility_around};
use crate::visibility::suppressed::{inherit_disputes, update_suppressed};
use crate::write::derived_rows::{
    clear_derived_rows, drop_redirect, leave_redirect, write_derived_rows,
};
use crate::write::prepare::Prepared;
use crate::write::resolve::Resolved;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::pointer;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::kinds::common::Publication;
use domain::validation::body::{Facts, KindSchema};
use domain::validation::upgrade::upgrade;
use domain::value::external::ExternalId;
use domain::value::reference::ReferenceForm;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
pub struct CopiedRecord {
    pub id: Uuid,
    pub kind: Kind,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The body: canonical JSON, byte for byte as received.
    pub body: String,
    pub value: Value,
}

/// Everything stored about a record when an entry about it arrives.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) row: Option<Record>,
    pub(crate) tombstone: Option<tombstone::Model>,
    pub(crate) logged: bool,
    pub(crate) suppressed: bool,
}

/// The fields of a copy's body that the database needs.
///
/// An invalid member does not affect the others.
fn facts(kind: Kind, body: &Value) -> Facts {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let facts = KindSchema::of(kind).facts(body);
    let key = text("/external_id/system").zip(text("/external_id/id"));
    Facts {
        name: text("/name").map(str::to_owned),
        slug: text("/slug").map(str::to_owned),
        home_region: text("/home_region").and_then(|id| Uuid::try_parse(id).ok()),
        external_id: key.map(|(system, id)| ExternalId {
            system: system.to_owned(),
            id: id.to_owned(),
        }),
        publication: Some(Publication::Published),
        publish_at: None,
        ..facts
    }
}

/// The records that a body references, except for the ends of relationships; whether they exist
/// here or not.
fn references(kind: Kind, body: &Value) -> BTreeSet<(&'static str, Uuid)> {
    let fields = KindSchema::of(kind).references.iter();
    let slots = fields.filter(|field| matches!(field.form, ReferenceForm::Slot(_)));
    let named = slots.flat_map(|field| {
        let values = pointer::values(body, field.path).into_iter();
        let ids = values.filter_map(|value| Uuid::try_parse(value.as_str()?).ok());
        ids.map(|id| (field.path, id))
    });
    named.collect()
}

/// Stores a record of the transaction's origin as received; its log entry follows.
pub(crate) async fn take_copy(
    tx: &mut Transaction<'_>,
    copy: &CopiedRecord,
    known: &Known,
) -> Result<()> {
    // It is stored as received, and understood with current names.
    let mut value = copy.value.clone();
    upgrade(copy.kind, &mut value);
    let withheld = KindSchema::of(copy.kind).withhold(&mut value);
    let prepared = Prepared {
        facts: facts(copy.kind, &value),
        resolved: Resolved {
            references: references(copy.kind, &value),
            ..Resolved::default()
        },
        body: Value::Null,
        warnings: Vec::new(),
    };
    let mut row = copied_row(tx, copy, &prepared.facts);
    row.withholds = !withheld.is_empty();
    match &known.row {
        Some(old) => replace_copy(tx, old, &mut row).await?,
        None => insert_copy(tx, &row, known).await?,
    }
    write_derived_rows(tx, &row, &prepared).await?;
    if inherit_disputes(tx, &row).await? || known.suppressed {
        update_suppressed(tx, &mut row).await?;
    }
    update_is_public(tx, &mut row).await?;
    tx.log().upsert(known.row.as_ref(), &row).await?;
    if known
        .tombstone
        .as_ref()
        .is_some_and(|tombstone| tombstone.merged_into.is_some())
    {
        update_visibility_around(tx, row.id).await?;
    }
    Ok(())
}

async fn replace_copy(tx: &Transaction<'_>, old: &Record, row: &mut Record) -> Result<()> {
    row.seq = old.seq;
    if let Some(slug) = old.slug.as_ref().filter(|_| old.slug != row.slug) {
        // Another one may have had it before.
        drop_redirect(tx, old.kind, slug).await?;
        leave_redirect(tx, old, row).await?;
    }
    let new = row.clone().into_active_model().reset_all();
    new.update(&tx.sql).await?;
    clear_derived_rows(tx, row.id).await
}

async fn insert_copy(tx: &mut Transaction<'_>, row: &Record, known: &Known) -> Result<()> {
    if let Some(slug) = &row.slug {
        drop_redirect(tx, row.kind, slug).await?;
    }
    revive_copy(tx, row.id, known).await?;
    record::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    Ok(())
}

fn copied_row(tx: &Transaction<'_>, copy: &CopiedRecord, facts: &Facts) -> Record {
    let key = facts.external_id.clone();
    Record {
        id: copy.id,
        kind: copy.kind,
        origin: tx.origin.clone(),
        slug: facts.slug.clone(),
        name: facts.name.clone(),
        system: key.as_ref().map(|key| key.system.clone()),
        external_id: key.map(|key| key.id),
        home_region: facts.home_region,
        publication: Publication::Published,
        was_public: true,
        // Of a relationship its ends decide too; see `update_is_public`.
        is_public: true,
        suppressed: false,
        withholds: false,
        publish_at: None,
        // Its origin ensures that it repeats no statement.
        relationship_key: None,
        version: copy.version,
        seq: 0,
        created_at: copy.created_at,
        updated_at: copy.updated_at,
        synced_at: Some(tx.now),
        body: copy.body.clone(),
    }
}

async fn revive_copy(tx: &mut Transaction<'_>, id: Uuid, known: &Known) -> Result<()> {
    if known.logged {
        tx.log().revival(id).await?;
    }
    let Some(tombstone) = &known.tombstone else {
        return Ok(());
    };
    tombstone::Entity::delete_by_id(id).exec(&tx.sql).await?;
    if tombstone.merged_into.is_some() {
        merged::Entity::delete_by_id(id).exec(&tx.sql).await?;
        follow_again(tx, id).await?;
    }
    Ok(())
}

/// Replaces a copy that its origin has deleted by a tombstone.
pub(crate) async fn replace_copy_with_tombstone(
    tx: &mut Transaction<'_>,
    row: &Record,
    version: i64,
    (cause, merged_into): (Cause, Option<Uuid>),
) -> Result<()> {
    let into = match merged_into {
        Some(into) => merge_target_of(tx, (row.kind, row.id), into).await?,
        None => None,
    };
    if cause == Cause::Erased {
        tx.log().living_erasure(row, version).await?;
    } else {
        let merged = into.is_some();
        tx.log().delete(row, version, merged).await?;
    }
    let tombstone = tombstone::ActiveModel {
        id: Set(row.id),
        kind: Set(row.kind.code().to_owned()),
        origin: Set(row.origin.clone()),
        slug: Set(row.slug.clone()),
        // Only this node's own records are revived by their keys.
        system: Set(None),
        external_id: Set(None),
        home_region: Set(row.home_region),
        version: Set(version),
        was_public: Set(!row.suppressed),
        cause: Set(cause.code().to_owned()),
        merged_into: Set(merged_into.filter(|_| into.is_some())),
        created_at: Set(row.created_at),
        deleted_at: Set(tx.now),
    };
    tombstone::Entity::insert(tombstone)
        .exec_without_returning(&tx.sql)
        .await?;
    record::Entity::delete_by_id(row.id).exec(&tx.sql).await?;
    let Some(into) = into else {
        return forget_former_slugs(tx, row.id).await;
    };
    stand_for(tx, row.id, into).await
}

/// Records the merge of a record that is not here, so that references to it are understood.
pub(crate) async fn note_merged_copy(
    tx: &mut Transaction<'_>,
    (kind, id): (Kind, Uuid),
    version: i64,
    (cause, merged_into): (Cause, Uuid),
) -> Result<()> {
    let Some(into) = merge_target_of(tx, (kind, id), merged_into).await? else {
        return Ok(());
    };
    let known = tombstone::Entity::find_by_id(id).one(&tx.sql).await?;
    if known.as_ref().and_then(|tombstone| tombstone.merged_into) == Some(merged_into) {
        return Ok(());
    }
    let new = known.is_none();
    let tombstone = known.unwrap_or_else(|| tombstone::Model {
        id,
        kind: kind.code().to_owned(),
        origin: tx.origin.clone(),
        slug: None,
        system: None,
        external_id: None,
        home_region: None,
        version,
        // Readers of its origin's feed know of it.
        was_public: true,
        cause: cause.code().to_owned(),
        merged_into: None,
        created_at: tx.now,
        deleted_at: tx.now,
    });
    forget_tombstone(tx, id).await?;
    let tombstone = tombstone::Model {
        cause: lasting_cause(&tombstone, cause),
        merged_into: Some(merged_into),
        ..tombstone
    };
    if new {
        tx.log().merge_elsewhere(&tombstone).await?;
    }
    tombstone::Entity::insert(tombstone.into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    stand_for(tx, id, into).await
}

/// Makes `into` the merge target of a merged record, and of the records merged into that.
async fn stand_for(tx: &mut Transaction<'_>, id: Uuid, into: Uuid) -> Result<()> {
    merged::Entity::update_many()
        .col_expr(merged::Column::TargetId, Expr::value(into))
        .filter(merged::Column::TargetId.eq(id))
        .exec(&tx.sql)
        .await?;
    let stands = merged::ActiveModel {
        loser_id: Set(id),
        target_id: Set(into),
    };
    merged::Entity::insert(stands)
        .exec_without_returning(&tx.sql)
        .await?;
    update_visibility_around(tx, id).await
}

/// Records that a record whose merge is known here was deleted, and is no longer merged.
pub(crate) async fn undo_merged_copy(
    tx: &mut Transaction<'_>,
    id: Uuid,
    version: i64,
) -> Result<()> {
    let known = tombstone::Entity::find_by_id(id).one(&tx.sql).await?;
    let Some(known) = known.filter(|known| known.merged_into.is_some()) else {
        return Ok(());
    };
    forget_tombstone(tx, id).await?;
    let tombstone = tombstone::Model {
        version,
        cause: lasting_cause(&known, Cause::Deleted),
        merged_into: None,
        ..known
    };
    tx.log().merge_elsewhere(&tombstone).await?;
    tombstone::Entity::insert(tombstone.into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    follow_again(tx, id).await?;
    update_visibility_around(tx, id).await
}

/// Removes the tombstone of a merged copy. One of an erased record only stops to be merged.
pub(crate) async fn drop_tombstone(tx: &mut Transaction<'_>, id: Uuid) -> Result<()> {
    let known = tombstone::Entity::find_by_id(id).one(&tx.sql).await?;
    if let Some(known) = &known {
        tx.log().merge_elsewhere(known).await?;
    }
    forget_tombstone(tx, id).await?;
    if let Some(erased) = known.filter(is_erased) {
        let tombstone = tombstone::Model {
            merged_into: None,
            ..erased
        };
        tombstone::Entity::insert(tombstone.into_active_model())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    follow_again(tx, id).await?;
    update_visibility_around(tx, id).await
}

pub(super) fn is_erased(tombstone: &tombstone::Model) -> bool {
    tombstone.cause == Cause::Erased.code()
}

/// What was erased stays erased, whatever its origin says later: otherwise it could come back.
fn lasting_cause(known: &tombstone::Model, cause: Cause) -> String {
    let cause = if is_erased(known) {
        Cause::Erased
    } else {
        cause
    };
    cause.code().to_owned()
}

async fn forget_tombstone(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    tombstone::Entity::delete_by_id(id).exec(&tx.sql).await?;
    merged::Entity::delete_by_id(id).exec(&tx.sql).await?;
    Ok(())
}

/// The final merge target of a record; `None` if it would be the record itself, or is of another
/// kind or node.
async fn merge_target_of(
    tx: &Transaction<'_>,
    (kind, id): (Kind, Uuid),
    into: Uuid,
) -> Result<Option<Uuid>> {
    let chain = merge_targets(&tx.sql, [into]).await?;
    let into = chain.get(&into).copied().unwrap_or(into);
    let found = record::Entity::find_by_id(into)
        .into_model::<Record>()
        .one(&tx.sql)
        .await?;
    let fits = found.is_none_or(|found| found.kind == kind && found.origin == tx.origin);
    Ok((fits && into != id).then_some(into))
}

/// Removes a copy that its origin no longer publishes, with all its content: it may return in any
/// version.
pub(crate) async fn drop_copy(tx: &mut Transaction<'_>, row: &Record) -> Result<()> {
    tx.log().delete(row, row.version, false).await?;
    record::Entity::delete_by_id(row.id).exec(&tx.sql).await?;
    forget_former_slugs(tx, row.id).await
}

/// Blanks the remains of a copy whose origin has erased it, in version `version`; `tombstone` is its
/// tombstone so far.
pub(crate) async fn erase_copy(
    tx: &mut Transaction<'_>,
    id: Uuid,
    tombstone: Option<tombstone::Model>,
    version: i64,
) -> Result<()> {
    let dead = tombstone.filter(|tombstone| tombstone.cause != Cause::Erased.code());
    if let Some(mut tombstone) = dead {
        tombstone.version = tombstone.version.max(version);
        tx.log().erasure(&tombstone).await?;
        tombstone::Entity::update(tombstone.into_active_model().reset_all())
            .exec(&tx.sql)
            .await?;
    }
    let ids = BTreeSet::from([id]);
    forget_everything(tx, &ids, &ids).await
}

async fn forget_former_slugs(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    redirect::Entity::delete_many()
        .filter(redirect::Column::RecordId.eq(id))
        .exec(&tx.sql)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_can_be_read_counts_whatever_else_there_is() {
        let home = Uuid::from_u128(7);
        let body = json!({
            "name": "Aus der Zukunft",
            "slug": "aus-der-zukunft",
            "home_region": home,
            "category": "orbital_clinic",
            "tomorrow": {"a": [1]},
            "topics": [Uuid::from_u128(8), "no id", 9],
            "external_id": {"system": "cms", "id": "1", "more": true},
            "publication": "published",
        });
        let facts = facts(Kind::Actor, &body);
        assert_eq!(facts.name.as_deref(), Some("Aus der Zukunft"));
        assert_eq!(facts.slug.as_deref(), Some("aus-der-zukunft"));
        assert_eq!(facts.home_region, Some(home));
        assert_eq!(facts.external_id.map(|key| key.id).as_deref(), Some("1"));
        let expected = [("/home_region", home), ("/topics/*", Uuid::from_u128(8))];
        assert_eq!(references(Kind::Actor, &body), BTreeSet::from(expected));
    }

    #[test]
    fn a_relationship_of_an_unknown_type_has_a_home_but_no_edge() {
        let body = json!({
            "type": "beams_to",
            "from": {"kind": "actor", "id": Uuid::from_u128(1)},
            "to": {"kind": "actor", "id": Uuid::from_u128(2)},
            "home_region": Uuid::from_u128(7),
        });
        let facts = facts(Kind::Relationship, &body);
        assert!(facts.relationship.is_none());
        assert_eq!(facts.home_region, Some(Uuid::from_u128(7)));
    }
}
