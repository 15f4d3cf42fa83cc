//! Partners that mean harm: they may say what they like of their own records, and of no others.

use super::actor;
use super::newer::{Pretender, page, upsert};
use domain::access::rules::{Caller, Role};
use persistence::load::LoadMode;
use persistence::partner::PageOutcome;
use persistence::transaction::WriteOptions;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::audit::{audiences_are_true, audit};
use tests::{Intake, Node, story};
use uuid::Uuid;

/// The id of [`upsert`].
fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn end(kind: &str, id: &str) -> Value {
    json!({"kind": kind, "id": id})
}

fn relationship(number: u128, r#type: &str, from: Value, to: Value) -> Value {
    let body = json!({"type": r#type, "from": from, "to": to});
    upsert("relationship", number, 1, body)
}

/// Entries of another partner.
fn of(origin: &str, entries: &[Value]) -> Value {
    let mut entries = entries.to_vec();
    for entry in &mut entries {
        entry["origin"] = json!(origin);
    }
    page(&entries, json!({"origin": origin}))
}

fn deletion(number: u128, version: i64, cause: &str) -> Value {
    json!({
        "seq": 1, "tx": 1, "op": "delete", "kind": "actor", "id": id(number), "origin": "fern",
        "version": version, "at": "2026-01-02T00:00:00.000000Z", "cause": cause,
    })
}

async fn copied<'a>(node: &'a Node, partner: &Pretender, pages: usize) -> Intake<'a> {
    let intake = Intake::new(node, "fern", &partner.base, json!({})).await;
    for _ in 0..pages {
        intake.pull().await;
    }
    node.settled().await;
    intake
}

async fn total(node: &Node, path: &str) -> u64 {
    let page = node.get(path).await.expect(200);
    page.json["total"].as_u64().unwrap()
}

story!(
    a_partner_relates_only_its_own_records_to_others,
    async |node| {
        let (ours, other) = (actor(node, "Unser").await, actor(node, "Anderer").await);
        let fern = Pretender::start();
        let entries = [
            upsert("actor", 1, 1, json!({"name": "Fern"})),
            relationship(
                2,
                "cooperates_with",
                end("actor", &ours),
                end("actor", &other),
            ),
            relationship(
                3,
                "cooperates_with",
                end("actor", &id(1)),
                end("actor", &other),
            ),
            // No one has this one yet.
            relationship(
                4,
                "cooperates_with",
                end("actor", &ours),
                end("actor", &id(9)),
            ),
        ];
        fern.feeds(&page(&entries, json!({})));
        let intake = copied(node, &fern, 1).await;
        let around = format!("/v1/actors/{ours}/relationships");
        let own = format!("/v1/relationships/{}", id(3));
        node.get(&own).await.expect(200);
        assert_eq!(total(node, &around).await, 0);
        assert_eq!(intake.shown().await["quarantined"]["count"], 1);
        // Another partner's record does not make it true.
        let nah = Pretender::start();
        nah.feeds(&of("nah", &[upsert("actor", 9, 1, json!({"name": "Nah"}))]));
        let other = Intake::new(node, "nah", &nah.base, json!({})).await;
        other.pull().await;
        node.settled().await;
        node.get(&format!("/v1/actors/{}", id(9))).await.expect(200);
        for number in [2, 4] {
            let path = format!("/v1/relationships/{}", id(number));
            node.get(&path).await.problem(404, "not-found");
        }
        for path in [around.as_str(), "/v1/relationships?type=cooperates_with"] {
            let page = node.get(path).await.expect(200).text;
            assert!(!page.contains(&id(2)) && !page.contains(&id(4)), "{page}");
        }
        let with = format!("/v1/actors?cooperates_with={}", id(9));
        assert_eq!(total(node, &with).await, 0);
        let graph = node
            .get(&format!("/v1/graph?from={ours}"))
            .await
            .expect(200);
        assert!(!graph.text.contains(&id(9)), "{}", graph.text);
        audiences_are_true(node.store.db()).await;
        fern.stop().await;
        nah.stop().await;
    }
);

const REGIONS: [&str; 6] = [
    "deutschland",
    "bayern",
    "hessen",
    "nordrhein-westfalen",
    "nordhessen",
    "muensterland",
];

async fn totals(node: &Node) -> BTreeMap<&'static str, u64> {
    node.settled().await;
    let mut totals = BTreeMap::new();
    for region in REGIONS {
        let path = format!("/v1/search?region={region}");
        totals.insert(region, total(node, &path).await);
    }
    totals
}

story!(nobody_moves_the_filters_of_others, Seeded, async |node| {
    let mut region = BTreeMap::new();
    for slug in REGIONS {
        let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
        region.insert(slug, end("region", read.id()));
    }
    let before = totals(node).await;
    assert!(before["bayern"] < before["deutschland"]);
    let fern = Pretender::start();
    let entries = [
        relationship(
            1,
            "same_as",
            region["bayern"].clone(),
            region["hessen"].clone(),
        ),
        relationship(
            2,
            "part_of",
            region["nordhessen"].clone(),
            region["muensterland"].clone(),
        ),
        upsert(
            "region",
            3,
            1,
            json!({"name": "Brücke", "level": "district"}),
        ),
        relationship(
            4,
            "same_as",
            end("region", &id(3)),
            region["bayern"].clone(),
        ),
        relationship(
            5,
            "same_as",
            end("region", &id(3)),
            region["hessen"].clone(),
        ),
        relationship(
            6,
            "part_of",
            region["nordhessen"].clone(),
            end("region", &id(3)),
        ),
        relationship(
            7,
            "part_of",
            end("region", &id(3)),
            region["muensterland"].clone(),
        ),
    ];
    fern.feeds(&page(&entries, json!({})));
    copied(node, &fern, 1).await;
    // Its own region is part of those of the reference data, as far as it says so.
    let mut expected = before.clone();
    for slug in ["deutschland", "bayern", "hessen"] {
        expected.entry(slug).and_modify(|total| *total += 1);
    }
    assert_eq!(totals(node).await, expected);
    assert_eq!(
        total(node, &format!("/v1/search?region={}", id(3))).await,
        1
    );

    // Nor does the approver of a region, of whichever.
    let there = region["muensterland"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    for role in [Role::Approver, Role::Admin] {
        let token = node.token(role, Some(there)).await;
        for other in ["bayern", "nordhessen"] {
            for r#type in ["same_as", "part_of"] {
                let body = json!({
                    "type": r#type, "from": region["muensterland"], "to": region[other],
                    "home_region": "muensterland", "publication": "published",
                });
                let made = node.post("/v1/relationships").token(&token).json(&body);
                let refused = made.await.problem(403, "forbidden");
                assert_eq!(
                    refused.json["reason"], "region-tree",
                    "{role:?} {type} {other}"
                );
            }
        }
    }
    assert_eq!(totals(node).await, expected);
    fern.stop().await;
});

story!(
    what_is_part_of_a_whole_is_said_by_the_part,
    Seeded,
    async |node| {
        let network = async |name: &str, home: &str| {
            let body = json!({"name": name, "home_region": home, "publication": "published"});
            node.made("networks", body).await
        };
        let part = network("Teil", "nordhessen").await;
        let whole = network("Ganzes", "muensterland").await;
        let region = async |slug: &str| {
            let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
            read.id().parse::<Uuid>().unwrap()
        };
        let there = node
            .token(Role::Approver, Some(region("muensterland").await))
            .await;
        let here = node
            .token(Role::Approver, Some(region("nordhessen").await))
            .await;
        let body = json!({
            "type": "part_of", "from": end("network", &part), "to": end("network", &whole),
            "home_region": "muensterland", "publication": "published",
        });
        let stated = node.post("/v1/relationships").token(&there).json(&body);
        let stated = stated.await.expect(201);
        node.settled().await;
        let parts = format!("/v1/networks?part_of={whole}");
        assert_eq!(total(node, &parts).await, 0, "the part has not said so");
        let path = format!("/v1/relationships/{}", stated.id());
        node.get(&path).await.expect(200);
        let state = async |state: &str| {
            let body = json!({"end": "from", "state": state});
            let put = node.put(&format!("{path}/confirmation")).token(&here);
            put.if_match("*").json(&body).await.expect(200);
            node.settled().await;
        };
        state("confirmed").await;
        assert_eq!(total(node, &parts).await, 1);
        state("disputed").await;
        assert_eq!(total(node, &parts).await, 0);
        audit(node.store.db()).await;
    }
);

story!(
    a_partner_decides_nothing_about_duplicates_of_ours,
    async |node| {
        let body = json!({
            "name": "Klinikum Essen GmbH", "home_region": "hessen", "publication": "published",
            "places": [{"city": "Essen", "postal_code": "45147"}],
        });
        let ours = node.made("actors", body.clone()).await;
        let fern = Pretender::start();
        fern.feeds(&page(&[upsert("actor", 1, 1, body)], json!({})));
        let intake = copied(node, &fern, 1).await;
        let duplicates = "/v1/duplicates?kind=actor";
        assert_eq!(total(node, duplicates).await, 1);
        let same = relationship(2, "same_as", end("actor", &id(1)), end("actor", &ours));
        fern.feeds(&page(&[same], json!({})));
        intake.pull().await;
        node.settled().await;
        assert_eq!(total(node, duplicates).await, 1);
        let path = format!("/v1/relationships/{}/confirmation", id(2));
        let body = json!({"end": "to", "state": "confirmed"});
        node.put(&path).if_match("*").json(&body).await.expect(200);
        node.settled().await;
        assert_eq!(total(node, duplicates).await, 0);
        fern.stop().await;
    }
);

story!(a_translation_changes_texts_and_nothing_else, async |node| {
    let fern = Pretender::start();
    let forged = json!({
        "id": id(99), "origin": node.store.node().origin, "version": 99, "kind": "network",
        "publication": "draft", "slug": "gefaelscht", "created_at": "2001-01-01T00:00:00Z",
        "home_region": id(98), "synced_at": null, "name": "English", "summary": null,
    });
    let body = json!({
        "name": "Deutsch", "slug": "echt", "summary": "weg", "translations": {"en": forged},
    });
    fern.feeds(&page(&[upsert("actor", 1, 3, body)], json!({})));
    copied(node, &fern, 1).await;
    let path = format!("/v1/actors/{}", id(1));
    let plain = node.get(&path).await.expect(200).json;
    let mut expected = plain.clone();
    expected["name"] = json!("English");
    expected["language"] = json!("en");
    expected.as_object_mut().unwrap().shift_remove("summary");
    let one = node.get(&format!("{path}?lang=en")).await.expect(200);
    assert_eq!(one.json, expected);
    let list = node.get("/v1/actors?origin=fern&lang=en").await.expect(200);
    assert_eq!(list.json["items"][0], expected);
    let found = node.get("/v1/suggest?q=Deut&lang=en").await.expect(200);
    let found = &found.json["items"][0];
    assert_eq!(
        (&found["id"], &found["kind"]),
        (&plain["id"], &plain["kind"])
    );
    fern.stop().await;
});

story!(
    who_feeds_the_ids_of_another_first_does_not_stop_it,
    async |node| {
        let bodies = |origin: &str| {
            let actors = (1..=120).map(|n| {
                upsert(
                    "actor",
                    n,
                    1,
                    json!({"name": format!("Akteur {n} von {origin}")}),
                )
            });
            let mut all: Vec<Value> = actors.collect();
            // Between its own and ours, but its own seems to be another's.
            all.push(relationship(
                500,
                "operates",
                end("actor", &id(1)),
                end("actor", &id(2)),
            ));
            of(origin, &all)
        };
        let squatter = Pretender::start();
        squatter.feeds(&bodies("besetzer"));
        let first = Intake::new(node, "besetzer", &squatter.base, json!({})).await;
        first.pull().await;
        let honest = Pretender::start();
        let mut feed = bodies("fern");
        let own = upsert("actor", 1000, 1, json!({"name": "Nur hier"}));
        feed["entries"].as_array_mut().unwrap().push(own);
        honest.feeds(&feed);
        let second = Intake::new(node, "fern", &honest.base, json!({})).await;
        assert_eq!(second.pull().await, PageOutcome::UpToDate);
        let shown = second.shown().await;
        assert_eq!(shown["state"], "active");
        assert_eq!(shown["copies"], 1);
        assert_eq!(shown["quarantined"]["count"], 121);
        let reason = shown["quarantined"]["latest"].to_string();
        assert!(reason.contains("besetzer"), "{reason}");
        // The operator removes the one that lied; the other one is read again.
        let path = format!("/v1/sync/partners/{}?with_copies=true", first.id);
        node.delete(&path).if_match("*").await.expect(204);
        honest.feeds(&feed);
        assert_eq!(second.pull().await, PageOutcome::UpToDate);
        node.settled().await;
        let shown = second.shown().await;
        assert_eq!(
            (&shown["copies"], &shown["quarantined"]["count"]),
            (&json!(122), &json!(0))
        );
        let one = node.get(&format!("/v1/actors/{}", id(1))).await.expect(200);
        assert_eq!(one.json["origin"], "fern");
        audit(node.store.db()).await;
        audiences_are_true(node.store.db()).await;
        squatter.stop().await;
        honest.stop().await;
    }
);

story!(
    deletions_in_small_parts_wait_for_an_operator_too,
    async |node| {
        let fern = Pretender::start();
        let all: Vec<Value> = (1..=300)
            .map(|n| upsert("actor", n, 1, json!({"name": format!("Akteur {n}")})))
            .collect();
        fern.feeds(&page(&all, json!({})));
        let intake = copied(node, &fern, 1).await;
        let part = |from: u128| {
            let gone: Vec<Value> = (from..from + 10)
                .map(|n| deletion(n, 2, "deleted"))
                .collect();
            page(&gone, json!({}))
        };
        for from in [1, 11] {
            fern.feeds(&part(from));
            assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        }
        fern.feeds(&part(21));
        assert_eq!(intake.pull().await, PageOutcome::Stopped);
        let shown = intake.shown().await;
        assert_eq!(shown["state"], "awaiting_approval");
        assert_eq!(
            shown["awaiting_approval"],
            json!({"deletions": 10, "copies": 280})
        );
        // An approval begins a new day.
        intake.approve_deletions().await;
        for from in [21, 31, 41] {
            fern.feeds(&part(from));
            assert_eq!(intake.pull().await, PageOutcome::UpToDate, "{from}");
        }
        fern.feeds(&part(51));
        assert_eq!(intake.pull().await, PageOutcome::Stopped);
        assert_eq!(intake.shown().await["copies"], 250);
        fern.stop().await;
    }
);

story!(
    a_dispute_holds_whenever_the_same_is_stated_again,
    async |node| {
        let ours = actor(node, "Unser").await;
        let fern = Pretender::start();
        let body = |start: &str| {
            json!({
                "type": "operates", "from": end("actor", &id(1)), "to": end("actor", &ours),
                "valid": {"from": start},
            })
        };
        let entries = [
            upsert("actor", 1, 1, json!({"name": "Fern"})),
            upsert("relationship", 2, 1, body("2001")),
        ];
        fern.feeds(&page(&entries, json!({})));
        let intake = copied(node, &fern, 1).await;
        let path = |number| format!("/v1/relationships/{}", id(number));
        let disputed = json!({"end": "to", "state": "disputed", "note": "nie"});
        let put = node.put(&format!("{}/confirmation", path(2))).if_match("*");
        put.json(&disputed).await.expect(200);
        node.get(&path(2)).await.problem(404, "not-found");
        // With another start, and after the first one is gone.
        let mut gone = deletion(2, 2, "deleted");
        gone["kind"] = json!("relationship");
        fern.feeds(&page(
            &[upsert("relationship", 3, 1, body("2002"))],
            json!({}),
        ));
        fern.feeds(&page(
            &[gone, upsert("relationship", 4, 1, body("2003"))],
            json!({}),
        ));
        for _ in 0..2 {
            intake.pull().await;
        }
        node.settled().await;
        for number in [3, 4] {
            node.get(&path(number)).await.problem(404, "not-found");
        }
        let listed = "/v1/relationships?confirmation=disputed";
        let listed = node.get(listed).token(&node.admin).await.expect(200);
        assert_eq!(listed.json["total"], 2, "{}", listed.text);
        // The other direction is another statement.
        let back = relationship(5, "operates", end("actor", &ours), end("actor", &id(1)));
        fern.feeds(&page(&[back], json!({})));
        intake.pull().await;
        node.get(&path(5)).await.expect(200);
        // Withdrawn, it ends for what is stated from then on.
        let confirmed = json!({"end": "to", "state": "confirmed"});
        let put = node.put(&format!("{}/confirmation", path(4))).if_match("*");
        put.json(&confirmed).await.expect(200);
        node.get(&path(4)).await.expect(200);
        fern.feeds(&page(
            &[upsert("relationship", 6, 1, body("2004"))],
            json!({}),
        ));
        intake.pull().await;
        node.get(&path(6)).await.expect(200);
        node.settled().await;
        audiences_are_true(node.store.db()).await;
        fern.stop().await;
    }
);

story!(
    times_that_cannot_be_stored_do_not_hold_up_the_others,
    async |node| {
        let fern = Pretender::start();
        let mut far = upsert("actor", 1, 1, json!({"name": "Vorzeit"}));
        far["at"] = json!("-262143-01-01T00:00:00Z");
        let near = upsert("actor", 2, 1, json!({"name": "Heute"}));
        fern.feeds(&page(&[far, near], json!({})));
        let intake = copied(node, &fern, 1).await;
        let shown = intake.shown().await;
        assert_eq!(
            (&shown["copies"], &shown["quarantined"]["count"]),
            (&json!(1), &json!(1))
        );
        fern.stop().await;
    }
);

story!(what_could_do_harm_is_withheld_from_copies, async |node| {
    let fern = Pretender::start();
    let body = json!({
        "name": "Kli\u{202e}nik Fern", "slug": "../admin",
        "contact": {"website": "javascript:alert(1)", "phone": "+49 561 1"},
        "links": [{"url": "data:text/html,<script>", "rel": "related"}],
        "description": "[x](javascript:alert(1)) <img src=x onerror=y> geheimwort",
        "translations": {"en": {"name": "Cli\u{200b}nic", "description": "<b>bold</b>"}},
        "tomorrow": [1],
    });
    let entry = upsert("actor", 1, 1, body.clone());
    fern.feeds(&page(std::slice::from_ref(&entry), json!({})));
    let intake = copied(node, &fern, 1).await;
    let path = format!("/v1/actors/{}", id(1));
    let expected = json!([
        "/contact/website",
        "/description",
        "/links/0/url",
        "/name",
        "/slug",
        "/translations/en/description",
        "/translations/en/name",
    ]);
    let list = "/v1/actors?origin=fern";
    let export = "/v1/export?kind=actor&origin=fern";
    for (query, name) in [("", "Klinik Fern"), ("?lang=en", "Clinic")] {
        let one = node.get(&format!("{path}{query}")).await.expect(200);
        assert_eq!(one.json["withheld_members"], expected, "{}", one.text);
        assert_eq!(one.json["name"], name);
        assert_eq!(one.json["contact"], json!({"phone": "+49 561 1"}));
        assert_eq!(one.json["tomorrow"], json!([1]));
        assert!(one.json["links"].as_array().is_none_or(Vec::is_empty));
        assert!(one.etag().starts_with("W/"), "{}", one.etag());
    }
    let history = format!("{path}/history/1");
    let csv = format!("{export}&format=csv");
    for shown in [
        &path,
        list,
        export,
        &history,
        &csv,
        "/v1/suggest?q=Klinik+Fern",
    ] {
        let shown = node.get(shown).await.expect(200).text;
        for harm in [
            "javascript",
            "data:",
            "onerror",
            "../admin",
            "\u{202e}",
            "\u{200b}",
            "<b>",
        ] {
            assert!(!shown.contains(harm), "{harm}: {shown}");
        }
    }
    assert_eq!(total(node, "/v1/search?q=geheimwort").await, 0);
    assert_eq!(total(node, "/v1/search?q=Klinik+Fern").await, 1);
    // What is stored, hashed and compared is what was sent.
    let row = tests::tables::record::Entity::find_by_id(Uuid::from_u128(1));
    let row = row.one(node.store.db().reader()).await.unwrap().unwrap();
    assert_eq!(row.body, domain::base::json::canonical(&entry["record"]));
    assert_eq!(intake.shown().await["quarantined"]["count"], 0);
    // This node's writers get no further.
    let body = json!({"name": "Kli\u{202e}nik", "home_region": "hessen"});
    let refused = node.post("/v1/actors").json(&body).await;
    let refused = refused.problem(422, "validation-failed");
    let fault = ("/name".to_owned(), "deceptive-character".to_owned());
    assert_eq!(refused.faults(), [fault]);
    fern.stop().await;
});

story!(what_was_erased_does_not_come_back, async |node| {
    let ours = actor(node, "Unser").await;
    let fern = Pretender::start();
    let body = |text: &str| json!({"name": "Fern", "summary": text});
    let entries = [
        upsert("actor", 1, 3, body("geheim")),
        upsert("actor", 2, 3, body("geheim")),
        relationship(3, "operates", end("actor", &id(2)), end("actor", &ours)),
    ];
    fern.feeds(&page(&entries, json!({})));
    let intake = copied(node, &fern, 1).await;
    // One is erased by its origin, the other one here.
    fern.feeds(&page(&[deletion(1, 4, "erased")], json!({})));
    intake.pull().await;
    let local = format!("/v1/actors/{}", id(2));
    node.post(&format!("{local}/erase")).await.expect(204);
    node.settled().await;
    for version in [1, 3, 9] {
        let entries = [1, 2].map(|n| upsert("actor", n, version, body("geheim")));
        fern.feeds(&page(&entries, json!({})));
        intake.pull().await;
        for number in [1, 2] {
            let path = format!("/v1/actors/{}", id(number));
            let gone = node.get(&path).await.problem(410, "gone");
            assert_eq!(
                gone.json["tombstone"]["cause"], "erased",
                "{number} {version}"
            );
        }
    }
    // Neither a merge nor its end opens the way back.
    let merged = |number: u128| {
        let mut merged = deletion(number, 10, "merged");
        merged["merged_into"] = json!(id(4));
        merged
    };
    let withdrawn = |number: u128| {
        let mut withdrawn = deletion(number, 12, "deleted");
        withdrawn["op"] = json!("withdraw");
        withdrawn
    };
    let upserts = |version: i64| [1, 2].map(|n| upsert("actor", n, version, body("geheim")));
    let target = upsert("actor", 4, 1, json!({"name": "Ziel"}));
    fern.feeds(&page(&[target, merged(1), merged(2)], json!({})));
    intake.pull().await;
    fern.feeds(&page(&upserts(11), json!({})));
    intake.pull().await;
    assert_eq!(stored_texts(node).await, 0, "after a merge");
    fern.feeds(&page(&[withdrawn(1), withdrawn(2)], json!({})));
    intake.pull().await;
    fern.feeds(&page(&upserts(13), json!({})));
    intake.pull().await;
    assert_eq!(stored_texts(node).await, 0, "after the end of the merge");
    node.settled().await;
    let shown = intake.shown().await;
    assert_eq!(shown["state"], "active", "that is not its mistake");
    assert!(
        !shown["quarantined"].to_string().contains("geheim"),
        "{shown}"
    );
    let path = format!("/v1/relationships/{}", id(3));
    node.get(&path).await.problem(410, "gone");
    assert_eq!(total(node, "/v1/search?q=geheim").await, 0);
    assert_eq!(stored_texts(node).await, 0);
    audit(node.store.db()).await;
    audiences_are_true(node.store.db()).await;
    fern.stop().await;
});

/// Stored records that contain what was erased.
async fn stored_texts(node: &Node) -> usize {
    let rows = tests::tables::record::Entity::find().all(node.store.db().reader());
    let rows = rows.await.unwrap();
    rows.iter()
        .filter(|row| row.body.contains("geheim"))
        .count()
}

story!(
    nobody_takes_away_the_right_to_delete_and_to_erase,
    async |node| {
        let (deleted, erased) = (actor(node, "Gelöscht").await, actor(node, "Getilgt").await);
        let fern = Pretender::start();
        let mut entries = vec![upsert("actor", 1, 1, json!({"name": "Fern"}))];
        for (ours, first) in [(&deleted, 1_000), (&erased, 2_000)] {
            for number in first..first + 450 {
                let roles = json!({
                    "type": "related_to", "from": end("actor", &id(1)), "to": end("actor", ours),
                    "note": format!("Nr. {number}"),
                });
                entries.push(upsert("relationship", number, 1, roles));
            }
        }
        fern.feeds(&page(&entries, json!({})));
        copied(node, &fern, 1).await;
        // And as many of its own, drafts and published ones.
        let mut lines = Vec::new();
        for ours in [&deleted, &erased] {
            for number in 0..900 {
                let other = domain::base::id::new();
                let publication = ["draft", "published"][number % 2];
                lines.push(json!({"id": other, "kind": "actor", "name": format!("Akteur {number}"), "home_region": "hessen", "publication": "published"}).to_string());
                lines.push(json!({"kind": "relationship", "type": "cooperates_with", "from": end("actor", ours), "to": end("actor", &other.to_string()), "note": "Wortlaut", "publication": publication}).to_string());
            }
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let loaded = node.store.imports();
        let loaded = loaded
            .load(&caller, &lines, LoadMode::Upsert, &options)
            .await;
        assert!(loaded.unwrap().iter().all(|one| one.0.is_ok()));
        node.settled().await;
        let around = |id: &str| format!("/v1/relationships?from=actor/{id}&type=cooperates_with");
        node.delete(&format!("/v1/actors/{deleted}"))
            .if_match("*")
            .await
            .expect(204);
        node.post(&format!("/v1/actors/{erased}/erase"))
            .await
            .expect(204);
        for ours in [&deleted, &erased] {
            // At once, whatever is left to do.
            node.get(&format!("/v1/actors/{ours}"))
                .await
                .problem(410, "gone");
            let shown = node
                .get("/v1/relationships?type=cooperates_with")
                .await
                .expect(200);
            assert_eq!(shown.json["total"], 0, "{}", around(ours));
        }
        node.settled().await;
        let db = node.store.db().reader();
        let left = tests::tables::record::Entity::find().all(db).await.unwrap();
        let left = left
            .iter()
            .filter(|row| row.body.contains("cooperates_with"));
        assert_eq!(left.count(), 0);
        // Each deletion has one id, which the record shares with its relationships.
        let log = tests::tables::change::Entity::find().all(db).await.unwrap();
        for (ours, keeps) in [(&deleted, true), (&erased, false)] {
            let ours: Uuid = ours.parse().unwrap();
            let last = log.iter().rfind(|entry| entry.record_id == ours).unwrap();
            let deletion = last.deletion_id.unwrap();
            let parts = log
                .iter()
                .filter(|entry| entry.deletion_id == Some(deletion));
            assert_eq!(parts.clone().count(), 901);
            let ids: Vec<Uuid> = parts.map(|entry| entry.record_id).collect();
            let bodies = log.iter().filter(|entry| ids.contains(&entry.record_id));
            let kept = bodies.filter(|entry| entry.body.is_some()).count();
            assert_eq!(kept, if keeps { 901 } else { 0 });
        }
        audit(node.store.db()).await;
        audiences_are_true(node.store.db()).await;
        fern.stop().await;
    }
);

story!(
    what_is_known_of_a_person_includes_rejected_entries,
    async |node| {
        let fern = Pretender::start();
        let mut entry = upsert("actor", 1, 1, json!({"name": "Praxis Erika Mustermann"}));
        entry["hash"] = json!("sha256:00");
        fern.feeds(&page(&[entry], json!({})));
        copied(node, &fern, 1).await;
        let query = json!({"name": "Erika Mustermann"});
        let held = node
            .post("/v1/personal_data")
            .json(&query)
            .await
            .expect(200);
        assert_eq!(
            held.json["mentions"][0]["place"], "quarantine",
            "{}",
            held.text
        );
        assert_eq!(held.json["mentions"][0]["id"], id(1));
        fern.stop().await;
    }
);
