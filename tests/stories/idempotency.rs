//! A request that is repeated under its `Idempotency-Key` gets the stored response and has no
//! effect.

use chrono::TimeDelta;
use domain::access::rules::{Caller, Role};
use domain::base::clock::Clock;
use futures::future::join_all;
use persistence::Store;
use persistence::transaction::{Transaction, WriteOptions};
use persistence::write::idempotency::{OpaqueResponse, Outcome, RequestKey};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::future::IntoFuture;
use std::time::{Duration, Instant};
use tests::audit::audit;
use tests::tables::idempotency_record;
use tests::{Answer, Backend, Call, Node, story};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

fn actor(name: &str) -> Value {
    json!({"name": name, "home_region": "hessen", "identifiers": [{"scheme": "telematik_id", "value": "1"}]})
}

fn create(node: &Node, key: &str, body: &Value) -> Call {
    let call = node.post("/v1/actors").json(body);
    call.header("idempotency-key", key)
}

async fn answers(node: &Node) -> u64 {
    let rows = idempotency_record::Entity::find().count(node.store.db().reader());
    rows.await.unwrap()
}

fn is_replay(first: &Answer, second: &Answer) {
    assert_eq!(second.header("idempotency-replayed"), "true", "{second:?}");
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    for name in [
        "etag",
        "location",
        "content-type",
        "verbund-warnings",
        "cache-control",
    ] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
}

story!(
    the_same_request_is_answered_again_and_not_done_again,
    async |node| {
        let first = create(node, "\"k-1\"", &actor("Einmal")).await.expect(201);
        let logged = node.store.log().head().await.unwrap();
        let second = create(node, "\"k-1\"", &actor("Einmal")).await;
        is_replay(&first, &second);
        // Spaces, the order of members and the quotes of the key are irrelevant.
        let text = r#"{ "identifiers": [{"value": "1", "scheme": "telematik_id"}],
            "home_region": "hessen", "name": "Einmal" }"#;
        let third = node
            .post("/v1/actors")
            .body("application/json", text)
            .header("idempotency-key", "k-1");
        is_replay(&first, &third.await);
        assert_eq!(node.store.log().head().await.unwrap(), logged);
        // The response is the original one, whatever the record has become.
        let path = first.header("location").to_owned();
        let change = json!({"name": "Zweimal"});
        node.patch(&path)
            .if_match("*")
            .json(&change)
            .await
            .expect(200);
        is_replay(&first, &create(node, "k-1", &actor("Einmal")).await);
        node.delete(&path).if_match("*").await.expect(204);
        is_replay(&first, &create(node, "k-1", &actor("Einmal")).await);
        audit(node.store.db()).await;
    }
);

story!(a_key_is_good_for_one_request_of_one_account, async |node| {
    let first = create(node, "k", &actor("Einmal")).await.expect(201);
    create(node, "k", &actor("Anders"))
        .await
        .problem(422, "idempotency-key-reused");
    let elsewhere = node
        .post("/v1/networks")
        .json(&actor("Einmal"))
        .header("idempotency-key", "k");
    elsewhere.await.problem(422, "idempotency-key-reused");
    // Knowledge of another account's key reveals nothing.
    let editor = node.token(Role::Editor, None).await;
    let other = json!({"name": "Eigener", "home_region": "hessen"});
    let made = create(node, "k", &other).token(&editor).await.expect(201);
    assert_ne!(made.id(), first.id());
    let mut call = create(node, "k", &actor("Einmal")).token(&editor).await;
    call = call.problem(422, "idempotency-key-reused");
    assert!(!call.text.contains(first.id()), "{}", call.text);
    // The database contains neither key nor request.
    let rows = idempotency_record::Entity::find().all(node.store.db().reader());
    for row in rows.await.unwrap() {
        assert_eq!((row.key_hash.len(), row.request_hash.len()), (64, 64));
    }
});

story!(only_success_is_kept, async |node| {
    create(node, "k", &json!({}))
        .await
        .problem(422, "validation-failed");
    let reader = node.token(Role::Reader, None).await;
    create(node, "k", &actor("Einmal"))
        .token(&reader)
        .await
        .problem(403, "forbidden");
    assert_eq!(answers(node).await, 0);
    create(node, "k", &actor("Einmal")).await.expect(201);
    assert_eq!(answers(node).await, 1);
    // A dry run is neither stored nor answered from the store.
    let rehearse = node
        .post("/v1/actors?dry_run=true")
        .json(&json!({"name": "Probe", "home_region": "hessen"}));
    for key in ["k", "k-2"] {
        let rehearsed = rehearse.clone().header("idempotency-key", key).await;
        assert_eq!(rehearsed.expect(200).header("idempotency-replayed"), "");
    }
    assert_eq!(answers(node).await, 1);
});

story!(what_is_no_key_is_refused, async |node| {
    let long = "k".repeat(256);
    for key in ["", "\"\"", "a b", "schlüssel", &long] {
        let call = create(node, key, &actor("Ohne"));
        call.await.problem(400, "invalid-header");
    }
    let twice = create(node, "a", &actor("Ohne")).header("idempotency-key", "b");
    twice.await.problem(400, "invalid-header");
    create(node, &"k".repeat(255), &actor("Mit"))
        .await
        .expect(201);
    // Keys belong to accounts.
    let network = json!({"name": "Netz", "home_region": "hessen", "publication": "published"});
    let network = node.post("/v1/networks").json(&network).await.expect(201);
    let apply = node
        .post(&format!("{}/applications", network.header("location")))
        .json(&json!({"applicant": {"organisation": "Praxis"}}))
        .header("idempotency-key", "k");
    apply
        .clone()
        .anonymous()
        .await
        .problem(400, "invalid-header");
    let reader = node.token(Role::Reader, None).await;
    let first = apply.clone().token(&reader).await.expect(202);
    is_replay(&first, &apply.token(&reader).await);
    let path = format!("{}/applications", network.header("location"));
    let list = node.get(&path).token(&node.admin).await.expect(200);
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
});

story!(thirty_two_at_once_make_one_record, async |node| {
    for round in 0..3 {
        let key = format!("round-{round}");
        let body = json!({"name": format!("Runde {round}"), "home_region": "hessen"});
        let before = node.store.log().head().await.unwrap();
        let calls = (0..32).map(async |_| create(node, &key, &body).await);
        let mut answers = join_all(calls).await;
        // A request that waited too long is asked to retry.
        answers.retain(|answer| {
            !(answer.status == 409 && answer.text.contains("idempotency-key-in-use"))
        });
        let (replayed, done): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| answer.header("idempotency-replayed") == "true");
        assert_eq!(done.len(), 1);
        assert!(!replayed.is_empty());
        for answer in replayed {
            is_replay(done[0], answer);
        }
        assert_eq!(done[0].status, 201);
        assert_eq!(node.store.log().head().await.unwrap(), before + 1);
    }
    audit(node.store.db()).await;
});

story!(answers_expire, async |node| {
    let first = create(node, "k", &json!({"name": "Alt", "home_region": "hessen"}));
    let first = first.await.expect(201);
    create(
        node,
        "k-2",
        &json!({"name": "Auch alt", "home_region": "hessen"}),
    )
    .await
    .expect(201);
    let age = async |days: i64, minutes: i64| {
        let then = node.store.clock().now() - TimeDelta::days(days) + TimeDelta::minutes(minutes);
        idempotency_record::Entity::update_many()
            .col_expr(idempotency_record::Column::CreatedAt, Expr::value(then))
            .exec(node.store.db().reader())
            .await
            .unwrap();
    };
    age(7, 1).await;
    assert_eq!(node.store.idempotency().prune().await.unwrap(), 0);
    let again = create(node, "k", &json!({"name": "Alt", "home_region": "hessen"}));
    is_replay(&first, &again.await);
    // An expired key is free again, removed or not.
    age(7, -1).await;
    let new = create(node, "k", &json!({"name": "Neu", "home_region": "hessen"}));
    assert_ne!(new.await.expect(201).id(), first.id());
    assert_eq!(node.store.idempotency().prune().await.unwrap(), 1);
    assert_eq!(answers(node).await, 1);
});

story!(merging_and_accounts_are_done_once_too, async |node| {
    let a = json!({"name": "Eins", "home_region": "hessen", "publication": "published"});
    let a = node.post("/v1/actors").json(&a).await.expect(201);
    let b = json!({"name": "Zwei", "home_region": "hessen", "publication": "published"});
    let b = node.post("/v1/actors").json(&b).await.expect(201);
    let merge = node
        .post(&format!("/v1/actors/{}/merge", a.id()))
        .json(&json!({"into": b.id()}));
    let merge = merge.header("idempotency-key", "k");
    let first = merge.clone().await.expect(200);
    is_replay(&first, &merge.await);

    // Secrets are shown once, and stored nowhere.
    for (path, secret) in [
        ("/v1/accounts", "password"),
        ("/v1/clients", "client_secret"),
    ] {
        let make = node.post(path).json(&json!({"name": "einmal"}));
        let name = json!({"name": format!("einmal-{secret}")});
        let make = make.json(&name).header("idempotency-key", secret);
        let first = make.clone().await.expect(201);
        let shown = first.json[secret].as_str().unwrap();
        let second = make.await.expect(201);
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!(second.header("location"), first.header("location"));
        assert_eq!(second.header("cache-control"), "no-store");
        let mut rest = first.json.clone();
        rest.as_object_mut().unwrap().remove(secret);
        assert_eq!(second.json, rest);
        let rows = idempotency_record::Entity::find().all(node.store.db().reader());
        for row in rows.await.unwrap() {
            assert!(!row.body.unwrap().contains(shown));
        }
    }
    audit(node.store.db()).await;
});

async fn key_of(node: &Node, key: &str, body: &Value) -> RequestKey {
    let me = node.get("/v1/me").token(&node.admin).await.expect(200);
    let account = Uuid::parse_str(me.json["account"].as_str().unwrap()).unwrap();
    let body = domain::base::json::canonical(body);
    node.store
        .idempotency()
        .key(account, key, ["POST", "/v1/actors"], &body)
}

/// A request under way: its response, and the signal that lets it continue.
type Serving = (JoinHandle<Outcome<()>>, oneshot::Sender<()>);

async fn serve(store: &Store, key: RequestKey) -> Serving {
    let (tell, told) = oneshot::channel();
    let (go, on) = oneshot::channel();
    let waiting = tokio::sync::Mutex::new(Some((tell, on)));
    let store = store.clone();
    let work = async move |_: &mut Transaction<'_>| {
        let (tell, on) = waiting.lock().await.take().unwrap();
        tell.send(()).unwrap();
        on.await.unwrap();
        let response = OpaqueResponse {
            head: json!({"status": 201, "headers": [["etag", "\"1\""]]}).to_string(),
            body: String::new(),
        };
        Ok(((), response))
    };
    let serving = actix_web::rt::spawn(async move {
        let _lock = store.idempotency().lock(&key).await.unwrap();
        let options = WriteOptions::default();
        let caller = Caller::node();
        let once = store.idempotency().write(&caller, &options, &key, work);
        once.await.unwrap()
    });
    told.await.unwrap();
    (serving, go)
}

story!(
    a_request_waits_for_the_first_but_not_for_long,
    async |node| {
        let body = actor("Langsam");
        let key = key_of(node, "k", &body).await;
        let (serving, go) = serve(&node.store, key).await;
        let begun = Instant::now();
        let second = create(node, "k", &body);
        let german = second.clone().header("accept-language", "de").into_future();
        let (english, german) = futures::join!(second.clone().into_future(), german);
        let waited = begun.elapsed();
        assert!(waited > Duration::from_millis(1900), "{waited:?}");
        assert!(waited < Duration::from_secs(30), "{waited:?}");
        for answer in [&english, &german] {
            let answer = answer.clone().problem(409, "idempotency-key-in-use");
            assert_eq!(answer.header("retry-after"), "1");
        }
        assert_ne!(english.json["detail"], german.json["detail"]);
        let described = node.get("/problems/idempotency-key-in-use").await;
        let described = described.expect(200);
        assert_eq!(described.json["title"]["de"], german.json["title"]);
        go.send(()).unwrap();
        assert!(matches!(serving.await.unwrap(), Outcome::Done(())));
        let known = second.await.expect(201);
        assert_eq!(known.header("idempotency-replayed"), "true");
        assert_eq!(known.etag(), "\"1\"");
    }
);

story!(instances_wait_for_each_other, async |node| {
    let body = actor("Anderswo");
    let key = key_of(node, "k", &body).await;
    let other = Store::open(&node.database_url, None, Clock::default());
    let other = other.await.unwrap();
    let (serving, go) = serve(&other, key).await;
    let second = create(node, "k", &body);
    match node.backend {
        Backend::Postgres => {
            let refused = second.clone().await;
            refused.problem(409, "idempotency-key-in-use");
            go.send(()).unwrap();
            serving.await.unwrap();
        }
        Backend::Sqlite => {
            // Writers there block everyone, but for longer.
            let release = async {
                go.send(()).unwrap();
                serving.await.unwrap()
            };
            let (waited, _) = futures::join!(second.clone().into_future(), release);
            assert_eq!(waited.header("idempotency-replayed"), "true");
        }
    }
    let known = second.await.expect(201);
    assert_eq!(known.header("idempotency-replayed"), "true");
    other.db().clone().close().await;
});

#[test]
fn every_operation_that_makes_something_takes_a_key() {
    let document = tests::conform::document();
    // These write nothing …
    let asking = [
        "create_token",
        "export_personal_data",
        "get_sync_records",
        "reconcile",
    ];
    // … and these are idempotent: the content has a name or key.
    let keyed = [
        "push_records",
        "push_snapshot",
        "import",
        "create_partner",
        "approve_partner_deletions",
    ];
    for (path, methods) in document["paths"].as_object().unwrap() {
        let operation = &methods["post"];
        let Some(id) = operation["operationId"].as_str() else {
            continue;
        };
        // Restoring twice restores nothing more.
        let restores = id.starts_with("restore_") && !id.ends_with("_version");
        if asking.contains(&id) || keyed.contains(&id) || restores {
            continue;
        }
        let takes = operation["parameters"].as_array().unwrap().iter();
        let takes = takes.filter(|one| one["name"] == "Idempotency-Key").count();
        assert_eq!(takes, 1, "POST {path}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
        {
            let header = &response["headers"]["Idempotency-Replayed"];
            assert!(header.is_object(), "POST {path} {status}");
        }
    }
}
