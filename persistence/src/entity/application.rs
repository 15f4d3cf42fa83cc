//! Who applies for membership: what is for the network's editors alone, and no part of a record.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application")]
pub struct Model {
    /// The application's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The network.
    pub network_id: Uuid,
    /// The membership that it asks for; deleting that deletes the application.
    pub relationship_id: Uuid,
    /// The name of the organisation.
    pub organisation: Option<String>,
    /// Whom to ask there.
    pub person: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their phone number.
    pub phone: Option<String>,
    /// What they write.
    #[sea_orm(column_type = "Text", nullable)]
    pub message: Option<String>,
    /// When it arrived.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
