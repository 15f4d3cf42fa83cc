//! Tracking whether writes succeed.

use crate::error::Result;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

const TRUSTED: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct WriteHealth {
    last: Mutex<Option<Last>>,
    probing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    at: Instant,
    good: bool,
}

impl WriteHealth {
    /// Records the outcome of a write. A rejected write says nothing about the storage.
    pub(crate) fn note<T>(&self, outcome: &Result<T>) {
        let good = match outcome {
            Ok(_) => true,
            Err(why) if why.is_of_storage() => false,
            Err(_) => return,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.good) && !good {
            tracing::error!("writes fail: database storage full or failing");
        } else if last.is_some_and(|last| !last.good) && good {
            tracing::info!("writes succeed again");
        }
        *last = Some(Last {
            at: Instant::now(),
            good,
        });
    }

    fn is_known_good(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.good && last.at.elapsed() < TRUSTED)
    }

    /// Whether writes succeed: by the last outcome, or by `probe`, which writes something.
    pub(crate) async fn check(&self, probe: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
        if self.is_known_good() {
            return Ok(());
        }
        let _one = self.probing.lock().await;
        if self.is_known_good() {
            return Ok(());
        }
        let outcome = probe().await;
        self.note(&outcome);
        outcome
    }
}
