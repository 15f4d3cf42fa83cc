//! All metrics in the text format of `OpenMetrics`.

use crate::state::State;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PartnerState;
use domain::exchange::webhook::{DeliveryState, WebhookState};
use persistence::partner::Partner;
use persistence::webhook::WebhookStatus;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text";

type Labels = Vec<(&'static str, String)>;

/// Values that are looked up on request.
struct Board(Registry);

impl Board {
    fn new() -> Self {
        Self(Registry::with_prefix("verbund"))
    }

    fn add(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, i64)>) {
        let family = Family::<Labels, Gauge>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    fn add_one(&mut self, name: &str, help: &str, value: i64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }
}

pub(super) async fn exposition(state: &State) -> persistence::Result<String> {
    let head = state.store.log().head().await?;
    let mut board = Board::new();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    board.add(
        "build",
        "Release of the program; always 1",
        [(vec![("version", version)], 1)],
    );
    board.add_one("log_head", "Number of the newest log entry", head);
    let consumers = state.store.log().consumers().into_iter();
    board.add(
        "consumer_lag_entries",
        "Log entries that a log consumer of this process has not processed",
        consumers.map(|(name, at)| (vec![("consumer", name.to_owned())], (head - at).max(0))),
    );
    partners(&mut board, state).await?;
    webhooks(&mut board, &state.store.webhooks().list().await?);
    connections(&mut board, state);
    if let Some(documents) = state.search.documents() {
        let documents = i64::try_from(documents).unwrap_or(i64::MAX);
        board.add_one(
            "index_documents",
            "Documents in the search index of this process",
            documents,
        );
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode_registry(&mut text, state.metrics.registry());
    let _ = encode_registry(&mut text, &board.0);
    let _ = encode_eof(&mut text);
    Ok(text)
}

async fn partners(board: &mut Board, state: &State) -> persistence::Result<()> {
    let rows = state.store.partners().list_rows().await?;
    let now = state.store.clock().now();
    let of = |row: &Partner| vec![("partner", row.name.clone())];
    let lags = rows.iter().filter_map(|row| Some((of(row), row.lag()?)));
    board.add(
        "partner_lag_entries",
        "Entries of a partner's log that are not applied, at its last response; absent during the snapshot",
        lags,
    );
    board.add(
        "partner_lag_seconds",
        "Seconds since the copies of a partner were last complete; absent if they never were",
        rows.iter().filter_map(|row| {
            let age = now - row.up_to_date_at?;
            Some((of(row), age.num_seconds().max(0)))
        }),
    );
    board.add(
        "partner_failures",
        "Consecutive failures of a partner",
        rows.iter().map(|row| (of(row), row.failures.into())),
    );
    let states = rows.iter().flat_map(|row| {
        PartnerState::ALL.iter().map(|state| {
            let labels = [of(row), vec![("state", state.code().to_owned())]];
            (labels.concat(), i64::from(row.state == *state))
        })
    });
    board.add("partner_state", "State of a partner: 1", states);
    Ok(())
}

fn webhooks(board: &mut Board, webhooks: &[WebhookStatus]) {
    let of = |status: &WebhookStatus| vec![("webhook", status.webhook.name.clone())];
    let deliveries = webhooks.iter().flat_map(|status| {
        let counts = [
            (DeliveryState::Pending, status.pending),
            (DeliveryState::Failed, status.failed),
        ];
        counts.map(|(state, count)| {
            let labels = [of(status), vec![("state", state.code().to_owned())]];
            (labels.concat(), i64::try_from(count).unwrap_or(i64::MAX))
        })
    });
    board.add(
        "webhook_deliveries",
        "Pending deliveries, and those abandoned within 30 days",
        deliveries,
    );
    board.add(
        "webhook_active",
        "Whether a webhook is active",
        webhooks.iter().map(|status| {
            let active = status.webhook.state == WebhookState::Active;
            (of(status), i64::from(active))
        }),
    );
    board.add(
        "webhook_failures",
        "Consecutive failed attempts",
        webhooks
            .iter()
            .map(|status| (of(status), status.webhook.failures.into())),
    );
}

fn connections(board: &mut Board, state: &State) {
    let pools = state.store.db().pools();
    let values = pools.iter().flat_map(|pool| {
        let counts = [
            ("used", pool.used),
            ("idle", pool.idle),
            ("most", pool.most),
        ];
        counts.map(|(state, count)| {
            let labels = vec![("pool", pool.name.to_owned()), ("state", state.to_owned())];
            (labels, i64::from(count))
        })
    });
    board.add(
        "database_connections",
        "Database connections: used, idle, and the maximum",
        values,
    );
}
