//! No record becomes part of itself, however many writers try at once.

use super::{between, network, topic, winners};
use futures::future::join_all;
use rand::Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::audit::audit;
use tests::settings::chance;
use tests::{Answer, Node, story};

async fn networks(node: &Node, name: &str, count: usize) -> Vec<String> {
    let names = (0..count).map(|number| format!("{name} {number}"));
    join_all(names.map(async |name| network(node, &name).await)).await
}

async fn join(node: &Node, from: &str, to: &str) -> Answer {
    let body = between("part_of", from, to);
    node.post("/v1/relationships").json(&body).await
}

#[track_caller]
fn is_circle(answer: &Answer) {
    let faults = answer.clone().problem(422, "validation-failed").faults();
    assert_eq!(faults[0].1, "cycle", "{faults:?}");
}

/// The vertices reachable from `start` by going up.
fn above<'a>(edges: &BTreeSet<(&'a str, &'a str)>, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::from([start]);
    let mut next = vec![start];
    while let Some(one) = next.pop() {
        let parents = edges.iter().filter(|(from, _)| *from == one);
        next.extend(parents.map(|(_, to)| *to).filter(|to| reached.insert(to)));
    }
    reached
}

story!(a_ring_that_is_closed_at_once_stays_open, async |node| {
    for (round, length) in [2, 2, 2, 3, 4, 5, 2, 3, 4, 5].into_iter().enumerate() {
        let ring = networks(node, &format!("Ring {round}"), length).await;
        let closing = (0..length).map(|at| join(node, &ring[at], &ring[(at + 1) % length]));
        let answers = join_all(closing).await;
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            is_circle(refused);
        }
        let made = winners(answers, 201, 422, "validation-failed");
        assert_eq!(made, length - 1, "all but one link of a ring of {length}");
    }
});

story!(relationships_at_random_never_close_a_circle, async |node| {
    let mut chance = chance();
    let all = networks(node, "Zufall", 7).await;
    let mut wanted = Vec::new();
    for _ in 0..60 {
        let from = chance.random_range(0..all.len());
        let to = (from + chance.random_range(1..all.len())) % all.len();
        wanted.push((all[from].as_str(), all[to].as_str()));
    }
    let asked = wanted.iter().map(|(from, to)| join(node, from, to));
    let answers = join_all(asked).await;

    let made: BTreeSet<_> = wanted
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.status == 201)
        .map(|(edge, _)| *edge)
        .collect();
    for (from, to) in &made {
        assert!(!above(&made, to).contains(from), "{from} is above itself");
    }
    for ((from, to), answer) in wanted.iter().zip(&answers) {
        match answer.status {
            201 => {}
            // It exists already.
            409 => assert!(made.contains(&(*from, *to))),
            // It would have closed a cycle.
            _ => {
                is_circle(answer);
                assert!(above(&made, to).contains(from), "refused for nothing");
            }
        }
    }
    audit(node.store.db()).await;
});

story!(
    moving_relationships_at_once_closes_no_circle,
    async |node| {
        for round in 0..8 {
            let length = 2 + round % 3;
            let ring = networks(node, &format!("Umzug {round}"), length).await;
            let away = network(node, &format!("Ziel {round}")).await;
            // Each is part of something else and is moved below its neighbour.
            let moved = (0..length).map(async |at| {
                let path = join(node, &ring[at], &away).await.expect(201);
                let path = path.header("location").to_owned();
                let body = between("part_of", &ring[at], &ring[(at + 1) % length]);
                (path, body)
            });
            let moves: Vec<(String, Value)> = join_all(moved).await;
            let moves = moves
                .iter()
                .map(async |(path, body)| node.put(path).if_match("\"1\"").json(body).await);
            let answers = join_all(moves).await;
            for refused in answers.iter().filter(|answer| answer.status != 200) {
                is_circle(refused);
            }
            let done = winners(answers, 200, 422, "validation-failed");
            assert_eq!(done, length - 1);
        }
        audit(node.store.db()).await;
    }
);

story!(topics_stay_a_tree, async |node| {
    for round in 0..8 {
        let length = 2 + round % 4;
        let names = (0..length).map(|at| format!("Thema {round} {at}"));
        let ring = join_all(names.map(async |name| topic(node, &name).await)).await;
        let changes = (0..length).map(async |at| {
            let broader = json!({"broader": ring[(at + 1) % length]});
            let path = format!("/v1/topics/{}", ring[at]);
            node.patch(&path).if_match("\"1\"").json(&broader).await
        });
        let answers = join_all(changes).await;
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            is_circle(refused);
        }
        let done = winners(answers, 200, 422, "validation-failed");
        assert_eq!(done, length - 1, "all but one link of a ring of {length}");
    }
    let audited = audit(node.store.db()).await;
    let topics = audited.records.values().filter(|row| row.kind == "topic");
    let broader: BTreeMap<String, Value> = topics
        .map(|row| {
            let body: Value = serde_json::from_str(&row.body).unwrap();
            (row.id.to_string(), body["broader"].clone())
        })
        .collect();
    for start in broader.keys() {
        let mut at = start.as_str();
        let mut steps = 0;
        while let Some(next) = broader[at].as_str() {
            at = next;
            steps += 1;
            assert!(steps <= broader.len(), "{start} is in a circle");
        }
    }
});
