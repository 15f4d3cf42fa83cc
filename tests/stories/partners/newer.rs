//! Partners of another release: newer ones, and ones that send invalid content.

use super::actor;
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use domain::base::json::{canonical, hash};
use domain::exchange::sync::FeedPhase;
use persistence::partner::PageOutcome;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tests::audit::audiences_are_true;
use tests::tables::record;
use tests::{Intake, Neighbour, story};
use uuid::Uuid;

/// A server that answers the pages of a story one by one, and then nothing new.
pub(super) struct Pretender {
    pub(super) base: String,
    script: Arc<Script>,
    handle: ServerHandle,
}

#[derive(Default)]
struct Script {
    pages: Mutex<VecDeque<String>>,
    digest: Mutex<Option<String>>,
}

async fn answer(request: HttpRequest, script: web::Data<Script>) -> HttpResponse {
    let text = if request.path() == "/v1/sync/digest" {
        let Some(digest) = script.digest.lock().unwrap().clone() else {
            return HttpResponse::NotFound().finish();
        };
        digest
    } else {
        let next = script.pages.lock().unwrap().pop_front();
        next.unwrap_or_else(|| page(&[], json!({})).to_string())
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .body(text)
}

impl Pretender {
    pub(super) fn start() -> Self {
        let script: Arc<Script> = Arc::default();
        let data = web::Data::from(script.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::to(answer))
        })
        .workers(1)
        .bind("127.0.0.1:0")
        .unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            base,
            script,
            handle,
        }
    }

    pub(super) fn feeds(&self, page: &Value) {
        let mut pages = self.script.pages.lock().unwrap();
        pages.push_back(page.to_string());
    }

    fn has_digest(&self, digest: &Value) {
        *self.script.digest.lock().unwrap() = Some(digest.to_string());
    }

    pub(super) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

pub(super) fn page(entries: &[Value], more: Value) -> Value {
    let mut page = json!({
        "origin": "fern",
        "log_id": Uuid::from_u128(1),
        "phase": "changes",
        "seq": 10,
        "head_seq": 10,
        "has_more": false,
        "up_to_date": true,
        "next": "/v1/sync/changes?cursor=AAAA",
    });
    domain::base::json::merge_patch(&mut page, &more);
    // Not merged: `null` has a meaning in an entry.
    page["entries"] = json!(entries);
    page
}

pub(super) fn upsert(kind: &str, id: u128, version: i64, mut body: Value) -> Value {
    if body.is_object() && body.get("publication").is_none() {
        body["publication"] = json!("published");
    }
    let text = canonical(&body);
    json!({
        "seq": 1,
        "tx": 1,
        "op": "upsert",
        "kind": kind,
        "id": Uuid::from_u128(id),
        "origin": "fern",
        "version": version,
        "hash": hash(&text),
        "created_at": "2026-01-01T00:00:00.000000Z",
        "at": "2026-01-02T00:00:00.000000Z",
        // In canonical JSON members are in order.
        "record": serde_json::from_str::<Value>(&text).unwrap(),
    })
}

story!(
    what_is_no_language_is_kept_and_goes_into_no_header,
    async |node| {
        let fern = Pretender::start();
        for (id, language) in [(1, "de\r\nX-Evil: 1"), (2, "fr")] {
            let actor = json!({"name": "Praxis", "language": language});
            fern.feeds(&page(&[upsert("actor", id, 1, actor)], json!({})));
        }
        let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
        for _ in 0..2 {
            intake.pull().await;
        }
        node.settled().await;
        let one = format!("/v1/actors/{}?lang=en", Uuid::from_u128(1));
        let one = node.get(&one).await.expect(200);
        assert_eq!(one.json["language"], "de\r\nX-Evil: 1");
        assert_eq!(one.header("content-language"), "");
        let list = node.get("/v1/actors?lang=en&limit=200").await.expect(200);
        assert_eq!(list.header("content-language"), "fr");
        for answer in [&one, &list] {
            assert_eq!(answer.header("x-evil"), "");
        }
        fern.stop().await;
    }
);

story!(
    a_newer_release_is_understood_as_far_as_it_goes,
    async |node| {
        let fern = Pretender::start();
        let region = node.get("/v1/regions/hessen").await.expect(200);
        let actor = json!({
            "name": "Orbitalklinik",
            "slug": "orbitalklinik",
            "category": "orbital_clinic",
            "care_level": "beyond",
            "home_region": region.id(),
            "identifiers": [{"scheme": "ik", "value": "260000011"}, {"scheme": "star", "value": "7", "sector": 9}],
            "crew": {"captain": ["Ada", {"rank": 1}]},
            "names": [{"value": "OK", "type": "callsign"}],
        });
        let edge = json!({
            "type": "beams_to",
            "from": {"kind": "actor", "id": Uuid::from_u128(1)},
            "to": {"kind": "starship", "id": Uuid::from_u128(2)},
        });
        let known_edge = json!({
            "type": "cooperates_with",
            "from": {"kind": "actor", "id": Uuid::from_u128(1)},
            "to": {"kind": "actor", "id": Uuid::from_u128(4)},
            "roles": ["navigator"],
            "warp": 9,
        });
        fern.feeds(&page(
            &[
                upsert("actor", 1, 3, actor),
                upsert("starship", 2, 1, json!({"name": "Enterprise"})),
                upsert("relationship", 3, 1, edge),
                upsert(
                    "actor",
                    4,
                    1,
                    json!({"name": "Bodenstation", "home_region": region.id()}),
                ),
                upsert("relationship", 5, 1, known_edge),
            ],
            json!({"phase": "snapshot", "up_to_date": false, "galaxy": "milky way"}),
        ));
        let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        node.settled().await;
        let shown = intake.shown().await;
        assert_eq!(shown["skipped"], 1);
        assert_eq!(shown["copies"], 4);
        assert_eq!(shown["quarantined"]["count"], 0);
        assert_eq!(shown["state"], "active");

        // Unknown content is served as received.
        let row = record::Entity::find_by_id(Uuid::from_u128(1));
        let row = row.one(node.store.db().reader()).await.unwrap().unwrap();
        assert!(
            row.body
                .contains(r#""crew":{"captain":["Ada",{"rank":1}]}"#)
        );
        let found = node
            .get("/v1/search?q=Orbitalklinik&fields=name")
            .await
            .expect(200);
        assert_eq!(found.json["total"], 1, "{}", found.text);
        let found = node
            .get("/v1/actors?identifier=ik|260000011&fields=name")
            .await
            .expect(200);
        assert_eq!(found.json["total"], 1);
        // The document does not know its role, so it is not validated.
        let around = format!(
            "{}/v1/actors/{}/relationships",
            node.base,
            Uuid::from_u128(4)
        );
        let around: Value = reqwest::get(around).await.unwrap().json().await.unwrap();
        assert_eq!(around["total"], 1, "{around}");
        assert_eq!(around["items"][0]["warp"], 9);
        // A relationship of an unknown type joins nothing yet.
        let path = format!("/v1/relationships/{}", Uuid::from_u128(3));
        node.get(&path).await.problem(404, "not-found");
        audiences_are_true(node.store.db()).await;
        fern.stop().await;
    }
);

story!(what_cannot_be_read_is_put_aside, async |node| {
    let fern = Pretender::start();
    let own: Uuid = actor(node, "Eigener").await.parse().unwrap();
    let good = upsert("actor", 1, 1, json!({"name": "Gut"}));
    let mut bad = upsert("actor", 2, 1, json!({"name": "Schlecht"}));
    bad["hash"] = json!("sha256:00");
    let mut foreign = upsert("actor", 3, 1, json!({"name": "Fremd"}));
    foreign["origin"] = json!("woanders");
    let taken = upsert("actor", own.as_u128(), 99, json!({"name": "Übernommen"}));
    let draft = upsert(
        "actor",
        5,
        1,
        json!({"name": "Entwurf", "publication": "draft"}),
    );
    fern.feeds(&page(
        &[good, bad.clone(), foreign, taken, draft, json!(7)],
        json!({}),
    ));
    let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
    // One of six is right: not enough.
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    let shown = intake.shown().await;
    assert_eq!(shown["quarantined"]["count"], 5);
    assert_eq!(shown["copies"], 1, "the cursor moves on");
    let reasons = shown["quarantined"]["latest"].as_array().unwrap();
    assert!(
        reasons
            .iter()
            .all(|one| !one["reason"].as_str().unwrap().is_empty())
    );
    let mine = node.get(&format!("/v1/actors/{own}")).await.expect(200);
    assert_eq!(mine.json["name"], "Eigener");

    // More of it pauses the partner.
    fern.feeds(&page(&[bad.clone(), json!({})], json!({})));
    assert_eq!(intake.pull().await, PageOutcome::Stopped);
    let shown = intake.shown().await;
    assert_eq!(shown["state"], "paused");
    assert!(
        shown["last_error"].as_str().unwrap().contains("7 of 8"),
        "{shown}"
    );
    assert!(intake.step().await.is_none());
    // A corrected entry is applied, and its entry in the quarantine is removed.
    intake.change(json!({"paused": false})).await;
    fern.feeds(&page(
        &[upsert("actor", 2, 2, json!({"name": "Besser"}))],
        json!({}),
    ));
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    let shown = intake.shown().await;
    assert_eq!(shown["copies"], 2);
    assert_eq!(shown["quarantined"]["count"], 5);
    fern.stop().await;
});

story!(
    whatever_a_partner_sends_it_stays_with_its_own,
    async |node| {
        let fern = Pretender::start();
        let mine = actor(node, "Meiner").await;
        let id: Uuid = mine.parse().unwrap();
        let entry = |op: &str| json!({"seq": 1, "tx": 1, "op": op, "kind": "actor", "id": id, "origin": "fern", "version": 99, "cause": "erased", "at": "2026-01-02T00:00:00.000000Z"});
        fern.feeds(&page(&[entry("delete"), entry("withdraw")], json!({})));
        let reference = node.get("/v1/regions/hessen").await.expect(200);
        let region: Uuid = reference.id().parse().unwrap();
        fern.feeds(&page(
            &[upsert(
                "region",
                region.as_u128(),
                99,
                json!({"name": "Meins"}),
            )],
            json!({}),
        ));
        // Merged into themselves, into each other, and into records of others.
        let body = |name: &str| json!({"name": name});
        fern.feeds(&page(
            &[
                upsert("actor", 1, 1, body("A")),
                upsert("actor", 2, 1, body("B")),
                upsert("actor", 3, 1, body("C")),
            ],
            json!({}),
        ));
        let merged = |loser: u128, into: Uuid| json!({"seq": 1, "tx": 1, "op": "delete", "kind": "actor", "id": Uuid::from_u128(loser), "origin": "fern", "version": 2, "cause": "merged", "merged_into": into, "at": "2026-01-02T00:00:00.000000Z"});
        fern.feeds(&page(
            &[
                merged(1, Uuid::from_u128(2)),
                merged(2, Uuid::from_u128(1)),
                merged(3, id),
            ],
            json!({}),
        ));
        let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
        for _ in 0..4 {
            intake.step().await.unwrap().unwrap();
        }
        node.settled().await;
        audiences_are_true(node.store.db()).await;
        assert_eq!(
            node.get(&format!("/v1/actors/{mine}"))
                .await
                .expect(200)
                .json["version"],
            1
        );
        assert_eq!(
            node.get("/v1/regions/hessen").await.expect(200).json,
            reference.json
        );
        for (loser, status) in [(1_u128, 410), (2, 410), (3, 410)] {
            let path = format!("/v1/actors/{}", Uuid::from_u128(loser));
            node.get(&path).await.expect(status);
        }
        fern.stop().await;
    }
);

story!(two_partners_cannot_feed_the_same_records, async |node| {
    let there = Neighbour::start(node.backend, "berg").await;
    let first = Intake::new(node, "eins", &there.base, json!({})).await;
    first.pull().await;
    let second = Intake::new(node, "zwei", &there.base, json!({})).await;
    assert!(second.fails().await.contains("eins"));
    let myself = Intake::new(node, "ich", &node.base, json!({})).await;
    assert!(myself.fails().await.contains("origin"));
    // Nor can a partner become another one.
    let other = Pretender::start();
    first.change(json!({"url": other.base})).await;
    assert!(first.fails().await.contains("fern"));
    other.stop().await;
    there.stop().await;
});

story!(
    what_was_once_not_understood_is_compared_again,
    async |node| {
        let fern = Pretender::start();
        fern.has_digest(&json!({"seq": 10, "items": [{"kind": "actor", "count": 2, "sum": "00"}]}));
        let good = upsert("actor", 1, 1, json!({"name": "Gut"}));
        let mut bad = good.clone();
        bad["hash"] = json!("sha256:00");
        let ship = upsert("starship", 2, 1, json!({"name": "Enterprise"}));
        fern.feeds(&page(&[bad, ship], json!({})));
        let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
        let step = async || intake.step().await.unwrap().unwrap();
        assert_eq!(step().await, PageOutcome::UpToDate);
        let row = intake.row().await;
        assert_eq!((row.refused, row.skipped), (1, 1));
        assert_eq!(row.compared_at, None, "something is in quarantine");
        // It is corrected, and the digests differ: the next page is the first of a new snapshot.
        fern.feeds(&page(&[good], json!({})));
        assert_eq!(step().await, PageOutcome::More);
        let row = intake.row().await;
        assert!(row.compared_at.is_some());
        assert_eq!((row.next, row.phase), (None, FeedPhase::Snapshot));
        fern.stop().await;
    }
);

story!(how_far_a_snapshot_is_nobody_knows, async |node| {
    let fern = Pretender::start();
    let first = upsert("actor", 1, 1, json!({"name": "Erster"}));
    fern.feeds(&page(
        &[first],
        json!({"phase": "snapshot", "up_to_date": false}),
    ));
    let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
    let lag = async || {
        let shown = intake.shown().await;
        let measured = node.get("/metrics").token(&node.admin).await.expect(200);
        let start = "verbund_partner_lag_entries{partner=\"fern\"} ";
        let mut lines = measured.text.lines();
        let measured = lines.find_map(|line| line.strip_prefix(start).map(str::to_owned));
        (shown["lag"].get("entries").cloned(), measured)
    };
    assert_eq!(lag().await, (None, None));
    assert_eq!(intake.step().await.unwrap().unwrap(), PageOutcome::More);
    assert_eq!(intake.row().await.seq, 10);
    assert_eq!(lag().await, (None, None));
    let second = upsert("actor", 2, 1, json!({"name": "Zweiter"}));
    let more = json!({"head_seq": 12, "up_to_date": false, "next": "/v1/sync/changes?cursor=B"});
    fern.feeds(&page(&[second], more));
    assert_eq!(intake.step().await.unwrap().unwrap(), PageOutcome::More);
    assert_eq!(lag().await, (Some(json!(2)), Some("2".to_owned())));
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    assert_eq!(lag().await, (Some(json!(0)), Some("0".to_owned())));
    fern.stop().await;
});

story!(
    the_answer_to_another_request_changes_nothing,
    async |node| {
        let fern = Pretender::start();
        let actor = |version, name| [upsert("actor", 1, version, json!({"name": name}))];
        let intake = Intake::new(node, "fern", &fern.base, json!({})).await;
        let changes = json!({"after_seq": 0});
        fern.feeds(&page(&actor(2, "Aus dem Zwischenspeicher"), changes));
        assert!(intake.fails().await.contains("instead of the beginning"));

        let snapshot = json!({"phase": "snapshot", "after_seq": 0});
        fern.feeds(&page(&actor(2, "Zweiter"), snapshot));
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        for after in [0, 9, 11] {
            let stale = json!({"after_seq": after, "seq": 12, "head_seq": 12});
            fern.feeds(&page(&actor(3, "Nach einer Lücke"), stale));
            let why = intake.fails().await;
            assert!(
                why.contains(&format!("after {after}, not after 10")),
                "{why}"
            );
            assert_eq!(intake.row().await.seq, 10);
        }
        // A page that does not say where it begins; versions only rise.
        fern.feeds(&page(&actor(1, "Erster"), json!({})));
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        let path = format!("/v1/actors/{}", Uuid::from_u128(1));
        let shown = node.get(&path).await.expect(200);
        assert_eq!(shown.json["name"], "Zweiter");
        let next = json!({"after_seq": 10, "seq": 12, "head_seq": 12});
        fern.feeds(&page(&actor(3, "Dritter"), next));
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        let shown = node.get(&path).await.expect(200);
        assert_eq!(shown.json["name"], "Dritter");
        fern.stop().await;
    }
);
