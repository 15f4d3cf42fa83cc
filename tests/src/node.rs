//! A node in process: the real application on a real socket.

use crate::call::Call;
use crate::database::{Backend, Content, Database};
use actix_web::dev::ServerHandle;
use api::app::server;
use api::auth::Tokens;
use api::config::Config;
use api::config::Destination;
use api::state::State;
use chrono::TimeDelta;
use domain::access::account::TokenScope;
use domain::access::rules::Role;
use domain::base::clock::Clock;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use persistence::Store;
use persistence::accounts::NewGrant;
use persistence::jobs::BackgroundJobs;
use persistence::search::{IndexPlace, Search};
use reqwest::Method;
use serde_json::Value;
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug)]
pub struct Node {
    pub base: String,
    /// The same store, for state that HTTP does not show.
    pub store: Store,
    pub backend: Backend,
    pub database_url: String,
    pub admin: String,
    pub(crate) background: BackgroundJobs,
    tokens: Tokens,
    client: reqwest::Client,
}

pub type Told<'n> = LocalBoxFuture<'n, ()>;

pub fn told<'n>(story: impl AsyncFnOnce(&'n Node) + 'n, node: &'n Node) -> Told<'n> {
    Box::pin(async move { story(node).await })
}

/// Runs a story on a node of its own, which is stopped and removed afterwards.
pub fn run(backend: Backend, content: Content, story: fn(&Node) -> Told<'_>) {
    actix_web::rt::System::new().block_on(async move {
        let database = Database::new(backend, content).await;
        let (node, server) = start(backend, &database).await;
        let outcome = AssertUnwindSafe(story(&node)).catch_unwind().await;
        server.stop(true).await;
        node.background.stop().await;
        node.store.db().clone().close().await;
        database.remove().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

#[must_use]
pub fn loopback() -> Vec<Destination> {
    vec!["127.0.0.0/8".to_owned().try_into().unwrap()]
}

pub(crate) async fn start(backend: Backend, database: &Database) -> (Node, ServerHandle) {
    let store = Store::open(&database.url, None, Clock::default())
        .await
        .unwrap();
    let search = Search::new(
        store.clone(),
        IndexPlace::Folder(database.index().to_owned()),
    );
    let config = Config {
        workers: Some(2),
        cors_origins: vec!["https://redaktion.example".to_owned()],
        // Partners of a story are on this machine.
        outbound_allowlist: loopback(),
        ..unlimited()
    };
    let state = State::new(store.clone(), search.clone(), &config)
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let running = server(state, &config, listener).unwrap();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let tokens = Tokens::load(&store).await.unwrap();
    let mut node = Node {
        base,
        backend,
        database_url: database.url.clone(),
        admin: String::new(),
        background: BackgroundJobs::start(&store).searching(&store, &search),
        store,
        tokens,
        client: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // TLS is not used, and reading the certificates of the machine is slow.
            .tls_certs_only([])
            // The server closes a connection that was idle for five seconds.
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .unwrap(),
    };
    node.admin = node.token(Role::Admin, None).await;
    (node, handle)
}

/// Stories send more requests than people do; those about the limits set their own.
fn unlimited() -> Config {
    let many = NonZeroU32::new(1_000_000_000).unwrap();
    Config {
        requests_per_minute_client: many,
        requests_per_minute_address: many,
        auth_failures_per_minute: many,
        ..Config::default()
    }
}

/// Another server over the store of a node, with its own settings; it stops on drop. Its index
/// consumes no log: it is for requests without lists.
#[derive(Debug)]
pub struct Beside {
    pub base: String,
    handle: ServerHandle,
    client: reqwest::Client,
}

impl Beside {
    pub async fn stop(&self) {
        self.handle.stop(true).await;
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.client, &self.base, method, path)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // The server learns of it at once; the future only waits for the end.
        drop(self.handle.stop(false));
    }
}

/// Waits until the log consumers have reached the end of the log, including their own entries.
pub async fn settled(store: &Store, background: &BackgroundJobs) {
    let settling = async {
        loop {
            let head = store.log().head().await.unwrap();
            assert!(background.caught_up(head).await, "a log consumer has ended");
            if store.log().head().await.unwrap() == head {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), settling)
        .await
        .expect("the log consumers catch up");
}

impl Node {
    /// A token for an account with this role in this region (or on the whole node).
    pub async fn token(&self, role: Role, region: Option<Uuid>) -> String {
        self.token_below(role, region, false).await
    }

    /// [`Node::token`], including the descendants of the region if `descendants`.
    pub async fn token_below(&self, role: Role, region: Option<Uuid>, descendants: bool) -> String {
        let grant = NewGrant {
            role,
            region,
            descendants,
            system: (role == Role::Feeder).then(|| "cms".to_owned()),
        };
        let name = format!("{role:?}-{region:?}-{descendants}");
        let account = self
            .store
            .accounts()
            .ensure_local(&name, &grant)
            .await
            .unwrap();
        let now = self.store.clock().now();
        self.tokens
            .issue(account, now, TimeDelta::hours(1))
            .await
            .unwrap()
    }

    /// Starts another server over the same store with other settings.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> Beside {
        let mut config = Config {
            workers: Some(1),
            ..unlimited()
        };
        change(&mut config);
        let search = Search::new(self.store.clone(), IndexPlace::Memory);
        let state = State::new(self.store.clone(), search, &config)
            .await
            .unwrap();
        // A server that listens everywhere does not know its address.
        let listener = TcpListener::bind((config.listen.ip(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let running = server(state, &config, listener).unwrap();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        Beside {
            base,
            handle,
            client: self.client.clone(),
        }
    }

    /// Waits until every log consumer has reached the end of the log, including its own entries.
    pub async fn settled(&self) {
        settled(&self.store, &self.background).await;
    }

    /// A token of the admin of the whole node that is limited to `scopes`.
    pub async fn narrowed(&self, scopes: &[TokenScope]) -> String {
        let identity = self.get("/v1/me").token(&self.admin).await.expect(200);
        let account = Uuid::parse_str(identity.json["account"].as_str().unwrap()).unwrap();
        let scopes = scopes.iter().copied().collect();
        let when = (self.store.clock().now(), TimeDelta::hours(1));
        let token = self.tokens.issue_for(account, account, &scopes, when);
        token.await.unwrap()
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.client, &self.base, method, path)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path).token(&self.admin)
    }

    /// Creates a record; returns its id.
    pub async fn made(&self, plural: &str, body: Value) -> String {
        let answer = self.post(&format!("/v1/{plural}")).json(&body).await;
        answer.expect(201).id().to_owned()
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path).token(&self.admin)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path).token(&self.admin)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path).token(&self.admin)
    }
}
