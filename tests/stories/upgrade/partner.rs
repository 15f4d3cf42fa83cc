//! Partners of which only one has been upgraded.

use super::{RELEASE, rows};
use persistence::partner::PageOutcome;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::audit::{audiences_are_true, audit};
use tests::{Backend, Intake, Neighbour, fixture, on_both};
use uuid::Uuid;

on_both!(copies_have_new_names_and_are_stored_as_received);
on_both!(readers_of_the_feed_receive_rewritten_records);

async fn copies_have_new_names_and_are_stored_as_received(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "partner").await;
    let before = rows(&database, "nordhessen").await;
    let own = rows(&database, "muensterland").await;
    assert!(before.values().any(super::Row::is_old) && own.values().any(super::Row::is_old));
    let partner = Neighbour::on(backend, database).await;
    partner.settled().await;
    audiences_are_true(partner.store.db()).await;

    // Copies are as received, byte for byte; the node's own records are rewritten.
    let audited = audit(partner.store.db()).await;
    for row in before.values() {
        let now = &audited.records[&row.id];
        assert_eq!((&now.body, now.version), (&row.body, row.version));
    }
    for row in own.values() {
        assert_eq!(audited.records[&row.id].body, row.upgraded());
    }

    let copy = partner
        .get("/v1/networks/cluster-gesundheit")
        .await
        .expect(200);
    assert_eq!(
        (
            copy.json["network_type"].as_str(),
            copy.json["version"].as_i64()
        ),
        (Some("cluster"), Some(3))
    );
    assert!(copy.json["form"].is_null());
    // It differs from what its origin serves in this version.
    assert!(copy.header("etag").starts_with("W/"));
    let names = async |path: &str| {
        let found = partner.get(path).await.expect(200);
        let items = found.json["items"].as_array().unwrap();
        let names = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<BTreeSet<String>>()
    };
    let both = BTreeSet::from(["Cluster Gesundheit".to_owned(), "Verbund West".to_owned()]);
    assert_eq!(names("/v1/networks?network_type=cluster").await, both);
    let workshops = BTreeSet::from(["Werkstatt".to_owned()]);
    assert_eq!(names("/v1/events?event_type=workshop").await, workshops);
    let exported = partner
        .get("/v1/export?kind=network&format=csv")
        .await
        .expect(200);
    let heads = exported.text.lines().next().unwrap();
    assert!(heads.contains(",\"network_type\","), "{heads}");
    let around = partner
        .get("/v1/projects/fernbefund/relationships")
        .await
        .expect(200);
    let class = json!({"kind": "network", "network_type": "clinic_network"});
    assert_eq!(around.json["items"][0]["other"]["class"], class);
    let graph = partner
        .get("/v1/graph?from=project/fernbefund")
        .await
        .expect(200);
    assert!(!graph.text.contains("\"form\""), "{}", graph.text);

    // Its origin is upgraded too.
    let database = fixture::database(backend, RELEASE, "node").await;
    let node = Neighbour::on(backend, database).await;
    let intake = of_fixture(&partner, &node).await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    intake.equals(&node, "").await;
    let copy = partner
        .get("/v1/networks/cluster-gesundheit")
        .await
        .expect(200);
    assert_eq!(copy.header("etag"), "\"4\"");
    partner.settled().await;
    audiences_are_true(partner.store.db()).await;
    assert_eq!(names("/v1/networks?network_type=cluster").await, both);
    node.stop().await;
    partner.stop().await;
}

/// The partner in the fixture, at the current address of the node.
async fn of_fixture<'a>(partner: &'a Neighbour, node: &Neighbour) -> Intake<'a> {
    let listed = partner.get("/v1/sync/partners").token(&partner.admin).await;
    let listed = listed.expect(200);
    let id = listed.json["items"][0]["id"].as_str().unwrap();
    let intake = Intake::of(partner, Uuid::parse_str(id).unwrap());
    intake.change(json!({"url": node.base})).await;
    intake
}

async fn readers_of_the_feed_receive_rewritten_records(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "partner").await;
    let held = rows(&database, "nordhessen").await;
    let partner = Neighbour::on(backend, database).await;
    let database = fixture::database(backend, RELEASE, "node").await;
    let node = Neighbour::on(backend, database).await;
    // The cursor from the earlier release.
    let listed = partner.get("/v1/sync/partners").token(&partner.admin).await;
    let id = listed.expect(200).json["items"][0]["id"].clone();
    let id = Uuid::parse_str(id.as_str().unwrap()).unwrap();
    let next = Intake::of(&partner, id).row().await.next.unwrap();
    let page = node.get(&next).await.expect(200);
    assert_eq!(page.json["up_to_date"], true);
    let entries = page.json["entries"].as_array().unwrap();
    let old: BTreeSet<Uuid> = held
        .values()
        .filter(|row| row.is_old())
        .map(|row| row.id)
        .collect();
    let mut received = BTreeSet::new();
    for entry in entries {
        let id = Uuid::parse_str(entry["id"].as_str().unwrap()).unwrap();
        let row = &held[&id];
        assert_eq!(entry["op"], "upsert");
        assert_eq!(entry["version"], row.version + 1);
        let record: &Value = &entry["record"];
        assert_eq!(domain::base::json::canonical(record), row.upgraded());
        assert_eq!(
            entry["at"].as_str(),
            Some(domain::base::clock::rfc3339(row.updated_at).as_str())
        );
        received.insert(id);
    }
    assert_eq!(received, old);
    node.stop().await;
    partner.stop().await;
}
