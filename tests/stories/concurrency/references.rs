//! References and deletions at the same time: no dangling references.

use super::{between, network, topic};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::audit::audit;
use tests::{Answer, Node, story};

/// A writer that comes too late gets an unknown reference.
#[track_caller]
fn came_too_late(answer: &Answer) {
    let faults = answer.clone().problem(422, "validation-failed").faults();
    let codes = faults.iter().map(|(_, code)| code.as_str());
    assert!(
        codes.clone().all(|code| code == "unknown-reference"),
        "{faults:?}"
    );
}

/// Deletes a record while others start to reference it: one or the other succeeds.
async fn either_named_or_deleted(node: &Node, path: &str, writers: Vec<Answer>, gone: Answer) {
    let (named, late): (Vec<_>, Vec<_>) = writers.into_iter().partition(|one| one.status < 300);
    late.iter().for_each(came_too_late);
    if gone.status == 204 {
        assert!(
            named.is_empty(),
            "{} name {path}, which is gone",
            named.len()
        );
        node.get(path).token(&node.admin).await.problem(410, "gone");
    } else {
        gone.problem(409, "still-referenced");
        assert!(!named.is_empty(), "{path} is kept for nothing");
        node.get(path).token(&node.admin).await.expect(200);
    }
}

async fn delete(node: &Node, path: &str) -> Answer {
    node.delete(path).if_match("*").await
}

story!(a_topic_is_deleted_while_it_is_named, async |node| {
    for round in 0..12 {
        let gone = topic(node, &format!("Vergänglich {round}")).await;
        let path = format!("/v1/topics/{gone}");
        let old = network(node, &format!("Bestehend {round}")).await;
        let new = json!({"name": "Neu", "home_region": "hessen", "topics": [gone]});
        let narrower = json!({"name": "Enger", "broader": gone});
        let writing = async {
            let change = json!({"topics": [gone]});
            let old = format!("/v1/networks/{old}");
            let (one, other, third) = futures::join!(
                node.post("/v1/actors").json(&new).into_future(),
                node.post("/v1/topics").json(&narrower).into_future(),
                node.patch(&old).if_match("*").json(&change).into_future(),
            );
            vec![one, other, third]
        };
        let (writers, gone) = futures::join!(writing, delete(node, &path));
        either_named_or_deleted(node, &path, writers, gone).await;
    }
    audit(node.store.db()).await;
});

story!(a_region_is_deleted_while_records_move_there, async |node| {
    for round in 0..12 {
        let body =
            json!({"name": format!("Kurz {round}"), "level": "region", "home_region": "hessen"});
        let region = node.made("regions", body).await;
        let path = format!("/v1/regions/{region}");
        let bodies: [Value; 3] = [
            json!({"name": "Dort", "home_region": region}),
            json!({"name": "Sitz", "home_region": "hessen", "places": [{"region": region}]}),
            json!({"name": "Auch", "home_region": {"kind": "region", "id": region}}),
        ];
        let writing = bodies
            .iter()
            .map(|body| node.post("/v1/actors").json(body).into_future());
        let (writers, gone) = futures::join!(join_all(writing), delete(node, &path));
        either_named_or_deleted(node, &path, writers, gone).await;
    }
    audit(node.store.db()).await;
});

story!(
    relationships_go_with_the_record_at_their_end,
    async |node| {
        for round in 0..12 {
            let gone = network(node, &format!("Endlich {round}")).await;
            let path = format!("/v1/networks/{gone}");
            let other = network(node, &format!("Bleibend {round}")).await;
            let bodies = [
                between("member_of", &gone, &other),
                between("part_of", &other, &gone),
                between("cooperates_with", &other, &gone),
            ];
            let writing = bodies
                .iter()
                .map(|body| node.post("/v1/relationships").json(body).into_future());
            let (writers, answer) = futures::join!(join_all(writing), delete(node, &path));
            answer.expect(204);
            for writer in writers {
                if writer.status == 201 {
                    let edge = node.get(writer.header("location")).token(&node.admin);
                    edge.await.problem(410, "gone");
                } else {
                    came_too_late(&writer);
                }
            }
        }
        audit(node.store.db()).await;
    }
);

story!(a_relationship_that_moves_away_survives, async |node| {
    for round in 0..12 {
        let names = ["Alt", "Neu", "Mitte"].map(|name| format!("{name} {round}"));
        let ids = names.each_ref().map(async |name| network(node, name).await);
        let [old, new, hub] = <[String; 3]>::try_from(join_all(ids).await).unwrap();
        let body = between("member_of", &old, &hub);
        let edge = node.post("/v1/relationships").json(&body).await.expect(201);
        let edge = edge.header("location");
        let body = between("member_of", &new, &hub);
        let path = format!("/v1/networks/{old}");
        let (moved, gone) = futures::join!(
            node.put(edge).if_match("\"1\"").json(&body).into_future(),
            delete(node, &path),
        );
        gone.expect(204);
        let read = node.get(edge).token(&node.admin).await;
        if moved.status == 200 {
            let read = read.expect(200);
            assert_eq!(read.json["from"]["id"], json!(new));
        } else {
            assert!([404, 410].contains(&moved.status), "{}", moved.text);
            read.problem(410, "gone");
        }
    }
    audit(node.store.db()).await;
});
