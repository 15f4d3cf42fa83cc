//! Changes of the publication state, and the job that publishes at a date.

use super::{network, token};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::{Caller, Role};
use domain::base::clock::Clock;
use domain::base::kind::Kind;
use persistence::Store;
use persistence::jobs::BackgroundJobs;
use persistence::transaction::WriteOptions;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tests::audit::audit;
use tests::database::Database;
use tests::tables::{change, record};
use tests::{Backend, Content, story};
use uuid::Uuid;

const STATES: [&str; 4] = ["draft", "review", "published", "archived"];

/// The result of a move: editors move freely, but only approvers into or out of `published`;
/// callers who cannot see the record get 404.
fn expected(role: Role, here: bool, from: &str, to: &str) -> u16 {
    let sees = from == "published" || (here && role != Role::Feeder);
    let crosses = (from == "published") != (to == "published");
    let may = match role {
        Role::Reader | Role::Feeder => false,
        Role::Editor => !crosses,
        Role::Approver | Role::Admin => true,
    };
    match (sees, here && may) {
        (false, _) => 404,
        (true, false) => 403,
        (true, true) => 200,
    }
}

const ROLES: [Role; 5] = [
    Role::Reader,
    Role::Editor,
    Role::Approver,
    Role::Feeder,
    Role::Admin,
];

story!(
    every_role_makes_the_moves_that_are_its,
    Seeded,
    async |node| {
        let mut paths = Vec::new();
        for state in STATES {
            let id = network(node, state, "nordhessen", state).await;
            paths.push((state, format!("/v1/networks/{id}?dry_run=true")));
        }
        for role in ROLES {
            for (home, here) in [("nordhessen", true), ("muensterland", false)] {
                let token = token(node, role, home).await;
                for (from, path) in &paths {
                    for to in STATES {
                        let wanted = expected(role, here, from, to);
                        let case = format!("{role:?} {home} {from} → {to}");
                        let patch = node.patch(path).token(&token).if_match("\"1\"");
                        let patched = patch.json(&json!({"publication": to})).await;
                        assert_eq!(patched.status, wanted, "patch {case} {}", patched.text);
                        let body =
                            json!({"name": from, "home_region": "nordhessen", "publication": to});
                        let put = node.put(path).token(&token).if_match("\"1\"");
                        let put = put.json(&body).await;
                        assert_eq!(put.status, wanted, "put {case}");
                        if wanted == 403 && here && role == Role::Editor {
                            assert_eq!(put.json["reason"], "publication", "{case}");
                        }
                    }
                    // Published records are changed and deleted by editors too.
                    let wanted = expected(role, here, from, from);
                    let deleted = node.delete(path).token(&token).if_match("\"1\"").await;
                    let deleted = if deleted.status == 204 {
                        200
                    } else {
                        deleted.status
                    };
                    assert_eq!(deleted, wanted, "delete {role:?} {home} {from}");
                    let anonymous = node.patch(path).anonymous().if_match("\"1\"");
                    let anonymous = anonymous.json(&json!({"publication": "draft"})).await;
                    anonymous.problem(401, "unauthorized");
                }
                for to in STATES {
                    let body =
                        json!({"name": "Neu", "home_region": "nordhessen", "publication": to});
                    let made = node.post("/v1/networks?dry_run=true").token(&token);
                    let made = made.json(&body).await;
                    let may = expected(role, here, "draft", to) == 200;
                    assert_eq!(
                        made.status,
                        if may { 200 } else { 403 },
                        "create {role:?} {to}"
                    );
                }
            }
        }
    }
);

story!(a_date_is_set_by_an_approver, Seeded, async |node| {
    let path = network(node, "Netz", "nordhessen", "review").await;
    let path = format!("/v1/networks/{path}");
    let editor = token(node, Role::Editor, "nordhessen").await;
    let approver = token(node, Role::Approver, "nordhessen").await;
    let date = json!({"publish_at": "2100-01-01T00:00:00Z"});
    let patch = |token: &str, body: &Value| node.patch(&path).token(token).if_match("*").json(body);
    patch(&editor, &date).await.problem(403, "forbidden");
    patch(&approver, &date).await.expect(200);
    let changed = patch(&editor, &json!({"summary": "Neu"})).await.expect(200);
    assert!(changed.json["publish_at"].is_string());
    let back = patch(&editor, &json!({"publication": "draft"}))
        .await
        .expect(200);
    assert!(back.json["publish_at"].is_string());
    let undone = patch(&editor, &json!({"publish_at": null})).await;
    undone.problem(403, "forbidden");
    // A published record has no publication date.
    let published = patch(&approver, &json!({"publication": "published"}))
        .await
        .expect(200);
    assert!(published.json["publish_at"].is_null());
    let dated = patch(&editor, &date).await.expect(200);
    assert_eq!(dated.etag(), published.etag(), "nothing has changed");
    node.get(&path).await.expect(200);
});

story!(
    nobody_moves_to_a_region_what_he_may_not_publish_there,
    Seeded,
    async |node| {
        let token = token(node, Role::Approver, "nordhessen").await;
        let me = node.get("/v1/me").token(&token).await.expect(200);
        let account = format!("/v1/accounts/{}", me.json["account"].as_str().unwrap());
        let grants = json!({"grants": [
            {"role": "approver", "region": "nordhessen"},
            {"role": "editor", "region": "muensterland"},
        ]});
        let granted = node.patch(&account).if_match("*").json(&grants).await;
        granted.expect(200);
        let date = json!({"publish_at": "2100-01-01T00:00:00Z"});
        let published = network(node, "Öffentlich", "nordhessen", "published").await;
        let dated = network(node, "Bald", "nordhessen", "review").await;
        let draft = network(node, "Entwurf", "nordhessen", "draft").await;
        let patch = async |id: &str, body: &Value| {
            let path = format!("/v1/networks/{id}");
            let patch = node.patch(&path).token(&token).if_match("*");
            patch.json(body).await
        };
        patch(&dated, &date).await.expect(200);
        let away = json!({"home_region": "muensterland"});
        for id in [&published, &dated] {
            let refused = patch(id, &away).await.problem(403, "forbidden");
            assert_eq!(refused.json["reason"], "publication");
        }
        patch(&draft, &away).await.expect(200);
    }
);

async fn fresh(backend: Backend) -> Database {
    Database::new(backend, Content::Empty).await
}

/// A store whose clock stands at a time, in microseconds, until it is advanced.
async fn open(database: &Database, at: DateTime<Utc>) -> (Store, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(at.timestamp_micros()));
    let clock = Clock::fixed(time.clone());
    let store = Store::open(&database.url, None, clock).await;
    (store.unwrap(), time)
}

fn advance(time: &AtomicI64, by: TimeDelta) {
    time.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
}

fn noon() -> DateTime<Utc> {
    "2030-06-01T12:00:00Z".parse().unwrap()
}

/// Drafts of networks that are to be published `after` noon.
async fn dated(store: &Store, count: usize, after: TimeDelta) -> Vec<Uuid> {
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let date = domain::base::clock::rfc3339(noon() + after);
    let mut made = Vec::new();
    for number in 0..count {
        let publication = ["draft", "review", "archived"][number % 3];
        let body = json!({"name": format!("Netz {number}"), "home_region": "hessen", "publication": publication, "publish_at": date});
        let saved = store
            .records()
            .create(&caller, Kind::Network, &body, &options)
            .await;
        made.push(saved.unwrap().row.id);
    }
    made
}

async fn publication(store: &Store, id: Uuid) -> (String, i64) {
    let row = record::Entity::find_by_id(id)
        .one(store.db().reader())
        .await;
    let row = row.unwrap().unwrap();
    (row.publication, row.version)
}

async fn close(database: Database, stores: impl IntoIterator<Item = Store>) {
    for store in stores {
        store.db().clone().close().await;
    }
    database.remove().await;
}

story!(what_is_due_is_published_at_its_date, async |node| {
    let database = fresh(node.backend).await;
    let (store, clock) = open(&database, noon()).await;
    let soon = dated(&store, 3, TimeDelta::hours(1)).await;
    let later = dated(&store, 1, TimeDelta::hours(2)).await;
    assert_eq!(store.records().publish_due().await.unwrap(), 0);
    advance(&clock, TimeDelta::hours(1));
    assert_eq!(store.records().publish_due().await.unwrap(), 3);
    assert_eq!(store.records().publish_due().await.unwrap(), 0);
    assert_eq!(publication(&store, later[0]).await.1, 1);
    for id in &soon {
        assert_eq!(publication(&store, *id).await, ("published".to_owned(), 2));
        let audited = audit(store.db()).await;
        let body = audited.body(*id, 2).unwrap();
        assert_eq!(body.get("publish_at"), None);
        let entry = audited.entry(*id, 2).unwrap();
        assert_eq!(entry.by, None, "by the node itself");
        let reason = entry.reason.as_deref();
        assert_eq!(reason, Some("publish_at 2030-06-01T13:00:00.000000Z"));
    }
    // A record that is withdrawn afterwards stays withdrawn.
    let edit = persistence::write::Edit::Patch(json!({"publication": "archived"}));
    let key = (Kind::Network, soon[0]);
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let any = persistence::write::Precondition::Any;
    store
        .records()
        .update(&caller, key, &any, &edit, &options)
        .await
        .unwrap();
    assert_eq!(store.records().publish_due().await.unwrap(), 0);
    close(database, [store]).await;
});

story!(of_several_instances_one_publishes, async |node| {
    let database = fresh(node.backend).await;
    let (store, clock) = open(&database, noon()).await;
    let (other, _) = open(&database, noon() + TimeDelta::hours(1)).await;
    let all = dated(&store, 30, TimeDelta::minutes(1)).await;
    advance(&clock, TimeDelta::hours(1));
    let (one, two) = futures::join!(store.records().publish_due(), other.records().publish_due());
    assert_eq!(one.unwrap() + two.unwrap(), all.len());
    for id in all {
        assert_eq!(publication(&store, id).await, ("published".to_owned(), 2));
    }
    audit(store.db()).await;
    close(database, [store, other]).await;
});

story!(
    what_became_due_while_nobody_ran_is_published_at_the_start,
    async |node| {
        let database = fresh(node.backend).await;
        let (store, _) = open(&database, noon()).await;
        let id = dated(&store, 1, TimeDelta::hours(1)).await[0];
        store.db().clone().close().await;
        let (store, _) = open(&database, noon() + TimeDelta::days(3)).await;
        let mut written = store.log().watch();
        let background = BackgroundJobs::start(&store);
        let waiting = tokio::time::timeout(std::time::Duration::from_mins(1), written.changed());
        waiting.await.expect("it is published").unwrap();
        assert_eq!(publication(&store, id).await.0, "published");
        background.stop().await;
        let last = change::Entity::find()
            .filter(change::Column::RecordId.eq(id))
            .order_by_desc(change::Column::Seq)
            .one(store.db().reader())
            .await;
        assert_eq!(last.unwrap().unwrap().version, 2);
        close(database, [store]).await;
    }
);
