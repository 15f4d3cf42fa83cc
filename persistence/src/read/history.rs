//! The log for people: the versions of a record and their bodies, and everything for admins.

use crate::cursor;
use crate::db::SqlTransaction;
use crate::entity::{change, record, tombstone};
use crate::error::{Denied, Result, StoreError};
use crate::record::{Record, current, served_text};
use crate::store::Store;
use chrono::{DateTime, Utc};
use domain::access::rules::{Action, Caller, Subject};
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use domain::kinds::common::Publication;
use domain::validation::upgrade::upgraded;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoColumnRef, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use serde_json::Value;
use uuid::Uuid;

/// Versions among which the last one with some statement is looked for.
const LAST_VERSIONS: u64 = 20;

#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "change::Entity")]
pub struct LogEntry {
    pub seq: i64,
    pub kind: String,
    pub record_id: Uuid,
    pub origin: String,
    pub op: String,
    pub version: i64,
    pub newest: bool,
    /// The home region while public: before the entry.
    pub audience_before: Option<String>,
    pub audience_after: Option<String>,
    pub by: Option<Uuid>,
    pub reason: Option<String>,
    pub cause: Option<String>,
    /// Shared by everything that was deleted with a record.
    pub deletion_id: Option<Uuid>,
    pub at: DateTime<Utc>,
    pub erased: bool,
    pub bulk: bool,
}

impl LogEntry {
    /// The home region at that time, if it was public.
    #[must_use]
    pub fn home_region(&self) -> Option<Uuid> {
        let audience = self.audience_after.as_ref();
        let audience = audience.or(self.audience_before.as_ref())?;
        Uuid::try_parse(audience).ok()
    }
}

#[derive(Debug)]
pub struct LogPage {
    pub entries: Vec<LogEntry>,
    pub next: Option<String>,
}

#[derive(Debug)]
pub struct History {
    pub page: LogPage,
    /// Whether the caller may read drafts of the record, and see accounts.
    pub within: bool,
    pub cause: Option<String>,
    pub truncated: bool,
}

#[derive(Debug)]
pub struct Version {
    pub envelope: Envelope,
    /// The body with current names.
    pub body: String,
    /// Whether it has former names in the log.
    pub upgraded: bool,
}

#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    pub by: Option<Uuid>,
    pub kinds: Vec<Kind>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub record: Option<Uuid>,
}

struct About {
    id: Uuid,
    within: bool,
    own: bool,
    system: Option<String>,
    envelope: Envelope,
    cause: Option<String>,
}

/// Room of earlier versions and of the log for admins.
#[derive(Debug, Clone, Copy)]
pub struct Histories<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn history(&self) -> Histories<'_> {
        Histories { store: self }
    }
}

impl Histories<'_> {
    /// The versions of a record that the caller may see, newest first.
    ///
    /// # Errors
    /// As [`crate::records::Records::get`], except for deleted records; [`StoreError::BadCursor`].
    pub async fn list(
        self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<History> {
        let about = about(self.store, caller, kind, key).await?;
        let entries = versions(&about);
        let mut page = log_page(self.store, entries, (limit, at), query).await?;
        if about.within && !caller.is_node_admin() {
            let hidden = hidden_versions(self.store, caller, &about, &page.entries).await?;
            page.entries.retain(|entry| !hidden.contains(&entry.seq));
        }
        let first = first_version(self.store, about.id).await?;
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
    /// As [`Self::list`]; [`StoreError::NotFound`] if there was no such version or the caller may
    /// not see it, [`StoreError::VersionGone`] if it is no longer kept.
    pub async fn get(
        self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        version: i64,
    ) -> Result<Version> {
        let about = about(self.store, caller, kind, key).await?;
        // Both queries see one state, so that the body is found.
        let tx = self.store.db().begin_read().await?;
        let made = || change::Column::Version.eq(version);
        let entry = versions(&about)
            .filter(made())
            .order_by_desc(change::Column::Seq);
        let entry = entry.into_partial_model::<LogEntry>().one(&tx).await?;
        let Some(entry) = entry else {
            let first = first_version(self.store, about.id).await?;
            let pruned = first.is_some_and(|first| (1..first).contains(&version));
            return Err(if pruned {
                StoreError::VersionGone
            } else {
                StoreError::NotFound
            });
        };
        let row = record::Entity::find_by_id(about.id)
            .into_model::<Record>()
            .one(&tx)
            .await?;
        let row = row.filter(|row| entry.newest && row.version == version);
        let rested: Option<change::Model> = change::Entity::find_by_id(entry.seq).one(&tx).await?;
        let updated_at = last_update(&tx, about.id, &entry).await?;
        tx.commit().await?;
        let (envelope, body) = match row {
            Some(row) => (row.served().0, Some(row.body)),
            None => (
                Envelope {
                    version,
                    updated_at,
                    ..about.envelope.clone()
                },
                rested.and_then(|entry| entry.body),
            ),
        };
        let stored = body.ok_or(StoreError::VersionGone)?;
        if !about.shows(caller, &stored) {
            return Err(StoreError::NotFound);
        }
        let upgraded = upgraded(envelope.kind, &stored);
        let is_upgraded = upgraded.is_some();
        let current = upgraded.unwrap_or(stored);
        let body = if envelope.origin == self.store.node().origin {
            current
        } else {
            served_text(envelope.kind, current)
        };
        Ok(Version {
            envelope,
            upgraded: is_upgraded,
            body,
        })
    }

    /// The bodies of the last superseded versions of a record that were public, newest first, with
    /// current names.
    pub async fn public_bodies(self, id: Uuid) -> Result<Vec<Value>> {
        let rows: Vec<(String, Option<String>)> = change::Entity::find()
            .select_only()
            .columns([change::Column::Kind, change::Column::Body])
            .filter(change::Column::RecordId.eq(id))
            .filter(change::Column::Body.is_not_null())
            .filter(change::Column::AudienceAfter.is_not_null())
            .order_by_desc(change::Column::Seq)
            .limit(LAST_VERSIONS)
            .into_tuple()
            .all(self.store.db().reader())
            .await?;
        let bodies = rows.into_iter().filter_map(|(kind, body)| {
            let kind = Kind::parse(&kind)?;
            Some(current(kind, &body?))
        });
        Ok(bodies.collect())
    }

    pub async fn audit(
        self,
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
        log_page(self.store, entries, (limit, at), query).await
    }
}

async fn log_page(
    store: &Store,
    mut entries: Select<change::Entity>,
    (limit, at): (u64, Option<&str>),
    query: &str,
) -> Result<LogPage> {
    let secret = &store.node().secret;
    if let Some(text) = at {
        let before: i64 = cursor::decode(secret, query, text)?;
        entries = entries.filter(change::Column::Seq.lt(before));
    }
    let mut entries = entries
        .order_by_desc(change::Column::Seq)
        .limit(limit + 1)
        .into_partial_model::<LogEntry>()
        .all(store.db().reader())
        .await?;
    let more = entries.len() as u64 > limit;
    if more {
        entries.pop();
    }
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| cursor::encode(secret, query, &entry.seq));
    Ok(LogPage { entries, next })
}

impl About {
    /// Whether the caller may read this version: a draft is for readers of the region that it
    /// belonged to, wherever the record was moved.
    fn shows(&self, caller: &Caller, body: &str) -> bool {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        let published = text("publication") == Some(Publication::Published.code());
        let subject = Subject {
            own: self.own,
            kind: self.envelope.kind,
            home_region: text("home_region").and_then(|id| Uuid::try_parse(id).ok()),
            publication: Publication::Draft,
            system: self.system.as_deref(),
        };
        published || caller.is_allowed(Action::Read, &subject)
    }
}

/// Those of the entries that created drafts of regions that the caller may not read.
async fn hidden_versions(
    store: &Store,
    caller: &Caller,
    about: &About,
    entries: &[LogEntry],
) -> Result<Vec<i64>> {
    let drafts = entries
        .iter()
        .filter(|entry| entry.op == Op::Upsert.code() && entry.audience_after.is_none());
    let bodies: Vec<(i64, String)> = change::Entity::find()
        .select_only()
        .columns([change::Column::Seq, change::Column::Body])
        .filter(change::Column::Seq.is_in(drafts.map(|entry| entry.seq)))
        // The body of the newest version is that of the record, which the caller may read.
        .filter(change::Column::Body.is_not_null())
        .into_tuple()
        .all(store.db().reader())
        .await?;
    let hidden = bodies
        .into_iter()
        .filter(|(_, body)| !about.shows(caller, body));
    Ok(hidden.map(|(seq, _)| seq).collect())
}

async fn first_version(store: &Store, id: Uuid) -> Result<Option<i64>> {
    let first = change::Entity::find()
        .select_only()
        .column_as(change::Column::Version.min(), "first")
        .filter(change::Column::RecordId.eq(id))
        .into_tuple::<Option<i64>>()
        .one(store.db().reader())
        .await?;
    Ok(first.flatten())
}

async fn about(store: &Store, caller: &Caller, kind: Kind, key: &str) -> Result<About> {
    let tombstone = match store.records().get(caller, kind, key).await {
        Ok(row) => {
            return Ok(About {
                id: row.id,
                within: caller.is_allowed(Action::Read, &store.subject(&row)),
                own: store.subject(&row).own,
                envelope: row.envelope(),
                system: row.system,
                cause: None,
            });
        }
        // Of an erased record only the erasure is reported.
        Err(StoreError::Gone(tombstone)) if tombstone.cause != Cause::Erased.code() => tombstone,
        Err(other) => return Err(other),
    };
    let row = tombstone::Entity::find_by_id(tombstone.envelope.id)
        .one(store.db().reader())
        .await?
        .ok_or(StoreError::NotFound)?;
    let subject = Subject {
        own: row.origin == store.node().origin,
        kind,
        home_region: row.home_region,
        publication: Publication::Draft,
        system: row.system.as_deref(),
    };
    Ok(About {
        id: row.id,
        within: caller.is_allowed(Action::Read, &subject),
        own: subject.own,
        system: row.system.clone(),
        envelope: tombstone.envelope,
        cause: Some(tombstone.cause),
    })
}

/// The time of the last version with another content: renaming members is not an update.
async fn last_update(tx: &SqlTransaction, id: Uuid, entry: &LogEntry) -> Result<DateTime<Utc>> {
    if entry.cause.is_none() {
        return Ok(entry.at);
    }
    let before = change::Entity::find()
        .filter(change::Column::RecordId.eq(id))
        .filter(change::Column::Seq.lt(entry.seq))
        .filter(change::Column::Op.eq(Op::Upsert.code()))
        .filter(change::Column::Cause.is_null())
        .order_by_desc(change::Column::Seq)
        .into_partial_model::<LogEntry>()
        .one(tx)
        .await?;
    // It may have been pruned.
    Ok(before.map_or(entry.at, |before| before.at))
}

/// The entries that created versions of a record; for outsiders only those of visible versions.
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

/// Whether the version of the current entry was ever public: when it was created, or later because
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
