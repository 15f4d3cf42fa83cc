//! Reading the feed of a node, and its guarantees (`DirSync` v1).

mod again;
mod client;
mod compare;
mod feed;
pub(crate) mod resync;
mod retention;
mod snapshot;
mod waiting;
mod writers;

use serde_json::{Value, json};
use tests::Node;
use tests::replica::Told;

async fn actor(node: &Node, name: &str) -> String {
    actor_in(node, name, "hessen").await
}

async fn actor_in(node: &Node, name: &str, home: &str) -> String {
    let body = json!({"name": name, "home_region": home, "publication": "published"});
    node.made("actors", body).await
}

async fn related(node: &Node, from: &str, to: &str) -> String {
    let body = json!({
        "type": "cooperates_with",
        "publication": "published",
        "from": {"kind": "actor", "id": from},
        "to": {"kind": "actor", "id": to},
    });
    node.made("relationships", body).await
}

async fn change(node: &Node, actor: &str, patch: Value) {
    let path = format!("/v1/actors/{actor}");
    let changed = node.patch(&path).if_match("*").json(&patch).await;
    changed.expect(200);
}

async fn delete(node: &Node, plural: &str, id: &str) {
    let path = format!("/v1/{plural}/{id}");
    node.delete(&path).if_match("*").await.expect(204);
}

async fn region(node: &Node, slug: &str) -> String {
    let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    read.id().to_owned()
}

/// Entries in short: operation and record.
fn short(told: &[Told]) -> Vec<(&str, String)> {
    let short = told.iter();
    short
        .map(|one| (one.op.as_str(), one.id.to_string()))
        .collect()
}
