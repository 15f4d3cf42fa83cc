//! Replicas that know only the feed, while many write at random: in the end they equal the node,
//! and meanwhile every page keeps its guarantees.

use super::region;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::settings::{chance, full};
use tests::tables::{change, record};
use tests::{Node, Replica, story};
use uuid::Uuid;

const HOMES: [&str; 3] = ["hessen", "bayern", "berlin"];
const STATES: [&str; 3] = ["published", "published", "draft"];

fn one<'a>(chance: &mut StdRng, of: &[&'a str]) -> &'a str {
    of[chance.random_range(0..of.len())]
}

/// Changes actors and the relationships between them; rejections are fine.
async fn write(node: &Node, chance: &mut StdRng, known: &mut Vec<String>) {
    let some =
        |chance: &mut StdRng, known: &[String]| known[chance.random_range(0..known.len())].clone();
    let choice = if known.len() < 3 {
        0
    } else {
        chance.random_range(0..20)
    };
    let call = match choice {
        0..5 => {
            let body = json!({"name": "Akteur", "home_region": one(chance, &HOMES), "publication": one(chance, &STATES)});
            node.post("/v1/actors").json(&body)
        }
        5..9 => {
            let (from, to) = (some(chance, known), some(chance, known));
            let body = json!({"type": "cooperates_with", "publication": one(chance, &STATES), "from": {"kind": "actor", "id": from}, "to": {"kind": "actor", "id": to}});
            node.post("/v1/relationships").json(&body)
        }
        9..16 => {
            let path = format!("/v1/actors/{}", some(chance, known));
            let patch = match chance.random_range(0..3) {
                0 => json!({"summary": chance.random::<u32>().to_string()}),
                1 => json!({"home_region": one(chance, &HOMES)}),
                _ => json!({"publication": one(chance, &STATES)}),
            };
            node.patch(&path).if_match("*").json(&patch)
        }
        16..18 => {
            let path = format!("/v1/actors/{}", some(chance, known));
            node.delete(&path).if_match("*")
        }
        _ => {
            let path = format!("/v1/actors/{}/merge", some(chance, known));
            node.post(&path).json(&json!({"into": some(chance, known)}))
        }
    };
    let answer = call.await;
    if choice < 5 && answer.status == 201 {
        known.push(answer.id().to_owned());
    }
}

/// The log entries that concern outsiders.
async fn log(node: &Node) -> Vec<change::Model> {
    let rows = change::Entity::find().order_by_asc(change::Column::Seq);
    rows.all(node.store.db().reader()).await.unwrap()
}

/// After a page that ends at `seq`, a replica without filter has every record that was public then,
/// in that version or a newer one, unless the record was removed later.
fn kept_its_promise(log: &[change::Model], own: &str, (seq, held): &(i64, BTreeMap<Uuid, i64>)) {
    let mut then: BTreeMap<Uuid, &change::Model> = BTreeMap::new();
    let mut later: BTreeMap<Uuid, Vec<&change::Model>> = BTreeMap::new();
    for row in log.iter().filter(|row| row.origin == own) {
        if row.seq <= *seq {
            then.insert(row.record_id, row);
        } else {
            later.entry(row.record_id).or_default().push(row);
        }
    }
    for (id, row) in then {
        let changes = later.get(&id).map_or(&[][..], Vec::as_slice);
        let goes = changes.iter().any(|row| row.audience_after.is_none());
        let comes = changes.iter().any(|row| row.audience_after.is_some());
        match (row.audience_after.is_some(), held.get(&id)) {
            (true, Some(version)) => assert!(*version >= row.version, "{row:?} at {seq}"),
            (true, None) => assert!(goes, "{row:?} is missing at {seq}"),
            (false, Some(_)) => assert!(comes, "{row:?} is too much at {seq}"),
            (false, None) => {}
        }
    }
}

story!(replicas_hold_in_the_end_what_the_node_holds, async |node| {
    let mut chance = chance();
    let (writers, writes) = if full() { (8, 150) } else { (4, 30) };
    let home = region(node, "hessen").await;
    let filters = [
        String::new(),
        "limit=1".to_owned(),
        "kind=relationship&limit=3".to_owned(),
        format!("home_region={home}&limit=2"),
        format!("kind=actor&home_region={home}"),
    ];
    let mut replicas: Vec<Replica> = filters.iter().map(|filter| Replica::new(filter)).collect();
    let over = AtomicBool::new(false);
    let writing = async {
        let seeds: Vec<u64> = (0..writers).map(|_| chance.random()).collect();
        let writing = seeds.into_iter().map(|seed| async move {
            let mut chance = StdRng::seed_from_u64(seed);
            let mut known = Vec::new();
            for _ in 0..writes {
                write(node, &mut chance, &mut known).await;
            }
        });
        join_all(writing).await;
        node.settled().await;
        over.store(true, Ordering::SeqCst);
    };
    let reading = join_all(replicas.iter_mut().map(|replica| {
        let over = &over;
        async move {
            while !over.load(Ordering::SeqCst) {
                replica.page(node).await;
            }
            replica.catch_up(node).await;
        }
    }));
    tokio::join!(writing, reading);
    for replica in &replicas {
        replica.equals(node).await;
    }
    assert!(!replicas[0].held.is_empty());
    let log = log(node).await;
    let own = &node.store.node().origin;
    for replica in &replicas[..2] {
        for checkpoint in &replica.checkpoints {
            kept_its_promise(&log, own, checkpoint);
        }
    }
    let rows = record::Entity::find().all(node.store.db().reader()).await;
    let shown = rows.unwrap().into_iter();
    let shown = shown
        .filter(|row| row.is_public && row.origin == *own)
        .count();
    assert_eq!(replicas[0].held.len(), shown);
});
