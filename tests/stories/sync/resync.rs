//! A log that differs from the reader's is detected at the next request.

use super::actor;
use api::config::Config;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use tests::tables::{change, node as state, record};
use tests::{Instance, Node, Replica, story};

async fn must_resync(node: &Node, next: &str, reason: &str) {
    let answer = node.get(next).await.problem(410, "resync-required");
    assert_eq!(answer.json["reason"], reason);
    let url = answer.json["resync_url"].as_str().unwrap();
    assert!(!url.contains("cursor"), "{url}");
    let mut again = Replica::new("");
    url.clone_into(&mut again.next);
    again.catch_up(node).await;
}

async fn set_state(node: &Node, column: state::Column, value: impl Into<sea_orm::Value>) {
    state::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}

/// Resets the database to the state when the log ended with `seq`.
pub(crate) async fn restore(node: &Node, seq: i64) {
    let db = node.store.db().reader();
    record::Entity::delete_many()
        .filter(record::Column::Seq.gt(seq))
        .exec(db)
        .await
        .unwrap();
    change::Entity::delete_many()
        .filter(change::Column::Seq.gt(seq))
        .exec(db)
        .await
        .unwrap();
    set_state(node, state::Column::Head, seq).await;
}

story!(another_filter_needs_another_snapshot, async |node| {
    let first = node.get("/v1/sync/changes?kind=actor").await.expect(200);
    let next = first.json["next"].as_str().unwrap();
    must_resync(node, &next.replace("actor", "network"), "filter_changed").await;
    must_resync(node, &next.replace("kind=actor&", ""), "filter_changed").await;
    // The page size is no filter, nor is the order of parameters.
    node.get(&format!("{next}&limit=7")).await.expect(200);
    let both = node
        .get("/v1/sync/changes?kind=actor,network")
        .await
        .expect(200);
    let next = both.json["next"].as_str().unwrap();
    let turned = next.replace("actor%2Cnetwork", "network,actor");
    assert_ne!(turned, next);
    node.get(&turned).await.expect(200);
});

story!(a_restored_backup_is_noticed, async |node| {
    actor(node, "Gesichert").await;
    let mut replica = Replica::new("");
    replica.catch_up(node).await;
    let unharmed = replica.next.clone();
    let backup = node.store.log().head().await.unwrap();
    actor(node, "Verloren").await;
    node.settled().await;
    replica.catch_up(node).await;
    let also_snapshot = node.get("/v1/sync/changes?limit=1").await.expect(200);
    let also_snapshot = also_snapshot.json["next"].as_str().unwrap();
    restore(node, backup).await;
    must_resync(node, &replica.next, "cursor_ahead").await;
    must_resync(node, also_snapshot, "cursor_ahead").await;
    // The numbers are reused for other entries.
    for name in ["Anders", "Noch einer"] {
        node.made("topics", json!({"name": name, "publication": "published"}))
            .await;
    }
    must_resync(node, &replica.next, "log_forked").await;
    must_resync(node, also_snapshot, "log_forked").await;
    // A reader that had not continued has lost nothing.
    let page = node.get(&unharmed).await.expect(200);
    assert_eq!(page.json["entries"].as_array().unwrap().len(), 2);
});

story!(a_node_that_was_recreated_is_noticed, async |node| {
    let mut replica = Replica::new("");
    replica.catch_up(node).await;
    set_state(node, state::Column::LogId, domain::base::id::new()).await;
    set_state(node, state::Column::Secret, "another").await;
    let again = Instance::start(node, Config::default()).await;
    let answer = again
        .get(&replica.next)
        .await
        .problem(410, "resync-required");
    assert_eq!(answer.json["reason"], "log_replaced");
    assert_eq!(answer.json["resync_url"], "/v1/sync/changes");
    again.stop().await;
});

story!(
    what_was_read_ahead_of_the_cursor_and_is_lost_is_noticed,
    async |node| {
        let first = actor(node, "Erster").await;
        let backup = node.store.log().head().await.unwrap();
        let path = format!("/v1/actors/{first}");
        let change = node.patch(&path).if_match("*");
        change.json(&json!({"summary": "neu"})).await.expect(200);
        node.settled().await;
        // The page ends with the first entry, but reports the record in its current state.
        let start = node.get("/v1/sync/changes?from=now").await.expect(200);
        let start = start.json["next"].as_str().unwrap().to_owned();
        actor(node, "Zweiter").await;
        actor(node, "Dritter").await;
        let page = node.get(&format!("{start}&limit=1")).await.expect(200);
        assert_eq!(page.json["has_more"], true);
        let head = page.json["seq"].as_i64().unwrap();
        assert!(head > backup);
        restore(node, head).await;
        let next = page.json["next"].as_str().unwrap();
        must_resync(node, next, "cursor_ahead").await;
        // Also once the log reaches that number again: its end is another one.
        actor(node, "Ein anderer").await;
        actor(node, "Noch ein anderer").await;
        must_resync(node, next, "log_forked").await;
    }
);
