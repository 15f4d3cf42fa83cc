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
    /// The code of its kind: person or client.
    pub kind: String,
    /// Rises with every change.
    pub version: i64,
    /// Unique; what it signs in with.
    pub name: String,
    /// argon2id, once it has a password.
    #[sea_orm(column_type = "Text", nullable)]
    pub password_hash: Option<String>,
    /// SHA-256 of a client's secret.
    #[sea_orm(column_type = "Text", nullable)]
    pub secret_hash: Option<String>,
    /// The OpenID Connect issuer of an external subject.
    #[sea_orm(column_type = "Text", nullable)]
    pub issuer: Option<String>,
    /// What that issuer calls it; unique with the issuer.
    #[sea_orm(column_type = "Text", nullable)]
    pub subject: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was locked out.
    pub disabled_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
