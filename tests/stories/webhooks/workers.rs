//! Nothing is lost or queued twice: crashes, and several instances.

use super::actor;
use api::config::Config;
use api::exchange::workers::Workers;
use chrono::TimeDelta;
use domain::base::clock::Clock;
use persistence::webhook::Attempt;
use persistence::{Store, StoreError};
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tests::receiver::{Reply, sender};
use tests::{Backend, Hook, Instance, Receiver, story};

async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what}"));
}

story!(
    two_instances_tell_everything_once_and_in_order,
    async |node| {
        let receiver = Receiver::start();
        let other = Store::open(&node.database_url, None, Clock::default()).await;
        let other = other.unwrap();
        let workers = [&node.store, &other].map(|store| Workers::start(sender(store)));
        let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
        for number in 0..12 {
            actor(node, &format!("Akteur {number}")).await;
        }
        node.settled().await;
        until("everything is delivered", async || {
            hook.deliveries("state=delivered").await.len() == 12
        })
        .await;
        let heard = receiver.news();
        let seqs = heard.iter().map(|one| one.json["data"]["seq"].as_i64());
        let seqs: Vec<i64> = seqs.map(Option::unwrap).collect();
        assert_eq!(seqs.len(), 12);
        assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
        for worker in workers {
            worker.stop().await;
        }
        assert!(
            node.store
                .webhooks()
                .lease(hook.id)
                .await
                .unwrap()
                .is_some(),
            "given back"
        );
        other.db().clone().close().await;
        receiver.stop().await;
    }
);

story!(a_crash_after_sending_tells_it_again, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    node.settled().await;
    // It is delivered, but no instance is left to record that.
    receiver.replies(Reply::Never);
    let crashing = sender(&node.store);
    tokio::select! {
        done = crashing.send_all() => panic!("{done:?}"),
        () = until("it is heard", async || !receiver.heard().is_empty()) => {}
    }
    assert_eq!(hook.deliveries("").await[0]["attempts"], 0);
    let instance = Instance::start(node, Config::default()).await;
    let next = sender(&instance.store);
    next.send_all().await.unwrap();
    assert_eq!(
        receiver.heard().len(),
        1,
        "the lease of the crashed one is good still"
    );
    instance.later(TimeDelta::minutes(2));
    next.send_all().await.unwrap();
    let heard = receiver.news();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_eq!(heard[0].text, heard[1].text);
    assert_eq!(hook.deliveries("").await[0]["state"], "delivered");
    instance.stop().await;
    receiver.stop().await;
});

story!(what_is_written_down_outlives_the_program, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    // The consumer of another process reaches the same entries.
    let other = Store::open(&node.database_url, None, Clock::default()).await;
    let other = other.unwrap();
    let background = persistence::jobs::BackgroundJobs::start(&other);
    for number in 0..5 {
        actor(node, &format!("Akteur {number}")).await;
    }
    node.settled().await;
    tests::node::settled(&other, &background).await;
    background.stop().await;
    assert_eq!(hook.deliveries("state=pending").await.len(), 5);
    sender(&other).send_all().await.unwrap();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for one in receiver.news() {
        *told.entry(one.header("webhook-id").to_owned()).or_default() += 1;
    }
    assert_eq!(told.len(), 5);
    assert!(told.values().all(|count| *count == 1), "{told:?}");
    other.db().clone().close().await;
    receiver.stop().await;
});

story!(whoever_lost_the_lease_notes_nothing, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    node.settled().await;
    let instance = Instance::start(node, Config::default()).await;
    let slow = instance.store.webhooks().lease(hook.id).await.unwrap();
    let slow = slow.unwrap();
    assert!(
        instance
            .store
            .webhooks()
            .lease(hook.id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(instance.store.webhooks().due().await.unwrap().is_empty());
    instance.later(TimeDelta::minutes(2));
    let fast = instance.store.webhooks().lease(hook.id).await.unwrap();
    let fast = fast.unwrap();
    let (_, due) = instance.store.deliveries().due(&fast, 10).await.unwrap();
    let attempt = Attempt {
        status: Some(204),
        error: None,
        refused: false,
        retry_at: None,
        pause_until: instance.now(),
        gone: false,
    };
    let late = instance
        .store
        .deliveries()
        .note_attempt(&slow, due[0].id, &attempt)
        .await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    // So is an admin's change.
    hook.change(json!({"kinds": ["actor"]})).await;
    let late = instance
        .store
        .deliveries()
        .note_attempt(&fast, due[0].id, &attempt)
        .await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    let late = instance.store.deliveries().due(&fast, 10).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    assert_eq!(hook.deliveries("").await[0]["attempts"], 0);
    instance.stop().await;
    receiver.stop().await;
});

story!(
    rows_that_could_not_be_written_are_written_later,
    async |node| {
        let receiver = Receiver::start();
        let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
        let database = node.store.db().reader();
        let (make, remove) = match node.backend {
            Backend::Sqlite => (
                "CREATE TRIGGER trap BEFORE INSERT ON webhook_delivery BEGIN SELECT RAISE(ABORT, 'trap'); END",
                "DROP TRIGGER trap",
            ),
            Backend::Postgres => (
                "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$; \
             CREATE TRIGGER trap BEFORE INSERT ON webhook_delivery FOR EACH ROW EXECUTE FUNCTION trap()",
                "DROP FUNCTION trap CASCADE",
            ),
        };
        database.execute_unprepared(make).await.unwrap();
        for number in 0..3 {
            actor(node, &format!("Akteur {number}")).await;
        }
        // The consumer reaches them at once.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(hook.deliveries("").await.len(), 0);
        database.execute_unprepared(remove).await.unwrap();
        hook.sent().await;
        assert_eq!(hook.deliveries("state=delivered").await.len(), 3);
        assert_eq!(receiver.news().len(), 3);
        receiver.stop().await;
    }
);
