//! A receiver of webhooks, and a webhook of a node under test.

use crate::node::{Node, loopback};
use actix_web::dev::ServerHandle;
use actix_web::http::header::HeaderMap;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use api::config::Config;
use api::exchange::webhooks::sender::WebhookSender;
use persistence::Store;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// 503 with `Retry-After` in seconds.
    Busy(u64),
    Elsewhere(String),
    /// No response.
    Never,
}

#[derive(Debug, Clone)]
pub struct Heard {
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<Heard>>,
    replies: Mutex<VecDeque<Reply>>,
}

/// A server that records deliveries, and answers 204 unless a story queues another response.
#[derive(Debug)]
pub struct Receiver {
    pub url: String,
    ear: Arc<Ear>,
    handle: ServerHandle,
}

async fn hear(request: HttpRequest, body: String, ear: web::Data<Ear>) -> HttpResponse {
    ear.heard.lock().unwrap().push(Heard {
        headers: request.headers().clone(),
        json: serde_json::from_str(&body).unwrap(),
        text: body,
    });
    let reply = ear.replies.lock().unwrap().pop_front();
    match reply.unwrap_or(Reply::Status(204)) {
        Reply::Status(status) => {
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            HttpResponse::build(status).body("what is answered is not kept")
        }
        Reply::Busy(seconds) => {
            let seconds = seconds.to_string();
            let mut response = HttpResponse::ServiceUnavailable();
            response.insert_header(("retry-after", seconds)).finish()
        }
        Reply::Elsewhere(location) => {
            let mut response = HttpResponse::TemporaryRedirect();
            response.insert_header(("location", location)).finish()
        }
        Reply::Never => std::future::pending().await,
    }
}

impl Receiver {
    #[must_use]
    pub fn start() -> Self {
        Self::listen("127.0.0.1:0")
    }

    #[must_use]
    pub fn at(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        Self::listen(address.strip_suffix("/hook").unwrap())
    }

    fn listen(address: &str) -> Self {
        let ear: Arc<Ear> = Arc::default();
        let data = web::Data::from(ear.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::to(hear))
        })
        .workers(1)
        .bind(address)
        .unwrap();
        let url = format!("http://{}/hook", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, ear, handle }
    }

    pub fn replies(&self, reply: Reply) {
        self.ear.replies.lock().unwrap().push_back(reply);
    }

    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.ear.heard.lock().unwrap().clone()
    }

    /// Deliveries since the last call.
    #[must_use]
    pub fn news(&self) -> Vec<Heard> {
        std::mem::take(&mut self.ear.heard.lock().unwrap())
    }

    /// The `type` and the record of the deliveries since the last call.
    #[must_use]
    pub fn types(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let news = self.news().into_iter();
        news.map(|one| (text(&one.json["type"]), text(&one.json["data"]["id"])))
            .collect()
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl Heard {
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

#[derive(Debug)]
pub struct Hook<'a> {
    node: &'a Node,
    pub id: Uuid,
    pub path: String,
    pub secret: String,
}

impl<'a> Hook<'a> {
    /// Creates a webhook for the receiver at `url`; `more` are further members.
    pub async fn new(node: &'a Node, name: &str, url: &str, more: Value) -> Self {
        let mut body = json!({"name": name, "url": url});
        domain::base::json::merge_patch(&mut body, &more);
        let made = node.post("/v1/webhooks").json(&body).await.expect(201);
        Self {
            node,
            id: Uuid::parse_str(made.id()).unwrap(),
            path: made.header("location").to_owned(),
            secret: made.json["secret"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn shown(&self) -> Value {
        let shown = self.node.get(&self.path).token(&self.node.admin).await;
        shown.expect(200).json
    }

    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        let path = format!("{}/deliveries?limit=200&{query}", self.path);
        let listed = self.node.get(path.trim_end_matches('&'));
        let listed = listed.token(&self.node.admin).await.expect(200);
        listed.json["items"].as_array().unwrap().clone()
    }

    pub async fn change(&self, patch: Value) -> Value {
        let changed = self.node.patch(&self.path).if_match("*");
        let changed = changed.body("application/json", patch.to_string());
        changed.await.expect(200).json
    }

    /// Waits until all deliveries are queued, and sends those that are due.
    pub async fn sent(&self) {
        self.node.settled().await;
        sender(&self.node.store).send_all().await.unwrap();
    }
}

#[must_use]
pub fn sender(store: &Store) -> WebhookSender {
    let config = Config {
        outbound_allowlist: loopback(),
        ..Config::default()
    };
    WebhookSender::new(store.clone(), &config).unwrap()
}
