//! Reading from every partner while the server runs, one task each.

use crate::exchange::backoff::{LONGEST_ABSENCE, LONGEST_PAUSE, pause};
use crate::exchange::partners::pull::{Failed, PartnerSync};
use crate::exchange::partners::transport::Unreadable;
use crate::exchange::workers::Work;
use chrono::TimeDelta;
use persistence::lease::Lease;
use persistence::partner::PageOutcome;
use rand::Rng;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// An up-to-date partner is asked at most once within this time, even if it does not wait as
/// requested.
const REST: Duration = Duration::from_secs(1);

impl Work for PartnerSync {
    const NAME: &'static str = "partner";
    const POLL: Duration = Duration::from_secs(1);

    async fn due(&self) -> persistence::Result<Vec<Uuid>> {
        self.store.partners().due().await
    }

    async fn run(self, id: Uuid, stop: watch::Receiver<bool>) {
        read_from(self, id, stop).await;
    }
}

/// Reads from a partner until an error, or until the lease is lost.
async fn read_from(exchange: PartnerSync, id: Uuid, mut stop: watch::Receiver<bool>) {
    let lease = match exchange.store.partners().lease(id).await {
        Ok(Some(lease)) => lease,
        Ok(None) => return,
        Err(error) => {
            tracing::error!(%error, partner_id = %id, "cannot lease a partner; will retry");
            return;
        }
    };
    let mut wait = Duration::ZERO;
    loop {
        let asked = Instant::now();
        match exchange.step(&lease, wait, &mut stop).await {
            Ok(PageOutcome::More | PageOutcome::Unswept) => {
                // However much a partner feeds, half of the time is for others.
                rest(&mut stop, asked.elapsed().min(REST)).await;
                wait = Duration::ZERO;
            }
            Ok(PageOutcome::UpToDate) => {
                rest(&mut stop, REST.saturating_sub(asked.elapsed())).await;
                wait = exchange.wait;
            }
            Ok(PageOutcome::Stopped) | Err(Failed::Lost) => return,
            Err(Failed::Stopped) => return give_back(&exchange, &lease).await,
            Err(Failed::Partner(unreadable)) => return fail(&exchange, &lease, unreadable).await,
            Err(Failed::Store(error)) => {
                tracing::error!(error = ?error, partner_id = %id, "cannot apply a page of a partner; will retry");
                let why = "this node failed; see its log".to_owned();
                // This node may recover before the partner has anything new.
                return fail(&exchange, &lease, Unreadable::absent(why)).await;
            }
        }
    }
}

async fn rest(stop: &mut watch::Receiver<bool>, time: Duration) {
    tokio::select! {
        // The next step is stopped as well.
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(time) => {}
    }
}

async fn give_back(exchange: &PartnerSync, lease: &Lease) {
    if let Err(error) = exchange.store.partners().release(lease).await {
        tracing::info!(%error, partner_id = %lease.id, "cannot release the lease of a partner; it will expire");
    }
}

/// Records the failure and the time of the next attempt.
async fn fail(exchange: &PartnerSync, lease: &Lease, unreadable: Unreadable) {
    let Unreadable {
        why,
        retry_after,
        absent,
    } = unreadable;
    let failures = match exchange.store.partners().prolong(lease).await {
        Ok(partner) => partner.failures,
        // The lease expires.
        Err(_) => return,
    };
    if failures == 0 {
        tracing::warn!(error = why, partner_id = %lease.id, "cannot read from a partner; will retry");
    }
    let longest = if absent {
        LONGEST_ABSENCE
    } else {
        LONGEST_PAUSE
    };
    let pause = pause(failures, rand::rng().random_range(0.0..=1.0), longest);
    let pause = pause.max(retry_after.unwrap_or_default());
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    let now = exchange.store.clock().now();
    let retry_at = now.checked_add_signed(pause).unwrap_or(now);
    if let Err(error) = exchange
        .store
        .partners()
        .note_failure(lease, &why, retry_at)
        .await
    {
        tracing::info!(%error, partner_id = %lease.id, "cannot record the failure of a partner");
    }
}
