//! The receivers of change notifications.

use sea_orm::entity::prelude::*;

/// A secret that signs deliveries, `whsec_` and base64; never shown in messages.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub url: String,
    /// Codes of the kinds to report, separated by commas; all if empty.
    pub kinds: String,
    /// Ids of the home regions to report, separated by commas; all if empty.
    pub home_regions: String,
    pub secret: Secret,
    pub former_secret: Option<Secret>,
    pub former_until: Option<DateTimeUtc>,
    pub state: String,
    pub disabled_reason: Option<String>,
    pub disabled_at: Option<DateTimeUtc>,
    pub told_after: i64,
    pub failures: i32,
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// Time of the last successful delivery.
    pub succeeded_at: Option<DateTimeUtc>,
    /// Time of the last failure, if it has not succeeded since.
    pub failed_at: Option<DateTimeUtc>,
    pub retry_at: Option<DateTimeUtc>,
    /// Rises with every lease: the holder of an older one writes nothing any more.
    pub fence: i64,
    /// Until when one instance has the exclusive right to send to it.
    pub leased_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
