//! The log states correctly who sees a relationship, whatever happens to its ends.

use super::{close, open, touches, touches_per_transaction, unfollowed};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use futures::future::join_all;
use persistence::Store;
use persistence::consumers::run;
use persistence::jobs::BackgroundJobs;
use persistence::transaction::WriteOptions;
use persistence::visibility::consumer::VisibilityConsumer;
use persistence::write::{Edit, Precondition};
use rand::Rng;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tests::audit::{audiences_are_true, audit};
use tests::node::settled;
use tests::settings::{chance, full};
use tests::tables::{change, log_consumer, record};
use tests::{Node, story};
use tokio::sync::watch;
use uuid::Uuid;

async fn network(node: &Node, publication: &str) -> String {
    let body = json!({"name": "Netz", "home_region": "hessen", "publication": publication});
    let made = node.post("/v1/networks").json(&body).await.expect(201);
    made.id().to_owned()
}

async fn set(node: &Node, network: &str, publication: &str) {
    let path = format!("/v1/networks/{network}");
    let change = json!({"publication": publication});
    let changed = node.patch(&path).if_match("*").json(&change).await;
    changed.expect(200);
}

fn membership(from: &str, to: &str, publication: &str) -> Value {
    json!({
        "type": "member_of",
        "from": {"kind": "network", "id": from},
        "to": {"kind": "network", "id": to},
        "publication": publication,
    })
}

async fn join(node: &Node, from: &str, to: &str) -> String {
    let body = membership(from, to, "published");
    let made = node.post("/v1/relationships").json(&body).await.expect(201);
    made.id().to_owned()
}

/// The entries of a record: operation, version, and whether outsiders see it afterwards.
async fn told(node: &Node, id: &str) -> Vec<(String, i64, bool)> {
    node.settled().await;
    let id: Uuid = id.parse().unwrap();
    let entries = change::Entity::find()
        .filter(change::Column::RecordId.eq(id))
        .order_by_asc(change::Column::Seq)
        .all(node.store.db().reader())
        .await
        .unwrap();
    let told = entries.into_iter();
    told.map(|one| (one.op, one.version, one.audience_after.is_some()))
        .collect()
}

fn entries(expected: &[(&str, i64, bool)]) -> Vec<(String, i64, bool)> {
    let expected = expected.iter();
    expected
        .map(|(op, version, seen)| ((*op).to_owned(), *version, *seen))
        .collect()
}

story!(a_relationship_is_public_with_both_its_ends, async |node| {
    let (from, to) = (network(node, "draft").await, network(node, "draft").await);
    let id = join(node, &from, &to).await;
    let mut expected = vec![("upsert", 1, false)];
    assert_eq!(told(node, &id).await, entries(&expected));
    set(node, &from, "published").await;
    assert_eq!(
        told(node, &id).await,
        entries(&expected),
        "one end is not enough"
    );
    set(node, &to, "published").await;
    expected.push(("visibility", 1, true));
    assert_eq!(told(node, &id).await, entries(&expected));

    // A change of visibility creates no version: tag, body and position in the log stay the same.
    let path = format!("/v1/relationships/{id}");
    let read = node.get(&path).await.expect(200);
    assert_eq!(read.etag(), "\"1\"");
    for (end, publication, seen) in [
        (&from, "archived", false),
        (&to, "archived", false),
        (&from, "published", false),
        (&to, "published", true),
    ] {
        set(node, end, publication).await;
        if expected.last().unwrap().2 != seen {
            expected.push(("visibility", 1, seen));
        }
        assert_eq!(told(node, &id).await, entries(&expected), "{publication}");
    }
    assert_eq!(node.get(&path).await.expect(200).json, read.json);

    // Its own changes continue as before, with the same audience.
    let change = json!({"note": "neu"});
    node.patch(&path)
        .if_match("\"1\"")
        .json(&change)
        .await
        .expect(200);
    expected.push(("upsert", 2, true));
    set(node, &to, "review").await;
    node.settled().await;
    expected.push(("visibility", 2, false));
    node.patch(&path)
        .if_match("\"2\"")
        .json(&json!({"note": "neuer"}))
        .await
        .expect(200);
    expected.push(("upsert", 3, false));
    assert_eq!(told(node, &id).await, entries(&expected));
    let audited = audit(node.store.db()).await;
    for (version, note) in [(1, None), (2, Some("neu")), (3, Some("neuer"))] {
        let body = audited.body(id.parse().unwrap(), version).unwrap();
        assert_eq!(body.get("note").and_then(Value::as_str), note);
    }
    audiences_are_true(node.store.db()).await;
});

story!(a_draft_is_not_touched, async |node| {
    let (from, to) = (network(node, "draft").await, network(node, "draft").await);
    let body = membership(&from, &to, "draft");
    let draft = node.post("/v1/relationships").json(&body).await.expect(201);
    let open = json!({
        "type": "member_of",
        "from": {"as_stated": "regionale Krankenkassen"},
        "to": {"kind": "network", "id": to},
        "publication": "published",
    });
    let open = node.post("/v1/relationships").json(&open).await.expect(201);
    set(node, &from, "published").await;
    set(node, &to, "published").await;
    let quiet = entries(&[("upsert", 1, false)]);
    assert_eq!(told(node, draft.id()).await, quiet);
    // An open end is no record, so it hides nothing.
    let shown = entries(&[("upsert", 1, false), ("visibility", 1, true)]);
    assert_eq!(told(node, open.id()).await, shown);
    audiences_are_true(node.store.db()).await;
});

story!(what_goes_with_a_deleted_end_is_told_once, async |node| {
    let (from, to) = (
        network(node, "published").await,
        network(node, "published").await,
    );
    let seen = join(node, &from, &to).await;
    let path = format!("/v1/networks/{to}");
    node.delete(&path).if_match("*").await.expect(204);
    let gone = entries(&[("upsert", 1, true), ("delete", 2, false)]);
    assert_eq!(told(node, &seen).await, gone);

    let to = network(node, "draft").await;
    let unseen = join(node, &from, &to).await;
    let path = format!("/v1/networks/{to}");
    node.delete(&path).if_match("*").await.expect(204);
    let gone = entries(&[("upsert", 1, false), ("delete", 2, false)]);
    assert_eq!(told(node, &unseen).await, gone);
    audiences_are_true(node.store.db()).await;
});

story!(a_copy_is_hidden_when_its_end_is_gone, async |node| {
    let (from, to) = (
        network(node, "published").await,
        network(node, "published").await,
    );
    let copy = join(node, &from, &to).await;
    record::Entity::update_many()
        .col_expr(record::Column::Origin, Expr::value("partner"))
        .filter(record::Column::Id.eq(copy.parse::<Uuid>().unwrap()))
        .exec(node.store.db().reader())
        .await
        .unwrap();
    let path = format!("/v1/networks/{to}");
    node.delete(&path).if_match("*").await.expect(204);
    let hidden = entries(&[("upsert", 1, true), ("visibility", 1, false)]);
    assert_eq!(told(node, &copy).await, hidden);
    audiences_are_true(node.store.db()).await;
});

story!(both_ends_at_once_and_there_and_back, async |node| {
    let (from, to) = (network(node, "draft").await, network(node, "draft").await);
    let id = join(node, &from, &to).await;
    let ends = [&from, &to].map(|id| id.parse::<Uuid>().unwrap());
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let flip = async |steps: &[&str]| {
        let done = node.store.write(&caller, &options, async |tx| {
            for (end, step) in ends
                .iter()
                .flat_map(|end| steps.iter().map(move |s| (end, s)))
            {
                let old = tx
                    .records()
                    .lock(Kind::Network, *end, &Precondition::Any)
                    .await?;
                tx.records()
                    .update(old, Edit::Patch(json!({"publication": step})))
                    .await?;
            }
            Ok(())
        });
        done.await.unwrap();
    };
    flip(&["published"]).await;
    let mut expected = vec![("upsert", 1, false), ("visibility", 1, true)];
    assert_eq!(told(node, &id).await, entries(&expected));
    flip(&["archived", "published"]).await;
    assert_eq!(
        told(node, &id).await,
        entries(&expected),
        "nothing has changed"
    );
    flip(&["archived"]).await;
    expected.push(("visibility", 1, false));
    assert_eq!(told(node, &id).await, entries(&expected));
    audiences_are_true(node.store.db()).await;
});

story!(
    written_while_its_ends_are_published_and_withdrawn,
    async |node| {
        let mut chance = chance();
        for round in 0..if full() { 400 } else { 40 } {
            let (first, then) = [("draft", "published"), ("published", "archived")][round % 2];
            let (from, to) = (network(node, first).await, network(node, first).await);
            let old = join(node, &to, &from).await;
            let old = format!("/v1/relationships/{old}");
            let creating = join(node, &from, &to);
            let change = json!({"note": format!("{}", chance.random::<u32>())});
            let changing = node.patch(&old).if_match("*").json(&change).into_future();
            let (created, changed, (), ()) = futures::join!(
                creating,
                changing,
                set(node, &from, then),
                set(node, &to, then)
            );
            changed.expect(200);
            let told = told(node, &created).await;
            assert_eq!(told.last().unwrap().2, then == "published", "{told:?}");
        }
        audiences_are_true(node.store.db()).await;
    }
);

/// A network with many members, all drafts but the memberships.
async fn hub(store: &Store, members: usize) -> Uuid {
    let options = WriteOptions::default();
    let caller = Caller::node();
    let body = json!({"name": "Nabe", "home_region": "hessen"});
    let hub = store
        .records()
        .create(&caller, Kind::Network, &body, &options)
        .await;
    let hub = hub.unwrap().row.id;
    let made = store.write(&caller, &options, async |tx| {
        for number in 0..members {
            let id = domain::base::id::new();
            let body = json!({
                "name": format!("Mitglied {number}"),
                "slug": format!("mitglied-{number}"),
                "home_region": "hessen",
                "publication": "published",
            });
            tx.records().create(Kind::Network, id, body).await?;
            let body = membership(&id.to_string(), &hub.to_string(), "published");
            tx.records()
                .create(Kind::Relationship, domain::base::id::new(), body)
                .await?;
        }
        Ok(())
    });
    made.await.unwrap();
    hub
}

async fn publish(store: &Store, id: Uuid, publication: &str) {
    let edit = Edit::Patch(json!({"publication": publication}));
    let options = WriteOptions::default();
    let (caller, key) = (Caller::node(), (Kind::Network, id));
    let done = store
        .records()
        .update(&caller, key, &Precondition::Any, &edit, &options);
    done.await.unwrap();
}

story!(a_hub_is_touched_in_pieces, async |node| {
    let (database, store) = unfollowed(node.backend).await;
    let hub = hub(&store, 1200).await;
    let background = BackgroundJobs::start(&store);
    settled(&store, &background).await;
    assert_eq!(touches(&store).await, 0);
    publish(&store, hub, "published").await;
    settled(&store, &background).await;
    assert_eq!(touches_per_transaction(&store).await, [500, 500, 200]);
    audiences_are_true(store.db()).await;
    background.stop().await;
    close(database, [store]).await;
});

story!(
    a_consumer_that_dies_in_the_middle_goes_on_there,
    async |node| {
        let (database, store) = unfollowed(node.backend).await;
        let hub = hub(&store, 1200).await;
        publish(&store, hub, "published").await;
        let target = store.log().head().await.unwrap();
        let (_told, stop) = watch::channel(false);
        let (reached, _) = watch::channel(0);
        let mut lives = 0;
        // Each life ends with its first commit, wherever the consumer is then.
        while store.cursors().get("visibility").await.unwrap() < target {
            let mut written = store.log().watch();
            let following = run(
                &store,
                VisibilityConsumer::new(store.clone()),
                stop.clone(),
                &reached,
            );
            tokio::select! {
                () = following => panic!("it was not stopped"),
                _ = written.changed() => {}
            }
            let done = touches(&store).await;
            let cursor = store.cursors().get("visibility").await.unwrap();
            assert_eq!(done == 1200, cursor >= target, "effect and cursor are one");
            lives += 1;
        }
        assert!(lives >= 3, "{lives}: 500 at most are touched at once");
        audiences_are_true(store.db()).await;
        close(database, [store]).await;
    }
);

story!(
    to_follow_again_from_the_start_changes_nothing,
    Seeded,
    async |node| {
        let (from, to) = (
            network(node, "published").await,
            network(node, "draft").await,
        );
        join(node, &from, &to).await;
        set(node, &to, "published").await;
        node.settled().await;
        let head = node.store.log().head().await.unwrap();
        let database = node.store.db().reader();
        log_consumer::Entity::delete_many()
            .exec(database)
            .await
            .unwrap();
        let again = BackgroundJobs::start(&node.store);
        settled(&node.store, &again).await;
        again.stop().await;
        assert_eq!(
            node.store.log().head().await.unwrap(),
            head,
            "the log at rest does not grow"
        );
        assert_eq!(
            change::Entity::find().count(database).await.unwrap(),
            u64::try_from(head).unwrap()
        );
        audiences_are_true(node.store.db()).await;
    }
);

story!(two_instances_touch_once, async |node| {
    let (database, store) = unfollowed(node.backend).await;
    let hub = hub(&store, 60).await;
    let other = open(&database).await;
    let instances = [&store, &other].map(|store| (store, BackgroundJobs::start(store)));
    let mut chance = chance();
    let rounds = if full() { 300 } else { 30 };
    let writers = (0..4).map(|writer| {
        let draws: Vec<u32> = (0..rounds).map(|_| chance.random()).collect();
        let store = [&store, &other][writer % 2];
        async move {
            for draw in draws {
                let publication = ["published", "archived", "review"][draw as usize % 3];
                publish(store, hub, publication).await;
            }
        }
    });
    join_all(writers.collect::<Vec<_>>()).await;
    publish(&store, hub, "published").await;
    for (store, background) in &instances {
        settled(store, background).await;
    }
    // Chained audiences and no needless touch: checked by the audit.
    audiences_are_true(store.db()).await;
    for (_, background) in instances {
        background.stop().await;
    }
    close(database, [store, other]).await;
});
