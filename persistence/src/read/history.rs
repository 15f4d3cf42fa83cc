//! What the log tells: the versions of a record and their bodies, and everything for admins.

use crate::cursor;
use crate::entity::{change, record, tombstone};
use crate::error::{Denied, Result, StoreError};
use crate::store::Store;
use chrono::{DateTime, Utc};
use domain::access::rules::{Action, Caller, Subject};
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use domain::kinds::common::Publication;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoColumnRef, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use uuid::Uuid;

/// An entry of the log as people read it.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "change::Entity")]
pub struct LogEntry {
    /// Its number.
    pub seq: i64,
    /// The kind's code.
    pub kind: String,
    /// The record.
    pub record_id: Uuid,
    /// The node that alone writes the record.
    pub origin: String,
    /// The code of what happened.
    pub op: String,
    /// The version that it made, or that was touched.
    pub version: i64,
    /// Whether it made the newest version.
    pub newest: bool,
    /// The home region while public, before …
    pub audience_before: Option<String>,
    /// … and after.
    pub audience_after: Option<String>,
    /// The account that did it.
    pub by: Option<Uuid>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether its body was erased, or it erased bodies.
    pub erased: bool,
    /// Whether it was part of a bulk load.
    pub bulk: bool,
}

impl LogEntry {
    /// The home region at that time, as far as the public knew it.
    #[must_use]
    pub fn home_region(&self) -> Option<Uuid> {
        let audience = self.audience_after.as_ref();
        let audience = audience.or(self.audience_before.as_ref())?;
        Uuid::try_parse(audience).ok()
    }
}

/// A page of the log, newest first.
#[derive(Debug)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// The versions of a record.
#[derive(Debug)]
pub struct History {
    /// The entries that made versions.
    pub page: LogPage,
    /// Whether the caller may read drafts of the record, and learn who did what.
    pub within: bool,
    /// Why the record is gone, if it is.
    pub cause: Option<String>,
    /// Whether earlier versions are not here (any more).
    pub truncated: bool,
}

/// A version of a record.
#[derive(Debug)]
pub struct Version {
    /// The envelope then.
    pub envelope: Envelope,
    /// The body then: canonical JSON.
    pub body: String,
}

/// What the log is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// The account.
    pub by: Option<Uuid>,
    /// The kinds of records; any of them.
    pub kinds: Vec<Kind>,
    /// At or after this moment.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// The record.
    pub record: Option<Uuid>,
}

/// The record that a history is about, living or dead.
struct About {
    id: Uuid,
    within: bool,
    envelope: Envelope,
    cause: Option<String>,
}

impl Store {
    /// The versions of a record that the caller may know of, newest first.
    ///
    /// # Errors
    /// As [`Store::get`], but for deleted records; [`StoreError::BadCursor`].
    pub async fn history(
        &self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<History> {
        let about = self.about(caller, kind, key).await?;
        let entries = versions(&about);
        let page = self.log_page(entries, (limit, at), query).await?;
        let first = self.first_version(about.id).await?;
        Ok(History {
            page,
            within: about.within,
            cause: about.cause,
            truncated: first.is_some_and(|first| first > 1),
        })
    }

    /// A version of a record.
    ///
    /// # Errors
    /// As [`Store::history`]; [`StoreError::NotFound`] if there was no such version or the caller
    /// may not know of it, [`StoreError::VersionGone`] if it is no longer kept.
    pub async fn version(
        &self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        version: i64,
    ) -> Result<Version> {
        let about = self.about(caller, kind, key).await?;
        // Both see one state, so that the body is found where it rests.
        let tx = self.db().begin_read().await?;
        let made = || change::Column::Version.eq(version);
        let entry = versions(&about)
            .filter(made())
            .order_by_desc(change::Column::Seq);
        let entry = entry.into_partial_model::<LogEntry>().one(&tx).await?;
        let Some(entry) = entry else {
            let first = self.first_version(about.id).await?;
            let trimmed = first.is_some_and(|first| (1..first).contains(&version));
            return Err(if trimmed {
                StoreError::VersionGone
            } else {
                StoreError::NotFound
            });
        };
        let row = record::Entity::find_by_id(about.id).one(&tx).await?;
        let row = row.filter(|row| entry.newest && row.version == version);
        let rested: Option<change::Model> = change::Entity::find_by_id(entry.seq).one(&tx).await?;
        tx.commit().await?;
        if let Some(row) = row {
            return Ok(Version {
                envelope: row.envelope()?,
                body: row.body,
            });
        }
        let body = rested.and_then(|entry| entry.body);
        Ok(Version {
            envelope: Envelope {
                version,
                updated_at: entry.at,
                ..about.envelope
            },
            body: body.ok_or(StoreError::VersionGone)?,
        })
    }

    /// The log, for admins of the whole node.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::BadCursor`].
    pub async fn audit(
        &self,
        caller: &Caller,
        filter: &LogFilter,
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<LogPage> {
        if !caller.is_node_admin() {
            return Err(StoreError::Forbidden(Denied::Admin));
        }
        let kinds = filter.kinds.iter().map(|kind| kind.code());
        let kinds = (!filter.kinds.is_empty()).then(|| change::Column::Kind.is_in(kinds));
        let conditions = Condition::all()
            .add_option(filter.by.map(|by| change::Column::By.eq(by)))
            .add_option(kinds)
            .add_option(filter.since.map(|since| change::Column::At.gte(since)))
            .add_option(filter.until.map(|until| change::Column::At.lt(until)))
            .add_option(filter.record.map(|id| change::Column::RecordId.eq(id)));
        let entries = change::Entity::find().filter(conditions);
        self.log_page(entries, (limit, at), query).await
    }

    async fn log_page(
        &self,
        mut entries: Select<change::Entity>,
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<LogPage> {
        let secret = &self.node().secret;
        if let Some(text) = at {
            let before: i64 = cursor::decode(secret, query, text)?;
            entries = entries.filter(change::Column::Seq.lt(before));
        }
        let mut entries = entries
            .order_by_desc(change::Column::Seq)
            .limit(limit + 1)
            .into_partial_model::<LogEntry>()
            .all(self.db().reader())
            .await?;
        let more = entries.len() as u64 > limit;
        if more {
            entries.pop();
        }
        let last = entries.last().filter(|_| more);
        let next = last.map(|entry| cursor::encode(secret, query, &entry.seq));
        Ok(LogPage { entries, next })
    }

    async fn first_version(&self, id: Uuid) -> Result<Option<i64>> {
        let first = change::Entity::find()
            .select_only()
            .column_as(change::Column::Version.min(), "first")
            .filter(change::Column::RecordId.eq(id))
            .into_tuple::<Option<i64>>()
            .one(self.db().reader())
            .await?;
        Ok(first.flatten())
    }

    async fn about(&self, caller: &Caller, kind: Kind, key: &str) -> Result<About> {
        let grave = match self.get(caller, kind, key).await {
            Ok(row) => {
                return Ok(About {
                    id: row.id,
                    within: caller.may(Action::Read, &self.subject(&row)?),
                    envelope: row.envelope()?,
                    cause: None,
                });
            }
            // Of what was erased nothing is told but that.
            Err(StoreError::Gone(grave)) if grave.cause != Cause::Erased.code() => grave,
            Err(other) => return Err(other),
        };
        let row = tombstone::Entity::find_by_id(grave.envelope.id)
            .one(self.db().reader())
            .await?
            .ok_or(StoreError::NotFound)?;
        let subject = Subject {
            own: row.origin == self.node().origin,
            kind,
            home_region: row.home_region,
            publication: Publication::Draft,
            system: row.system.as_deref(),
        };
        Ok(About {
            id: row.id,
            within: caller.may(Action::Read, &subject),
            envelope: grave.envelope,
            cause: Some(grave.cause),
        })
    }
}

/// The entries that made versions of a record; to outsiders only those of versions that they saw.
fn versions(about: &About) -> Select<change::Entity> {
    let (upsert, delete) = (Op::Upsert.code(), Op::Delete.code());
    let entries = change::Entity::find()
        .filter(change::Column::RecordId.eq(about.id))
        .filter(change::Column::Op.is_in([upsert, delete]));
    if about.within {
        return entries;
    }
    let was_seen = change::Column::Op.eq(upsert).and(was_public());
    let went = change::Column::Op
        .eq(delete)
        .and(change::Column::AudienceBefore.is_not_null());
    entries.filter(was_seen.or(went))
}

/// Whether the version of the entry at hand was ever public: when it was made, or later because
/// its ends were published.
fn was_public() -> SimpleExpr {
    let seen = |column: change::Column| Expr::col((Alias::new("seen"), column).into_column_ref());
    let here = |column: change::Column| (change::Entity, column);
    let mut told = Query::select();
    told.expr(Expr::val(1))
        .from_as(change::Entity, Alias::new("seen"))
        .and_where(seen(change::Column::RecordId).equals(here(change::Column::RecordId)))
        .and_where(seen(change::Column::Version).equals(here(change::Column::Version)))
        .and_where(seen(change::Column::AudienceAfter).is_not_null());
    Expr::exists(told)
}
