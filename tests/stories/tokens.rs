//! Token validation: an invalid token proves nothing and changes nothing.

use domain::access::rules::Role;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jsonwebtoken::{Algorithm, EncodingKey};
use persistence::accounts::AccountChange;
use persistence::accounts::keys::NewKey;
use persistence::write::Precondition;
use serde_json::{Value, json};
use tests::forge::{base64, sign};
use tests::{Forge, Node, story};
use uuid::Uuid;

pub(crate) const INVALID: &str = "Bearer error=\"invalid_token\"";

async fn account_of(node: &Node, token: &str) -> Uuid {
    let me = node.get("/v1/me").token(token).await.expect(200);
    Uuid::parse_str(me.json["account"].as_str().unwrap()).unwrap()
}

fn stray_key(seed: u8) -> (EncodingKey, String) {
    let pair = SigningKey::from_bytes(&[seed; 32]);
    let pem = pair.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
    (EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(), pem)
}

fn wrong_headers(good: &Forge, public: &str) -> Vec<(&'static str, String)> {
    let (stray, _) = stray_key(7);
    let hmac = |secret: &[u8]| {
        good.clone()
            .header("alg", "HS256")
            .signed_with(EncodingKey::from_secret(secret), Algorithm::HS256)
            .token()
    };
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64(SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes())});
    let own = |name: &str, value: Value| {
        let forged = good.clone().signed_with(stray.clone(), Algorithm::EdDSA);
        forged.header(name, value).token()
    };
    let (header, claims) = (good.header.to_string(), good.claims.to_string());
    let raw = |header: &str| sign(header, &claims, &stray, Algorithm::EdDSA);
    let unsigned = |alg: &str| {
        let header = good.clone().header("alg", alg).header;
        format!("{}.{}.", base64(header.to_string()), base64(&claims))
    };
    let kid = good.header["kid"].as_str().unwrap();
    let with = |name: &str, value: Value| good.clone().header(name, value).token();
    vec![
        ("alg none, unsigned", unsigned("none")),
        ("alg None, unsigned", unsigned("None")),
        ("alg none, signed", with("alg", json!("none"))),
        ("HMAC with the public key", hmac(&decoded(public))),
        ("HMAC with the public key as text", hmac(public.as_bytes())),
        ("HMAC with the key id", hmac(kid.as_bytes())),
        ("HMAC with nothing", hmac(b"")),
        ("ES256 over EdDSA", with("alg", json!("ES256"))),
        ("RS256 over EdDSA", with("alg", json!("RS256"))),
        ("an unknown alg", with("alg", json!("EdDSB"))),
        ("no alg", with("alg", Value::Null)),
        ("alg is no text", with("alg", json!(["EdDSA"]))),
        ("unknown kid", with("kid", json!(Uuid::nil()))),
        ("no kid", with("kid", Value::Null)),
        ("kid is no text", with("kid", json!(1))),
        ("kid is a path", with("kid", json!("../../../dev/null"))),
        ("kid is SQL", with("kid", json!("' OR 1=1 --"))),
        ("jku", own("jku", json!("https://evil.example/jwks"))),
        ("x5u", own("x5u", json!("https://evil.example/cert"))),
        ("x5c", own("x5c", json!(["MIIB"]))),
        ("jwk", own("jwk", jwk)),
        (
            "jku with a valid signature",
            with("jku", json!("https://evil.example/jwks")),
        ),
        ("crit", with("crit", json!(["exp"]))),
        ("crit without names", with("crit", json!([]))),
        ("unencoded payload", with("b64", json!(false))),
        ("typ JWT", with("typ", json!("JWT"))),
        ("typ of an ID token", with("typ", json!("id+jwt"))),
        ("no typ", with("typ", Value::Null)),
        ("typ is no text", with("typ", json!(["at+jwt"]))),
        (
            "alg twice",
            raw(&header.replacen('{', "{\"alg\":\"none\",", 1)),
        ),
        ("a header that is a list", raw("[]")),
        ("a header that is no JSON", raw("{alg:EdDSA}")),
        ("an empty header", raw("{}")),
    ]
}

fn decoded(text: &str) -> Vec<u8> {
    use ::base64::Engine as _;
    let engine = ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
    engine.decode(text).unwrap()
}

fn shorter(text: &str, by: usize) -> String {
    text.chars().take(text.len() - by).collect()
}

fn wrong_claims(good: &Forge) -> Vec<(&'static str, String)> {
    let with = |name: &str, value: Value| good.clone().claim(name, value).token();
    let at = |name: &str, seconds: i64| good.clone().time(name, seconds).token();
    let day = 24 * 60 * 60;
    vec![
        ("no iss", with("iss", Value::Null)),
        ("foreign iss", with("iss", json!("urn:verbund:elsewhere"))),
        ("iss is a list", with("iss", json!([good.claims["iss"]]))),
        ("empty iss", with("iss", json!(""))),
        ("no aud", with("aud", Value::Null)),
        ("foreign aud", with("aud", json!("another-service"))),
        ("aud is a list", with("aud", json!(["verbund"]))),
        ("aud is an empty list", with("aud", json!([]))),
        ("empty aud", with("aud", json!(""))),
        ("no exp", with("exp", Value::Null)),
        ("exp is a text", with("exp", json!("9999999999"))),
        ("exp is a list", with("exp", json!([9_999_999_999_i64]))),
        ("exp beyond all time", with("exp", json!(i64::MAX))),
        ("exp before all time", with("exp", json!(i64::MIN))),
        ("expired beyond the leeway", at("exp", -35)),
        ("no sub", with("sub", Value::Null)),
        ("unknown sub", with("sub", json!(Uuid::nil()))),
        ("sub is no account", with("sub", json!("admin"))),
        ("sub is a list", with("sub", json!([good.claims["sub"]]))),
        ("nbf in the future", at("nbf", 90)),
        ("nbf is a text", with("nbf", json!("0"))),
        (
            "iat in the future",
            good.clone().time("exp", 900).time("iat", 90).token(),
        ),
        ("no iat", with("iat", Value::Null)),
        ("a lifetime of more than a day", at("exp", day + 60)),
        ("a lifetime of a year", at("exp", 365 * day)),
    ]
}

fn wrong_forms(good: &Forge, other: &str) -> Vec<(&'static str, String)> {
    let token = good.token();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else {
        unreachable!("a token has three parts");
    };
    let stolen = other.rsplit('.').next().unwrap();
    let (header, claims) = (good.header.to_string(), good.claims.to_string());
    let (stray, _) = stray_key(9);
    let twice = claims.replacen('{', &format!("{{\"sub\":\"{}\",", Uuid::nil()), 1);
    let long = good.clone().claim("padding", "x".repeat(9000)).token();
    vec![
        (
            "signed by another key",
            sign(&header, &claims, &stray, Algorithm::EdDSA),
        ),
        (
            "the signature of another token",
            format!("{head}.{body}.{stolen}"),
        ),
        (
            "a changed body",
            format!(
                "{head}.{}.{signature}",
                base64(claims.replace("verbund", "verbunt"))
            ),
        ),
        ("sub twice", sign(&header, &twice, &stray, Algorithm::EdDSA)),
        (
            "a body that is no JSON",
            sign(&header, "claims", &stray, Algorithm::EdDSA),
        ),
        ("a truncated signature", shorter(&token, 4)),
        (
            "a truncated body",
            format!("{head}.{}.{signature}", shorter(body, 3)),
        ),
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{token}.{signature}")),
        (
            "five parts, as if encrypted",
            format!("{head}..{body}.{body}.{signature}"),
        ),
        ("one part", head.to_owned()),
        ("dots", "..".to_owned()),
        ("not base64", format!("{head}.{body}.§%&")),
        ("padded base64", format!("{head}.{body}.{signature}=")),
        ("plain text", "let me in".to_owned()),
        ("two tokens", format!("{token}, {token}")),
        ("a token longer than 8 KiB", long),
    ]
}

/// This `Authorization` is rejected everywhere.
async fn refused(node: &Node, name: &str, authorization: &str) {
    let write = json!({"name": "Eingeschlichen", "home_region": "nordhessen"});
    for call in [
        node.get("/v1/me"),
        node.get("/v1/networks/mo-win-net"),
        node.get("/v1/accounts"),
        node.post("/v1/actors").anonymous().json(&write),
    ] {
        let answer = call.header("authorization", authorization).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        let answer = answer.problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), INVALID, "{name}");
    }
}

story!(
    whatever_is_wrong_with_a_token_it_proves_nothing,
    Seeded,
    async |node| {
        let account = account_of(node, &node.admin).await;
        let good = Forge::of(node, account).await;
        let jwks = node.get("/.well-known/jwks.json").await.expect(200);
        let public = jwks.json["keys"][0]["x"].as_str().unwrap().to_owned();
        let before = crate::matrix::snapshot(node).await;
        let mut forged = wrong_headers(&good, &public);
        forged.extend(wrong_claims(&good));
        forged.extend(wrong_forms(&good, &node.admin));
        assert!(forged.len() >= 40, "{}", forged.len());
        for (name, token) in &forged {
            refused(node, name, &format!("Bearer {token}")).await;
        }
        let token = good.token();
        for (name, header) in [
            ("no scheme", token.clone()),
            ("another scheme", format!("Basic {token}")),
            ("no token", "Bearer".to_owned()),
            ("an empty token", "Bearer ".to_owned()),
        ] {
            refused(node, name, &header).await;
        }
        let twice = node.get("/v1/me").token(&token);
        let twice = twice
            .header("authorization", &format!("Bearer {token}"))
            .await;
        assert_eq!(
            twice
                .problem(401, "unauthorized")
                .header("www-authenticate"),
            INVALID
        );
        assert_eq!(crate::matrix::snapshot(node).await, before);

        // The same token unspoilt, and the variants that the leeway and the RFCs allow.
        for fine in [
            good.clone(),
            good.clone().header("typ", "application/at+jwt"),
            good.clone().header("typ", "AT+JWT"),
            good.clone().time("exp", -20),
            good.clone().time("nbf", 20),
            good.clone().time("exp", 24 * 60 * 60),
        ] {
            let me = node.get("/v1/me").token(&fine.token()).await.expect(200);
            assert_eq!(me.json["account"], json!(account));
        }
    }
);

story!(a_token_in_the_url_is_ignored, Seeded, async |node| {
    let token = &node.admin;
    for name in ["access_token", "token", "authorization", "bearer_token"] {
        let me = node.get(&format!("/v1/me?{name}={token}")).await;
        let me = me.problem(401, "unauthorized");
        assert_eq!(me.header("www-authenticate"), "Bearer");
        let body = json!({"name": "Neu", "home_region": "nordhessen"});
        let write = node.post(&format!("/v1/actors?{name}={token}")).anonymous();
        write.json(&body).await.problem(401, "unauthorized");
    }
});

story!(
    a_token_ends_with_its_account_and_with_its_key,
    Seeded,
    async |node| {
        let token = node.token(Role::Editor, None).await;
        let account = account_of(node, &token).await;
        let key = (domain::access::account::AccountKind::Person, account);
        let lock = |disabled| AccountChange {
            disabled: Some(disabled),
            ..AccountChange::default()
        };
        let caller = domain::access::rules::Caller::node();
        let any = Precondition::Any;
        let change = async |disabled| {
            let change = lock(disabled);
            let changed = node.store.accounts().update(&caller, key, &any, &change);
            changed.await.unwrap();
        };
        change(true).await;
        refused(node, "a disabled account", &format!("Bearer {token}")).await;
        change(false).await;
        node.get("/v1/me").token(&token).await.expect(200);
        node.store
            .accounts()
            .delete(&caller, key, &any)
            .await
            .unwrap();
        refused(node, "a removed account", &format!("Bearer {token}")).await;

        // A key that was removed verifies nothing once the instance has reloaded the keys.
        let (_, pem) = stray_key(3);
        let new = NewKey {
            kid: "after-the-leak",
            alg: "EdDSA",
            private_pem: &pem,
        };
        let keep = chrono::TimeDelta::zero();
        node.store.signing_keys().rotate(new, keep).await.unwrap();
        let instance = tests::Instance::start(node, api::config::Config::default()).await;
        let leaked = instance.get("/v1/me").token(&node.admin).await;
        assert_eq!(
            leaked
                .problem(401, "unauthorized")
                .header("www-authenticate"),
            INVALID
        );
        instance.stop().await;
    }
);
