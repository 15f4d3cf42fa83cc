//! Input of the wrong form, size or meaning.

use super::post;
use domain::access::rules::Role;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};
use tests::call::encoded;
use tests::raw::Raw;
use tests::settings::{chance, full};
use tests::{Node, story};
use uuid::Uuid;

const NETWORK: &str = "/v1/networks/cluster-gesundheit-nordhessen";

const NASTY: &[&str] = &[
    "%",
    "_",
    "'",
    "'; DROP TABLE record; --",
    "' OR '1'='1",
    "\" OR 1=1 --",
    "1) UNION SELECT private_pem FROM signing_key --",
    "$1",
    "?",
    "{{7*7}}",
    "${jndi:ldap://x/y}",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "(a+)+$",
    ".*",
    "[a-z]{1,9999}",
    "name:*",
    "+-&&||!(){}[]^\"~*?:\\/",
    "\u{202e}gnp.exe",
    "𝕏\u{0301}\u{200d}",
    "NaN",
    "-1",
    "99999999999999999999999999",
    "1e309",
    "null",
    "",
];

story!(bodies_over_their_limit_are_refused, async |node| {
    let big = 300 * 1024;
    let announced = format!("Content-Length: {big}\r\n");
    let mut raw = Raw::open(&node.base).await;
    raw.send(post(node, "/v1/actors", &announced)).await;
    // The announcement alone is enough.
    raw.answer()
        .await
        .unwrap()
        .problem(413, "payload-too-large");

    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let mut raw = Raw::open(&node.base).await;
    raw.send(post(node, "/v1/actors", "Transfer-Encoding: chunked\r\n"))
        .await;
    raw.send(chunk.repeat(big / 0x1000)).await;
    raw.answer()
        .await
        .unwrap()
        .problem(413, "payload-too-large");
    assert!(raw.since.elapsed().as_secs() < 20);
});

story!(compressed_bodies_are_not_unpacked, async |node| {
    // A bomb can begin this small.
    for coding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
        let bomb = node.post("/v1/actors").header("content-encoding", coding);
        let refused = bomb.body("application/json", vec![0x1f, 0x8b, 8, 0]).await;
        refused.problem(415, "unsupported-media-type");
    }
});

story!(json_is_read_strictly, async |node| {
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"name\":{open}{close}}}")
    };
    let mut bad: Vec<Vec<u8>> = [
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"a","na\u006de":"b"}"#,
        r#"{"places":[{"city":"a","city":"b"}]}"#,
        r#"{"name":"\u0000"}"#,
        r#"{"name":"\u001b[31m"}"#,
        r#"{"name":"\u007f"}"#,
        r#"{"na\u0000me":"a"}"#,
        r#"{"name":"\ud800"}"#,
        r#"{"name":"a"} {}"#,
        r#"{"name":"a",}"#,
        r#"{"name":1e999}"#,
        "{'name':'a'}",
        "",
        "{",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bad.push(deep(32).into_bytes());
    bad.push(deep(100_000).into_bytes());
    bad.push(b"{\"name\":\"\xff\xfe\"}".to_vec());
    bad.push(b"{\"name\":\"\xc0\xaf\"}".to_vec());
    for body in bad {
        let shown = String::from_utf8_lossy(&body)
            .chars()
            .take(60)
            .collect::<String>();
        let answer = node.post("/v1/actors").body("application/json", body).await;
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text);
        answer.problem(400, "malformed-json");
    }
    // The deepest allowed nesting, which is not a name.
    let answer = node
        .post("/v1/actors")
        .body("application/json", deep(31))
        .await;
    answer.problem(422, "validation-failed");
    let text = "Tab\tund\r\nZeile";
    let body = json!({"name": "Klinik", "description": text, "home_region": "hessen"});
    node.post("/v1/actors?dry_run=true")
        .json(&body)
        .await
        .expect(200);
});

story!(what_is_not_offered_is_refused, Seeded, async |node| {
    let long = format!("/v1/networks?q={}", "a".repeat(8 * 1024));
    node.get(&long).await.problem(414, "uri-too-long");
    for media_type in [
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "nonsense",
    ] {
        let answer = node.post("/v1/actors").body(media_type, "{}").await;
        answer.problem(415, "unsupported-media-type");
    }
    for accept in [
        "text/css",
        "application/xml",
        "image/*",
        "application/json;q=0",
    ] {
        let answer = node.get(NETWORK).header("accept", accept).await;
        answer.problem(406, "not-acceptable");
    }
});

story!(unknown_members_are_named, Seeded, async |node| {
    let body =
        json!({"name": "a", "home_region": "hessen", "naem": 1, "__proto__": {}, "$where": 1});
    let answer = node.post("/v1/actors").json(&body).await;
    let faults = answer.problem(422, "validation-failed").faults();
    for pointer in ["/naem", "/__proto__", "/$where"] {
        assert!(
            faults.iter().any(|(at, _)| at == pointer),
            "{pointer}: {faults:?}"
        );
    }
    for other in [json!({"id": Uuid::nil()}), json!({"kind": "actor"})] {
        let answer = node.patch(NETWORK).if_match("*").json(&other).await;
        let faults = answer.problem(422, "validation-failed").faults();
        assert_eq!(faults[0].1, "id-mismatch");
    }
});

story!(if_match_is_read_strictly, Seeded, async |node| {
    let change = |tag: Option<&str>| {
        let call = node
            .patch(&format!("{NETWORK}?dry_run=true"))
            .json(&json!({}));
        tag.map_or(call.clone(), |tag| call.if_match(tag))
    };
    let current = node.get(NETWORK).await.expect(200).etag().to_owned();
    change(Some(&current)).await.expect(200);
    change(None).await.problem(428, "precondition-required");
    for stale in [
        "\"0\"",
        "\"99\"",
        "\"18446744073709551616\"",
        "\"abc\"",
        "W/\"abc\"",
    ] {
        change(Some(stale))
            .await
            .problem(412, "precondition-failed");
    }
    for malformed in ["1", "\"1", "''", "\"a\" \"b\"", ""] {
        change(Some(malformed)).await.problem(400, "invalid-header");
    }
});

story!(
    drafts_of_other_regions_are_not_there,
    Seeded,
    async |node| {
        let body = json!({"name": "Geheim", "slug": "geheim", "home_region": "muensterland"});
        let draft = node.post("/v1/actors").json(&body).await.expect(201);
        let here = node.get("/v1/regions/nordhessen").await.expect(200);
        let here = Some(Uuid::parse_str(here.id()).unwrap());
        for role in [Role::Reader, Role::Editor, Role::Approver, Role::Admin] {
            let token = node.token(role, here).await;
            for name in [draft.id(), "geheim"] {
                let one = format!("/v1/actors/{name}");
                node.get(&one).token(&token).await.problem(404, "not-found");
                node.get(&format!("{one}/relationships"))
                    .token(&token)
                    .await
                    .problem(404, "not-found");
                let change = node.patch(&one).token(&token).if_match(draft.etag());
                change.json(&json!({})).await.problem(404, "not-found");
                let delete = node.delete(&one).token(&token).if_match(draft.etag());
                delete.await.problem(404, "not-found");
            }
        }
    }
);

story!(limits_and_cursors_are_checked, Seeded, async |node| {
    for limit in [
        "0",
        "-1",
        "1e9",
        "201",
        "1000000000",
        "",
        "ten",
        "1.5",
        "%2B1",
        "0x10",
    ] {
        for list in ["/v1/networks", "/v1/relationships", "/v1/search"] {
            let answer = node.get(&format!("{list}?limit={limit}")).await;
            // `+1` is a number, too.
            assert!(answer.status == 400 || limit == "%2B1", "{list} {limit}");
        }
    }
    let page = node.get("/v1/regions?limit=1").await.expect(200);
    let next = page.json["next"].as_str().unwrap().to_owned();
    node.get(&next).await.expect(200);
    let cursor = next.split("cursor=").nth(1).unwrap().to_owned();
    for (position, letter) in cursor.char_indices().step_by(5) {
        let mut forged = cursor.clone();
        let other = if letter == 'A' { "B" } else { "A" };
        forged.replace_range(position..=position, other);
        let answer = node
            .get(&format!("/v1/regions?limit=1&cursor={forged}"))
            .await;
        answer.problem(400, "invalid-cursor");
    }
    for elsewhere in [
        "/v1/regions?limit=1&level=state",
        "/v1/networks?limit=1",
        "/v1/relationships?limit=1",
    ] {
        let answer = node.get(&format!("{elsewhere}&cursor={cursor}")).await;
        answer.problem(400, "invalid-cursor");
    }
    for other in [
        String::new(),
        "A".repeat(4000),
        "=".to_owned(),
        format!("{cursor}{cursor}"),
    ] {
        let answer = node
            .get(&format!("/v1/regions?limit=1&cursor={other}"))
            .await;
        answer.problem(400, "invalid-cursor");
    }
});

/// Every query parameter of every operation that reads, with a path that exists.
fn parameters() -> Vec<(String, String)> {
    let document = tests::conform::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{id}", "nordhessen")
            .replace("{name}", "sector");
        let parameters = item["get"]["parameters"].as_array();
        for one in parameters
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "query")
        {
            found.push((path.clone(), one["name"].as_str().unwrap().to_owned()));
        }
    }
    assert!(found.len() > 50, "{found:?}");
    found
}

fn harmless(answer: &tests::Answer, what: &str) {
    assert!(
        [200, 304, 400, 404].contains(&answer.status),
        "{what}: {}",
        answer.text
    );
    let text = answer.text.to_lowercase();
    for inside in [
        "sqlx",
        "sea_orm",
        "syntax error",
        "sqlite",
        "panicked",
        "private_pem from",
    ] {
        // The message may quote the parameter, but not internals.
        let quoted = what.to_lowercase().contains(inside);
        assert!(quoted || !text.contains(inside), "{what}: {}", answer.text);
    }
}

story!(
    every_text_parameter_takes_text_for_text,
    Seeded,
    async |node| {
        let before = node.get("/v1/networks").await.expect(200).json["total"].clone();
        let mut rng = chance();
        // In the long variant, every parameter gets every text.
        let texts = if full() { NASTY.len() } else { 2 };
        for (path, name) in parameters() {
            for text in NASTY.choose_multiple(&mut rng, texts) {
                let url = format!("{path}?{name}={}", encoded(text));
                let answer = node.get(&url).token(&node.admin).await;
                harmless(&answer, &format!("{path} {name}={text}"));
            }
            // Bytes that are not text, and control characters.
            let bytes = ["%00", "%FF%FE", "%0D%0ASet-Cookie:%20a=b", "%1b[2J"];
            for bytes in bytes.choose_multiple(&mut rng, texts.div_ceil(2)) {
                let url = format!("{path}?{name}={bytes}");
                let answer = node.get(&url).token(&node.admin).await;
                harmless(&answer, &format!("{path} {name}={bytes}"));
                assert_eq!(answer.header("set-cookie"), "");
            }
        }
        for text in NASTY {
            let answer = node.get(&format!("/v1/networks/{}", encoded(text))).await;
            // An empty one is the list.
            assert!(
                answer.status == 404 || text.is_empty(),
                "{text}: {}",
                answer.text
            );
        }
        let after = node.get("/v1/networks").await.expect(200).json["total"].clone();
        assert_eq!(before, after);
    }
);

story!(wildcards_find_what_they_say, Seeded, async |node| {
    let all = node.get("/v1/networks").await.expect(200).json["total"]
        .as_u64()
        .unwrap();
    assert!(all > 0);
    for (list, name) in [
        ("networks", "programme"),
        ("networks", "external_id"),
        ("actors", "identifier"),
    ] {
        for wild in ["%25", "_", "a%7C%25"] {
            let answer = node.get(&format!("/v1/{list}?{name}={wild}")).await;
            let found = answer.json["total"].as_u64().unwrap_or(0);
            assert_eq!(found, 0, "{name}={wild}: {}", answer.text);
        }
    }
    node.get(&format!("/v1/search?q={}", "ä".repeat(501)))
        .await
        .problem(400, "invalid-parameter");
    node.get(&format!("/v1/search?q={}", "ä".repeat(500)))
        .await
        .expect(200);
    let long = format!("/v1/networks?q={}", "a".repeat(7000));
    node.get(&long).await.problem(400, "invalid-parameter");
});

story!(stored_texts_are_stored_verbatim, async |node| {
    for text in NASTY.iter().filter(|text| !text.trim().is_empty()) {
        let body = json!({"name": text, "summary": text, "home_region": "hessen"});
        let made = node.post("/v1/actors").json(&body).await;
        if made.status == 422 {
            continue; // A rule about names, said so.
        }
        let made = made.expect(201);
        let read = node
            .call(Method::GET, made.header("location"))
            .token(&node.admin);
        let read = read.await.expect(200);
        assert_eq!(read.json["name"], Value::from(*text));
        assert_eq!(read.json["summary"], Value::from(*text));
    }
});

/// The change reason ends up in the history, so it is text too.
async fn reason(node: &Node, bytes: &[u8]) -> u16 {
    let mut head = post(
        node,
        "/v1/actors?dry_run=true",
        "Content-Length: 2\r\nChange-Reason: ",
    );
    head.truncate(head.len() - 2);
    let request = [head.as_bytes(), bytes, b"\r\n\r\n{}"].concat();
    Raw::ask(&node.base, request).await.unwrap().status
}

story!(headers_that_are_kept_are_text, async |node| {
    assert_eq!(reason(node, b"\xff\xfe").await, 400);
    assert_eq!(reason(node, &[b'a'; 501]).await, 400);
    assert_eq!(reason(node, "Grüße'; --".as_bytes()).await, 422);
});
