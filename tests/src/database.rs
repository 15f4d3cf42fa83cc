//! A database for each story, copied from a template that is created once.

use crate::tables::node;
use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::exchange::sync::PushStatus;
use persistence::Store;
use persistence::jobs::BackgroundJobs;
use persistence::load::{CHUNK, LoadMode};
use persistence::search::{IndexPlace, Search};
use persistence::transaction::WriteOptions;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connection, DatabaseBackend, DatabaseConnection,
    EntityTrait,
};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::sync::Mutex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    /// A database of its own on the server that `TEST_DATABASE_URL` names.
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Empty,
    Seeded,
    /// A few regions of the reference data, for small nodes.
    Few,
}

#[derive(Debug)]
pub struct Database {
    pub url: String,
    folder: Option<TempDir>,
    name: Option<String>,
    index: TempDir,
}

pub const ORIGIN: &str = "test-node";

static NUMBER: AtomicU32 = AtomicU32::new(0);
static TEMPLATES: LazyLock<Mutex<Templates>> = LazyLock::new(Mutex::default);

#[derive(Debug, Clone)]
struct Template<T> {
    database: T,
    index: PathBuf,
}

#[derive(Debug, Default)]
struct Templates {
    sqlite: Vec<(Content, Template<PathBuf>)>,
    postgres: Vec<(Content, Template<String>)>,
    folder: Option<TempDir>,
}

fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let url = std::env::var("TEST_DATABASE_URL");
    url.expect(
        "TEST_DATABASE_URL names no PostgreSQL server; ./test starts one, or: eval \"$(tests/setup/postgres.sh start)\"",
    )
}

fn on_server(name: &str) -> String {
    let mut url = url_of(&server());
    url.set_path(name);
    url.to_string()
}

fn url_of(text: &str) -> reqwest::Url {
    reqwest::Url::parse(text).expect("TEST_DATABASE_URL is a URL")
}

fn fresh_name(prefix: &str) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("verbund_{prefix}_{}_{number}", std::process::id())
}

/// Opens connections of its own, to look past the server into its database.
pub async fn look(url: &str, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false);
    Box::pin(Connection::connect(options)).await.unwrap()
}

async fn admin(sql: &str) {
    let connection = look(&server(), 1).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

impl Database {
    pub async fn new(backend: Backend, content: Content) -> Self {
        // Before anything creates a client.
        api::http::crypto::install();
        let mut templates = TEMPLATES.lock().await;
        match backend {
            Backend::Sqlite => {
                let template = templates.sqlite(content).await;
                drop(templates);
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("verbund.sqlite");
                std::fs::copy(template.database, &file).unwrap();
                Self {
                    index: copy_of(&template.index),
                    url: format!("sqlite://{}", file.display()),
                    folder: Some(folder),
                    name: None,
                }
            }
            Backend::Postgres => {
                // One at a time: a template must have no other connection while it is copied.
                let template = templates.postgres(content).await;
                let name = fresh_name("test");
                let original = template.database;
                admin(&format!("CREATE DATABASE {name} TEMPLATE {original}")).await;
                Self {
                    index: copy_of(&template.index),
                    url: on_server(&name),
                    folder: None,
                    name: Some(name),
                }
            }
        }
    }

    /// A database without tables.
    pub(crate) async fn blank(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("verbund.sqlite");
                Self {
                    folder: Some(folder),
                    ..Self::at(format!("sqlite://{}", file.display()))
                }
            }
            Backend::Postgres => {
                let name = fresh_name("blank");
                admin(&format!("CREATE DATABASE {name}")).await;
                Self {
                    url: on_server(&name),
                    name: Some(name),
                    ..Self::at(String::new())
                }
            }
        }
    }

    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }

    #[must_use]
    pub fn index(&self) -> &std::path::Path {
        self.index.path()
    }

    #[must_use]
    pub fn moved_to(self, folder: &std::path::Path) -> Self {
        let old = self.folder().expect("it is a file").join("verbund.sqlite");
        let new = folder.join("verbund.sqlite");
        std::fs::copy(old, &new).unwrap();
        Self::at(format!("sqlite://{}", new.display()))
    }

    /// [`Self::new`] for a node with another origin.
    pub async fn of(backend: Backend, content: Content, origin: &str) -> Self {
        let database = Self::new(backend, content).await;
        let connection = look(&database.url, 1).await;
        node::Entity::update_many()
            .col_expr(node::Column::Origin, Expr::value(origin))
            .col_expr(node::Column::LogId, Expr::value(domain::base::id::new()))
            .col_expr(
                node::Column::Secret,
                Expr::value(format!("secret of {origin}")),
            )
            .exec(&connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        database
    }

    /// An existing database at `url`; its content stays.
    #[must_use]
    pub fn at(url: String) -> Self {
        // As in `new`: running a single story starts here.
        api::http::crypto::install();
        Self {
            url,
            folder: None,
            name: None,
            index: tempfile::tempdir().unwrap(),
        }
    }

    /// A copy of a database without writers; on the server it must have no connections.
    pub async fn copy(&self) -> Self {
        if let Some(folder) = &self.folder {
            let folder = copy_of(folder.path());
            let file = folder.path().join("verbund.sqlite");
            return Self {
                index: copy_of(self.index.path()),
                url: format!("sqlite://{}", file.display()),
                folder: Some(folder),
                name: None,
            };
        }
        let original = self.name.as_ref().expect("it was made by the tests");
        let name = fresh_name("copy");
        admin(&format!("CREATE DATABASE {name} TEMPLATE {original}")).await;
        Self {
            url: on_server(&name),
            folder: None,
            name: Some(name),
            index: tempfile::tempdir().unwrap(),
        }
    }

    pub async fn remove(self) {
        if let Some(name) = self.name {
            admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

fn copy_of(folder: &std::path::Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        // A missing index is rebuilt.
        if file.file_type().unwrap().is_dir() {
            continue;
        }
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

impl Templates {
    fn path(&mut self, name: &str) -> PathBuf {
        let folder = self
            .folder
            .get_or_insert_with(|| tempfile::tempdir().unwrap());
        folder.path().join(name)
    }

    async fn sqlite(&mut self, content: Content) -> Template<PathBuf> {
        if let Some((_, template)) = self.sqlite.iter().find(|(one, _)| *one == content) {
            return template.clone();
        }
        let template = Template {
            database: self.path(&format!("{content:?}.sqlite")),
            index: self.path(&format!("{content:?}.sqlite.index")),
        };
        let url = format!("sqlite://{}", template.database.display());
        fill(&url, content, &template.index).await;
        self.sqlite.push((content, template.clone()));
        template
    }

    async fn postgres(&mut self, content: Content) -> Template<String> {
        if let Some((_, template)) = self.postgres.iter().find(|(one, _)| *one == content) {
            return template.clone();
        }
        let template = Template {
            database: fresh_name("template"),
            index: self.path(&format!("{content:?}.postgres.index")),
        };
        admin(&format!("CREATE DATABASE {}", template.database)).await;
        fill(&on_server(&template.database), content, &template.index).await;
        self.postgres.push((content, template.clone()));
        template
    }
}

async fn fill(url: &str, content: Content, index: &std::path::Path) {
    let store = Store::open(url, Some(ORIGIN), Clock::default())
        .await
        .unwrap();
    match content {
        Content::Empty => {}
        Content::Seeded => seed(&store).await,
        Content::Few => prune(store.db().reader()).await,
    }
    let search = Search::new(store.clone(), IndexPlace::Folder(index.to_owned()));
    // Log consumers have nothing left to do in a copy.
    let background = BackgroundJobs::start(&store).searching(&store, &search);
    crate::node::settled(&store, &background).await;
    background.stop().await;
    drop(search);
    store.db().clone().close().await;
}

/// Keeps three regions of the reference data, as if there had never been others.
async fn prune(database: &impl ConnectionTrait) {
    for sql in [
        "DELETE FROM record WHERE slug IS NULL OR kind <> 'region' OR slug NOT IN ('hessen', 'bayern', 'berlin')",
        "DELETE FROM change WHERE record_id NOT IN (SELECT id FROM record) OR NOT newest",
        "UPDATE change SET seq = (SELECT COUNT(*) FROM change AS other WHERE other.record_id <= change.record_id) - 10, tx = 0",
        "UPDATE change SET seq = seq + 10, tx = seq + 10",
        "UPDATE record SET seq = (SELECT seq FROM change WHERE change.record_id = record.id)",
        "UPDATE sync_state SET head = 3, digest_seq = 3",
        "DELETE FROM digest",
        "DELETE FROM log_consumer",
    ] {
        database.execute_unprepared(sql).await.unwrap();
    }
    if database.get_database_backend() == DatabaseBackend::Sqlite {
        database.execute_unprepared("VACUUM").await.unwrap();
    }
}

/// Loads the seed pages; every line must be new.
pub async fn seed(store: &Store) {
    for (page, lines) in domain::data::SEEDS {
        let lines: Vec<&str> = lines.lines().collect();
        for chunk in lines.chunks(CHUNK) {
            let options = WriteOptions::default();
            let caller = Caller::node();
            let outcomes = store
                .imports()
                .load(&caller, chunk, LoadMode::CreateMissing, &options)
                .await
                .unwrap();
            for (line, outcome) in chunk.iter().zip(outcomes) {
                assert!(
                    outcome.status() == PushStatus::Created,
                    "{page}: {outcome:?} {line}"
                );
            }
        }
    }
}
