//! Several nodes at once: loops end, and equal names do no harm.

use super::{actor, change, delete, related};
use domain::access::rules::Role;
use persistence::partner::PageOutcome;
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::{Intake, Neighbour, story};
use uuid::Uuid;

story!(
    three_nodes_that_take_over_from_each_other_come_to_rest,
    async |node| {
        let b = Neighbour::start(node.backend, "berg").await;
        let c = Neighbour::start(node.backend, "tal").await;
        let mut own = Vec::new();
        for (here, name) in [(node, "A"), (&*b, "B"), (&*c, "C")] {
            own.push(actor(here, name).await);
        }
        let everybody = [node, &*b, &*c];
        let mut intakes = Vec::new();
        for here in everybody {
            for there in everybody {
                let origin = there.store.node().origin.clone();
                if origin != here.store.node().origin {
                    intakes.push((
                        there,
                        Intake::new(here, &origin, &there.base, json!({})).await,
                    ));
                }
            }
        }
        for _ in 0..2 {
            for (_, intake) in &intakes {
                intake.pull().await;
            }
        }
        // Each references the others' records.
        related(&b, &own[1], &own[0]).await;
        related(&c, &own[2], &own[1]).await;
        change(node, &own[0], json!({"summary": "neu"})).await;
        for _ in 0..2 {
            for (there, intake) in &intakes {
                there.settled().await;
                intake.pull().await;
            }
        }
        let mut heads = Vec::new();
        for here in everybody {
            here.settled().await;
            heads.push(here.store.log().head().await.unwrap());
        }
        for (there, intake) in &intakes {
            intake.pull().await;
            intake.equals(there, "").await;
        }
        for (here, head) in everybody.iter().zip(heads) {
            here.settled().await;
            assert_eq!(
                here.store.log().head().await.unwrap(),
                head,
                "nothing is written at rest"
            );
            for id in &own {
                here.get(&format!("/v1/actors/{id}")).await.expect(200);
            }
            let list = here
                .get("/v1/relationships?type=cooperates_with")
                .await
                .expect(200);
            assert_eq!(list.json["total"], 2);
            audiences_are_true(here.store.db()).await;
        }
        drop(intakes);
        b.stop().await;
        c.stop().await;
    }
);

story!(
    what_is_called_the_same_on_several_nodes_does_no_harm,
    async |node| {
        let b = Neighbour::start(node.backend, "berg").await;
        let c = Neighbour::start(node.backend, "tal").await;
        let ik = json!([{"scheme": "ik", "value": "260000011"}]);
        let clinic = json!({"name": "Klinik", "home_region": "hessen", "publication": "published", "identifiers": ik, "external_id": {"system": "cms", "id": "1"}});
        let region = json!({"name": "Hessen", "slug": "hessen", "level": "state", "home_region": "hessen", "publication": "published"});
        for there in [&*b, &*c] {
            there.made("actors", clinic.clone()).await;
            there.made("regions", region.clone()).await;
        }
        let only = b
            .made(
                "actors",
                json!({"name": "Nur dort", "home_region": "hessen", "publication": "published"}),
            )
            .await;
        for (name, there) in [("berg", &b), ("tal", &c)] {
            let intake = Intake::new(node, name, &there.base, json!({})).await;
            assert_eq!(intake.pull().await, PageOutcome::UpToDate);
            intake.equals(there, "").await;
        }
        // With two copies the slug is ambiguous; with one it is not.
        node.get("/v1/actors/klinik")
            .await
            .problem(409, "ambiguous-slug");
        assert_eq!(node.get("/v1/actors/nur-dort").await.expect(200).id(), only);
        // Reference data takes precedence over copies, and references to it continue to work.
        let hesse = node.get("/v1/regions/hessen").await.expect(200);
        assert_eq!(hesse.json["origin"], "verbund");
        let own = node.made("actors", clinic.clone()).await;
        let found = node.get("/v1/actors/klinik").await.expect(200);
        assert_eq!(
            (found.id(), &found.json["home_region"]),
            (own.as_str(), &json!(hesse.id()))
        );
        // Only own records conflict with each other.
        let again = node.post("/v1/actors").json(&clinic).await;
        again.problem(409, "conflict");
        let referring = json!({"type": "cooperates_with", "from": {"kind": "actor", "slug": "klinik"}, "to": {"kind": "actor", "slug": "nur-dort"}});
        let edge = node
            .post("/v1/relationships")
            .json(&referring)
            .await
            .expect(201);
        let ends = [&edge.json["from"]["id"], &edge.json["to"]["id"]];
        assert!(
            ends.contains(&&json!(own)) && ends.contains(&&json!(only)),
            "{ends:?}"
        );
        node.settled().await;
        audiences_are_true(node.store.db()).await;
        b.stop().await;
        c.stop().await;
    }
);

story!(partners_give_nobody_rights, async |node| {
    let there = Neighbour::start(node.backend, "berg").await;
    let region = |name: &str| json!({"name": name, "level": "health_region", "home_region": "hessen", "publication": "published"});
    let theirs = there.made("regions", region("Dort")).await;
    let also = there.made("regions", region("Auch dort")).await;
    let intake = Intake::new(node, "berg", &there.base, json!({})).await;
    intake.pull().await;
    // An editor of a partner's region and its descendants.
    let id: Uuid = theirs.parse().unwrap();
    let editor = node.token_below(Role::Editor, Some(id), true).await;
    let may = async |home: &str| {
        let body = json!({"name": "Neu", "home_region": home});
        node.post("/v1/actors?dry_run=true")
            .token(&editor)
            .json(&body)
            .await
            .status
    };
    assert_eq!(may(&theirs).await, 200);
    assert_eq!(may(&also).await, 403);
    // The partner puts the one below the other, and then merges them.
    let below = json!({"type": "part_of", "publication": "published", "from": {"kind": "region", "id": also}, "to": {"kind": "region", "id": theirs}});
    let below = there.made("relationships", below).await;
    intake.pull().await;
    assert_eq!(may(&also).await, 403);
    delete(&there, "relationships", &below).await;
    let merge = format!("/v1/regions/{theirs}/merge");
    there
        .post(&merge)
        .json(&json!({"into": also}))
        .await
        .expect(200);
    intake.pull().await;
    node.get(&format!("/v1/regions/{theirs}"))
        .await
        .problem(308, "moved");
    assert_eq!(may(&also).await, 403);
    there.stop().await;
});
