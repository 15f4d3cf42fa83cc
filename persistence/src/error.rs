//! What can go wrong, as decisions that a caller can take.

use domain::base::fault::FieldError;
use domain::base::record::Envelope;
use domain::exchange::sync::{ResyncReason, SystemVersion};
use domain::value::reference::RecordRef;
use sea_orm::{DbErr, sqlx};
use uuid::Uuid;

/// Everything that the store may answer instead of what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The body is wrong; every fault with its place.
    #[error("the body is invalid in {} places", .0.len())]
    Invalid(Vec<FieldError>),
    /// The body is larger than a record may be.
    #[error("a record of {size} bytes; at most {limit}")]
    TooLarge {
        /// Bytes of the canonical body.
        size: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// There is no such record, or none that the caller may see.
    #[error("not found")]
    NotFound,
    /// The record was deleted.
    #[error("gone")]
    Gone(Box<Tombstone>),
    /// The slug has changed, or the record was merged into another.
    #[error("moved to {to}")]
    Moved {
        /// The slug or id under which it is now.
        to: String,
    },
    /// Several partner regions have the slug.
    #[error("ambiguous slug")]
    AmbiguousSlug {
        /// Their records.
        candidates: Vec<Uuid>,
    },
    /// The caller sees the record but may not do this.
    #[error("forbidden: {0:?}")]
    Forbidden(Denied),
    /// Another record is in the way.
    #[error("conflict at {}", .0.field)]
    Conflict(Conflict),
    /// The record has another version than the caller expects.
    #[error("precondition failed; current version {current}")]
    PreconditionFailed {
        /// The version that it has.
        current: i64,
    },
    /// The supplying system has sent something newer before.
    #[error("system version {given} is older than {stored}")]
    OutOfOrder {
        /// Its version of this record.
        given: SystemVersion,
        /// The newest that was supplied.
        stored: SystemVersion,
    },
    /// Other records name this one.
    #[error("still referenced by {total} records, and others: {hidden}")]
    StillReferenced {
        /// The first ten that the caller may see.
        by: Vec<RecordRef>,
        /// How many he may see.
        total: usize,
        /// Whether there are some that he may not see.
        hidden: bool,
    },
    /// More relationships would have to go with the record than one transaction may hold.
    #[error("has {0} relationships")]
    HasRelationships(usize),
    /// The body of this version is no longer kept, or never was there.
    #[error("the version is gone")]
    VersionGone,
    /// The version is the newest one, so it is not erased alone.
    #[error("version {version} is the newest one")]
    NotSuperseded {
        /// The version.
        version: i64,
    },
    /// The network takes no applications.
    #[error("the network takes no applications")]
    ApplicationsClosed,
    /// More applications than a network takes within an hour.
    #[error("too many applications")]
    TooManyApplications,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// A request with the same key is still being served.
    #[error("a request with the same key is being served")]
    KeyInUse,
    /// What was made under the key was erased, and the answer with it.
    #[error("the answer was erased")]
    AnswerErased,
    /// A query names something that is not there or not visible.
    #[error("unknown reference {value} in {parameter}")]
    UnknownReference {
        /// The parameter.
        parameter: &'static str,
        /// What it says.
        value: String,
    },
    /// The cursor is forged or belongs to another query.
    #[error("bad cursor")]
    BadCursor,
    /// The reader of the feed must begin anew.
    #[error("the feed must be read anew: {0:?}")]
    Resync(ResyncReason),
    /// What a partner sends is not what it should be.
    #[error("{0}")]
    Partner(String),
    /// Another instance serves the partner or webhook now, or nobody is to.
    #[error("the lease is lost")]
    LeaseLost,
    /// The index is not yet where this read needs it; trying again shortly helps.
    #[error("the search index is behind")]
    Behind,
    /// The index failed.
    #[error("the search index failed: {0}")]
    Search(String),
    /// The database was busy for too long, or not there; trying again later helps.
    #[error("the database is busy")]
    Busy(#[source] DbErr),
    /// The connection was lost while a write was committed; nobody knows whether it took effect.
    #[error("the connection was lost during a commit")]
    Unconfirmed(#[source] DbErr),
    /// There is no space left for the database.
    #[error("the storage of the database is full")]
    StorageFull(#[source] DbErr),
    /// The storage of the database cannot be read or written, or what it holds is damaged.
    #[error("the storage of the database fails")]
    StorageFailing(#[source] DbErr),
    /// The database failed.
    #[error("database error")]
    Database(#[source] DbErr),
    /// What rests in the database cannot be understood.
    #[error("the database holds what this release cannot read: {0}")]
    Corrupt(String),
    /// The store cannot be opened as asked.
    #[error("{0}")]
    Setup(String),
}

/// The store's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why something is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The record belongs to another region's editors.
    Region,
    /// Records without a home region are the admin's.
    Homeless,
    /// Only an approver publishes.
    Publish,
    /// Only an admin changes the region tree.
    RegionTree,
    /// A copy is written at its origin only.
    Copy,
    /// Writing a relationship needs write access to one of its own ends.
    OwnEnd,
    /// Only an approver of the record at an end states what that end says.
    End,
    /// Only approvers and admins hide copies.
    Hide,
    /// Only copies are hidden.
    NotACopy,
    /// Only an admin of the whole node.
    Admin,
    /// A feeder pushes the records of this system, and nobody else writes them.
    OwnedBySystem,
}

/// What is in the way of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// JSON pointer to the member in question.
    pub field: String,
    /// What must be unique.
    pub what: Unique,
    /// The value.
    pub value: String,
    /// The other record, if the caller may see it.
    pub other: Option<RecordRef>,
}

/// What must be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unique {
    /// A slug among this node's records of the kind.
    Slug,
    /// A key of a supplying system.
    ExternalId,
    /// An identifier among this node's records.
    Identifier,
    /// A relationship without a stated end.
    Relationship,
    /// A record that was merged into another one, which is written instead.
    Merged,
    /// The name of an account or client.
    AccountName,
    /// The subject of an external issuer.
    Subject,
    /// The name of a partner.
    PartnerName,
    /// The name of a webhook.
    WebhookName,
}

/// What is told of a deleted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The envelope, with the version that the deletion made.
    pub envelope: Envelope,
    /// Why it is gone.
    pub cause: String,
    /// The survivor of a merge.
    pub merged_into: Option<Uuid>,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match Cause::of(&error) {
            Cause::Transient | Cause::ConnectionLost => Self::Busy(error),
            Cause::StorageFull => Self::StorageFull(error),
            Cause::StorageFailing => Self::StorageFailing(error),
            Cause::Other => Self::Database(error),
        }
    }
}

impl StoreError {
    /// What is wrong if a commit failed.
    pub(crate) fn of_commit(error: DbErr) -> Self {
        match Cause::of(&error) {
            Cause::ConnectionLost => Self::Unconfirmed(error),
            Cause::Transient | Cause::StorageFull | Cause::StorageFailing | Cause::Other => {
                error.into()
            }
        }
    }

    /// Whether the database failed, rather than refusing what was asked.
    #[must_use]
    pub const fn is_of_database(&self) -> bool {
        matches!(
            self,
            Self::Busy(_)
                | Self::Unconfirmed(_)
                | Self::StorageFull(_)
                | Self::StorageFailing(_)
                | Self::Database(_)
        )
    }

    /// Whether the storage of the database is the matter.
    #[must_use]
    pub const fn is_of_storage(&self) -> bool {
        matches!(self, Self::StorageFull(_) | Self::StorageFailing(_))
    }
}

/// Why a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Doing the same again may succeed: serialisation failures, deadlocks, locks, time limits, and
    /// races for a unique value, which the next attempt sees and reports.
    Transient,
    ConnectionLost,
    StorageFull,
    StorageFailing,
    Other,
}

impl Cause {
    fn of(error: &DbErr) -> Self {
        use sqlx::Error;
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Transient;
        }
        match sqlx_error(error) {
            Some(Error::Database(cause)) => {
                let code = cause.code().unwrap_or_default();
                if cause
                    .try_downcast_ref::<sqlx::sqlite::SqliteError>()
                    .is_some()
                {
                    Self::of_sqlite(&code)
                } else {
                    Self::of_postgres(&code)
                }
            }
            Some(
                Error::Io(_)
                | Error::Tls(_)
                | Error::Protocol(_)
                | Error::PoolTimedOut
                | Error::PoolClosed
                | Error::WorkerCrashed
                | Error::BeginFailed,
            ) => Self::ConnectionLost,
            Some(_) | None => Self::Other,
        }
    }

    /// By the result code (<https://sqlite.org/rescode.html>), whose lowest byte is the primary one.
    fn of_sqlite(code: &str) -> Self {
        match code.parse::<u32>().map(|code| code & 0xff) {
            // BUSY, LOCKED, INTERRUPT, PROTOCOL.
            Ok(5 | 6 | 9 | 15) => Self::Transient,
            Ok(13) => Self::StorageFull,
            // NOMEM, READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB.
            Ok(7 | 8 | 10 | 11 | 14 | 26) => Self::StorageFailing,
            Ok(_) | Err(_) => Self::Other,
        }
    }

    /// By SQLSTATE (appendix A of PostgreSQL's documentation).
    fn of_postgres(code: &str) -> Self {
        match code {
            // serialization_failure, deadlock_detected, lock_not_available, unique_violation,
            // query_canceled (by statement_timeout), too_many_connections, cannot_connect_now.
            "40001" | "40P01" | "55P03" | "23505" | "57014" | "53300" | "57P03" => Self::Transient,
            // admin_shutdown, crash_shutdown, database_dropped, idle_session_timeout.
            "57P01" | "57P02" | "57P04" | "57P05" => Self::ConnectionLost,
            // disk_full.
            "53100" => Self::StorageFull,
            // out_of_memory, io_error, data_corrupted, index_corrupted, read_only_sql_transaction.
            "53200" | "58030" | "XX001" | "XX002" | "25006" => Self::StorageFailing,
            code if code.starts_with("08") => Self::ConnectionLost,
            _ => Self::Other,
        }
    }
}

/// Whether a statement failed because of the storage of the database.
pub(crate) fn is_of_storage(error: &DbErr) -> bool {
    matches!(Cause::of(error), Cause::StorageFull | Cause::StorageFailing)
}

/// Whether a statement gave up because another transaction held what it needed (PostgreSQL).
pub(crate) fn waited_for_a_lock(error: &DbErr) -> bool {
    sqlx_code(error).as_deref() == Some("55P03")
}

/// Whether a transaction could not begin because the connection was in one (PostgreSQL).
pub(crate) fn was_open(error: &DbErr) -> bool {
    sqlx_code(error).as_deref() == Some("25001")
}

fn sqlx_code(error: &DbErr) -> Option<String> {
    Some(sqlx_error(error)?.as_database_error()?.code()?.into_owned())
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    use sea_orm::RuntimeErr;
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Search(error.to_string())
    }
}

impl From<tantivy::TantivyError> for StoreError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Search(error.to_string())
    }
}
