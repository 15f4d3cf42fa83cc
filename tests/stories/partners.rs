//! Copying records from other nodes.

mod admin;
mod clocks;
mod erasing;
mod holding;
mod hostile;
mod merges;
mod newer;
mod pace;
mod regions;
mod restored;
mod several;
mod taking;
mod trouble;

use serde_json::{Value, json};
use tests::Node;

async fn actor(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "home_region": "hessen", "publication": "published"});
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
