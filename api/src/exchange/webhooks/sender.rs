//! Sending webhook deliveries by Standard Webhooks (standardwebhooks.com).

use crate::config::Config;
use crate::exchange::backoff::{LONGEST_ABSENCE, LONGEST_PAUSE, pause};
use crate::exchange::webhooks::signature::sign;
use crate::http::outbound::{Outgoing, causes, is_from_a_gateway, retry_after};
use chrono::{DateTime, TimeDelta, Utc};
use domain::base::clock::rfc3339;
use domain::base::vocabulary::Coded;
use domain::exchange::webhook;
use persistence::lease::Lease;
use persistence::webhook::{Attempt, Delivery, Webhook};
use persistence::{Store, StoreError};
use rand::Rng;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes of a response that are read, so that the connection can be reused; none are stored.
const MOST_BYTES: usize = 16 * 1024;

const BATCH: u64 = 50;

#[derive(Debug, Clone)]
pub struct WebhookSender {
    pub(super) store: Store,
    outgoing: Outgoing,
    patience: Duration,
}

/// The response to a delivery, or the reason why there is none.
struct Answered {
    status: Option<StatusCode>,
    error: Option<String>,
    retry_after: Option<Duration>,
}

impl WebhookSender {
    pub fn new(store: Store, config: &Config) -> Result<Self, reqwest::Error> {
        Ok(Self {
            store,
            outgoing: Outgoing::new(config)?,
            patience: PATIENCE,
        })
    }

    /// Changes the time limit of an attempt from 15 seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub async fn send_all(&self) -> persistence::Result<()> {
        let (_keep, stop) = watch::channel(false);
        for webhook in self.store.webhooks().due().await? {
            self.send_to(webhook, &stop).await?;
        }
        Ok(())
    }

    /// Sends the due deliveries of a webhook in log order, until an error, unless another instance
    /// does.
    pub(super) async fn send_to(
        &self,
        id: Uuid,
        stop: &watch::Receiver<bool>,
    ) -> persistence::Result<()> {
        let Some(lease) = self.store.webhooks().lease(id).await? else {
            return Ok(());
        };
        match self.send(&lease, stop).await {
            // An admin changed it, another instance has it, or the lease was released.
            Err(StoreError::LeaseLost) => Ok(()),
            outcome => outcome,
        }
    }

    async fn send(&self, lease: &Lease, stop: &watch::Receiver<bool>) -> persistence::Result<()> {
        loop {
            let (receiver, due) = self.store.deliveries().due(lease, BATCH).await?;
            if due.is_empty() {
                return self.store.webhooks().release(lease).await;
            }
            for delivery in due {
                if *stop.borrow() {
                    return self.store.webhooks().release(lease).await;
                }
                let attempt = self.attempt(&receiver, &delivery).await;
                if !self
                    .store
                    .deliveries()
                    .note_attempt(lease, delivery.id, &attempt)
                    .await?
                {
                    return Ok(());
                }
            }
        }
    }

    /// Makes an attempt and determines the next one, if any.
    async fn attempt(&self, receiver: &Webhook, delivery: &Delivery) -> Attempt {
        let answered = self.post(receiver, delivery).await;
        let now = self.store.clock().now();
        let wait = answered
            .retry_after
            .and_then(|wait| TimeDelta::from_std(wait).ok());
        let gone = answered.status == Some(StatusCode::GONE);
        let reached = answered.status.filter(|status| !is_from_a_gateway(*status));
        let share = rand::rng().random_range(0.0..=1.0);
        let again = if reached.is_some() {
            webhook::pause(delivery.refusals.saturating_add(1), share)
        } else {
            // The receiver may be back at any time.
            let since = delivery.first_attempted_at.unwrap_or(now);
            (now - since < webhook::GIVEN_UP_AFTER).then_some(TimeDelta::zero())
        };
        let again = again.filter(|_| answered.error.is_some() && !gone);
        let longest = if reached.is_some() {
            LONGEST_PAUSE
        } else {
            LONGEST_ABSENCE
        };
        let rest = pause(receiver.failures, share, longest);
        // Databases store microseconds.
        let rest = i64::try_from(rest.as_micros()).map_or(TimeDelta::MAX, TimeDelta::microseconds);
        Attempt {
            status: answered.status.map(|status| status.as_u16()),
            refused: reached.is_some() && answered.error.is_some(),
            error: answered.error,
            retry_at: again.map(|again| now + again.max(wait.unwrap_or_default())),
            pause_until: now + rest.max(wait.unwrap_or_default()),
            gone,
        }
    }

    async fn post(&self, receiver: &Webhook, delivery: &Delivery) -> Answered {
        let failed = |why: String| Answered {
            status: None,
            error: Some(why),
            retry_after: None,
        };
        let now = self.store.clock().now();
        let id = format!("msg_{}", delivery.id.simple());
        let timestamp = now.timestamp().to_string();
        let body = payload(delivery).to_string();
        let signature = match signatures(receiver, now, [&id, &timestamp, &body]) {
            Ok(signature) => signature,
            Err(why) => return failed(why),
        };
        let request = match self.outgoing.post(&receiver.url) {
            Ok(request) => request,
            Err(why) => return failed(why),
        };
        let response = request
            .timeout(self.patience)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await;
        match response {
            Ok(response) => answered(response).await,
            Err(why) if why.is_timeout() => {
                failed(format!("no response within {} s", self.patience.as_secs()))
            }
            Err(why) => failed(causes(&why.without_url())),
        }
    }
}

async fn answered(mut response: Response) -> Answered {
    let status = response.status();
    let retry_after = retry_after(&response);
    let mut read = 0;
    while read < MOST_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read += chunk.len();
    }
    let error = if status.is_success() {
        None
    } else if status.is_redirection() {
        Some(format!(
            "responded with {status}; redirects are not followed"
        ))
    } else {
        Some(format!("answered {status}"))
    };
    Answered {
        status: Some(status),
        error,
        retry_after,
    }
}

/// The signatures of all secrets that are valid at a moment.
fn signatures(
    receiver: &Webhook,
    now: DateTime<Utc>,
    [id, timestamp, body]: [&str; 3],
) -> Result<String, String> {
    let former = receiver.former_secret.as_ref();
    let former = former.filter(|_| receiver.former_until.is_some_and(|until| now < until));
    let secrets = [Some(&receiver.secret), former];
    let signed = secrets
        .into_iter()
        .flatten()
        .map(|secret| sign(&secret.0, id, timestamp, body));
    let signed: Result<Vec<String>, String> = signed.collect();
    Ok(signed?.join(" "))
}

#[must_use]
pub fn payload(delivery: &Delivery) -> Value {
    let mut data = json!({
        "kind": delivery.kind,
        "id": delivery.record_id,
        "op": delivery.op,
        "seq": delivery.seq,
        "origin": delivery.origin,
    });
    if let Some(version) = delivery.version {
        domain::base::json::insert(&mut data, &["version"], version);
    }
    json!({
        "type": format!("{}.{}", delivery.kind, delivery.happening.code()),
        "timestamp": rfc3339(delivery.at),
        "data": data,
    })
}
