//! What a transaction changes in the digests of this node's own public records.

use crate::db::SqlTransaction;
use crate::error::Result;
use crate::record::Record;
use domain::base::json;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::Digest;
use sea_orm::{ConnectionTrait, Statement, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// By kind and home region, zeros if there is none.
#[derive(Debug, Default)]
pub(crate) struct DigestChanges(BTreeMap<(String, Uuid), Digest>);

impl DigestChanges {
    pub(crate) fn add(&mut self, row: &Record) {
        let digest = self.of(row);
        digest.add(row.id, row.version, &json::hash(&row.body));
    }

    pub(super) fn remove(&mut self, row: &Record) {
        let digest = self.of(row);
        digest.remove(row.id, row.version, &json::hash(&row.body));
    }

    fn of(&mut self, row: &Record) -> &mut Digest {
        let home = row.home_region.unwrap_or_default();
        self.0
            .entry((row.kind.code().to_owned(), home))
            .or_default()
    }

    /// Adds the changes to the stored digests.
    pub(crate) async fn save(self, tx: &SqlTransaction) -> Result<()> {
        const SQL: &str = "INSERT INTO digest (kind, home_region, count, \
             limb_0, limb_1, limb_2, limb_3, limb_4, limb_5, limb_6, limb_7) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (kind, home_region) DO UPDATE SET count = digest.count + EXCLUDED.count, \
             limb_0 = digest.limb_0 + EXCLUDED.limb_0, limb_1 = digest.limb_1 + EXCLUDED.limb_1, \
             limb_2 = digest.limb_2 + EXCLUDED.limb_2, limb_3 = digest.limb_3 + EXCLUDED.limb_3, \
             limb_4 = digest.limb_4 + EXCLUDED.limb_4, limb_5 = digest.limb_5 + EXCLUDED.limb_5, \
             limb_6 = digest.limb_6 + EXCLUDED.limb_6, limb_7 = digest.limb_7 + EXCLUDED.limb_7";
        for ((kind, home), digest) in self.0 {
            let (count, limbs) = digest.parts();
            let mut values: Vec<Value> = vec![kind.into(), home.into(), count.into()];
            values.extend(limbs.map(Value::from));
            let statement = Statement::from_sql_and_values(tx.get_database_backend(), SQL, values);
            tx.execute_raw(statement).await?;
        }
        Ok(())
    }
}
