//! Unique values: slugs, keys of supplying systems, identifiers, open-ended relationships.

use crate::entity::{identifier, record};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::record::Record;
use crate::transaction::Transaction;
use crate::write::prepare::Prepared;
use domain::access::rules::Action;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::value::reference::RecordRef;
use domain::value::text::slugify;
use sea_orm::sea_query::{Alias, Expr, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

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

/// Suffixes that are tried in order before random ones.
const LAST_NUMBER: u32 = 9;

/// A slug that no record of this origin has: `base`, `base-2` to `base-9`, or one with a random
/// suffix. The cost does not depend on the number of records with such a name.
pub(crate) async fn free_slug(tx: &Transaction<'_>, kind: Kind, base: &str) -> Result<String> {
    take_turns_for_slug(tx, kind, base).await?;
    let numbered = (2..=LAST_NUMBER).map(|number| format!("{base}-{number}"));
    let candidates: Vec<String> = std::iter::once(base.to_owned()).chain(numbered).collect();
    if let Some(free) = first_free(tx, kind, &candidates).await? {
        return Ok(free);
    }
    loop {
        let random = [(); 4].map(|()| format!("{base}-{:06x}", rand::random::<u32>() >> 8));
        if let Some(free) = first_free(tx, kind, &random).await? {
            return Ok(free);
        }
    }
}

async fn first_free(
    tx: &Transaction<'_>,
    kind: Kind,
    candidates: &[String],
) -> Result<Option<String>> {
    let taken: Vec<Option<String>> = record::Entity::find()
        .select_only()
        .column(record::Column::Slug)
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(record::Column::Slug.is_in(candidates))
        .filter(record::Column::Origin.eq(&tx.origin))
        // The condition of the unique index, which is used only with it.
        .filter(record::Column::SyncedAt.is_null())
        .into_tuple()
        .all(&tx.sql)
        .await?;
    let taken: BTreeSet<String> = taken.into_iter().flatten().collect();
    let free = candidates.iter().find(|slug| !taken.contains(*slug));
    Ok(free.cloned())
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

/// A unique value of a row: where it is in the body, and the search for another record with it.
struct Claim {
    field: String,
    what: Unique,
    value: String,
    /// Selects the id of the other record by the unique index of the value.
    lookup: SelectStatement,
}

/// Rejects a row with a unique value of another record of this node.
pub(crate) async fn refuse_conflicts(
    tx: &Transaction<'_>,
    row: &Record,
    prepared: &Prepared,
) -> Result<()> {
    let claims = claims(row, prepared);
    let Some(lookup) = lookup(&claims) else {
        return Ok(());
    };
    let statement = tx.sql.get_database_backend().build(&lookup);
    let taken = tx.sql.query_all_raw(statement).await?;
    let taken = taken
        .iter()
        .map(|one| Ok((one.try_get_by_index::<i32>(0)?, one.try_get_by_index(1)?)))
        .collect::<Result<BTreeMap<i32, Uuid>, DbErr>>()?;
    let Some((number, id)) = taken.into_iter().next() else {
        return Ok(());
    };
    let claim = usize::try_from(number).ok();
    let claim = claim.and_then(|number| claims.into_iter().nth(number));
    let claim = claim.ok_or_else(|| StoreError::Corrupt(format!("claim {number} of none")))?;
    match record::Entity::find_by_id(id)
        .into_model::<Record>()
        .one(&tx.sql)
        .await?
    {
        Some(other) => Err(conflict(tx, claim.field, claim.what, claim.value, &other)),
        // Another transaction has just deleted it.
        None => Err(StoreError::Conflict(Conflict {
            field: claim.field,
            what: claim.what,
            value: claim.value,
            other: None,
        })),
    }
}

/// One statement for all claims, with their numbers: `OR` between them would leave SQLite the
/// choice of reading all records of a kind.
fn lookup(claims: &[Claim]) -> Option<SelectStatement> {
    let numbered = (0_i32..).zip(claims).map(|(number, claim)| {
        let mut numbered = SelectStatement::new();
        let found = Alias::new("found");
        numbered
            .expr(Expr::cust(number.to_string()))
            .column((found.clone(), Alias::new("id")))
            .from_subquery(claim.lookup.clone(), found);
        numbered
    });
    numbered.reduce(|mut all, one| all.union(UnionType::All, one).to_owned())
}

fn claims(row: &Record, prepared: &Prepared) -> Vec<Claim> {
    let mut claims = Vec::new();
    // The condition of the unique indexes, which are used only with it.
    let own = || others(row).filter(record::Column::SyncedAt.is_null());
    if let Some(slug) = &row.slug {
        claims.push(Claim {
            field: "/slug".to_owned(),
            what: Unique::Slug,
            value: slug.clone(),
            lookup: own()
                .filter(record::Column::Kind.eq(row.kind.code()))
                .filter(record::Column::Slug.eq(slug))
                .into_query(),
        });
    }
    if let (Some(system), Some(key)) = (&row.system, &row.external_id) {
        claims.push(Claim {
            field: "/external_id".to_owned(),
            what: Unique::ExternalId,
            value: format!("{system}|{key}"),
            lookup: own()
                .filter(record::Column::Kind.eq(row.kind.code()))
                .filter(record::Column::System.eq(system))
                .filter(record::Column::ExternalId.eq(key))
                .into_query(),
        });
    }
    if let Some(key) = &row.relationship_key {
        claims.push(Claim {
            field: String::new(),
            what: Unique::Relationship,
            value: String::new(),
            lookup: others(row)
                .filter(record::Column::RelationshipKey.eq(key))
                .into_query(),
        });
    }
    let identifiers = prepared.facts.identifiers.iter().enumerate();
    for (index, one) in identifiers.filter(|(_, one)| !one.scheme.is_shared()) {
        let (scheme, value) = (one.scheme.as_str(), one.normalise());
        claims.push(Claim {
            field: format!("/identifiers/{index}"),
            what: Unique::Identifier,
            value: format!("{scheme}|{value}"),
            lookup: identifier::Entity::find()
                .select_only()
                .column_as(identifier::Column::RecordId, "id")
                .filter(identifier::Column::Scheme.eq(scheme))
                .filter(identifier::Column::Value.eq(value))
                .filter(identifier::Column::Origin.eq(&row.origin))
                .filter(identifier::Column::RecordId.ne(row.id))
                .filter(Expr::cust("NOT copied"))
                .into_query(),
        });
    }
    claims
}

/// The ids of the other records of the same origin.
fn others(row: &Record) -> Select<record::Entity> {
    record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(record::Column::Origin.eq(&row.origin))
        .filter(record::Column::Id.ne(row.id))
}

pub(crate) fn conflict(
    tx: &Transaction<'_>,
    field: String,
    what: Unique,
    value: String,
    other: &Record,
) -> StoreError {
    let visible = tx.caller.can_read(&tx.subject(other));
    let kind = other.kind;
    let other = visible.then_some(RecordRef { kind, id: other.id });
    StoreError::Conflict(Conflict {
        field,
        what,
        value,
        other,
    })
}

/// The key of a record that the caller may not write is taken; the record is named only to those
/// who see it.
pub(crate) fn writable(tx: &Transaction<'_>, row: &Record) -> Result<()> {
    if tx.caller.is_allowed(Action::Write, &tx.subject(row)) {
        return Ok(());
    }
    let key = row.system.iter().chain(&row.external_id).cloned();
    let key: Vec<String> = key.collect();
    let field = "/external_id".to_owned();
    Err(conflict(tx, field, Unique::ExternalId, key.join("|"), row))
}
