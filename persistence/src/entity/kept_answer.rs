//! What was answered to requests that came with a key, so that they are not done twice.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kept_answer")]
pub struct Model {
    /// The account that chose the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal: Uuid,
    /// Of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// Of the request; it cannot be computed without the key.
    pub request_hash: String,
    /// The status.
    pub status: Option<i32>,
    /// The headers: a JSON array of pairs.
    #[sea_orm(column_type = "Text", nullable)]
    pub headers: Option<String>,
    /// The body; absent once it was erased.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    /// When the request was done.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
