//! Background work of the server: log consumers and periodic jobs.

use crate::consumers::{LogConsumer, run};
use crate::duplicates::DuplicateConsumer;
use crate::erase::remaining::DeletionConsumer;
use crate::error::Result;
use crate::publication::due::publish;
use crate::search::Search;
use crate::store::Store;
use crate::visibility::consumer::VisibilityConsumer;
use crate::webhook::DeliveryEnqueuer;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const HOUR: Duration = Duration::from_hours(1);

/// The log consumers of one process, as tasks of the local thread.
///
/// They end when they are stopped or this is dropped.
#[derive(Debug)]
pub struct BackgroundJobs {
    stop: watch::Sender<bool>,
    running: Vec<Running>,
    jobs: Vec<JoinHandle<()>>,
}

impl BackgroundJobs {
    /// Starts the consumers and jobs that belong to the store itself.
    ///
    /// # Panics
    /// As [`Self::with`].
    #[must_use]
    pub fn start(store: &Store) -> Self {
        let mut background = Self::none()
            .with(store, VisibilityConsumer::new(store.clone()))
            .with(store, DeletionConsumer::new(store.clone()))
            .with(store, DeliveryEnqueuer::new(store.clone()));
        let job = publish(store.clone(), background.stop.subscribe());
        background.jobs.push(tokio::task::spawn_local(job));
        let owned = store.clone();
        background.every(
            "remove expired idempotency records",
            HOUR,
            async move || {
                let count = owned.idempotency().prune().await?;
                if count > 0 {
                    tracing::info!(count, "expired idempotency records removed");
                }
                Ok(())
            },
        );
        let owned = store.clone();
        background.every("remove old webhook deliveries", HOUR, async move || {
            let count = owned.deliveries().prune().await?;
            if count > 0 {
                tracing::info!(count, "old webhook deliveries removed");
            }
            Ok(())
        });
        background
    }

    /// Starts the job that prunes the log.
    ///
    /// # Panics
    /// As [`Self::with`].
    #[must_use]
    pub fn pruning(mut self, store: &Store, days: u32) -> Self {
        let store = store.clone();
        self.every("prune the log", HOUR, async move || {
            let count = store.feed().prune(days).await?;
            if count > 0 {
                tracing::info!(count, days, "superseded log entries pruned");
            }
            Ok(())
        });
        self
    }

    /// Starts a job that works at once and then once in a `period`.
    fn every(
        &mut self,
        job: &'static str,
        period: Duration,
        work: impl AsyncFn() -> Result<()> + 'static,
    ) {
        let mut stop = self.stop.subscribe();
        self.jobs.push(tokio::task::spawn_local(async move {
            while !*stop.borrow() && stop.has_changed().is_ok() {
                if let Err(error) = work().await {
                    tracing::error!(job, %error, "periodic job failed; will retry");
                }
                tokio::select! {
                    _ = stop.changed() => {}
                    () = tokio::time::sleep(period) => {}
                }
            }
        }));
    }

    #[must_use]
    pub fn none() -> Self {
        Self {
            stop: watch::Sender::new(false),
            running: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// Starts the search index and what is derived from it.
    ///
    /// # Panics
    /// As [`Self::with`].
    #[must_use]
    pub fn searching(self, store: &Store, search: &Search) -> Self {
        self.with(store, search.consumer())
            .with(store, DuplicateConsumer::new(store.clone(), search.clone()))
    }

    /// Starts another consumer.
    ///
    /// # Panics
    /// Outside of a runtime with local tasks; actix has them.
    #[must_use]
    pub fn with(mut self, store: &Store, consumer: impl LogConsumer) -> Self {
        let name = consumer.name();
        let (here, reached) = watch::channel(0);
        store.log().register_consumer(name, reached.clone());
        let (store, stop) = (store.clone(), self.stop.subscribe());
        let task =
            tokio::task::spawn_local(async move { run(&store, consumer, stop, &here).await });
        self.running.push(Running {
            name,
            task,
            reached,
        });
        self
    }

    /// Waits until all of them have reached the entry `seq`; `false` if one has ended before.
    pub async fn caught_up(&self, seq: i64) -> bool {
        for one in &self.running {
            let mut reached = one.reached.clone();
            if reached.wait_for(|at| *at >= seq).await.is_err() {
                return false;
            }
        }
        true
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        for one in self.running {
            if let Err(error) = one.task.await {
                tracing::error!(consumer = one.name, %error, "log consumer ended unexpectedly");
            }
        }
        for job in self.jobs {
            if let Err(error) = job.await {
                tracing::error!(%error, "job ended unexpectedly");
            }
        }
    }
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    task: JoinHandle<()>,
    reached: watch::Receiver<i64>,
}
