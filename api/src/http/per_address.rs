//! A bound for each address on what may be open at the same time.

use crate::http::rate_limit::group;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone)]
pub struct PerAddress {
    most: usize,
    open: Open,
}

type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One of an address, until it is dropped.
#[derive(Debug)]
pub struct Guest {
    address: IpAddr,
    open: Open,
}

impl PerAddress {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// Admits another one; `None` if the address (IPv6: its /64) has as many as it may.
    #[must_use]
    pub fn admit(&self, address: IpAddr) -> Option<Guest> {
        let address = group(address.to_canonical());
        let mut open = lock(&self.open);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Guest {
            address,
            open: self.open.clone(),
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = lock(&self.open).entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_at_a_time() {
        let bound = PerAddress::new(2);
        let admit = |address: &str| bound.admit(address.parse().unwrap());
        let (one, two) = (admit("192.0.2.1").unwrap(), admit("192.0.2.1").unwrap());
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("::ffff:192.0.2.1").is_none());
        let other = admit("192.0.2.2").unwrap();
        drop(one);
        let again = admit("192.0.2.1").unwrap();
        drop((two, other, again));
        assert!(lock(&bound.open).is_empty());
    }
}
