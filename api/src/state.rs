//! Shared application state.

use crate::auth::sign_ins::SignIns;
use crate::auth::{Access, Tokens};
use crate::config::{Config, MetricsToken, Site};
use crate::http::body_timeout::BodyRate;
use crate::http::metrics::Metrics;
use crate::http::outbound::Outgoing;
use crate::http::per_address::PerAddress;
use crate::http::rate_limit::Limits;
use crate::http::shared_answers::SharedAnswers;
use persistence::duplicates::Duplicates;
use persistence::feed::Recent;
use persistence::search::Search;
use persistence::{Store, StoreError};
use tokio::sync::watch;

/// Requests of one address that may wait for changes at the same time.
pub const MAX_WAITING: usize = 64;

/// What requests that wait for changes of the feed share.
#[derive(Debug)]
pub struct Waiting {
    pub places: PerAddress,
    pub recent: Recent,
    pub pages: SharedAnswers,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            places: PerAddress::new(MAX_WAITING),
            recent: Recent::default(),
            pages: SharedAnswers::default(),
        }
    }
}

/// State of handlers and background tasks.
#[derive(Debug)]
pub struct State {
    pub store: Store,
    pub search: Search,
    pub duplicates: Duplicates,
    pub tokens: Tokens,
    pub limits: Limits,
    pub sign_ins: SignIns,
    pub waiting: Waiting,
    /// Minimum speed of request bodies.
    pub body_rate: BodyRate,
    /// The node as others see it, from the configuration.
    pub site: Site,
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
            limits: Limits::new(config),
            sign_ins: SignIns::default(),
            waiting: Waiting::default(),
            body_rate: BodyRate::new(config),
            site: Site::default(),
            access: Access::default(),
            outgoing: Outgoing::new(config).map_err(|why| StoreError::Setup(why.to_string()))?,
            log_retention_days: config.log_retention_days.map(u32::from),
            metrics: Metrics::default(),
            metrics_token: config.metrics_token.clone(),
            stopping: watch::Sender::new(false),
        })
    }
}
