//! Tombstones of deleted and merged records.

use crate::error::{StoreError, Tombstone};
use domain::access::rules::Subject;
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::kinds::common::Publication;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub origin: String,
    /// Its last slug, which another record may have taken since.
    pub slug: Option<String>,
    pub system: Option<String>,
    /// The key in the supplying system, kept so that an upsert revives the id.
    pub external_id: Option<String>,
    pub home_region: Option<Uuid>,
    pub version: i64,
    pub was_public: bool,
    pub cause: String,
    pub merged_into: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub deleted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// A merged record for the rules of access: as visible as it ever was.
pub(crate) fn tombstone_subject<'a>(tombstone: &'a Model, kind: Kind, origin: &str) -> Subject<'a> {
    Subject {
        own: tombstone.origin == origin,
        kind,
        home_region: tombstone.home_region,
        publication: if tombstone.was_public {
            Publication::Published
        } else {
            Publication::Draft
        },
        system: tombstone.system.as_deref(),
    }
}

pub(crate) fn gone(kind: Kind, tombstone: Model) -> StoreError {
    StoreError::Gone(Box::new(Tombstone {
        envelope: Envelope {
            id: tombstone.id,
            kind,
            origin: tombstone.origin,
            version: tombstone.version,
            created_at: tombstone.created_at,
            updated_at: tombstone.deleted_at,
            synced_at: None,
        },
        cause: tombstone.cause,
        merged_into: None,
    }))
}
