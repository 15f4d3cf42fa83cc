//! What the columns of a source's tables of a kind mean.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_columns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The mapping as JSON.
    #[sea_orm(column_type = "Text")]
    pub mapping: String,
}

impl ActiveModelBehavior for ActiveModel {}
