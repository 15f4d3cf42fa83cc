//! Failed attempts to sign in to an account: the more there are, the longer the next one has to
//! wait, from whatever addresses they come.
//!
//! Addresses from which the account has signed in before are exempt up to a few attempts, so that
//! strangers cannot lock its owner out. Names that do not exist are counted alike. Kept in memory
//! only: a restart forgives.

use crate::http::rate_limit::group;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts that need not wait.
const FREE: u32 = 5;

/// Attempts from known addresses that need not wait, within [`MEMORY`].
const FREE_AT_HOME: u32 = 10;

const LONGEST: Duration = Duration::from_mins(15);

/// The time after which failures are forgotten.
const MEMORY: Duration = Duration::from_hours(1);

/// Accounts that are remembered; of more, those that need not wait are forgotten.
const MAX_ACCOUNTS: usize = 10_000;

const MAX_ADDRESSES: usize = 10;

type Key = [u8; 32];

#[derive(Debug, Default)]
pub struct SignIns(Mutex<HashMap<Key, Attempts>>);

#[derive(Debug)]
struct Attempts {
    failures: u32,
    failures_at_home: u32,
    last: Instant,
    next: Instant,
    known: VecDeque<IpAddr>,
}

impl SignIns {
    /// Whether an attempt may be made now. It counts as failed until it is known how it ends:
    /// otherwise as many could be made at once as arrive before the first one ends.
    ///
    /// # Errors
    /// The time to wait.
    pub fn admit(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut all = self.lock();
        if let Some(attempts) = all.get_mut(&key(name)) {
            attempts.forget(now);
            let at_home = attempts.known.contains(&group(address));
            let free = at_home && attempts.failures_at_home < FREE_AT_HOME;
            let wait = attempts.next.saturating_duration_since(now);
            if !free && !wait.is_zero() {
                return Err(wait);
            }
        }
        if all.len() >= MAX_ACCOUNTS {
            all.retain(|_, attempts| attempts.next > now || !attempts.known.is_empty());
        }
        if all.len() >= MAX_ACCOUNTS {
            all.clear();
        }
        let attempts = all.entry(key(name)).or_insert_with(|| Attempts::new(now));
        attempts.forget(now);
        attempts.last = now;
        if attempts.known.contains(&group(address)) {
            attempts.failures_at_home += 1;
        }
        attempts.failures = attempts.failures.saturating_add(1);
        if let Some(beyond) = attempts.failures.checked_sub(FREE) {
            let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
            attempts.next = now + Duration::from_secs(seconds).min(LONGEST);
        }
        Ok(())
    }

    /// An attempt ended without a decision on the password.
    pub fn undecided(&self, name: &str, address: IpAddr) {
        if let Some(attempts) = self.lock().get_mut(&key(name)) {
            attempts.failures = attempts.failures.saturating_sub(1);
            if attempts.known.contains(&group(address)) {
                attempts.failures_at_home = attempts.failures_at_home.saturating_sub(1);
            }
        }
    }

    pub fn succeeded(&self, name: &str, address: IpAddr, now: Instant) {
        let mut all = self.lock();
        let attempts = all.entry(key(name)).or_insert_with(|| Attempts::new(now));
        *attempts = Attempts {
            known: std::mem::take(&mut attempts.known),
            ..Attempts::new(now)
        };
        let address = group(address);
        attempts.known.retain(|known| *known != address);
        attempts.known.push_back(address);
        if attempts.known.len() > MAX_ADDRESSES {
            attempts.known.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Attempts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    const fn new(now: Instant) -> Self {
        Self {
            failures: 0,
            failures_at_home: 0,
            last: now,
            next: now,
            known: VecDeque::new(),
        }
    }

    fn forget(&mut self, now: Instant) {
        if now.saturating_duration_since(self.last) > MEMORY {
            self.failures = 0;
            self.failures_at_home = 0;
        }
    }
}

/// Names are not kept: people enter passwords in their place.
fn key(name: &str) -> Key {
    Sha256::digest(name.to_lowercase()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    #[test]
    fn the_more_failures_the_longer_the_wait() {
        let (sign_ins, begun) = (SignIns::default(), Instant::now());
        let mut now = begun;
        let mut tried = 0;
        while now - begun < Duration::from_hours(24) {
            match sign_ins.admit("Anna", address(tried % 200), now) {
                Ok(()) => tried += 1,
                Err(wait) => {
                    assert!(wait <= LONGEST);
                    now += wait;
                }
            }
        }
        assert!((90..=120).contains(&tried), "{tried} a day");
        assert_eq!(sign_ins.admit("berta", address(1), now), Ok(()));
    }

    #[test]
    fn attempts_at_the_same_time_are_counted_before_they_end() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        let admitted = (0..200).filter(|at| sign_ins.admit("anna", address(*at), now).is_ok());
        assert_eq!(admitted.count(), 5);
    }

    #[test]
    fn undecided_attempts_do_not_count() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for _ in 0..50 {
            assert_eq!(sign_ins.admit("anna", address(1), now), Ok(()));
            sign_ins.undecided("anna", address(1));
        }
    }

    #[test]
    fn strangers_do_not_lock_the_owner_out() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        sign_ins.succeeded("anna", address(1), now);
        let strangers = (0..50).filter(|_| sign_ins.admit("anna", address(2), now).is_ok());
        assert_eq!(strangers.count(), 5);
        assert!(sign_ins.admit("anna", address(3), now).is_err());
        for _ in 0..FREE_AT_HOME {
            assert_eq!(sign_ins.admit("anna", address(1), now), Ok(()));
        }
        assert!(sign_ins.admit("anna", address(1), now).is_err());
        sign_ins.succeeded("anna", address(1), now);
        assert_eq!(sign_ins.admit("anna", address(3), now), Ok(()));
    }

    #[test]
    fn failures_are_forgotten_and_memory_is_bounded() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        while sign_ins.admit("anna", address(1), now).is_ok() {}
        let later = now + MEMORY + LONGEST;
        for _ in 0..FREE {
            assert_eq!(sign_ins.admit("anna", address(1), later), Ok(()));
        }
        for number in 0..2 * MAX_ACCOUNTS {
            assert_eq!(
                sign_ins.admit(&number.to_string(), address(1), later),
                Ok(())
            );
        }
        assert!(sign_ins.lock().len() <= MAX_ACCOUNTS);
    }
}
