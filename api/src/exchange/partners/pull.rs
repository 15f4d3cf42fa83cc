//! Copying records from partners: their feeds are read page by page, and each page is applied
//! together with its position.

use crate::config::Config;
use crate::exchange::backoff::{LONGEST_PAUSE, pause};
use crate::exchange::partners::page::{self, Fetched};
use crate::exchange::partners::transport::{PartnerTransport, Unreadable};
use crate::http::outbound::Outgoing;
use chrono::TimeDelta;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::lease::Lease;
use persistence::partner::PageOutcome;
use persistence::partner::{Partner, PartnerPage};
use persistence::{Store, StoreError};
use rand::Rng;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const COMPARE: TimeDelta = TimeDelta::hours(24);

/// Interval in which a lease is renewed while waiting: several times before it expires.
const HEARTBEAT: Duration = Duration::from_secs(6);

const WAIT: Duration = Duration::from_secs(30);

/// Empty pages in a row that are read without a pause. A narrow filter has some: their positions
/// advance.
const MOST_EMPTY: i32 = 20;

#[derive(Debug, Clone)]
pub struct PartnerSync<A = Outgoing> {
    pub(super) store: Store,
    partners: A,
    heartbeat: Duration,
    pub(super) wait: Duration,
    /// Number of restarts of each partner since it was last up to date.
    begun: Arc<Mutex<BTreeMap<Uuid, i32>>>,
    /// Number of pages of each partner in a row that had no entries, although more were left.
    empty: Arc<Mutex<BTreeMap<Uuid, i32>>>,
}

/// Reason why a page was not applied.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The partner could not be reached or understood.
    #[error(transparent)]
    Partner(Unreadable),
    /// Another instance has the lease, or the partner was stopped.
    #[error("the lease is lost")]
    Lost,
    #[error("stopped")]
    Stopped,
    /// This node failed.
    #[error(transparent)]
    Store(StoreError),
}

impl Failed {
    fn partner(why: impl Into<String>) -> Self {
        Self::Partner(why.into().into())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::Lost,
            StoreError::Partner(why) => Self::partner(why),
            other => Self::Store(other),
        }
    }
}

impl From<Unreadable> for Failed {
    fn from(unreadable: Unreadable) -> Self {
        Self::Partner(unreadable)
    }
}

impl PartnerSync {
    pub fn new(store: Store, config: &Config) -> Result<Self, reqwest::Error> {
        Ok(Self::with(store, Outgoing::new(config)?))
    }
}

impl<A: PartnerTransport> PartnerSync<A> {
    pub fn with(store: Store, partners: A) -> Self {
        Self {
            store,
            partners,
            heartbeat: HEARTBEAT,
            wait: WAIT,
            begun: Arc::default(),
            empty: Arc::default(),
        }
    }

    /// Changes the interval in which leases are renewed from six seconds.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every;
        self
    }

    /// Changes the time that partners are asked to wait from 30 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Reads and applies the next page of a partner's feed.
    pub async fn step(
        &self,
        lease: &Lease,
        wait: Duration,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<PageOutcome, Failed> {
        let partner = self.store.partners().prolong(lease).await?;
        let url = format!("{}{}", base(&partner), path(&partner, wait));
        let asked = page::fetch(&self.partners, &url, wait);
        let page = match self.leased(lease, stop, asked).await?? {
            Fetched::Page(page) => page,
            Fetched::Restart(reason) => return self.restart(lease, &partner, &reason).await,
        };
        if !page.up_to_date && partner.next.as_ref() == Some(&page.next) {
            let why = "it reports more pages, but the address of the next page stays the same";
            return Err(Failed::partner(why));
        }
        let mut taken = self.store.copies().take(lease, &page).await?;
        while taken == PageOutcome::Unswept {
            taken = self.store.copies().sweep(lease).await?;
        }
        if taken == PageOutcome::More && page.entries.is_empty() {
            self.slow_down(&partner, &page)?;
        } else {
            lock(&self.empty).remove(&partner.id);
        }
        if taken == PageOutcome::UpToDate {
            lock(&self.begun).remove(&partner.id);
            return self.compare(lease, stop).await;
        }
        Ok(taken)
    }

    async fn leased<T>(
        &self,
        lease: &Lease,
        stop: &mut watch::Receiver<bool>,
        work: impl Future<Output = T>,
    ) -> Result<T, Failed> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                _ = stop.wait_for(|stop| *stop) => return Err(Failed::Stopped),
                () = tokio::time::sleep(self.heartbeat) => {}
            }
            self.store.partners().prolong(lease).await?;
        }
    }

    /// Pauses a partner whose pages lead nowhere, for longer each time if it does not even advance.
    fn slow_down(&self, partner: &Partner, page: &PartnerPage) -> Result<(), Failed> {
        let times = count(&self.empty, partner.id) - MOST_EMPTY;
        if times <= 0 {
            return Ok(());
        }
        let times = if page.seq > partner.seq { 1 } else { times };
        let share = rand::rng().random_range(0.5..=1.0);
        Err(Failed::Partner(Unreadable {
            why: "it reports more pages, but there is nothing in them".to_owned(),
            retry_after: Some(pause(times, share, LONGEST_PAUSE)),
            absent: false,
        }))
    }

    /// Starts from scratch with a partner that cannot continue from the current position. One whose
    /// snapshots never end is paused for longer each time.
    async fn restart(
        &self,
        lease: &Lease,
        partner: &Partner,
        reason: &str,
    ) -> Result<PageOutcome, Failed> {
        if partner.next.is_none() {
            let why = format!("it does not start at the beginning: {reason}");
            return Err(Failed::partner(why));
        }
        let name = &partner.name;
        tracing::warn!(
            partner = name,
            reason,
            "reading all records of a partner again"
        );
        self.store.partners().resync(lease).await?;
        let times = count(&self.begun, partner.id);
        if times == 1 {
            return Ok(PageOutcome::More);
        }
        let share = rand::rng().random_range(0.5..=1.0);
        Err(Failed::Partner(Unreadable {
            why: format!("a new start is required before the end is reached: {reason}"),
            retry_after: Some(pause(times, share, LONGEST_PAUSE)),
            absent: false,
        }))
    }

    /// Compares digests with the partner once a day; if they differ, everything is read again.
    async fn compare(
        &self,
        lease: &Lease,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<PageOutcome, Failed> {
        let partner = self.store.partners().prolong(lease).await?;
        let now = self.store.clock().now();
        let fresh = partner.compared_at.is_some_and(|at| now - at < COMPARE);
        // Entries in quarantine are not among the copies.
        if fresh || self.store.partners().has_quarantined(partner.id).await? {
            return Ok(PageOutcome::UpToDate);
        }
        let url = format!("{}{}?{}", base(&partner), page::DIGEST, query(&partner));
        let asked = page::digests(&self.partners, &url);
        let theirs = match self.leased(lease, stop, asked).await? {
            Ok(theirs) => theirs,
            Err(Unreadable { why, .. }) => {
                tracing::info!(
                    partner = partner.name,
                    error = why,
                    "cannot compare digests with a partner; skipped for today"
                );
                self.store.partners().note_comparison(lease).await?;
                return Ok(PageOutcome::UpToDate);
            }
        };
        if theirs.seq != partner.seq {
            // There were writes in the meantime; the comparison is repeated later.
            return Ok(PageOutcome::UpToDate);
        }
        let counted = self.store.copies().digests(&partner);
        let ours = self.leased(lease, stop, counted).await??;
        let same = Kind::ALL.iter().all(|kind| {
            let ours = ours.get(kind).copied().unwrap_or_default();
            match theirs.kinds.get(kind.code()) {
                Some((count, sum)) => ours.count() == *count && ours.sum() == *sum,
                None => ours.count() == 0,
            }
        });
        self.store.partners().note_comparison(lease).await?;
        if same {
            return Ok(PageOutcome::UpToDate);
        }
        tracing::error!(
            partner = partner.name,
            "digests differ from those of a partner; reading all its records again"
        );
        self.store.partners().resync(lease).await?;
        Ok(PageOutcome::More)
    }
}

fn lock(counts: &Mutex<BTreeMap<Uuid, i32>>) -> MutexGuard<'_, BTreeMap<Uuid, i32>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(counts: &Mutex<BTreeMap<Uuid, i32>>, partner: Uuid) -> i32 {
    let mut counts = lock(counts);
    let times = counts.entry(partner).or_default();
    *times = times.saturating_add(1);
    *times
}

fn path(partner: &Partner, wait: Duration) -> String {
    match &partner.next {
        Some(next) if wait > Duration::ZERO => format!("{next}&wait_seconds={}", wait.as_secs()),
        Some(next) => next.clone(),
        None => format!("{}?{}", page::CHANGES, query(partner)),
    }
}

fn base(partner: &Partner) -> &str {
    partner.url.trim_end_matches('/')
}

fn query(partner: &Partner) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let kinds: Vec<&str> = partner.kinds.iter().map(|kind| kind.code()).collect();
    let regions: Vec<String> = partner.home_regions.iter().map(Uuid::to_string).collect();
    for (name, values) in [
        ("kind", kinds.join(",")),
        ("home_region", regions.join(",")),
    ] {
        if !values.is_empty() {
            query.append_pair(name, &values);
        }
    }
    query.finish()
}
