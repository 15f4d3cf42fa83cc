//! Rewriting the bodies of this node's own records after members were renamed: a new version each,
//! in batches. After a crash the next start continues after the last batch.

mod instances;

use crate::entity::{node, record, source_key};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::derived_rows::{clear_derived_rows, write_derived_rows};
use crate::write::prepare::Prepared;
use crate::write::resolve::Resolved;
use domain::access::rules::Caller;
use domain::base::json::canonical;
use domain::base::kind::Kind;
use domain::base::pointer;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::kinds::relationship::Relationship;
use domain::validation::body::KindSchema;
use domain::validation::upgrade::{body_format, kinds_with_renames, upgrade};
pub(crate) use instances::refuse_older;
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Records in one transaction.
const BATCH: u64 = 100;

/// Any number will do, as long as every instance uses the same one.
const LOCK: i64 = 7_238_119_005;

/// Gives members of this node's own records the names of this release.
///
/// # Errors
/// [`StoreError::Setup`] if a newer release has written to the database.
pub(crate) async fn upgrade_bodies(store: &Store) -> Result<()> {
    let node = node::Entity::find_by_id(1).one(store.db().reader()).await?;
    let node = node.ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
    if node.body_format > body_format() {
        return Err(StoreError::Setup(
            "a newer release has written to this database; start that release, or restore an older backup".to_owned(),
        ));
    }
    if node.body_format == body_format() && node.upgraded_to.is_none() {
        return Ok(());
    }
    tracing::info!("rewriting records with renamed members");
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    let mut count = 0;
    let batch = async |tx: &mut Transaction<'_>| upgrade_batch(tx).await;
    while let Some(more) = store.write(&Caller::node(), &options, batch).await? {
        count += more;
    }
    tracing::info!(count, "records with renamed members rewritten");
    Ok(())
}

/// Rewrites the next records; returns their number, or `None` after the last one.
async fn upgrade_batch(tx: &mut Transaction<'_>) -> Result<Option<usize>> {
    tx.cause = Some(Cause::Schema);
    if tx.db().is_postgres() {
        // Instances that start together are serialised.
        let sql = "SELECT pg_advisory_xact_lock($1)";
        tx.execute(sql, [LOCK.into()]).await?;
    }
    // From here on earlier releases cannot write.
    let sql = "UPDATE sync_state SET body_format = $1, upgraded_to = $2 \
         WHERE id = 1 AND body_format < $1";
    let values = [body_format().into(), Uuid::nil().into()];
    tx.execute(sql, values).await?;
    let node = node::Entity::find_by_id(1).one(&tx.sql).await?;
    let Some(after) = node.and_then(|node| node.upgraded_to) else {
        return Ok(None);
    };
    let kinds = kinds_with_renames();
    let mut rows = record::Entity::find()
        .filter(record::Column::Kind.is_in(kinds.iter().map(|kind| kind.code())))
        .filter(record::Column::SyncedAt.is_null())
        .filter(record::Column::Id.gt(after))
        .order_by_asc(record::Column::Id)
        .limit(BATCH);
    if tx.db().is_postgres() {
        rows = rows.lock(LockType::NoKeyUpdate);
    }
    let rows = rows.into_model::<Record>().all(&tx.sql).await?;
    let last = rows.last().map(|row| row.id);
    let mut rewritten = 0;
    for row in rows {
        rewritten += usize::from(rewrite(tx, row).await?);
    }
    let sql = "UPDATE sync_state SET upgraded_to = $1 WHERE id = 1";
    tx.execute(sql, [last.into()]).await?;
    Ok(last.map(|_| rewritten))
}

/// Rewrites a record; returns whether it had former names.
async fn rewrite(tx: &mut Transaction<'_>, old: Record) -> Result<bool> {
    let kind = old.kind;
    let mut body = old.parse_body()?;
    let changed = upgrade(kind, &mut body);
    let facts = KindSchema::of(kind).facts(&body);
    let relationship = facts.relationship.as_ref();
    let mut row = Record {
        // The key contains the names of members too, also of absent ones.
        relationship_key: relationship.and_then(Relationship::relationship_key),
        ..old.clone()
    };
    if changed {
        row.body = canonical(&body);
        row.version += 1;
    }
    if row != old {
        let active = row.clone().into_active_model().reset_all();
        active.update(&tx.sql).await?;
    }
    if !changed {
        return Ok(false);
    }
    let prepared = Prepared {
        facts,
        resolved: Resolved {
            references: references(kind, &body),
            ..Resolved::default()
        },
        body: Value::Null,
        warnings: Vec::new(),
    };
    clear_derived_rows(tx, row.id).await?;
    write_derived_rows(tx, &row, &prepared).await?;
    tx.log().upsert(Some(&old), &row).await?;
    // The last item of the supplying system is still what is stored here.
    source_key::Entity::update_many()
        .col_expr(
            source_key::Column::Version,
            Expr::col(source_key::Column::Version).add(1),
        )
        .filter(source_key::Column::RecordId.eq(row.id))
        .filter(source_key::Column::Version.eq(old.version))
        .exec(&tx.sql)
        .await?;
    Ok(true)
}

/// The records that a stored body references, except for the ends of relationships, which are in
/// the edge.
fn references(kind: Kind, body: &Value) -> BTreeSet<(&'static str, Uuid)> {
    let fields = KindSchema::of(kind).references.iter();
    let named = fields.filter(|field| !matches!(field.path, "/from" | "/to"));
    let ids = named.flat_map(|field| {
        let values = pointer::values(body, field.path).into_iter();
        let ids = values.filter_map(|value| {
            let id = value.get("id").unwrap_or(value).as_str()?;
            Uuid::try_parse(id).ok()
        });
        ids.map(|id| (field.path, id))
    });
    ids.collect()
}
