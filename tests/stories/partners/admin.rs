//! Partners as admins see and manage them.

use super::actor;
use persistence::partner::PageOutcome;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tests::audit::audiences_are_true;
use tests::tables::{partner, record};
use tests::{Intake, Neighbour, story};

const ALL: &str = "/v1/sync/partners";

story!(partners_are_made_changed_and_removed, async |node| {
    let body = json!({"name": "nachbar", "url": "https://verzeichnis.example", "kinds": ["actor"]});
    let made = node.post(ALL).json(&body).await.expect(201);
    assert_eq!(made.etag(), "\"1\"");
    assert_eq!(made.json["state"], "active");
    assert_eq!(made.json["phase"], "snapshot");
    assert_eq!(made.json["kinds"], json!(["actor"]));
    assert_eq!(made.json.get("origin"), None);
    let path = made.header("location").to_owned();
    node.post(ALL).json(&body).await.problem(409, "conflict");
    let read = node.get(&path).token(&node.admin).await.expect(200);
    assert_eq!(read.json, made.json);
    let list = node.get(ALL).token(&node.admin).await.expect(200);
    assert_eq!(list.json["items"], json!([made.json]));

    let patch =
        |body: serde_json::Value| node.patch(&path).body("application/json", body.to_string());
    patch(json!({"paused": true}))
        .await
        .problem(428, "precondition-required");
    let paused = patch(json!({"paused": true}))
        .if_match("\"1\"")
        .await
        .expect(200);
    assert_eq!(
        (paused.etag(), &paused.json["state"]),
        ("\"2\"", &json!("paused"))
    );
    patch(json!({"name": "n"}))
        .if_match("\"1\"")
        .await
        .problem(422, "validation-failed");
    patch(json!({"name": "neu"}))
        .if_match("\"1\"")
        .await
        .problem(412, "precondition-failed");
    let all = patch(json!({"kinds": [], "paused": false}))
        .if_match("\"2\"")
        .await
        .expect(200);
    assert_eq!(all.json["kinds"], json!([]));
    // There is nothing to approve.
    let released = node
        .post(&format!("{path}/approve-deletions"))
        .await
        .expect(200);
    assert_eq!(released.json["version"], 3);
    node.delete(&path)
        .if_match("\"1\"")
        .await
        .problem(412, "precondition-failed");
    node.delete(&path).if_match("\"3\"").await.expect(204);
    node.get(&path)
        .token(&node.admin)
        .await
        .problem(404, "not-found");
    for wrong in [
        json!({"name": "nachbar"}),
        json!({"name": "Nachbar", "url": "https://verzeichnis.example"}),
        json!({"name": "nachbar", "url": "https://verzeichnis.example", "kinds": ["starship"]}),
        json!({"name": "nachbar", "url": "https://verzeichnis.example", "home_regions": ["hessen"]}),
        json!({"name": "nachbar", "url": "https://verzeichnis.example", "kindz": ["actor"]}),
    ] {
        let refused = node.post(ALL).json(&wrong).await;
        refused.problem(422, "validation-failed");
    }
});

story!(copies_stay_or_go_with_their_partner, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    for number in 0..3 {
        actor(node, &format!("Akteur {number}")).await;
    }
    let copies = async || {
        let copies =
            record::Entity::find().filter(record::Column::Origin.eq(&node.store.node().origin));
        copies.count(here.store.db().reader()).await.unwrap()
    };
    for (query, left) in [("", 3), ("?with_copies=true", 0)] {
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        intake.pull().await;
        assert_eq!(copies().await, 3);
        let path = format!("{ALL}/{}{query}", intake.id);
        here.delete(&path).if_match("*").await.expect(204);
        assert_eq!(copies().await, left);
        let partners = partner::Entity::find().count(here.store.db().reader());
        assert_eq!(partners.await.unwrap(), 0);
    }
    here.settled().await;
    audiences_are_true(here.store.db()).await;
    here.stop().await;
});

story!(a_partner_feeds_no_origin_but_the_one_named, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    actor(node, "Ferner").await;
    let own = node.store.node().origin.clone();
    let body = |name: &str, origin: &str| json!({"name": name, "url": "https://verzeichnis.example", "origin": origin});
    for wrong in ["hier", "Nicht so", "verbund"] {
        let refused = here.post(ALL).json(&body("falsch", wrong)).await;
        let faults = refused.problem(422, "validation-failed").faults();
        assert_eq!(faults[0].0, "/origin", "{wrong}");
    }
    let other = Intake::new(&here, "anders", &node.base, json!({"origin": "anderswo"})).await;
    let why = other.fails().await;
    assert!(why.contains(&own) && why.contains("anderswo"), "{why}");
    let copies = record::Entity::find().filter(record::Column::Origin.eq(&own));
    let copies = copies.count(here.store.db().reader()).await;
    assert_eq!(copies.unwrap(), 0);
    let intake = Intake::new(&here, "nachbar", &node.base, json!({"origin": own})).await;
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    let again = here.post(ALL).json(&body("noch-einmal", &own)).await;
    let again = again.problem(422, "validation-failed");
    assert!(again.text.contains("nachbar"));
    here.stop().await;
});
