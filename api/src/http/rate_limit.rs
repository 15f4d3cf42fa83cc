//! Rate limits: requests per minute of an account, of an address without a token, and a lower limit
//! of failed attempts to authenticate.

use crate::config::{Config, Network};
use crate::http::problem::{Code, Problem};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use persistence::accounts::Subject;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Number of keys that a limit remembers. If there are more, recovered ones are dropped, and if
/// that is not enough, all: bounded memory takes precedence over exact counts.
const MAX_KEYS: usize = 100_000;

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

type Limiter<K, C> = RateLimiter<K, HashMapStateStore<K>, C, StateInformationMiddleware>;

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone, C: Clock + Clone> {
    policy: &'static str,
    quota: Quota,
    clock: C,
    limiter: RwLock<Limiter<K, C>>,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Limit<K, C> {
    fn new(policy: &'static str, per_minute: NonZeroU32, clock: &C) -> Self {
        let quota = Quota::per_minute(per_minute);
        Self {
            policy,
            quota,
            clock: clock.clone(),
            limiter: RwLock::new(Self::limiter(quota, clock)),
        }
    }

    fn limiter(quota: Quota, clock: &C) -> Limiter<K, C> {
        RateLimiter::new(quota, HashMapStateStore::default(), clock.clone())
    }

    /// Takes one from the key's quota; an error if it is used up.
    fn take(&self, key: &K) -> Result<Standing, Standing> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        let full = limiter.len() >= MAX_KEYS;
        let taken = limiter.check_key(key);
        drop(limiter);
        if full {
            self.forget();
        }
        let quota = self.quota.burst_size().get();
        let standing = |left: u32, wait: Duration| Standing {
            policy: self.policy,
            quota,
            left,
            seconds: whole_seconds(wait),
        };
        match taken {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let missing = quota.saturating_sub(left);
                Ok(standing(left, self.quota.replenish_interval() * missing))
            }
            Err(until) => Err(standing(0, until.wait_time_from(self.clock.now()))),
        }
    }

    fn forget(&self) {
        let mut limiter = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
        limiter.retain_recent();
        if limiter.len() >= MAX_KEYS {
            *limiter = Self::limiter(self.quota, &self.clock);
        }
        limiter.shrink_to_fit();
    }
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
pub struct Limits<C: Clock + Clone = DefaultClock> {
    clients: Limit<Subject, C>,
    addresses: Limit<IpAddr, C>,
    failures: Limit<IpAddr, C>,
    /// Addresses with too many failures, and the end of their lock.
    locked: Mutex<HashMap<IpAddr, C::Instant>>,
    clock: C,
    trusted: Vec<Network>,
}

impl<C: Clock + Clone> Limits<C> {
    #[must_use]
    pub fn new(config: &Config, clock: C) -> Self {
        Self {
            clients: Limit::new("client", config.requests_per_minute_client, &clock),
            addresses: Limit::new("address", config.requests_per_minute_address, &clock),
            failures: Limit::new("failures", config.auth_failures_per_minute, &clock),
            locked: Mutex::default(),
            clock,
            trusted: config.trusted_proxies.clone(),
        }
    }

    pub fn count(&self, who: &Who, address: IpAddr) -> Result<Standing, Standing> {
        let address = group(address);
        match who {
            Who::Client(subject) => self.clients.take(subject),
            Who::Anybody => self.addresses.take(&address),
            Who::Claimant => {
                self.unlocked(address)?;
                self.addresses.take(&address)
            }
        }
    }

    pub fn failed(&self, address: IpAddr) {
        let address = group(address);
        let wait = match self.failures.take(&address) {
            Ok(standing) if standing.left > 0 => return,
            Ok(_) => self.failures.quota.replenish_interval(),
            Err(standing) => Duration::from_secs(standing.seconds),
        };
        let now = self.clock.now();
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.len() >= MAX_KEYS {
            locked.retain(|_, until| *until > now);
        }
        if locked.len() < MAX_KEYS {
            locked.insert(address, now + Nanos::from(wait));
        }
    }

    fn unlocked(&self, address: IpAddr) -> Result<(), Standing> {
        let now = self.clock.now();
        let locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        match locked.get(&address) {
            Some(until) if *until > now => Err(Standing {
                policy: self.failures.policy,
                quota: self.failures.quota.burst_size().get(),
                left: 0,
                seconds: whole_seconds(until.duration_since(now).into()),
            }),
            Some(_) | None => Ok(()),
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
    use governor::clock::FakeRelativeClock;
    use uuid::Uuid;

    fn limits() -> (Limits<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let number = |number| NonZeroU32::new(number).unwrap();
        let config = Config {
            requests_per_minute_client: number(6),
            requests_per_minute_address: number(3),
            auth_failures_per_minute: number(2),
            trusted_proxies: vec!["10.0.0.0/8".to_owned().try_into().unwrap()],
            ..Config::default()
        };
        (Limits::new(&config, clock.clone()), clock)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_a_minute_and_recovers_evenly() {
        let (limits, clock) = limits();
        let here = ip("192.0.2.1");
        for left in [2, 1, 0] {
            assert_eq!(limits.count(&Who::Anybody, here).unwrap().left, left);
        }
        let refused = limits.count(&Who::Anybody, here).unwrap_err();
        assert_eq!((refused.left, refused.seconds), (0, 20));
        limits.count(&Who::Anybody, ip("192.0.2.2")).unwrap();
        clock.advance(Duration::from_secs(20));
        limits.count(&Who::Anybody, here).unwrap();
        limits.count(&Who::Anybody, here).unwrap_err();
    }

    #[test]
    fn accounts_do_not_share_and_do_not_use_up_their_address() {
        let (limits, _) = limits();
        let here = ip("192.0.2.1");
        let client = |id| Who::Client(Subject::Account(Uuid::from_u128(id)));
        let (one, other) = (client(1), client(2));
        for _ in 0..6 {
            limits.count(&one, here).unwrap();
        }
        limits.count(&one, here).unwrap_err();
        limits.count(&other, here).unwrap();
        limits.count(&Who::Anybody, here).unwrap();
    }

    #[test]
    fn failing_too_often_locks_claims_but_not_reading() {
        let (limits, clock) = limits();
        let here = ip("192.0.2.1");
        limits.failed(here);
        limits.count(&Who::Claimant, here).unwrap();
        limits.failed(here);
        let refused = limits.count(&Who::Claimant, here).unwrap_err();
        assert_eq!((refused.policy, refused.seconds), ("failures", 30));
        limits.count(&Who::Anybody, here).unwrap();
        clock.advance(Duration::from_secs(31));
        limits.count(&Who::Claimant, here).unwrap();
        limits.failed(here);
        limits.count(&Who::Claimant, here).unwrap_err();
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (limits, _) = limits();
        for last in 1..=3 {
            let address = ip(&format!("2001:db8::{last}"));
            limits.count(&Who::Anybody, address).unwrap();
        }
        limits.count(&Who::Anybody, ip("2001:db8::4")).unwrap_err();
        limits.count(&Who::Anybody, ip("2001:db8:0:1::1")).unwrap();
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
        let (limits, clock) = limits();
        let known = || limits.addresses.limiter.read().unwrap().len();
        for number in 0..MAX_KEYS * 2 {
            let number = u32::try_from(number).unwrap();
            let _ = limits.count(&Who::Anybody, IpAddr::from(number.to_be_bytes()));
            assert!(known() <= MAX_KEYS);
        }
        clock.advance(Duration::from_mins(2));
        limits.addresses.forget();
        assert_eq!(known(), 0);
    }
}
