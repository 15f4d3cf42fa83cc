//! Many nodes with many faults: exchanged records stay correct.
//!
//! Some seeds are fixed, including those that failed once; others are new in each run. A new one
//! that fails is printed, and should be added to [`FAILED_ONCE`].

use domain::base::clock::Clock;
use futures::FutureExt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};
use tests::Backend;
use tests::settings::{full, tell, wanted_seeds};
use tests::simulation::{Cluster, Trace, simulate};

const TOLD: usize = 1000;

/// Runs a seed; returns the failure and the steps before it.
async fn failing(cluster: &mut Cluster, seed: u64) -> Option<(String, Arc<Trace>)> {
    let trace = Arc::new(Trace::default());
    let simulated = simulate(cluster, seed, trace.clone());
    let panic = AssertUnwindSafe(simulated).catch_unwind().await.err()?;
    let why = match panic.downcast::<String>() {
        Ok(why) => *why,
        Err(other) => format!("{:?}", other.downcast::<&str>()),
    };
    Some((why, trace))
}

const FAILED_ONCE: &[u64] = &[165, 264, 302, 1_000_074, 1_000_763, 1_001_686, 5_000_655];

const LONGEST: Duration = Duration::from_mins(28);

struct Seeds {
    all: Vec<u64>,
    next: AtomicUsize,
    until: Instant,
}

impl Seeds {
    /// Some `fixed` seeds, and some new ones.
    fn new(backend: Backend, fixed: u64, fresh: u64) -> Self {
        let all = if let Some(wanted) = wanted_seeds() {
            wanted.collect()
        } else {
            let first = Clock::default().now().timestamp().unsigned_abs() * 1000;
            // A seed costs ten times as much on PostgreSQL, and rarely finds anything else there.
            let found = match backend {
                Backend::Sqlite => FAILED_ONCE,
                Backend::Postgres => &[],
            };
            let known = (0..fixed).chain(found.iter().copied());
            known.chain(first..first + fresh).collect()
        };
        Self {
            all,
            next: AtomicUsize::new(0),
            until: Instant::now() + LONGEST,
        }
    }

    fn take(&self) -> Option<u64> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let seed = self.all.get(place).copied()?;
        (Instant::now() < self.until).then_some(seed)
    }

    fn stop(&self) {
        self.next.store(self.all.len(), Ordering::Relaxed);
    }
}

/// Runs seeds until one fails or none is left; returns their number.
async fn run(backend: Backend, seeds: &Seeds) -> usize {
    let mut cluster = Cluster::new(backend);
    let mut count = 0;
    while let Some(seed) = seeds.take() {
        count += 1;
        let Some((why, trace)) = failing(&mut cluster, seed).await else {
            continue;
        };
        seeds.stop();
        let trace = trace.lock().unwrap();
        for line in &trace[trace.len().saturating_sub(TOLD)..] {
            tell(line);
        }
        panic!(
            "seed {seed} fails: {why}\nAgain: SIMULATION_SEEDS={seed}..{} cargo test -p tests --test stories simulation::{}",
            seed + 1,
            format!("{backend:?}").to_lowercase(),
        );
    }
    count
}

fn all(backend: Backend, fixed: u64, fresh: u64) {
    let begun = Instant::now();
    let seeds = Seeds::new(backend, fixed, fresh);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let count: usize = std::thread::scope(|scope| {
        let run = || actix_web::rt::System::new().block_on(run(backend, &seeds));
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let counts = threads.into_iter().map(ScopedJoinHandle::join);
        counts
            .map(|count| count.unwrap_or_else(|why| resume_unwind(why)))
            .sum()
    });
    tell(&format!(
        "{backend:?}: {count} seeds, {:?}",
        begun.elapsed()
    ));
}

#[test]
fn sqlite() {
    let (fixed, fresh) = if full() { (200, 2000) } else { (40, 60) };
    all(Backend::Sqlite, fixed, fresh);
}

#[test]
fn postgres() {
    let (fixed, fresh) = if full() { (10, 40) } else { (1, 1) };
    all(Backend::Postgres, fixed, fresh);
}
