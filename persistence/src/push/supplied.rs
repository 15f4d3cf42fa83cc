//! The stored state of the keys of a system, and the last items.

use super::item::{Item, Key, MAX_ITEMS};
use crate::entity::{record, source_key};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::SystemVersion;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter};
use std::cmp::Ordering;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Here {
    pub(super) records: BTreeMap<Key, Record>,
    pub(super) source_keys: BTreeMap<Key, source_key::Model>,
}

/// The records of this node under the keys, and their last items.
pub(super) async fn here(tx: &Transaction<'_>, system: &str, items: &[Item]) -> Result<Here> {
    let mut keys: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
    for item in items {
        keys.entry(item.kind).or_default().push(&item.external_id);
    }
    let (mut records, mut source_keys) = (Condition::any(), Condition::any());
    for (kind, ids) in keys {
        records = records.add(
            Condition::all()
                .add(record::Column::Kind.eq(kind.code()))
                .add(record::Column::ExternalId.is_in(ids.iter().copied())),
        );
        source_keys = source_keys.add(
            Condition::all()
                .add(source_key::Column::Kind.eq(kind.code()))
                .add(source_key::Column::ExternalId.is_in(ids)),
        );
    }
    if records.is_empty() {
        return Ok(Here::default());
    }
    let records = record::Entity::find()
        .filter(record::Column::Origin.eq(&tx.origin))
        .filter(record::Column::System.eq(system))
        .filter(records)
        .into_model::<Record>()
        .all(&tx.sql)
        .await?;
    let source_keys = source_key::Entity::find()
        .filter(source_key::Column::System.eq(system))
        .filter(source_keys)
        .all(&tx.sql)
        .await?;
    Ok(Here {
        records: (records.into_iter())
            .filter_map(|row| Some(((row.kind, row.external_id.clone()?), row)))
            .collect(),
        source_keys: (source_keys.into_iter())
            .filter_map(|row| Some(((Kind::parse(&row.kind)?, row.external_id.clone()), row)))
            .collect(),
    })
}

/// Stores the items in the order of keys, so that concurrent pushes wait instead of deadlocking.
pub(super) async fn store_source_keys(
    tx: &Transaction<'_>,
    mut source_keys: Vec<source_key::Model>,
) -> Result<()> {
    source_keys.sort_by(|a, b| (&a.kind, &a.external_id).cmp(&(&b.kind, &b.external_id)));
    let of_key = [
        source_key::Column::System,
        source_key::Column::Kind,
        source_key::Column::ExternalId,
    ];
    let newer = OnConflict::columns(of_key)
        .update_columns([
            source_key::Column::RecordId,
            source_key::Column::Version,
            source_key::Column::SentHash,
            source_key::Column::SystemVersion,
        ])
        .to_owned();
    for chunk in source_keys.chunks(MAX_ITEMS) {
        let rows = chunk.iter().cloned().map(|row| source_key::ActiveModel {
            system: Set(row.system),
            kind: Set(row.kind),
            external_id: Set(row.external_id),
            record_id: Set(row.record_id),
            version: Set(row.version),
            sent_hash: Set(row.sent_hash),
            system_version: Set(row.system_version),
        });
        source_key::Entity::insert_many(rows)
            .on_conflict(newer.clone())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(())
}

/// The newest version of the system, as JSON, if the item is not older.
pub(super) fn newest(
    item: &Item,
    source_key: Option<&source_key::Model>,
) -> Result<Option<String>> {
    let stored = source_key.and_then(|one| one.system_version.clone());
    let Some(given) = &item.system_version else {
        return Ok(stored);
    };
    let corrupt = |why: serde_json::Error| StoreError::Corrupt(why.to_string());
    if let Some(stored) = &stored {
        let stored: SystemVersion = serde_json::from_str(stored).map_err(corrupt)?;
        match given.compare(&stored) {
            Some(Ordering::Less) => {
                let given = given.clone();
                return Err(StoreError::OutOfOrder { given, stored });
            }
            Some(Ordering::Equal | Ordering::Greater) => {}
            None => {
                let fault = Fault::new(FaultCode::SystemVersion).with("stored", stored);
                let error = FieldError::new("/system_version", fault);
                return Err(StoreError::Invalid(vec![error]));
            }
        }
    }
    serde_json::to_string(given).map(Some).map_err(corrupt)
}
