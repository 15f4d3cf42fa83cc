//! An interrupted rewrite, and instances of other releases on the same database.

use super::{RELEASE, Row, rows};
use domain::access::rules::Caller;
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use persistence::transaction::WriteOptions;
use persistence::{Store, StoreError};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tests::audit::audit_at;
use tests::database::{Database, look};
use tests::{Backend, fixture, on_both};
use uuid::Uuid;

on_both!(a_rewrite_continues_where_it_was_interrupted);
on_both!(nothing_is_rewritten_next_to_older_instances);
on_both!(an_older_release_can_no_longer_write);

/// Number of networks that needs several transactions.
const MANY: u32 = 350;

async fn open(database: &Database) -> Result<Store, StoreError> {
    // Its future is large.
    Box::pin(Store::open(&database.url, None, Clock::default())).await
}

async fn execute(database: &Database, sql: &str) {
    let connection = look(&database.url, 1).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// An id as SQL.
fn literal(connection: &DatabaseConnection, id: Uuid) -> String {
    match connection.get_database_backend() {
        DatabaseBackend::Sqlite => format!("x'{}'", id.simple()),
        _ => format!("'{id}'"),
    }
}

/// Copies a network with a former name many times, with its log entry.
async fn many(database: &Database) {
    let connection = look(&database.url, 1).await;
    let mut sql = String::new();
    for number in 1..=MANY {
        let id = literal(&connection, Uuid::from_u128(u128::from(number) << 64));
        write!(
            sql,
            "INSERT INTO change (seq, nonce, tx, kind, record_id, origin, op, version, newest, audience_before, audience_after, at, erased, bulk) \
             SELECT (SELECT head_seq FROM sync_state) + {number}, {number}, (SELECT head_seq FROM sync_state) + {number}, \
                 'network', {id}, origin, 'upsert', 1, true, NULL, audience_after, at, false, false \
             FROM change WHERE record_id = (SELECT id FROM record WHERE slug = 'klinikverbund') AND newest; \
             INSERT INTO record (id, kind, origin, slug, name, home_region, publication, was_public, shown, withheld, version, seq, created_at, updated_at, body) \
             SELECT {id}, kind, origin, 'netz-{number}', name, home_region, publication, was_public, shown, withheld, 1, \
                 (SELECT head_seq FROM sync_state) + {number}, created_at, updated_at, replace(body, 'klinikverbund', 'netz-{number}') \
             FROM record WHERE slug = 'klinikverbund'; \
             INSERT INTO reference (record_id, field, target_id) \
             SELECT {id}, field, target_id FROM reference WHERE record_id = (SELECT id FROM record WHERE slug = 'klinikverbund'); "
        )
        .unwrap();
    }
    write!(sql, "UPDATE sync_state SET head_seq = head_seq + {MANY}").unwrap();
    connection.execute_unprepared(&sql).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes every change of a record fail.
async fn breaks_at(database: &Database, id: Uuid) {
    let connection = look(&database.url, 1).await;
    let id = literal(&connection, id);
    let sql = match connection.get_database_backend() {
        DatabaseBackend::Sqlite => format!(
            "CREATE TRIGGER broken BEFORE UPDATE ON record WHEN NEW.id = {id} \
             BEGIN SELECT RAISE(ABORT, 'broken'); END"
        ),
        _ => format!(
            "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN \
                 IF NEW.id = {id} THEN RAISE EXCEPTION 'broken'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql; \
             CREATE TRIGGER broken BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION broken()"
        ),
    };
    connection.execute_unprepared(&sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn mends(database: &Database) {
    let connection = look(&database.url, 1).await;
    let on = match connection.get_database_backend() {
        DatabaseBackend::Sqlite => "",
        _ => " ON record",
    };
    let sql = format!("DROP TRIGGER broken{on}");
    connection.execute_unprepared(&sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn a_rewrite_continues_where_it_was_interrupted(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "node").await;
    many(&database).await;
    let before = rows(&database, "nordhessen").await;
    // Records are rewritten in the order of their ids.
    let broken = Uuid::from_u128(u128::from(MANY - 50) << 64);
    breaks_at(&database, broken).await;
    open(&database).await.unwrap_err();

    let between = rows(&database, "nordhessen").await;
    let done = |rows: &BTreeMap<Uuid, Row>| rows.values().filter(|row| !row.is_old()).count();
    let (old, now) = (done(&before), done(&between));
    assert!(now >= old + 200, "{now} after {old}");
    assert!(between.values().any(Row::is_old));
    mends(&database).await;

    let store = open(&database).await.unwrap();
    store.db().clone().close().await;
    let audited = audit_at(&database.url).await;
    for row in before.values() {
        let now = &audited.records[&row.id];
        assert_eq!(now.body, row.upgraded());
        assert_eq!(now.version, row.version + i64::from(row.is_old()));
    }
    let schema = audited.log.iter().filter(|entry| entry.cause.is_some());
    assert_eq!(
        schema.count(),
        before.values().filter(|row| row.is_old()).count()
    );
    database.remove().await;
}

async fn nothing_is_rewritten_next_to_older_instances(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "node").await;
    let before = rows(&database, "nordhessen").await;
    let older = look(&database.url, 1).await;
    older
        .execute_unprepared("SELECT head_seq FROM sync_state")
        .await
        .unwrap();
    match open(&database).await.unwrap_err() {
        StoreError::Setup(why) => assert!(why.contains("stop every instance"), "{why}"),
        other => panic!("{other:?}"),
    }
    // The schema has not changed either.
    older
        .execute_unprepared("SELECT head_seq FROM sync_state")
        .await
        .unwrap();
    assert_eq!(rows(&database, "nordhessen").await, before);
    older.close().await.unwrap();
    let store = open(&database).await.unwrap();
    // Instances of this release may come and go.
    let second = open(&database).await.unwrap();
    second.db().clone().close().await;
    store.db().clone().close().await;
    database.remove().await;
}

async fn an_older_release_can_no_longer_write(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "node").await;
    let store = open(&database).await.unwrap();
    let body = json!({"name": "Später", "home_region": "hessen"});
    let write = async || {
        let options = WriteOptions::default();
        let node = Caller::node();
        let records = store.records();
        records.create(&node, Kind::Network, &body, &options).await
    };
    write().await.unwrap();
    let head = store.log().head().await.unwrap();
    // A release with another rename begins to rewrite.
    execute(
        &database,
        "UPDATE sync_state SET body_format = body_format + 1",
    )
    .await;
    assert!(matches!(write().await, Err(StoreError::Outdated)));
    assert_eq!(store.log().head().await.unwrap(), head);
    store.db().clone().close().await;
    match open(&database).await.unwrap_err() {
        StoreError::Setup(why) => assert!(why.contains("newer release"), "{why}"),
        other => panic!("{other:?}"),
    }
    database.remove().await;
}
