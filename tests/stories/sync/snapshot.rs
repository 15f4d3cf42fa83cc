//! The first pass through the feed: every record, and no change lost meanwhile.

use super::{actor, actor_in, change, delete, region, related, short};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use serde_json::json;
use tests::{Replica, story};

story!(kinds_come_in_dependency_order, Seeded, async |node| {
    let mut replica = Replica::new("limit=7");
    let told = replica.catch_up(node).await;
    let snapshot = told.iter().filter(|one| one.tx.is_none());
    let kinds: Vec<Kind> = snapshot
        .map(|one| Kind::parse(&one.kind).unwrap())
        .collect();
    assert!(kinds.len() > 100, "{}", kinds.len());
    assert!(kinds.is_sorted(), "{kinds:?}");
    let service = node.get("/v1/sync").await.expect(200);
    let listed: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(service.json["kinds"], json!(listed));
    replica.equals(node).await;
});

story!(what_names_each_other_comes_all_the_same, async |node| {
    let outer = node.made("regions", json!({"name": "Außen", "level": "health_region", "home_region": "hessen", "publication": "published"})).await;
    let inner = node.made("regions", json!({"name": "Innen", "level": "health_region", "home_region": outer, "publication": "published"})).await;
    let path = format!("/v1/regions/{outer}");
    let patch = json!({"home_region": inner});
    node.patch(&path)
        .if_match("*")
        .json(&patch)
        .await
        .expect(200);
    let mut replica = Replica::new("limit=1");
    let told = replica.catch_up(node).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].member("home_region"), json!(inner), "not here yet");
    replica.equals(node).await;
});

story!(deletions_are_no_part_of_a_snapshot, async |node| {
    let gone = actor(node, "Weg").await;
    delete(node, "actors", &gone).await;
    let there = actor(node, "Da").await;
    let told = Replica::new("").catch_up(node).await;
    assert_eq!(short(&told), [("upsert", there)]);
});

story!(nothing_is_lost_while_a_snapshot_is_read, async |node| {
    let home = region(node, "hessen").await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C", "D", "E"] {
        ids.push(actor(node, name).await);
    }
    for filter in ["limit=1".to_owned(), format!("limit=1&home_region={home}")] {
        let mut replica = Replica::new(&filter);
        replica.page(node).await;
        replica.page(node).await;
        // Reported already, and still to come: changed, moved, withdrawn, deleted.
        change(node, &ids[0], json!({"summary": "neu"})).await;
        change(node, &ids[3], json!({"summary": "neu"})).await;
        change(node, &ids[1], json!({"home_region": "bayern"})).await;
        change(node, &ids[4], json!({"publication": "draft"})).await;
        delete(node, "actors", &ids[2]).await;
        let late = actor(node, "F").await;
        let far = actor_in(node, "G", "bayern").await;
        let edge = related(node, &ids[0], &late).await;
        // Published and withdrawn again before the snapshot has ended.
        let brief = actor(node, "H").await;
        while replica.page(node).await.phase == "snapshot" {
            if replica.held.contains_key(&brief.parse().unwrap()) {
                break;
            }
        }
        assert!(replica.held.contains_key(&brief.parse().unwrap()));
        delete(node, "actors", &brief).await;
        node.settled().await;
        replica.catch_up(node).await;
        replica.equals(node).await;
        assert!(!replica.held.contains_key(&brief.parse().unwrap()));
        for id in [&late, &edge] {
            assert!(replica.held.contains_key(&id.parse().unwrap()));
        }
        // Unchanged, for the other filter.
        change(node, &ids[1], json!({"home_region": "hessen"})).await;
        change(node, &ids[4], json!({"publication": "published"})).await;
        delete(node, "actors", &late).await;
        delete(node, "actors", &far).await;
        ids[2] = actor(node, "C").await;
        ids.sort();
    }
});
