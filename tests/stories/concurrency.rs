//! Many concurrent writers: nothing is lost, overwritten or left half done.

mod circles;
mod references;
mod stress;
mod uniqueness;

use domain::access::rules::Caller;
use domain::base::kind::Kind;
use futures::future::join_all;
use persistence::transaction::WriteOptions;
use rand::Rng;
use serde_json::{Value, json};
use std::time::Duration;
use tests::audit::audit;
use tests::settings::chance;
use tests::{Answer, Node, story};

async fn network(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "network_type": "alliance", "home_region": "hessen"});
    node.made("networks", body).await
}

async fn topic(node: &Node, name: &str) -> String {
    node.made("topics", json!({"name": name})).await
}

fn between(kind: &str, from: &str, to: &str) -> Value {
    json!({
        "type": kind,
        "from": {"kind": "network", "id": from},
        "to": {"kind": "network", "id": to},
    })
}

/// Counts the responses with this status; all others must be the problem `code`, with `status`.
#[track_caller]
fn winners(answers: Vec<Answer>, won: u16, status: u16, code: &str) -> usize {
    let (winners, losers): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|one| one.status == won);
    for loser in losers {
        loser.problem(status, code);
    }
    winners.len()
}

story!(of_eight_writers_on_one_version_one_wins, async |node| {
    for round in 0..20 {
        let name = format!("Umkämpft {round}");
        let path = format!("/v1/networks/{}", network(node, &name).await);
        let before = node.store.log().watch().borrow().to_owned();
        let writers = (0..8).map(async |writer| {
            let change = json!({"summary": format!("von Schreiber {writer}")});
            node.patch(&path).if_match("\"1\"").json(&change).await
        });
        let answers = join_all(writers).await;
        let winner = answers.iter().find(|answer| answer.status == 200);
        let winner = winner.unwrap().json.clone();
        assert_eq!(winners(answers, 200, 412, "precondition-failed"), 1);

        let read = node.get(&path).token(&node.admin).await.expect(200);
        assert_eq!(read.etag(), "\"2\"");
        assert_eq!(read.json, winner);
        let after = node.store.log().watch().borrow().to_owned();
        assert_eq!(after, before + 1);
    }
    audit(node.store.db()).await;
});

story!(
    a_record_can_be_changed_while_others_are_written_that_name_it,
    async |node| {
        let body = json!({"name": "Gefragt", "level": "region", "home_region": "hessen"});
        let region = node.made("regions", body).await;
        let path = format!("/v1/regions/{region}");
        let busy = std::cell::Cell::new(true);
        let naming = join_all((0..8).map(async |writer| {
            for number in 0.. {
                let name = format!("Akteur {writer} {number}");
                let body = json!({"name": name, "home_region": region});
                node.post("/v1/actors").json(&body).await.expect(201);
                if !busy.get() {
                    break;
                }
            }
        }));
        let changing = async {
            for number in 0..3 {
                let change = json!({"summary": format!("Fassung {number}")});
                let changed = node.patch(&path).if_match("*").json(&change).await;
                changed.expect(200);
            }
            busy.set(false);
        };
        futures::join!(naming, changing);
        audit(node.store.db()).await;
    }
);

story!(writers_that_hang_up_leave_nothing_half_done, async |node| {
    let mut chance = chance();
    let caller = Caller::node();
    let options = WriteOptions::default();
    let path = format!("/v1/networks/{}", network(node, "Ruhig").await);
    for round in 0..20 {
        let writers = (0..8).map(|writer| {
            let patience = Duration::from_micros(chance.random_range(0..20_000));
            let name = format!("Ungeduldig {round} {writer}");
            let body = json!({"name": name, "home_region": "hessen"});
            let (store, caller, options) = (&node.store, &caller, &options);
            async move {
                let writing = store
                    .records()
                    .create(caller, Kind::Network, &body, options);
                // Whether it finished in time does not matter here.
                tokio::time::timeout(patience, writing).await.is_ok()
            }
        });
        join_all(writers.collect::<Vec<_>>()).await;
        // They do not delay a waiting writer.
        let change = json!({"summary": format!("Runde {round}")});
        let changed = node.patch(&path).if_match("*").json(&change).await;
        changed.expect(200);
    }
    audit(node.store.db()).await;
});
