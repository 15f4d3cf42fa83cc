//! Received deliveries: Standard Webhooks, as the reference verifier reads them.

use super::{actor, change};
use chrono::{DateTime, TimeDelta};
use serde_json::json;
use standardwebhooks::Webhook;
use std::io::Write;
use std::process::{Command, Stdio};
use tests::receiver::{Heard, sender};
use tests::{Hook, Instance, Receiver, story};

fn verified(secret: &str, heard: &Heard) -> bool {
    let mut headers = reqwest::header::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, heard.header(name).parse().unwrap());
    }
    let verifier = Webhook::new(secret).unwrap();
    verifier.verify(heard.text.as_bytes(), &headers).is_ok()
}

/// Whether a secret created one of the signatures, regardless of the time.
fn signed(secret: &str, heard: &Heard) -> bool {
    let timestamp = heard.header("webhook-timestamp").parse().unwrap();
    let verifier = Webhook::new(secret).unwrap();
    let body = heard.text.as_bytes();
    let signature = verifier.sign(heard.header("webhook-id"), timestamp, body);
    let signature = signature.unwrap();
    let mut all = heard.header("webhook-signature").split(' ');
    all.any(|one| one == signature)
}

story!(a_delivery_is_thin_and_signed, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    let id = actor(node, "Akteur").await;
    let head = node.store.log().head().await.unwrap();
    change(node, &id, json!({"summary": "neu"})).await;
    hook.sent().await;
    let heard = receiver.news();
    assert_eq!(heard.len(), 2);
    let first = &heard[0];
    assert_eq!(first.header("content-type"), "application/json");
    let delivery = &hook.deliveries("").await[1];
    let expected = json!({
        "type": "actor.created",
        "timestamp": delivery["at"],
        "data": {
            "kind": "actor",
            "id": id,
            "op": "upsert",
            "seq": head,
            "origin": node.store.node().origin,
            "version": 1,
        },
    });
    assert_eq!(first.json, expected);
    let stated = first.json["timestamp"].as_str().unwrap();
    DateTime::parse_from_rfc3339(stated).unwrap();
    let webhook_id = first.header("webhook-id");
    let plain = delivery["id"].as_str().unwrap().replace('-', "");
    assert_eq!(webhook_id, format!("msg_{plain}"));
    assert_ne!(webhook_id, heard[1].header("webhook-id"));
    for one in &heard {
        assert!(verified(&hook.secret, one));
        assert!(!verified("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", one));
    }
    let forged = Heard {
        text: first.text.replace("created", "deleted"),
        ..first.clone()
    };
    assert!(!verified(&hook.secret, &forged));
    receiver.stop().await;
});

story!(a_former_secret_signs_for_a_day, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    let rotated = node.post(&format!("{}/rotate", hook.path)).await;
    let second = rotated.expect(200).json["secret"].clone();
    let second = second.as_str().unwrap();
    actor(node, "Erster").await;
    hook.sent().await;
    let both = receiver.news();
    assert_eq!(
        both[0].header("webhook-signature").matches("v1,").count(),
        2
    );
    assert!(verified(&hook.secret, &both[0]) && verified(second, &both[0]));

    actor(node, "Zweiter").await;
    node.settled().await;
    let instance = Instance::start(node, api::config::Config::default()).await;
    instance.later(TimeDelta::hours(25));
    sender(&instance.store).send_all().await.unwrap();
    let one = receiver.news();
    assert!(signed(second, &one[0]) && !signed(&hook.secret, &one[0]));
    instance.stop().await;
    receiver.stop().await;
});

/// The first block of Python in the documentation for receivers.
fn documented() -> String {
    let text = include_str!("../../../docs/webhooks.md");
    let block = text.split("```python\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The verdict on a delivery of a program that ends by calling `verify`.
fn python_says(secret: &str, heard: &Heard) -> bool {
    let program = format!(
        "{}\nimport json, sys\ngiven = json.load(sys.stdin)\n\
         verify(given['secret'], given['headers'], given['body'].encode())\n",
        documented()
    );
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers = names.map(|name| (name, heard.header(name)));
    let headers: std::collections::BTreeMap<_, _> = headers.into_iter().collect();
    let given = json!({"secret": secret, "headers": headers, "body": heard.text});
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(given.to_string().as_bytes()).unwrap();
    drop(input);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.success() || said.contains("ValueError"),
        "{said}"
    );
    done.status.success()
}

story!(the_python_of_the_documentation_verifies, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    node.post(&format!("{}/rotate", hook.path))
        .await
        .expect(200);
    actor(node, "Zahnärztehaus Fulda").await;
    hook.sent().await;
    let heard = receiver.news().remove(0);
    assert!(python_says(&hook.secret, &heard));
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert!(!python_says(other, &heard));
    let forged = Heard {
        text: heard.text.replace("created", "deleted"),
        ..heard.clone()
    };
    assert!(!python_says(&hook.secret, &forged));
    receiver.stop().await;
});
