//! The editorial workflow and statements about records: dates, confirmations, hidden copies,
//! applications, history.

mod applications;
mod confirmation;
mod hidden;
mod history;
mod publication;
mod worklist;

use domain::access::rules::Role;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::Node;
use tests::tables::record;
use uuid::Uuid;

async fn region(node: &Node, slug: &str) -> Uuid {
    let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    Uuid::parse_str(read.id()).unwrap()
}

async fn token(node: &Node, role: Role, slug: &str) -> String {
    node.token(role, Some(region(node, slug).await)).await
}

async fn network(node: &Node, name: &str, home: &str, publication: &str) -> String {
    let body = json!({"name": name, "home_region": home, "publication": publication});
    let made = node.post("/v1/networks").json(&body).await.expect(201);
    made.id().to_owned()
}

async fn member(node: &Node, from: &str, to: &str, publication: &str) -> String {
    let body = json!({
        "type": "member_of",
        "from": {"kind": "network", "id": from},
        "to": {"kind": "network", "id": to},
        "publication": publication,
    });
    let made = node.post("/v1/relationships").json(&body).await.expect(201);
    made.id().to_owned()
}

async fn give_away(node: &Node, id: &str) {
    node.settled().await;
    record::Entity::update_many()
        .col_expr(record::Column::Origin, Expr::value("partner"))
        .filter(record::Column::Id.eq(id.parse::<Uuid>().unwrap()))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

async fn lists(node: &Node, path: &str, token: Option<&str>, id: &str) -> bool {
    let call = node.get(path);
    let call = match token {
        Some(token) => call.token(token),
        None => call,
    };
    ids(&call.await.expect(200).json).contains(&id)
}
