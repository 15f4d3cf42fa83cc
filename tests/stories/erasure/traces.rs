//! Search for a mark in everything that a node stores on disk.

use domain::base::clock::Clock;
use persistence::Store;
use persistence::jobs::BackgroundJobs;
use persistence::search::{IndexPlace, Search};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::node::settled;
use tests::{Backend, Node};

pub(super) const MARK: &str = "xqzvkwj";

fn has_mark(bytes: &[u8]) -> bool {
    bytes
        .windows(MARK.len())
        .any(|window| window.eq_ignore_ascii_case(MARK.as_bytes()))
}

async fn rows(node: &Node, sql: &str) -> Vec<QueryResult> {
    let db = node.store.db().reader();
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    db.query_all_raw(statement).await.unwrap()
}

async fn texts(node: &Node, sql: &str) -> Vec<String> {
    let rows = rows(node, sql).await;
    let text = |row: &QueryResult| row.try_get_by_index::<String>(0).unwrap();
    rows.iter().map(text).collect()
}

pub(super) async fn in_rows(node: &Node) -> BTreeSet<String> {
    let tables = match node.backend {
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Backend::Postgres => {
            "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = 'public'"
        }
    };
    let mut found = BTreeSet::new();
    for table in texts(node, tables).await {
        let row = match node.backend {
            Backend::Postgres => format!("CAST(\"{table}\" AS text)"),
            Backend::Sqlite => {
                let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns = texts(node, &columns).await.into_iter();
                let texts = columns.map(|name| format!("quote(\"{name}\")"));
                texts.collect::<Vec<_>>().join(" || ' ' || ")
            }
        };
        let sql = format!("SELECT 1 FROM \"{table}\" WHERE {row} LIKE '%{MARK}%' LIMIT 1");
        if !rows(node, &sql).await.is_empty() {
            found.insert(table);
        }
    }
    found
}

/// The files of the database that contain the mark, after all writes are flushed. The write-ahead
/// log of PostgreSQL is not among them: it belongs to the server and is reused in time.
pub(super) async fn in_files(node: &Node) -> Vec<String> {
    let files = match node.backend {
        Backend::Sqlite => {
            let file = node.database_url.strip_prefix("sqlite://").unwrap();
            let beside = |suffix: &str| PathBuf::from(format!("{file}{suffix}"));
            vec![beside(""), beside("-wal"), beside("-shm")]
        }
        Backend::Postgres => {
            let db = node.store.db().reader();
            db.execute_unprepared("CHECKPOINT").await.unwrap();
            let place = "SELECT current_setting('data_directory') || '/base/' || CAST(oid AS text) \
                 FROM pg_database WHERE datname = current_database()";
            files_of(Path::new(&texts(node, place).await[0]))
        }
    };
    let mut found = Vec::new();
    for file in files {
        match std::fs::read(&file) {
            Ok(bytes) if has_mark(&bytes) => found.push(file.display().to_string()),
            Ok(_) => {}
            // The server removes files that it no longer needs.
            Err(why) => assert_eq!(
                why.kind(),
                std::io::ErrorKind::NotFound,
                "{}",
                file.display()
            ),
        }
    }
    found
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

/// A separate index over the database of a story, whose files can be inspected.
pub(super) struct Index {
    store: Store,
    background: BackgroundJobs,
    folder: TempDir,
}

impl Index {
    pub(super) async fn beside(node: &Node) -> Self {
        let store = Store::open(&node.database_url, None, Clock::default());
        let store = store.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = IndexPlace::Folder(folder.path().to_owned());
        let search = Search::new(store.clone(), place);
        let background = BackgroundJobs::none().with(&store, search.consumer());
        Self {
            store,
            background,
            folder,
        }
    }

    pub(super) async fn catches_up(&self) {
        settled(&self.store, &self.background).await;
    }

    /// Whether a term of any segment contains the mark, including deleted documents.
    pub(super) fn holds_the_mark(&self) -> bool {
        let index = tantivy::Index::open_in_dir(self.folder.path()).unwrap();
        let searcher = index.reader().unwrap().searcher();
        let schema = index.schema();
        searcher.segment_readers().iter().any(|segment| {
            let indexed = schema.fields().filter(|(_, entry)| entry.is_indexed());
            indexed.map(|(field, _)| field).any(|field| {
                let inverted = segment.inverted_index(field).unwrap();
                let mut terms = inverted.terms().stream().unwrap();
                let mut found = false;
                while terms.advance() {
                    found |= has_mark(terms.key());
                }
                found
            })
        })
    }

    /// Whether a file of the index contains the mark verbatim.
    pub(super) fn files_hold_the_mark(&self) -> bool {
        let files = files_of(self.folder.path());
        files
            .iter()
            .any(|file| has_mark(&std::fs::read(file).unwrap()))
    }

    pub(super) async fn close(self) {
        self.background.stop().await;
        self.store.db().clone().close().await;
    }
}
