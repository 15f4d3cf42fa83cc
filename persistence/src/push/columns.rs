//! What the columns of a source's tables mean, stored for every later one.

use super::Push;
use crate::entity::source_columns::Entity;
use crate::error::{Result, StoreError};
use crate::transaction::WriteOptions;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::EntityTrait;
use serde_json::Value;

impl Push<'_> {
    /// The mapping of a source's tables of a kind.
    pub async fn columns(self, system: &str, kind: Kind) -> Result<Option<Value>> {
        let key = (system.to_owned(), kind.code().to_owned());
        let row = Entity::find_by_id(key);
        let row = row.one(self.store.db().reader()).await?;
        let mapping = row.map(|row| serde_json::from_str(&row.mapping));
        mapping
            .transpose()
            .map_err(|why| StoreError::Corrupt(why.to_string()))
    }

    /// Stores a mapping in place of an earlier one.
    pub async fn set_columns(
        self,
        caller: &Caller,
        (system, kind): (&str, Kind),
        mapping: &Value,
        options: &WriteOptions,
    ) -> Result<()> {
        let sql = "INSERT INTO source_columns (system, kind, mapping) VALUES ($1, $2, $3) \
                   ON CONFLICT (system, kind) DO UPDATE SET mapping = excluded.mapping";
        self.store
            .write(caller, options, async |tx| {
                let row = [
                    system.into(),
                    kind.code().into(),
                    mapping.to_string().into(),
                ];
                tx.execute(sql, row).await?;
                Ok(())
            })
            .await
    }
}
