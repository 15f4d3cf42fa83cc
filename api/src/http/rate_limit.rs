//! Rate limits: work per minute of an account, of an address without a token, and a lower limit of
//! failed attempts to authenticate.
//!
//! An ordinary request counts as one. What it costs beyond that is known only afterwards, so it is
//! charged then, if need be on credit: the next requests wait until it is paid off.

use crate::config::{Config, Network};
use crate::http::problem::{Code, Problem};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use persistence::accounts::Subject;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Number of keys that a limit remembers. If there are more, recovered ones are dropped, and if
/// that is not enough, all: bounded memory takes precedence over exact counts.
const MAX_KEYS: usize = 100_000;

const MINUTE: Duration = Duration::from_mins(1);

/// The most that a caller has to pay off before the next request.
const MAX_DEBT: Duration = Duration::from_mins(5);

/// The applicable limit of a request and its remainder (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    policy: &'static str,
    quota: u32,
    left: u32,
    /// Seconds until the limit is fully restored, or until the next request is allowed.
    seconds: u64,
}

impl Standing {
    /// Writes the headers `RateLimit-Policy` and `RateLimit`.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self {
            policy,
            quota,
            left,
            seconds,
        } = self;
        let fields = [
            ("ratelimit-policy", format!("\"{policy}\";q={quota};w=60")),
            ("ratelimit", format!("\"{policy}\";r={left};t={seconds}")),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }

    pub(crate) fn problem(self) -> Problem {
        let seconds = self.seconds;
        Problem::new(Code::RateLimited)
            .detail(
                format!("Too many requests; the next one is allowed in {seconds} seconds."),
                format!("Zu viele Anfragen; die nächste geht in {seconds} Sekunden durch."),
            )
            .header(header::RETRY_AFTER, &seconds.to_string())
    }
}

/// A number of units per minute for each key, regained evenly.
#[derive(Debug)]
struct Limit<K> {
    policy: &'static str,
    quota: u32,
    /// When each key will have regained everything.
    keys: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(policy: &'static str, per_minute: NonZeroU32) -> Self {
        Self {
            policy,
            quota: per_minute.get(),
            keys: Mutex::default(),
        }
    }

    /// The time in which so many units are regained.
    fn time(&self, units: u32) -> Duration {
        MINUTE.saturating_mul(units) / self.quota
    }

    /// Takes units, if there is at least one.
    fn take(&self, key: &K, units: u32, now: Instant) -> Result<Standing, Standing> {
        let mut keys = self.keys();
        let missing = missing(keys.get(key), now);
        let one = self.time(1);
        let wait = (missing + one).saturating_sub(MINUTE);
        if !wait.is_zero() {
            return Err(self.standing(0, wait));
        }
        Ok(self.put(&mut keys, key, missing + self.time(units), now))
    }

    /// Takes units whether there are any or not.
    fn charge(&self, key: &K, units: u32, now: Instant) -> Standing {
        let mut keys = self.keys();
        let missing = missing(keys.get(key), now) + self.time(units);
        self.put(&mut keys, key, missing, now)
    }

    fn put(
        &self,
        keys: &mut HashMap<K, Instant>,
        key: &K,
        missing: Duration,
        now: Instant,
    ) -> Standing {
        if keys.len() >= MAX_KEYS && !keys.contains_key(key) {
            forget(keys, now);
        }
        let missing = missing.min(MINUTE + MAX_DEBT);
        keys.insert(key.clone(), now + missing);
        let left = MINUTE.saturating_sub(missing).as_nanos() * u128::from(self.quota);
        let left = u32::try_from(left / MINUTE.as_nanos()).unwrap_or(u32::MAX);
        self.standing(left, missing)
    }

    fn standing(&self, left: u32, wait: Duration) -> Standing {
        Standing {
            policy: self.policy,
            quota: self.quota,
            left,
            seconds: whole_seconds(wait),
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time until everything is regained.
fn missing(regained: Option<&Instant>, now: Instant) -> Duration {
    regained.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
}

fn forget<K: Hash + Eq>(keys: &mut HashMap<K, Instant>, now: Instant) {
    keys.retain(|_, regained| *regained > now);
    if keys.len() >= MAX_KEYS {
        keys.clear();
    }
    keys.shrink_to_fit();
}

/// At least one, so that clients never retry at once.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0 || time.is_zero())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Client(Subject),
    /// An anonymous caller at an address.
    Anybody,
    /// A caller at an address who tries to authenticate: with an invalid token, or at the token
    /// endpoint.
    Claimant,
}

#[derive(Debug)]
pub struct Limits {
    clients: Limit<Subject>,
    addresses: Limit<IpAddr>,
    failures: Limit<IpAddr>,
    /// Addresses with too many failures, and the end of their lock.
    locked: Mutex<HashMap<IpAddr, Instant>>,
    trusted: Vec<Network>,
}

impl Limits {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            clients: Limit::new("client", config.requests_per_minute_client),
            addresses: Limit::new("address", config.requests_per_minute_address),
            failures: Limit::new("failures", config.auth_failures_per_minute),
            locked: Mutex::default(),
            trusted: config.trusted_proxies.clone(),
        }
    }

    /// Admits a request that takes so many units.
    ///
    /// # Errors
    /// The limit that is used up.
    pub fn admit(
        &self,
        who: &Who,
        address: IpAddr,
        units: u32,
        now: Instant,
    ) -> Result<Standing, Standing> {
        let address = group(address);
        match who {
            Who::Client(subject) => self.clients.take(subject, units, now),
            Who::Anybody => self.addresses.take(&address, units, now),
            Who::Claimant => {
                self.unlocked(address, now)?;
                self.addresses.take(&address, units, now)
            }
        }
    }

    /// Charges what an admitted request has cost beyond that.
    pub fn charge(&self, who: &Who, address: IpAddr, units: u32, now: Instant) -> Standing {
        match who {
            Who::Client(subject) => self.clients.charge(subject, units, now),
            Who::Anybody | Who::Claimant => self.addresses.charge(&group(address), units, now),
        }
    }

    pub fn failed(&self, address: IpAddr, now: Instant) {
        let address = group(address);
        let wait = match self.failures.take(&address, 1, now) {
            Ok(standing) if standing.left > 0 => return,
            Ok(_) => self.failures.time(1),
            Err(standing) => Duration::from_secs(standing.seconds),
        };
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.len() >= MAX_KEYS {
            locked.retain(|_, until| *until > now);
        }
        if locked.len() < MAX_KEYS {
            locked.insert(address, now + wait);
        }
    }

    fn unlocked(&self, address: IpAddr, now: Instant) -> Result<(), Standing> {
        let locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        match missing(locked.get(&address), now) {
            Duration::ZERO => Ok(()),
            wait => Err(self.failures.standing(0, wait)),
        }
    }

    /// The client's address: the peer's, or if that is a trusted proxy, the last untrusted one in
    /// `X-Forwarded-For`. Each proxy appends the address it saw, so everything before that may be
    /// forged.
    #[must_use]
    pub fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: IpAddr| self.trusted.iter().any(|one| one.has(address));
        let mut address = peer.to_canonical();
        let hops: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for hop in hops.into_iter().rev() {
            if !trusted(address) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(hop) => address = hop.to_canonical(),
                Err(_) => break,
            }
        }
        address
    }
}

/// The unit of addresses: with IPv6 every customer has a /64.
pub(crate) fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn limits() -> (Limits, Instant) {
        let number = |number| NonZeroU32::new(number).unwrap();
        let config = Config {
            requests_per_minute_client: number(6),
            requests_per_minute_address: number(3),
            auth_failures_per_minute: number(2),
            trusted_proxies: vec!["10.0.0.0/8".to_owned().try_into().unwrap()],
            ..Config::default()
        };
        (Limits::new(&config), Instant::now())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn an_address_has_so_many_a_minute_and_recovers_evenly() {
        let (limits, now) = limits();
        let here = ip("192.0.2.1");
        let ask = |now| limits.admit(&Who::Anybody, here, 1, now);
        for left in [2, 1, 0] {
            assert_eq!(ask(now).unwrap().left, left);
        }
        let refused = ask(now).unwrap_err();
        assert_eq!((refused.left, refused.seconds), (0, 20));
        let there = ip("192.0.2.2");
        limits.admit(&Who::Anybody, there, 1, now).unwrap();
        let later = now + seconds(20);
        ask(later).unwrap();
        ask(later).unwrap_err();
    }

    #[test]
    fn what_a_request_has_cost_is_paid_off_before_the_next() {
        let (limits, now) = limits();
        let here = ip("192.0.2.1");
        let ask = |now| limits.admit(&Who::Anybody, here, 1, now);
        assert_eq!(ask(now).unwrap().left, 2);
        assert_eq!(limits.charge(&Who::Anybody, here, 1, now).left, 1);
        let standing = limits.charge(&Who::Anybody, here, 4, now);
        // Six of three: one minute until there are three again, one more for the debt.
        assert_eq!((standing.left, standing.seconds), (0, 120));
        assert_eq!(ask(now).unwrap_err().seconds, 80);
        assert_eq!(ask(now + seconds(79)).unwrap_err().seconds, 1);
        assert_eq!(ask(now + seconds(80)).unwrap().left, 0);
        // No caller is shut out for hours.
        limits.charge(&Who::Anybody, here, u32::MAX, now);
        assert_eq!(ask(now).unwrap_err().seconds, 320);
    }

    #[test]
    fn a_request_that_takes_several_needs_only_one() {
        let (limits, now) = limits();
        let here = ip("192.0.2.1");
        let ask = |units, now| limits.admit(&Who::Anybody, here, units, now);
        assert_eq!(ask(10, now).unwrap().left, 0);
        assert_eq!(ask(1, now).unwrap_err().seconds, 160);
    }

    #[test]
    fn accounts_do_not_share_and_do_not_use_up_their_address() {
        let (limits, now) = limits();
        let here = ip("192.0.2.1");
        let ask = |who: &Who| limits.admit(who, here, 1, now);
        let client = |id| Who::Client(Subject::Account(Uuid::from_u128(id)));
        let (one, other) = (client(1), client(2));
        for _ in 0..6 {
            ask(&one).unwrap();
        }
        ask(&one).unwrap_err();
        limits.charge(&one, here, 5, now);
        ask(&other).unwrap();
        ask(&Who::Anybody).unwrap();
    }

    #[test]
    fn failing_too_often_locks_claims_but_not_reading() {
        let (limits, now) = limits();
        let here = ip("192.0.2.1");
        let ask = |who: &Who, now| limits.admit(who, here, 1, now);
        limits.failed(here, now);
        ask(&Who::Claimant, now).unwrap();
        limits.failed(here, now);
        let refused = ask(&Who::Claimant, now).unwrap_err();
        assert_eq!((refused.policy, refused.seconds), ("failures", 30));
        ask(&Who::Anybody, now).unwrap();
        let later = now + seconds(31);
        ask(&Who::Claimant, later).unwrap();
        limits.failed(here, later);
        ask(&Who::Claimant, later).unwrap_err();
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (limits, now) = limits();
        let ask = |text: &str| limits.admit(&Who::Anybody, ip(text), 1, now);
        for last in 1..=3 {
            ask(&format!("2001:db8::{last}")).unwrap();
        }
        ask("2001:db8::4").unwrap_err();
        ask("2001:db8:0:1::1").unwrap();
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let (limits, _) = limits();
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("x-forwarded-for");
        headers.append(
            name.clone(),
            HeaderValue::from_static("198.51.100.9, 203.0.113.7"),
        );
        headers.append(name, HeaderValue::from_static("10.1.1.1"));
        let of = |peer: &str| limits.address(ip(peer), &headers).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("10.2.2.2"), "203.0.113.7");
        assert_eq!(of("::ffff:10.2.2.2"), "203.0.113.7");
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("x-forwarded-for");
        headers.append(name, HeaderValue::from_static("203.0.113.7, unknown"));
        assert_eq!(limits.address(ip("10.2.2.2"), &headers), ip("10.2.2.2"));
    }

    #[test]
    fn memory_for_addresses_is_bounded() {
        let (limits, now) = limits();
        let known = || limits.addresses.keys().len();
        for number in 0..MAX_KEYS * 2 {
            let number = u32::try_from(number).unwrap();
            let address = IpAddr::from(number.to_be_bytes());
            limits.admit(&Who::Anybody, address, 1, now).unwrap();
            assert!(known() <= MAX_KEYS);
        }
        forget(&mut limits.addresses.keys(), now + Duration::from_mins(2));
        assert_eq!(known(), 0);
    }
}
