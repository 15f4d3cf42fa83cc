//! Stored responses of requests with a key, so that they take effect once.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// Hash of the request; it cannot be computed without the key.
    pub request_hash: String,
    /// The head of the response, opaque to the database.
    #[sea_orm(column_type = "Text", nullable)]
    pub head: Option<String>,
    /// The body; absent once it was erased.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
