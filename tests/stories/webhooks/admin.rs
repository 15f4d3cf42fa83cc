//! Webhooks as admins see and manage them.

use super::actor;
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tests::tables::{webhook, webhook_delivery};
use tests::{Hook, Receiver, story};

const ALL: &str = "/v1/webhooks";

story!(webhooks_are_made_changed_and_removed, async |node| {
    let url = "https://website.example/hook?key=1";
    let body = json!({"name": "website", "url": url, "kinds": ["actor"]});
    let made = node.post(ALL).json(&body).await.expect(201);
    assert_eq!(made.etag(), "\"1\"");
    assert_eq!(made.json["state"], "active");
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let path = made.header("location").to_owned();
    node.post(ALL).json(&body).await.problem(409, "conflict");
    let read = node.get(&path).token(&node.admin).await.expect(200);
    let mut without = made.json.clone();
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(read.json, without);
    let list = node.get(ALL).token(&node.admin).await.expect(200);
    assert_eq!(list.json["items"], json!([without]));

    let patch = |body: Value| node.patch(&path).body("application/json", body.to_string());
    let off = json!({"active": false});
    patch(off.clone())
        .await
        .problem(428, "precondition-required");
    let changed = patch(off).if_match("\"1\"").await.expect(200);
    assert_eq!(changed.etag(), "\"2\"");
    assert_eq!(changed.json["state"], "disabled");
    assert_eq!(changed.json["disabled_reason"], "admin");
    patch(json!({"name": "neu"}))
        .if_match("\"1\"")
        .await
        .problem(412, "precondition-failed");
    let on = json!({"kinds": [], "active": true, "name": "neu"});
    let on = patch(on).if_match("\"2\"").await.expect(200);
    assert_eq!(on.json["kinds"], json!([]));
    assert_eq!(on.json.get("disabled_reason"), None);
    let rotate = node.post(&format!("{path}/rotate"));
    let stale = rotate.clone().if_match("\"2\"").await;
    stale.problem(412, "precondition-failed");
    let rotated = rotate.await.expect(200);
    assert_ne!(rotated.json["secret"], secret.as_str());
    assert!(rotated.json["former_secret_until"].is_string());
    node.delete(&path)
        .if_match("\"1\"")
        .await
        .problem(412, "precondition-failed");
    node.delete(&path).if_match("\"4\"").await.expect(204);
    let gone = node.get(&path).token(&node.admin).await;
    gone.problem(404, "not-found");
    for wrong in [
        json!({"name": "website"}),
        json!({"name": "Website", "url": url}),
        json!({"name": "website", "url": url, "kinds": ["starship"]}),
        json!({"name": "website", "url": url, "home_regions": ["hessen"]}),
        json!({"name": "website", "url": url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
    ] {
        let refused = node.post(ALL).json(&wrong).await;
        refused.problem(422, "validation-failed");
    }
});

story!(addresses_that_are_not_public_are_refused, async |node| {
    let beside = node.beside(|_| {}).await;
    let body = json!({"name": "website", "url": "https://website.example/hook"});
    let made = node.post(ALL).json(&body).await.expect(201);
    let path = made.header("location").to_owned();
    for url in [
        "http://127.0.0.1:8080",
        "https://127.0.0.1",
        "https://0x7f000001",
        "https://[::ffff:10.0.0.1]",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost",
        "https://user:pass@website.example",
        "https://website.example:22",
        "https://website.example/#a",
        "http://website.example",
        "file:///etc/passwd",
        "website.example",
    ] {
        let body = json!({"name": "zweiter", "url": url});
        let refused = beside.call(Method::POST, ALL).token(&node.admin);
        let refused = refused.json(&body).await.problem(422, "validation-failed");
        assert_eq!(refused.faults()[0].0, "/url", "{url}");
        let moved = beside.call(Method::PATCH, &path).token(&node.admin);
        let moved = moved.if_match("*");
        let moved = moved.body("application/json", json!({"url": url}).to_string());
        moved.await.problem(422, "validation-failed");
    }
});

story!(secrets_are_shown_once, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    let rotated = node.post(&format!("{}/rotate", hook.path)).await;
    let second = rotated.expect(200).json["secret"].clone();
    let secrets = [hook.secret.clone(), second.as_str().unwrap().to_owned()];
    let id = actor(node, "Akteur").await;
    hook.sent().await;
    let deliveries = format!("{}/deliveries", hook.path);
    let again = hook.deliveries("").await[0]["id"].clone();
    let mut answers = Vec::new();
    for path in [
        ALL,
        &hook.path,
        &deliveries,
        "/v1/audit",
        "/v1/export",
        "/v1/sync/changes",
        &format!("/v1/actors/{id}/history"),
    ] {
        let answer = node.get(path).token(&node.admin).await.expect(200);
        answers.push(answer.text);
    }
    let again = format!("{deliveries}/{}/replay", again.as_str().unwrap());
    answers.push(node.post(&again).await.expect(200).text);
    answers.push(hook.change(json!({"active": false})).await.to_string());
    for answer in answers {
        for secret in &secrets {
            let key = secret.strip_prefix("whsec_").unwrap();
            assert!(!answer.contains(key), "{answer}");
        }
    }
    // Logs may print rows like this.
    let row = webhook::Entity::find().one(node.store.db().reader()).await;
    assert!(!format!("{row:?}").contains(secrets[1].as_str()));
    node.delete(&hook.path).if_match("*").await.expect(204);
    let left = webhook_delivery::Entity::find().count(node.store.db().reader());
    assert_eq!(left.await.unwrap(), 0);
    receiver.stop().await;
});

story!(deliveries_are_listed_in_pages, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    for number in 0..3 {
        actor(node, &format!("Akteur {number}")).await;
    }
    hook.sent().await;
    actor(node, "Noch einer").await;
    node.settled().await;
    let mut seqs = Vec::new();
    let mut next = Some(format!("{}/deliveries?limit=3", hook.path));
    while let Some(path) = next {
        let page = node.get(&path).token(&node.admin).await.expect(200);
        let items = page.json["items"].as_array().unwrap();
        seqs.extend(items.iter().map(|one| one["seq"].as_i64().unwrap()));
        next = page.json["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seqs.len(), 4);
    assert!(seqs.is_sorted_by(|a, b| a > b), "newest first");
    let delivered = hook.deliveries("state=delivered").await;
    assert_eq!(delivered.len(), 3);
    assert_eq!(delivered[0]["type"], "actor.created");
    assert_eq!(delivered[0]["status"], 204);
    assert_eq!(hook.deliveries("state=pending").await.len(), 1);
    assert_eq!(hook.deliveries("state=pending,delivered").await.len(), 4);
    assert_eq!(hook.shown().await["pending"], 1);
    let wrong = node.get(&format!("{}/deliveries?state=lost", hook.path));
    let wrong = wrong.token(&node.admin).await;
    wrong.problem(400, "invalid-parameter");
    let wrong = node.get(&format!("{}/deliveries?cursor=AAAA", hook.path));
    let wrong = wrong.token(&node.admin).await;
    wrong.problem(400, "invalid-cursor");
    receiver.stop().await;
});
