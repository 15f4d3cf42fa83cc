//! Tokens of an external OpenID Connect issuer, which the story runs itself.

use crate::tokens::INVALID;
use actix_web::{App, HttpResponse, HttpServer, web};
use api::config::{Config, IssuerConfig};
use chrono::TimeDelta;
use domain::access::account::TokenScope;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::{Forge, Instance, Node, story};

const RSA: &str = include_str!("issuers/rsa.pem");
const EC: &str = include_str!("issuers/ec.pem");
const ED: &str = include_str!("issuers/ed25519.pem");

#[derive(Debug, Clone, Default)]
struct Mood {
    keys: Value,
    discovery: Option<Value>,
    ailment: Ailment,
    asked: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Ailment {
    #[default]
    Nothing,
    Fails,
    Redirects,
    Slow,
    Oversize,
}

type Spoil = fn(&mut Mood);

#[derive(Clone)]
struct Issuer {
    url: String,
    mood: Arc<Mutex<Mood>>,
}

fn key_of(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(),
        Algorithm::ES256 => EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(ED.as_bytes()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn jwk(kid: &str, algorithm: Algorithm) -> Value {
    let mut jwk = Jwk::from_encoding_key(&key_of(algorithm), algorithm).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(jwk).unwrap()
}

async fn answer(mood: &Mutex<Mood>, body: impl FnOnce(&Mood) -> Value) -> HttpResponse {
    let now = {
        let mut mood = mood.lock().unwrap();
        mood.asked += 1;
        mood.clone()
    };
    let mut body = body(&now);
    match now.ailment {
        Ailment::Nothing => {}
        Ailment::Fails => return HttpResponse::BadGateway().finish(),
        Ailment::Redirects => {
            let elsewhere = ("location", "/elsewhere");
            return HttpResponse::Found().insert_header(elsewhere).finish();
        }
        Ailment::Slow => actix_web::rt::time::sleep(Duration::from_secs(20)).await,
        Ailment::Oversize => body["padding"] = json!("x".repeat(300_000)),
    }
    HttpResponse::Ok().json(body)
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/realms/verbund", listener.local_addr().unwrap());
        let issuer = Self {
            url: url.clone(),
            mood: Arc::default(),
        };
        let mood = issuer.mood.clone();
        let server = HttpServer::new(move || {
            let (one, two, three) = (mood.clone(), mood.clone(), mood.clone());
            let url = url.clone();
            App::new()
                .route(
                    "/realms/verbund/.well-known/openid-configuration",
                    web::get().to(move || {
                        let (mood, url) = (one.clone(), url.clone());
                        async move {
                            let usual = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
                            answer(&mood, |mood| mood.discovery.clone().unwrap_or(usual)).await
                        }
                    }),
                )
                .route(
                    "/realms/verbund/keys",
                    web::get().to(move || {
                        let mood = two.clone();
                        async move { answer(&mood, |mood| json!({"keys": mood.keys})).await }
                    }),
                )
                .default_service(web::to(move || {
                    let mood = three.clone();
                    async move {
                        mood.lock().unwrap().asked += 1000;
                        HttpResponse::NotFound().finish()
                    }
                }))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .listen(listener)
            .unwrap();
        actix_web::rt::spawn(server.run());
        issuer
    }

    fn set(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.mood.lock().unwrap().asked
    }

    fn config(&self) -> Config {
        let issuer = IssuerConfig {
            url: self.url.clone().try_into().unwrap(),
            audience: "verbund".to_owned(),
            jwks_url: None,
            scopes: vec![TokenScope::Directory],
        };
        Config {
            issuers: vec![issuer],
            ..Config::default()
        }
    }

    fn token(&self, instance: &Instance, kid: &str, algorithm: Algorithm) -> Forge {
        let now = instance.now().timestamp();
        let header = json!({"alg": format!("{algorithm:?}"), "typ": "at+jwt", "kid": kid});
        let claims = json!({"iss": self.url, "sub": "4711", "aud": ["account", "verbund"],
            "iat": now, "exp": now + 300, "scope": "openid profile"});
        Forge::external(header, claims, key_of(algorithm), algorithm)
    }
}

async fn status(instance: &Instance, token: &Forge) -> u16 {
    let answer = instance.get("/v1/me").token(&token.token()).await;
    if answer.status == 401 {
        assert_eq!(answer.header("www-authenticate"), INVALID);
    }
    answer.status
}

async fn set_up(node: &Node) -> (Issuer, Instance) {
    let issuer = Issuer::start();
    let keys = [
        jwk("rsa", Algorithm::RS256),
        jwk("ec", Algorithm::ES256),
        jwk("ed", Algorithm::EdDSA),
    ];
    issuer.set(|mood| mood.keys = json!(keys));
    let instance = Instance::start(node, issuer.config()).await;
    (issuer, instance)
}

story!(
    people_of_an_issuer_are_strangers_until_an_admin_knows_them,
    Seeded,
    async |node| {
        let (issuer, instance) = set_up(node).await;
        let good = issuer.token(&instance, "rsa", Algorithm::RS256);
        let me = instance
            .get("/v1/me")
            .token(&good.token())
            .await
            .expect(200);
        assert_eq!(
            (&me.json["issuer"], &me.json["subject"]),
            (&json!(issuer.url), &json!("4711"))
        );
        assert_eq!(
            (&me.json["grants"], me.json.get("account")),
            (&json!([]), None)
        );
        assert_eq!(me.json["scopes"], json!(["directory"]));
        let body = json!({"name": "Praxis", "home_region": "nordhessen"});
        let write = async |token: &Forge| {
            let call = instance.call(reqwest::Method::POST, "/v1/actors?dry_run=true");
            call.token(&token.token()).json(&body).await
        };
        write(&good).await.problem(403, "forbidden");
        let published = instance.get("/v1/networks/mo-win-net");
        published.token(&good.token()).await.expect(200);

        let account = json!({"name": "anna", "issuer": issuer.url, "subject": "4711",
            "grants": [{"role": "admin"}]});
        let made = node.post("/v1/accounts").json(&account).await.expect(201);
        for (kid, algorithm) in [
            ("rsa", Algorithm::RS256),
            ("ec", Algorithm::ES256),
            ("ed", Algorithm::EdDSA),
        ] {
            write(&issuer.token(&instance, kid, algorithm))
                .await
                .expect(200);
        }
        // Administration needs the scope in the token itself.
        let accounts = async |token: &Forge| {
            instance
                .get("/v1/accounts")
                .token(&token.token())
                .await
                .status
        };
        assert_eq!(accounts(&good).await, 403);
        assert_eq!(
            accounts(&good.clone().claim("scope", "openid admin")).await,
            200
        );

        // No other subject and no other issuer can use this account.
        write(&good.clone().claim("sub", "4712"))
            .await
            .problem(403, "forbidden");
        let id = made.json["account"]["id"].as_str().unwrap();
        let own = Forge::of(node, uuid::Uuid::parse_str(id).unwrap()).await;
        assert_eq!(status(&instance, &own).await, 401);
        let one = format!("/v1/accounts/{id}");
        let lock = node
            .patch(&one)
            .if_match("*")
            .json(&json!({"disabled": true}));
        lock.await.expect(200);
        assert_eq!(status(&instance, &good).await, 401);
        assert_eq!(issuer.asked(), 2, "discovery and keys are read once");
        instance.stop().await;
    }
);

story!(
    an_algorithm_belongs_to_its_key_and_a_token_to_its_issuer,
    async |node| {
        let (issuer, instance) = set_up(node).await;
        let good = issuer.token(&instance, "rsa", Algorithm::RS256);
        assert_eq!(status(&instance, &good).await, 200);
        let public = jwk("rsa", Algorithm::RS256)["n"]
            .as_str()
            .unwrap()
            .to_owned();
        let hmac = EncodingKey::from_secret(public.as_bytes());
        let own = Forge::of(node, uuid::Uuid::nil()).await;
        let with = |name: &str, value: Value| good.clone().claim(name, value);
        let mut forged = vec![
            (
                "the key of another algorithm",
                issuer.token(&instance, "ec", Algorithm::RS256),
            ),
            (
                "another algorithm than the key's",
                good.clone().header("alg", "EdDSA"),
            ),
            (
                "HMAC with the public key",
                good.clone()
                    .header("alg", "HS256")
                    .signed_with(hmac, Algorithm::HS256),
            ),
            ("none", good.clone().header("alg", "none")),
            ("crit", good.clone().header("crit", json!(["x"]))),
            ("jku", good.clone().header("jku", issuer.url.as_str())),
            (
                "jwk",
                good.clone().header("jwk", jwk("rsa", Algorithm::RS256)),
            ),
            ("an ID token", good.clone().header("typ", "JWT")),
            ("an unknown kid", good.clone().header("kid", "unknown")),
            (
                "a foreign iss",
                with("iss", json!("https://elsewhere.example")),
            ),
            (
                "iss with a slash more",
                with("iss", json!(format!("{}/", issuer.url))),
            ),
            ("this node's iss", with("iss", own.claims["iss"].clone())),
            ("a foreign aud", with("aud", json!("account"))),
            (
                "a list of foreign aud",
                with("aud", json!(["account", "verbund-test"])),
            ),
            ("no aud", with("aud", Value::Null)),
            ("no sub", with("sub", Value::Null)),
            ("an empty sub", with("sub", json!(""))),
            ("a sub with a line break", with("sub", json!("a\nb"))),
            (
                "a sub beyond the limit",
                with("sub", json!("x".repeat(256))),
            ),
            ("no exp", with("exp", Value::Null)),
            ("no iat", with("iat", Value::Null)),
        ];
        for (name, claim, seconds) in [
            ("expired", "exp", -31),
            ("not valid yet", "nbf", 60),
            ("valid for more than a day", "exp", 24 * 60 * 60 + 1),
        ] {
            forged.push((name, good.clone().time(claim, seconds)));
        }
        for (name, token) in forged {
            assert_eq!(status(&instance, &token).await, 401, "{name}");
        }
        assert_eq!(status(&instance, &good).await, 200);
        assert_eq!(issuer.asked(), 2, "the issuer is not asked more often");
        instance.stop().await;
    }
);

story!(an_issuer_may_change_its_keys, async |node| {
    let (issuer, instance) = set_up(node).await;
    let old = |instance: &Instance| issuer.token(instance, "ec", Algorithm::ES256);
    let new = |instance: &Instance| issuer.token(instance, "ec-2", Algorithm::ES256);
    assert_eq!(status(&instance, &old(&instance)).await, 200);
    issuer.set(|mood| mood.keys = json!([jwk("ec-2", Algorithm::ES256)]));
    // Read a moment ago, so not again.
    assert_eq!(status(&instance, &new(&instance)).await, 401);
    instance.later(TimeDelta::seconds(61));
    assert_eq!(status(&instance, &new(&instance)).await, 200);
    assert_eq!(status(&instance, &old(&instance)).await, 401);
    assert_eq!(issuer.asked(), 4);
    instance.stop().await;
});

story!(
    the_last_good_keys_outlive_an_outage_of_a_day,
    async |node| {
        let (issuer, instance) = set_up(node).await;
        let good = || issuer.token(&instance, "ed", Algorithm::EdDSA);
        assert_eq!(status(&instance, &good()).await, 200);
        issuer.set(|mood| mood.ailment = Ailment::Fails);
        instance.later(TimeDelta::hours(23));
        assert_eq!(status(&instance, &good()).await, 200);
        instance.later(TimeDelta::hours(2));
        assert_eq!(status(&instance, &good()).await, 401);
        let asked = issuer.asked();
        for _ in 0..5 {
            assert_eq!(status(&instance, &good()).await, 401);
        }
        assert_eq!(issuer.asked(), asked, "at most once a minute");
        issuer.set(|mood| mood.ailment = Ailment::Nothing);
        instance.later(TimeDelta::seconds(61));
        assert_eq!(status(&instance, &good()).await, 200);
        instance.stop().await;
    }
);

story!(an_issuer_that_misbehaves_is_not_believed, async |node| {
    let wrong: [(&str, Spoil); 8] = [
        ("down", |mood| mood.ailment = Ailment::Fails),
        ("redirecting", |mood| mood.ailment = Ailment::Redirects),
        ("too much", |mood| mood.ailment = Ailment::Oversize),
        ("another issuer", |mood| {
            mood.discovery = Some(
                json!({"issuer": "https://other.example", "jwks_uri": "https://other.example/keys"}),
            );
        }),
        ("no JSON object", |mood| mood.discovery = Some(json!([]))),
        ("keys that are none", |mood| {
            mood.keys = json!([{"kty": "oct", "k": "AAAA", "kid": "ed", "alg": "HS256"}, 1, null]);
        }),
        ("a key for encryption", |mood| {
            mood.keys[2]["use"] = json!("enc");
        }),
        ("a key of another algorithm", |mood| {
            mood.keys[2]["alg"] = json!("ES256");
        }),
    ];
    for (name, spoil) in wrong {
        let (issuer, instance) = set_up(node).await;
        issuer.set(spoil);
        let good = issuer.token(&instance, "ed", Algorithm::EdDSA);
        assert_eq!(status(&instance, &good).await, 401, "{name}");
        assert!(issuer.asked() <= 2, "{name} is not followed");
        issuer.set(|mood| {
            *mood = Mood {
                keys: json!([jwk("ed", Algorithm::EdDSA)]),
                ..Mood::default()
            };
        });
        instance.later(TimeDelta::seconds(61));
        let good = issuer.token(&instance, "ed", Algorithm::EdDSA);
        assert_eq!(status(&instance, &good).await, 200, "{name}");
        instance.stop().await;
    }
    // Keys on another host only if configured.
    let (issuer, instance) = set_up(node).await;
    let elsewhere = issuer.url.replace("127.0.0.1", "localhost");
    let discovery = json!({"issuer": issuer.url, "jwks_uri": format!("{elsewhere}/keys")});
    issuer.set(|mood| mood.discovery = Some(discovery));
    let good = issuer.token(&instance, "ed", Algorithm::EdDSA);
    assert_eq!(status(&instance, &good).await, 401);
    instance.stop().await;
    let mut config = issuer.config();
    config.issuers[0].jwks_url = Some(format!("{}/keys", issuer.url).try_into().unwrap());
    let instance = Instance::start(node, config).await;
    let good = issuer.token(&instance, "ed", Algorithm::EdDSA);
    assert_eq!(status(&instance, &good).await, 200);
    instance.stop().await;
});

story!(nobody_waits_long_for_a_slow_issuer, async |node| {
    let (issuer, instance) = set_up(node).await;
    issuer.set(|mood| mood.ailment = Ailment::Slow);
    let good = issuer.token(&instance, "ed", Algorithm::EdDSA);
    let begun = std::time::Instant::now();
    assert_eq!(status(&instance, &good).await, 401);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    instance.stop().await;
});
