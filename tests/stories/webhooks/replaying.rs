//! Replaying deliveries, and removing old ones.

use super::{actor, change};
use api::config::Config;
use chrono::TimeDelta;
use domain::access::rules::Caller;
use persistence::webhook::{Replayed, Since};
use reqwest::Method;
use serde_json::{Value, json};
use tests::receiver::Reply;
use tests::{Hook, Instance, Receiver, story};

story!(a_delivery_is_made_again_under_its_id, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Akteur").await;
    receiver.replies(Reply::Status(500));
    hook.sent().await;
    let failed = hook.deliveries("").await.remove(0);
    let id = failed["id"].as_str().unwrap();
    let again = format!("{}/deliveries/{id}/replay", hook.path);
    let made = node.post(&again).await.expect(200);
    assert_eq!(
        (&made.json["state"], &made.json["attempts"]),
        (&json!("pending"), &json!(0))
    );
    // The webhook itself pauses for a moment after a failure.
    hook.change(json!({"active": false})).await;
    hook.change(json!({"active": true})).await;
    hook.sent().await;
    let delivered = hook.deliveries("").await.remove(0);
    assert_eq!(
        (&delivered["state"], &delivered["id"]),
        (&json!("delivered"), &failed["id"])
    );
    node.post(&again).await.expect(200);
    hook.sent().await;
    let heard = receiver.news();
    assert_eq!(heard.len(), 3);
    for one in &heard {
        assert_eq!(one.header("webhook-id"), heard[0].header("webhook-id"));
        assert_eq!(one.text, heard[0].text);
    }
    let other = Hook::new(node, "anderer", &receiver.url, json!({})).await;
    let foreign = format!("{}/deliveries/{id}/replay", other.path);
    node.post(&foreign).await.problem(404, "not-found");
    receiver.stop().await;
});

story!(everything_since_a_moment_is_told_again, async |node| {
    let early = actor(node, "Vor dem Webhook").await;
    let receiver = Receiver::start();
    let only = json!({"kinds": ["actor"]});
    let hook = Hook::new(node, "website", &receiver.url, only).await;
    let head = node.store.log().head().await.unwrap();
    let late = actor(node, "Danach").await;
    hook.sent().await;
    let first = receiver.news();
    let replay = async |since: &str| -> Value {
        let path = format!("{}/replay?since={since}", hook.path);
        let replayed = node.post(&path).await.expect(200).json;
        hook.sent().await;
        replayed
    };
    let replayed = replay(&head.to_string()).await;
    let expected = json!({"deliveries": 1, "through": head + 1, "complete": true});
    assert_eq!(replayed, expected);
    let again = receiver.news();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].header("webhook-id"), first[0].header("webhook-id"));
    // Also entries from before the webhook, each once.
    replay(&(head - 1).to_string()).await;
    let types = receiver.types();
    let told = |id: &str| ("actor.created".to_owned(), id.to_owned());
    assert_eq!(types, [told(&early), told(&late)]);
    assert_eq!(hook.deliveries("").await.len(), 2);
    let now = domain::base::clock::rfc3339(node.store.clock().now());
    assert_eq!(replay(&now).await["deliveries"], 0);
    change(node, &late, json!({"summary": "neu"})).await;
    assert_eq!(replay(&now).await["deliveries"], 1);
    for wrong in ["gestern", "-1", ""] {
        let path = format!("{}/replay?since={wrong}", hook.path);
        node.post(&path).await.problem(400, "invalid-parameter");
    }
    let missing = node.post(&format!("{}/replay", hook.path)).await;
    missing.problem(400, "invalid-parameter");
    // An end that does not exist yet.
    let since = Since::Entry(head + 99);
    let beyond = node
        .store
        .deliveries()
        .replay(&Caller::node(), hook.id, since)
        .await;
    let nothing = Replayed {
        deliveries: 0,
        through: head + 99,
        complete: true,
    };
    assert_eq!(beyond.unwrap(), nothing);
    receiver.stop().await;
});

story!(old_deliveries_are_forgotten, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    actor(node, "Zugestellt").await;
    hook.sent().await;
    actor(node, "Steht aus").await;
    node.settled().await;
    hook.change(json!({"active": false})).await;
    let instance = Instance::start(node, Config::default()).await;
    instance.later(TimeDelta::days(29));
    assert_eq!(instance.store.deliveries().prune().await.unwrap(), 0);
    instance.later(TimeDelta::days(2));
    assert_eq!(instance.store.deliveries().prune().await.unwrap(), 2);
    assert_eq!(hook.deliveries("").await, Vec::<Value>::new());
    instance.stop().await;
    receiver.stop().await;
});

story!(
    what_was_not_followed_when_it_was_disabled_is_told_again,
    async |node| {
        let receiver = Receiver::start();
        let before = actor(node, "Vor dem Webhook").await;
        let only = json!({"kinds": ["actor"]});
        let hook = Hook::new(node, "website", &receiver.url, only).await;
        let told = actor(node, "Erzählt").await;
        hook.sent().await;
        assert_eq!(receiver.types().len(), 1);
        // An import has started; before the consumer reaches it, the webhook is disabled.
        let import = Instance::start(node, Config::default()).await;
        let disabled = hook.change(json!({"active": false})).await;
        let since = disabled["disabled_at"].as_str().unwrap();
        let body =
            json!({"name": "Importiert", "home_region": "hessen", "publication": "published"});
        let missed = import.call(Method::POST, "/v1/actors");
        let missed = missed.token(&node.admin).json(&body).await.expect(201);
        assert!(missed.json["created_at"].as_str().unwrap() < since);
        node.settled().await;
        hook.change(json!({"active": true})).await;
        hook.sent().await;
        assert_eq!(receiver.types(), []);
        let path = format!("{}/replay?since={since}", hook.path);
        let replayed = node.post(&path).await.expect(200).json;
        assert_eq!(
            (&replayed["deliveries"], &replayed["complete"]),
            (&json!(1), &json!(true))
        );
        hook.sent().await;
        // Recent deliveries are not repeated, nor are entries outside the filter.
        let created = ("actor.created".to_owned(), missed.id().to_owned());
        assert_eq!(receiver.types(), [created], "not {told} nor {before}");
        import.stop().await;
        receiver.stop().await;
    }
);
