//! Stored responses of requests with a key, so that they take effect once.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kept_answer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// Hash of the request; it cannot be computed without the key.
    pub request_hash: String,
    pub status: Option<i32>,
    /// The headers: a JSON array of pairs.
    #[sea_orm(column_type = "Text", nullable)]
    pub headers: Option<String>,
    /// The body; absent once it was erased.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
