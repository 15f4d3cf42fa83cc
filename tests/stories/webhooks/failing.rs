//! Failing receivers: retries, and their end.

use super::actor;
use api::config::Config;
use api::exchange::webhooks::sender::WebhookSender;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;
use tests::receiver::{Reply, sender};
use tests::{Hook, Instance, Node, Receiver, story};

fn moment(value: &Value) -> DateTime<Utc> {
    let parsed = DateTime::parse_from_rfc3339(value.as_str().unwrap());
    parsed.unwrap().to_utc()
}

/// An instance with its own clock, which is past everything that is queued already.
async fn later(node: &Node) -> Instance {
    node.settled().await;
    let instance = Instance::start(node, Config::default()).await;
    instance.later(TimeDelta::seconds(1));
    instance
}

async fn last(hook: &Hook<'_>) -> Value {
    hook.deliveries("").await.remove(0)
}

story!(it_is_tried_ten_times_within_three_days, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    let instance = later(node).await;
    let sender = sender(&instance.store);
    let begun = instance.now();
    let minutes = [0, 5, 30, 120, 300, 600, 840, 1200, 1440];
    for (attempt, minutes) in (1..).zip(minutes) {
        receiver.replies(Reply::Status(500));
        sender.send_all().await.unwrap();
        assert_eq!(receiver.heard().len(), attempt);
        let shown = last(&hook).await;
        assert_eq!(
            (&shown["state"], &shown["status"]),
            (&json!("pending"), &json!(500))
        );
        assert_eq!(shown["attempts"], attempt);
        let pause = TimeDelta::minutes(minutes).max(TimeDelta::seconds(5));
        let next = moment(&shown["next_attempt_at"]);
        let waits = next - instance.now();
        assert!(pause <= waits && waits <= pause * 11 / 10, "{waits}");
        // Not a moment too early.
        instance.later(waits - TimeDelta::milliseconds(1));
        sender.send_all().await.unwrap();
        assert_eq!(receiver.heard().len(), attempt);
        instance.later(TimeDelta::milliseconds(1));
    }
    assert!((75..=84).contains(&(instance.now() - begun).num_hours()));
    receiver.replies(Reply::Status(500));
    sender.send_all().await.unwrap();
    let heard = receiver.news();
    assert_eq!(heard.len(), 10);
    let mut ids: Vec<&str> = heard.iter().map(|one| one.header("webhook-id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same at every attempt");
    let given_up = last(&hook).await;
    assert_eq!(given_up["state"], "failed");
    assert_eq!(given_up.get("next_attempt_at"), None);
    // No delivery succeeded for three days.
    let shown = hook.shown().await;
    assert_eq!(shown["state"], "disabled");
    assert_eq!(shown["disabled_reason"], "failing");
    assert_eq!(
        (&shown["failed"], &shown["failures"]),
        (&json!(1), &json!(10))
    );
    assert!(shown["last_error"].as_str().unwrap().contains("500"));
    instance.stop().await;
    receiver.stop().await;
});

story!(one_bad_delivery_disables_nothing, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Erster").await;
    let instance = later(node).await;
    let sender = sender(&instance.store);
    for attempt in 1..=10 {
        receiver.replies(Reply::Status(400));
        sender.send_all().await.unwrap();
        if attempt == 5 {
            // Another one succeeds in the meantime.
            actor(node, "Zweiter").await;
            node.settled().await;
            instance.later(TimeDelta::minutes(20));
            sender.send_all().await.unwrap();
        }
        instance.later(TimeDelta::hours(27));
    }
    let shown = hook.shown().await;
    assert_eq!(
        (&shown["state"], &shown["failed"]),
        (&json!("active"), &json!(1))
    );
    assert_eq!(hook.deliveries("state=failed").await.len(), 1);
    instance.stop().await;
    receiver.stop().await;
});

story!(a_receiver_that_is_gone_is_told_nothing_more, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    for number in 0..3 {
        actor(node, &format!("Akteur {number}")).await;
    }
    receiver.replies(Reply::Status(410));
    hook.sent().await;
    hook.sent().await;
    assert_eq!(receiver.news().len(), 1);
    let shown = hook.shown().await;
    assert_eq!(shown["disabled_reason"], "gone");
    assert_eq!(
        (&shown["pending"], &shown["failed"]),
        (&json!(2), &json!(1))
    );
    // Later changes are not delivered, but can be replayed.
    actor(node, "Meanwhile").await;
    node.settled().await;
    assert_eq!(hook.shown().await["pending"], 2);
    hook.change(json!({"active": true})).await;
    hook.sent().await;
    assert_eq!(receiver.news().len(), 2);
    let since = shown["disabled_at"].as_str().unwrap();
    let replay = node.post(&format!("{}/replay?since={since}", hook.path));
    assert_eq!(replay.await.expect(200).json["deliveries"], 2);
    hook.sent().await;
    // The delivery that was answered 410 is replayed as well.
    assert_eq!(receiver.news().len(), 2);
    assert_eq!(hook.shown().await["failed"], 0);
    receiver.stop().await;
});

story!(redirects_are_failures, async |node| {
    let receiver = Receiver::start();
    let elsewhere = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    receiver.replies(Reply::Elsewhere(elsewhere.url.clone()));
    hook.sent().await;
    let shown = last(&hook).await;
    assert_eq!(
        (&shown["state"], &shown["status"]),
        (&json!("pending"), &json!(307))
    );
    assert!(shown["error"].as_str().unwrap().contains("not followed"));
    assert_eq!(elsewhere.heard().len(), 0);
    receiver.stop().await;
    elsewhere.stop().await;
});

story!(silence_and_absence_are_failures, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    receiver.replies(Reply::Never);
    node.settled().await;
    let hasty = sender(&node.store).patience(Duration::from_millis(50));
    hasty.send_all().await.unwrap();
    let shown = last(&hook).await;
    assert_eq!((&shown["attempts"], shown.get("status")), (&json!(1), None));
    assert!(
        shown["error"]
            .as_str()
            .unwrap()
            .contains("no response within")
    );
    receiver.stop().await;

    let instance = later(node).await;
    instance.later(TimeDelta::minutes(1));
    sender(&instance.store).send_all().await.unwrap();
    let shown = last(&hook).await;
    assert_eq!(
        (&shown["attempts"], &shown["state"]),
        (&json!(2), &json!("pending"))
    );
    let error = shown["error"].as_str().unwrap();
    assert!(!error.contains("/hook"), "{error}");
    // It returns at another address; the change ends the pause.
    let back = Receiver::start();
    hook.change(json!({"url": back.url})).await;
    instance.later(TimeDelta::minutes(6));
    sender(&instance.store).send_all().await.unwrap();
    assert_eq!(back.heard().len(), 1);
    let shown = hook.shown().await;
    assert_eq!(
        (&shown["failures"], shown.get("last_error")),
        (&json!(0), None)
    );
    instance.stop().await;
    back.stop().await;
});

story!(who_asks_to_be_let_alone_is, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    for number in 0..2 {
        actor(node, &format!("Akteur {number}")).await;
    }
    let instance = later(node).await;
    let sender = sender(&instance.store);
    receiver.replies(Reply::Busy(3600));
    sender.send_all().await.unwrap();
    let first = hook.deliveries("").await.remove(1);
    let waits = moment(&first["next_attempt_at"]) - instance.now();
    assert_eq!(waits, TimeDelta::hours(1));
    // The others wait as well.
    instance.later(TimeDelta::minutes(59));
    sender.send_all().await.unwrap();
    assert_eq!(receiver.heard().len(), 1);
    instance.later(TimeDelta::minutes(1));
    sender.send_all().await.unwrap();
    assert_eq!(receiver.heard().len(), 3);
    assert_eq!(hook.shown().await["pending"], 0);
    instance.stop().await;
    receiver.stop().await;
});

story!(what_was_allowed_once_is_looked_at_again, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    node.settled().await;
    let strict = WebhookSender::new(node.store.clone(), &Config::default()).unwrap();
    strict.send_all().await.unwrap();
    assert_eq!(receiver.heard().len(), 0);
    let shown = last(&hook).await;
    assert!(
        shown["error"].as_str().unwrap().contains("public"),
        "{shown}"
    );
    receiver.stop().await;
});

story!(
    what_was_given_up_is_told_again_however_old_it_is,
    async |node| {
        let receiver = Receiver::start();
        let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
        actor(node, "Akteur").await;
        let instance = later(node).await;
        let sender = sender(&instance.store);
        for _ in 0..10 {
            receiver.replies(Reply::Status(500));
            sender.send_all().await.unwrap();
            instance.later(TimeDelta::hours(27));
        }
        let shown = hook.shown().await;
        assert_eq!(shown["disabled_reason"], "failing");
        drop(receiver.news());
        hook.change(json!({"active": true})).await;
        // Days after the change, which no receiver got.
        let since = shown["disabled_at"].as_str().unwrap();
        let replay = node.post(&format!("{}/replay?since={since}", hook.path));
        assert_eq!(replay.await.expect(200).json["deliveries"], 1);
        sender.send_all().await.unwrap();
        assert_eq!(receiver.news().len(), 1);
        instance.stop().await;
        receiver.stop().await;
    }
);

story!(
    a_receiver_that_was_away_is_told_as_soon_as_it_is_back,
    async |node| {
        let receiver = Receiver::start();
        let url = receiver.url.clone();
        receiver.stop().await;
        let hook = Hook::new(node, "website", &url, json!({})).await;
        for number in 0..3 {
            actor(node, &format!("Akteur {number}")).await;
        }
        let instance = later(node).await;
        let sender = sender(&instance.store);
        // The receiver is down for two hours.
        let mut attempts = 0;
        let begun = instance.now();
        while instance.now() - begun < TimeDelta::hours(2) {
            sender.send_all().await.unwrap();
            let shown = hook.shown().await;
            let retry = moment(&shown["retry_at"]);
            assert!(retry - instance.now() <= TimeDelta::seconds(30), "{shown}");
            instance.later(TimeDelta::seconds(30));
            attempts += 1;
            if attempts == 20 {
                // The rest of the time no instance runs.
                instance.later(TimeDelta::hours(2));
            }
        }
        let back = Receiver::at(&url);
        sender.send_all().await.unwrap();
        assert_eq!(back.news().len(), 3, "all at once, in order");
        assert_eq!(hook.deliveries("state=delivered").await.len(), 3);
        instance.stop().await;
        back.stop().await;
    }
);

story!(
    what_a_clock_that_was_ahead_has_noted_delays_nothing,
    async |node| {
        let receiver = Receiver::start();
        let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
        actor(node, "Akteur").await;
        let ahead = later(node).await;
        ahead.later(TimeDelta::days(1));
        receiver.replies(Reply::Status(500));
        sender(&ahead.store).send_all().await.unwrap();
        assert_eq!(receiver.heard().len(), 1);
        // It still holds the lease, and scheduled the retry for tomorrow.
        ahead.store.webhooks().lease(hook.id).await.unwrap();
        sender(&node.store).send_all().await.unwrap();
        assert_eq!(receiver.heard().len(), 2);
        assert_eq!(hook.deliveries("state=delivered").await.len(), 1);
        ahead.stop().await;
        receiver.stop().await;
    }
);
