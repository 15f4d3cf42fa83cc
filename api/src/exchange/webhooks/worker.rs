//! Sending to every webhook while the server runs, one task each.

use crate::exchange::webhooks::sender::WebhookSender;
use crate::exchange::workers::Work;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

impl Work for WebhookSender {
    const NAME: &'static str = "webhook";
    const POLL: Duration = Duration::from_millis(500);

    async fn due(&self) -> persistence::Result<Vec<Uuid>> {
        self.store.webhooks().due().await
    }

    async fn run(self, id: Uuid, stop: watch::Receiver<bool>) {
        if let Err(error) = self.send_to(id, &stop).await {
            tracing::error!(error = ?error, webhook_id = %id, "cannot record a delivery; it will be repeated");
        }
    }
}
