//! Unique values: slugs, keys of supplying systems, identifiers, open-ended relationships.

use crate::entity::record::kind_of;
use crate::entity::{identifier, record};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::transaction::Transaction;
use crate::write::prepare::Prepared;
use domain::access::rules::Action;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::value::reference::RecordRef;
use domain::value::text::slugify;
use sea_orm::ExprTrait as _;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Derives a free slug from the name of a record without one.
pub(crate) async fn fill_slug(
    tx: &Transaction<'_>,
    kind: Kind,
    members: &mut Map<String, Value>,
) -> Result<()> {
    if members.contains_key("slug") {
        return Ok(());
    }
    let Some(name) = members.get("name").and_then(Value::as_str) else {
        return Ok(());
    };
    let free = free_slug(tx, kind, &slugify(name)).await?;
    members.insert("slug".to_owned(), json!(free));
    Ok(())
}

pub(crate) async fn free_slug(tx: &Transaction<'_>, kind: Kind, base: &str) -> Result<String> {
    take_turns_for_slug(tx, kind, base).await?;
    let taken: Vec<Option<String>> = record::Entity::find()
        .select_only()
        .column(record::Column::Slug)
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(record::Column::Origin.eq(&tx.origin))
        // A slug has no character that LIKE would treat as a wildcard.
        .filter(
            Condition::any()
                .add(record::Column::Slug.eq(base))
                .add(record::Column::Slug.like(format!("{base}-%"))),
        )
        .into_tuple()
        .all(&tx.sql)
        .await?;
    let taken: BTreeSet<String> = taken.into_iter().flatten().collect();
    let free = std::iter::once(base.to_owned())
        // One of that many is free.
        .chain((2..=taken.len() + 2).map(|number| format!("{base}-{number}")))
        .find(|slug| !taken.contains(slug));
    Ok(free.unwrap_or_else(|| base.to_owned()))
}

/// Many concurrent writers with one name would take each other's slug repeatedly.
async fn take_turns_for_slug(tx: &Transaction<'_>, kind: Kind, base: &str) -> Result<()> {
    // A lock per name would be too many in a bulk load; there a clash is just retried.
    if !tx.db().is_postgres() || tx.options.bulk {
        return Ok(());
    }
    let what = format!("slug/{}/{base}", kind.code());
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    tx.execute(sql, [what.into()]).await
}

/// Rejects a row with a unique value of another record of this node.
pub(crate) async fn refuse_conflicts(
    tx: &Transaction<'_>,
    row: &record::Model,
    prepared: &Prepared,
) -> Result<()> {
    let mut any = Condition::any();
    if let Some(slug) = &row.slug {
        any = any.add(
            record::Column::Slug
                .eq(slug)
                .and(record::Column::Kind.eq(&row.kind)),
        );
    }
    if let (Some(system), Some(key)) = (&row.system, &row.external_id) {
        any = any.add(
            record::Column::System
                .eq(system)
                .and(record::Column::ExternalId.eq(key))
                .and(record::Column::Kind.eq(&row.kind)),
        );
    }
    if let Some(sameness) = &row.sameness {
        any = any.add(record::Column::Sameness.eq(sameness));
    }
    if !any.is_empty() {
        let others = record::Entity::find()
            .filter(any)
            .filter(record::Column::Origin.eq(&row.origin))
            .filter(record::Column::Id.ne(row.id));
        if let Some(other) = others.one(&tx.sql).await? {
            return Err(clash(tx, row, &other)?);
        }
    }
    refuse_identifiers(tx, row, prepared).await
}

fn clash(tx: &Transaction<'_>, row: &record::Model, other: &record::Model) -> Result<StoreError> {
    let same_kind = row.kind == other.kind;
    let (field, what, value) = if same_kind && row.slug.is_some() && row.slug == other.slug {
        ("/slug", Unique::Slug, row.slug.clone())
    } else if same_kind && row.external_id.is_some() && row.external_id == other.external_id {
        let key = row.system.iter().chain(&row.external_id).cloned();
        let key: Vec<String> = key.collect();
        ("/external_id", Unique::ExternalId, Some(key.join("|")))
    } else {
        ("", Unique::Relationship, None)
    };
    conflict(tx, field.to_owned(), what, value.unwrap_or_default(), other)
}

pub(crate) fn conflict(
    tx: &Transaction<'_>,
    field: String,
    what: Unique,
    value: String,
    other: &record::Model,
) -> Result<StoreError> {
    let visible = tx.caller.sees(&tx.subject(other)?);
    let kind = kind_of(other)?;
    let other = visible.then_some(RecordRef { kind, id: other.id });
    Ok(StoreError::Conflict(Conflict {
        field,
        what,
        value,
        other,
    }))
}

async fn refuse_identifiers(
    tx: &Transaction<'_>,
    row: &record::Model,
    prepared: &Prepared,
) -> Result<()> {
    let wanted = &prepared.facts.identifiers;
    if wanted.is_empty() {
        return Ok(());
    }
    let mut any = Condition::any();
    for one in wanted {
        any = any.add(
            identifier::Column::Scheme
                .eq(one.scheme.as_str())
                .and(identifier::Column::Value.eq(one.normalise())),
        );
    }
    let taken = identifier::Entity::find()
        .filter(any)
        .filter(identifier::Column::Origin.eq(&row.origin))
        .filter(identifier::Column::RecordId.ne(row.id))
        .one(&tx.sql)
        .await?;
    let Some(taken) = taken else {
        return Ok(());
    };
    let other = record::Entity::find_by_id(taken.record_id)
        .one(&tx.sql)
        .await?
        .ok_or_else(|| StoreError::Corrupt("an identifier of no record".to_owned()))?;
    let index = wanted
        .iter()
        .position(|one| one.scheme.as_str() == taken.scheme && one.normalise() == taken.value);
    let field = format!("/identifiers/{}", index.unwrap_or_default());
    let value = format!("{}|{}", taken.scheme, taken.value);
    Err(conflict(tx, field, Unique::Identifier, value, &other)?)
}

/// The key of a record that the caller may not write is taken; the record is named only to those
/// who see it.
pub(crate) fn writable(tx: &Transaction<'_>, row: &record::Model) -> Result<()> {
    if tx.caller.may(Action::Write, &tx.subject(row)?) {
        return Ok(());
    }
    let key = row.system.iter().chain(&row.external_id).cloned();
    let key: Vec<String> = key.collect();
    let field = "/external_id".to_owned();
    Err(conflict(tx, field, Unique::ExternalId, key.join("|"), row)?)
}
