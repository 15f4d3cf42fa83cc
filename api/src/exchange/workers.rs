//! Background work for each partner and each webhook, in separate tasks.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The work for subscriptions while the server runs.
///
/// Instances that share a database find the same work due; the one with the lease does it.
pub trait Work: Clone + 'static {
    /// The subscription in log messages: `partner`.
    const NAME: &'static str;
    /// Interval in which due subscriptions are looked up.
    const POLL: Duration;

    /// The subscriptions that have work to do.
    fn due(&self) -> impl Future<Output = persistence::Result<Vec<Uuid>>>;

    /// Works for one subscription until nothing is left to do, or until `stop` is true.
    fn run(self, id: Uuid, stop: watch::Receiver<bool>) -> impl Future<Output = ()>;
}

/// The tasks on the local thread; they end when they are stopped or dropped.
#[derive(Debug)]
pub struct Workers {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Workers {
    /// Starts working.
    ///
    /// # Panics
    /// Outside of a runtime with local tasks; actix has them.
    #[must_use]
    pub fn start<W: Work>(work: W) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self {
            name: W::NAME,
            stop,
            task: tokio::task::spawn_local(supervise(work, stopped)),
        }
    }

    /// Stops after the current page or attempts.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, worker = self.name, "worker ended unexpectedly");
        }
    }
}

/// Starts a task for every due subscription.
async fn supervise<W: Work>(work: W, mut stop: watch::Receiver<bool>) {
    let mut running: BTreeMap<Uuid, JoinHandle<()>> = BTreeMap::new();
    while !*stop.borrow() && stop.has_changed().is_ok() {
        running.retain(|_, task| !task.is_finished());
        match work.due().await {
            Ok(due) => {
                for id in due {
                    running.entry(id).or_insert_with(|| {
                        tokio::task::spawn_local(work.clone().run(id, stop.clone()))
                    });
                }
            }
            Err(error) => {
                tracing::error!(%error, worker = W::NAME, "cannot determine what is due; will retry");
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(W::POLL) => {}
        }
    }
    for (id, task) in running {
        if let Err(error) = task.await {
            tracing::error!(%error, worker = W::NAME, %id, "task ended unexpectedly");
        }
    }
}
