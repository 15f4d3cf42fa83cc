//! Lists, search, facets and suggestions.

mod acceptance;
mod facets;
mod filters;
mod freshness;
mod index;
mod map;
mod pages;
mod secrecy;
mod spans;
mod suggest;
mod time;

use serde_json::{Value, json};
use tests::Node;

async fn page(node: &Node, path: &str) -> Value {
    node.get(&format!("/v1/{path}")).await.expect(200).json
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    let names = items.iter().map(|item| item["name"].as_str().unwrap());
    names.collect()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// Every item of a list, page by page; the total must not change.
async fn all(node: &Node, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = Some(format!("/v1/{path}"));
    while let Some(path) = next {
        let page = node.get(&path).await.expect(200).json;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            assert_eq!(page["total"], items.len(), "{path}");
        }
    }
    items
}

/// Creates a published record as the admin and returns its id.
async fn make(node: &Node, kind: &str, mut body: Value) -> String {
    let members = body.as_object_mut().unwrap();
    members.entry("publication").or_insert(json!("published"));
    if kind != "topics" && kind != "relationships" {
        members.entry("home_region").or_insert(json!("hessen"));
    }
    let answer = node.post(&format!("/v1/{kind}")).json(&body).await;
    answer.expect(201).id().to_owned()
}
