//! A second instance of the application on the database of a story, with its own configuration and
//! clock. Its index consumes no log: it is for requests without lists.

use crate::call::Call;
use crate::node::Node;
use actix_web::dev::ServerHandle;
use api::app::server;
use api::config::Config;
use api::state::State;
use chrono::{DateTime, TimeDelta, Utc};
use domain::base::clock::Clock;
use persistence::Store;
use persistence::search::{IndexPlace, Search};
use reqwest::{Client, Method};
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[derive(Debug)]
pub struct Instance {
    pub base: String,
    pub store: Store,
    time: Arc<AtomicI64>,
    handle: ServerHandle,
    client: Client,
}

impl Instance {
    /// Starts an instance whose clock stands still until the test advances it.
    pub async fn start(node: &Node, config: Config) -> Self {
        let now = node.store.clock().now();
        let time = Arc::new(AtomicI64::new(now.timestamp_micros()));
        let clock = Clock::fixed(time.clone());
        let store = Store::open(&node.database_url, None, clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let many = NonZeroU32::MAX;
        let config = Config {
            workers: Some(1),
            requests_per_minute_client: many,
            requests_per_minute_address: many,
            auth_failures_per_minute: many,
            ..config
        };
        let search = Search::new(store.clone(), IndexPlace::Memory);
        let state = State::new(store.clone(), search, &config).await.unwrap();
        let running = server(state, &config, listener).unwrap();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        Self {
            base,
            store,
            time,
            handle,
            // The server must not close the connection while the test waits for something else.
            client: Client::builder()
                .pool_max_idle_per_host(0)
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.store.clock().now()
    }

    pub fn later(&self, by: TimeDelta) {
        let by = by.num_microseconds().unwrap();
        self.time.fetch_add(by, Ordering::SeqCst);
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.client, &self.base, method, path)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub async fn stop(self) {
        self.handle.stop(true).await;
        self.store.db().clone().close().await;
    }
}
