//! Contact persons: their visibility over time, and everything held about a person.

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Role;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tests::audit::audit;
use tests::tables::{contact_person, idempotency_record};
use tests::{Answer, Instance, Node, story};
use uuid::Uuid;

const NETWORK: &str = "/v1/networks/mo-win-net";

async fn token(node: &Node, role: Role, slug: &str) -> String {
    let region = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    node.token(role, Some(Uuid::parse_str(region.id()).unwrap()))
        .await
}

fn at(now: DateTime<Utc>, hours: i64) -> String {
    domain::base::clock::rfc3339(now + TimeDelta::hours(hours))
}

/// A person with consent from `from` to `until`, in hours from now.
fn consented(node: &Node, name: &str, from: i64, until: Option<i64>) -> Value {
    let now = node.store.clock().now();
    let mut consent = json!({"from": at(now, from), "proof": "Formular 7"});
    if let Some(until) = until {
        consent["until"] = json!(at(now, until));
    }
    json!({
        "name": name,
        "role": "Netzwerkmanagement",
        "email": "erika@beispiel.example",
        "purpose": "Auskunft",
        "visibility": "public",
        "consent": consent,
    })
}

async fn add(node: &Node, record: &str, body: &Value) -> Answer {
    let path = format!("{record}/contact_persons");
    node.post(&path).json(body).await.expect(201)
}

async fn names(node: &Node, record: &str, token: Option<&str>) -> Vec<String> {
    let call = node.get(&format!("{record}/contact_persons"));
    let call = match token {
        Some(token) => call.token(token),
        None => call,
    };
    let list = call.await.expect(200);
    assert_eq!(list.header("cache-control"), "no-store");
    let items = list.json["items"].as_array().unwrap().iter();
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    items.map(name).collect()
}

story!(
    everybody_reads_who_has_consented_and_editors_the_others,
    Seeded,
    async |node| {
        let public = add(node, NETWORK, &consented(node, "Erika", -1, Some(1))).await;
        let secret = json!({"name": "Max", "purpose": "Abstimmung", "phone": "0561 1"});
        let secret = add(node, NETWORK, &secret).await;
        assert_eq!(secret.json["visibility"], "editors");
        for (name, from, until) in [("Früher", -2, Some(-1)), ("Später", 1, None)] {
            add(node, NETWORK, &consented(node, name, from, until)).await;
        }
        let everyone = ["Erika", "Max", "Früher", "Später"];
        assert_eq!(names(node, NETWORK, None).await, ["Erika"]);
        let [public, secret] = [&public, &secret].map(|one| one.header("location").to_owned());
        for (role, home, within) in [
            (Role::Reader, "nordhessen", false),
            (Role::Feeder, "nordhessen", false),
            (Role::Editor, "nordhessen", true),
            (Role::Approver, "nordhessen", true),
            (Role::Admin, "nordhessen", true),
            (Role::Admin, "muensterland", false),
        ] {
            let token = token(node, role, home).await;
            let told = names(node, NETWORK, Some(&token)).await;
            let expected: &[&str] = if within { &everyone } else { &["Erika"] };
            assert_eq!(told, expected, "{role:?} {home}");
            let read = node.get(&public).token(&token).await.expect(200);
            assert_eq!(read.json["purpose"].is_string(), within);
            assert_eq!(read.json["consent"].is_object(), within);
            assert_eq!(read.etag() == "\"1\"", within);
            let read = node.get(&secret).token(&token).await;
            assert_eq!(read.status, if within { 200 } else { 404 });
            // A dry run, so that the next request finds the same state.
            let all = format!("{NETWORK}/contact_persons?dry_run=true");
            let create = node.post(&all).token(&token);
            let created = create.json(&json!({"name": "x", "purpose": "x"})).await;
            assert_eq!(created.status, if within { 200 } else { 403 });
            for (path, refused) in [(&public, 403), (&secret, 404)] {
                let path = format!("{path}?dry_run=true");
                let patch = node.patch(&path).token(&token).if_match("\"1\"");
                let patched = patch.json(&json!({"role": "Sekretariat"})).await;
                let (changes, erases) = if within {
                    (200, 204)
                } else {
                    (refused, refused)
                };
                assert_eq!(patched.status, changes, "{role:?} {home}");
                let erase = node.delete(&path).token(&token).if_match("\"1\"");
                assert_eq!(erase.await.status, erases, "{role:?} {home}");
            }
            // Callers without permission do not learn what would be wrong.
            let wrong = node.post(&all).token(&token).json(&json!({"name": 1}));
            assert_eq!(wrong.await.status, if within { 422 } else { 403 });
        }
        // Outsiders see nothing that only editors need.
        let read = node.get(&public).await.expect(200);
        let members: Vec<&String> = read.json.as_object().unwrap().keys().collect();
        assert_eq!(members, ["id", "record", "name", "role", "email"]);
        assert!(read.etag().starts_with("W/"));
        node.get(&secret).await.problem(404, "not-found");
        node.get("/v1/contact_persons/erika")
            .await
            .problem(404, "not-found");
        audit(node.store.db()).await;
    }
);

story!(an_expired_consent_hides_at_once, Seeded, async |node| {
    let made = add(node, NETWORK, &consented(node, "Erika", 1, Some(2))).await;
    let path = made.header("location");
    let all = format!("{NETWORK}/contact_persons");
    let other = Instance::start(node, api::config::Config::default()).await;
    for (hours, shown) in [(0, false), (1, true), (0, true), (1, false)] {
        other.later(TimeDelta::hours(hours));
        let read = other.get(path).await;
        assert_eq!(read.status, if shown { 200 } else { 404 });
        let list = other.get(&all).await.expect(200);
        let items = list.json["items"].as_array().unwrap();
        assert_eq!(items.len(), usize::from(shown));
    }
    other.stop().await;
});

story!(
    a_contact_person_is_changed_as_records_are,
    Seeded,
    async |node| {
        let made = add(node, NETWORK, &consented(node, "Erika", -1, None)).await;
        assert_eq!(made.etag(), "\"1\"");
        let path = made.header("location").to_owned();
        let patch = |tag: &str, body: Value| node.patch(&path).if_match(tag).json(&body);
        node.patch(&path)
            .json(&json!({}))
            .await
            .problem(428, "precondition-required");
        patch("\"9\"", json!({}))
            .await
            .problem(412, "precondition-failed");
        let same = patch("\"1\"", json!({"name": "Erika"})).await.expect(200);
        assert_eq!(same.etag(), "\"1\"");
        let changed = patch("\"1\"", json!({"email": null, "phone": "1"})).await;
        let changed = changed.expect(200);
        assert_eq!(
            (changed.etag(), &changed.json["phone"]),
            ("\"2\"", &json!("1"))
        );
        assert!(changed.json["email"].is_null());
        // Without consent nothing about the person is public.
        for (body, pointer, code) in [
            (json!({"consent": null}), "/consent", "required"),
            (json!({"name": null}), "/name", "required"),
            (
                json!({"visibility": "partners"}),
                "/visibility",
                "unknown-code",
            ),
            (json!({"id": "x"}), "/id", "unknown-member"),
        ] {
            let refused = patch("*", body).await.problem(422, "validation-failed");
            assert_eq!(refused.faults(), [(pointer.to_owned(), code.to_owned())]);
        }
        let german = patch("*", json!({"consent": null})).header("accept-language", "de");
        let german = german.await.problem(422, "validation-failed");
        let message = german.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("Einwilligung"), "{message}");

        // Dry runs write nothing.
        let rehearse = node
            .post(&format!("{NETWORK}/contact_persons?dry_run=true"))
            .json(&json!({"name": "Probe", "purpose": "Probe"}));
        let rehearsed = rehearse.await.expect(200);
        assert!(rehearsed.json["id"].is_null());
        let rehearse = node.patch(&format!("{path}?dry_run=true")).if_match("*");
        let rehearsed = rehearse.json(&json!({"name": "Probe"})).await;
        assert_eq!(rehearsed.expect(200).json["name"], "Probe");
        let rehearse = node.delete(&format!("{path}?dry_run=true"));
        rehearse.if_match("*").await.expect(204);
        assert_eq!(names(node, NETWORK, Some(&node.admin)).await, ["Erika"]);

        node.delete(&path)
            .if_match("\"1\"")
            .await
            .problem(412, "precondition-failed");
        node.delete(&path).if_match("\"2\"").await.expect(204);
        node.delete(&path)
            .if_match("*")
            .await
            .problem(404, "not-found");
        node.get(&path)
            .token(&node.admin)
            .await
            .problem(404, "not-found");
        let rows = contact_person::Entity::find().count(node.store.db().reader());
        assert_eq!(rows.await.unwrap(), 0);
    }
);

story!(persons_are_in_no_record_feed_or_log, Seeded, async |node| {
    let editor = token(node, Role::Editor, "nordhessen").await;
    let me = node.get("/v1/me").token(&editor).await.expect(200);
    let body = consented(node, "Erika Geheimrat", -1, None);
    let made = node
        .post(&format!("{NETWORK}/contact_persons"))
        .token(&editor)
        .json(&body);
    let made = made.await.expect(201);
    let path = made.header("location").to_owned();
    let patch = node.patch(&path).token(&editor).if_match("*");
    patch.json(&json!({"role": "Geheimrat"})).await.expect(200);
    node.delete(&path)
        .token(&editor)
        .if_match("*")
        .await
        .expect(204);
    node.settled().await;
    let audited = audit(node.store.db()).await;
    for entry in &audited.log {
        assert!(!format!("{entry:?}").contains("Geheimrat"), "{entry:?}");
    }
    for path in [
        NETWORK,
        &format!("{NETWORK}/history"),
        "/v1/networks?q=Geheimrat",
        "/v1/search?q=Geheimrat",
        "/v1/suggest?q=Geheimrat",
        "/v1/export?kind=network",
    ] {
        let read = node.get(path).token(&node.admin).await;
        assert!(read.status < 300, "{path} {}", read.text);
        assert!(!read.text.contains("Geheimrat") && !read.text.contains("Erika"));
    }
    // The audit shows who wrote which contact person, and the history of the record does not.
    let account = me.json["account"].as_str().unwrap();
    let log = node.get(&format!("/v1/audit?by={account}"));
    let log = log.token(&node.admin).await.expect(200);
    let reasons: Vec<&str> = log.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["reason"].as_str().unwrap())
        .collect();
    let told = |what| format!("contact person {} {what}", made.id());
    assert_eq!(reasons, [told("erased"), told("changed"), told("created")]);
    let history = node.get(&format!("{NETWORK}/history")).await.expect(200);
    assert_eq!(history.json["items"].as_array().unwrap().len(), 1);
});

story!(persons_go_with_their_record, Seeded, async |node| {
    let body = json!({"name": "Kurz", "home_region": "nordhessen", "publication": "published"});
    let record = node.post("/v1/actors").json(&body).await.expect(201);
    let record = record.header("location").to_owned();
    let create = node
        .post(&format!("{record}/contact_persons"))
        .json(&consented(node, "Erika", -1, None))
        .header("idempotency-key", "k");
    let person = create.clone().await.expect(201);
    let again = create.clone().await.expect(201);
    assert_eq!(again.text, person.text);
    node.delete(&record).if_match("*").await.expect(204);
    let path = person.header("location");
    node.get(path).await.problem(404, "not-found");
    let rows = contact_person::Entity::find().count(node.store.db().reader());
    assert_eq!(rows.await.unwrap(), 0);
    // The stored response is removed as well, and the person is not created again.
    create.await.problem(410, "gone");
    let rows = idempotency_record::Entity::find().all(node.store.db().reader());
    assert!(rows.await.unwrap().iter().all(|row| row.body.is_none()));
});

story!(persons_follow_a_merge, Seeded, async |node| {
    let record = async |name: &str| {
        let body = json!({"name": name, "home_region": "nordhessen", "publication": "published"});
        let made = node.post("/v1/actors").json(&body).await.expect(201);
        made.header("location").to_owned()
    };
    let (loser, merge_target) = (record("Eins").await, record("Zwei").await);
    let person = add(node, &loser, &consented(node, "Erika", -1, None)).await;
    let path = person.header("location");
    let into = json!({"into": merge_target.rsplit('/').next().unwrap()});
    let merge = format!("{loser}/merge");
    node.post(&merge).json(&into).await.expect(200);
    assert_eq!(names(node, &merge_target, None).await, ["Erika"]);
    let read = node.get(path).await.expect(200);
    assert!(merge_target.ends_with(read.json["record"]["id"].as_str().unwrap()));
    node.delete(&merge).await.expect(200);
    assert_eq!(names(node, &merge_target, None).await, Vec::<String>::new());
    assert_eq!(names(node, &loser, None).await, ["Erika"]);
    node.post(&merge).json(&into).await.expect(200);
    node.delete(&merge_target).if_match("*").await.expect(204);
    let rows = contact_person::Entity::find().count(node.store.db().reader());
    assert_eq!(rows.await.unwrap(), 0);
});

story!(drafts_and_copies_have_none_to_show, Seeded, async |node| {
    let body = json!({"name": "Entwurf", "home_region": "nordhessen"});
    let draft = node.post("/v1/networks").json(&body).await.expect(201);
    let draft = draft.header("location").to_owned();
    let person = add(node, &draft, &consented(node, "Erika", -1, None)).await;
    let path = person.header("location");
    let all = format!("{draft}/contact_persons");
    node.get(&all).await.problem(404, "not-found");
    node.get(path).await.problem(404, "not-found");
    let elsewhere = token(node, Role::Admin, "muensterland").await;
    let post = node.post(&all).token(&elsewhere);
    let post = post.json(&json!({"name": "x", "purpose": "x"}));
    post.await.problem(404, "not-found");
    let patch = node.patch(path).token(&elsewhere).if_match("*");
    patch.json(&json!({})).await.problem(404, "not-found");
    // A reader of the region sees the draft, and of the persons only the public view.
    let reader = token(node, Role::Reader, "nordhessen").await;
    assert_eq!(names(node, &draft, Some(&reader)).await, ["Erika"]);
    let copy = crate::errors::copy_of(node, "mo-win-net", "elsewhere").await;
    let post = node.post(&format!("/v1/networks/{copy}/contact_persons"));
    let refused = post.json(&json!({"name": "x", "purpose": "x"})).await;
    assert_eq!(refused.problem(403, "forbidden").json["reason"], "copy");
});

story!(pages_of_contact_persons, Seeded, async |node| {
    for number in 0..5 {
        let body = consented(node, &format!("Person {number}"), -1, None);
        add(node, NETWORK, &body).await;
    }
    let mut seen = Vec::new();
    let mut next = Some(format!("{NETWORK}/contact_persons?limit=2"));
    while let Some(path) = next {
        let page = node.get(&path).await.expect(200);
        for item in page.json["items"].as_array().unwrap() {
            seen.push(item["name"].as_str().unwrap().to_owned());
        }
        next = page.json["next"].as_str().map(str::to_owned);
    }
    let all: Vec<String> = (0..5).map(|number| format!("Person {number}")).collect();
    assert_eq!(seen, all);
});

story!(
    everything_held_about_a_person_is_told,
    Seeded,
    async |node| {
        let email = "erika@beispiel.example";
        let person = json!({"name": "Erika Öztürk", "email": "Erika@Beispiel.Example", "purpose": "Auskunft"});
        add(node, NETWORK, &person).await;
        let apply = json!({
            "applicant": {"organisation": "Praxis", "person": "Erika Öztürk", "email": email},
            "message": "Rückfragen an mich.",
        });
        let applied = node.post(&format!("{NETWORK}/applications")).anonymous();
        applied.json(&apply).await.expect(202);
        let account =
            json!({"name": email, "grants": [{"role": "editor", "region": "nordhessen"}]});
        let account = node.post("/v1/accounts").json(&account).await.expect(201);
        let actor =
            json!({"name": "Praxis", "home_region": "nordhessen", "contact": {"email": email}});
        let actor = node
            .post("/v1/actors")
            .json(&actor)
            .header("idempotency-key", "k");
        let actor = actor.await.expect(201);
        let path = actor.header("location");
        let patch = node
            .patch(path)
            .if_match("*")
            .header("change-reason", &format!("so {email}"));
        patch.json(&json!({"contact": null})).await.expect(200);
        // Another person, whose address only resembles the pattern.
        let other =
            json!({"name": "Andere", "email": "erika_beispiel@example.org", "purpose": "x"});
        add(node, NETWORK, &other).await;

        let ask = |body: Value| node.post("/v1/personal_data").json(&body);
        let told = ask(json!({"email": "ERIKA@beispiel.example"}))
            .await
            .expect(200);
        assert_eq!(told.header("cache-control"), "no-store");
        let told = &told.json;
        assert_eq!(told["contact_persons"].as_array().unwrap().len(), 1);
        assert_eq!(told["contact_persons"][0]["purpose"], "Auskunft");
        assert_eq!(told["applications"][0]["applicant"], apply["applicant"]);
        assert_eq!(told["applications"][0]["message"], apply["message"]);
        assert_eq!(told["accounts"][0]["id"], account.json["account"]["id"]);
        assert_eq!(told["accounts"][0]["grants"][0]["role"], "editor");
        assert_eq!(told["idempotency_records"], 1);
        let mention = |place: &str, version: i64| json!({"place": place, "kind": "actor", "id": actor.id(), "version": version});
        assert_eq!(
            told["mentions"],
            json!([mention("version", 1), mention("reason", 2)])
        );

        // A name is found too, umlauts and all.
        for name in ["Erika Öztürk", "erika öztürk"] {
            let by_name = ask(json!({"name": name})).await.expect(200);
            let found = by_name.json["contact_persons"].as_array().unwrap().len();
            assert_eq!(found, 1, "{name}");
        }
        let alike = ask(json!({"name": "Erika Ozturk"})).await.expect(200);
        assert_eq!(alike.json["contact_persons"], json!([]));
        let nobody = ask(json!({"email": "niemand@beispiel.example"}))
            .await
            .expect(200);
        for list in ["contact_persons", "applications", "accounts", "mentions"] {
            assert_eq!(nobody.json[list], json!([]));
        }
        let refused = ask(json!({})).await.problem(422, "validation-failed");
        assert_eq!(
            refused.faults(),
            [("/email".to_owned(), "required".to_owned())]
        );
        let editor = token(node, Role::Admin, "nordhessen").await;
        let refused = ask(json!({"email": email})).token(&editor).await;
        refused.problem(403, "forbidden");
    }
);
