//! Unique values: slugs, keys of supplying systems, identifiers, open-ended relationships.

use crate::entity::record;
use crate::entity::record::kind_of;
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::transaction::Transaction;
use crate::write::prepare::Prepared;
use domain::access::rules::Action;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::value::reference::RecordRef;
use domain::value::text::slugify;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
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
    /// Selects the id of the other record by the unique index, with `?` for each value.
    lookup: &'static str,
    values: Vec<sea_orm::Value>,
}

const SLUG: &str = "SELECT id FROM record \
    WHERE kind = ? AND slug = ? AND origin = ? AND synced_at IS NULL AND id <> ?";
const EXTERNAL_ID: &str = "SELECT id FROM record WHERE kind = ? AND system = ? \
    AND external_id = ? AND origin = ? AND synced_at IS NULL AND id <> ?";
const RELATIONSHIP: &str = "SELECT id FROM record WHERE sameness = ? AND origin = ? AND id <> ?";
const IDENTIFIER: &str = "SELECT record_id FROM identifier \
    WHERE scheme = ? AND value = ? AND origin = ? AND NOT copied AND record_id <> ?";

/// Rejects a row with a unique value of another record of this node.
pub(crate) async fn refuse_conflicts(
    tx: &Transaction<'_>,
    row: &record::Model,
    prepared: &Prepared,
) -> Result<()> {
    let claims = claims(row, prepared);
    if claims.is_empty() {
        return Ok(());
    }
    let (sql, values) = lookup(&claims);
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, values);
    let taken = tx.sql.query_all_raw(statement).await?;
    let taken: Vec<(i32, Uuid)> = taken
        .iter()
        .map(|one| Ok((one.try_get_by_index(0)?, one.try_get_by_index(1)?)))
        .collect::<Result<_, DbErr>>()?;
    let Some((number, id)) = taken.into_iter().min() else {
        return Ok(());
    };
    let claim = usize::try_from(number).ok();
    let claim = claim.and_then(|number| claims.into_iter().nth(number));
    let claim = claim.ok_or_else(|| StoreError::Corrupt(format!("claim {number} of none")))?;
    match record::Entity::find_by_id(id).one(&tx.sql).await? {
        Some(other) => Err(conflict(tx, claim.field, claim.what, claim.value, &other)?),
        // Another transaction has just deleted it.
        None => Err(StoreError::Conflict(Conflict {
            field: claim.field,
            what: claim.what,
            value: claim.value,
            other: None,
        })),
    }
}

/// One statement for all claims, each with an index of its own: `OR` between them would leave
/// SQLite the choice of reading all records of a kind.
fn lookup(claims: &[Claim]) -> (String, Vec<sea_orm::Value>) {
    let mut values = Vec::new();
    let parts = claims.iter().enumerate().map(|(number, claim)| {
        let mut part = String::new();
        for (at, text) in claim.lookup.split('?').enumerate() {
            if let Some(value) = at.checked_sub(1).and_then(|at| claim.values.get(at)) {
                values.push(value.clone());
                part.push('$');
                part.push_str(&values.len().to_string());
            }
            part.push_str(text);
        }
        part.replacen("SELECT ", &format!("SELECT {number}, "), 1)
    });
    let parts: Vec<String> = parts.collect();
    (parts.join(" UNION ALL "), values)
}

fn claims(row: &record::Model, prepared: &Prepared) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(slug) = &row.slug {
        claims.push(Claim {
            field: "/slug".to_owned(),
            what: Unique::Slug,
            value: slug.clone(),
            lookup: SLUG,
            values: vec![
                row.kind.as_str().into(),
                slug.as_str().into(),
                row.origin.as_str().into(),
                row.id.into(),
            ],
        });
    }
    if let (Some(system), Some(key)) = (&row.system, &row.external_id) {
        claims.push(Claim {
            field: "/external_id".to_owned(),
            what: Unique::ExternalId,
            value: format!("{system}|{key}"),
            lookup: EXTERNAL_ID,
            values: vec![
                row.kind.as_str().into(),
                system.as_str().into(),
                key.as_str().into(),
                row.origin.as_str().into(),
                row.id.into(),
            ],
        });
    }
    if let Some(key) = &row.sameness {
        claims.push(Claim {
            field: String::new(),
            what: Unique::Relationship,
            value: String::new(),
            lookup: RELATIONSHIP,
            values: vec![
                key.as_str().into(),
                row.origin.as_str().into(),
                row.id.into(),
            ],
        });
    }
    for (index, one) in prepared.facts.identifiers.iter().enumerate() {
        let value = one.normalise();
        claims.push(Claim {
            field: format!("/identifiers/{index}"),
            what: Unique::Identifier,
            value: format!("{}|{value}", one.scheme.as_str()),
            lookup: IDENTIFIER,
            values: vec![
                one.scheme.as_str().into(),
                value.into(),
                row.origin.as_str().into(),
                row.id.into(),
            ],
        });
    }
    claims
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
