//! The log of a server contains no secrets.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::{Backend, Content, on_both};

const PASSWORD: &str = "Klatschmohn im Haferfeld 7";

async fn sign_in(client: &Client, base: &str, password: &str) -> Value {
    let mut url = reqwest::Url::parse(&format!("{base}/oauth/token")).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("grant_type", "password"),
        ("username", "anna"),
        ("password", password),
    ]);
    let form = url.query().unwrap_or_default().to_owned();
    url.set_query(None);
    let sent = client.post(url).body(form);
    let sent = sent.header("content-type", "application/x-www-form-urlencoded");
    sent.send().await.unwrap().json().await.unwrap()
}

async fn nothing_secret_is_logged(backend: Backend) {
    let database = Database::new(backend, Content::Seeded).await;
    let admin = admin_token(&database).await;
    let process = Process::serve_with(&database, &[("VERBUND_LOG", "trace")]).await;
    let (base, client) = (&process.base, Client::new());
    let send = async |method: Method, path: &str, token: &str, body: Value| {
        let sent = client.request(method, format!("{base}{path}")).json(&body);
        let sent = sent.bearer_auth(token).send().await.unwrap();
        let status = sent.status().as_u16();
        (status, sent.json::<Value>().await.unwrap_or_default())
    };
    let anna = json!({"name": "anna", "password": PASSWORD, "grants": [{"role": "editor"}]});
    let (status, made) = send(Method::POST, "/v1/accounts", &admin, anna).await;
    assert_eq!(status, 201, "{made}");
    let client_made = json!({"name": "cms-client", "grants": [{"role": "reader"}]});
    let (status, made) = send(Method::POST, "/v1/clients", &admin, client_made).await;
    assert_eq!(status, 201, "{made}");
    let client_secret = made["client_secret"].as_str().unwrap().to_owned();
    let hook = json!({"name": "hook", "url": "http://127.0.0.1:9/"});
    let (status, made) = send(Method::POST, "/v1/webhooks", &admin, hook).await;
    assert_eq!(status, 201, "{made}");
    let hook_secret = made["secret"].as_str().unwrap().to_owned();
    let signed_in = sign_in(&client, base, PASSWORD).await;
    let token = signed_in["access_token"].as_str().unwrap().to_owned();
    sign_in(&client, base, "Kornblume im Roggen 8").await;
    let (status, _) = send(Method::POST, "/v1/actors", &token, json!({"name": ""})).await;
    assert_eq!(status, 422);
    let broken = format!("{token}x");
    let (status, _) = send(Method::POST, "/v1/actors", &broken, json!({})).await;
    assert_eq!(status, 401);
    let (status, _) = send(
        Method::GET,
        &format!("/v1/actors?access_token={token}"),
        &token,
        json!({}),
    )
    .await;
    assert_eq!(status, 400);

    let log = process.log();
    assert!(log.contains("/oauth/token"), "the log tells of requests");
    let secrets = [
        ("the admin's token", admin.as_str()),
        ("the token", &token),
        ("the password", PASSWORD),
        ("the wrong password", "Kornblume"),
        ("the encoded password", "Klatschmohn"),
        ("the client's secret", &client_secret),
        ("the webhook's secret", &hook_secret),
    ];
    for (name, secret) in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{name}: {line:?}");
    }
    drop(process);
    database.remove().await;
}

on_both!(nothing_secret_is_logged);
