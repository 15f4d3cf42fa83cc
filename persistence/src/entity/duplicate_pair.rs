//! Pairs of likely duplicates. Their records may be gone: a log consumer removes them later.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "duplicate_pair")]
pub struct Model {
    /// The smaller id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub a_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub b_id: Uuid,
    /// Thousandths.
    pub score: i32,
    /// Codes and values as JSON.
    #[sea_orm(column_type = "Text")]
    pub reasons: String,
}

impl ActiveModelBehavior for ActiveModel {}
