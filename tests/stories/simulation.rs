//! Many nodes, many faults, many times: whatever happens, records exchanged stay right.

use futures::FutureExt;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tests::Backend;
use tests::settings::{seeds, tell};
use tests::simulation::{Trace, Yard, simulate};

/// How much of what happened is told of a failing seed.
const TOLD: usize = 1000;

/// Runs a seed; answers why it failed and what happened before.
async fn failing(yard: &mut Yard, seed: u64) -> Option<(String, Arc<Trace>)> {
    let trace = Arc::new(Trace::default());
    let simulated = simulate(yard, seed, trace.clone());
    let panic = AssertUnwindSafe(simulated).catch_unwind().await.err()?;
    let why = match panic.downcast::<String>() {
        Ok(why) => *why,
        Err(other) => format!("{:?}", other.downcast::<&str>()),
    };
    Some((why, trace))
}

/// Runs seeds until one fails or none is left.
async fn run(backend: Backend, next: &AtomicU64, end: u64) {
    let mut yard = Yard::new(backend);
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let Some((why, trace)) = failing(&mut yard, seed).await else {
            continue;
        };
        next.store(end, Ordering::Relaxed);
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
}

fn all(backend: Backend, seeds: Range<u64>) {
    let begun = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let run = run(backend, &next, seeds.end);
                actix_web::rt::System::new().block_on(run);
            });
        }
    });
    tell(&format!(
        "{backend:?}: seeds {seeds:?}, {:?}",
        begun.elapsed()
    ));
}

#[test]
fn sqlite() {
    all(Backend::Sqlite, seeds(200, 20_000));
}

#[test]
fn postgres() {
    all(Backend::Postgres, seeds(2, 50));
}
