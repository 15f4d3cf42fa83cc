//! Resolving the references of a body in one query, and replacing them by ids.

use crate::entity::record::{self, Column};
use crate::error::{Result, StoreError};
use crate::records::by_text;
use crate::store::rank;
use crate::transaction::Transaction;
use crate::write::resolve::former::{find_merged, formers};
use domain::access::rules::Subject;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::pointer::visit_mut;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::end::End;
use domain::validation::body::KindSchema;
use domain::value::reference::{Keyed, Name, ReferenceForm, Slot};
use sea_orm::ExprTrait as _;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

mod former;

use former::Former;

/// The properties of a referenced record that the rules depend on.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct Head {
    pub(crate) id: Uuid,
    kind: String,
    pub(crate) origin: String,
    slug: Option<String>,
    system: Option<String>,
    external_id: Option<String>,
    pub(crate) home_region: Option<Uuid>,
    publication: String,
    suppressed: bool,
}

impl Head {
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    pub(crate) fn subject(&self, origin: &str) -> Option<Subject<'_>> {
        Some(Subject {
            own: self.origin == origin,
            kind: self.kind()?,
            home_region: self.home_region,
            publication: match Publication::parse(&self.publication)? {
                // As in `crate::visibility::suppressed`.
                _ if self.suppressed => Publication::Draft,
                publication => publication,
            },
            system: self.system.as_deref(),
        })
    }

    fn is_named(&self, kind: Kind, name: &Name) -> bool {
        let kind_fits = self.kind == kind.code();
        match name {
            Name::Id(id) => self.id == *id,
            Name::Slug(slug) => kind_fits && self.slug.as_ref() == Some(slug),
            Name::External(key) => {
                kind_fits
                    && self.system.as_ref() == Some(&key.system)
                    && self.external_id.as_ref() == Some(&key.id)
            }
        }
    }
}

/// The keys by which a record that is being written may reference itself.
#[derive(Debug, Clone)]
pub(crate) struct Myself {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) slug: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// References to nothing, to several records or to the wrong kind.
    pub(crate) errors: Vec<FieldError>,
    pub(crate) heads: Vec<Head>,
    /// The references by place, except for the ends of relationships.
    pub(crate) references: BTreeSet<(&'static str, Uuid)>,
}

impl Resolved {
    pub(crate) fn head(&self, id: Uuid) -> Option<&Head> {
        self.heads.iter().find(|head| head.id == id)
    }
}

struct Wanted {
    pointer: String,
    path: &'static str,
    form: ReferenceForm,
    kind: Kind,
    name: Name,
}

impl Wanted {
    fn list(&self) -> Option<&str> {
        self.path.strip_suffix("/*")?;
        self.pointer.rsplit_once('/').map(|(list, _)| list)
    }
}

/// Replaces every reference in `body` by ids. The records are locked against deletion.
pub(crate) async fn resolve(
    tx: &Transaction<'_>,
    definition: &KindSchema,
    body: &mut Value,
    myself: &Myself,
) -> Result<Resolved> {
    let mut resolved = Resolved::default();
    let wanted = collect(definition, body, &mut resolved.errors);
    resolved.heads = heads(tx, &wanted).await?;
    let formers = formers(tx, &wanted, &mut resolved.heads).await?;
    let mut found = BTreeSet::new();
    let mut listed = BTreeMap::new();
    let mut twice = Vec::new();
    for one in &wanted {
        match find(tx, one, &resolved.heads, &formers, Some(myself)) {
            Ok(id) => {
                put(body, one, id);
                found.insert(id);
                // Two spellings of one record are a duplicate entry.
                if let Some(list) = one.list() {
                    let merged = formers.iter().any(|former| former.is_named(one));
                    match listed.insert((list, id), merged) {
                        // Entries that became equal by a merge are not the writer's mistake.
                        Some(before) if merged || before => twice.push(one.pointer.as_str()),
                        Some(_) => {
                            let repeated = FieldError::new(list, Fault::new(FaultCode::Repeated));
                            resolved.errors.push(repeated);
                        }
                        None => {}
                    }
                }
                // The ends of a relationship are in its edge.
                if !matches!(one.path, "/from" | "/to") {
                    resolved.references.insert((one.path, id));
                }
            }
            Err(fault) => resolved.errors.push(FieldError::new(&one.pointer, fault)),
        }
    }
    // From the end, so that earlier entries keep their positions.
    for pointer in twice.into_iter().rev() {
        remove_entry(body, pointer);
    }
    // Invisible records must have no effect on the response.
    resolved.heads.retain(|head| found.contains(&head.id));
    Ok(resolved)
}

/// The single record of a kind that a value references, locked against deletion.
pub(crate) async fn resolve_slot(
    tx: &Transaction<'_>,
    pointer: &'static str,
    kind: Kind,
    value: &Value,
) -> Result<Uuid> {
    let refused = |fault| StoreError::Invalid(vec![FieldError::new(pointer, fault)]);
    let found = slot(kind, value).map_err(refused)?;
    let (kind, name) = found.ok_or_else(|| refused(Fault::new(FaultCode::Reference)))?;
    let wanted = [Wanted {
        pointer: pointer.to_owned(),
        path: pointer,
        form: ReferenceForm::Slot(kind),
        kind,
        name,
    }];
    let mut heads = heads(tx, &wanted).await?;
    let formers = formers(tx, &wanted, &mut heads).await?;
    let [wanted] = &wanted;
    find(tx, wanted, &heads, &formers, None).map_err(refused)
}

async fn heads(tx: &Transaction<'_>, wanted: &[Wanted]) -> Result<Vec<Head>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut any = Condition::any();
    let mut ids = BTreeSet::new();
    let mut slugs = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for one in wanted {
        match &one.name {
            Name::Id(id) => {
                ids.insert(*id);
            }
            Name::Slug(slug) => {
                slugs.insert((one.kind, slug.clone()));
            }
            Name::External(key) => {
                keys.insert((one.kind, key.system.clone(), key.id.clone()));
            }
        }
    }
    if !ids.is_empty() {
        any = any.add(Column::Id.is_in(ids));
    }
    for (kind, slug) in slugs {
        any = any.add(Column::Kind.eq(kind.code()).and(Column::Slug.eq(slug)));
    }
    for (kind, system, id) in keys {
        any = any.add(
            Column::Kind
                .eq(kind.code())
                .and(Column::System.eq(system))
                .and(Column::ExternalId.eq(id)),
        );
    }
    let mut query = record::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Kind,
            Column::Origin,
            Column::Slug,
            Column::System,
            Column::ExternalId,
            Column::HomeRegion,
            Column::Publication,
            Column::Suppressed,
        ])
        .filter(any)
        // A fixed order of locking, so that two writers wait instead of deadlocking.
        .order_by_asc(Column::Id);
    if tx.db().is_postgres() {
        query = query.lock(LockType::KeyShare);
    }
    Ok(query.into_model::<Head>().all(&tx.sql).await?)
}

/// The intended record: this node's own, otherwise that of the reference data, otherwise the only
/// copy.
fn find(
    tx: &Transaction<'_>,
    wanted: &Wanted,
    heads: &[Head],
    formers: &[Former],
    myself: Option<&Myself>,
) -> Result<Uuid, Fault> {
    let own_origin = &tx.origin;
    let visible: Vec<&Head> = heads
        .iter()
        .filter(|head| head.is_named(wanted.kind, &wanted.name))
        .filter(|head| {
            head.subject(own_origin)
                .is_some_and(|subject| tx.caller.can_read(&subject))
        })
        .collect();
    let own = visible.iter().any(|head| head.origin == *own_origin);
    let given = &wanted.name;
    if !own && let Some(myself) = myself.filter(|myself| names_itself(wanted, myself)) {
        return Ok(myself.id);
    }
    let rank = |head: &Head| rank(&head.origin, own_origin);
    let first = visible.iter().map(|head| rank(head)).min();
    let meant = visible.into_iter();
    let meant: Vec<&Head> = meant.filter(|head| Some(rank(head)) == first).collect();
    match meant.as_slice() {
        [head] => fitting(head, wanted),
        [] => find_merged(tx, wanted, heads, formers).ok_or_else(|| {
            Fault::new(FaultCode::UnknownReference)
                .with("kind", wanted.kind)
                .with("given", given)
        }),
        _ => Err(Fault::new(FaultCode::AmbiguousSlug)
            .with("kind", wanted.kind)
            .with("given", given)),
    }
}

/// A region may reference itself as its home, also during its creation.
fn names_itself(wanted: &Wanted, myself: &Myself) -> bool {
    let slot = matches!(wanted.form, ReferenceForm::Slot(kind) if kind == myself.kind);
    slot && myself.kind == Kind::Region
        && match &wanted.name {
            Name::Id(id) => *id == myself.id,
            Name::Slug(slug) => myself.slug.as_ref() == Some(slug),
            Name::External(_) => false,
        }
}

fn fitting(head: &Head, wanted: &Wanted) -> Result<Uuid, Fault> {
    if head.kind == wanted.kind.code() {
        return Ok(head.id);
    }
    Err(Fault::new(FaultCode::WrongKind)
        .with("expected", wanted.kind)
        .with("given", &head.kind))
}

fn collect(definition: &KindSchema, body: &mut Value, errors: &mut Vec<FieldError>) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for field in &definition.references {
        visit_mut(body, field.path, &mut |pointer, value| {
            let found = match field.form {
                ReferenceForm::Slot(kind) => slot(kind, value),
                ReferenceForm::End => Ok(end(value)),
            };
            match found {
                Ok(Some((kind, name))) => wanted.push(Wanted {
                    pointer: pointer.to_owned(),
                    path: field.path,
                    form: field.form,
                    kind,
                    name,
                }),
                // An open end, or a violation that the schema has reported.
                Ok(None) => {}
                Err(fault) => errors.push(FieldError::new(pointer, fault)),
            }
        });
    }
    wanted
}

fn slot(kind: Kind, value: &Value) -> Result<Option<(Kind, Name)>, Fault> {
    let Ok(slot) = serde_json::from_value::<Slot>(value.clone()) else {
        return Ok(None);
    };
    Ok(match slot {
        Slot::Text(text) => Some((kind, by_text(text))),
        Slot::Keyed(keyed) => match keyed.kind {
            Some(other) if other != kind => {
                return Err(Fault::new(FaultCode::WrongKind)
                    .with("expected", kind)
                    .with("given", other));
            }
            Some(_) | None => keyed.name().map(|name| (kind, name)),
        },
    })
}

fn end(value: &Value) -> Option<(Kind, Name)> {
    match serde_json::from_value::<End>(value.clone()) {
        Ok(End::Record(Keyed {
            kind: Some(kind),
            id,
            slug,
            external_id,
        })) => {
            let keyed = Keyed {
                kind: Some(kind),
                id,
                slug,
                external_id,
            };
            keyed.name().map(|name| (kind, name))
        }
        Ok(End::Record(_) | End::Class { .. } | End::AsStated { .. }) | Err(_) => None,
    }
}

fn remove_entry(body: &mut Value, pointer: &str) {
    let Some((list, at)) = pointer.rsplit_once('/') else {
        return;
    };
    let entries = body.pointer_mut(list).and_then(Value::as_array_mut);
    if let (Some(entries), Ok(at)) = (entries, at.parse::<usize>())
        && at < entries.len()
    {
        entries.remove(at);
    }
}

fn put(body: &mut Value, wanted: &Wanted, id: Uuid) {
    if let Some(place) = body.pointer_mut(&wanted.pointer) {
        *place = match wanted.form {
            ReferenceForm::Slot(_) => json!(id),
            ReferenceForm::End => json!({"kind": wanted.kind, "id": id}),
        };
    }
}
