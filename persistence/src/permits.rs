//! Turns for work that takes much processor time: as many at once as there are cores, interactive
//! and bulk apart, so that many requests slow each other down evenly and memory stays bounded.
//!
//! A permit is for one unit of such work: a pass over the index, a chunk of an export. It is never
//! held while a socket or a queue is waited for, and a holder of a connection to the database never
//! waits for one.

use crate::error::{Result, StoreError};
use crate::meter::Meter;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How many may wait for each that works; further ones are refused.
const QUEUE: usize = 64;

/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Permits {
    interactive: Lane,
    bulk: Lane,
}

/// Which work waits for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A person looks at the screen.
    Interactive,
    /// Exports, duplicates, and whatever else takes everything.
    Bulk,
}

#[derive(Debug, Clone)]
struct Lane {
    state: Arc<Mutex<State>>,
    most: usize,
    patience: Duration,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
    /// Those that wait, by caller; callers take turns, however many requests each of them has.
    callers: VecDeque<(u64, VecDeque<oneshot::Sender<Permit>>)>,
}

/// The right to do one unit of work; passed on when it is dropped.
#[derive(Debug)]
pub struct Permit {
    /// `None` if another holds it by now.
    state: Option<Arc<Mutex<State>>>,
}

impl Default for Permits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            interactive: Lane::new(cores),
            // A core is left to those who wait for a page.
            bulk: Lane::new((cores / 2).max(1)),
        }
    }
}

impl Permits {
    /// Waits for a turn.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if too many wait, or for too long.
    pub async fn take(&self, urgency: Urgency) -> Result<Permit> {
        let lane = self.lane(urgency);
        let turn = match lane.enter(lane.most)? {
            Turn::Now(permit) => return Ok(permit),
            Turn::Later(turn) => turn,
        };
        match tokio::time::timeout(lane.patience, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(StoreError::Overloaded),
        }
    }

    /// Waits for another turn of what was begun before, as long as it takes.
    ///
    /// # Errors
    /// None in practice: the turns of a store never end.
    pub async fn again(&self, urgency: Urgency) -> Result<Permit> {
        match self.lane(urgency).enter(usize::MAX)? {
            Turn::Now(permit) => Ok(permit),
            Turn::Later(turn) => turn.await.map_err(|_| StoreError::Overloaded),
        }
    }

    fn lane(&self, urgency: Urgency) -> &Lane {
        match urgency {
            Urgency::Interactive => &self.interactive,
            Urgency::Bulk => &self.bulk,
        }
    }
}

enum Turn {
    Now(Permit),
    Later(oneshot::Receiver<Permit>),
}

impl Lane {
    fn new(width: usize) -> Self {
        let state = State {
            free: width,
            waiting: 0,
            callers: VecDeque::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            most: width * QUEUE,
            patience: PATIENCE,
        }
    }

    /// Takes a turn, or a place in the queue of the caller if no more than `most` wait.
    fn enter(&self, most: usize) -> Result<Turn> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            return Ok(Turn::Now(Permit::of(&self.state)));
        }
        if state.waiting >= most {
            state.forget_the_gone();
        }
        if state.waiting >= most {
            return Err(StoreError::Overloaded);
        }
        let (sender, turn) = oneshot::channel();
        state.wait(Meter::current().caller(), sender);
        Ok(Turn::Later(turn))
    }
}

impl State {
    fn wait(&mut self, caller: u64, turn: oneshot::Sender<Permit>) {
        self.waiting += 1;
        match self.callers.iter_mut().find(|(one, _)| *one == caller) {
            Some((_, queue)) => queue.push_back(turn),
            None => self.callers.push_back((caller, VecDeque::from([turn]))),
        }
    }

    /// The next that waits, of the next caller.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        let (caller, mut queue) = self.callers.pop_front()?;
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.callers.push_back((caller, queue));
        }
        self.waiting -= usize::from(next.is_some());
        next
    }

    /// Removes those that have stopped waiting.
    fn forget_the_gone(&mut self) {
        for (_, queue) in &mut self.callers {
            queue.retain(|one| !one.is_closed());
        }
        self.callers.retain(|(_, queue)| !queue.is_empty());
        self.waiting = self.callers.iter().map(|(_, queue)| queue.len()).sum();
    }
}

impl Permit {
    fn of(state: &Arc<Mutex<State>>) -> Self {
        Self {
            state: Some(state.clone()),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(state) = self.state.take() else {
            return;
        };
        loop {
            let next = {
                let mut state = lock(&state);
                let next = state.next();
                state.free += usize::from(next.is_none());
                next
            };
            let Some(next) = next else {
                return;
            };
            match next.send(Self::of(&state)) {
                Ok(()) => return,
                // It has stopped waiting; the permit is for the one after it.
                Err(mut permit) => permit.state = None,
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::join_all;

    fn narrow() -> Permits {
        Permits {
            interactive: Lane::new(1),
            bulk: Lane::new(1),
        }
    }

    fn take(permits: &Permits) -> impl Future<Output = Result<Permit>> {
        permits.take(Urgency::Interactive)
    }

    #[tokio::test]
    async fn as_many_work_as_fit_and_so_many_wait() {
        let permits = narrow();
        let working = take(&permits).await.unwrap();
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(take(&permits))).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert!(matches!(take(&permits).await, Err(StoreError::Overloaded)));
        // One that does not wait any more gives its place to another.
        waiting.pop();
        let mut another = Box::pin(take(&permits));
        assert!((&mut another).now_or_never().is_none());
        drop(working);
        waiting.push(another);
        let all = waiting
            .into_iter()
            .map(|one| one.map(|permit| permit.map(drop)));
        assert!(join_all(all).await.into_iter().all(|one| one.is_ok()));
        let state = lock(&permits.interactive.state);
        assert_eq!((state.free, state.waiting, state.callers.len()), (1, 0, 0));
    }

    #[tokio::test]
    async fn callers_take_turns() {
        let permits = narrow();
        let working = take(&permits).await.unwrap();
        let (many, one) = (Meter::of(1), Meter::of(2));
        let mut rush: Vec<_> = (0..10)
            .map(|_| Box::pin(many.around(take(&permits))))
            .collect();
        for one in &mut rush {
            assert!(one.now_or_never().is_none());
        }
        let mut late = Box::pin(one.around(take(&permits)));
        assert!((&mut late).now_or_never().is_none());
        drop(working);
        let first = rush[0].as_mut().now_or_never().unwrap().unwrap();
        drop(first);
        drop(late.now_or_never().unwrap().unwrap());
        drop(rush[1].as_mut().now_or_never().unwrap().unwrap());
    }

    #[tokio::test]
    async fn a_turn_that_is_not_taken_is_passed_on() {
        let permits = narrow();
        let working = take(&permits).await.unwrap();
        let mut gone = Box::pin(take(&permits));
        let mut sent = Box::pin(take(&permits));
        let mut last = Box::pin(take(&permits));
        for one in [&mut gone, &mut sent, &mut last] {
            assert!(one.now_or_never().is_none());
        }
        drop(gone);
        drop(working);
        // It was sent to this one, which stops waiting just then.
        drop(sent);
        drop(last.now_or_never().unwrap().unwrap());
        assert_eq!(lock(&permits.interactive.state).free, 1);
    }

    #[tokio::test]
    async fn no_wait_is_endless() {
        let mut permits = narrow();
        permits.interactive.patience = Duration::from_millis(10);
        let _working = take(&permits).await.unwrap();
        assert!(matches!(take(&permits).await, Err(StoreError::Overloaded)));
    }

    #[tokio::test]
    async fn what_takes_long_does_not_keep_others_waiting() {
        let permits = Permits::default();
        let mut exports = Vec::new();
        while let Some(one) = permits.take(Urgency::Bulk).now_or_never() {
            exports.push(one.unwrap());
        }
        take(&permits).await.unwrap();
    }
}
