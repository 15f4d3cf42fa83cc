//! People to ask about a record, apart from records: neither logged nor fed, exported or searched.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_person")]
pub struct Model {
    /// The contact person's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The record that the person speaks for.
    pub record_id: Uuid,
    /// From 1, plus 1 per change.
    pub version: i64,
    /// The name.
    pub name: String,
    /// What the person is there.
    pub role: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// In which language to write to the person.
    pub language: Option<String>,
    /// What the data are kept for.
    pub purpose: String,
    /// From when on the person has consented to being shown.
    pub consent_from: Option<DateTimeUtc>,
    /// Until when; open when absent.
    pub consent_until: Option<DateTimeUtc>,
    /// Where the consent is documented.
    pub consent_proof: Option<String>,
    /// The code of who sees the person.
    pub visibility: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
