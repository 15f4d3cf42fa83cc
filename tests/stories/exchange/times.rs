//! The time of the log follows its order, so that clients that follow times miss nothing.

use super::publish;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Caller;
use domain::base::clock::{Clock, rfc3339};
use domain::base::kind::Kind;
use futures::FutureExt;
use persistence::Store;
use persistence::transaction::WriteOptions;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tests::database::{Database, look};
use tests::tables::change;
use tests::{Backend, Content, Node, on_both, story};
use tokio::sync::Notify;
use uuid::Uuid;

async fn log(url: &str) -> Vec<change::Model> {
    let connection = look(url, 1).await;
    let entries = change::Entity::find().order_by_asc(change::Column::Seq);
    let entries = entries.all(&connection).await.unwrap();
    connection.close().await.unwrap();
    entries
}

/// Fails unless transactions have rising times, each one time.
fn assert_rising(log: &[change::Model]) {
    for pair in log.windows(2) {
        let [one, other] = pair else { unreachable!() };
        let same = one.tx == other.tx;
        assert!(one.at < other.at || same && one.at == other.at, "{pair:?}");
    }
}

async fn write(node: &Node, name: &str, before: &Notify, then: &Notify) -> Uuid {
    let body = json!({"name": name, "home_region": "hessen", "publication": "published"});
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let write = node.store.write(&caller, &options, async |tx| {
        let id = domain::base::id::new();
        let saved = tx.records().create(Kind::Network, id, body.clone()).await?;
        then.notify_one();
        before.notified().await;
        Ok(saved.row.id)
    });
    write.await.unwrap()
}

story!(
    a_slow_transaction_is_later_than_what_overtook_it,
    async |node| {
        let (begun, overtaken) = (Notify::new(), Notify::new());
        let slow = write(node, "Langsam", &overtaken, &begun);
        let quick = async {
            begun.notified().await;
            if node.backend == Backend::Sqlite {
                // There is one writer at a time.
                overtaken.notify_one();
            }
            let quick = publish(node, "networks", json!({"name": "Schnell"})).await;
            overtaken.notify_one();
            quick
        };
        let (slow, quick) = futures::join!(slow, quick.boxed_local());
        let read = node.get(&format!("/v1/networks/{slow}")).await.expect(200);
        let order =
            [&quick.json["updated_at"], &read.json["updated_at"]].map(|at| at.as_str().unwrap());
        if node.backend == Backend::Postgres {
            assert!(order[0] < order[1], "{order:?}");
            // Who asks for what came after the quick one gets the slow one.
            node.settled().await;
            let since = node.get(&format!("/v1/networks?updated_since={}", order[0]));
            let since = since.await.expect(200);
            assert!(since.text.contains("Langsam"), "{}", since.text);
        }
        assert_rising(&log(&node.database_url).await);
    }
);

story!(what_a_write_answers_is_what_is_stored, async |node| {
    let made = publish(node, "networks", json!({"name": "Neu"})).await;
    assert_eq!(made.json["created_at"], made.json["updated_at"]);
    let path = format!("/v1/networks/{}", made.id());
    assert_eq!(node.get(&path).await.expect(200).text, made.text);

    let change = node.patch(&path).if_match("\"1\"");
    let changed = change.json(&json!({"summary": "Anders"})).await.expect(200);
    assert_eq!(node.get(&path).await.expect(200).text, changed.text);
    assert_eq!(changed.json["created_at"], made.json["created_at"]);
    let same = node.patch(&path).if_match("\"2\"");
    let same = same.json(&json!({"summary": "Anders"})).await.expect(200);
    assert_eq!(same.text, changed.text);

    let post = node.post("/v1/networks").header("idempotency-key", "eins");
    let body = json!({"name": "Einmal", "home_region": "hessen", "publication": "published"});
    let once = post.clone().json(&body).await.expect(201);
    let again = post.json(&body).await.expect(201);
    assert_eq!(once.text, again.text);
    let read = node.get(&format!("/v1/networks/{}", once.id())).await;
    assert_eq!(read.expect(200).text, once.text);

    node.delete(&path).if_match("\"2\"").await.expect(204);
    let gone = node.get(&path).await.problem(410, "gone");
    let last = log(&node.database_url).await.pop().unwrap();
    assert_eq!(gone.json["tombstone"]["deleted_at"], rfc3339(last.at));
    assert_rising(&log(&node.database_url).await);
});

async fn a_clock_that_stands_or_goes_back_still_gives_later_times(backend: Backend) {
    let database = Database::new(backend, Content::Empty).await;
    let known = log(&database.url).await.last().unwrap().at;
    // An hour before the newest entry.
    let at = known - TimeDelta::hours(1);
    let store = Store::open(
        &database.url,
        None,
        Clock::fixed(Arc::new(AtomicI64::new(at.timestamp_micros()))),
    )
    .await
    .unwrap();
    let mut times: Vec<DateTime<Utc>> = vec![known];
    for name in ["Eins", "Zwei", "Drei"] {
        let body = json!({"name": name});
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let saved = store
            .records()
            .create(&caller, Kind::Topic, &body, &options);
        times.push(saved.await.unwrap().row.updated_at);
    }
    let expected = (0..4).map(|micros| known + TimeDelta::microseconds(micros));
    assert_eq!(times, expected.collect::<Vec<_>>());
    store.db().clone().close().await;
    assert_rising(&log(&database.url).await);
    database.remove().await;
}

on_both!(a_clock_that_stands_or_goes_back_still_gives_later_times);
