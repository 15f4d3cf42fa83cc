//! Three regions, each the authority for its own seed pages, and each with everything.

use domain::access::rules::Caller;
use domain::data::SEEDS;
use domain::exchange::sync::PushStatus;
use persistence::load::LoadMode;
use persistence::partner::PageOutcome;
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::audit::audiences_are_true;
use tests::{Intake, Neighbour, Node, story};

const PAGES: [(&str, &[usize]); 3] = [
    ("nordhessen", &[0]),
    ("muensterland", &[3]),
    ("ruhr", &[1, 2, 4]),
];

async fn load(node: &Node, pages: &[usize]) {
    for page in pages {
        let lines: Vec<&str> = SEEDS[*page].1.lines().collect();
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let mode = LoadMode::CreateMissing;
        let loaded = node
            .store
            .imports()
            .load(&caller, &lines, mode, &options)
            .await;
        for one in loaded.unwrap() {
            assert!(one.status() == PushStatus::Created, "{one:?}");
        }
    }
    node.settled().await;
}

/// Makes every node a partner of every other one, and copies everything.
async fn exchange(nodes: &[Neighbour]) {
    for here in nodes {
        for there in nodes {
            let origin = there.store.node().origin.clone();
            if origin == here.store.node().origin {
                continue;
            }
            let intake = Intake::new(here, &origin, &there.base, json!({})).await;
            assert_eq!(intake.pull().await, PageOutcome::UpToDate);
            intake.equals(there, "").await;
            assert_eq!(intake.row().await.refused, 0);
        }
        here.settled().await;
    }
}

fn values(list: &Value, member: &str) -> BTreeSet<String> {
    let items = list["items"].as_array().unwrap();
    let value = |item: &Value| item[member].as_str().unwrap().to_owned();
    items.iter().map(value).collect()
}

story!(three_regions_find_each_others_records, async |node| {
    let mut nodes = Vec::new();
    for (origin, pages) in PAGES {
        let here = Neighbour::start(node.backend, origin).await;
        load(&here, pages).await;
        // Every node has a house of this name, and one number was entered twice.
        let house = json!({
            "name": "Haus der Gesundheit",
            "slug": "haus-der-gesundheit",
            "home_region": "hessen",
            "identifiers": [{"scheme": "https://example.org/ids", "value": "7"}],
            "publication": "published",
        });
        here.made("actors", house).await;
        here.settled().await;
        nodes.push(here);
    }
    exchange(&nodes).await;

    let all: BTreeSet<String> = PAGES
        .iter()
        .map(|(origin, _)| (*origin).to_owned())
        .collect();
    let mut found = Vec::new();
    for here in &nodes {
        // A topic of the reference data leads to records of all three.
        let list = "/v1/search?topic=gesundheitsversorgung&limit=200";
        let list = here.get(list).await.expect(200).json;
        assert_eq!(values(&list, "origin"), all);
        found.push(values(&list, "id"));
        let list = "/v1/actors?identifier=https://example.org/ids|7";
        let list = here.get(list).await.expect(200).json;
        assert_eq!(values(&list, "origin"), all, "an identifier names three");
        // A slug means the record of this node.
        let own = here.get("/v1/actors/haus-der-gesundheit").await.expect(200);
        assert_eq!(own.json["origin"], here.store.node().origin);
        for other in values(&list, "id") {
            here.get(&format!("/v1/actors/{other}")).await.expect(200);
        }
        audiences_are_true(here.store.db()).await;
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));

    // The relationships of a copy are there as well, with both ends.
    let path = "/v1/networks/cluster-gesundheit-nordhessen/relationships?limit=200";
    let there = nodes[0].get(path).await.expect(200).json;
    let here = nodes[2].get(path).await.expect(200).json;
    assert_eq!(here["total"], there["total"]);
    assert_eq!(values(&here, "id"), values(&there, "id"));
    for here in nodes {
        here.stop().await;
    }
});
