//! Everything that is measured, in the text format of `OpenMetrics`.

use crate::state::State;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PartnerState;
use domain::exchange::webhook::{DeliveryState, WebhookState};
use persistence::entity::partner;
use persistence::webhook::Webhook;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The media type of what is answered.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text";

/// Labels of a value.
type Labels = Vec<(&'static str, String)>;

/// What is looked up when it is asked for.
struct Board(Registry);

impl Board {
    fn new() -> Self {
        Self(Registry::with_prefix("verbund"))
    }

    /// Adds a value for each set of labels.
    fn add(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, i64)>) {
        let family = Family::<Labels, Gauge>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    /// Adds a value.
    fn add_one(&mut self, name: &str, help: &str, value: i64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }
}

/// Everything that is measured.
///
/// # Errors
/// The store's.
pub(super) async fn exposition(state: &State) -> persistence::Result<String> {
    let head = state.store.log().head().await?;
    let mut board = Board::new();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    board.add(
        "build",
        "The release of the program; always 1",
        [(vec![("version", version)], 1)],
    );
    board.add_one(
        "log_head",
        "The number of the newest entry of the log",
        head,
    );
    let followers = state.store.log().followers().into_iter();
    board.add(
        "follower_lag_entries",
        "Entries of the log that a log consumer of this process has not processed",
        followers.map(|(name, at)| (vec![("follower", name.to_owned())], (head - at).max(0))),
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
    let of = |row: &partner::Model| vec![("partner", row.name.clone())];
    let lags = rows
        .iter()
        .map(|row| Ok(row.lag()?.map(|lag| (of(row), lag))));
    let lags: Vec<_> = lags
        .filter_map(Result::transpose)
        .collect::<persistence::Result<_>>()?;
    board.add(
        "partner_lag_entries",
        "Entries of a partner's log, as of its last answer, that are not applied here; absent during the snapshot",
        lags,
    );
    board.add(
        "partner_lag_seconds",
        "Seconds since every entry of a partner was applied; absent if that never was",
        rows.iter().filter_map(|row| {
            let age = now - row.up_to_date_at?;
            Some((of(row), age.num_seconds().max(0)))
        }),
    );
    board.add(
        "partner_failures",
        "How often in a row a partner could not be reached or understood",
        rows.iter().map(|row| (of(row), row.failures.into())),
    );
    let states = rows.iter().flat_map(|row| {
        PartnerState::ALL.iter().map(|state| {
            let labels = [of(row), vec![("state", state.code().to_owned())]];
            (labels.concat(), i64::from(row.state == state.code()))
        })
    });
    board.add("partner_state", "The state of a partner: 1", states);
    Ok(())
}

fn webhooks(board: &mut Board, webhooks: &[Webhook]) {
    let of = |webhook: &Webhook| vec![("webhook", webhook.row.name.clone())];
    let deliveries = webhooks.iter().flat_map(|webhook| {
        let counts = [
            (DeliveryState::Pending, webhook.pending),
            (DeliveryState::Failed, webhook.failed),
        ];
        counts.map(|(state, count)| {
            let labels = [of(webhook), vec![("state", state.code().to_owned())]];
            (labels.concat(), i64::try_from(count).unwrap_or(i64::MAX))
        })
    });
    board.add(
        "webhook_deliveries",
        "Deliveries that are to be made still, and those that were given up within 30 days",
        deliveries,
    );
    board.add(
        "webhook_active",
        "Whether changes are delivered to a webhook",
        webhooks.iter().map(|webhook| {
            let active = webhook.row.state == WebhookState::Active.code();
            (of(webhook), i64::from(active))
        }),
    );
    board.add(
        "webhook_failures",
        "How many attempts in a row failed",
        webhooks
            .iter()
            .map(|webhook| (of(webhook), webhook.row.failures.into())),
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
        "Connections to the database that are used and idle, and the most that there may be",
        values,
    );
}
