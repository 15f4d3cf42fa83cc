//! Requests with the same key wait for each other.

use crate::error::{Result, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub(crate) struct KeyLocks(Arc<Mutex<Waiting>>);

type Waiting = HashMap<(Uuid, String), Weak<tokio::sync::Mutex<()>>>;

/// The exclusive right to serve a request; others with its key wait until it is dropped.
#[derive(Debug)]
pub struct KeyLock {
    _guard: OwnedMutexGuard<()>,
}

const PATIENCE: Duration = Duration::from_secs(2);

impl KeyLocks {
    /// Waits until the key is free.
    ///
    /// # Errors
    /// [`StoreError::KeyInUse`] after [`PATIENCE`].
    pub(crate) async fn lock(&self, name: (Uuid, String)) -> Result<KeyLock> {
        let lock = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|_, lock| lock.strong_count() > 0);
            let known = waiting.get(&name).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                waiting.insert(name, Arc::downgrade(&lock));
                lock
            })
        };
        match tokio::time::timeout(PATIENCE, lock.lock_owned()).await {
            Ok(guard) => Ok(KeyLock { _guard: guard }),
            Err(_) => Err(StoreError::KeyInUse),
        }
    }
}
