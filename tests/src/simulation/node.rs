//! A node of the simulation: a store, its feed as the application serves it, and the fate of its
//! database in a crash, restore or replacement.

use super::truth::{Truth, Version};
use crate::database::{Backend, Content, Database};
use crate::tables::change;
use actix_web::dev::Service;
use actix_web::{App, test, web};
use api::auth::{Access, Tokens};
use api::config::Config;
use api::exchange::partners::transport::Answer;
use api::http::body_timeout::BodyRate;
use api::http::outbound::Outgoing;
use api::http::rate_limit::Limits;
use api::state::{State, Waiting};
use domain::base::clock::Clock;
use futures::future::LocalBoxFuture;
use persistence::Store;
use persistence::consumers::{Entry, LogConsumer};
use persistence::duplicates::Duplicates;
use persistence::search::{IndexPlace, Search};
use persistence::visibility::consumer::VisibilityConsumer;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

type Feed = Box<dyn Fn(&str) -> LocalBoxFuture<'static, Answer>>;

enum Place {
    File(PathBuf),
    Server(Box<Database>),
}

struct Backup {
    place: Place,
    truth: Truth,
}

pub struct Cluster {
    backend: Backend,
    folder: TempDir,
    outgoing: Outgoing,
    config: Config,
    /// Databases of new nodes, by name and number of previous nodes with that name.
    kept: BTreeMap<(String, u32), PathBuf>,
    made: u32,
}

pub(super) struct SimNode {
    pub(super) origin: String,
    pub(super) store: Store,
    pub(super) truth: Truth,
    pub(super) ever: BTreeSet<Version>,
    pub(super) generation: u32,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) ahead: i64,
    place: Place,
    feed: Feed,
    backups: Vec<Backup>,
    births: u32,
    traps: u32,
}

/// A folder in memory, if the machine has one.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(folder).unwrap()
}

impl Cluster {
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        api::http::crypto::install();
        let config = Config::default();
        Self {
            backend,
            folder: folder(),
            outgoing: Outgoing::new(&config).unwrap(),
            config,
            kept: BTreeMap::new(),
            made: 0,
        }
    }

    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    fn path(&mut self) -> PathBuf {
        self.made += 1;
        self.folder.path().join(format!("{}.sqlite", self.made))
    }

    pub(super) fn clear(&mut self) {
        let kept: BTreeSet<&PathBuf> = self.kept.values().collect();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            if !kept.contains(&path) {
                // A connection may be about to remove it.
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// A database of a new node; `births` is the number of previous nodes with that name.
    async fn fresh(&mut self, origin: &str, births: u32) -> Place {
        let key = (origin.to_owned(), births);
        if let Some(kept) = self.kept.get(&key).cloned() {
            return copy(&kept, self.path());
        }
        let database = Database::of(self.backend, Content::Few, origin).await;
        let Some(folder) = database.folder() else {
            return Place::Server(Box::new(database));
        };
        let kept = self.path();
        let place = copy(&folder.join("verbund.sqlite"), kept.clone());
        self.kept.insert(key, kept.clone());
        drop(place);
        copy(&kept, self.path())
    }

    /// A copy of a database without writers.
    async fn copy(&mut self, of: &Place) -> Place {
        match of {
            Place::File(path) => copy(path, self.path()),
            Place::Server(database) => Place::Server(Box::new(database.copy().await)),
        }
    }

    /// Serves the feed of a store, without a socket.
    async fn feed(&self, store: &Store) -> Feed {
        let state = State {
            site: api::config::Site::default(),
            store: store.clone(),
            search: Search::new(store.clone(), IndexPlace::Memory),
            duplicates: Duplicates::new(store.clone()),
            tokens: Tokens::load(store).await.unwrap(),
            sign_ins: api::auth::sign_ins::SignIns::default(),
            limits: Limits::new(&self.config),
            waiting: Waiting::default(),
            body_rate: BodyRate::new(&self.config),
            access: Access::default(),
            outgoing: self.outgoing.clone(),
            log_retention_days: None,
            metrics: api::http::metrics::Metrics::default(),
            metrics_token: None,
            stopping: tokio::sync::watch::Sender::new(false),
        };
        let routes = api::exchange::feed::routes();
        let app = App::new().app_data(web::Data::new(state)).service(routes);
        let app = Rc::new(test::init_service(app).await);
        Box::new(move |path| {
            let request = test::TestRequest::get().uri(path).to_request();
            let app = app.clone();
            Box::pin(async move {
                let response = app.call(request).await.unwrap();
                let status = response.status().as_u16();
                Answer {
                    status: reqwest::StatusCode::from_u16(status).unwrap(),
                    body: test::read_body(response).await.to_vec(),
                }
            })
        })
    }
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite://{}", path.display()),
            Self::Server(database) => database.url.clone(),
        }
    }
}

/// The files as they are: only committed data.
fn copy(from: &Path, to: PathBuf) -> Place {
    std::fs::copy(from, &to).unwrap();
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    if log(from).exists() {
        std::fs::copy(log(from), log(&to)).unwrap();
    }
    Place::File(to)
}

impl SimNode {
    pub(super) async fn new(cluster: &mut Cluster, origin: String, clock: Arc<AtomicI64>) -> Self {
        let place = cluster.fresh(&origin, 0).await;
        let store = open(&place, &clock).await;
        Self {
            feed: cluster.feed(&store).await,
            origin,
            store,
            truth: Truth::default(),
            ever: BTreeSet::new(),
            generation: 0,
            clock,
            ahead: 0,
            place,
            backups: Vec::new(),
            births: 0,
            traps: 0,
        }
    }

    pub(super) async fn ask(&self, path: &str) -> Answer {
        (self.feed)(path).await
    }

    pub(super) async fn crash(&mut self, cluster: &mut Cluster) {
        if matches!(self.place, Place::File(_)) {
            self.place = cluster.copy(&self.place).await;
        }
        self.start(cluster).await;
        self.untrap().await;
        self.truth.is_kept(&self.store).await;
    }

    pub(super) async fn untrap(&self) {
        if matches!(self.place, Place::File(_)) {
            let sql = format!("DROP TRIGGER IF EXISTS trap_{}", self.traps);
            let database = self.store.db().reader();
            database.execute_unprepared(&sql).await.unwrap();
        }
    }

    async fn start(&mut self, cluster: &Cluster) {
        self.store = open(&self.place, &self.clock).await;
        self.feed = cluster.feed(&self.store).await;
    }

    pub(super) async fn back_up(&mut self, cluster: &mut Cluster) {
        self.quiet().await;
        self.backups.push(Backup {
            place: cluster.copy(&self.place).await,
            truth: self.truth.clone(),
        });
        if cluster.backend == Backend::Postgres {
            self.start(cluster).await;
        }
    }

    /// PostgreSQL copies databases without connections only.
    async fn quiet(&self) {
        if matches!(self.place, Place::Server(_)) {
            self.store.db().clone().close().await;
        }
    }

    /// Restores a backup; returns whether there is one.
    pub(super) async fn restore(&mut self, cluster: &mut Cluster, which: usize) -> bool {
        let Some(index) = which.checked_rem(self.backups.len()) else {
            return false;
        };
        let place = cluster.copy(&self.backups[index].place).await;
        self.truth = self.backups[index].truth.clone();
        // Later backups belong to another timeline.
        for later in self.backups.split_off(index + 1) {
            later.place.remove().await;
        }
        self.replace(cluster, place).await;
        true
    }

    /// Continues with a new database under the same name.
    pub(super) async fn recreate(&mut self, cluster: &mut Cluster) {
        for backup in std::mem::take(&mut self.backups) {
            backup.place.remove().await;
        }
        self.births += 1;
        let place = cluster.fresh(&self.origin, self.births).await;
        self.truth = Truth::default();
        self.replace(cluster, place).await;
    }

    async fn replace(&mut self, cluster: &Cluster, place: Place) {
        self.quiet().await;
        let old = std::mem::replace(&mut self.place, place);
        old.remove().await;
        self.generation += 1;
        self.start(cluster).await;
    }

    pub(super) fn set_clock(&mut self, ahead: i64) {
        let seconds = ahead - std::mem::replace(&mut self.ahead, ahead);
        self.clock
            .fetch_add(seconds * super::SECOND, Ordering::SeqCst);
    }

    /// Makes a statement fail: alone (`ABORT`), or with the whole transaction (`ROLLBACK`), as
    /// after a disk error.
    pub(super) async fn trap(&mut self, when: &str, how: &str) {
        if matches!(self.place, Place::Server(_)) {
            return;
        }
        // A connection may remember a removed one of this name.
        self.traps += 1;
        let name = format!("trap_{}", self.traps);
        let sql =
            format!("CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE({how}, 'trap'); END");
        let database = self.store.db().reader();
        database.execute_unprepared(&sql).await.unwrap();
    }

    pub(super) async fn follow(&mut self) {
        if self.store.records().publish_due().await.unwrap() > 0 {
            self.truth.see_published(&self.store).await;
        }
        let mut touch = VisibilityConsumer::new(self.store.clone());
        loop {
            let cursor = touch.cursor().await.unwrap();
            let entries = change::Entity::find()
                .filter(change::Column::Seq.gt(cursor))
                .order_by_asc(change::Column::Seq)
                .into_partial_model::<Entry>()
                .all(self.store.db().reader())
                .await
                .unwrap();
            let head = entries.last().map(|entry| entry.seq);
            if entries.is_empty() {
                return;
            }
            touch.apply(&entries).await.unwrap();
            if self.store.log().head().await.ok() == head {
                return;
            }
        }
    }

    /// Records what was acknowledged since.
    pub(super) fn remember(&mut self) {
        self.ever.extend(self.truth.fresh.drain(..));
    }

    pub(super) async fn remove(self) {
        self.quiet().await;
        self.place.remove().await;
        for backup in self.backups {
            backup.place.remove().await;
        }
    }
}

impl Place {
    async fn remove(self) {
        match self {
            // The folder is removed as a whole.
            Self::File(_) => {}
            Self::Server(database) => database.remove().await,
        }
    }
}

async fn open(place: &Place, clock: &Arc<AtomicI64>) -> Store {
    let clock = Clock::fixed(clock.clone());
    Store::open(&place.url(), None, clock).await.unwrap()
}
