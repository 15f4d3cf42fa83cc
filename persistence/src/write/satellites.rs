//! Derived rows of a record, because SQL needs them: identifiers, references, the edge, former
//! slugs.

use crate::entity::{edge, identifier, record, redirect, reference};
use crate::error::Result;
use crate::unit::Unit;
use crate::write::prepare::Prepared;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

impl Unit<'_> {
    /// Writes the derived rows: identifiers, references, the edge and its roles.
    pub(crate) async fn write_satellites(
        &self,
        row: &record::Model,
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
                .exec_without_returning(&self.tx)
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
                .exec_without_returning(&self.tx)
                .await?;
        }
        match &prepared.facts.relationship {
            Some(relationship) => self.write_edge(row.id, relationship, &prepared.facts).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn clear_satellites(&self, id: Uuid) -> Result<()> {
        identifier::Entity::delete_many()
            .filter(identifier::Column::RecordId.eq(id))
            .exec(&self.tx)
            .await?;
        reference::Entity::delete_many()
            .filter(reference::Column::RecordId.eq(id))
            .exec(&self.tx)
            .await?;
        edge::Entity::delete_by_id(id).exec(&self.tx).await?;
        Ok(())
    }

    /// A former slug leads to the record until another record takes it.
    pub(crate) async fn leave_redirect(
        &self,
        old: &record::Model,
        new: &record::Model,
    ) -> Result<()> {
        let (Some(old_slug), Some(new_slug)) = (&old.slug, &new.slug) else {
            return Ok(());
        };
        if old_slug == new_slug {
            return Ok(());
        }
        self.drop_redirect(&new.kind, new_slug).await?;
        let row = redirect::ActiveModel {
            kind: Set(old.kind.clone()),
            slug: Set(old_slug.clone()),
            origin: Set(old.origin.clone()),
            record_id: Set(old.id),
        };
        redirect::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    pub(crate) async fn drop_redirect(&self, kind: &str, slug: &str) -> Result<()> {
        redirect::Entity::delete_by_id((kind.to_owned(), slug.to_owned(), self.origin.clone()))
            .exec(&self.tx)
            .await?;
        Ok(())
    }
}
