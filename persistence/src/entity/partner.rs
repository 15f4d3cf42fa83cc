//! The nodes from which records are copied, and the progress.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub url: String,
    /// The origin of its records; known from the first contact on, unique.
    pub origin: Option<String>,
    /// Codes of the kinds to copy, separated by commas; all if empty.
    pub kinds: String,
    /// Ids of the home regions to copy, separated by commas; all if empty.
    pub home_regions: String,
    pub state: String,
    /// The phase of the last applied page.
    pub phase: String,
    /// The address of the next page; the beginning if absent.
    #[sea_orm(column_type = "Text", nullable)]
    pub next: Option<String>,
    /// Whether copies that the snapshot lacks are still to be removed.
    pub unswept: bool,
    /// Whether unchanged copies are read again, until the next sweep.
    pub rereads: bool,
    /// The hash of the schemas with which its copies were read.
    pub reader: String,
    pub seq: i64,
    pub head_seq: i64,
    /// Number of entries since it was last resumed.
    pub taken: i64,
    pub skipped: i64,
    pub refused: i64,
    /// Number of copies that would be deleted without the need for approval.
    pub held_deletions: Option<i64>,
    pub held_copies: Option<i64>,
    /// Number of copies that may be deleted at once after an approval.
    pub allowed_deletions: i64,
    pub contacted_at: Option<DateTimeUtc>,
    /// When the copies were last complete.
    pub up_to_date_at: Option<DateTimeUtc>,
    pub compared_at: Option<DateTimeUtc>,
    pub failures: i32,
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// Time of the last failure, if it has not succeeded since.
    pub failed_at: Option<DateTimeUtc>,
    pub retry_at: Option<DateTimeUtc>,
    /// Rises with every lease: the holder of an older one writes nothing any more.
    pub fence: i64,
    /// Until when one instance has the exclusive right to read from it.
    pub leased_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
