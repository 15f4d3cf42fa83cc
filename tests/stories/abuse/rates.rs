use domain::access::rules::Role;
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use tests::node::Beside;
use tests::{Answer, Node, story};

async fn strict(node: &Node) -> Beside {
    let number = |number| NonZeroU32::new(number).unwrap();
    node.beside(|config| {
        config.requests_per_minute_client = number(5);
        config.requests_per_minute_address = number(4);
        config.auth_failures_per_minute = number(2);
        config.trusted_proxies = vec!["127.0.0.0/8".to_owned().try_into().unwrap()];
        config.cors_origins = vec!["https://redaktion.example".to_owned()];
    })
    .await
}

/// Reads the region from an address behind the proxy, which appends the address that it saw.
async fn from(server: &Beside, address: &str, token: Option<&str>) -> Answer {
    let call = server.call(Method::GET, "/v1/regions/hessen");
    let call = call.header("x-forwarded-for", &format!("203.0.113.99, {address}"));
    match token {
        Some(token) => call.token(token).await,
        None => call.await,
    }
}

story!(an_address_may_ask_so_often, async |node| {
    let server = strict(node).await;
    for left in (0..4).rev() {
        let answer = from(&server, "192.0.2.1", None).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=4;w=60");
        let standing = answer.header("ratelimit").to_owned();
        assert!(
            standing.starts_with(&format!("\"address\";r={left};t=")),
            "{standing}"
        );
    }
    let refused = from(&server, "192.0.2.1", None)
        .await
        .problem(429, "rate-limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=15).contains(&wait), "{wait}");
    assert_eq!(
        refused.header("ratelimit"),
        format!("\"address\";r=0;t={wait}")
    );
    // Others are not affected, and probes are never limited.
    from(&server, "192.0.2.2", None).await.expect(200);
    for _ in 0..20 {
        let probe = server.call(Method::GET, "/health/live").await.expect(200);
        assert_eq!(probe.header("ratelimit"), "");
    }
    // A page of another origin may read the reason.
    let page = server.call(Method::GET, "/v1/regions/hessen");
    let page = page.header("x-forwarded-for", "192.0.2.1");
    let page = page.header("origin", "https://anywhere.example").await;
    let page = page.problem(429, "rate-limited");
    assert_ne!(page.header("access-control-allow-origin"), "");
    let exposed = page.header("access-control-expose-headers").to_lowercase();
    assert!(exposed.contains("ratelimit"), "{exposed}");
});

story!(an_account_has_a_limit_of_its_own, async |node| {
    let server = strict(node).await;
    let other = node.token(Role::Reader, None).await;
    for number in 0..5 {
        // From any address.
        let address = format!("192.0.2.{number}");
        let answer = from(&server, &address, Some(&node.admin)).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"client\";q=5;w=60");
    }
    from(&server, "192.0.2.9", Some(&node.admin))
        .await
        .problem(429, "rate-limited");
    from(&server, "192.0.2.9", Some(&other)).await.expect(200);
    for _ in 0..4 {
        from(&server, "192.0.2.9", None).await.expect(200);
    }
});

story!(bad_tokens_are_heard_less_often, async |node| {
    let server = strict(node).await;
    for _ in 0..2 {
        from(&server, "192.0.2.1", Some("nonsense"))
            .await
            .problem(401, "unauthorized");
    }
    let refused = from(&server, "192.0.2.1", Some("nonsense")).await;
    let refused = refused.problem(429, "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"failures\";q=2;w=60");
    // A valid token is accepted, and reading without one continues.
    from(&server, "192.0.2.1", Some(&node.admin))
        .await
        .expect(200);
    from(&server, "192.0.2.1", None).await.expect(200);
    from(&server, "192.0.2.2", Some("nonsense"))
        .await
        .problem(401, "unauthorized");
});

story!(
    passwords_are_tried_a_few_times_only_however_the_path_is_written,
    async |node| {
        let server = strict(node).await;
        let sign_in = async |path: &str, address: &str| {
            let call = server.call(Method::POST, path);
            let call = call.header("x-forwarded-for", address);
            let form = "grant_type=password&username=anna&password=falsch";
            call.body("application/x-www-form-urlencoded", form).await
        };
        for path in ["/oauth/token", "/oauth/%74oken"] {
            let refused = sign_in(path, "192.0.2.1").await.expect(400);
            assert_eq!(refused.json["error"], "invalid_grant");
        }
        for path in ["/oauth/token", "/oauth/%74oken", "/%6Fauth/toke%6e"] {
            let refused = sign_in(path, "192.0.2.1").await;
            let refused = refused.problem(429, "rate-limited");
            assert_eq!(refused.header("ratelimit-policy"), "\"failures\";q=2;w=60");
        }
        sign_in("/oauth/token", "192.0.2.2").await.expect(400);
    }
);

story!(
    passwords_are_not_guessed_from_many_addresses,
    async |node| {
        let server = node
            .beside(|config| {
                config.trusted_proxies = vec!["127.0.0.0/8".to_owned().try_into().unwrap()];
            })
            .await;
        let body = json!({"name": "anna", "password": "Klatschmohn im Haferfeld 7"});
        node.post("/v1/accounts").json(&body).await.expect(201);
        let sign_in = async |address: &str, password: &str| {
            let call = server.call(Method::POST, "/oauth/token");
            let call = call.header("x-forwarded-for", address);
            let form = format!("grant_type=password&username=anna&password={password}");
            call.body("application/x-www-form-urlencoded", form).await
        };
        let right = "Klatschmohn+im+Haferfeld+7";
        sign_in("192.0.2.1", right).await.expect(200);
        let mut refused = 0;
        for number in 0..100 {
            let answer = sign_in(&format!("2001:db8:{number}::1"), "falsch").await;
            if answer.status == 400 {
                continue;
            }
            let wait = answer.problem(429, "rate-limited");
            assert!(wait.header("retry-after").parse::<u64>().unwrap() > 0);
            refused += 1;
        }
        assert!(refused > 80, "{refused} of 100");
        // Its owner is not locked out, where she signed in before.
        sign_in("192.0.2.1", right).await.expect(200);
        sign_in("192.0.2.7", "falsch").await.expect(400);
        // Names that do not exist are no exception.
        let unknown = async || {
            let call = server.call(Method::POST, "/oauth/token");
            let form = "grant_type=password&username=gibt-es-nicht&password=falsch";
            call.body("application/x-www-form-urlencoded", form).await
        };
        for _ in 0..5 {
            unknown().await.expect(400);
        }
        unknown().await.problem(429, "rate-limited");
    }
);

story!(nobody_invents_where_he_comes_from, async |node| {
    let server = node
        .beside(|config| config.requests_per_minute_address = NonZeroU32::new(2).unwrap())
        .await;
    for number in 0..2 {
        from(&server, &format!("192.0.2.{number}"), None)
            .await
            .expect(200);
    }
    // Without a trusted proxy the peer's address counts, whatever the header says.
    from(&server, "192.0.2.3", None)
        .await
        .problem(429, "rate-limited");
    let forwarded = server.call(Method::GET, "/v1/regions/hessen");
    let forwarded = forwarded.header("forwarded", "for=192.0.2.4").await;
    forwarded.problem(429, "rate-limited");
});
