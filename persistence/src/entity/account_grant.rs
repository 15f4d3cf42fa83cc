//! Grants of accounts, read at each request.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_grant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub role: String,
    pub region_id: Option<Uuid>,
    pub descendants: bool,
    pub system: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
