//! Who may sign in: people and machines.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// The subject of its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unique; what it signs in with.
    pub name: String,
    /// argon2id, once it has a password.
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was locked out.
    pub disabled_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
