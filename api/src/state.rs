//! Shared application state.

use crate::auth::{Access, Tokens};
use crate::config::{Config, MetricsToken};
use crate::http::body_timeout::BodyRate;
use crate::http::metrics::Metrics;
use crate::http::outbound::Outgoing;
use crate::http::rate_limit::Limits;
use governor::clock::DefaultClock;
use persistence::duplicates::Duplicates;
use persistence::search::Search;
use persistence::{Store, StoreError};
use tokio::sync::watch;

/// State of handlers and background tasks.
#[derive(Debug)]
pub struct State {
    pub store: Store,
    pub search: Search,
    pub duplicates: Duplicates,
    pub tokens: Tokens,
    pub limits: Limits,
    /// Minimum speed of request bodies.
    pub body_rate: BodyRate,
    /// Ways of signing in, from the configuration.
    pub access: Access,
    /// Client for requests to addresses that users enter.
    pub outgoing: Outgoing,
    /// Days for which superseded log entries are kept; forever if absent.
    pub log_retention_days: Option<u32>,
    pub metrics: Metrics,
    /// Token that allows reading the metrics without being an admin.
    pub metrics_token: Option<MetricsToken>,
    /// Becomes true when the server is asked to stop: waiting requests must answer then.
    pub stopping: watch::Sender<bool>,
}

impl State {
    pub async fn new(store: Store, search: Search, config: &Config) -> persistence::Result<Self> {
        let tokens = Tokens::load(&store).await?;
        Ok(Self {
            duplicates: Duplicates::new(store.clone()),
            store,
            search,
            tokens,
            limits: Limits::new(config, DefaultClock::default()),
            body_rate: BodyRate::new(config),
            access: Access::default(),
            outgoing: Outgoing::new(config).map_err(|why| StoreError::Setup(why.to_string()))?,
            log_retention_days: config.log_retention_days.map(u32::from),
            metrics: Metrics::default(),
            metrics_token: config.metrics_token.clone(),
            stopping: watch::Sender::new(false),
        })
    }
}
