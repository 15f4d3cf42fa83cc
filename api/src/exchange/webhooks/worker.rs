//! Sending to every webhook while the server runs, one task each.

use crate::exchange::webhooks::sender::Courier;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

const POLL: Duration = Duration::from_millis(500);

/// The tasks that send to webhooks, on the local thread; they end when it is stopped or dropped.
#[derive(Debug)]
pub struct Webhooks {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Webhooks {
    /// Starts sending.
    ///
    /// # Panics
    /// Outside of a runtime with local tasks; actix has them.
    #[must_use]
    pub fn start(courier: Courier) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::task::spawn_local(supervise(courier, stopped));
        Self { stop, task }
    }

    /// Stops sending after the current attempts.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "webhook worker ended unexpectedly");
        }
    }
}

/// Starts a task for every webhook with due deliveries.
async fn supervise(courier: Courier, mut stop: watch::Receiver<bool>) {
    let mut running: BTreeMap<Uuid, JoinHandle<()>> = BTreeMap::new();
    while !*stop.borrow() && stop.has_changed().is_ok() {
        running.retain(|_, task| !task.is_finished());
        match courier.store.webhooks().due().await {
            Ok(due) => {
                for id in due {
                    if running.contains_key(&id) {
                        continue;
                    }
                    let work = work(courier.clone(), id, stop.clone());
                    running.insert(id, tokio::task::spawn_local(work));
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot determine which webhooks are due; will retry");
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    for task in running.into_values() {
        if let Err(error) = task.await {
            tracing::error!(%error, "task of a webhook ended unexpectedly");
        }
    }
}

async fn work(courier: Courier, id: Uuid, stop: watch::Receiver<bool>) {
    if let Err(error) = courier.send_to(id, &stop).await {
        tracing::error!(error = ?error, webhook_id = %id, "cannot record a delivery; it will be repeated");
    }
}
