//! Erasing leaves nothing of a record's content, in no row and in no file.

mod traces;

use domain::access::rules::{Caller, Role};
use domain::exchange::sync::PushStatus;
use persistence::load::LoadMode;
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use tests::audit::{audiences_are_true, audit};
use tests::{Answer, Call, Intake, Neighbour, Node, story};
use traces::{Index, MARK, in_files, in_rows};

fn named(name: &str, publication: &str) -> Value {
    json!({"name": name, "home_region": "nordhessen", "publication": publication})
}

async fn make(node: &Node, plural: &str, body: &Value) -> String {
    let made = node.post(&format!("/v1/{plural}")).json(body).await;
    made.expect(201).header("location").to_owned()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn erase(node: &Node, path: &str) -> Call {
    node.post(&format!("{path}/erase"))
}

async fn patch(node: &Node, path: &str, body: &Value) -> Answer {
    let call = node.patch(path).if_match("*").json(body);
    let call = call.header("change-reason", &format!("weil {MARK}"));
    call.await.expect(200)
}

fn marked(name: &str, key: &str) -> Value {
    json!({
        "name": format!("{MARK} {name}"),
        "slug": format!("{MARK}-{key}"),
        "language": "de",
        "names": [{"value": format!("{MARK} kurz"), "type": "short"}],
        "summary": format!("Kurz {MARK}."),
        "description": format!("Lang {MARK}. ").repeat(600),
        "translations": {"en": {"name": format!("{MARK} in English")}},
        "goals": [format!("Ziel {MARK}")],
        "identifiers": [{"scheme": "https://example.org/ids", "value": format!("{MARK}-{key}")}],
        "places": [{"label": format!("Haus {MARK}"), "city": format!("{MARK}stadt")}],
        "contact": {"email": format!("{MARK}@beispiel.example"), "phone": format!("0561 {MARK}")},
        "links": [{"rel": "related", "title": format!("Seite {MARK}"), "url": format!("https://example.org/{MARK}")}],
        "media": [{"type": "image", "caption": format!("Bild {MARK}")}],
        "figures": [{"measure": "members", "value": 50, "qualifier": "about", "as_stated": format!("rund {MARK}")}],
        "activities": [format!("Tun {MARK}")],
        "joining": {"open": true, "how": format!("Schreiben an {MARK}")},
        "external_id": {"system": "cms", "id": format!("{MARK}-{key}")},
        "source": {"document": "000", "publisher": format!("Verlag {MARK}")},
        "home_region": "nordhessen",
        "publication": "published",
    })
}

/// Writes the mark everywhere it can be stored; returns the record and its parts.
async fn leave_traces(node: &Node) -> String {
    let create = node.post("/v1/networks").json(&marked("eins", "eins"));
    let create = create.header("idempotency-key", "create");
    let network = create.await.expect(201).header("location").to_owned();
    patch(node, &network, &json!({"summary": format!("Neu {MARK}")})).await;
    patch(node, &network, &json!({"slug": format!("{MARK}-zwei")})).await;
    patch(node, &network, &json!({"publication": "review"})).await;
    patch(node, &network, &json!({"publication": "published"})).await;

    let loser = make(node, "networks", &marked("zwei", "loser")).await;
    patch(node, &loser, &json!({"summary": format!("Auch {MARK}")})).await;
    let merge = node
        .post(&format!("{loser}/merge"))
        .json(&json!({"into": id(&network)}));
    merge.header("idempotency-key", "merge").await.expect(200);

    let relationship = json!({
        "type": "member_of",
        "from": {"kind": "actor", "slug": "klinikum-kassel"},
        "to": {"kind": "network", "id": id(&network)},
        "note": format!("Steht bei {MARK}."),
        "publication": "published",
    });
    let member = make(node, "relationships", &relationship).await;
    let confirm = json!({"end": "from", "state": "confirmed", "note": format!("Ja, {MARK}.")});
    let confirm = node.put(&format!("{member}/confirmation")).json(&confirm);
    confirm.if_match("*").await.expect(200);
    // One that was at the network once, and one that is deleted.
    let mut other = relationship.clone();
    other["type"] = json!("part_of");
    other["from"] = json!({"kind": "network", "slug": "it-netzwerk-nordhessen"});
    let elsewhere = make(node, "relationships", &other).await;
    let to = json!({"to": {"id": null, "kind": "network", "slug": "mo-win-net"}, "note": null});
    let leave = node.patch(&elsewhere).if_match("*").json(&to);
    leave.await.expect(200);
    other["subject"] = json!(format!("Über {MARK}"));
    let gone = make(node, "relationships", &other).await;
    node.delete(&gone).if_match("*").await.expect(204);

    let person = json!({
        "name": format!("Erika {MARK}"),
        "purpose": format!("Auskunft {MARK}"),
        "email": format!("erika@{MARK}.example"),
        "consent": {"from": "2025-01-01T00:00:00Z", "proof": format!("Formular {MARK}")},
        "visibility": "public",
    });
    for path in [&network, &member] {
        let add = node.post(&format!("{path}/contact_persons")).json(&person);
        let key = format!("person-of-{path}");
        add.header("idempotency-key", &key).await.expect(201);
    }
    let apply = json!({
        "applicant": {"organisation": format!("Praxis {MARK}"), "person": MARK},
        "message": format!("Wir bei {MARK}."),
    });
    let apply = node.post(&format!("{network}/applications")).json(&apply);
    apply.anonymous().await.expect(202);
    network
}

story!(nothing_of_an_erased_record_is_left, Seeded, async |node| {
    let index = Index::beside(node).await;
    let network = leave_traces(node).await;
    index.catches_up().await;
    node.settled().await;
    for place in [
        "record",
        "change",
        "tombstone",
        "redirect",
        "identifier",
        "confirmation",
        "application",
        "contact_person",
        "idempotency_record",
    ] {
        let found = in_rows(node).await;
        assert!(found.contains(place), "{place} holds no mark: {found:?}");
    }
    assert!(!in_files(node).await.is_empty());
    assert!(index.holds_the_mark() && index.files_hold_the_mark());

    erase(node, &network)
        .header("change-reason", "Art. 17")
        .await
        .expect(204);
    index.catches_up().await;
    node.settled().await;
    assert_eq!(in_rows(node).await, std::collections::BTreeSet::new());
    assert!(!index.holds_the_mark() && !index.files_hold_the_mark());
    node.store.vacuum().await.unwrap();
    assert_eq!(in_files(node).await, Vec::<String>::new());
    index.close().await;

    let gone = node.get(&network).await.problem(410, "gone");
    assert_eq!(gone.json["tombstone"]["cause"], "erased");
    assert!(!gone.text.contains(MARK));
    for path in [format!("{network}/history"), format!("{network}/history/1")] {
        for token in ["", &node.admin] {
            let call = node.get(&path);
            let call = if token.is_empty() {
                call
            } else {
                call.token(token)
            };
            let gone = call.await.problem(410, "gone");
            assert_eq!(gone.json["tombstone"]["cause"], "erased");
        }
    }
    for path in ["/v1/networks", "/v1/search", "/v1/suggest"] {
        let found = node.get(&format!("{path}?q={MARK}")).await.expect(200);
        assert_eq!(found.json["items"], json!([]), "{path}");
    }
    let slug = format!("/v1/networks/{MARK}-zwei");
    node.get(&slug).await.problem(404, "not-found");
    // The audit shows that it was erased, by which account and why; nothing else.
    let log = node.get(&format!("/v1/audit?record={}", id(&network)));
    let log = log.token(&node.admin).await.expect(200);
    let items = log.json["items"].as_array().unwrap();
    assert_eq!(items[0]["op"], "delete");
    assert_eq!(items[0]["reason"], "Art. 17");
    assert!(items[0]["by"].is_string());
    assert!(items[1..].iter().all(|item| item["reason"].is_null()));
    // The original request does not create it again.
    let create = node.post("/v1/networks").json(&marked("eins", "eins"));
    let create = create.header("idempotency-key", "create");
    create.await.problem(410, "gone");
    audit(node.store.db()).await;
    audiences_are_true(node.store.db()).await;
});

story!(
    partners_erase_what_was_erased_at_its_origin,
    Seeded,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let index = Index::beside(&here).await;
        let living = make(node, "actors", &named(MARK, "published")).await;
        let dead = make(node, "actors", &named(&format!("{MARK} tot"), "published")).await;
        intake.pull().await;
        patch(
            node,
            &living,
            &json!({"summary": format!("Neu {MARK}"), "slug": format!("{MARK}-neu")}),
        )
        .await;
        node.delete(&dead).if_match("*").await.expect(204);
        intake.pull().await;
        // A record here references it.
        let neighbour = make(&here, "actors", &named("Nebenan", "published")).await;
        let own = json!({
            "type": "cooperates_with",
            "from": {"kind": "actor", "id": id(&neighbour)},
            "to": {"kind": "actor", "id": id(&living)},
            "publication": "published",
        });
        make(&here, "relationships", &own).await;
        index.catches_up().await;
        assert!(index.holds_the_mark());
        let found = in_rows(&here).await;
        for place in ["record", "redirect", "tombstone"] {
            assert!(found.contains(place), "{place} holds no mark: {found:?}");
        }

        erase(node, &living).await.expect(204);
        erase(node, &dead).await.expect(204);
        intake.pull().await;
        index.catches_up().await;
        here.settled().await;
        assert_eq!(in_rows(&here).await, std::collections::BTreeSet::new());
        assert!(!index.holds_the_mark() && !index.files_hold_the_mark());
        for path in [&living, &dead] {
            let gone = here.get(path).await.problem(410, "gone");
            assert_eq!(gone.json["tombstone"]["cause"], "erased");
        }
        let head = here.store.log().head().await.unwrap();
        intake.pull().await;
        assert_eq!(
            here.store.log().head().await.unwrap(),
            head,
            "it is erased once"
        );
        intake.equals(node, "").await;
        audit(here.store.db()).await;
        audiences_are_true(here.store.db()).await;
        index.close().await;
        here.stop().await;
    }
);

story!(only_admins_of_the_node_erase, Seeded, async |node| {
    let path = make(node, "actors", &named("Bleibt", "published")).await;
    let region = node.get("/v1/regions/nordhessen").await.expect(200);
    let region = uuid::Uuid::parse_str(region.id()).unwrap();
    for token in [
        node.token(Role::Approver, Some(region)).await,
        node.token(Role::Admin, Some(region)).await,
        node.token(Role::Approver, None).await,
    ] {
        let refused = erase(node, &path).token(&token).await;
        refused.problem(403, "forbidden");
    }
    let narrow = node
        .narrowed(&[domain::access::account::TokenScope::Directory])
        .await;
    let refused = erase(node, &path).token(&narrow).await;
    refused.problem(403, "insufficient-scope");
    erase(node, &path)
        .anonymous()
        .await
        .problem(401, "unauthorized");
    let rehearse = format!("{path}/erase?dry_run=true");
    node.post(&rehearse).await.expect(204);
    erase(node, &path)
        .if_match("\"2\"")
        .await
        .problem(412, "precondition-failed");
    node.get(&path).await.expect(200);
    erase(node, "/v1/actors/gibt-es-nicht")
        .await
        .problem(404, "not-found");
    let unknown = format!("/v1/actors/{}", domain::base::id::new());
    erase(node, &unknown).await.problem(404, "not-found");
    let copy = crate::errors::copy_of(node, "mo-win-net", "elsewhere").await;
    let copy = format!("/v1/networks/{copy}/erase?version=1");
    let copy = node.post(&copy).await;
    assert_eq!(copy.problem(403, "forbidden").json["reason"], "copy");
    let reference = node.post("/v1/regions/bayern/erase").await;
    assert_eq!(reference.problem(403, "forbidden").json["reason"], "copy");

    let done = erase(node, "/v1/actors/bleibt").header("idempotency-key", "k");
    done.clone().await.expect(204);
    let again = done.await.expect(204);
    assert_eq!(again.header("idempotency-replayed"), "true");
    erase(node, &path).await.problem(410, "gone");
});

story!(what_others_name_is_not_erased, Seeded, async |node| {
    let topic = make(
        node,
        "topics",
        &json!({"name": "Thema", "publication": "published"}),
    )
    .await;
    let mut actor = named("Nennt es", "published");
    actor["topics"] = json!([id(&topic)]);
    let actor = make(node, "actors", &actor).await;
    let refused = erase(node, &topic).await.problem(409, "still-referenced");
    assert_eq!(refused.json["referenced_by"][0]["id"], id(&actor));
    erase(node, &actor).await.expect(204);
    erase(node, &topic).await.expect(204);
    // A draft that was never visible stays unknown afterwards.
    let draft = make(node, "actors", &named("Entwurf", "draft")).await;
    erase(node, &draft).await.expect(204);
    node.get(&draft).await.problem(404, "not-found");
    node.get(&draft)
        .token(&node.admin)
        .await
        .problem(410, "gone");
    audit(node.store.db()).await;
});

story!(what_was_deleted_can_be_erased_too, Seeded, async |node| {
    let path = make(node, "actors", &named(MARK, "published")).await;
    patch(node, &path, &json!({"name": format!("{MARK} neu")})).await;
    node.delete(&path).if_match("*").await.expect(204);
    node.get(&format!("{path}/history/1")).await.expect(200);
    erase(node, &path).await.expect(204);
    let gone = node.get(&path).await.problem(410, "gone");
    assert_eq!(gone.json["tombstone"]["cause"], "erased");
    assert_eq!(gone.json["tombstone"]["version"], 4);
    node.get(&format!("{path}/history/1"))
        .await
        .problem(410, "gone");
    assert!(in_rows(node).await.is_empty());
    erase(node, &path).await.problem(410, "gone");
    audit(node.store.db()).await;
});

story!(a_merged_record_can_be_erased_alone, Seeded, async |node| {
    let merge_target = make(node, "actors", &named("Bleibt", "published")).await;
    let loser = make(node, "actors", &named(MARK, "published")).await;
    let member = json!({
        "type": "member_of",
        "from": {"kind": "actor", "id": id(&loser)},
        "to": {"kind": "network", "slug": "mo-win-net"},
        "publication": "published",
    });
    let member = make(node, "relationships", &member).await;
    let merge = format!("{loser}/merge");
    let into = json!({"into": id(&merge_target)});
    node.post(&merge).json(&into).await.expect(200);
    node.settled().await;
    let found = format!("/v1/actors?q={MARK}");
    let list = node.get(&found).await.expect(200);
    assert_eq!(list.json["total"], 1, "found by what was merged into it");

    erase(node, &loser).await.expect(204);
    node.settled().await;
    assert!(in_rows(node).await.is_empty());
    let list = node.get(&found).await.expect(200);
    assert_eq!(list.json["total"], 0);
    // References to it still mean the merge target, but it can no longer be restored.
    node.get(&loser).await.problem(308, "moved");
    node.get(&member).await.expect(200);
    node.delete(&merge).await.problem(410, "gone");
    erase(node, &loser).await.problem(410, "gone");
    audit(node.store.db()).await;

    // The relationship is erased with the merge target, to which it belongs.
    erase(node, &merge_target).await.expect(204);
    node.get(&loser).await.problem(410, "gone");
    node.get(&member).await.problem(410, "gone");
    audit(node.store.db()).await;
    node.settled().await;
    audiences_are_true(node.store.db()).await;
});

story!(one_version_can_be_erased, Seeded, async |node| {
    let index = Index::beside(node).await;
    let path = make(node, "actors", &named("Anfang", "published")).await;
    let slip = json!({"name": format!("Versehen {MARK}")});
    let slip = node.patch(&path).if_match("*").json(&slip);
    slip.header("change-reason", MARK).await.expect(200);
    let right = json!({"name": "Richtig"});
    node.patch(&path)
        .if_match("*")
        .json(&right)
        .await
        .expect(200);
    index.catches_up().await;
    assert!(!in_rows(node).await.is_empty());

    let version = |number: &str| node.post(&format!("{path}/erase?version={number}"));
    version("3").await.problem(400, "invalid-parameter");
    version("4").await.problem(404, "not-found");
    version("0").await.problem(400, "invalid-parameter");
    let editor = node.token(Role::Approver, None).await;
    version("2").token(&editor).await.problem(403, "forbidden");
    version("2")
        .header("change-reason", "Bitte")
        .await
        .expect(204);
    index.catches_up().await;
    assert!(in_rows(node).await.is_empty());
    assert!(!index.holds_the_mark() && !index.files_hold_the_mark());
    index.close().await;

    let read = node.get(&path).await.expect(200);
    assert_eq!(
        (read.etag(), &read.json["name"]),
        ("\"3\"", &json!("Richtig"))
    );
    node.get(&format!("{path}/history/1")).await.expect(200);
    let gone = node.get(&format!("{path}/history/2")).await;
    gone.problem(410, "version-gone");
    let history = node.get(&format!("{path}/history")).await.expect(200);
    let items = history.json["items"].as_array().unwrap();
    let erased: Vec<bool> = items.iter().map(|item| item["erased"] == true).collect();
    assert_eq!(erased, [false, true, false]);
    let log = node.get(&format!("/v1/audit?record={}", id(&path)));
    let log = log.token(&node.admin).await.expect(200);
    assert_eq!(log.json["items"][0]["reason"], "version 2 erased: Bitte");
    // The same for a deleted one.
    node.delete(&path).if_match("*").await.expect(204);
    version("1").await.expect(204);
    node.get(&format!("{path}/history/1"))
        .await
        .problem(410, "version-gone");
    audit(node.store.db()).await;
});

story!(
    what_is_erased_does_not_come_back_by_its_id,
    Seeded,
    async |node| {
        let mut body = named("Weg", "published");
        body["external_id"] = json!({"system": "cms", "id": "1"});
        let path = make(node, "actors", &body).await;
        erase(node, &path).await.expect(204);
        let mut line = body.clone();
        line["kind"] = json!("actor");
        let load = async |line: &Value| {
            let (caller, options) = (Caller::node(), WriteOptions::default());
            let line = line.to_string();
            let loaded = node
                .store
                .imports()
                .load(&caller, &[&line], LoadMode::Upsert, &options)
                .await;
            loaded.unwrap().pop().unwrap()
        };
        line["id"] = json!(id(&path));
        let refused = load(&line).await;
        assert!(
            matches!(&refused.0, Err(persistence::StoreError::Gone(_))),
            "{refused:?}"
        );
        // Nothing is left that could reveal that this key belonged to that record.
        line.as_object_mut().unwrap().remove("id");
        let created = load(&line).await;
        assert_eq!(created.status(), PushStatus::Created);
        assert_ne!(created.id().unwrap().to_string(), id(&path));
        audit(node.store.db()).await;
    }
);

story!(the_geometry_of_a_region_goes_along, Seeded, async |node| {
    let mut region = named("Kreis", "published");
    region["level"] = json!("district");
    let region = make(node, "regions", &region).await;
    let path = format!("{region}/geometry");
    let geometry = domain::value::geometry::example();
    let put = node.put(&path).header("if-none-match", "*");
    put.body("application/geo+json", geometry.to_string()).await;
    node.get(&path).await.expect(200);
    erase(node, &region).await.expect(204);
    node.get(&path).await.problem(410, "gone");
    let rows = sea_orm::PaginatorTrait::count(
        <tests::tables::geometry::Entity as sea_orm::EntityTrait>::find(),
        node.store.db().reader(),
    );
    assert_eq!(rows.await.unwrap(), 0);
});
