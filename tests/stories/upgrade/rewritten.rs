//! The own records, index, history and webhooks of a node after an upgrade.

use super::{RELEASE, Row, rows};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::audit::{audiences_are_true, audit};
use tests::tables::{change, tombstone, webhook_delivery};
use tests::{Backend, Neighbour, Node, fixture, on_both};
use uuid::Uuid;

on_both!(an_old_database_is_opened);

async fn an_old_database_is_opened(backend: Backend) {
    let database = fixture::database(backend, RELEASE, "node").await;
    let before = rows(&database, "nordhessen").await;
    if backend == Backend::Sqlite {
        assert!(payload(database.index()).contains(r#"\"version\":2,"#));
    }
    let node = Neighbour::on(backend, database).await;
    node.settled().await;
    let rewritten = own_records_are_rewritten(&node, &before).await;
    webhooks_receive_changes_only(&node, rewritten).await;
    the_index_knows_the_new_names(&node).await;
    history_shows_old_versions(&node).await;
    what_was_supplied_is_unchanged(&node).await;
    a_statement_is_made_once(&node).await;
    a_merge_is_undone(&node).await;
    node.settled().await;
    audiences_are_true(node.store.db()).await;

    let head = node.store.log().head().await.unwrap();
    let database = node.halt().await;
    if backend == Backend::Sqlite {
        assert!(payload(database.index()).contains(r#"\"version\":\"sha256:"#));
    }
    let again = Neighbour::on(backend, database).await;
    again.settled().await;
    assert_eq!(again.store.log().head().await.unwrap(), head);
    again.stop().await;
}

/// The description of the last commit of an index.
fn payload(index: &std::path::Path) -> String {
    std::fs::read_to_string(index.join("meta.json")).unwrap()
}

/// Returns their number.
async fn own_records_are_rewritten(node: &Neighbour, before: &BTreeMap<Uuid, Row>) -> usize {
    let audited = audit(node.store.db()).await;
    audiences_are_true(node.store.db()).await;
    let old: BTreeSet<Uuid> = before
        .values()
        .filter(|row| row.is_old())
        .map(|row| row.id)
        .collect();
    // Four networks, two events, a project, and a relationship of a class.
    assert_eq!(old.len(), 8);
    for row in before.values() {
        let now = &audited.records[&row.id];
        let made = i64::from(row.is_old());
        assert_eq!(now.body, row.upgraded());
        assert_eq!(now.version, row.version + made);
        assert_eq!(now.updated_at, row.updated_at);
    }
    let schema = audited
        .log
        .iter()
        .filter(|entry| entry.cause.as_deref() == Some("schema"));
    let mut rewritten = BTreeSet::new();
    for entry in schema {
        assert_eq!(
            (entry.op.as_str(), entry.by, entry.bulk),
            ("upsert", None, true)
        );
        assert_eq!(entry.audience_before, entry.audience_after);
        assert!(rewritten.insert(entry.record_id), "once");
    }
    assert_eq!(rewritten, old);
    rewritten.len()
}

async fn webhooks_receive_changes_only(node: &Node, rewritten: usize) {
    let deliveries = || webhook_delivery::Entity::find().count(node.store.db().reader());
    assert!(rewritten > 0);
    assert_eq!(deliveries().await.unwrap(), 0);
    let changed = node.patch("/v1/networks/klinikverbund").if_match("*");
    changed.json(&json!({"summary": "Neu."})).await.expect(200);
    node.settled().await;
    assert_eq!(deliveries().await.unwrap(), 1);
}

async fn the_index_knows_the_new_names(node: &Node) {
    let count = async |path: &str| {
        let found = node.get(path).token(&node.admin).await.expect(200);
        found.json["total"].as_u64().unwrap()
    };
    assert_eq!(count("/v1/networks?network_type=cluster").await, 1);
    assert_eq!(count("/v1/networks?network_type=association").await, 1);
    assert_eq!(
        count("/v1/networks?publication=draft&network_type=platform").await,
        1
    );
    assert_eq!(count("/v1/events?event_type=workshop,kickoff").await, 2);
    // It is found by the name of the record merged into it.
    assert_eq!(count("/v1/networks?q=Gesundheitscluster").await, 1);
    assert_eq!(count("/v1/actors?home_region=nordhessen").await, 3);
    let facets = node
        .get("/v1/networks?facets=network_type")
        .await
        .expect(200);
    let facets = facets.json["facets"]["network_type"].as_array().unwrap();
    let codes: BTreeSet<&str> = facets
        .iter()
        .filter_map(|one| one["value"].as_str())
        .collect();
    assert_eq!(
        codes,
        BTreeSet::from(["association", "clinic_network", "cluster"])
    );
}

async fn history_shows_old_versions(node: &Node) {
    let path = "/v1/networks/cluster-gesundheit";
    let now = node.get(path).await.expect(200);
    assert_eq!(now.header("etag"), "\"4\"");
    assert_eq!(now.json["network_type"], "cluster");
    assert!(now.json["form"].is_null());
    let known = node.get(path).header("if-none-match", "\"3\"").await;
    known.expect(200);

    let history = node
        .get(&format!("{path}/history"))
        .token(&node.admin)
        .await;
    let history = history.expect(200);
    let items = history.json["items"].as_array().unwrap();
    let causes: Vec<_> = items.iter().map(|item| item["cause"].as_str()).collect();
    assert_eq!(causes, [Some("schema"), None, None, None]);
    assert!(items[0]["by"].is_null());
    let audit = node
        .get("/v1/audit?kind=network&limit=200")
        .token(&node.admin)
        .await;
    let audit = audit.expect(200);
    let entries = audit.json["items"].as_array().unwrap();
    let schema = entries.iter().filter(|item| item["cause"] == "schema");
    assert_eq!(schema.count(), 4);

    let version = async |number: u32| {
        let answer = node
            .get(&format!("{path}/history/{number}"))
            .await
            .expect(200);
        assert!(answer.json["form"].is_null());
        let upgraded = answer.header("verbund-upgraded") == "true";
        (answer.json, upgraded)
    };
    let (first, upgraded) = version(1).await;
    assert_eq!(
        (first["network_type"].as_str(), upgraded),
        (Some("alliance"), true)
    );
    let (third, upgraded) = version(3).await;
    assert_eq!(
        (third["network_type"].as_str(), upgraded),
        (Some("cluster"), true)
    );
    let (fourth, upgraded) = version(4).await;
    assert!(!upgraded);
    assert_eq!(fourth["updated_at"], third["updated_at"]);

    // The same once the version with the renames is superseded.
    let changed = node
        .patch(path)
        .if_match("\"4\"")
        .json(&json!({"summary": "Kurz."}));
    assert_eq!(changed.await.expect(200).json["version"], 5);
    let (fourth, upgraded) = version(4).await;
    assert!(!upgraded);
    assert_eq!(fourth["updated_at"], third["updated_at"]);

    let gone = tombstone::Entity::find()
        .filter(tombstone::Column::Slug.eq("vergangen"))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    let deleted = node
        .get(&format!("/v1/networks/{}/history/1", gone.id))
        .await;
    let deleted = deleted.expect(200);
    assert_eq!(deleted.json["network_type"], "association");
    assert_eq!(deleted.header("verbund-upgraded"), "true");
}

async fn what_was_supplied_is_unchanged(node: &Node) {
    let record = |name: &str| {
        let mut record = json!({"name": "Geliefertes Netz", "home_region": "nordhessen", "publication": "published"});
        record[name] = json!("association");
        json!({"mode": "each", "items": [{"op": "upsert", "kind": "network", "external_id": "1", "system_version": 8, "record": record}]})
    };
    let push = async |body: Value| {
        let sent = node.post("/v1/sync/systems/cms/records").json(&body).await;
        sent.expect(200).json["items"][0].clone()
    };
    // The last item is unchanged if it is sent again, whatever its names.
    let again = push(record("form")).await;
    assert_eq!(again["status"], "unchanged", "{again}");
    let mut old = record("form");
    old["items"][0]["record"]["summary"] = json!("Anders.");
    let old = push(old).await;
    assert_eq!(
        old["problem"]["errors"][0]["code"], "renamed-member",
        "{old}"
    );
    let new = push(record("network_type")).await;
    assert_eq!(new["status"], "unchanged", "{new}");
    assert_eq!(new["version"], 2, "{new}");
    // The rewriting by the node is no conflict for the next item.
    let mut more = record("network_type");
    more["items"][0]["record"]["summary"] = json!("Mehr.");
    let more = push(more).await;
    assert_eq!(more["status"], "updated", "{more}");
    assert!(more["overwritten"].is_null(), "{more}");
}

async fn a_statement_is_made_once(node: &Node) {
    let project = node.get("/v1/projects/fernbefund").await.expect(200);
    let at = |pointer: &str| project.json.pointer(pointer).and_then(Value::as_str);
    let outcome = "/outcomes/0/available_at/class/network_type";
    assert_eq!(at(outcome), Some("clinic_network"));
    assert_eq!(
        at(&format!("/translations/en{outcome}")),
        Some("clinic_network")
    );
    let around = node
        .get("/v1/projects/fernbefund/relationships")
        .await
        .expect(200);
    let other = &around.json["items"][0]["other"];
    assert_eq!(
        other["class"],
        json!({"kind": "network", "network_type": "clinic_network"})
    );
    let again = json!({
        "type": "participates_in",
        "publication": "published",
        "from": other,
        "to": {"kind": "project", "slug": "fernbefund"},
    });
    let made = node.post("/v1/relationships").json(&again).await;
    made.problem(409, "conflict");
}

async fn a_merge_is_undone(node: &Node) {
    let merged = tombstone::Entity::find()
        .filter(tombstone::Column::Slug.eq("gesundheitscluster"))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    let path = format!("/v1/networks/{}", merged.id);
    let back = node.delete(&format!("{path}/merge")).await.expect(200);
    assert_eq!(back.json["network_type"], "thematic_network");
    let stored = change::Entity::find()
        .filter(change::Column::RecordId.eq(merged.id))
        .filter(change::Column::Version.eq(1))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    // The body in the log is unchanged.
    assert!(
        stored
            .body
            .unwrap()
            .contains(r#""form":"thematic_network""#)
    );
}
