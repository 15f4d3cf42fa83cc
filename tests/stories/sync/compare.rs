//! Comparison: digests, ids with hashes, and the records that differ.

use super::{actor, actor_in, change, delete, region};
use domain::exchange::sync::Digest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Node, Replica, story};
use uuid::Uuid;

async fn digest(node: &Node, filter: &str, kind: &str) -> Value {
    let path = format!("/v1/sync/digest?{filter}");
    let answer = node.get(&path).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let items = answer.json["items"].as_array().unwrap().clone();
    items.into_iter().find(|item| item["kind"] == kind).unwrap()
}

story!(a_digest_is_of_what_is_fed, async |node| {
    let empty = digest(node, "", "actor").await;
    assert_eq!(empty["count"], 0);
    assert_eq!(empty["sum"], "0".repeat(64));
    let here = actor(node, "Hier").await;
    let there = actor_in(node, "Dort", "bayern").await;
    node.made(
        "actors",
        json!({"name": "Entwurf", "home_region": "hessen"}),
    )
    .await;
    let both = digest(node, "", "actor").await;
    assert_eq!(both["count"], 2);
    let page = node.get("/v1/sync/changes").await.expect(200);
    let mut own = Digest::default();
    for entry in page.json["entries"].as_array().unwrap() {
        let id = Uuid::parse_str(entry["id"].as_str().unwrap()).unwrap();
        own.add(
            id,
            entry["version"].as_i64().unwrap(),
            entry["hash"].as_str().unwrap(),
        );
    }
    assert_eq!(both["sum"], own.sum());
    // It is the current one, of the filter.
    let home = region(node, "hessen").await;
    let filtered = digest(node, &format!("home_region={home}"), "actor").await;
    assert_eq!(filtered["count"], 1);
    delete(node, "actors", &there).await;
    assert_eq!(digest(node, "", "actor").await["sum"], filtered["sum"]);
    change(node, &here, json!({"summary": "neu"})).await;
    assert_ne!(digest(node, "", "actor").await["sum"], filtered["sum"]);
});

story!(digests_follow_every_kind_of_write, Seeded, async |node| {
    let all = async || node.get("/v1/sync/digest").await.expect(200).json["items"].clone();
    let kept = async |what: &str| {
        node.settled().await;
        let kept = all().await;
        // As an earlier release that knows nothing of them leaves them behind.
        for sql in [
            "UPDATE sync_state SET digest_seq = -1",
            "UPDATE digest SET count = 77, limb_3 = 5",
        ] {
            let db = node.store.db().reader();
            db.execute_unprepared(sql).await.unwrap();
        }
        assert_eq!(kept, all().await, "{what}");
    };
    kept("the seeds").await;
    let id = actor(node, "Klinikum").await;
    kept("created").await;
    change(
        node,
        &id,
        json!({"name": "Klinik", "home_region": "bayern"}),
    )
    .await;
    kept("moved to another region").await;
    let other = actor(node, "Praxis").await;
    let edge = json!({
        "type": "cooperates_with", "publication": "published",
        "from": {"kind": "actor", "id": id}, "to": {"kind": "actor", "id": other},
    });
    node.made("relationships", edge).await;
    change(node, &id, json!({"publication": "draft"})).await;
    kept("withdrawn, and a relationship with it").await;
    change(node, &id, json!({"publication": "published"})).await;
    kept("published again").await;
    let merge = format!("/v1/actors/{other}/merge");
    let merged = node.post(&merge).json(&json!({"into": id}));
    merged.await.expect(200);
    kept("merged").await;
    node.delete(&merge).await.expect(200);
    kept("no longer merged").await;
    delete(node, "actors", &other).await;
    kept("deleted, and a relationship with it").await;
    let erase = node.post(&format!("/v1/actors/{id}/erase"));
    erase.await.expect(204);
    kept("erased").await;
});

story!(what_differs_is_found_and_fetched, Seeded, async |node| {
    let mut replica = Replica::new("");
    replica.catch_up(node).await;
    let changed = replica.held.keys().next().copied().unwrap();
    let other = replica.held.keys().nth(1).copied().unwrap();
    replica.held.get_mut(&changed).unwrap().version = 0;
    replica.held.remove(&other);

    let mut next = Some("/v1/sync/ids?limit=50".to_owned());
    let (mut differing, mut listed) = (Vec::new(), BTreeSet::new());
    while let Some(path) = next {
        let page = node.get(&path).await.expect(200);
        for item in page.json["items"].as_array().unwrap() {
            let id = Uuid::parse_str(item["id"].as_str().unwrap()).unwrap();
            assert!(listed.insert(id));
            let held = replica.held.get(&id);
            let same = held.is_some_and(|held| {
                item["version"] == held.version
                    && item["hash"] == domain::base::json::hash(&held.body)
            });
            if !same {
                differing.push(id);
            }
        }
        next = page.json["next"].as_str().map(str::to_owned);
    }
    differing.sort_unstable();
    assert_eq!(differing, [changed, other]);
    assert!(replica.held.keys().all(|id| listed.contains(id)));

    let unknown = domain::base::id::new();
    let body = json!({"ids": [changed, unknown, other]});
    let fetched = node
        .post("/v1/sync/records")
        .anonymous()
        .json(&body)
        .await
        .expect(200);
    assert_eq!(fetched.json["absent"], json!([unknown]));
    assert_eq!(fetched.json["rest"], json!([]));
    let entries = fetched.json["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(
        entries
            .iter()
            .all(|entry| entry["op"] == "upsert" && entry["record"].is_object())
    );
});

story!(what_is_not_public_is_absent, async |node| {
    let draft = node
        .made(
            "actors",
            json!({"name": "Entwurf", "home_region": "hessen"}),
        )
        .await;
    let gone = actor(node, "Weg").await;
    delete(node, "actors", &gone).await;
    let reference = region(node, "hessen").await;
    let ids = json!([draft, gone, reference]);
    let fetched = node
        .post("/v1/sync/records")
        .json(&json!({"ids": ids}))
        .await;
    let fetched = fetched.expect(200);
    assert_eq!(fetched.json["absent"], ids);
    assert_eq!(fetched.json["entries"], json!([]));
});

story!(too_much_and_nonsense_are_refused, async |node| {
    let ask = |ids: Value| node.post("/v1/sync/records").json(&json!({"ids": ids}));
    let many: Vec<Uuid> = (0..501).map(Uuid::from_u128).collect();
    ask(json!(many)).await.problem(422, "validation-failed");
    ask(json!(["hessen"]))
        .await
        .problem(422, "validation-failed");
    let twice = Uuid::from_u128(1);
    ask(json!([twice, twice]))
        .await
        .problem(422, "validation-failed");
    ask(json!([])).await.problem(422, "validation-failed");
    node.get("/v1/sync/ids?cursor=AAAA")
        .await
        .problem(400, "invalid-cursor");
    let large = |number: usize| json!({"name": format!("Groß {number}"), "publication": "published", "description": "🏥".repeat(50_000)});
    let mut ids = Vec::new();
    for number in 0..22 {
        ids.push(node.made("topics", large(number)).await);
    }
    let first = ask(json!(ids)).await.expect(200);
    let rest = first.json["rest"].as_array().unwrap();
    assert_eq!(
        (first.json["entries"].as_array().unwrap().len(), rest.len()),
        (20, 2)
    );
    let second = ask(json!(rest)).await.expect(200);
    assert_eq!(second.json["entries"].as_array().unwrap().len(), 2);
    assert_eq!(second.json["rest"], json!([]));
});
