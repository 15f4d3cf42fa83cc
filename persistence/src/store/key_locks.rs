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
pub struct Turn {
    _turn: OwnedMutexGuard<()>,
}

const PATIENCE: Duration = Duration::from_secs(2);

impl KeyLocks {
    /// Waits until the key is free.
    ///
    /// # Errors
    /// [`StoreError::KeyInUse`] after [`PATIENCE`].
    pub(crate) async fn lock(&self, name: (Uuid, String)) -> Result<Turn> {
        let turn = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|_, turn| turn.strong_count() > 0);
            let known = waiting.get(&name).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                waiting.insert(name, Arc::downgrade(&turn));
                turn
            })
        };
        match tokio::time::timeout(PATIENCE, turn.lock_owned()).await {
            Ok(turn) => Ok(Turn { _turn: turn }),
            Err(_) => Err(StoreError::KeyInUse),
        }
    }
}
