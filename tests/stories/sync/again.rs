//! Deletions are reported to every reader that may have had the record, whatever the page
//! boundaries and whatever the reader stored.

use super::{actor, change, delete};
use serde_json::{Value, json};
use tests::replica::Page;
use tests::{Node, story};

async fn read(node: &Node, next: &str) -> Page {
    let page = node.get(next).await.expect(200);
    serde_json::from_str(&page.text).unwrap()
}

async fn begin(node: &Node) -> String {
    let page = node
        .get("/v1/sync/changes?from=now&kind=actor")
        .await
        .expect(200);
    page.json["next"].as_str().unwrap().to_owned()
}

fn told(page: &Page, id: &str) -> Option<String> {
    let entry = page.entries.iter().find(|one| one.id.to_string() == id);
    entry.map(|entry| entry.op.clone())
}

async fn set(node: &Node, id: &str, publication: &str) {
    change(node, id, json!({"publication": publication})).await;
}

story!(
    a_record_that_was_told_of_as_it_was_later_is_taken_back,
    async |node| {
        for deleted in [false, true] {
            let id = actor(node, "Kommt und geht").await;
            let next = begin(node).await;
            set(node, &id, "archived").await;
            set(node, &id, "published").await;
            // The page ends with the withdrawal, and reports the record in its current state.
            let page = read(node, &format!("{next}&limit=1")).await;
            assert_eq!(told(&page, &id).as_deref(), Some("upsert"));
            assert!(page.has_more);
            if deleted {
                delete(node, "actors", &id).await;
            } else {
                set(node, &id, "archived").await;
            }
            let page = read(node, &page.next).await;
            let expected = if deleted { "delete" } else { "withdraw" };
            assert_eq!(told(&page, &id).as_deref(), Some(expected));
        }
    }
);

story!(
    a_page_that_is_read_again_takes_back_what_it_told_before,
    async |node| {
        for deleted in [false, true] {
            let next = begin(node).await;
            let id = actor(node, "Neu").await;
            // A reader stores the record, and crashes before storing the cursor.
            let page = read(node, &next).await;
            assert_eq!(told(&page, &id).as_deref(), Some("upsert"));
            if deleted {
                delete(node, "actors", &id).await;
            } else {
                set(node, &id, "draft").await;
            }
            let page = read(node, &next).await;
            let expected = if deleted { "delete" } else { "withdraw" };
            assert_eq!(told(&page, &id).as_deref(), Some(expected));
        }
    }
);

story!(what_was_never_public_is_never_told, async |node| {
    let next = begin(node).await;
    let body = json!({"name": "Entwurf", "home_region": "hessen"});
    let made = node.post("/v1/actors").json(&body).await.expect(201);
    let id = made.id().to_owned();
    change(node, &id, json!({"summary": "neu"})).await;
    delete(node, "actors", &id).await;
    let page = node.get(&next).await.expect(200);
    assert_eq!(page.json["entries"], json!([]), "{}", page.text);
});

story!(a_page_says_where_it_begins, async |node| {
    actor(node, "Erster").await;
    let first = node.get("/v1/sync/changes?limit=1").await.expect(200).json;
    let mut at = first;
    loop {
        let next = at["next"].as_str().unwrap().to_owned();
        actor(node, "Noch einer").await;
        let page: Value = node.get(&next).await.expect(200).json;
        assert_eq!(page["after_seq"], at["seq"]);
        if page["phase"] == "changes" {
            break;
        }
        at = page;
    }
});
