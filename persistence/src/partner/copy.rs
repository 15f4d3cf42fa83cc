//! Copies: records of other nodes as stored here. They are kept as received; content that this
//! release does not understand is ignored, not rejected.

use crate::entity::{merged, record, redirect, tombstone};
use crate::error::Result;
use crate::merge::standing::survivors;
use crate::unit::Unit;
use crate::write::prepare::Prepared;
use crate::write::resolve::Resolved;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::pointer;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::kinds::common::Publication;
use domain::validation::body::{Facts, KindSchema};
use domain::value::external::ExternalId;
use domain::value::reference::ReferenceForm;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A record from another node's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct CopiedRecord {
    pub id: Uuid,
    pub kind: Kind,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The body: canonical JSON, byte for byte as received.
    pub body: String,
    /// The parsed body.
    pub value: Value,
}

/// Everything stored about a record when an entry about it arrives.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) row: Option<record::Model>,
    pub(crate) grave: Option<tombstone::Model>,
    /// Whether it is in the log.
    pub(crate) logged: bool,
    /// Whether something here hides it, or did.
    pub(crate) withheld: bool,
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

impl Unit<'_> {
    /// Stores a record of the transaction's origin as received; its log entry follows.
    pub(crate) async fn take_copy(&mut self, copy: &CopiedRecord, known: &Known) -> Result<()> {
        let prepared = Prepared {
            facts: facts(copy.kind, &copy.value),
            resolved: Resolved {
                references: references(copy.kind, &copy.value),
                ..Resolved::default()
            },
            body: Value::Null,
            warnings: Vec::new(),
        };
        let mut row = self.copied_row(copy, &prepared.facts);
        match &known.row {
            Some(old) => self.replace_copy(old, &mut row).await?,
            None => self.insert_copy(&row, known).await?,
        }
        self.write_satellites(&row, &prepared).await?;
        if known.withheld {
            self.note_withheld(&mut row).await?;
        }
        self.note_shown(&mut row).await?;
        self.log_upsert(known.row.as_ref(), &row).await?;
        if known
            .grave
            .as_ref()
            .is_some_and(|grave| grave.merged_into.is_some())
        {
            self.touch_around(row.id).await?;
        }
        Ok(())
    }

    async fn replace_copy(&self, old: &record::Model, row: &mut record::Model) -> Result<()> {
        row.seq = old.seq;
        if let Some(slug) = old.slug.as_ref().filter(|_| old.slug != row.slug) {
            // Another one may have had it before.
            self.drop_redirect(&old.kind, slug).await?;
            self.leave_redirect(old, row).await?;
        }
        let new = row.clone().into_active_model().reset_all();
        new.update(&self.tx).await?;
        self.clear_satellites(row.id).await
    }

    async fn insert_copy(&mut self, row: &record::Model, known: &Known) -> Result<()> {
        if let Some(slug) = &row.slug {
            self.drop_redirect(&row.kind, slug).await?;
        }
        self.unbury_copy(row.id, known).await?;
        record::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    fn copied_row(&self, copy: &CopiedRecord, facts: &Facts) -> record::Model {
        let key = facts.external_id.clone();
        record::Model {
            id: copy.id,
            kind: copy.kind.code().to_owned(),
            origin: self.origin.clone(),
            slug: facts.slug.clone(),
            name: facts.name.clone(),
            system: key.as_ref().map(|key| key.system.clone()),
            external_id: key.map(|key| key.id),
            home_region: facts.home_region,
            publication: Publication::Published.code().to_owned(),
            was_public: true,
            // Of a relationship its ends decide too; see `note_shown`.
            shown: true,
            withheld: false,
            publish_at: None,
            // Its origin ensures that it repeats no statement.
            sameness: None,
            version: copy.version,
            seq: 0,
            created_at: copy.created_at,
            updated_at: copy.updated_at,
            synced_at: Some(self.now),
            body: copy.body.clone(),
        }
    }

    /// Removes the tombstone of a restored copy.
    async fn unbury_copy(&mut self, id: Uuid, known: &Known) -> Result<()> {
        if known.logged {
            self.log_revival(id).await?;
        }
        let Some(grave) = &known.grave else {
            return Ok(());
        };
        tombstone::Entity::delete_by_id(id).exec(&self.tx).await?;
        if grave.merged_into.is_some() {
            merged::Entity::delete_by_id(id).exec(&self.tx).await?;
            self.follow_again(id).await?;
        }
        Ok(())
    }

    /// Replaces a copy that its origin has deleted by a tombstone.
    pub(crate) async fn bury_copy(
        &mut self,
        row: &record::Model,
        version: i64,
        (cause, merged_into): (Cause, Option<Uuid>),
    ) -> Result<()> {
        let into = match merged_into {
            Some(into) => self.survivor_of((&row.kind, row.id), into).await?,
            None => None,
        };
        if cause == Cause::Erased {
            self.log_living_erasure(row, version).await?;
        } else {
            let merged = into.is_some();
            self.log_delete(row, version, merged).await?;
        }
        let grave = tombstone::ActiveModel {
            id: Set(row.id),
            kind: Set(row.kind.clone()),
            origin: Set(row.origin.clone()),
            slug: Set(row.slug.clone()),
            // Only this node's own records are revived by their keys.
            system: Set(None),
            external_id: Set(None),
            home_region: Set(row.home_region),
            version: Set(version),
            was_public: Set(!row.withheld),
            cause: Set(cause.code().to_owned()),
            merged_into: Set(merged_into.filter(|_| into.is_some())),
            created_at: Set(row.created_at),
            deleted_at: Set(self.now),
        };
        tombstone::Entity::insert(grave)
            .exec_without_returning(&self.tx)
            .await?;
        record::Entity::delete_by_id(row.id).exec(&self.tx).await?;
        let Some(into) = into else {
            return self.forget_former_slugs(row.id).await;
        };
        self.stand_for(row.id, into).await
    }

    /// Records the merge of a record that is not here, so that references to it are understood.
    pub(crate) async fn note_merged_copy(
        &mut self,
        (kind, id): (Kind, Uuid),
        version: i64,
        (cause, merged_into): (Cause, Uuid),
    ) -> Result<()> {
        let Some(into) = self.survivor_of((kind.code(), id), merged_into).await? else {
            return Ok(());
        };
        let known = tombstone::Entity::find_by_id(id).one(&self.tx).await?;
        if known.as_ref().and_then(|grave| grave.merged_into) == Some(merged_into) {
            return Ok(());
        }
        let new = known.is_none();
        let grave = known.unwrap_or_else(|| tombstone::Model {
            id,
            kind: kind.code().to_owned(),
            origin: self.origin.clone(),
            slug: None,
            system: None,
            external_id: None,
            home_region: None,
            version,
            // Readers of its origin's feed know of it.
            was_public: true,
            cause: cause.code().to_owned(),
            merged_into: None,
            created_at: self.now,
            deleted_at: self.now,
        });
        self.forget_grave(id).await?;
        let grave = tombstone::Model {
            merged_into: Some(merged_into),
            ..grave
        };
        if new {
            self.log_merged_elsewhere(&grave).await?;
        }
        tombstone::Entity::insert(grave.into_active_model())
            .exec_without_returning(&self.tx)
            .await?;
        self.stand_for(id, into).await
    }

    /// Makes `into` the merge target of a merged record, and of the records merged into that.
    async fn stand_for(&mut self, id: Uuid, into: Uuid) -> Result<()> {
        merged::Entity::update_many()
            .col_expr(merged::Column::SurvivorId, Expr::value(into))
            .filter(merged::Column::SurvivorId.eq(id))
            .exec(&self.tx)
            .await?;
        let stands = merged::ActiveModel {
            loser_id: Set(id),
            survivor_id: Set(into),
        };
        merged::Entity::insert(stands)
            .exec_without_returning(&self.tx)
            .await?;
        self.touch_around(id).await
    }

    /// Removes a merge that its origin no longer reports.
    pub(crate) async fn drop_grave(&mut self, id: Uuid) -> Result<()> {
        self.forget_grave(id).await?;
        self.follow_again(id).await?;
        self.touch_around(id).await
    }

    async fn forget_grave(&self, id: Uuid) -> Result<()> {
        tombstone::Entity::delete_by_id(id).exec(&self.tx).await?;
        merged::Entity::delete_by_id(id).exec(&self.tx).await?;
        Ok(())
    }

    /// The final merge target of a record; `None` if it would be the record itself, or is of
    /// another kind or node.
    async fn survivor_of(&self, (kind, id): (&str, Uuid), into: Uuid) -> Result<Option<Uuid>> {
        let chain = survivors(&self.tx, [into]).await?;
        let into = chain.get(&into).copied().unwrap_or(into);
        let found = record::Entity::find_by_id(into).one(&self.tx).await?;
        let fits = found.is_none_or(|found| found.kind == kind && found.origin == self.origin);
        Ok((fits && into != id).then_some(into))
    }

    /// Removes a copy that its origin no longer publishes, with all its content: it may return in
    /// any version.
    pub(crate) async fn drop_copy(&mut self, row: &record::Model) -> Result<()> {
        self.log_delete(row, row.version, false).await?;
        record::Entity::delete_by_id(row.id).exec(&self.tx).await?;
        self.forget_former_slugs(row.id).await
    }

    /// Blanks the remains of a copy whose origin has erased it, in version `version`; `grave` is
    /// its tombstone so far.
    pub(crate) async fn erase_copy(
        &mut self,
        id: Uuid,
        grave: Option<tombstone::Model>,
        version: i64,
    ) -> Result<()> {
        let dead = grave.filter(|grave| grave.cause != Cause::Erased.code());
        if let Some(mut grave) = dead {
            grave.version = grave.version.max(version);
            self.log_erasure(&grave).await?;
            tombstone::Entity::update(grave.into_active_model().reset_all())
                .exec(&self.tx)
                .await?;
        }
        let ids = BTreeSet::from([id]);
        self.forget_everything(&ids, &ids).await
    }

    async fn forget_former_slugs(&self, id: Uuid) -> Result<()> {
        redirect::Entity::delete_many()
            .filter(redirect::Column::RecordId.eq(id))
            .exec(&self.tx)
            .await?;
        Ok(())
    }
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
