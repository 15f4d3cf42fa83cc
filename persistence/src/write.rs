//! Creating, changing and deleting records: the one path on which every write goes.

use crate::entity::{edge, identifier, record, redirect, reference, tombstone};
use crate::error::{Denied, Result, StoreError};
use crate::resolve::{Myself, Resolved};
use crate::store::{MAX_BODY, Store};
use crate::unit::{Unit, WriteOptions};
use domain::access::{Action, Caller, Subject};
use domain::body::{Definition, Facts};
use domain::described::Publication;
use domain::fault::{Fault, FieldError};
use domain::json::{canonical, merge_patch};
use domain::resource::Kind;
use domain::vocabulary::Coded;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What a write must find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Any version (`If-Match: *`, or a job of the node).
    Any,
    /// One of these versions.
    Versions(Vec<i64>),
}

/// How a record is to be changed.
#[derive(Debug, Clone)]
pub enum Edit {
    /// By a new body; `slug`, `external_id` and `publication` stay if it has none.
    Replace(Value),
    /// By a JSON merge patch (RFC 7396).
    Patch(Value),
}

/// A record as a write left it.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The row.
    pub row: record::Model,
    /// What is likely wrong but accepted.
    pub warnings: Vec<FieldError>,
    /// Whether anything changed.
    pub changed: bool,
}

/// A body that is ready to be written.
pub(crate) struct Prepared {
    pub(crate) body: Value,
    pub(crate) facts: Facts,
    pub(crate) resolved: Resolved,
    pub(crate) warnings: Vec<FieldError>,
}

impl Store {
    /// Makes a record.
    ///
    /// # Errors
    /// Invalid, forbidden or conflicting bodies; see [`StoreError`].
    pub async fn create(
        &self,
        caller: &Caller,
        kind: Kind,
        body: &Value,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.write(caller, options, async |unit| {
            unit.create(kind, domain::id::new(), body.clone()).await
        })
        .await
    }

    /// Changes a record.
    ///
    /// # Errors
    /// As [`Store::create`], and [`StoreError::PreconditionFailed`] for another version.
    pub async fn modify(
        &self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        edit: &Edit,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.write(caller, options, async |unit| {
            let old = unit.for_update(kind, id, expected).await?;
            unit.modify(old, edit.clone()).await
        })
        .await
    }

    /// Deletes a record and its own relationships.
    ///
    /// # Errors
    /// [`StoreError::StillReferenced`], [`StoreError::HasRelationships`] and those of access.
    pub async fn delete(
        &self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        options: &WriteOptions,
    ) -> Result<()> {
        self.write(caller, options, async |unit| {
            let old = unit.for_update(kind, id, expected).await?;
            unit.delete(old).await
        })
        .await
    }
}

impl Unit<'_> {
    /// Makes a record under `id`, as one of several changes in one transaction.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create(&mut self, kind: Kind, id: Uuid, sent: Value) -> Result<Saved> {
        // A record with the key of a deleted one revives it.
        let dead = self.dead(kind, id, &sent).await?;
        let id = dead.as_ref().map_or(id, |dead| dead.id);
        let prepared = self.prepare(kind, id, sent, None).await?;
        let mut row = self.row(kind, id, &prepared)?;
        self.refuse_conflicts(&row, &prepared).await?;
        if let Some(slug) = &row.slug {
            self.drop_redirect(&row.kind, slug).await?;
        }
        if let Some(dead) = dead {
            self.revive(kind, &dead).await?;
            row.version = dead.version + 1;
            row.created_at = dead.created_at;
            row.was_public |= dead.was_public;
        }
        record::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&self.tx)
            .await?;
        self.write_satellites(&row, &prepared).await?;
        self.log_upsert(None, &row).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// Changes a record that [`Self::for_update`] has read.
    ///
    /// # Errors
    /// As [`Store::modify`].
    pub async fn modify(&mut self, old: record::Model, edit: Edit) -> Result<Saved> {
        let kind = kind_of(&old)?;
        let sent = match edit {
            Edit::Replace(body) => body,
            Edit::Patch(patch) => {
                let mut body = parse_body(&old)?;
                merge_patch(&mut body, &patch);
                body
            }
        };
        let prepared = self.prepare(kind, old.id, sent, Some(&old)).await?;
        let mut row = self.row(kind, old.id, &prepared)?;
        row.created_at = old.created_at;
        row.was_public |= old.was_public;
        row.seq = old.seq;
        if row.body == old.body {
            return Ok(Saved {
                row: old,
                warnings: prepared.warnings,
                changed: false,
            });
        }
        row.version = old.version + 1;
        self.refuse_conflicts(&row, &prepared).await?;
        self.leave_redirect(&old, &row).await?;
        row.clone()
            .into_active_model()
            .reset_all()
            .update(&self.tx)
            .await?;
        self.clear_satellites(old.id).await?;
        self.write_satellites(&row, &prepared).await?;
        self.log_upsert(Some(&old), &row).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// The row of a record that the caller may change, locked against other changes; naming the
    /// record goes on, or a region in which many write could never be changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::PreconditionFailed`] and those of access.
    pub async fn for_update(
        &self,
        kind: Kind,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<record::Model> {
        let mut query = record::Entity::find_by_id(id).filter(record::Column::Kind.eq(kind.code()));
        if self.db().is_postgres() {
            query = query.lock(LockType::NoKeyUpdate);
        }
        let row = query.one(&self.tx).await?.ok_or(StoreError::NotFound)?;
        let subject = self.subject(&row)?;
        if !self.caller.sees(&subject) {
            return Err(StoreError::NotFound);
        }
        self.authorise(Action::Write, &subject)?;
        match expected {
            Precondition::Versions(versions) if !versions.contains(&row.version) => {
                Err(StoreError::PreconditionFailed {
                    current: row.version,
                })
            }
            Precondition::Versions(_) | Precondition::Any => Ok(row),
        }
    }

    pub(crate) fn authorise(&self, action: Action, subject: &Subject<'_>) -> Result<()> {
        if self.caller.may(action, subject) {
            return Ok(());
        }
        Err(StoreError::Forbidden(if !subject.own {
            Denied::Copy
        } else if action == Action::ShapeTree {
            Denied::RegionTree
        } else if subject.home_region.is_none() {
            Denied::Homeless
        } else if action == Action::Publish {
            Denied::Publish
        } else {
            Denied::Region
        }))
    }

    /// Checks a body, resolves its references, fills in what is filled in, and asks the rules of
    /// access. Everything wrong with the body is told at once.
    async fn prepare(
        &self,
        kind: Kind,
        id: Uuid,
        sent: Value,
        old: Option<&record::Model>,
    ) -> Result<Prepared> {
        let definition = Definition::of(kind);
        let mut checked = definition.check(sent);
        let Some(members) = checked.body.as_object_mut() else {
            return Err(StoreError::Invalid(checked.errors));
        };
        keep(members, old, &mut checked.errors)?;
        if kind != Kind::Relationship {
            self.fill_slug(kind, members).await?;
        }
        let myself = Myself {
            id,
            kind,
            slug: text(members, "slug"),
        };
        let mut resolved = self.resolve(definition, &mut checked.body, &myself).await?;
        if kind == Kind::Relationship {
            self.complete_relationship(&mut checked.body, &resolved, &mut checked.errors);
        }
        require_home(kind, &checked.body, &resolved, &mut checked.errors);
        checked.errors.append(&mut resolved.errors);
        let facts = definition.facts(&checked.body);
        self.authorise_change(kind, &checked.body, &facts, old)?;
        if checked.errors.is_empty() {
            self.refuse_circles(kind, id, &facts, &resolved, &mut checked.errors)
                .await?;
        }
        if !checked.errors.is_empty() {
            return Err(StoreError::Invalid(checked.errors));
        }
        if let Some(relationship) = &facts.relationship {
            self.authorise_ends(relationship, &resolved)?;
        }
        Ok(Prepared {
            body: checked.body,
            facts,
            resolved,
            warnings: checked.warnings,
        })
    }

    /// Whether the caller may make this of the record: write it where it belongs now and where it
    /// will belong, and publish if that changes.
    fn authorise_change(
        &self,
        kind: Kind,
        body: &Value,
        facts: &Facts,
        old: Option<&record::Model>,
    ) -> Result<()> {
        // A home that could not be resolved is told as such.
        let home_region = body
            .get("home_region")
            .and_then(Value::as_str)
            .and_then(|text| Uuid::try_parse(text).ok());
        if body.get("home_region").is_some() && home_region.is_none() {
            return Ok(());
        }
        if home_region.is_none() && !matches!(kind, Kind::Topic) {
            return Ok(());
        }
        let subject = Subject {
            own: true,
            kind,
            home_region,
            publication: facts.publication.unwrap_or(Publication::Draft),
            system: facts.external_id.as_ref().map(|key| key.system.as_str()),
        };
        self.authorise(Action::Write, &subject)?;
        let before = old.map(|row| self.subject(row)).transpose()?;
        let was = before.is_some_and(|old| old.publication == Publication::Published);
        let is = subject.publication == Publication::Published;
        let old_date = old.and_then(|row| row.publish_at);
        if was != is || old_date != facts.publish_at {
            self.authorise(Action::Publish, &subject)?;
            if let Some(before) = before {
                self.authorise(Action::Publish, &before)?;
            }
        }
        Ok(())
    }

    fn row(&self, kind: Kind, id: Uuid, prepared: &Prepared) -> Result<record::Model> {
        let body = canonical(&prepared.body);
        if body.len() > MAX_BODY {
            return Err(StoreError::TooLarge {
                size: body.len(),
                limit: MAX_BODY,
            });
        }
        let facts = &prepared.facts;
        let publication = facts.publication.unwrap_or(Publication::Draft);
        let relationship = facts.relationship.as_ref();
        Ok(record::Model {
            id,
            kind: kind.code().to_owned(),
            origin: self.origin.clone(),
            slug: facts.slug.clone(),
            name: facts.name.clone(),
            system: facts.external_id.as_ref().map(|key| key.system.clone()),
            external_id: facts.external_id.as_ref().map(|key| key.id.clone()),
            home_region: facts.home_region,
            publication: publication.code().to_owned(),
            was_public: publication == Publication::Published,
            publish_at: facts.publish_at,
            sameness: relationship.and_then(domain::relationship::Relationship::sameness),
            version: 1,
            seq: 0,
            created_at: self.now,
            updated_at: self.now,
            synced_at: None,
            body,
        })
    }

    /// Writes what SQL needs beside the row: identifiers, references, the edge and its roles.
    async fn write_satellites(&self, row: &record::Model, prepared: &Prepared) -> Result<()> {
        let identifiers = prepared
            .facts
            .identifiers
            .iter()
            .map(|one| (one.scheme.as_str().to_owned(), one.normalise()));
        // The same identifier may stand twice in a body, for two periods.
        let identifiers: std::collections::BTreeSet<_> = identifiers.collect();
        if !identifiers.is_empty() {
            let rows = identifiers
                .into_iter()
                .map(|(scheme, value)| identifier::ActiveModel {
                    record_id: Set(row.id),
                    scheme: Set(scheme),
                    value: Set(value),
                    origin: Set(row.origin.clone()),
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

    async fn clear_satellites(&self, id: Uuid) -> Result<()> {
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

    /// A slug that changes leads to the record until somebody takes it.
    async fn leave_redirect(&self, old: &record::Model, new: &record::Model) -> Result<()> {
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
            record_id: Set(old.id),
        };
        redirect::Entity::insert(row)
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    pub(crate) async fn drop_redirect(&self, kind: &str, slug: &str) -> Result<()> {
        redirect::Entity::delete_by_id((kind.to_owned(), slug.to_owned()))
            .exec(&self.tx)
            .await?;
        Ok(())
    }

    /// What is left of this node's deleted record with the id or the key that a body carries.
    async fn dead(&self, kind: Kind, id: Uuid, sent: &Value) -> Result<Option<tombstone::Model>> {
        let key = |member| sent.pointer(&format!("/external_id/{member}"))?.as_str();
        let mut any = Condition::any().add(tombstone::Column::Id.eq(id));
        if let Some((system, external_id)) = key("system").zip(key("id")) {
            any = any.add(
                Condition::all()
                    .add(tombstone::Column::System.eq(system))
                    .add(tombstone::Column::ExternalId.eq(external_id)),
            );
        }
        let dead = tombstone::Entity::find()
            .filter(tombstone::Column::Kind.eq(kind.code()))
            .filter(tombstone::Column::Origin.eq(&self.origin))
            .filter(any)
            .one(&self.tx)
            .await?;
        Ok(dead)
    }

    async fn revive(&mut self, kind: Kind, dead: &tombstone::Model) -> Result<()> {
        self.authorise(
            Action::Write,
            &Subject {
                own: true,
                kind,
                home_region: dead.home_region,
                publication: Publication::Draft,
                system: dead.system.as_deref(),
            },
        )?;
        tombstone::Entity::delete_by_id(dead.id)
            .exec(&self.tx)
            .await?;
        self.log_revival(dead.id).await
    }
}

impl Unit<'_> {
    /// A row as the rules of access see it.
    pub(crate) fn subject<'a>(&self, row: &'a record::Model) -> Result<Subject<'a>> {
        subject(row, &self.origin)
    }
}

impl Store {
    /// A row as the rules of access see it.
    pub(crate) fn subject<'a>(&self, row: &'a record::Model) -> Result<Subject<'a>> {
        subject(row, &self.node().origin)
    }
}

fn subject<'a>(row: &'a record::Model, origin: &str) -> Result<Subject<'a>> {
    Ok(Subject {
        own: row.origin == origin,
        kind: kind_of(row)?,
        home_region: row.home_region,
        publication: Publication::parse(&row.publication)
            .ok_or_else(|| StoreError::Corrupt(format!("publication {}", row.publication)))?,
        system: row.system.as_deref(),
    })
}

pub(crate) fn kind_of(row: &record::Model) -> Result<Kind> {
    Kind::parse(&row.kind).ok_or_else(|| StoreError::Corrupt(format!("kind {}", row.kind)))
}

pub(crate) fn parse_body(row: &record::Model) -> Result<Value> {
    serde_json::from_str(&row.body).map_err(|why| StoreError::Corrupt(why.to_string()))
}

fn text(members: &Map<String, Value>, member: &str) -> Option<String> {
    members.get(member)?.as_str().map(str::to_owned)
}

/// What a new body leaves out and the record keeps; an external id never changes.
fn keep(
    members: &mut Map<String, Value>,
    old: Option<&record::Model>,
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    let Some(old) = old else {
        members
            .entry("publication")
            .or_insert_with(|| json!(Publication::Draft));
        return Ok(());
    };
    let body = parse_body(old)?;
    for member in ["slug", "external_id", "publication"] {
        if let (Some(value), false) = (body.get(member), members.contains_key(member)) {
            members.insert(member.to_owned(), value.clone());
        }
    }
    if let Some(fixed) = body.get("external_id")
        && members.get("external_id") != Some(fixed)
    {
        let fault = Fault::new("external-id-fixed").with("expected", fixed);
        errors.push(FieldError::new("/external_id", fault));
    }
    Ok(())
}

/// Every record but a topic has a home region.
fn require_home(kind: Kind, body: &Value, resolved: &Resolved, errors: &mut Vec<FieldError>) {
    let missing = body.get("home_region").is_none() && kind != Kind::Topic;
    // A relationship takes it from its ends; if they are wrong, that is told.
    let told = kind == Kind::Relationship && !(resolved.errors.is_empty() && errors.is_empty());
    if missing && !told {
        let fault = Fault::new("required")
            .with("what", "the region whose editors may write the record")
            .with(
                "what_de",
                "die Region, deren Redaktion den Datensatz pflegt",
            );
        errors.push(FieldError::new("/home_region", fault));
    }
}
