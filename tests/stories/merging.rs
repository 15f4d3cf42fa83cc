//! Merging two records, and undoing it: nothing else is rewritten.

mod rights;

use domain::access::rules::Caller;
use futures::future::join_all;
use persistence::load::LoadMode;
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::audit::{Audited, audiences_are_true, audit};
use tests::{Answer, Call, Node, story};
use uuid::Uuid;

async fn actor(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "publication": "published", "home_region": "nordhessen"});
    node.made("actors", body).await
}

fn merge(node: &Node, plural: &str, loser: &str, into: &str) -> Call {
    let path = format!("/v1/{plural}/{loser}/merge");
    node.post(&path).json(&json!({"into": into}))
}

fn undo(node: &Node, plural: &str, loser: &str) -> Call {
    node.delete(&format!("/v1/{plural}/{loser}/merge"))
}

fn related(from: &str, to: &str) -> Value {
    json!({
        "type": "cooperates_with",
        "publication": "published",
        "from": {"kind": "actor", "id": from},
        "to": {"kind": "actor", "id": to},
    })
}

fn shown(answer: &Answer) -> BTreeMap<String, String> {
    let items = answer.json["items"].as_array().unwrap();
    assert_eq!(answer.json["total"], items.len());
    let pair = |item: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&item["id"]), text(&item["other"]["id"]))
    };
    items.iter().map(pair).collect()
}

async fn around(node: &Node, id: &str) -> BTreeMap<String, String> {
    let path = format!("/v1/actors/{id}/relationships?limit=200");
    shown(&node.get(&path).await.expect(200))
}

#[track_caller]
fn moved_to(answer: Answer, id: &str) {
    let moved = answer.problem(308, "moved");
    assert_eq!(moved.json["moved_to"], id);
    assert!(moved.header("location").contains(id), "{:?}", moved.headers);
}

/// Every row of the records except those of `except` is unchanged.
fn nothing_else_changed(before: &Audited, after: &Audited, except: &[&str]) {
    let others = |audited: &Audited| {
        let mut rows = audited.records.clone();
        rows.retain(|id, _| !except.contains(&id.to_string().as_str()));
        rows
    };
    assert_eq!(others(before), others(after));
}

async fn the_books(node: &Node) -> Audited {
    audit(node.store.db()).await
}

async fn first(node: &Node, query: &str) -> String {
    let list = node.get(&format!("/v1/actors?{query}")).await.expect(200);
    list.json["items"][0]["id"].as_str().unwrap().to_owned()
}

story!(a_merge_and_its_undoing, Seeded, async |node| {
    let body = json!({
        "name": "Klinikum Cassel", "publication": "published", "home_region": "nordhessen",
        "identifiers": [{"scheme": "wikidata", "value": "Q424242"}],
        "external_id": {"system": "cms", "id": "k-1"},
    });
    let loser = node.made("actors", body).await;
    let path = format!("/v1/actors/{loser}");
    let changed = node
        .patch(&path)
        .if_match("\"1\"")
        .json(&json!({"slug": "klinikum-c"}));
    let stored = changed.await.expect(200).json;
    let merge_target = node.get("/v1/actors/klinikum-kassel").await.expect(200);
    let partner = actor(node, "Partner").await;
    let edge = node
        .post("/v1/relationships")
        .json(&related(&loser, &partner))
        .await
        .expect(201);
    let own = around(node, merge_target.id()).await;
    let before = the_books(node).await;

    let merged = merge(node, "actors", &loser, "klinikum-kassel")
        .header("change-reason", "doppelt")
        .await
        .expect(200);
    assert_eq!(
        (merged.id(), merged.etag()),
        (merge_target.id(), merge_target.etag())
    );
    assert_eq!(merged.json, merge_target.json);
    let between = the_books(node).await;
    nothing_else_changed(&before, &between, &[&loser]);
    let id = Uuid::parse_str(&loser).unwrap();
    let entry = between.entry(id, 3).unwrap();
    assert_eq!(
        (entry.op.as_str(), entry.reason.as_deref()),
        ("delete", Some("doppelt"))
    );
    assert_eq!(between.log.len(), before.log.len() + 1);
    assert_eq!(between.body(id, 2).unwrap()["name"], "Klinikum Cassel");

    // Requests for the loser are redirected: by id, slug and former slug.
    for key in [loser.as_str(), "klinikum-c", "klinikum-cassel"] {
        moved_to(
            node.get(&format!("/v1/actors/{key}")).await,
            merge_target.id(),
        );
        moved_to(
            node.get(&format!("/v1/actors/{key}/relationships")).await,
            merge_target.id(),
        );
    }
    moved_to(
        merge(node, "actors", &loser, "klinikum-kassel").await,
        merge_target.id(),
    );
    moved_to(node.delete(&path).if_match("*").await, merge_target.id());
    // Its relationships appear at the merge target, both ways.
    let mut both = own.clone();
    both.insert(edge.id().to_owned(), partner.clone());
    assert_eq!(around(node, merge_target.id()).await, both);
    let seen = around(node, &partner).await;
    assert_eq!(seen[edge.id()], merge_target.id());
    node.get(&format!("/v1/relationships/{}", edge.id()))
        .await
        .expect(200);
    for key in [loser.as_str(), "actor/klinikum-c", merge_target.id()] {
        let list = format!(
            "/v1/relationships?type=cooperates_with&from={key},{partner}&to={key},{partner}"
        );
        assert_eq!(node.get(&list).await.expect(200).json["total"], 1, "{key}");
    }
    // The merge target is found by the loser's names.
    for query in ["identifier=wikidata%7CQ424242", "q=Klinikum+Cassel"] {
        assert_eq!(first(node, query).await, merge_target.id(), "{query}");
    }

    let back = undo(node, "actors", &loser).await.expect(200);
    assert_eq!(back.etag(), "\"4\"");
    let without_times = |mut json: Value| {
        json.as_object_mut()
            .unwrap()
            .retain(|name, _| !["version", "updated_at"].contains(&name.as_str()));
        json
    };
    assert_eq!(without_times(back.json.clone()), without_times(stored));
    let after = the_books(node).await;
    nothing_else_changed(&before, &after, &[&loser]);
    assert_eq!(around(node, merge_target.id()).await, own);
    assert_eq!(around(node, &loser).await[edge.id()], partner);
    for query in ["identifier=wikidata%7CQ424242", "q=Klinikum+Cassel"] {
        assert_eq!(first(node, query).await, loser, "{query}");
    }
    // Its former slug leads to it again.
    let moved = node
        .get("/v1/actors/klinikum-cassel")
        .await
        .problem(308, "moved");
    assert_eq!(moved.json["moved_to"], "klinikum-c");
    undo(node, "actors", &loser).await.problem(404, "not-found");
});

story!(
    naming_a_merged_record_means_its_merge_target,
    Seeded,
    async |node| {
        let body = json!({"name": "Telemedizien", "publication": "published", "external_id": {"system": "cms", "id": "t"}});
        let loser = node.made("topics", body).await;
        let merge_target = node
            .made(
                "topics",
                json!({"name": "Fernmedizin", "publication": "published"}),
            )
            .await;
        let named = json!({"name": "Zentrum", "home_region": "nordhessen", "topics": [loser, merge_target], "publication": "published"});
        let naming = node.made("actors", named).await;
        let narrower = node
            .made("topics", json!({"name": "Enger", "broader": loser}))
            .await;
        // References to it do not prevent the merge.
        node.delete(&format!("/v1/topics/{loser}"))
            .if_match("*")
            .await
            .problem(409, "still-referenced");
        let before = the_books(node).await;
        merge(node, "topics", &loser, &merge_target)
            .await
            .expect(200);
        nothing_else_changed(&before, &the_books(node).await, &[&loser]);
        let read = node
            .get(&format!("/v1/actors/{naming}?include=topics"))
            .await
            .expect(200);
        assert_eq!(read.json["topics"], json!([loser, merge_target]));
        assert_eq!(read.json["included"]["topic"].as_object().unwrap().len(), 1);

        for name in [
            json!(loser),
            json!("telemedizien"),
            json!({"external_id": {"system": "cms", "id": "t"}}),
        ] {
            let body = json!({"name": "Praxis", "home_region": "nordhessen", "topics": [name]});
            let path = "/v1/actors?dry_run=true";
            let answer = node.post(path).json(&body).await.expect(200);
            assert_eq!(answer.json["topics"], json!([merge_target]));
        }
        // Two entries that became equal by a merge are not the next writer's error.
        let path = format!("/v1/actors/{naming}");
        let change = json!({"summary": "neu"});
        let changed = node
            .patch(&path)
            .if_match("\"1\"")
            .json(&change)
            .await
            .expect(200);
        assert_eq!(changed.json["topics"].as_array().unwrap().len(), 1);
        // No cycle is closed through a merge, and none afterwards.
        let circle = json!({"broader": narrower});
        let circle = node
            .patch(&format!("/v1/topics/{merge_target}"))
            .if_match("*")
            .json(&circle)
            .await;
        assert_eq!(
            circle.problem(422, "validation-failed").faults()[0].1,
            "cycle"
        );
        let into_narrower = merge(node, "topics", &merge_target, &narrower).await;
        let faults = into_narrower.problem(422, "validation-failed").faults();
        assert_eq!(faults, [("/into".to_owned(), "merge-circle".to_owned())]);
        // References to the loser protect the merge target.
        let held = node
            .delete(&format!("/v1/topics/{merge_target}"))
            .if_match("*")
            .await;
        let held = held.problem(409, "still-referenced");
        assert!(held.text.contains(&narrower));
        the_books(node).await;
    }
);

story!(
    a_merged_record_does_not_come_back_by_being_supplied_again,
    async |node| {
        let key = json!({"system": "cms", "id": "7"});
        let body =
            json!({"kind": "actor", "name": "Alt", "home_region": "hessen", "external_id": key});
        let loser = node.made("actors", body.clone()).await;
        let merge_target = node
            .made("actors", json!({"name": "Neu", "home_region": "hessen"}))
            .await;
        merge(node, "actors", &loser, &merge_target)
            .await
            .expect(200);
        let refused = node
            .post("/v1/actors")
            .json(&body)
            .await
            .problem(409, "conflict");
        assert_eq!(refused.json["unique"], "merged");
        assert_eq!(refused.json["other"]["id"], merge_target);
        let options = WriteOptions::default();
        let mut line = body.clone();
        let with_id = json!({"kind": "actor", "id": loser, "name": "Alt", "home_region": "hessen"});
        for line in [line.take(), with_id] {
            let text = line.to_string();
            for mode in [LoadMode::Upsert, LoadMode::CreateMissing] {
                let loaded = node
                    .store
                    .imports()
                    .load(&Caller::node(), &[&text], mode, &options)
                    .await
                    .unwrap();
                let refused = loaded[0].0.is_err();
                assert_eq!(refused, mode == LoadMode::Upsert, "{loaded:?}");
            }
        }
        undo(node, "actors", &loser).await.expect(200);
        the_books(node).await;
    }
);

story!(
    chains_lead_to_their_end_and_come_apart_again,
    async |node| {
        let mut ids = Vec::new();
        for name in ["A", "B", "C", "D"] {
            let body = json!({"name": name, "home_region": "hessen", "publication": "published"});
            ids.push(node.made("actors", body).await);
        }
        let [a, b, c, d] = ids.as_slice() else {
            panic!()
        };
        let edge = node
            .post("/v1/relationships")
            .json(&related(a, d))
            .await
            .expect(201);
        merge(node, "actors", a, b).await.expect(200);
        let led_on = merge(node, "actors", c, a).await.expect(200);
        assert_eq!(led_on.id(), b, "into A means into B");
        undo(node, "actors", c).await.expect(200);
        merge(node, "actors", b, c).await.expect(200);
        for key in [a.as_str(), b, "a", "b"] {
            moved_to(node.get(&format!("/v1/actors/{key}")).await, c);
        }
        assert_eq!(around(node, c).await[edge.id()], *d);
        merge(node, "actors", c, a)
            .await
            .problem(422, "validation-failed");
        the_books(node).await;
        // In the middle: A follows B again.
        undo(node, "actors", b).await.expect(200);
        moved_to(node.get(&format!("/v1/actors/{a}")).await, b);
        assert_eq!(around(node, b).await[edge.id()], *d);
        assert!(around(node, c).await.is_empty());
        the_books(node).await;
        // Out of a chain while its end goes on.
        merge(node, "actors", b, c).await.expect(200);
        undo(node, "actors", a).await.expect(200);
        node.get(&format!("/v1/actors/{a}")).await.expect(200);
        moved_to(node.get(&format!("/v1/actors/{b}")).await, c);
        the_books(node).await;
    }
);

story!(
    deleting_a_merge_target_deletes_the_records_merged_into_it,
    async |node| {
        let mut ids = Vec::new();
        for name in ["Verlierer", "Bleibt", "Dritter"] {
            let body = json!({"name": name, "home_region": "hessen", "publication": "published"});
            ids.push(node.made("actors", body).await);
        }
        let [loser, merge_target, third] = ids.as_slice() else {
            panic!()
        };
        let edge = node
            .post("/v1/relationships")
            .json(&related(loser, third))
            .await
            .expect(201);
        merge(node, "actors", loser, merge_target).await.expect(200);
        node.delete(&format!("/v1/actors/{merge_target}"))
            .if_match("*")
            .await
            .expect(204);
        for id in [loser, merge_target] {
            let gone = node
                .get(&format!("/v1/actors/{id}"))
                .await
                .problem(410, "gone");
            assert_eq!(gone.json["tombstone"]["id"], *id);
            assert!(gone.json["tombstone"].get("merged_into").is_none());
        }
        node.get(&format!("/v1/relationships/{}", edge.id()))
            .await
            .problem(410, "gone");
        // A merged record can still be restored.
        undo(node, "actors", loser).await.expect(200);
        assert!(around(node, loser).await.is_empty());
    }
);

story!(
    slugs_and_identifiers_that_were_taken_meanwhile,
    async |node| {
        let body = json!({"name": "Kürzel", "slug": "kcr", "home_region": "hessen", "identifiers": [{"scheme": "wikidata", "value": "Q77"}]});
        let loser = node.made("actors", body.clone()).await;
        let merge_target = node
            .made("actors", json!({"name": "Bleibt", "home_region": "hessen"}))
            .await;
        merge(node, "actors", &loser, &merge_target)
            .await
            .expect(200);
        let other = node.made("actors", body).await;
        let taken = undo(node, "actors", &loser).await.problem(409, "conflict");
        assert_eq!(taken.json["unique"], "identifier");
        assert_eq!(taken.json["other"]["id"], other);
        let path = format!("/v1/actors/{other}");
        node.patch(&path)
            .if_match("*")
            .json(&json!({"identifiers": null}))
            .await
            .expect(200);
        let rehearsed = node
            .delete(&format!("/v1/actors/{loser}/merge?dry_run=true"))
            .await
            .expect(200);
        assert_eq!(
            (rehearsed.json["slug"].as_str(), rehearsed.etag()),
            (Some("kcr-2"), "")
        );
        undo(node, "actors", &loser)
            .if_match("\"9\"")
            .await
            .problem(412, "precondition-failed");
        let back = undo(node, "actors", &loser)
            .if_match("\"2\"")
            .await
            .expect(200);
        assert_eq!(back.json["slug"], "kcr-2");
        assert_eq!(
            node.get("/v1/actors/kcr")
                .token(&node.admin)
                .await
                .expect(200)
                .id(),
            other
        );
        the_books(node).await;
    }
);

story!(
    what_a_draft_was_related_to_is_seen_once_it_is_merged,
    Seeded,
    async |node| {
        let draft = json!({"name": "Klinikum Cassel", "home_region": "nordhessen"});
        let draft = node.made("actors", draft).await;
        let partner = actor(node, "Partner").await;
        let edge = node.made("relationships", related(&draft, &partner)).await;
        let path = format!("/v1/relationships/{edge}");
        let merge_target = node.get("/v1/actors/klinikum-kassel").await.expect(200);
        let partners = format!("/v1/actors?cooperates_with={}", merge_target.id());
        let found = async || {
            node.settled().await;
            audiences_are_true(node.store.db()).await;
            let list = node.get(&partners).anonymous().await.expect(200).json;
            let names = list["items"].as_array().unwrap().iter();
            let found = names.filter(|item| item["id"] == partner.as_str()).count();
            (found, node.get(&path).anonymous().await.status)
        };
        assert_eq!(found().await, (0, 404));
        merge(node, "actors", &draft, merge_target.id())
            .await
            .expect(200);
        assert_eq!(found().await, (1, 200));
        undo(node, "actors", &draft).await.expect(200);
        assert_eq!(found().await, (0, 404));
    }
);

story!(of_two_merges_into_each_other_one_wins, async |node| {
    for round in 0..8 {
        let mut ids = Vec::new();
        for side in ["links", "rechts"] {
            let body = json!({"name": format!("{side} {round}"), "home_region": "hessen", "publication": "published"});
            ids.push(node.made("actors", body).await);
        }
        let pairs = [(&ids[0], &ids[1]), (&ids[1], &ids[0])];
        let merges = pairs.map(|(loser, into)| merge(node, "actors", loser, into).into_future());
        let answers = join_all(merges).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{answers:?}");
        for lost in answers.into_iter().filter(|answer| answer.status != 200) {
            match lost.status {
                308 => drop(lost.problem(308, "moved")),
                404 => drop(lost.problem(404, "not-found")),
                _ => assert_eq!(
                    lost.problem(422, "validation-failed").faults()[0].1,
                    "merge-self"
                ),
            }
        }
        // Merged and referenced at the same time: the reference means the merge target.
        let third = node
            .made(
                "actors",
                json!({"name": format!("dritter {round}"), "home_region": "hessen"}),
            )
            .await;
        let loser = node
            .made(
                "actors",
                json!({"name": format!("vierter {round}"), "home_region": "hessen"}),
            )
            .await;
        let naming = (0..4).map(|_| {
            let body = json!({"type": "involved_in", "from": {"kind": "actor", "id": loser}, "to": {"kind": "event", "as_stated": "ein Fest"}, "note": "x"});
            node.post("/v1/relationships?dry_run=false").json(&body).into_future()
        });
        let merging = merge(node, "actors", &loser, &third).into_future();
        let (named, merged) = futures::join!(join_all(naming), merging);
        merged.expect(200);
        assert!(
            named.iter().all(|one| [201, 409].contains(&one.status)),
            "{named:?}"
        );
    }
    the_books(node).await;
});

story!(
    the_geometry_of_a_merged_region_comes_back_with_it,
    async |node| {
        let body = |name: &str| json!({"name": name, "level": "region", "home_region": "hessen", "publication": "published"});
        let loser = node.made("regions", body("Alt")).await;
        let merge_target = node.made("regions", body("Neu")).await;
        let path = format!("/v1/regions/{loser}/geometry");
        let square = json!({"type": "Polygon", "coordinates": [[[9.0, 51.0], [10.0, 51.0], [10.0, 52.0], [9.0, 51.0]]]});
        let put = node
            .put(&path)
            .header("if-none-match", "*")
            .json(&square)
            .await
            .expect(200);
        merge(node, "regions", &loser, &merge_target)
            .await
            .expect(200);
        moved_to(node.get(&path).await, &merge_target);
        undo(node, "regions", &loser).await.expect(200);
        let read = node.get(&path).await.expect(200);
        assert_eq!((read.etag(), &read.json), (put.etag(), &put.json));
        node.delete(&format!("/v1/regions/{loser}"))
            .if_match("*")
            .await
            .expect(204);
        let again = json!({"kind": "region", "id": loser, "name": "Alt", "level": "region", "home_region": "hessen"}).to_string();
        let options = WriteOptions::default();
        node.store
            .imports()
            .load(&Caller::node(), &[&again], LoadMode::Upsert, &options)
            .await
            .unwrap();
        node.get(&path)
            .token(&node.admin)
            .await
            .problem(404, "not-found");
    }
);
