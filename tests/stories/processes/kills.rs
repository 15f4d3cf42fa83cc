//! Either side crashes repeatedly, while one writes and the other reads; and once the writer is
//! restored from a backup.

use super::{Server, write};
use rand::Rng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};
use tests::database::Database;
use tests::proxy::{Fault, Proxy};
use tests::settings::{chance, full, tell};
use tests::{Backend, Content, on_both};

fn fault(chance: &mut StdRng) -> Fault {
    match chance.random_range(0..7) {
        0 => Fault::Latency(Duration::from_millis(50)),
        1 => Fault::CutAfter(chance.random_range(0..3000)),
        2 => Fault::HalfOpen,
        3 => Fault::Drip,
        4 => Fault::Corrupt,
        _ => Fault::None,
    }
}

async fn copies_survive_kills(backend: Backend) {
    let mut chance = chance();
    let begun = Instant::now();
    let writing = Database::of(backend, Content::Empty, "nachbar").await;
    let taking = Database::of(backend, Content::Empty, "hier").await;
    let (there, here) = futures::join!(Server::start(writing), Server::start(taking));
    let (mut there, mut here) = (there, here);
    let proxy = Proxy::start(&there.process.base).await;
    let partner = here.takes_over(&proxy).await;
    let kills = if full() { 100 } else { 10 };
    let mut known = Vec::new();
    let mut backup = None;
    let mut slowest = Duration::ZERO;
    for life in 0..kills {
        proxy.does(fault(&mut chance));
        let time = Duration::from_millis(chance.random_range(50..400));
        write(&there, &mut chance, time, &mut known).await;
        if chance.random_bool(0.5) {
            here.kill().await;
            // The lease of the killed instance need not expire; so the next kill happens while it
            // reads.
            here.go_on(&partner).await;
        } else {
            there.process.kill().await;
            if life == kills / 3 {
                backup = Some((there.database.copy().await, known.clone()));
            }
            there.process = tests::process::Process::serve(&there.database).await;
            proxy.lead_to(&there.process.base);
        }
        if life == kills / 2 {
            slowest = slowest.max(heal(&there, &here, &proxy, &partner).await);
        }
    }
    slowest = slowest.max(heal(&there, &here, &proxy, &partner).await);
    // It dies while it waits for changes, without help.
    here.kill().await;
    let time = Duration::from_millis(500);
    write(&there, &mut chance, time, &mut known).await;
    slowest = slowest.max(heal(&there, &here, &proxy, &partner).await);
    nothing_is_lost(&there, &known).await;

    if let Some((old, then)) = backup {
        there.process.kill().await;
        let new = std::mem::replace(&mut there.database, old);
        there.process = tests::process::Process::serve(&there.database).await;
        new.remove().await;
        proxy.lead_to(&there.process.base);
        slowest = slowest.max(heal(&there, &here, &proxy, &partner).await);
        nothing_is_lost(&there, &then).await;
    }
    for mut server in [there, here] {
        server.process.kill().await;
        server.database.remove().await;
    }
    tell(&format!(
        "{backend:?}: {kills} kills, healed within {slowest:?}, {:?}",
        begun.elapsed()
    ));
}

async fn heal(there: &Server, here: &Server, proxy: &Proxy, partner: &str) -> Duration {
    proxy.does(Fault::None);
    here.catches_up(partner, there).await
}

async fn nothing_is_lost(there: &Server, known: &[String]) {
    for id in known {
        there.get(&format!("/v1/actors/{id}")).await;
    }
}

on_both!(copies_survive_kills);
