//! Derived rows of a record, because SQL needs them: identifiers, references, the edge, former
//! slugs.

use crate::entity::{edge, identifier, redirect, reference};
use crate::error::Result;
use crate::record::Record;
use crate::transaction::Transaction;
use crate::write::edges::write_edge;
use crate::write::prepare::Prepared;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

/// Writes the derived rows: identifiers, references, the edge and its roles.
pub(crate) async fn write_derived_rows(
    tx: &Transaction<'_>,
    row: &Record,
    prepared: &Prepared,
) -> Result<()> {
    let identifiers = prepared
        .facts
        .identifiers
        .iter()
        .map(|one| (one.scheme.as_str().to_owned(), one.normalise()));
    // The same identifier may occur twice in a body, for two periods.
    let identifiers: std::collections::BTreeSet<_> = identifiers.collect();
    if !identifiers.is_empty() {
        let rows = identifiers
            .into_iter()
            .map(|(scheme, value)| identifier::ActiveModel {
                record_id: Set(row.id),
                scheme: Set(scheme),
                value: Set(value),
                origin: Set(row.origin.clone()),
                copied: Set(row.synced_at.is_some()),
            });
        identifier::Entity::insert_many(rows)
            .exec_without_returning(&tx.sql)
            .await?;
    }
    let references = &prepared.resolved.references;
    if !references.is_empty() {
        let rows = references
            .iter()
            .map(|(field, target)| reference::ActiveModel {
                record_id: Set(row.id),
                field: Set((*field).to_owned()),
                target_id: Set(*target),
            });
        reference::Entity::insert_many(rows)
            .exec_without_returning(&tx.sql)
            .await?;
    }
    match &prepared.facts.relationship {
        Some(relationship) => write_edge(tx, row.id, relationship, &prepared.facts).await,
        None => Ok(()),
    }
}

pub(crate) async fn clear_derived_rows(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    identifier::Entity::delete_many()
        .filter(identifier::Column::RecordId.eq(id))
        .exec(&tx.sql)
        .await?;
    reference::Entity::delete_many()
        .filter(reference::Column::RecordId.eq(id))
        .exec(&tx.sql)
        .await?;
    edge::Entity::delete_by_id(id).exec(&tx.sql).await?;
    Ok(())
}

/// A former slug leads to the record until another record takes it.
pub(crate) async fn leave_redirect(tx: &Transaction<'_>, old: &Record, new: &Record) -> Result<()> {
    let (Some(old_slug), Some(new_slug)) = (&old.slug, &new.slug) else {
        return Ok(());
    };
    if old_slug == new_slug {
        return Ok(());
    }
    drop_redirect(tx, new.kind, new_slug).await?;
    let row = redirect::ActiveModel {
        kind: Set(old.kind.code().to_owned()),
        slug: Set(old_slug.clone()),
        origin: Set(old.origin.clone()),
        record_id: Set(old.id),
    };
    redirect::Entity::insert(row)
        .exec_without_returning(&tx.sql)
        .await?;
    Ok(())
}

pub(crate) async fn drop_redirect(tx: &Transaction<'_>, kind: Kind, slug: &str) -> Result<()> {
    redirect::Entity::delete_by_id((kind.code().to_owned(), slug.to_owned(), tx.origin.clone()))
        .exec(&tx.sql)
        .await?;
    Ok(())
}
