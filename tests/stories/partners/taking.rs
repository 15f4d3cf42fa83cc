//! Copied records and their storage.

use super::{actor, change, delete, related};
use domain::access::rules::Caller;
use persistence::load::LoadMode;
use persistence::partner::PageOutcome;
use persistence::transaction::WriteOptions;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use tests::audit::{audiences_are_true, audit};
use tests::tables::{change as log, record};
use tests::{Intake, Neighbour, story};
use uuid::Uuid;

story!(records_are_taken_over_as_they_are, Seeded, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    intake.equals(node, "").await;
    here.settled().await;
    audiences_are_true(here.store.db()).await;

    let path = "/v1/networks/cluster-gesundheit-nordhessen";
    let there = node.get(path).await.expect(200);
    let copy = here.get(path).await.expect(200);
    assert_eq!(copy.etag(), there.etag());
    let mut same = copy.json.clone();
    assert!(
        same.as_object_mut()
            .unwrap()
            .shift_remove("synced_at")
            .is_some()
    );
    assert_eq!(same, there.json);
    // Lists, relationships and search contain it too.
    let lists = [
        "/v1/search?q=Klinikum+Kassel&kind=actor",
        "/v1/networks?limit=100",
    ];
    let around = format!("{path}/relationships?limit=200");
    for list in lists.into_iter().chain([around.as_str()]) {
        let (here, there) = (here.get(list).await, node.get(list).await);
        assert_eq!(
            here.expect(200).json["total"],
            there.expect(200).json["total"],
            "{list}"
        );
    }
    // Editors here cannot write it.
    let refused = here
        .patch(path)
        .if_match("*")
        .json(&json!({"summary": "x"}))
        .await;
    assert_eq!(refused.problem(403, "forbidden").json["reason"], "copy");

    // At rest nothing is written.
    let head = here.store.log().head().await.unwrap();
    for _ in 0..3 {
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    }
    assert_eq!(here.store.log().head().await.unwrap(), head);
    // Nor if everything is sent again.
    let shown = intake
        .change(json!({"url": format!("{}/", node.base)}))
        .await;
    assert_eq!(shown["phase"], "snapshot");
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    assert_eq!(here.store.log().head().await.unwrap(), head);
    let shown = intake.shown().await;
    assert_eq!(shown["origin"], node.store.node().origin);
    assert_eq!(shown["phase"], "changes");
    assert_eq!(shown["lag"]["entries"], 0);
    assert_eq!(shown["seq"], node.store.log().head().await.unwrap());
    assert_eq!(shown["quarantined"]["count"], 0);
    // Copies are not in the feed.
    let feed = here.get("/v1/sync/changes").await.expect(200);
    assert_eq!(feed.json["entries"], json!([]));
    here.stop().await;
});

story!(changes_follow, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let id = actor(node, "Bleibt").await;
    let other = actor(node, "Geht").await;
    let edge = related(node, &id, &other).await;
    intake.pull().await;
    let path = format!("/v1/actors/{id}");
    let first = here.get(&path).await.expect(200);
    assert_eq!(first.json["version"], 1);

    change(node, &id, json!({"summary": "neu", "slug": "bleibt-hier"})).await;
    intake.pull().await;
    let second = here.get(&path).await.expect(200);
    assert_eq!(second.json["version"], 2);
    assert_eq!(second.json["summary"], "neu");
    let history = here.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history.json["items"].as_array().unwrap().len(), 2);
    here.get("/v1/actors/bleibt").await.problem(308, "moved");

    // Withdrawn: removed without a trace, whatever version returns later.
    change(node, &id, json!({"publication": "archived"})).await;
    node.settled().await;
    intake.pull().await;
    here.settled().await;
    here.get(&path).await.problem(404, "not-found");
    here.get(&format!("/v1/relationships/{edge}"))
        .await
        .problem(404, "not-found");
    let uuid: Uuid = id.parse().unwrap();
    let kept = log::Entity::find()
        .filter(log::Column::RecordId.eq(uuid))
        .filter(log::Column::Body.is_not_null())
        .one(here.store.db().reader());
    assert_eq!(kept.await.unwrap(), None, "no body is kept");
    change(node, &id, json!({"publication": "published"})).await;
    node.settled().await;
    intake.pull().await;
    assert_eq!(here.get(&path).await.expect(200).json["version"], 4);
    here.get(&format!("/v1/relationships/{edge}"))
        .await
        .expect(200);

    // Deleted: 410, with its relationship.
    delete(node, "actors", &other).await;
    intake.pull().await;
    let gone = here
        .get(&format!("/v1/actors/{other}"))
        .await
        .problem(410, "gone");
    assert_eq!(gone.json["tombstone"]["version"], 2);
    here.get(&format!("/v1/relationships/{edge}"))
        .await
        .problem(410, "gone");
    intake.equals(node, "").await;
    here.settled().await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(merges_follow_and_come_undone, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let mut ids = Vec::new();
    for name in ["Eins", "Zwei", "Drei"] {
        ids.push(actor(node, name).await);
    }
    let edge = related(node, &ids[0], &ids[1]).await;
    intake.pull().await;
    // This node references a copy that is merged later.
    let own = actor(&here, "Eigener").await;
    let named = related(&here, &own, &ids[0]).await;
    let merge = async |loser: &str, into: &str| {
        let path = format!("/v1/actors/{loser}/merge");
        node.post(&path)
            .json(&json!({"into": into}))
            .await
            .expect(200);
    };
    merge(&ids[0], &ids[1]).await;
    merge(&ids[1], &ids[2]).await;
    node.settled().await;
    intake.pull().await;
    here.settled().await;
    audiences_are_true(here.store.db()).await;
    for loser in &ids[..2] {
        let moved = here
            .get(&format!("/v1/actors/{loser}"))
            .await
            .problem(308, "moved");
        assert_eq!(moved.json["moved_to"], ids[2]);
    }
    let around = here
        .get(&format!("/v1/actors/{}/relationships", ids[2]))
        .await
        .expect(200);
    let around = around.json["items"].to_string();
    assert!(
        around.contains(&named) && around.contains(&edge),
        "{around}"
    );
    let undo = format!("/v1/actors/{}/merge", ids[0]);
    node.delete(&undo).await.expect(200);
    node.settled().await;
    intake.pull().await;
    here.settled().await;
    assert_eq!(
        here.get(&format!("/v1/actors/{}", ids[0]))
            .await
            .expect(200)
            .json["version"],
        3
    );
    intake.equals(node, "").await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(what_is_named_may_come_later_or_never, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let more = json!({"kinds": ["relationship"]});
    let intake = Intake::new(&here, "nachbar", &node.base, more).await;
    let (from, to) = (actor(node, "Von").await, actor(node, "Nach").await);
    let edge = related(node, &from, &to).await;
    intake.pull().await;
    here.settled().await;
    let path = format!("/v1/relationships/{edge}");
    here.get(&path).await.problem(404, "not-found");
    audit(here.store.db()).await;
    intake
        .change(json!({"kinds": ["relationship", "actor"]}))
        .await;
    intake.pull().await;
    here.settled().await;
    here.get(&path).await.expect(200);
    intake.equals(node, "kind=actor,relationship").await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(another_filter_takes_away_what_is_not_wanted, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let id = actor(node, "Akteur").await;
    let topic = node
        .made(
            "topics",
            json!({"name": "Thema", "publication": "published"}),
        )
        .await;
    intake.pull().await;
    let home = node.get("/v1/regions/hessen").await.expect(200);
    intake.change(json!({"home_regions": [home.id()]})).await;
    intake.pull().await;
    here.get(&format!("/v1/actors/{id}")).await.expect(200);
    here.get(&format!("/v1/topics/{topic}"))
        .await
        .problem(404, "not-found");
    let filter = format!("home_region={}", home.id());
    intake.equals(node, &filter).await;
    intake.change(json!({"home_regions": []})).await;
    intake.pull().await;
    intake.equals(node, "").await;
    here.settled().await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(two_that_swap_their_slugs_do_no_harm, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let (a, b) = (actor(node, "Anton").await, actor(node, "Berta").await);
    intake.pull().await;
    for (id, slug) in [(&a, "frei"), (&b, "anton"), (&a, "berta")] {
        change(node, id, json!({"slug": slug})).await;
    }
    let ik = json!([{"scheme": "ik", "value": "260000011"}]);
    change(node, &a, json!({"identifiers": ik})).await;
    intake.pull().await;
    change(node, &a, json!({"identifiers": null})).await;
    change(node, &b, json!({"identifiers": ik})).await;
    intake.pull().await;
    intake.equals(node, "").await;
    for (slug, id) in [("anton", &b), ("berta", &a)] {
        let found = here.get(&format!("/v1/actors/{slug}")).await.expect(200);
        assert_eq!(found.id(), id);
    }
    here.stop().await;
});

story!(
    a_newer_record_never_gives_way_to_an_older_one,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let id = actor(node, "Akteur").await;
        intake.pull().await;
        let uuid: Uuid = id.parse().unwrap();
        record::Entity::update_many()
            .col_expr(record::Column::Version, Expr::value(9))
            .filter(record::Column::Id.eq(uuid))
            .exec(here.store.db().reader())
            .await
            .unwrap();
        change(node, &id, json!({"summary": "2"})).await;
        intake.pull().await;
        let kept = here.get(&format!("/v1/actors/{id}")).await.expect(200);
        assert_eq!(kept.json["version"], 9);
        // Only a snapshot puts it right.
        intake
            .change(json!({"url": format!("{}/", node.base)}))
            .await;
        intake.pull().await;
        let kept = here.get(&format!("/v1/actors/{id}")).await.expect(200);
        assert_eq!(kept.json["version"], 2);
        here.stop().await;
    }
);

story!(hidden_copies_stay_hidden, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let id = actor(node, "Versteckt").await;
    intake.pull().await;
    let path = format!("/v1/actors/{id}");
    here.put(&format!("{path}/hidden")).await.expect(204);
    change(node, &id, json!({"summary": "neu"})).await;
    intake.pull().await;
    here.get(&path).await.problem(404, "not-found");
    change(node, &id, json!({"publication": "draft"})).await;
    intake.pull().await;
    change(node, &id, json!({"publication": "published"})).await;
    intake.pull().await;
    here.settled().await;
    here.get(&path).await.problem(404, "not-found");
    here.delete(&format!("{path}/hidden")).await.expect(204);
    here.get(&path).await.expect(200);
    here.settled().await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(disputed_copies_stay_suppressed, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let own = actor(&here, "Eigener").await;
    let back = Intake::new(node, "hier", &here.base, json!({})).await;
    back.pull().await;
    let there = actor(node, "Dort").await;
    let edge = related(node, &there, &own).await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    intake.pull().await;
    here.settled().await;
    let path = format!("/v1/relationships/{edge}");
    let shown = here.get(&path).await.expect(200);
    let ends = ["from", "to"];
    let end = ends.iter().find(|end| shown.json[**end]["id"] == own);
    let disputed = json!({"end": end.unwrap(), "state": "disputed"});
    let state = format!("{path}/confirmation");
    let state = here.put(&state).if_match("*").json(&disputed).await;
    state.expect(200);
    here.get(&path).await.problem(404, "not-found");
    // The partner does not know of that, and changes it.
    let note = node.patch(&path).if_match("*");
    note.json(&json!({"note": "neu"})).await.expect(200);
    intake.pull().await;
    here.settled().await;
    let id: Uuid = edge.parse().unwrap();
    let row = record::Entity::find_by_id(id).one(here.store.db().reader());
    let row = row.await.unwrap().unwrap();
    assert_eq!((row.version, row.suppressed), (2, true));
    here.get(&path).await.problem(404, "not-found");
    audiences_are_true(here.store.db()).await;
    intake.equals(node, "").await;
    here.stop().await;
});

story!(
    what_is_imported_is_taken_over_however_much_it_is,
    Few,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        let ids: Vec<Uuid> = (0..45).map(|_| domain::base::id::new()).collect();
        // As a few transactions, which then grow, so that the first of them contains large ones.
        for text in ["kurz".to_owned(), "🏥".repeat(49_000)] {
            let lines: Vec<String> = (ids.iter().enumerate())
            .map(|(number, id)| json!({"id": id, "kind": "topic", "name": format!("Thema {number}"), "publication": "published", "description": text}).to_string())
            .collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let (caller, options) = (Caller::node(), WriteOptions::default());
            let loaded = node
                .store
                .imports()
                .load(&caller, &lines, LoadMode::Upsert, &options);
            let loaded = loaded.await.unwrap();
            assert!(loaded.iter().all(|one| one.0.is_ok()));
        }
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        intake.equals(node, "kind=topic").await;
        here.stop().await;
    }
);
