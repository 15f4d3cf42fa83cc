use super::post;
use std::time::{Duration, Instant};
use tests::node::Beside;
use tests::raw::Raw;
use tests::{Node, story};

const PAUSE: Duration = Duration::from_millis(100);
const GET: &str = "GET /health/live HTTP/1.1\r\nHost: node\r\n\r\n";

async fn impatient(node: &Node) -> Beside {
    node.beside(|config| {
        config.header_timeout_seconds = 1;
        config.keep_alive_timeout_seconds = 1;
        config.body_timeout_seconds = 1;
        config.response_timeout_seconds = 1;
    })
    .await
}

story!(slow_heads_are_timed_out, async |node| {
    let server = impatient(node).await;
    let mut raw = Raw::open(&server.base).await;
    assert!(raw.send("GET / HTTP/1.1\r\nX-Slow: ").await);
    raw.drip(b'a', PAUSE).await;
    assert_eq!(raw.answer().await.unwrap().status, 408);
    assert!(raw.since.elapsed() >= Duration::from_millis(900));

    // Later heads of a connection have the same time limit.
    let mut raw = Raw::open(&server.base).await;
    assert!(raw.send(GET).await);
    assert_eq!(raw.answer().await.unwrap().status, 200);
    assert!(raw.send("GET / HTTP/1.1\r\nX-Slow: ").await);
    raw.drip(b'a', PAUSE).await;
    assert!(raw.answer().await.is_none_or(|answer| answer.status == 408));

    // Silence is not a request either.
    let mut raw = Raw::open(&server.base).await;
    assert!(raw.answer().await.is_none_or(|answer| answer.status == 408));
});

story!(a_connection_serves_many_requests, async |node| {
    let server = impatient(node).await;
    let mut raw = Raw::open(&server.base).await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(raw.send(GET).await);
        assert_eq!(raw.answer().await.unwrap().status, 200);
    }
});

story!(slow_bodies_are_timed_out, async |node| {
    let server = impatient(node).await;
    for framing in ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut raw = Raw::open(&server.base).await;
        assert!(raw.send(post(node, "/v1/actors", framing)).await);
        if framing.starts_with('T') {
            assert!(raw.send("200\r\n").await);
        }
        raw.drip(b' ', PAUSE).await;
        let answer = raw.answer().await.unwrap();
        answer.problem(408, "request-timeout");
        assert!(answer.head.contains("connection: close"), "{}", answer.head);
        assert!(raw.since.elapsed() >= Duration::from_millis(900));
        raw.drain().await;
    }
});

story!(a_slow_but_steady_body_arrives, async |node| {
    let server = impatient(node).await;
    let body = r#"{"name": "Gemach", "home_region": "hessen"}"#;
    let length = format!("Content-Length: {}\r\n", 6 * 512 + body.len());
    let mut raw = Raw::open(&server.base).await;
    assert!(
        raw.send(post(node, "/v1/actors?dry_run=true", &length))
            .await
    );
    let begun = Instant::now();
    for _ in 0..6 {
        assert!(raw.send(" ".repeat(512)).await);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1));
    assert!(raw.send(body).await);
    let answer = raw.answer().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
});

story!(a_body_that_nobody_reads_ends_the_connection, async |node| {
    let server = impatient(node).await;
    let head = "POST /v1/actors HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n";
    let mut raw = Raw::open(&server.base).await;
    assert!(
        raw.send(format!("{head}Content-Length: 100000\r\n\r\n"))
            .await
    );
    raw.answer().await.unwrap().problem(401, "unauthorized");
    raw.drip(b' ', PAUSE).await;
    raw.drain().await;

    // Without an end it is not a request, however fast it is.
    let mut raw = Raw::open(&server.base).await;
    assert!(
        raw.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"))
            .await
    );
    raw.answer().await.unwrap().problem(401, "unauthorized");
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
    while raw.send(&chunk).await {
        assert!(raw.since.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
});

story!(who_does_not_take_an_answer_loses_it, async |node| {
    let server = impatient(node).await;
    let get = "GET /openapi.json HTTP/1.1\r\nHost: node\r\nAccept-Encoding: identity\r\n\r\n";
    let mut raw = Raw::open(&server.base).await;
    assert!(raw.send(get).await);
    let size = raw.answer().await.unwrap().body.len();
    let requests = 32 * 1024 * 1024 / size;

    let mut raw = Raw::narrow(&server.base).await;
    assert!(raw.send(get.repeat(requests)).await);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let taken = raw.drain().await;
    assert!(
        taken < requests * size / 2,
        "{taken} of {}",
        requests * size
    );
    assert_eq!(Raw::ask(&server.base, GET).await.unwrap().status, 200);
});
