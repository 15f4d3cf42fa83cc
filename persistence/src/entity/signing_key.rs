//! The keys that sign this node's tokens.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// The `kid` in the header of tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// The algorithm it is pinned to.
    pub alg: String,
    /// PKCS#8, PEM.
    #[sea_orm(column_type = "Text")]
    pub private_pem: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it stopped signing.
    pub retired_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
