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
    pub kinds: String,
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
    pub succeeded_at: Option<DateTimeUtc>,
    pub failed_at: Option<DateTimeUtc>,
    pub retry_at: Option<DateTimeUtc>,
    pub fence: i64,
    pub leased_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
