//! Entries of partners that could not be taken over.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantine")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub partner_id: Uuid,
    /// The kind that it names, if it can be read.
    pub kind: Option<String>,
    /// The record that it names, if it can be read.
    pub record_id: Option<Uuid>,
    /// Why it is here.
    #[sea_orm(column_type = "Text")]
    pub why: String,
    /// The entry as it came.
    #[sea_orm(column_type = "Text")]
    pub entry: String,
    /// When it came.
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
