//! Entries of partners that could not be applied.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantine")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub partner_id: Uuid,
    pub kind: Option<String>,
    pub record_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// The other partner whose record has the id, if that is why.
    pub rival: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub entry: String,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
