//! Pushing: records that a system supplies by its own keys, individually or completely; and imports
//! by editors.

mod absence;
mod bulk;
mod guide;
mod import;
mod limits;
mod records;
mod snapshot;
mod spreadsheet;
mod turns;

use domain::access::rules::Role;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::tables::{account_grant, record};
use tests::{Answer, Call, Node};
use uuid::Uuid;

/// The URL at which the feeder of these stories pushes records of the system `cms`.
const RECORDS: &str = "/v1/sync/systems/cms/records";
const SNAPSHOT: &str = "/v1/sync/systems/cms/snapshot";

async fn region(node: &Node, slug: &str) -> Uuid {
    let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    Uuid::parse_str(read.id()).unwrap()
}

async fn feeder(node: &Node, slug: &str) -> String {
    token(node, Role::Feeder, slug).await
}

async fn token(node: &Node, role: Role, slug: &str) -> String {
    let region = region(node, slug).await;
    node.token(role, Some(region)).await
}

fn actor(name: &str) -> Value {
    json!({"name": name, "home_region": "hessen", "publication": "published"})
}

fn upsert(kind: &str, key: &str, record: &Value) -> Value {
    json!({"op": "upsert", "kind": kind, "external_id": key, "record": record})
}

fn delete(kind: &str, key: &str) -> Value {
    json!({"op": "delete", "kind": kind, "external_id": key})
}

fn push(node: &Node, token: &str, items: &[Value]) -> Call {
    let body = json!({"mode": "each", "items": items});
    node.post(RECORDS).token(token).json(&body)
}

fn statuses(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().unwrap();
    let words = items.iter().map(|item| item["status"].as_str().unwrap());
    words.collect()
}

fn problem(item: &Value) -> &str {
    let address = item["problem"]["type"].as_str();
    let address = address.unwrap_or_else(|| panic!("no problem: {item}"));
    address.strip_prefix("/problems/").unwrap()
}

fn lines(records: &[Value]) -> String {
    let line = |all: String, record: &Value| format!("{all}{record}\n");
    records.iter().fold(String::new(), line)
}

fn line(key: &str, name: &str) -> Value {
    json!({"kind": "actor", "name": name, "home_region": "hessen", "publication": "published", "external_id": {"system": "cms", "id": key}})
}

fn planned(node: &Node, token: &str, body: &str) -> Call {
    let call = node.post(&format!("{SNAPSHOT}?dry_run=true")).token(token);
    call.body("application/x-ndjson", body)
}

fn carried_out(node: &Node, token: &str, body: &str, plan: &Answer) -> Call {
    let hash = plan.json["plan_hash"].as_str().unwrap();
    let call = node
        .post(&format!("{SNAPSHOT}?plan_hash={hash}"))
        .token(token);
    call.body("application/x-ndjson", body)
}

fn counts(answer: &Answer) -> Value {
    let mut counts = answer.json["counts"].clone();
    let members = counts.as_object_mut().unwrap();
    members.retain(|_, count| *count != 0);
    counts
}

async fn supplied(node: &Node) -> Vec<record::Model> {
    let mut rows = record::Entity::find()
        .filter(record::Column::System.eq("cms"))
        .all(node.store.db().reader())
        .await
        .unwrap();
    rows.sort_by(|a, b| (&a.kind, &a.external_id).cmp(&(&b.kind, &b.external_id)));
    rows
}

/// Revokes the grants of the feeders of `cms`.
async fn release(node: &Node) {
    account_grant::Entity::delete_many()
        .filter(account_grant::Column::System.eq("cms"))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}
