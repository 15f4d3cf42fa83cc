use super::*;
use sea_orm::{ConnectionTrait, Statement};
use std::time::{Duration, Instant};
use tempfile::TempDir;

async fn told(db: &Db, questions: &[&str]) -> Vec<String> {
    let tx = db.begin_write().await.unwrap();
    let mut told = Vec::new();
    for question in questions {
        let question = Statement::from_string(db.backend(), *question);
        let row = tx.query_one_raw(question).await.unwrap().unwrap();
        let number = row.try_get_by_index::<i64>(0).map(|one| one.to_string());
        told.push(number.or_else(|_| row.try_get_by_index(0)).unwrap());
    }
    tx.rollback().await.unwrap();
    told
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

async fn sqlite(timeouts: Timeouts) -> (Db, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
    (Db::connect(&url, timeouts).await.unwrap(), folder)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
async fn postgres(timeouts: Timeouts) -> Db {
    let url = std::env::var("TEST_DATABASE_URL");
    let url = url.expect("TEST_DATABASE_URL names no PostgreSQL server; see CONTRIBUTING.md");
    let and = if url.contains('?') { '&' } else { '?' };
    // Overrides the defaults of the server.
    let url = format!("{url}{and}options[synchronous_commit]=off");
    Db::connect(&url, timeouts).await.unwrap()
}

async fn execute(db: &Db, sql: &str) {
    db.reader().execute_unprepared(sql).await.unwrap();
}

async fn count(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let row = db
        .reader()
        .query_one_raw(Statement::from_string(db.backend(), sql));
    row.await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[test]
fn sqlite_acknowledges_what_is_on_the_disk() {
    wait_for(async {
        let (db, _folder) = sqlite(Timeouts::default()).await;
        let questions = [
            "PRAGMA synchronous",
            "PRAGMA journal_mode",
            "PRAGMA secure_delete",
            "PRAGMA foreign_keys",
            "PRAGMA busy_timeout",
        ];
        let full = "2";
        assert_eq!(
            told(&db, &questions).await,
            [full, "wal", "1", "1", "15000"]
        );
        db.close().await;
    });
}

#[test]
fn postgres_acknowledges_what_is_on_the_disk_and_waits_for_nobody_for_long() {
    wait_for(async {
        let db = postgres(Timeouts::default()).await;
        let questions = [
            "SHOW synchronous_commit",
            "SHOW lock_timeout",
            "SHOW statement_timeout",
        ];
        assert_eq!(told(&db, &questions).await, ["on", "2s", "15s"]);
        db.close().await;
    });
}

/// A full disk makes SQLite roll back by itself, like this trigger.
#[test]
fn what_is_acknowledged_after_sqlite_rolled_back_by_itself_is_kept() {
    wait_for(async {
        let (db, _folder) = sqlite(Timeouts::default()).await;
        execute(
            &db,
            "CREATE TABLE item (id INTEGER); \
             CREATE TRIGGER refuse BEFORE INSERT ON item WHEN NEW.id < 0 \
             BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END",
        )
        .await;
        for round in 1..=3 {
            let tx = db.begin_write().await.unwrap();
            let insert = "INSERT INTO item VALUES (1)";
            tx.execute_unprepared(insert).await.unwrap();
            let failed = tx.execute_unprepared("INSERT INTO item VALUES (-1)");
            failed.await.unwrap_err();
            // Nothing of it is kept, however the caller continues.
            tx.execute_unprepared(insert).await.unwrap_err();
            tx.commit().await.unwrap_err();
            assert_eq!(count(&db, "item").await, round - 1);
            // If this one were a savepoint, rolling it back would leave a transaction open around
            // the next.
            let given_up = db.begin_write().await.unwrap();
            given_up.execute_unprepared(insert).await.unwrap();
            given_up.rollback().await.unwrap();
            let tx = db.begin_write().await.unwrap();
            tx.execute_unprepared(insert).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(count(&db, "item").await, round);
        }
        db.close().await;
    });
}

#[test]
fn a_reader_whose_transaction_sqlite_ended_is_not_used_again() {
    wait_for(async {
        let (db, _folder) = sqlite(Timeouts::default()).await;
        execute(&db, "CREATE TABLE item (id INTEGER)").await;
        for _ in 0..20 {
            let tx = db.begin_read().await.unwrap();
            tx.execute_unprepared("ROLLBACK").await.unwrap();
            tx.commit().await.unwrap_err();
            let tx = db.begin_read().await.unwrap();
            let read = "SELECT * FROM item";
            tx.execute_unprepared(read).await.unwrap();
            drop(tx);
        }
        let tx = db.begin_write().await.unwrap();
        let insert = "INSERT INTO item VALUES (1)";
        tx.execute_unprepared(insert).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..20 {
            assert_eq!(count(&db, "item").await, 1);
        }
        db.close().await;
    });
}

fn endless(db: &Db) -> Statement {
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000000) \
         SELECT count(*) FROM n";
    Statement::from_string(db.backend(), sql)
}

async fn a_statement_that_takes_too_long_is_interrupted(db: Db) {
    let begun = Instant::now();
    let read = db.reader().query_one_raw(endless(&db)).await;
    assert!(matches!(
        StoreError::from(read.unwrap_err()),
        StoreError::Busy(_)
    ));
    let tx = db.begin_read().await.unwrap();
    let read = tx.query_one_raw(endless(&db)).await;
    assert!(matches!(
        StoreError::from(read.unwrap_err()),
        StoreError::Busy(_)
    ));
    drop(tx);
    let tx = db.begin_write().await.unwrap();
    let write = tx.query_one_raw(endless(&db)).await;
    assert!(matches!(
        StoreError::from(write.unwrap_err()),
        StoreError::Busy(_)
    ));
    drop(tx);
    let tx = db.begin_write().await.unwrap();
    tx.commit().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    db.close().await;
}

const SHORT: Timeouts = Timeouts {
    acquire: Duration::from_secs(15),
    statement: Duration::from_millis(200),
    lock: Duration::from_secs(2),
};

#[test]
fn a_statement_of_sqlite_that_takes_too_long_is_interrupted() {
    wait_for(async {
        let (db, _folder) = sqlite(SHORT).await;
        a_statement_that_takes_too_long_is_interrupted(db).await;
    });
}

#[test]
fn a_statement_of_postgres_that_takes_too_long_is_interrupted() {
    wait_for(async {
        let db = postgres(SHORT).await;
        a_statement_that_takes_too_long_is_interrupted(db).await;
    });
}

#[test]
fn a_statement_whose_caller_has_gone_is_interrupted() {
    wait_for(async {
        let (db, _folder) = sqlite(Timeouts::default()).await;
        let begun = Instant::now();
        // More of them than there are connections.
        for _ in 0..20 {
            let read = db.reader().query_one_raw(endless(&db));
            let gone = tokio::time::timeout(Duration::from_millis(10), read).await;
            gone.unwrap_err();
            let tx = db.begin_write().await.unwrap();
            let write = tx.query_one_raw(endless(&db));
            let gone = tokio::time::timeout(Duration::from_millis(10), write).await;
            gone.unwrap_err();
        }
        let tx = db.begin_write().await.unwrap();
        tx.commit().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10));
        db.close().await;
    });
}

/// Stops waiting for the work after a time that may be shorter than a tick of the timers.
async fn stop_waiting<T>(after: Duration, work: impl Future<Output = T>) {
    let begun = Instant::now();
    let patience = async {
        while begun.elapsed() < after {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = work => {}
        () = patience => {}
    }
}

#[test]
fn a_caller_that_goes_while_postgres_begins_leaves_no_transaction_open() {
    wait_for(async {
        let db = postgres(Timeouts::default()).await;
        let observer = postgres(Timeouts::default()).await;
        let open = "pg_stat_activity WHERE state LIKE 'idle in transaction%' \
            AND application_name LIKE 'verbund%'";
        for after in (0..400).map(|n| Duration::from_micros(n % 100 * 20)) {
            db.begin_read().await.unwrap().rollback().await.unwrap();
            stop_waiting(after, db.begin_read()).await;
            db.begin_read().await.unwrap().rollback().await.unwrap();
            stop_waiting(after, db.begin_write()).await;
            let begun = Instant::now();
            // Transactions of other tests end.
            while count(&observer, open).await > 0 {
                assert!(begun.elapsed() < Duration::from_secs(10));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        observer.close().await;
        db.close().await;
    });
}
