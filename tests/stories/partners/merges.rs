//! Merges of a partner: a node shows what the partner shows, whenever it was copied.

use super::{actor, change, related};
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::{Call, Intake, Neighbour, Node, story};

fn merge(node: &Node, loser: &str, into: &str) -> Call {
    let path = format!("/v1/actors/{loser}/merge");
    node.post(&path).json(&json!({"into": into}))
}

async fn draft(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "home_region": "hessen"});
    node.made("actors", body).await
}

async fn shows(node: &Node, edge: &str) -> u16 {
    node.settled().await;
    node.get(&format!("/v1/relationships/{edge}")).await.status
}

/// The other end of the only relationship of an actor.
async fn neighbours(node: &Node, actor: &str) -> Vec<String> {
    let path = format!("/v1/actors/{actor}/relationships");
    let items = node.get(&path).await.expect(200).json["items"].clone();
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| item["other"]["id"].as_str().unwrap().to_owned())
        .collect()
}

story!(
    relationships_of_what_was_merged_reach_every_partner,
    async |node| {
        let early = Neighbour::start(node.backend, "frueh").await;
        let before = Intake::new(&early, "nachbar", &node.base, json!({})).await;
        before.pull().await;
        let merge_target = actor(node, "Klinik").await;
        let other = actor(node, "Praxis").await;
        let public = actor(node, "Dublette").await;
        let hidden = draft(node, "Entwurf einer Dublette").await;
        // A chain with an invisible record in the middle.
        let first = actor(node, "Kette").await;
        let second = draft(node, "Mitte der Kette").await;
        let mut edges = Vec::new();
        for loser in [&public, &hidden, &first] {
            edges.push(related(node, loser, &other).await);
        }
        before.pull().await;
        for (loser, into) in [
            (&public, &merge_target),
            (&hidden, &merge_target),
            (&first, &second),
            (&second, &merge_target),
        ] {
            merge(node, loser, into).await.expect(200);
        }
        node.settled().await;
        let late = Neighbour::start(node.backend, "spaet").await;
        let after = Intake::new(&late, "nachbar", &node.base, json!({})).await;
        for intake in [&before, &after] {
            intake.pull().await;
            intake.equals(node, "").await;
        }
        for here in [&early, &late] {
            for edge in &edges {
                assert_eq!(shows(node, edge).await, 200);
                assert_eq!(shows(here, edge).await, 200, "{}", here.store.node().origin);
            }
            assert_eq!(
                neighbours(here, &other).await,
                vec![merge_target.clone(); 3]
            );
            let moved = here.get(&format!("/v1/actors/{first}")).await;
            let moved = moved.problem(308, "moved");
            assert_eq!(moved.json["moved_to"], merge_target);
            audiences_are_true(here.store.db()).await;
        }
        early.stop().await;
        late.stop().await;
    }
);

story!(
    what_is_not_merged_any_more_is_itself_again_everywhere,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let merge_target = actor(node, "Klinik").await;
        let other = actor(node, "Praxis").await;
        let losers = [
            actor(node, "Dublette").await,
            actor(node, "Zurückgezogene Dublette").await,
            draft(node, "Entwurf einer Dublette").await,
        ];
        let mut edges = Vec::new();
        for loser in &losers {
            edges.push(related(node, loser, &other).await);
        }
        change(node, &losers[1], json!({"publication": "archived"})).await;
        for loser in &losers {
            merge(node, loser, &merge_target).await.expect(200);
        }
        node.settled().await;
        intake.pull().await;
        for edge in &edges {
            assert_eq!(shows(&here, edge).await, 200);
        }
        for loser in &losers {
            let path = format!("/v1/actors/{loser}/merge");
            node.delete(&path).if_match("*").await.expect(200);
        }
        node.settled().await;
        intake.pull().await;
        for (edge, expected) in edges.iter().zip([200, 404, 404]) {
            assert_eq!(shows(node, edge).await, expected);
            assert_eq!(shows(&here, edge).await, expected);
        }
        for loser in &losers[1..] {
            let path = format!("/v1/actors/{loser}");
            here.get(&path).await.problem(404, "not-found");
        }
        assert_eq!(neighbours(&here, &merge_target).await, Vec::<String>::new());
        audiences_are_true(here.store.db()).await;
        here.stop().await;
    }
);

story!(
    an_undone_merge_of_what_is_gone_since_is_forgotten,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let merge_target = actor(node, "Klinik").await;
        for erased in [false, true] {
            let loser = actor(node, "Dublette").await;
            intake.pull().await;
            let own = actor(&here, "Praxis").await;
            let edge = related(&here, &own, &loser).await;
            merge(node, &loser, &merge_target).await.expect(200);
            intake.pull().await;
            assert_eq!(shows(&here, &edge).await, 200);
            assert_eq!(neighbours(&here, &own).await, vec![merge_target.clone()]);
            // All of it before the next page.
            let path = format!("/v1/actors/{loser}");
            node.delete(&format!("{path}/merge"))
                .if_match("*")
                .await
                .expect(200);
            if erased {
                let erasure = node.post(&format!("{path}/erase")).if_match("*");
                erasure.json(&json!({})).await.expect(204);
            } else {
                node.delete(&path).if_match("*").await.expect(204);
            }
            intake.pull().await;
            assert_eq!(shows(&here, &edge).await, 404);
            assert_eq!(neighbours(&here, &own).await, Vec::<String>::new());
            let gone = here.get(&path).await.status;
            assert!([404, 410].contains(&gone), "{gone}");
            audiences_are_true(here.store.db()).await;
        }
        here.stop().await;
    }
);

story!(
    a_merge_that_leads_from_something_hidden_to_something_visible_is_told,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let merge_target = actor(node, "Klinik").await;
        for archived in [true, false] {
            let loser = actor(node, "Dublette").await;
            let second = draft(node, "Entwurf").await;
            intake.pull().await;
            let own = actor(&here, "Praxis").await;
            let edge = related(&here, &own, &loser).await;
            let last = if archived {
                change(node, &loser, json!({"publication": "archived"})).await;
                &loser
            } else {
                merge(node, &loser, &second).await.expect(200);
                &second
            };
            intake.pull().await;
            assert_eq!(shows(&here, &edge).await, 404);
            merge(node, last, &merge_target).await.expect(200);
            intake.pull().await;
            assert_eq!(shows(&here, &edge).await, 200, "archived: {archived}");
            assert_eq!(neighbours(&here, &own).await, vec![merge_target.clone()]);
            let moved = here.get(&format!("/v1/actors/{loser}")).await;
            assert_eq!(moved.problem(308, "moved").json["moved_to"], merge_target);
            for node in [node, &here] {
                audiences_are_true(node.store.db()).await;
            }
        }
        here.stop().await;
    }
);

story!(
    merges_that_a_snapshot_does_not_tell_are_forgotten,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let merge_target = actor(node, "Klinik").await;
        let loser = actor(node, "Dublette").await;
        merge(node, &loser, &merge_target).await.expect(200);
        intake.pull().await;
        let path = format!("/v1/actors/{loser}");
        here.get(&path).await.problem(308, "moved");
        // Changes that the partner reverts while it is not read.
        change(node, &merge_target, json!({"publication": "draft"})).await;
        intake.change(json!({"kinds": ["actor"]})).await;
        intake.pull().await;
        here.get(&path).await.problem(404, "not-found");
        // And repeats.
        change(node, &merge_target, json!({"publication": "published"})).await;
        intake.pull().await;
        here.get(&path).await.problem(308, "moved");
        here.settled().await;
        audiences_are_true(here.store.db()).await;
        here.stop().await;
    }
);
