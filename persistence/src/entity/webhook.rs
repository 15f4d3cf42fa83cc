//! Who is told of changes.

use sea_orm::entity::prelude::*;

/// A secret that signs deliveries, `whsec_` and base64; never shown in messages.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is called here; unique.
    pub name: String,
    /// Rises when an admin changes it.
    pub version: i64,
    /// Where deliveries go.
    pub url: String,
    /// The codes of the kinds that are told, with commas; all if empty.
    pub kinds: String,
    /// The ids of the home regions that are told, with commas; all if empty.
    pub home_regions: String,
    /// Signs.
    pub secret: Secret,
    /// Signs too, for a while after it was replaced.
    pub former_secret: Option<Secret>,
    /// Until when.
    pub former_until: Option<DateTimeUtc>,
    /// The code of its state.
    pub state: String,
    /// The code of why it is disabled.
    pub disabled_reason: Option<String>,
    /// Since when.
    pub disabled_at: Option<DateTimeUtc>,
    /// Only later entries of the log are told.
    pub told_after: i64,
    /// How many attempts in a row failed.
    pub failures: i32,
    /// Why the last of them did.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// When something last got through.
    pub succeeded_at: Option<DateTimeUtc>,
    /// When it failed last, if it has not succeeded since.
    pub failed_at: Option<DateTimeUtc>,
    /// Until when it is let alone after a failure.
    pub retry_at: Option<DateTimeUtc>,
    /// Rises with every lease: who holds an older one writes nothing any more.
    pub fence: i64,
    /// Until when an instance alone sends to it.
    pub leased_until: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
