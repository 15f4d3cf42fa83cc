//! Reviving a deleted record under its old id when its key is supplied again.

use crate::entity::{record, tombstone};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::merge_targets::merge_targets;
use crate::record::Record;
use crate::transaction::Transaction;
use domain::access::rules::{Action, Subject};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::kinds::common::Publication;
use domain::value::reference::RecordRef;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

/// The tombstone of this node's deleted record with the id or the key of a body.
pub(crate) async fn dead(
    tx: &Transaction<'_>,
    kind: Kind,
    id: Uuid,
    sent: &Value,
) -> Result<Option<tombstone::Model>> {
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
        .filter(tombstone::Column::Origin.eq(&tx.origin))
        .filter(any)
        .one(&tx.sql)
        .await?;
    Ok(dead)
}

/// Rejects restoring a merged record by supplying it again: its editors decided otherwise, and
/// their edits of the merge target must not be overwritten.
pub(crate) async fn refuse_merged(
    tx: &Transaction<'_>,
    kind: Kind,
    dead: &tombstone::Model,
) -> Result<()> {
    if dead.merged_into.is_none() {
        return Ok(());
    }
    let subject = crate::record::tombstone_subject(dead, kind, &tx.origin);
    tx.authorise(Action::Write, &subject)?;
    let merge_targets = merge_targets(&tx.sql, [dead.id]).await?;
    let merge_target = match merge_targets.get(&dead.id) {
        Some(id) => {
            record::Entity::find_by_id(*id)
                .into_model::<Record>()
                .one(&tx.sql)
                .await?
        }
        None => None,
    };
    let other = match merge_target {
        Some(row) if tx.caller.can_read(&tx.subject(&row)) => Some(RecordRef { kind, id: row.id }),
        Some(_) | None => None,
    };
    let key = dead.system.iter().chain(&dead.external_id).cloned();
    let key: Vec<String> = key.collect();
    let (field, value) = if key.is_empty() {
        ("/id", dead.id.to_string())
    } else {
        ("/external_id", key.join("|"))
    };
    Err(StoreError::Conflict(Conflict {
        field: field.to_owned(),
        what: Unique::Merged,
        value,
        other,
    }))
}

pub(crate) fn refuse_erased(
    tx: &Transaction<'_>,
    kind: Kind,
    dead: &tombstone::Model,
) -> Result<()> {
    if dead.cause != Cause::Erased.code() {
        return Ok(());
    }
    let subject = crate::record::tombstone_subject(dead, kind, &tx.origin);
    tx.authorise(Action::Write, &subject)?;
    Err(crate::record::gone(kind, dead.clone()))
}

pub(crate) async fn revive(
    tx: &mut Transaction<'_>,
    kind: Kind,
    dead: &tombstone::Model,
) -> Result<()> {
    tx.authorise(
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
        .exec(&tx.sql)
        .await?;
    tx.log().revival(dead.id).await
}
