//! Trimming: the guaranteed part is kept, and late readers are notified.

use super::{actor, change, delete, related};
use api::config::RetentionDays;
use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::database::Database;
use tests::process::Process;
use tests::tables::{change as log, record};
use tests::{Node, Replica, story};

/// Dates everything up to here back by this many days.
async fn aged(node: &Node, seq: i64, days: i64) {
    let then = node.store.clock().now() - TimeDelta::days(days);
    log::Entity::update_many()
        .col_expr(log::Column::At, Expr::value(then))
        .filter(log::Column::Seq.lte(seq))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}

async fn entries(node: &Node) -> Vec<i64> {
    let rows = log::Entity::find().order_by_asc(log::Column::Seq);
    let rows = rows.all(node.store.db().reader()).await.unwrap();
    rows.into_iter().map(|row| row.seq).collect()
}

#[test]
fn the_log_is_kept_for_ninety_days_at_least() {
    assert!(RetentionDays::try_from(89).is_err());
    assert_eq!(RetentionDays::try_from(90).map(u32::from), Ok(90));
}

story!(what_is_superseded_long_enough_is_trimmed, async |node| {
    let id = actor(node, "Alt").await;
    let gone = actor(node, "Weg").await;
    let mut early = Replica::new("");
    early.catch_up(node).await;
    for number in 0..3 {
        change(node, &id, json!({"summary": format!("{number}")})).await;
    }
    delete(node, "actors", &gone).await;
    node.settled().await;
    let mut late = Replica::new("");
    late.catch_up(node).await;
    // The visibility consumer saves its position only now and then.
    let hub = actor(node, "Neu").await;
    let other = actor(node, "Neu 2").await;
    related(node, &hub, &other).await;
    node.settled().await;
    let head = node.store.log().head().await.unwrap();
    let before = entries(node).await;
    assert_eq!(
        node.store.feed().prune(90).await.unwrap(),
        0,
        "all of it is young"
    );
    aged(node, head - 3, 91).await;
    // Superseded: three versions of one actor, one of the other.
    assert_eq!(node.store.feed().prune(90).await.unwrap(), 4);
    assert_eq!(node.store.feed().prune(90).await.unwrap(), 0);
    let state = node.store.feed().state().await.unwrap();
    let left = entries(node).await;
    let pruned: Vec<i64> = before
        .into_iter()
        .filter(|seq| !left.contains(seq))
        .collect();
    assert_eq!(pruned.len(), 4);
    assert_eq!(pruned.last(), Some(&state.floor));

    let service = node.get("/v1/sync").await.expect(200);
    assert_eq!(service.json["floor_seq"], state.floor);
    assert_eq!(service.json["head_seq"], head);
    let expired = node.get(&early.next).await.problem(410, "resync-required");
    assert_eq!(expired.json["reason"], "cursor_expired");
    late.catch_up(node).await;
    late.equals(node).await;
    let mut again = Replica::new("limit=2");
    again.catch_up(node).await;
    again.equals(node).await;

    let path = format!("/v1/actors/{id}/history");
    let history = node.get(&path).await.expect(200);
    assert_eq!(history.json["truncated"], true);
    assert_eq!(history.json["items"].as_array().unwrap().len(), 1);
    node.get(&format!("{path}/2"))
        .await
        .problem(410, "version-gone");
    node.get(&format!("{path}/4")).await.expect(200);
    node.get(&format!("/v1/actors/{gone}"))
        .await
        .problem(410, "gone");
});

story!(a_young_cursor_stays_good, async |node| {
    let id = actor(node, "Alt").await;
    change(node, &id, json!({"summary": "1"})).await;
    change(node, &id, json!({"summary": "2"})).await;
    node.settled().await;
    // It was issued yesterday although nothing had happened for long.
    let mut replica = Replica::new("");
    replica.catch_up(node).await;
    let old = node.store.log().head().await.unwrap();
    aged(node, old, 100).await;
    let edges = [actor(node, "Neu").await, actor(node, "Neu 2").await];
    related(node, &edges[0], &edges[1]).await;
    change(node, &id, json!({"summary": "3"})).await;
    node.settled().await;
    assert!(node.store.feed().prune(90).await.unwrap() > 0);
    replica.catch_up(node).await;
    replica.equals(node).await;
});

story!(a_merge_can_be_undone_however_old_it_is, async |node| {
    let (loser, into) = (actor(node, "Geht").await, actor(node, "Bleibt").await);
    change(node, &loser, json!({"summary": "letzte Fassung"})).await;
    let path = format!("/v1/actors/{loser}/merge");
    node.post(&path)
        .json(&json!({"into": into}))
        .await
        .expect(200);
    // Makes the visibility consumer save its position.
    let (a, b) = (actor(node, "A").await, actor(node, "B").await);
    related(node, &a, &b).await;
    node.settled().await;
    let head = node.store.log().head().await.unwrap();
    aged(node, head, 91).await;
    assert_eq!(
        node.store.feed().prune(90).await.unwrap(),
        1,
        "only the first version"
    );
    let undone = node.delete(&path).await.expect(200);
    assert_eq!(undone.json["summary"], "letzte Fassung");
});

story!(consumers_are_waited_for, async |node| {
    let id = actor(node, "Alt").await;
    change(node, &id, json!({"summary": "1"})).await;
    node.settled().await;
    let head = node.store.log().head().await.unwrap();
    let options = persistence::transaction::WriteOptions::default();
    let caller = domain::access::rules::Caller::node();
    let claimed = node.store.write(&caller, &options, async |tx| {
        tx.cursors().lock("slow").await?;
        tx.cursors().update("slow", 1).await
    });
    claimed.await.unwrap();
    aged(node, head, 91).await;
    assert_eq!(node.store.feed().prune(90).await.unwrap(), 0);
});

story!(
    nothing_is_trimmed_that_somebody_reads,
    Seeded,
    async |node| {
        let head = node.store.log().head().await.unwrap();
        aged(node, head, 400).await;
        let all = record::Entity::find().count(node.store.db().reader());
        let all = all.await.unwrap();
        node.store.feed().prune(90).await.unwrap();
        let newest = log::Entity::find().filter(log::Column::Newest.eq(true));
        let newest = newest.count(node.store.db().reader()).await.unwrap();
        assert_eq!(newest, all);
        let made = node
            .made("topics", json!({"name": "Neu", "publication": "published"}))
            .await;
        let mut replica = Replica::new("");
        replica.catch_up(node).await;
        replica.equals(node).await;
        assert!(replica.held.contains_key(&made.parse().unwrap()));
    }
);

story!(the_server_trims_and_says_what_it_keeps, async |node| {
    let id = actor(node, "Alt").await;
    change(node, &id, json!({"summary": "1"})).await;
    change(node, &id, json!({"summary": "2"})).await;
    // The visibility consumer saves its position only now and then.
    let (a, b) = (actor(node, "A").await, actor(node, "B").await);
    related(node, &a, &b).await;
    node.settled().await;
    let untold = node.get("/v1/sync").await.expect(200);
    assert_eq!(untold.json["floor_seq"], 0);
    assert_eq!(untold.json.get("retention_days"), None, "for ever");
    let head = node.store.log().head().await.unwrap();
    aged(node, head - 3, 91).await;
    let database = Database::at(node.database_url.clone());
    let days = [("VERBUND_LOG_RETENTION_DAYS", "90")];
    let process = Process::serve_with(&database, &days).await;
    let ask = async || -> Value {
        let answer = reqwest::get(format!("{}/v1/sync", process.base)).await;
        answer.unwrap().json().await.unwrap()
    };
    assert_eq!(ask().await["retention_days"], 90);
    let begun = Instant::now();
    while ask().await["floor_seq"].as_i64().unwrap() == 0 {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "nothing is pruned"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let floor = node.store.feed().state().await.unwrap().floor;
    assert!(floor > 0 && floor <= head - 3, "{floor} of {head}");
});
