//! The nodes from which records are taken over, and how far that has come.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner")]
pub struct Model {
    /// Its id here.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is called here; unique.
    pub name: String,
    /// Rises when somebody changes what is wanted of it.
    pub version: i64,
    /// Where it is.
    pub url: String,
    /// The node that alone writes its records; known from the first contact on, unique.
    pub origin: Option<String>,
    /// The codes of the kinds that are wanted, with commas; all if empty.
    pub kinds: String,
    /// The ids of the home regions that are wanted, with commas; all if empty.
    pub home_regions: String,
    /// The code of its state.
    pub state: String,
    /// The code of the phase of the page that was taken over last.
    pub phase: String,
    /// Where the feed goes on; from the start if absent.
    #[sea_orm(column_type = "Text", nullable)]
    pub next: Option<String>,
    /// Whether copies that the snapshot did not hold are still to be removed.
    pub unswept: bool,
    /// Whether copies are read again although they did not change, until the next sweep.
    pub rereads: bool,
    /// With which schemas its copies were read.
    pub reader: String,
    /// How far its log has been taken over.
    pub seq: i64,
    /// How far its log went then.
    pub head_seq: i64,
    /// How many entries have come since it was last let go on.
    pub taken: i64,
    /// How many of them were of kinds that this release does not know.
    pub skipped: i64,
    /// How many of them went to quarantine.
    pub refused: i64,
    /// How many copies would go if it were not held.
    pub held_deletions: Option<i64>,
    /// Of how many.
    pub held_copies: Option<i64>,
    /// How many copies may go at once because somebody released them.
    pub allowed_deletions: i64,
    /// When it last answered.
    pub contacted_at: Option<DateTimeUtc>,
    /// When nothing was left to be taken over.
    pub up_to_date_at: Option<DateTimeUtc>,
    /// When the digests were last compared.
    pub compared_at: Option<DateTimeUtc>,
    /// How often in a row it could not be reached or understood.
    pub failures: i32,
    /// Why it was not, the last time.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// When it failed last, if it has not succeeded since.
    pub failed_at: Option<DateTimeUtc>,
    /// When it is tried again.
    pub retry_at: Option<DateTimeUtc>,
    /// Rises with every lease: who holds an older one writes nothing any more.
    pub fence: i64,
    /// Until when an instance alone reads from it.
    pub leased_until: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
