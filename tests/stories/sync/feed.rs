use super::{actor, actor_in, change, delete, region, related, short};
use crate::errors::copy_of;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use flate2::read::GzDecoder;
use persistence::feed::{FeedFilter, FeedStart};
use persistence::load::LoadMode;
use persistence::transaction::WriteOptions;
use reqwest::header::ACCEPT_ENCODING;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::io::Read;
use tests::database::Backend;
use tests::{Node, Replica, story};

story!(
    only_public_records_of_this_node_are_fed,
    Seeded,
    async |node| {
        let draft = node
            .made(
                "actors",
                json!({"name": "Entwurf", "home_region": "hessen"}),
            )
            .await;
        let open = actor(node, "Offen").await;
        let hidden_edge = related(node, &open, &draft).await;
        let copy = copy_of(node, "klinikum-kassel", "elsewhere")
            .await
            .to_string();
        node.settled().await;
        let mut replica = Replica::new("");
        let told = replica.catch_up(node).await;
        let told: Vec<String> = told.iter().map(|one| one.id.to_string()).collect();
        assert!(told.contains(&open));
        for unseen in [&draft, &hidden_edge, &copy] {
            assert!(!told.contains(unseen));
        }
        // Reference data exists on every node already.
        assert!(!told.contains(&region(node, "hessen").await));
        replica.equals(node).await;
        // A token changes nothing.
        let mut page = node
            .get("/v1/sync/changes?limit=1000")
            .token(&node.admin)
            .await;
        page = page.expect(200);
        assert!(!page.text.contains(&draft));
    }
);

story!(a_page_says_where_it_goes_on, async |node| {
    let home = region(node, "hessen").await;
    for name in ["A", "B", "C"] {
        actor(node, name).await;
    }
    let path = format!("/v1/sync/changes?wait_seconds=0&kind=actor&limit=2&home_region={home}");
    let first = node.get(&path).await.expect(200);
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(first.json["phase"], "snapshot");
    assert_eq!(first.json["has_more"], true);
    assert_eq!(first.json["up_to_date"], false);
    assert_eq!(first.json["entries"].as_array().unwrap().len(), 2);
    let next = first.json["next"].as_str().unwrap();
    let expected = format!("/v1/sync/changes?home_region={home}&kind=actor&limit=2&cursor=");
    assert!(next.starts_with(&expected), "{next}");
    let second = node.get(next).await.expect(200);
    assert_eq!(second.json["entries"].as_array().unwrap().len(), 1);
    assert_eq!(
        second.json["has_more"], true,
        "the tail comes after the snapshot"
    );
    let last = node
        .get(second.json["next"].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(last.json["phase"], "changes");
    assert_eq!(last.json["up_to_date"], true);
    assert_eq!(last.json["seq"], last.json["head_seq"]);
    // Pages are compressed like all responses.
    let plain = reqwest::Client::builder().no_gzip().build().unwrap();
    let packed = plain
        .get(format!("{}{path}", node.base))
        .header(ACCEPT_ENCODING, "gzip");
    let packed = packed.send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let mut page = String::new();
    let bytes = packed.bytes().await.unwrap();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut page)
        .unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["entries"], first.json["entries"]);
});

story!(whoever_wants_only_what_changes_begins_now, async |node| {
    actor(node, "Vorher").await;
    let now = node
        .get("/v1/sync/changes?from=now&kind=actor")
        .await
        .expect(200);
    assert_eq!(now.json["entries"], json!([]));
    assert_eq!(now.json["phase"], "changes");
    assert_eq!(now.json["up_to_date"], true);
    let next = now.json["next"].as_str().unwrap();
    assert!(!next.contains("from="), "{next}");
    let later = actor(node, "Nachher").await;
    let page = node.get(next).await.expect(200);
    assert_eq!(page.json["entries"][0]["id"], later);
    assert_eq!(page.json["entries"].as_array().unwrap().len(), 1);
});

story!(
    a_record_comes_once_a_page_in_its_newest_version,
    async |node| {
        let mut replica = Replica::new("kind=actor");
        replica.catch_up(node).await;
        let first = actor(node, "Erster").await;
        let second = actor(node, "Zweiter").await;
        for number in 0..3 {
            change(node, &first, json!({"summary": format!("{number}")})).await;
        }
        let page = replica.page(node).await;
        let expected = [("upsert", first.clone()), ("upsert", second)];
        assert_eq!(short(&page.entries), expected, "at its first position");
        assert_eq!(page.entries[0].version, Some(4));
        assert_eq!(page.entries[0].member("summary"), "2");
        // Small pages report it again, but never in an older version.
        let mut small = Replica::new("kind=actor&limit=1");
        small.catch_up(node).await;
        change(node, &first, json!({"summary": "neu"})).await;
        change(node, &first, json!({"summary": "neuer"})).await;
        let told = small.catch_up(node).await;
        let versions: Vec<_> = told.iter().map(|one| one.version).collect();
        assert_eq!(versions, [Some(6), Some(6)]);
        small.equals(node).await;
    }
);

story!(a_transaction_arrives_in_one_page, async |node| {
    let hub = actor(node, "Nabe").await;
    for number in 0..5 {
        let other = actor(node, &format!("Speiche {number}")).await;
        related(node, &hub, &other).await;
    }
    let mut replica = Replica::new("limit=1");
    replica.catch_up(node).await;
    actor(node, "Davor").await;
    delete(node, "actors", &hub).await;
    actor(node, "Danach").await;
    let page = replica.page(node).await;
    assert_eq!(page.entries.len(), 1);
    let page = replica.page(node).await;
    assert_eq!(page.entries.len(), 6, "the record and its relationships");
    assert!(page.entries.iter().all(|one| one.op == "delete"));
    let first = page.entries[0].tx;
    assert!(page.entries.iter().all(|one| one.tx == first));
    assert!(page.has_more);
    replica.catch_up(node).await;
    replica.equals(node).await;
});

story!(whoever_had_a_record_is_told_that_it_leaves, async |node| {
    let here = region(node, "hessen").await;
    let mut hessen = Replica::new(&format!("kind=actor&home_region={here}"));
    let mut actors = Replica::new("kind=actor");
    let mut networks = Replica::new("kind=network");
    let id = actor(node, "Wanderer").await;
    let elsewhere = actor_in(node, "Bleibt", "bayern").await;
    let mut tell = async || {
        let told = (
            hessen.catch_up(node).await,
            actors.catch_up(node).await,
            networks.catch_up(node).await,
        );
        hessen.equals(node).await;
        actors.equals(node).await;
        told
    };
    let (first, all, none) = tell().await;
    assert_eq!(short(&first), [("upsert", id.clone())]);
    assert_eq!(all.len(), 2);
    assert!(none.is_empty());

    // Out of the filter and in again.
    change(node, &id, json!({"home_region": "bayern"})).await;
    let (first, all, none) = tell().await;
    assert_eq!(short(&first), [("withdraw", id.clone())]);
    assert_eq!(first[0].cause.as_deref(), Some("filter"));
    assert_eq!(first[0].version, None);
    assert_eq!(short(&all), [("upsert", id.clone())]);
    assert!(none.is_empty());
    change(node, &id, json!({"home_region": "hessen"})).await;
    assert_eq!(short(&tell().await.0), [("upsert", id.clone())]);

    // Withdrawn: other readers get no entry, now or later.
    change(node, &id, json!({"publication": "archived"})).await;
    let (first, all, _) = tell().await;
    assert_eq!(short(&first), [("withdraw", id.clone())]);
    assert_eq!(first[0].cause.as_deref(), Some("visibility"));
    assert_eq!(short(&all), [("withdraw", id.clone())]);
    change(node, &id, json!({"summary": "unter uns"})).await;
    let (first, all, _) = tell().await;
    assert!(first.is_empty() && all.is_empty());
    delete(node, "actors", &id).await;
    let (first, all, _) = tell().await;
    assert!(first.is_empty() && all.is_empty(), "they have it no more");

    // A deletion, for those who have it.
    delete(node, "actors", &elsewhere).await;
    let (first, all, none) = tell().await;
    assert!(first.is_empty() && none.is_empty());
    assert_eq!(short(&all), [("delete", elsewhere)]);
    assert_eq!(all[0].cause.as_deref(), Some("deleted"));
    assert_eq!(all[0].version, Some(2));

    // Published and withdrawn between two pages: a reader of a page in between that did not store
    // the cursor may have it.
    let brief = actor(node, "Kurz").await;
    delete(node, "actors", &brief).await;
    let (first, all, none) = tell().await;
    assert_eq!(short(&first), [("delete", brief.clone())]);
    assert_eq!(short(&all), [("delete", brief)]);
    assert!(none.is_empty());
});

story!(relationships_leave_with_their_ends, async |node| {
    let (from, to) = (actor(node, "Von").await, actor(node, "Nach").await);
    let edge = related(node, &from, &to).await;
    let mut replica = Replica::new("");
    assert_eq!(replica.catch_up(node).await.len(), 3);
    change(node, &to, json!({"publication": "review"})).await;
    node.settled().await;
    let told = replica.catch_up(node).await;
    assert_eq!(
        short(&told),
        [("withdraw", to.clone()), ("withdraw", edge.clone())]
    );
    replica.equals(node).await;
    change(node, &to, json!({"publication": "published"})).await;
    node.settled().await;
    let told = replica.catch_up(node).await;
    assert_eq!(short(&told), [("upsert", to), ("upsert", edge)]);
    assert_eq!(told[1].version, Some(1), "being seen makes no version");
    replica.equals(node).await;
});

story!(
    a_merged_record_names_the_one_that_stands_for_it,
    async |node| {
        let mut ids = Vec::new();
        for name in ["Bleibt", "Geht", "Geht auch"] {
            ids.push(actor(node, name).await);
        }
        let draft = node
            .made(
                "actors",
                json!({"name": "Entwurf", "home_region": "hessen"}),
            )
            .await;
        let mut replica = Replica::new("kind=actor");
        replica.catch_up(node).await;
        for (loser, into) in [(&ids[1], &ids[0]), (&ids[2], &draft)] {
            let path = format!("/v1/actors/{loser}/merge");
            let merged = node.post(&path).json(&json!({"into": into})).await;
            merged.expect(200);
        }
        let told = replica.catch_up(node).await;
        assert_eq!(told[0].op, "delete");
        assert_eq!(told[0].cause.as_deref(), Some("merged"));
        assert_eq!(
            told[0].merged_into.map(|id| id.to_string()),
            Some(ids[0].clone())
        );
        assert_eq!(told[1].cause.as_deref(), Some("merged"));
        assert_eq!(told[1].merged_into, None, "the draft stays unknown");
        replica.equals(node).await;
        let undone = node.delete(&format!("/v1/actors/{}/merge", ids[1])).await;
        undone.expect(200);
        let told = replica.catch_up(node).await;
        assert_eq!(short(&told), [("upsert", ids[1].clone())]);
        assert_eq!(told[0].version, Some(3));
        replica.equals(node).await;
    }
);

story!(pages_hold_no_more_than_they_can_carry, async |node| {
    let large = |number: usize| json!({"name": format!("Groß {number}"), "home_region": "hessen", "publication": "published", "description": "🏥".repeat(50_000)});
    let mut tail = Replica::new("");
    tail.catch_up(node).await;
    for number in 0..25 {
        node.made("topics", large(number)).await;
    }
    let mut snapshot = Replica::new("");
    for replica in [&mut snapshot, &mut tail] {
        let page = replica.page(node).await;
        assert_eq!(page.entries.len(), 20, "4 MiB of 200 kB each");
        assert!(page.has_more);
        replica.catch_up(node).await;
        assert_eq!(replica.held.len(), 25);
        replica.equals(node).await;
    }
    // The same for a transaction that is larger by itself.
    let options = WriteOptions::default();
    let caller = Caller::node();
    let made = node.store.write(&caller, &options, async |tx| {
        for number in 25..50 {
            tx.records()
                .create(Kind::Topic, domain::base::id::new(), large(number))
                .await?;
        }
        Ok(())
    });
    made.await.unwrap();
    let first = tail.page(node).await;
    let last = tail.page(node).await;
    assert_eq!((first.entries.len(), last.entries.len()), (20, 5));
    assert!(last.up_to_date);
    assert!(first.entries[0].tx < last.entries[0].tx);
});

story!(a_transaction_comes_in_pages_when_it_grew, async |node| {
    let mut replica = Replica::new("");
    replica.catch_up(node).await;
    let topic = |number: usize, text: &str| json!({"id": domain::base::id::new(), "kind": "topic", "name": format!("Thema {number}"), "publication": "published", "description": text});
    let mut topics: Vec<Value> = (0..25).map(|number| topic(number, "kurz")).collect();
    for text in ["kurz".to_owned(), "🏥".repeat(50_000)] {
        for topic in &mut topics {
            topic["description"] = json!(text);
        }
        let lines: Vec<String> = topics.iter().map(Value::to_string).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (caller, options) = (Caller::node(), WriteOptions::default());
        let loaded = node
            .store
            .imports()
            .load(&caller, &lines, LoadMode::Upsert, &options);
        let loaded = loaded.await.unwrap();
        assert!(loaded.iter().all(|one| one.0.is_ok()));
    }
    let page = replica.page(node).await;
    assert_eq!(page.entries.len(), 20, "4 MiB of 200 kB each");
    let told = replica.catch_up(node).await;
    assert_eq!(told.first().map(|one| one.seq), Some(page.seq + 1));
    assert_eq!(replica.held.len(), 25);
    replica.equals(node).await;
});

/// Writes the deletions of this many records into the log, as one transaction.
async fn delete_at_once(node: &Node, count: usize) {
    let gone = actor(node, "Geht").await;
    delete(node, "actors", &gone).await;
    let id = match node.backend {
        Backend::Sqlite => "randomblob(16)",
        Backend::Postgres => "gen_random_uuid()",
    };
    let statements = [
        format!(
            "INSERT INTO tombstone (id, kind, origin, version, was_public, cause, created_at, deleted_at) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT {id}, kind, origin, version, was_public, cause, created_at, deleted_at FROM tombstone, n"
        ),
        "INSERT INTO change (seq, nonce, tx, kind, record_id, origin, op, version, newest, audience_before, at, erased, bulk) \
         SELECT last.seq + row_number() OVER (), 1, last.seq + 1, last.kind, tombstone.id, last.origin, last.op, last.version, \
         true, '-', last.at, false, true FROM tombstone JOIN change AS last ON last.record_id <> tombstone.id \
         WHERE last.seq = (SELECT head FROM sync_state)"
            .to_owned(),
        format!("UPDATE sync_state SET head = head + {count}"),
    ];
    for statement in statements {
        let db = node.store.db().reader();
        db.execute_unprepared(&statement).await.unwrap();
    }
}

story!(
    however_large_a_transaction_is_it_is_fed,
    Few,
    async |node| {
        let filter = FeedFilter::default();
        let feed =
            async |start: FeedStart| node.store.feed().page(&filter, &start, 1000).await.unwrap();
        let mut next = feed(FeedStart::Now).await.next;
        delete_at_once(node, 33_000).await;
        let mut told = 0;
        loop {
            let page = feed(FeedStart::After(next)).await;
            assert!(page.entries.len() <= 1500, "{}", page.entries.len());
            told += page.entries.len();
            next = page.next;
            if !page.has_more {
                break;
            }
        }
        // And the one that the others were derived from.
        assert_eq!(told, 33_001);
        // Nor does it stop the log consumers here.
        actor(node, "Danach").await;
        node.settled().await;
    }
);

story!(wrong_parameters_are_told, async |node| {
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "wait_seconds=56",
        "from=yesterday",
        "kind=aktor",
        "kind=",
        "home_region=hessen",
    ] {
        let answer = node.get(&format!("/v1/sync/changes?{query}")).await;
        answer.problem(400, "invalid-parameter");
    }
    node.get("/v1/sync/changes?q=x")
        .await
        .problem(400, "unknown-parameter");
    for cursor in ["AAAA", "%25", "e30", "", "AAAAAAAAAAAAAAAAAAAAAHt9"] {
        let answer = node.get(&format!("/v1/sync/changes?cursor={cursor}")).await;
        answer.problem(400, "invalid-cursor");
    }
    let now = node.get("/v1/sync/changes?from=now").await.expect(200);
    let next = now.json["next"].as_str().unwrap();
    node.get(&format!("{next}&from=now"))
        .await
        .problem(400, "invalid-parameter");
    // The signature is checked.
    let (path, cursor) = next.split_once("cursor=").unwrap();
    let forged = cursor.replacen(
        |_: char| true,
        if cursor.starts_with('A') { "B" } else { "A" },
        1,
    );
    node.get(&format!("{path}cursor={forged}"))
        .await
        .problem(400, "invalid-cursor");
});
