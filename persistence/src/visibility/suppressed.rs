//! Records that this node suppresses although their origin published them: hidden copies, and
//! relationships that an own end disputes. To everyone they are unpublished.

use crate::entity::confirmation;
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use crate::visibility::public::update_is_public;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::statements::confirmation::ConfirmationState;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Statement};
use std::collections::BTreeMap;

/// Whether the current row of `record` is suppressed. A statement is valid while the record that made
/// it is an end.
const SUPPRESSED: &str = "(EXISTS (SELECT 1 FROM hidden WHERE hidden.record_id = record.id) OR \
    EXISTS (SELECT 1 FROM confirmation JOIN edge ON edge.record_id = confirmation.record_id \
        AND confirmation.end_id IN (edge.from_id, edge.to_id) \
        WHERE confirmation.record_id = record.id AND confirmation.state = 'disputed'))";

/// Sets in a row whether it is suppressed; `update_is_public` has to follow.
pub(crate) async fn update_suppressed(tx: &Transaction<'_>, row: &mut Record) -> Result<()> {
    let sql = format!(
        "UPDATE record SET suppressed = {SUPPRESSED}, \
         is_public = (record.publication = 'published' AND NOT {SUPPRESSED}) \
         WHERE id = $1 RETURNING suppressed"
    );
    let id = [row.id.into()];
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, id);
    let updated = tx.sql.query_one_raw(statement).await?;
    let updated = updated.ok_or_else(|| StoreError::Corrupt(format!("no row {}", row.id)))?;
    row.suppressed = updated.try_get_by_index(0)?;
    row.is_public = !row.suppressed && row.publication == Publication::Published;
    Ok(())
}

/// Checks again whether a record is suppressed, and logs a change; returns whether there is one.
pub(crate) async fn reconsider(tx: &mut Transaction<'_>, before: &Record) -> Result<bool> {
    let mut row = before.clone();
    update_suppressed(tx, &mut row).await?;
    update_is_public(tx, &mut row).await?;
    let changed = row.suppressed != before.suppressed;
    if changed {
        tx.log().visibility(before, row.is_public);
    }
    Ok(changed)
}

/// Stores the statement of an end of a relationship.
pub(crate) async fn keep_statement(tx: &Transaction<'_>, new: &confirmation::Model) -> Result<()> {
    let key = (new.record_id, new.end_id);
    confirmation::Entity::delete_by_id(key)
        .exec(&tx.sql)
        .await?;
    confirmation::Entity::insert(new.clone().into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    Ok(())
}

/// Everything that ends have stated about what the relationship `$1` says, earliest first. Partners
/// may store the ends of a symmetric relationship in any order.
fn stated_before() -> String {
    let symmetric = RelationshipType::ALL
        .iter()
        .filter(|one| one.rule().symmetric);
    let symmetric: Vec<String> = symmetric.map(|one| format!("'{}'", one.code())).collect();
    format!(
        "SELECT confirmation.* FROM edge JOIN confirmation ON confirmation.type = edge.type \
         AND confirmation.from_id IN (edge.from_id, edge.to_id) \
         AND confirmation.to_id IN (edge.from_id, edge.to_id) \
         AND (confirmation.from_id = edge.from_id OR edge.type IN ({})) \
         WHERE edge.record_id = $1 ORDER BY confirmation.at",
        symmetric.join(", ")
    )
}

/// Lets the disputes of what a relationship says hold for it too: it may be a copy of a disputed
/// one with other dates. Returns whether there are any. Of each end the latest statement counts.
pub(crate) async fn inherit_disputes(tx: &Transaction<'_>, row: &Record) -> Result<bool> {
    if row.kind != Kind::Relationship {
        return Ok(false);
    }
    let id = [row.id.into()];
    let statement =
        Statement::from_sql_and_values(tx.sql.get_database_backend(), stated_before(), id);
    let stated = confirmation::Entity::find().from_raw_sql(statement);
    let mut latest: BTreeMap<_, confirmation::Model> = BTreeMap::new();
    for one in stated.all(&tx.sql).await? {
        // What it says about this very relationship is more precise.
        let precise = latest
            .get(&one.end_id)
            .is_some_and(|known| known.record_id == row.id);
        if !precise {
            latest.insert(one.end_id, one);
        }
    }
    let disputed = ConfirmationState::Disputed.code();
    let mut inherits = false;
    for one in latest.into_values() {
        if one.record_id != row.id && one.state == disputed {
            let record_id = row.id;
            keep_statement(tx, &confirmation::Model { record_id, ..one }).await?;
            inherits = true;
        }
    }
    Ok(inherits)
}
