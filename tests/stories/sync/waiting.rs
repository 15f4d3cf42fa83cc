use super::actor;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::{Node, story};
use tokio::time::timeout;

/// A page that starts now and waits for changes of a kind.
async fn next(node: &Node, kind: &str) -> String {
    let now = node
        .get(&format!("/v1/sync/changes?from=now&kind={kind}"))
        .await;
    now.expect(200).json["next"].as_str().unwrap().to_owned()
}

const SOON: Duration = Duration::from_secs(20);

story!(a_change_ends_the_wait, async |node| {
    let next = next(node, "actor").await;
    let waiting = node.get(&format!("{next}&wait_seconds=55"));
    let writing = async {
        // Changes outside the filter do not end the wait.
        node.made(
            "topics",
            json!({"name": "Egal", "publication": "published"}),
        )
        .await;
        actor(node, "Endlich").await
    };
    let both = async { tokio::join!(waiting.into_future(), writing) };
    let (page, id) = timeout(SOON, both).await.expect("long before its end");
    let page = page.expect(200);
    assert_eq!(page.json["entries"][0]["id"], id);
    assert_eq!(page.json["entries"].as_array().unwrap().len(), 1);
    assert!(!page.json["next"].as_str().unwrap().contains("wait"));
});

story!(a_wait_ends_by_itself, async |node| {
    let next = next(node, "actor").await;
    let begun = Instant::now();
    let page = node
        .get(&format!("{next}&wait_seconds=1"))
        .await
        .expect(200);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(page.json["entries"], json!([]));
    assert_eq!(page.json["up_to_date"], true);
    // The cursor passes filtered entries.
    let before = page.json["seq"].as_i64().unwrap();
    node.made(
        "topics",
        json!({"name": "Egal", "publication": "published"}),
    )
    .await;
    let page = node
        .get(page.json["next"].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(page.json["entries"], json!([]));
    assert_eq!(page.json["seq"], before + 1);
});

story!(waiting_holds_no_connection_to_the_database, async |node| {
    let next = next(node, "actor").await;
    let path = format!("{next}&wait_seconds=55");
    // More than either database has connections.
    let waiting = join_all((0..40).map(|_| node.get(&path).into_future()));
    let working = async {
        for _ in 0..20 {
            node.get("/v1/regions/hessen").await.expect(200);
        }
        actor(node, "Endlich").await
    };
    let both = async { tokio::join!(waiting, working) };
    let (pages, id) = timeout(SOON * 2, both)
        .await
        .expect("no request is held up");
    for page in pages {
        assert_eq!(page.expect(200).json["entries"][0]["id"], id);
    }
});

story!(
    a_server_that_is_asked_to_stop_answers_those_who_wait,
    async |node| {
        let beside = node
            .beside(|config| config.shutdown_timeout_seconds = 30)
            .await;
        let next = next(node, "actor").await;
        let path = format!("{next}&wait_seconds=55");
        let waiting = beside.call(Method::GET, &path).into_future();
        let stopping = async {
            // The request has arrived once the server counts it.
            tokio::time::sleep(Duration::from_millis(300)).await;
            beside.stop().await;
        };
        let both = async { tokio::join!(waiting, stopping) };
        let (page, ()) = timeout(SOON, both).await.expect("long before its end");
        assert_eq!(page.expect(200).json["entries"], json!([]));
    }
);
