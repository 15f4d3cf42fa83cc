//! Errors of the store, as decisions that a caller can take.

use domain::base::fault::FieldError;
use domain::base::record::Envelope;
use domain::exchange::sync::{ResyncReason, SystemVersion};
use domain::value::reference::RecordRef;
use sea_orm::{DbErr, sqlx};
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The body is invalid; all violations with their locations.
    #[error("the body is invalid in {} places", .0.len())]
    Invalid(Vec<FieldError>),
    #[error("a record of {size} bytes; at most {limit}")]
    TooLarge { size: usize, limit: usize },
    /// There is no such record, or none that the caller may see.
    #[error("not found")]
    NotFound,
    #[error("gone")]
    Gone(Box<Tombstone>),
    /// The slug has changed, or the record was merged into another.
    #[error("moved to {to}")]
    Moved {
        /// The current slug or id.
        to: String,
    },
    /// Several partner regions have the slug.
    #[error("ambiguous slug")]
    AmbiguousSlug { candidates: Vec<Uuid> },
    /// The caller sees the record but is not allowed to do this.
    #[error("forbidden: {0:?}")]
    Forbidden(Denied),
    #[error("conflict at {}", .0.field)]
    Conflict(Conflict),
    /// The record has another version than the caller expects.
    #[error("precondition failed; current version {current}")]
    PreconditionFailed { current: i64 },
    /// The supplying system has sent something newer before.
    #[error("system version {given} is older than {stored}")]
    OutOfOrder {
        given: SystemVersion,
        stored: SystemVersion,
    },
    /// Other records reference this one.
    #[error("still referenced by {total} records, and others: {hidden}")]
    StillReferenced {
        by: Vec<RecordRef>,
        total: usize,
        /// Whether there are some that the caller may not see.
        hidden: bool,
    },
    /// The body of this version is no longer kept, or never existed.
    #[error("the version is gone")]
    VersionGone,
    /// The newest version cannot be erased alone.
    #[error("version {version} is the newest one")]
    NotSuperseded { version: i64 },
    #[error("the network accepts no applications")]
    ApplicationsClosed,
    #[error("too many applications")]
    TooManyApplications,
    #[error("the key was used for another request")]
    KeyReused,
    #[error("a request with the same key is being served")]
    KeyInUse,
    /// The record created under the key was erased, and the stored response with it.
    #[error("the response was erased")]
    ResponseErased,
    /// A query references something that does not exist or is not visible.
    #[error("unknown reference {value} in {parameter}")]
    UnknownReference {
        parameter: &'static str,
        value: String,
    },
    /// The cursor is forged or belongs to another query.
    #[error("bad cursor")]
    BadCursor,
    /// The reader of the feed must start from scratch.
    #[error("the feed must be read from scratch: {0:?}")]
    Resync(ResyncReason),
    #[error("{0}")]
    Partner(String),
    /// Another instance serves the partner or webhook now, or it was stopped.
    #[error("the lease is lost")]
    LeaseLost,
    /// A newer release writes to the database; this one may only read.
    #[error("a newer release writes to this database; stop this one")]
    Outdated,
    /// The values of a parameter expand to too many terms of the index.
    #[error("{parameter} expands to more than {most} terms")]
    TooBroad { parameter: String, most: usize },
    /// The typed text has too many words.
    #[error("more than {0} words")]
    TooManyWords(usize),
    /// The client has gone.
    #[error("the request was given up")]
    Abandoned,
    /// Too many requests wait for their turn; retry later.
    #[error("too many requests wait")]
    Overloaded,
    /// The index is not up to date yet; retry shortly.
    #[error("the search index is behind")]
    Behind,
    #[error("the search index failed: {0}")]
    Search(String),
    /// The database was busy for too long, or unavailable; retry later.
    #[error("the database is busy")]
    Busy(#[source] DbErr),
    /// The connection was lost during a commit; the outcome is unknown.
    #[error("the connection was lost during a commit")]
    Unconfirmed(#[source] DbErr),
    /// There is no space left for the database.
    #[error("the storage of the database is full")]
    StorageFull(#[source] DbErr),
    /// The storage of the database cannot be read or written, or its content is damaged.
    #[error("the storage of the database is failing")]
    StorageFailing(#[source] DbErr),
    #[error("database error")]
    Database(#[source] DbErr),
    /// The content of the database is invalid.
    #[error("the database contains what this release cannot read: {0}")]
    Corrupt(String),
    /// The store cannot be opened as requested.
    #[error("{0}")]
    Setup(String),
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The record belongs to another region's editors.
    Region,
    /// Records without a home region belong to the admin.
    Homeless,
    Publish,
    /// Only an admin changes the region tree.
    RegionTree,
    /// A copy is written at its origin only.
    Copy,
    /// Writing a relationship needs write access to one of its own ends.
    OwnEnd,
    /// Only an approver of the record at an end makes statements for it.
    End,
    /// Only approvers and admins hide copies.
    Hide,
    NotACopy,
    Admin,
    /// A feeder pushes the records of this system, and only that feeder writes them.
    OwnedBySystem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub field: String,
    pub what: Unique,
    pub value: String,
    /// The other record, if the caller may see it.
    pub other: Option<RecordRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unique {
    Slug,
    ExternalId,
    Identifier,
    Relationship,
    Merged,
    AccountName,
    Subject,
    PartnerName,
    WebhookName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    pub envelope: Envelope,
    pub cause: String,
    pub merged_into: Option<Uuid>,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        // A column whose value the type of its field does not have.
        if let DbErr::Type(what) = error {
            return Self::Corrupt(what);
        }
        match Cause::of(&error) {
            Cause::Transient | Cause::ConnectionLost => Self::Busy(error),
            Cause::StorageFull => Self::StorageFull(error),
            Cause::StorageFailing => Self::StorageFailing(error),
            Cause::Other => Self::Database(error),
        }
    }
}

impl StoreError {
    pub(crate) fn of_commit(error: DbErr) -> Self {
        match Cause::of(&error) {
            Cause::ConnectionLost => Self::Unconfirmed(error),
            Cause::Transient | Cause::StorageFull | Cause::StorageFailing | Cause::Other => {
                error.into()
            }
        }
    }

    /// Whether the database failed, as opposed to rejecting the request.
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

    #[must_use]
    pub const fn is_of_storage(&self) -> bool {
        matches!(self, Self::StorageFull(_) | Self::StorageFailing(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A retry may succeed: serialisation failures, deadlocks, locks, time limits, and races for a
    /// unique value, which the next attempt detects and reports.
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

pub(crate) fn is_of_storage(error: &DbErr) -> bool {
    matches!(Cause::of(error), Cause::StorageFull | Cause::StorageFailing)
}

/// Whether a statement timed out waiting for a lock (PostgreSQL).
pub(crate) fn waited_for_a_lock(error: &DbErr) -> bool {
    sqlx_code(error).as_deref() == Some("55P03")
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
