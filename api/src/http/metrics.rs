//! Request counters and durations.
//!
//! No label comes from the content of a request: routes are templates, and the names of partners
//! and webhooks are chosen by admins.

use actix_web::HttpRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Bounds of the duration histogram, in seconds.
const SECONDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

type Requests = Family<Request, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub struct Metrics {
    requests: Requests,
    units: Counter,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let requests = Requests::new_with_constructor(|| Histogram::new(SECONDS));
        let mut registry = Registry::with_prefix("verbund");
        registry.register_with_unit(
            "http_request_duration",
            "Duration of requests until the response began",
            Unit::Seconds,
            requests.clone(),
        );
        let units = Counter::default();
        registry.register(
            "request_units",
            "What requests have cost, as rate limits count it",
            units.clone(),
        );
        Self {
            requests,
            units,
            registry,
        }
    }
}

impl Metrics {
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts units that a request has cost.
    pub fn cost(&self, units: u32) {
        self.units.inc_by(units.into());
    }

    pub fn answered<B>(&self, response: &ServiceResponse<B>, took: Duration) {
        let request = Request {
            method: method(response.request()),
            route: response
                .request()
                .match_pattern()
                .unwrap_or_else(|| "-".to_owned()),
            status: response.status().as_u16(),
        };
        self.requests
            .get_or_create(&request)
            .observe(took.as_secs_f64());
    }
}

fn method(request: &HttpRequest) -> String {
    let known = METHODS.contains(request.method());
    let name = known.then(|| request.method().as_str());
    name.unwrap_or("other").to_owned()
}
