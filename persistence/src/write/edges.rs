//! Specifics of writing relationships: order of symmetric ends, home region, cycles, the edge row.

use crate::entity::{edge, edge_role, record, reference};
use crate::error::{Denied, Result, StoreError};
use crate::merge_targets::made_one;
use crate::store::REFERENCE_ORIGIN;
use crate::transaction::Transaction;
use crate::write::resolve::{Head, Resolved};
use domain::access::rules::Action;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::record_type::Hierarchy;
use domain::kinds::relationship::end::End;
use domain::kinds::relationship::{Relationship, RelationshipType};
use domain::validation::body::Facts;
use domain::validation::body::KindSchema;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

const CHUNK: usize = 500;

/// Puts the smaller id of a symmetric relationship first, and sets the home region from its ends.
pub(crate) fn complete_relationship(
    tx: &Transaction<'_>,
    body: &mut Value,
    resolved: &Resolved,
    errors: &mut Vec<FieldError>,
) {
    let Ok(relationship) = serde_json::from_value::<Relationship>(body.clone()) else {
        return;
    };
    let rule = relationship.r#type.rule();
    let ends @ [from, to] = [&relationship.from, &relationship.to].map(End::record);
    let swapped = match ends {
        [Some((_, from)), Some((_, to))] => to < from,
        // An open end comes second.
        [None, Some(_)] => true,
        [Some(_) | None, None] => false,
    };
    if rule.symmetric
        && swapped
        && let Some(members) = body.as_object_mut()
        && let (Some(from), Some(to)) = (members.remove("from"), members.remove("to"))
    {
        members.insert("from".to_owned(), to);
        members.insert("to".to_owned(), from);
    }
    let told = errors
        .iter()
        .any(|error| error.fault.code == FaultCode::SameEnds);
    if from.is_some() && from == to && !told {
        errors.push(FieldError::new("/to", Fault::new(FaultCode::SameEnds)));
    }
    let origin = &tx.origin;
    let own: Vec<&Head> = ends
        .iter()
        .flatten()
        .filter_map(|(_, id)| resolved.head(*id))
        .filter(|head| head.origin == *origin)
        .collect();
    let named = ends.iter().flatten().count();
    if own.is_empty() && named > 0 && resolved.errors.is_empty() {
        errors.push(FieldError::new("/from", Fault::new(FaultCode::OwnEnd)));
    }
    if body.get("home_region").is_none()
        && let Some(home) = own.first().and_then(|head| head.home_region)
    {
        insert(body, &["home_region"], json!(home));
    }
}

/// Writing a relationship needs write access to one of its own ends; the tree of regions is
/// reserved for admins.
pub(crate) fn authorise_ends(
    tx: &Transaction<'_>,
    relationship: &Relationship,
    resolved: &Resolved,
) -> Result<()> {
    let origin = &tx.origin;
    let ends = [&relationship.from, &relationship.to].map(End::record);
    let allowed = |action: Action| {
        ends.iter()
            .flatten()
            .filter_map(|(_, id)| resolved.head(*id)?.subject(origin))
            .any(|subject| tx.caller.is_allowed(action, &subject))
    };
    let tree =
        relationship.r#type.rule().shapes_trees && relationship.from.kind() == Some(Kind::Region);
    if tree && !allowed(Action::ShapeTree) {
        return Err(StoreError::Forbidden(Denied::RegionTree));
    }
    if allowed(Action::Write) {
        Ok(())
    } else {
        Err(StoreError::Forbidden(Denied::OwnEnd))
    }
}

/// Rejects changes of relationships that shape the tree of regions, for everyone but the admin.
pub(crate) async fn refuse_shaping(
    tx: &Transaction<'_>,
    relationships: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    let among = Condition::all().add(edge::Column::RecordId.is_in(relationships));
    refuse_region_tree(tx, among).await
}

/// Rejects the deletion of records with relationships that shape the tree of regions, for everyone
/// but the admin.
pub(crate) async fn refuse_shaping_at(tx: &Transaction<'_>, ids: &BTreeSet<Uuid>) -> Result<()> {
    let mut own = Query::select();
    own.column(record::Column::Id)
        .from(record::Entity)
        .and_where(
            Expr::col((record::Entity, record::Column::Id))
                .eq(Expr::col((edge::Entity, edge::Column::RecordId))),
        )
        .and_where(record::Column::Origin.eq(&tx.origin));
    let among = Condition::all().add(ends_among(ids)).add(Expr::exists(own));
    refuse_region_tree(tx, among).await
}

async fn refuse_region_tree(tx: &Transaction<'_>, among: Condition) -> Result<()> {
    if tx.caller.is_node_admin() {
        return Ok(());
    }
    let trees = RelationshipType::ALL
        .iter()
        .filter(|one| one.rule().shapes_trees);
    let shaping = edge::Entity::find()
        .filter(among)
        .filter(edge::Column::Type.is_in(trees.map(|one| one.code())))
        .filter(edge::Column::FromKind.eq(Kind::Region.code()))
        .count(&tx.sql)
        .await?;
    if shaping == 0 {
        Ok(())
    } else {
        Err(StoreError::Forbidden(Denied::RegionTree))
    }
}

/// The relationships that have one of the records at an end.
pub(crate) fn ends_among(at: &BTreeSet<Uuid>) -> Condition {
    Condition::any()
        .add(edge::Column::FromId.is_in(at.iter().copied()))
        .add(edge::Column::ToId.is_in(at.iter().copied()))
}

/// Rejects what would make a record part of itself, or a topic broader than itself.
pub(crate) async fn refuse_circles(
    tx: &Transaction<'_>,
    kind: Kind,
    id: Uuid,
    facts: &Facts,
    resolved: &Resolved,
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    let broader = resolved.references.iter().find(|(at, _)| *at == "/broader");
    let (start, goal, at, tree) = match (&facts.relationship, broader) {
        (Some(edge), _) if edge.r#type.rule().acyclic => {
            let (Some((_, from)), Some((_, to))) = (edge.from.record(), edge.to.record()) else {
                return Ok(());
            };
            (to, from, "/to", Hierarchy::PartOf)
        }
        (None, Some((_, broader))) => (*broader, id, "/broader", Hierarchy::Broader),
        (Some(_), _) | (None, None) => return Ok(()),
    };
    take_turns(tx, kind).await?;
    // The record itself may be an edge that is being changed: its old ends do not count.
    if climbs(tx, tree, start, goal, id).await? {
        errors.push(FieldError::new(at, Fault::new(FaultCode::Cycle)));
    }
    Ok(())
}

/// Whether a record is below another one in the tree of its kind.
pub(crate) async fn is_above(
    tx: &Transaction<'_>,
    kind: Kind,
    below: Uuid,
    above: Uuid,
) -> Result<bool> {
    climbs(
        tx,
        KindSchema::of(kind).hierarchy,
        below,
        above,
        Uuid::nil(),
    )
    .await
}

/// Whether `goal` is `start` or above it, ignoring the record `except`.
async fn climbs(
    tx: &Transaction<'_>,
    tree: Hierarchy,
    start: Uuid,
    goal: Uuid,
    except: Uuid,
) -> Result<bool> {
    let mut seen = BTreeSet::new();
    let mut level = made_one(&tx.sql, &[start].into()).await?;
    while !level.is_empty() {
        if level.contains(&goal) {
            return Ok(true);
        }
        let up = parents_of(tx, tree, &level, except).await?;
        seen.append(&mut level);
        level = made_one(&tx.sql, &up).await?;
        level.retain(|id| !seen.contains(id));
    }
    Ok(false)
}

/// The records one step above, without the step of the record `except`: it may be the edge, or the
/// topic, that is being written.
async fn parents_of(
    tx: &Transaction<'_>,
    tree: Hierarchy,
    ids: &BTreeSet<Uuid>,
    except: Uuid,
) -> Result<BTreeSet<Uuid>> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut found = BTreeSet::new();
    // What partners state must not stand in the way of what is written here; trees bear circles.
    let trusted = |column| {
        let origins = [tx.origin.as_str(), REFERENCE_ORIGIN];
        let mut rows = Query::select();
        rows.column(record::Column::Id)
            .from(record::Entity)
            .and_where(Expr::col((record::Entity, record::Column::Id)).eq(column))
            .and_where(record::Column::Origin.is_in(origins));
        Expr::exists(rows)
    };
    let by_edge = Expr::col((edge::Entity, edge::Column::RecordId));
    let by_reference = Expr::col((reference::Entity, reference::Column::RecordId));
    for chunk in ids.chunks(CHUNK) {
        let below = chunk.iter().copied();
        let steps = match tree {
            Hierarchy::PartOf => {
                edge::Entity::find()
                    .select_only()
                    .column(edge::Column::ToId)
                    .filter(edge::Column::FromId.is_in(below))
                    .filter(edge::Column::Type.eq(RelationshipType::PartOf.code()))
                    .filter(edge::Column::RecordId.ne(except))
                    .filter(trusted(by_edge.clone()))
                    .into_tuple::<Option<Uuid>>()
                    .all(&tx.sql)
                    .await?
            }
            Hierarchy::Broader => {
                reference::Entity::find()
                    .select_only()
                    .column(reference::Column::TargetId)
                    .filter(reference::Column::RecordId.is_in(below))
                    .filter(reference::Column::Field.eq("/broader"))
                    .filter(reference::Column::RecordId.ne(except))
                    .filter(trusted(by_reference.clone()))
                    .into_tuple()
                    .all(&tx.sql)
                    .await?
            }
        };
        found.extend(steps.into_iter().flatten());
    }
    Ok(found)
}

/// Two writers that each close half a cycle must see each other; SQLite has one writer.
pub(crate) async fn take_turns(tx: &Transaction<'_>, kind: Kind) -> Result<()> {
    if !tx.db().is_postgres() {
        return Ok(());
    }
    let lock = 7_238_119_100 + i64::from(kind as u8);
    tx.execute("SELECT pg_advisory_xact_lock($1)", [lock.into()])
        .await
}

pub(crate) async fn write_edge(
    tx: &Transaction<'_>,
    id: Uuid,
    relationship: &Relationship,
    facts: &Facts,
) -> Result<()> {
    let period = relationship.valid.unwrap_or_default();
    let bounds = period.bounds(facts.as_of.as_ref());
    let open = [&relationship.from, &relationship.to]
        .into_iter()
        .find(|end| end.is_open())
        .map(|end| {
            let mut end = json!(end);
            domain::base::json::without_absent(&mut end);
            end.to_string()
        });
    let (from, to) = (relationship.from.record(), relationship.to.record());
    let code = |end: &End| end.kind().map(|kind| kind.code().to_owned());
    let row = edge::ActiveModel {
        record_id: Set(id),
        r#type: Set(relationship.r#type.code().to_owned()),
        from_kind: Set(code(&relationship.from)),
        from_id: Set(from.map(|(_, id)| id)),
        to_kind: Set(code(&relationship.to)),
        to_id: Set(to.map(|(_, id)| id)),
        open_end: Set(open),
        position: Set(relationship.position.and_then(|at| i32::try_from(at).ok())),
        from_earliest: Set(bounds.from_earliest),
        from_latest: Set(bounds.from_latest),
        to_earliest: Set(bounds.to_earliest),
        to_latest: Set(bounds.to_latest),
    };
    edge::Entity::insert(row)
        .exec_without_returning(&tx.sql)
        .await?;
    let roles: std::collections::BTreeSet<_> = relationship.roles.iter().collect();
    if !roles.is_empty() {
        let rows = roles.into_iter().map(|role| edge_role::ActiveModel {
            record_id: Set(id),
            role: Set(role.code().to_owned()),
        });
        edge_role::Entity::insert_many(rows)
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(())
}
