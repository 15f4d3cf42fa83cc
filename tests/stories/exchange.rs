//! Formats and addresses for programs that others have written.

mod calendar;
mod feeds;
mod linked;
mod maps;
mod provider;
mod reconciliation;
mod times;

use serde_json::{Value, json};
use tests::{Answer, Node};

/// Creates a public record of Hesse as the admin.
async fn publish(node: &Node, kind: &str, mut body: Value) -> Answer {
    let members = body.as_object_mut().unwrap();
    members.entry("publication").or_insert(json!("published"));
    members.entry("home_region").or_insert(json!("hessen"));
    let answer = node.post(&format!("/v1/{kind}")).json(&body).await;
    answer.expect(201)
}
