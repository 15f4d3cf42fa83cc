//! Deliveries: which changes are reported, and which are not.

use super::{actor, change, delete};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::tables::webhook_delivery;
use tests::{Hook, Intake, Neighbour, Receiver, story};

fn told(event: &str, id: &str) -> (String, String) {
    (event.to_owned(), id.to_owned())
}

story!(receivers_are_told_what_outsiders_see, async |node| {
    let before = actor(node, "Schon da").await;
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    // A draft is never reported, whatever becomes of it.
    let draft = json!({"name": "Entwurf", "home_region": "hessen"});
    let id = node.made("actors", draft.clone()).await;
    change(node, &id, json!({"summary": "noch nicht"})).await;
    let never = node.made("actors", draft).await;
    delete(node, "actors", &never).await;
    hook.sent().await;
    assert_eq!(receiver.types(), []);
    assert_eq!(hook.deliveries("").await, Vec::<Value>::new());

    change(node, &id, json!({"publication": "published"})).await;
    change(node, &id, json!({"summary": "jetzt"})).await;
    change(node, &before, json!({"summary": "auch"})).await;
    hook.sent().await;
    let expected = [
        told("actor.created", &id),
        told("actor.updated", &id),
        told("actor.updated", &before),
    ];
    assert_eq!(receiver.types(), expected);

    change(node, &id, json!({"publication": "draft"})).await;
    change(node, &id, json!({"summary": "geheim"})).await;
    hook.sent().await;
    let left = &receiver.news()[..];
    let [left] = left else {
        panic!("{left:?}");
    };
    assert_eq!(left.json["type"], "actor.deleted");
    assert_eq!(left.json["data"]["op"], "withdraw");
    assert_eq!(left.json["data"].get("version"), None);

    delete(node, "actors", &id).await;
    delete(node, "actors", &before).await;
    hook.sent().await;
    assert_eq!(receiver.types(), [told("actor.deleted", &before)]);
    receiver.stop().await;
});

story!(relationships_come_and_go_with_their_ends, async |node| {
    let receiver = Receiver::start();
    let only = json!({"kinds": ["relationship"]});
    let hook = Hook::new(node, "website", &receiver.url, only).await;
    let one = actor(node, "Eine").await;
    let other = actor(node, "Andere").await;
    let body = json!({
        "type": "cooperates_with",
        "publication": "published",
        "from": {"kind": "actor", "id": one},
        "to": {"kind": "actor", "id": other},
    });
    let edge = node.made("relationships", body).await;
    hook.sent().await;
    change(node, &one, json!({"publication": "draft"})).await;
    hook.sent().await;
    change(node, &one, json!({"publication": "published"})).await;
    hook.sent().await;
    let expected = [
        told("relationship.created", &edge),
        told("relationship.deleted", &edge),
        told("relationship.created", &edge),
    ];
    assert_eq!(receiver.types(), expected);
    receiver.stop().await;
});

story!(filters_decide_what_is_told, async |node| {
    let region = async |slug: &str| {
        let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
        read.id().to_owned()
    };
    let receiver = Receiver::start();
    let wanted = json!({"kinds": ["actor"], "home_regions": [region("hessen").await]});
    let hook = Hook::new(node, "website", &receiver.url, wanted).await;
    let here = actor(node, "Hier").await;
    let there = json!({"name": "Dort", "home_region": "bayern", "publication": "published"});
    let there = node.made("actors", there).await;
    let network = json!({"name": "Netz", "home_region": "hessen", "publication": "published"});
    node.made("networks", network).await;
    change(node, &there, json!({"home_region": "hessen"})).await;
    change(node, &here, json!({"home_region": "bayern"})).await;
    hook.sent().await;
    let expected = [
        told("actor.created", &here),
        told("actor.created", &there),
        told("actor.deleted", &here),
    ];
    assert_eq!(receiver.types(), expected);
    hook.change(json!({"kinds": ["topic"], "home_regions": []}))
        .await;
    actor(node, "Noch einer").await;
    let topic = node.made("topics", json!({"name": "Neu", "publication": "published"}));
    let topic = topic.await;
    hook.sent().await;
    assert_eq!(receiver.types(), [told("topic.created", &topic)]);
    receiver.stop().await;
});

story!(copies_are_told_too, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let receiver = Receiver::start();
    let hook = Hook::new(&here, "website", &receiver.url, json!({})).await;
    let id = actor(node, "Akteur").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({"kinds": ["actor"]})).await;
    intake.pull().await;
    delete(node, "actors", &id).await;
    intake.pull().await;
    hook.sent().await;
    let news = receiver.news();
    let types: Vec<_> = news.iter().map(|one| &one.json["type"]).collect();
    assert_eq!(types, ["actor.created", "actor.deleted"]);
    let origin = &node.store.node().origin;
    assert_eq!(news[0].json["data"]["origin"], origin.as_str());
    here.stop().await;
    receiver.stop().await;
});

story!(of_what_was_erased_only_ids_are_told, async |node| {
    let receiver = Receiver::start();
    let hook = Hook::new(node, "website", &receiver.url, json!({})).await;
    let id = actor(node, "Vergissmeinnicht").await;
    change(node, &id, json!({"summary": "Vergissmeinnicht"})).await;
    let erased = node.post(&format!("/v1/actors/{id}/erase?version=1"));
    erased.await.expect(204);
    hook.sent().await;
    // Erasing an earlier version is no event.
    let expected = [told("actor.created", &id), told("actor.updated", &id)];
    assert_eq!(receiver.types(), expected);
    let erased = node.post(&format!("/v1/actors/{id}/erase"));
    erased.await.expect(204);
    hook.sent().await;
    assert_eq!(receiver.types(), [told("actor.deleted", &id)]);
    let rows = webhook_delivery::Entity::find().all(node.store.db().reader());
    let rows = format!("{:?}", rows.await.unwrap());
    assert!(!rows.contains("Vergissmeinnicht"), "{rows}");
    receiver.stop().await;
});
