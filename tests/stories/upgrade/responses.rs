//! Responses under an `Idempotency-Key` are repeated across releases.

use super::RELEASE;
use domain::base::clock::Clock;
use persistence::Store;
use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait, QuerySelect};
use serde_json::{Value, json};
use tests::database::look;
use tests::tables::idempotency_record;
use tests::{Backend, fixture, on_both};

async fn stored_responses_are_converted(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "node").await;
    let connection = look(&database.url, 1).await;
    let account = match connection.get_database_backend() {
        DatabaseBackend::Sqlite => "x'0193e5a0000070008000000000000001'",
        _ => "'0193e5a0-0000-7000-8000-000000000001'",
    };
    let sql = format!(
        "INSERT INTO kept_answer (principal, key_hash, request_hash, status, headers, body, created_at) VALUES \
         ({account}, 'done', 'hash', 201, '[[\"etag\",\"\\\"1\\\"\"]]', '{{\"name\":\"Netz\"}}', '2026-03-01T08:00:00+00:00'), \
         ({account}, 'erased', 'hash', NULL, NULL, NULL, '2026-03-01T08:00:00+00:00')"
    );
    connection.execute_unprepared(&sql).await.unwrap();
    connection.close().await.unwrap();
    // Its future is large.
    let store = Box::pin(Store::open(&database.url, None, Clock::default()));
    let store = store.await.unwrap();
    let rows = idempotency_record::Entity::find()
        .select_only()
        .columns([
            idempotency_record::Column::KeyHash,
            idempotency_record::Column::Head,
            idempotency_record::Column::Body,
        ])
        .into_tuple::<(String, Option<String>, Option<String>)>();
    let mut rows = rows.all(store.db().reader()).await.unwrap();
    rows.sort();
    let [(_, Some(head), Some(body)), (_, None, None)] = &rows[..] else {
        panic!("{rows:?}");
    };
    let head: Value = serde_json::from_str(head).unwrap();
    assert_eq!(head, json!({"status": 201, "headers": [["etag", "\"1\""]]}));
    assert_eq!(body, "{\"name\":\"Netz\"}");
    store.db().clone().close().await;
    database.remove().await;
}

on_both!(stored_responses_are_converted);
