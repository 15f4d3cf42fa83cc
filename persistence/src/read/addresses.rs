//! The addresses of public records, for crawlers.

use crate::entity::record;
use crate::error::Result;
use crate::records::Records;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use uuid::Uuid;

/// Public records of this node on a page.
const PER_PAGE: i64 = 10_000;

/// A record of this node, and when it changed.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "record::Entity")]
pub struct AddressRow {
    pub id: Uuid,
    pub slug: Option<String>,
    pub updated_at: DateTime<Utc>,
}

impl Records<'_> {
    /// The first records of the pages into which this node's own public records of a kind are
    /// divided.
    pub async fn address_pages(self, kind: Kind) -> Result<Vec<Uuid>> {
        let db = self.store.db();
        let sql = "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place \
             FROM record WHERE origin = $1 AND kind = $2 AND is_public) AS numbered \
             WHERE place % $3 = 1 ORDER BY id";
        let origin = self.store.node().origin.as_str();
        let values = [origin.into(), kind.code().into(), PER_PAGE.into()];
        let statement = Statement::from_sql_and_values(db.backend(), sql, values);
        let rows = db.reader().query_all_raw(statement).await?.into_iter();
        let ids = rows.map(|row| Ok(row.try_get_by_index(0)?));
        ids.collect()
    }

    /// The public records on the page that begins with `first`.
    pub async fn public_addresses(self, kind: Kind, first: Uuid) -> Result<Vec<AddressRow>> {
        let rows = record::Entity::find()
            .filter(record::Column::Origin.eq(&self.store.node().origin))
            .filter(record::Column::Kind.eq(kind.code()))
            .filter(record::Column::IsPublic.eq(true))
            .filter(record::Column::Id.gte(first))
            .order_by_asc(record::Column::Id)
            .limit(PER_PAGE.unsigned_abs())
            .into_partial_model::<AddressRow>();
        Ok(rows.all(self.store.db().reader()).await?)
    }
}
