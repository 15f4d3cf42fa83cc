//! From an input body to a row: validated, resolved, completed, authorised.

use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::store::MAX_BODY;
use crate::transaction::Transaction;
use crate::write::conflict::fill_slug;
use crate::write::edges::{authorise_ends, complete_relationship, refuse_circles, refuse_shaping};
use crate::write::resolve::{Myself, Resolved, resolve};
use domain::access::rules::{Action, Subject};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::canonical;
use domain::base::kind::Kind;
use domain::kinds::common::Publication;
use domain::validation::body::{Facts, KindSchema};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) struct Prepared {
    pub(crate) body: Value,
    pub(crate) facts: Facts,
    pub(crate) resolved: Resolved,
    pub(crate) warnings: Vec<FieldError>,
}

/// Validates a body, resolves its references, fills in defaults, and checks the rules of access.
/// All violations of the body are reported at once.
pub(crate) async fn prepare(
    tx: &Transaction<'_>,
    kind: Kind,
    id: Uuid,
    sent: Value,
    old: Option<&Record>,
) -> Result<Prepared> {
    let definition = KindSchema::of(kind);
    let mut checked = definition.check(sent);
    let Some(members) = checked.body.as_object_mut() else {
        return Err(StoreError::Invalid(checked.errors));
    };
    keep(members, old, &mut checked.errors)?;
    if members.get("publication") == Some(&json!(Publication::Published)) {
        members.shift_remove("publish_at");
    }
    if kind != Kind::Relationship {
        fill_slug(tx, kind, members).await?;
    }
    let myself = Myself {
        id,
        kind,
        slug: text(members, "slug"),
    };
    let mut resolved = resolve(tx, definition, &mut checked.body, &myself).await?;
    if kind == Kind::Relationship {
        complete_relationship(tx, &mut checked.body, &resolved, &mut checked.errors);
    }
    require_home(kind, &checked.body, &resolved, &mut checked.errors);
    checked.errors.append(&mut resolved.errors);
    let facts = definition.facts(&checked.body);
    authorise_change(tx, kind, &checked.body, &facts, old)?;
    if checked.errors.is_empty() {
        refuse_circles(tx, kind, id, &facts, &resolved, &mut checked.errors).await?;
    }
    if !checked.errors.is_empty() {
        return Err(StoreError::Invalid(checked.errors));
    }
    if let Some(relationship) = &facts.relationship {
        authorise_ends(tx, relationship, &resolved)?;
        if let Some(old) = old {
            refuse_shaping(tx, [old.id]).await?;
        }
    }
    Ok(Prepared {
        body: checked.body,
        facts,
        resolved,
        warnings: checked.warnings,
    })
}

/// Whether the caller may make this change: write it in its current and in its new home region, and
/// publish if that changes.
fn authorise_change(
    tx: &Transaction<'_>,
    kind: Kind,
    body: &Value,
    facts: &Facts,
    old: Option<&Record>,
) -> Result<()> {
    // A home region that could not be resolved is reported as such.
    let home_region = body
        .get("home_region")
        .and_then(Value::as_str)
        .and_then(|text| Uuid::try_parse(text).ok());
    if body.get("home_region").is_some() && home_region.is_none() {
        return Ok(());
    }
    if home_region.is_none() && KindSchema::of(kind).needs_home_region {
        return Ok(());
    }
    let subject = Subject {
        own: true,
        kind,
        home_region,
        publication: facts.publication.unwrap_or(Publication::Draft),
        system: facts.external_id.as_ref().map(|key| key.system.as_str()),
    };
    tx.authorise(Action::Write, &subject)?;
    let before = old.map(|row| tx.subject(row));
    let was = old.map(|row| row.publication) == Some(Publication::Published);
    let is = subject.publication == Publication::Published;
    let old_date = old.and_then(|row| row.publish_at);
    // A published record has no publication date.
    let dated = !is && old_date != facts.publish_at;
    // Only approvers of the target region move records there that are published, or will be.
    let moved = old.is_some_and(|old| old.home_region != home_region);
    let public = is || facts.publish_at.is_some();
    if was != is || dated || moved && public {
        tx.authorise(Action::Publish, &subject)?;
        if let Some(before) = before {
            tx.authorise(Action::Publish, &before)?;
        }
    }
    Ok(())
}

pub(crate) fn row(
    tx: &Transaction<'_>,
    kind: Kind,
    id: Uuid,
    prepared: &Prepared,
) -> Result<Record> {
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
    Ok(Record {
        id,
        kind,
        origin: tx.origin.clone(),
        slug: facts.slug.clone(),
        name: facts.name.clone(),
        system: facts.external_id.as_ref().map(|key| key.system.clone()),
        external_id: facts.external_id.as_ref().map(|key| key.id.clone()),
        home_region: facts.home_region,
        publication,
        was_public: publication == Publication::Published,
        // Of a relationship its ends decide too; see `update_is_public`.
        is_public: publication == Publication::Published,
        suppressed: false,
        withholds: false,
        publish_at: facts.publish_at,
        relationship_key: relationship
            .and_then(domain::kinds::relationship::Relationship::relationship_key),
        version: 1,
        seq: 0,
        created_at: tx.now,
        updated_at: tx.now,
        synced_at: None,
        body,
    })
}

fn text(members: &Map<String, Value>, member: &str) -> Option<String> {
    members.get(member)?.as_str().map(str::to_owned)
}

/// Keeps members that a new body leaves out; an external id never changes.
fn keep(
    members: &mut Map<String, Value>,
    old: Option<&Record>,
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    let Some(old) = old else {
        members
            .entry("publication")
            .or_insert_with(|| json!(Publication::Draft));
        return Ok(());
    };
    let body = old.parse_body()?;
    for member in ["slug", "external_id", "publication"] {
        if let (Some(value), false) = (body.get(member), members.contains_key(member)) {
            members.insert(member.to_owned(), value.clone());
        }
    }
    if let Some(fixed) = body.get("external_id")
        && members.get("external_id") != Some(fixed)
    {
        let fault = Fault::new(FaultCode::ExternalIdFixed).with("expected", fixed);
        errors.push(FieldError::new("/external_id", fault));
    }
    Ok(())
}

/// Requires a home region if the kind does.
fn require_home(kind: Kind, body: &Value, resolved: &Resolved, errors: &mut Vec<FieldError>) {
    let missing = body.get("home_region").is_none() && KindSchema::of(kind).needs_home_region;
    // A relationship derives it from its ends; if they are invalid, that is reported.
    let told = kind == Kind::Relationship && !(resolved.errors.is_empty() && errors.is_empty());
    if missing && !told {
        let fault = Fault::new(FaultCode::Required)
            .with("what", "the region whose editors may write the record")
            .with(
                "what_de",
                "die Region, deren Redaktion den Datensatz pflegt",
            );
        errors.push(FieldError::new("/home_region", fault));
    }
}
