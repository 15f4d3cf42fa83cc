//! Accounts, clients, signing in, scopes and signing keys.

use api::config::Config;
use chrono::TimeDelta;
use domain::access::account::TokenScope;
use domain::access::rules::Role;
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::tables::account;
use tests::{Answer, Instance, Node, story};

const TOKEN: &str = "/oauth/token";

fn form(fields: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

fn request(node: &Node, fields: &[(&str, &str)]) -> tests::Call {
    node.post(TOKEN)
        .anonymous()
        .body("application/x-www-form-urlencoded", form(fields))
}

#[track_caller]
fn oauth_error(answer: Answer, status: u16, code: &str) -> Answer {
    let answer = answer.expect(status);
    assert_eq!(answer.json["error"], code, "{}", answer.text);
    assert!(answer.json["error_description"].is_string());
    assert!(answer.json.get("type").is_none(), "no problem document");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer
}

#[track_caller]
fn token_of(answer: Answer) -> String {
    let answer = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["expires_in"], 3600);
    answer.json["access_token"].as_str().unwrap().to_owned()
}

fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    format!("Basic {}", engine.encode(format!("{id}:{secret}")))
}

async fn sign_in(node: &Node, name: &str, password: &str) -> Answer {
    let fields = [
        ("grant_type", "password"),
        ("username", name),
        ("password", password),
    ];
    request(node, &fields).await
}

story!(
    a_person_gets_an_account_and_signs_in_with_it,
    Seeded,
    async |node| {
        let body =
            json!({"name": "anna.muster", "grants": [{"role": "editor", "region": "nordhessen"}]});
        let made = node.post("/v1/accounts").json(&body).await.expect(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let password = made.json["password"].as_str().unwrap().to_owned();
        let id = made.json["account"]["id"].as_str().unwrap().to_owned();
        let one = format!("/v1/accounts/{id}");
        assert_eq!(made.header("location"), one);

        // The password is shown once, and its hash never.
        let hash = account::Entity::find_by_id(uuid::Uuid::parse_str(&id).unwrap())
            .one(node.store.db().reader())
            .await
            .unwrap()
            .unwrap()
            .password_hash
            .unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let read = node.get(&one).token(&node.admin).await.expect(200);
        let listed = node
            .get("/v1/accounts")
            .token(&node.admin)
            .await
            .expect(200);
        for answer in [&made, &read, &listed] {
            assert!(!answer.text.contains("argon2"), "{}", answer.text);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        for answer in [&read, &listed] {
            assert!(!answer.text.contains(&password), "{}", answer.text);
        }

        let token = token_of(sign_in(node, "anna.muster", &password).await);
        let me = node.get("/v1/me").token(&token).await.expect(200);
        assert_eq!(me.json["name"], "anna.muster");
        assert_eq!(me.json["account"], id.as_str());
        assert_eq!(me.json["grants"][0]["role"], "editor");
        assert_eq!(me.json["scopes"], json!(["directory", "sync", "admin"]));
        assert!(me.json["expires_at"].is_string());
        let write = |home: &str| {
            let body = json!({"name": "Praxis", "home_region": home});
            node.post("/v1/actors?dry_run=true")
                .token(&token)
                .json(&body)
        };
        write("nordhessen").await.expect(200);
        write("muensterland").await.problem(403, "forbidden");

        // The grants of the account apply from the next request on.
        let grants = json!({"grants": [{"role": "editor", "region": "muensterland"}]});
        let change = |etag: &str, body: &Value| node.patch(&one).if_match(etag).json(body);
        node.patch(&one)
            .json(&grants)
            .await
            .problem(428, "precondition-required");
        let changed = change("\"1\"", &grants).await.expect(200);
        assert_eq!(
            (changed.etag(), &changed.json["version"]),
            ("\"2\"", &json!(2))
        );
        change("\"1\"", &grants)
            .await
            .problem(412, "precondition-failed");
        write("nordhessen").await.problem(403, "forbidden");
        write("muensterland").await.expect(200);

        // A locked account can do nothing, with the right password or a wrong one.
        change("\"2\"", &json!({"disabled": true}))
            .await
            .expect(200);
        write("muensterland").await.problem(401, "unauthorized");
        let right = sign_in(node, "anna.muster", &password).await;
        let wrong = sign_in(node, "anna.muster", "nonsense").await;
        let nobody = sign_in(node, "nobody", &password).await;
        assert_eq!((&right.text, &right.text), (&wrong.text, &nobody.text));
        oauth_error(right, 400, "invalid_grant");
        change("\"3\"", &json!({"disabled": false}))
            .await
            .expect(200);
        write("muensterland").await.expect(200);

        node.delete(&one).if_match("\"4\"").await.expect(204);
        write("muensterland").await.problem(401, "unauthorized");
        node.get(&one)
            .token(&node.admin)
            .await
            .problem(404, "not-found");
    }
);

story!(
    a_wrong_account_is_refused_with_everything_that_is_wrong,
    Seeded,
    async |node| {
        let post = |body: Value| node.post("/v1/accounts").json(&body);
        let faults =
            async |body: Value| post(body).await.problem(422, "validation-failed").faults();
        let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        let found = faults(json!({"name": "Anna", "grnats": ["reader"]})).await;
        assert!(found.contains(&fault("/name", "pattern")), "{found:?}");
        assert!(
            found.contains(&fault("/grnats", "unknown-member")),
            "{found:?}"
        );
        let found = faults(
            json!({"name": "anna", "password": "short", "issuer": "https://id.example", "grants": [
                {"role": "feeder"},
                {"role": "editor", "system": "cms"},
                {"role": "reader", "descendants": true},
            ]}),
        )
        .await;
        let expected = [
            fault("/grants/0/system", "required"),
            fault("/grants/1/system", "not-allowed"),
            fault("/grants/2/descendants", "not-allowed"),
            fault("/password", "not-allowed"),
            fault("/password", "too-short"),
            fault("/subject", "required"),
        ];
        assert_eq!(found, expected);
        let nowhere = json!({"name": "anna", "grants": [{"role": "editor", "region": "atlantis"}]});
        let found = faults(nowhere).await;
        assert_eq!(found, [fault("/grants/0/region", "unknown-reference")]);
        assert_eq!(
            faults(json!({"name": "anna", "grants": [{"role": "edtor"}]})).await,
            [fault("/grants/0/role", "unknown-code")]
        );

        post(json!({"name": "anna"})).await.expect(201);
        let taken = post(json!({"name": "anna"})).await.problem(409, "conflict");
        assert_eq!(taken.json["unique"], "name");
        let client = node
            .post("/v1/clients")
            .json(&json!({"name": "anna"}))
            .await;
        client.problem(409, "conflict");
        let external =
            |name: &str| json!({"name": name, "issuer": "https://id.example", "subject": "4711"});
        let made = post(external("berta")).await.expect(201);
        assert!(made.json.get("password").is_none());
        let taken = post(external("carla")).await.problem(409, "conflict");
        assert_eq!(taken.json["unique"], "subject");
        oauth_error(sign_in(node, "berta", "").await, 400, "invalid_request");
        oauth_error(sign_in(node, "berta", "x").await, 400, "invalid_grant");
        node.get("/v1/accounts/nonsense")
            .token(&node.admin)
            .await
            .problem(404, "not-found");
    }
);

story!(accounts_are_listed_in_pages, async |node| {
    for number in 0..5 {
        let body = json!({"name": format!("person-{number}")});
        node.post("/v1/accounts").json(&body).await.expect(201);
    }
    let mut names = Vec::new();
    let mut next = "/v1/accounts?limit=2".to_owned();
    loop {
        let page = node.get(&next).token(&node.admin).await.expect(200);
        assert_eq!(page.json["total"], 6);
        for item in page.json["items"].as_array().unwrap() {
            names.push(item["name"].as_str().unwrap().to_owned());
        }
        match page.json["next"].as_str() {
            Some(more) => more.clone_into(&mut next),
            None => break,
        }
    }
    let expected: Vec<String> = (0..5).map(|number| format!("person-{number}")).collect();
    assert_eq!(names[1..], expected);
    // A cursor of another list is rejected.
    let client = next.replace("accounts", "clients");
    let foreign = node.get(&client).token(&node.admin).await;
    foreign.problem(400, "invalid-cursor");
});

story!(
    a_client_signs_in_until_it_is_revoked,
    Seeded,
    async |node| {
        let body = json!({"name": "cms-import", "grants": [{"role": "editor", "region": "nordhessen", "descendants": true}]});
        let made = node.post("/v1/clients").json(&body).await.expect(201);
        let id = made.json["client_id"].as_str().unwrap().to_owned();
        let secret = made.json["client_secret"].as_str().unwrap().to_owned();
        assert_eq!(secret.len(), 43, "256 bits");
        let one = format!("/v1/clients/{id}");
        let read = node.get(&one).token(&node.admin).await.expect(200);
        assert!(!read.text.contains(&secret) && !read.text.contains("hash"));
        // It is not a person.
        let person = node
            .get(&format!("/v1/accounts/{id}"))
            .token(&node.admin)
            .await;
        person.problem(404, "not-found");

        let grant = ("grant_type", "client_credentials");
        let by_header = request(node, &[grant]).header("authorization", &basic(&id, &secret));
        let token = token_of(by_header.clone().await);
        let by_form = [
            grant,
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ];
        token_of(request(node, &by_form).await);
        let body = json!({"name": "Praxis", "home_region": "nordhessen"});
        let write = || {
            node.post("/v1/actors?dry_run=true")
                .token(&token)
                .json(&body)
        };
        write().await.expect(200);

        let refused = request(node, &[grant])
            .header("authorization", &basic(&id, "wrong"))
            .await;
        let refused = oauth_error(refused, 401, "invalid_client");
        assert_eq!(
            refused.header("www-authenticate"),
            "Basic realm=\"verbund\""
        );
        let unknown = basic(&uuid::Uuid::nil().to_string(), &secret);
        for header in [unknown.as_str(), "Basic !!!", "Bearer x", "Basic Og=="] {
            let answer = request(node, &[grant])
                .header("authorization", header)
                .await;
            oauth_error(answer, 401, "invalid_client");
        }
        oauth_error(request(node, &[grant]).await, 401, "invalid_client");
        let both = request(node, &by_form).header("authorization", &basic(&id, &secret));
        oauth_error(both.await, 400, "invalid_request");

        let revoke = node
            .patch(&one)
            .if_match("*")
            .json(&json!({"disabled": true}));
        revoke.await.expect(200);
        write().await.problem(401, "unauthorized");
        oauth_error(by_header.await, 401, "invalid_client");
    }
);

story!(a_token_request_follows_rfc_6749, async |node| {
    let body = json!({"name": "anna", "password": "correct horse battery"});
    node.post("/v1/accounts").json(&body).await.expect(201);
    let fields = |more: &[(&'static str, &'static str)]| {
        let mut all = vec![
            ("grant_type", "password"),
            ("username", "anna"),
            ("password", "correct horse battery"),
        ];
        all.extend_from_slice(more);
        all
    };
    let ask = |more: &[(&'static str, &'static str)]| request(node, &fields(more));
    let granted = ask(&[("scope", "directory sync")]).await.expect(200);
    assert_eq!(granted.json["scope"], "directory sync");
    let granted = ask(&[("scope", "")]).await.expect(200);
    assert_eq!(granted.json["scope"], "directory sync admin");
    oauth_error(ask(&[("scope", "root")]).await, 400, "invalid_scope");
    oauth_error(ask(&[("username", "berta")]).await, 400, "invalid_request");
    ask(&[("unknown", "ignored")]).await.expect(200);
    let empty = basic("", "");
    ask(&[]).header("authorization", &empty).await.expect(200);
    for (grant, code) in [
        ("authorization_code", "unsupported_grant_type"),
        ("refresh_token", "unsupported_grant_type"),
        ("", "invalid_request"),
    ] {
        let answer = request(node, &[("grant_type", grant)]).await;
        oauth_error(answer, 400, code);
    }
    let no_form = node.post(TOKEN).anonymous();
    let json = no_form.clone().json(&json!({"grant_type": "password"}));
    oauth_error(json.await, 400, "invalid_request");
    oauth_error(no_form.await, 400, "invalid_request");
    let huge = "x".repeat(20_000);
    let huge = request(node, &[("grant_type", huge.as_str())]).await;
    oauth_error(huge, 400, "invalid_request");
    let nul = request(node, &[("grant_type", "password"), ("username", "a\0")]).await;
    oauth_error(nul, 400, "invalid_request");
    node.get(TOKEN).await.problem(405, "method-not-allowed");
});

story!(passwords_can_be_left_to_an_issuer, async |node| {
    let config = Config {
        password_grant: false,
        public_url: Some(
            "https://verzeichnis.example/"
                .to_owned()
                .try_into()
                .unwrap(),
        ),
        ..Config::default()
    };
    let metadata = "/.well-known/oauth-authorization-server";
    let grants = |answer: &Answer| answer.json["grant_types_supported"].clone();
    let here = node.get(metadata).await.expect(200);
    assert_eq!(grants(&here), json!(["client_credentials", "password"]));
    assert_eq!(
        here.json["token_endpoint"],
        format!("{}/oauth/token", node.base)
    );
    let instance = Instance::start(node, config).await;
    let there = instance.get(metadata).await.expect(200);
    assert_eq!(grants(&there), json!(["client_credentials"]));
    assert_eq!(there.json["issuer"], here.json["issuer"]);
    assert_eq!(
        there.json["jwks_uri"],
        "https://verzeichnis.example/.well-known/jwks.json"
    );
    let ask = instance.call(reqwest::Method::POST, TOKEN).body(
        "application/x-www-form-urlencoded",
        form(&[
            ("grant_type", "password"),
            ("username", "a"),
            ("password", "b"),
        ]),
    );
    oauth_error(ask.await, 400, "unsupported_grant_type");
    instance.stop().await;
});

story!(scopes_only_narrow, Seeded, async |node| {
    use TokenScope::{Admin, Directory, Sync};
    let body = json!({"name": "Praxis", "home_region": "nordhessen"});
    let draft = node.post("/v1/actors").json(&body).await.expect(201);
    let draft = format!("/v1/actors/{}", draft.id());
    let topic = json!({"name": "Thema"});
    for (scopes, sees, writes, shapes, administers) in [
        (&[Directory, Sync, Admin][..], 200, 200, 200, 200),
        (&[Directory, Admin], 200, 200, 200, 200),
        // Without `admin`, an admin works as an approver does.
        (&[Directory], 200, 200, 403, 403),
        (&[Admin], 404, 403, 403, 200),
        (&[Sync], 404, 403, 403, 403),
        (&[], 404, 403, 403, 403),
    ] {
        let token = node.narrowed(scopes).await;
        let write = node
            .post("/v1/actors?dry_run=true")
            .token(&token)
            .json(&body)
            .await;
        let shape = node
            .post("/v1/topics?dry_run=true")
            .token(&token)
            .json(&topic)
            .await;
        let administer = node.get("/v1/accounts").token(&token).await;
        assert_eq!(
            node.get(&draft).token(&token).await.status,
            sees,
            "{scopes:?}"
        );
        assert_eq!(write.status, writes, "{scopes:?} {}", write.text);
        assert_eq!(shape.status, shapes, "{scopes:?} {}", shape.text);
        assert_eq!(administer.status, administers, "{scopes:?}");
        node.get("/v1/me").token(&token).await.expect(200);
        node.get("/v1/networks/mo-win-net")
            .token(&token)
            .await
            .expect(200);
        for (refused, scope) in [(write, Directory), (administer, Admin)] {
            if refused.status == 403 {
                let refused = refused.problem(403, "insufficient-scope");
                let scope = serde_json::to_value(scope).unwrap();
                let scope = scope.as_str().unwrap();
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                assert_eq!(refused.header("www-authenticate"), challenge);
            }
        }
    }
});

story!(
    only_an_admin_of_the_node_manages_accounts,
    Seeded,
    async |node| {
        let region = node.get("/v1/regions/nordhessen").await.expect(200);
        let region = uuid::Uuid::parse_str(region.id()).unwrap();
        let body = json!({"name": "anna", "grants": [{"role": "admin"}]});
        for (role, place) in [
            (Role::Admin, Some(region)),
            (Role::Approver, None),
            (Role::Feeder, None),
        ] {
            let token = node.token(role, place).await;
            let refused = node.post("/v1/accounts").token(&token).json(&body).await;
            assert_eq!(
                refused.problem(403, "forbidden").json["reason"],
                "node-admin"
            );
        }
    }
);

story!(
    a_new_key_signs_without_a_restart_and_the_old_one_still_verifies,
    async |node| {
        let first = Instance::start(node, Config::default()).await;
        let second = Instance::start(node, Config::default()).await;
        let body = json!({"name": "anna", "password": "correct horse battery"});
        node.post("/v1/accounts").json(&body).await.expect(201);
        let fields = [
            ("grant_type", "password"),
            ("username", "anna"),
            ("password", "correct horse battery"),
        ];
        let ask = async |instance: &Instance| {
            let call = instance.call(reqwest::Method::POST, TOKEN);
            let form = call.body("application/x-www-form-urlencoded", form(&fields));
            token_of(form.await)
        };
        let kid = |token: &str| {
            let head = jsonwebtoken::decode_header(token).unwrap();
            head.kid.unwrap()
        };
        let kids = async |instance: &Instance| {
            let keys = instance.get("/.well-known/jwks.json").await.expect(200);
            let keys = keys.json["keys"].as_array().unwrap().clone();
            let kids = keys.iter().map(|key| {
                assert!(key.get("d").is_none(), "a private key is shown");
                key["kid"].as_str().unwrap().to_owned()
            });
            kids.collect::<Vec<_>>()
        };
        let me = async |instance: &Instance, token: &str| {
            instance.get("/v1/me").token(token).await.status
        };
        let old = ask(&first).await;
        let (new_kid, pem) = api::auth::new_key().unwrap();
        let new = api::auth::as_new(&new_kid, &pem);
        first
            .store
            .signing_keys()
            .rotate(new, api::auth::KEEP_KEYS)
            .await
            .unwrap();

        // Until every instance has read it, the new key is only published.
        for instance in [&first, &second] {
            instance.later(TimeDelta::seconds(6));
        }
        assert_eq!(kids(&second).await, [new_kid.clone(), kid(&old)]);
        assert_eq!(kid(&ask(&first).await), kid(&old));
        for instance in [&first, &second] {
            instance.later(TimeDelta::seconds(6));
        }
        let fresh = ask(&first).await;
        assert_eq!(kid(&fresh), new_kid);
        for (instance, token) in [(&second, &fresh), (&second, &old), (&first, &old)] {
            assert_eq!(me(instance, token).await, 200);
        }
        // When its last token has expired, the old key disappears.
        second.later(api::auth::KEEP_KEYS);
        assert_eq!(kids(&second).await, [new_kid]);
        first.stop().await;
        second.stop().await;
    }
);

story!(a_person_changes_their_own_password, async |node| {
    let body = json!({"name": "anna.muster", "password": "dreizehn Kraniche im Nebel"});
    let made = node.post("/v1/accounts").json(&body).await.expect(201);
    assert!(made.json.get("password").is_none());
    let token = token_of(sign_in(node, "anna.muster", "dreizehn Kraniche im Nebel").await);
    let change = |current: &str, password: &str| {
        node.call(Method::PUT, "/v1/me/password")
            .token(&token)
            .json(&json!({"current_password": current, "password": password}))
    };
    let new = "sieben Schiffe ohne Anker";
    let code = |answer: Answer| {
        let refused = answer.problem(422, "validation-failed");
        let error = &refused.json["errors"][0];
        format!("{} {}", error["pointer"], error["code"])
    };
    assert_eq!(
        code(change("geraten, und falsch", new).await),
        r#""/current_password" "wrong-password""#
    );
    let old = "dreizehn Kraniche im Nebel";
    for guessable in [
        "passwort1234",
        "anna.muster1",
        "aaaaaaaaaaaaaaa",
        "qwertzuiop12",
        "verbund12345",
    ] {
        let refused = change(old, guessable).await;
        assert_eq!(
            code(refused),
            r#""/password" "guessable-password""#,
            "{guessable}"
        );
    }
    assert_eq!(
        code(change(old, "kurz").await),
        r#""/password" "too-short""#
    );
    change(old, new).await.expect(204);
    oauth_error(
        sign_in(node, "anna.muster", old).await,
        400,
        "invalid_grant",
    );
    token_of(sign_in(node, "anna.muster", new).await);
    // Guesses with a stolen token are slowed down as those without one.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(change("geraten, und falsch", new).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let nobody = node.call(Method::PUT, "/v1/me/password").anonymous();
    let nobody = nobody.json(&json!({"current_password": old, "password": new}));
    nobody.await.problem(401, "unauthorized");
});

story!(pages_of_other_sites_do_not_guess_passwords, async |node| {
    let body = json!({"name": "anna.muster", "password": "dreizehn Kraniche im Nebel"});
    node.post("/v1/accounts").json(&body).await.expect(201);
    let guess = |password: &str, origin: &str, site: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", "anna.muster"),
            ("password", password),
        ];
        request(node, &fields)
            .header("origin", origin)
            .header("sec-fetch-site", site)
    };
    for _ in 0..20 {
        guess("geraten, und falsch", "https://boese.example", "cross-site")
            .await
            .problem(403, "origin-not-allowed");
    }
    // None of them counted.
    let right = "dreizehn Kraniche im Nebel";
    token_of(guess(right, "https://redaktion.example", "cross-site").await);
    token_of(guess(right, &node.base, "same-origin").await);
});
