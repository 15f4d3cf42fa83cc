//! What accounts may, read anew at each request.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_grant")]
pub struct Model {
    /// The grant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// The code of the role.
    pub role: String,
    /// Where it holds; absent for the whole node.
    pub region_id: Option<Uuid>,
    /// Whether it holds below that region too.
    pub descendants: bool,
    /// For feeders: the system whose records they push.
    pub system: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
