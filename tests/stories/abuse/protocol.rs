//! HTTP itself: heads, hosts, origins, and headers of every response.

use super::post;
use reqwest::Method;
use serde_json::json;
use tests::raw::Raw;
use tests::story;

story!(broken_requests_end_in_4xx_or_silence, async |node| {
    let body = "Content-Length: 2\r\n";
    let length = |other: &str| {
        format!(
            "{}{{}}",
            post(node, "/v1/actors", &format!("{body}{other}"))
        )
    };
    let requests: Vec<Vec<u8>> = vec![
        b"\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40),
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n".to_vec(),
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        [
            b"GET /".to_vec(),
            vec![b'a'; 300_000],
            b" HTTP/1.1\r\n\r\n".to_vec(),
        ]
        .concat(),
        [
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"X: y\r\n".repeat(500),
            b"\r\n".to_vec(),
        ]
        .concat(),
        [
            b"GET / HTTP/1.1\r\nX: ".to_vec(),
            vec![b'a'; 300_000],
            b"\r\n\r\n".to_vec(),
        ]
        .concat(),
        // Two framings of one body, which a proxy and the server behind it might read differently.
        length("Transfer-Encoding: chunked\r\n").into_bytes(),
        length("Content-Length: 3\r\n").into_bytes(),
        length("Transfer-Encoding: xchunked\r\n").into_bytes(),
        post(node, "/v1/actors", "Content-Length: -1\r\n").into_bytes(),
        post(node, "/v1/actors", "Content-Length: +2\r\n").into_bytes(),
        post(
            node,
            "/v1/actors",
            "Content-Length: 99999999999999999999\r\n",
        )
        .into_bytes(),
        format!(
            "{}zz\r\n",
            post(node, "/v1/actors", "Transfer-Encoding: chunked\r\n")
        )
        .into_bytes(),
        format!(
            "{}ffffffffffffffffff\r\n",
            post(node, "/v1/actors", "Transfer-Encoding: chunked\r\n")
        )
        .into_bytes(),
    ];
    let quick = node
        .beside(|config| config.header_timeout_seconds = 1)
        .await;
    for request in requests {
        let shown = String::from_utf8_lossy(&request)
            .chars()
            .take(80)
            .collect::<String>();
        if let Some(answer) = Raw::ask(&quick.base, &request).await {
            assert!(
                (400..500).contains(&answer.status),
                "{shown:?} {}",
                answer.head
            );
            assert!(!answer.body.to_lowercase().contains("panic"), "{shown:?}");
        }
        node.get("/health/live").await.expect(200);
    }
});

story!(a_request_is_not_smuggled_behind_another, async |node| {
    let inner = "GET /v1/regions/hessen HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = post(
        node,
        "/v1/actors",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    );
    let mut raw = Raw::open(&node.base).await;
    raw.send(format!("{head}0\r\n\r\n{inner}")).await;
    let first = raw.answer().await;
    assert!(first.is_none_or(|first| first.status == 400));
    assert!(
        raw.answer().await.is_none(),
        "the second request was served"
    );
});

story!(
    hosts_and_forwarding_headers_change_nothing,
    Seeded,
    async |node| {
        let evil = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "evil"),
            ("x-forwarded-prefix", "/evil.example"),
            ("x-forwarded-for", "evil.example"),
            ("forwarded", "for=evil.example;host=evil.example;proto=evil"),
            ("x-original-url", "/evil.example"),
            ("x-rewrite-url", "/evil.example"),
            ("x-http-method-override", "DELETE"),
        ];
        for path in [
            "/",
            "/v1/regions?limit=1",
            "/v1/regions/hessen",
            "/docs",
            "/docs/",
            "/openapi.json",
            "/nowhere",
        ] {
            let plain = node.get(path).await;
            let mut call = node.get(path);
            for (name, value) in evil {
                call = call.header(name, value);
            }
            let told = call.await;
            assert_eq!(plain.status, told.status, "{path}");
            assert!(!told.text.contains("evil"), "{path}: {}", told.text);
            for value in told.headers.values() {
                assert!(
                    !value.to_str().unwrap().contains("evil"),
                    "{path}: {value:?}"
                );
            }
            assert_eq!(plain.header("location"), told.header("location"));
        }
    }
);

story!(
    pages_of_other_origins_read_but_do_not_write,
    Seeded,
    async |node| {
        const ALLOWED: &str = "access-control-allow-origin";
        let one = "/v1/regions/hessen";
        let foreign = "https://anywhere.example";
        let known = "https://redaktion.example";
        let read = node.get(one).header("origin", foreign).await.expect(200);
        assert_ne!(read.header(ALLOWED), "");
        assert_eq!(read.header("access-control-allow-credentials"), "");
        let body = serde_json::json!({"name": "a", "home_region": "hessen"});
        let write = |origin| {
            node.post("/v1/actors?dry_run=true")
                .header("origin", origin)
                .json(&body)
        };
        assert_eq!(write(foreign).await.header(ALLOWED), "");
        assert_eq!(write(known).await.expect(200).header(ALLOWED), known);
        let with_token = node
            .get(one)
            .header("origin", foreign)
            .token(&node.admin)
            .await;
        assert_eq!(with_token.header(ALLOWED), "");

        let preflight = |origin: &str, method: &str, headers: &str| {
            node.call(Method::OPTIONS, one)
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", headers)
        };
        preflight(known, "PATCH", "authorization, if-match")
            .await
            .expect(200);
        preflight(foreign, "GET", "accept-language")
            .await
            .expect(200);
        for (origin, method, headers) in [
            (foreign, "PATCH", "if-match"),
            (foreign, "GET", "authorization"),
            ("null", "DELETE", "authorization"),
            ("https://redaktion.example.evil.example", "PUT", "if-match"),
            ("http://redaktion.example", "PUT", "if-match"),
        ] {
            let refused = preflight(origin, method, headers).await;
            assert_eq!(refused.header(ALLOWED), "", "{origin} {method}");
            assert_eq!(refused.header("x-content-type-options"), "nosniff");
            let german = preflight(origin, method, headers).header("accept-language", "de");
            let german = german.await.problem(403, "origin-not-allowed");
            assert_ne!(
                german.json["title"],
                refused.problem(403, "origin-not-allowed").json["title"]
            );
        }
    }
);

story!(every_answer_has_its_headers, Seeded, async |node| {
    let paths = [
        "/",
        "/health/live",
        "/v1/regions/hessen",
        "/v1/regions",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/nowhere",
        "/v1/regions?limit=0",
        "/problems/gone",
    ];
    for method in [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::TRACE,
    ] {
        for path in paths {
            let answer = node.call(method.clone(), path).await;
            assert_eq!(
                answer.header("x-content-type-options"),
                "nosniff",
                "{method} {path}"
            );
            assert_ne!(answer.header("x-request-id"), "", "{method} {path}");
            for banner in ["server", "x-powered-by", "via"] {
                assert_eq!(answer.header(banner), "", "{method} {path}");
            }
        }
    }
    let encoded = "/%64ocs/";
    for path in ["/docs/", "/docs/swagger-ui.css", "/docs/nothing", encoded] {
        let policy = node
            .get(path)
            .await
            .header("content-security-policy")
            .to_owned();
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
    }
});

story!(a_token_in_the_url_is_no_token, Seeded, async |node| {
    let body = serde_json::json!({"publication": "draft"});
    let change = node.call(
        Method::PATCH,
        &format!("/v1/regions/hessen?access_token={}", node.admin),
    );
    let answer = change.if_match("*").json(&body).await;
    assert!([400, 401].contains(&answer.status), "{}", answer.text);
    assert!(!answer.text.contains(&node.admin));
});

story!(letters_beyond_ascii_need_no_encoding, async |node| {
    let actor =
        json!({"name": "Praxis Würzburg", "home_region": "hessen", "publication": "published"});
    node.post("/v1/actors").json(&actor).await.expect(201);
    node.settled().await;
    let mut raw = Raw::open(&node.base).await;
    // The second request comes on the same connection.
    for _ in 0..2 {
        let request = "GET /v1/actors?q=Würzburg HTTP/1.1\r\nHost: a\r\n\r\n";
        raw.send(request).await;
        let answer = raw.answer().await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains("Praxis Würzburg"), "{}", answer.body);
    }
    let request = "GET /v1/actors/praxis-würzburg HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = Raw::ask(&node.base, request).await.unwrap();
    answer.problem(404, "not-found");
    // Latin-1 is no UTF-8, encoded or not.
    for query in [b"q=W\xfcrzburg".as_slice(), b"q=W%FCrzburg"] {
        let request = [b"GET /v1/actors?", query, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let answer = Raw::ask(&node.base, request).await.unwrap();
        answer.problem(400, "invalid-parameter");
        assert!(answer.body.contains("W%C3%BCrzburg"), "{}", answer.body);
    }
    // A body is not touched.
    let body = "{\"name\":\"GET /ü\",\"home_region\":\"hessen\"}";
    let made = node
        .post("/v1/actors")
        .body("application/json", body)
        .await
        .expect(201);
    assert_eq!(made.json["name"], "GET /ü");
});

story!(what_is_pasted_into_a_query_is_understood, async |node| {
    let found = node.get("/v1/actors?q=Klinik%09").await.expect(200);
    let same = node.get("/v1/actors?q=Klinik%0D%0A").await.expect(200);
    assert_eq!(found.json["total"], same.json["total"]);
    node.get("/v1/actors?q=a%09b")
        .await
        .problem(400, "invalid-parameter");
    node.get("/v1/actors?updated_since=2026-10-29")
        .await
        .expect(200);
    // A plus that was not encoded.
    node.get("/v1/actors?updated_since=2026-10-29T00:00:00+01:00")
        .await
        .expect(200);
    let refused = node.get("/v1/actors?updated_since=29.10.2026").await;
    refused.problem(400, "invalid-parameter");
});

story!(an_encoding_that_there_is_not_is_406, async |node| {
    let request = "GET /v1/actors HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity;q=0\r\n\r\n";
    let answer = Raw::ask(&node.base, request).await.unwrap();
    answer.problem(406, "not-acceptable");
    assert!(answer.body.contains("Accept-Encoding"), "{}", answer.body);
});

story!(whatever_can_be_read_has_a_head, async |node| {
    for path in [
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-initializer.js",
        "/openapi.json",
        "/v1/vocabularies",
        "/robots.txt",
        "/docs/nothing",
    ] {
        let get = node.get(path).await;
        let head = node.call(Method::HEAD, path).await;
        assert_eq!(head.status, get.status, "{path}");
        let kind = |answer: &tests::Answer| answer.header("content-type").to_owned();
        assert_eq!(kind(&head), kind(&get), "{path}");
    }
});

story!(preconditions_hold_for_every_method, async |node| {
    let body = json!({"name": "Bedingt", "home_region": "hessen"});
    let made = node.post("/v1/networks").json(&body).await.expect(201);
    let path = format!("/v1/networks/{}", made.id());
    let get = || node.get(&path).token(&node.admin);
    get().if_match("\"1\"").await.expect(200);
    get().if_match("*").await.expect(200);
    get()
        .if_match("\"9\"")
        .await
        .problem(412, "precondition-failed");
    // If-Match comes first.
    get()
        .if_match("\"9\"")
        .header("if-none-match", "\"1\"")
        .await
        .problem(412, "precondition-failed");
    get().if_match("nine").await.problem(400, "invalid-header");
    let change = json!({"summary": "Neu"});
    for (matched, known) in [("\"1\"", "*"), ("*", "\"1\""), ("\"1\"", "\"1\"")] {
        let patch = node.patch(&path).if_match(matched);
        let refused = patch.header("if-none-match", known).json(&change).await;
        refused.problem(412, "precondition-failed");
    }
    let patch = node.patch(&path).if_match("*");
    let changed = patch.header("if-none-match", "\"9\"").json(&change).await;
    assert_eq!(changed.expect(200).etag(), "\"2\"");
});

story!(who_sends_first_can_read_why_it_is_refused, async |node| {
    let token = format!("Authorization: Bearer {}\r\n", node.admin);
    let megabyte = vec![b' '; 1 << 20];
    for (path, authorization, megabytes, status, code) in [
        ("/v1/actors", "", 5, 401, "unauthorized"),
        ("/v1/actors", &*token, 5, 413, "payload-too-large"),
        ("/v1/import?kind=actor", "", 80, 401, "unauthorized"),
    ] {
        let length = megabytes << 20;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\n{authorization}\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut client = Raw::open(&node.base).await;
        assert!(client.send(head).await);
        for sent in 0..megabytes {
            assert!(client.send(&megabyte).await, "{path}: {sent} MB");
        }
        let answer = client.answer().await.expect(path);
        answer.problem(status, code);
    }
});
