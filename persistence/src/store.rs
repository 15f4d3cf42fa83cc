//! The store: one database, its node, and the clock.

pub(crate) mod key_locks;
pub mod log;
pub(crate) mod totals;

use crate::db::{Db, Timeouts};
use crate::entity::{change, node};
use crate::error::{Result, StoreError};
use crate::migrations::Migrator;
use crate::permits::Permits;
use crate::record::Record;
use chrono::{DateTime, Utc};
use domain::access::rules::Subject;
use domain::base::clock::Clock;
use key_locks::KeyLocks;
use rand::Rng;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QuerySelect, Statement,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use totals::Totals;
use uuid::Uuid;

/// The origin of the data that ships with the program.
pub const REFERENCE_ORIGIN: &str = "verbund";

/// The precedence of a slug's records from several nodes: this node's, the reference data's, a
/// copy.
pub(crate) fn rank(origin: &str, own: &str) -> u8 {
    if origin == own {
        0
    } else if origin == REFERENCE_ORIGIN {
        1
    } else {
        2
    }
}

pub const MAX_BODY: usize = 256 * 1024;

const PROBE_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub struct Node {
    pub origin: String,
    pub log_id: Uuid,
    pub secret: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    clock: Clock,
    node: Node,
    head: watch::Sender<i64>,
    acknowledged: Arc<AtomicI64>,
    key_locks: KeyLocks,
    totals: Totals,
    permits: Permits,
    consumers: Arc<Mutex<Reached>>,
}

type Reached = BTreeMap<&'static str, watch::Receiver<i64>>;

impl Store {
    /// Connects, updates the schema and creates the node if the database is new.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub(crate) async fn connect(url: &str, origin: Option<&str>, clock: Clock) -> Result<Self> {
        let db = Db::connect(url, Timeouts::default()).await?;
        migrate(&db).await?;
        let node = make_node(&db, origin, &clock).await?;
        keep_log_time(&db).await?;
        let head = head(&db).await?;
        Ok(Self {
            db,
            clock,
            node,
            key_locks: KeyLocks::default(),
            totals: Totals::default(),
            permits: Permits::default(),
            head: watch::Sender::new(head),
            acknowledged: Arc::new(AtomicI64::new(head)),
            consumers: Arc::default(),
        })
    }

    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Turns for work that takes much processor time.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    pub(crate) fn key_locks(&self) -> &KeyLocks {
        &self.key_locks
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(crate) fn subject<'a>(&self, row: &'a Record) -> Subject<'a> {
        row.subject(&self.node.origin)
    }

    pub async fn ping(&self) -> Result<()> {
        self.log().head().await.map(drop)
    }

    /// Whether writes succeed: by the last one if it was recent, otherwise by a probe.
    pub async fn check_writable(&self) -> Result<()> {
        let db = self.db();
        db.health().check(async || probe(db).await).await
    }
}

async fn probe(db: &Db) -> Result<()> {
    let tx = db.begin_write().await?;
    // Nothing is written where nothing changes.
    let sql = "INSERT INTO write_probe (id, content) VALUES (1, $1) \
         ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content";
    let content = hex(&rand::rng().random::<[u8; 32]>()).repeat(PROBE_BYTES / 64);
    let statement = Statement::from_sql_and_values(db.backend(), sql, [content.into()]);
    tx.execute_raw(statement).await?;
    tx.commit().await
}

/// After an upgrade: the times of the log continue after those of earlier releases.
async fn keep_log_time(db: &Db) -> Result<()> {
    if logged_micros(db).await? > 0 {
        return Ok(());
    }
    let newest: Option<Option<DateTime<Utc>>> = change::Entity::find()
        .select_only()
        .column_as(change::Column::At.max(), "newest")
        .into_tuple()
        .one(db.reader())
        .await?;
    let Some(newest) = newest.flatten() else {
        return Ok(());
    };
    let tx = db.begin_write().await?;
    let sql = "UPDATE sync_state SET logged_micros = $1 WHERE id = 1 AND logged_micros < $1";
    let values = [newest.timestamp_micros().into()];
    let statement = Statement::from_sql_and_values(db.backend(), sql, values);
    tx.execute_raw(statement).await?;
    tx.commit().await
}

/// The time of the newest log entry in microseconds since the Unix epoch.
async fn logged_micros(db: &Db) -> Result<i64> {
    let sql = "SELECT logged_micros FROM sync_state WHERE id = 1";
    let statement = Statement::from_string(db.backend(), sql);
    let row = db.reader().query_one_raw(statement).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
}

async fn head(db: &Db) -> Result<i64> {
    let node = node::Entity::find_by_id(1).one(db.reader()).await?;
    Ok(node.map_or(0, |node| node.head))
}

/// Any number will do, as long as every instance uses the same one.
const MIGRATION_LOCK: i64 = 7_238_119_004;

/// Updates the schema; instances that start together are serialised.
async fn migrate(db: &Db) -> Result<()> {
    let connection = db.maintenance().await?;
    let outcome = if db.is_postgres() {
        // The lock lives as long as the transaction that holds it.
        let turn = db.maintenance().await?;
        let lock = turn.begin().await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            .await?;
        let outcome = Migrator::up(&connection, None).await;
        lock.rollback().await?;
        turn.close().await?;
        outcome
    } else {
        Migrator::up(&connection, None).await
    };
    connection.close().await?;
    Ok(outcome?)
}

async fn make_node(db: &Db, origin: Option<&str>, clock: &Clock) -> Result<Node> {
    if let Some(origin) = origin
        && !is_origin(origin)
    {
        return Err(StoreError::Setup(format!(
            "\"{origin}\" cannot be an origin: 3 to 63 of a-z, 0-9 and hyphens, not \"{REFERENCE_ORIGIN}\""
        )));
    }
    if node::Entity::find_by_id(1)
        .one(db.reader())
        .await?
        .is_none()
    {
        insert_node(db, origin, clock).await?;
    }
    let row = node::Entity::find_by_id(1)
        .one(db.reader())
        .await?
        .ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
    match origin {
        Some(wanted) if wanted != row.origin => Err(StoreError::Setup(format!(
            "this database belongs to the origin \"{}\"; an origin never changes, so leave out \"{wanted}\"",
            row.origin
        ))),
        Some(_) | None => Ok(Node {
            origin: row.origin,
            log_id: row.log_id,
            secret: row.secret.into_bytes(),
        }),
    }
}

/// Creates the node's row; of instances that start together, the first one's wins.
async fn insert_node(db: &Db, origin: Option<&str>, clock: &Clock) -> Result<()> {
    let fresh = node::ActiveModel {
        id: Set(1),
        origin: Set(origin.map_or_else(random_origin, str::to_owned)),
        log_id: Set(domain::base::id::new()),
        head: Set(0),
        floor_seq: Set(0),
        secret: Set(hex(&rand::rng().random::<[u8; 32]>())),
        reference_hash: Set(None),
        body_format: Set(domain::validation::upgrade::body_format()),
        upgraded_to: Set(None),
        created_at: Set(clock.now()),
    };
    let on_conflict = sea_orm::sea_query::OnConflict::column(node::Column::Id)
        .do_nothing()
        .to_owned();
    let tx = db.begin_write().await?;
    node::Entity::insert(fresh)
        .on_conflict(on_conflict)
        .exec_without_returning(&tx)
        .await?;
    // Digests of nothing.
    let sql = "UPDATE sync_state SET digest_seq = 0 WHERE head = 0";
    tx.execute_unprepared(sql).await?;
    tx.commit().await
}

pub(crate) fn is_origin(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text != REFERENCE_ORIGIN
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn random_origin() -> String {
    format!("node-{}", hex(&rand::rng().random::<[u8; 6]>()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
