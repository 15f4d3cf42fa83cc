//! How many connections there may be: fewer than the process has descriptors, so that the database
//! and the index can always open a file, and from one address fewer than all.

use crate::config::{Config, Network};
use crate::http::per_address::{Guest, PerAddress};
use std::io::{Error, ErrorKind};
use std::net::IpAddr;

/// Descriptors for everything else: the database, the index, partners, webhooks.
const RESERVE: u64 = 256;

/// The part of all connections that one address may have.
const SHARE: usize = 4;

/// Connections that every address may have.
const FEW: usize = 16;

/// Descriptors of a process of which no limit is known: the usual limit.
const USUAL: u64 = 1024;

#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pub(crate) per_worker: usize,
    most: usize,
    open: PerAddress,
    /// Many clients come from the address of a proxy.
    trusted: Vec<Network>,
}

impl Connections {
    /// Raises the soft limit of descriptors as far as it goes, and divides them.
    pub(crate) fn new(config: &Config, workers: usize) -> Self {
        let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(USUAL);
        Self::within(descriptors, config, workers)
    }

    fn within(descriptors: u64, config: &Config, workers: usize) -> Self {
        let ours = descriptors.saturating_sub(RESERVE).max(descriptors / 2);
        let ours = usize::try_from(ours).unwrap_or(usize::MAX);
        let per_worker = config
            .connections_per_worker
            .min(ours / workers.max(1))
            .max(1);
        let most = (per_worker * workers / SHARE).max(FEW);
        Self {
            per_worker,
            most,
            open: PerAddress::new(most),
            trusted: config.trusted_proxies.clone(),
        }
    }

    /// Admits a connection, which ends with the guest, if it is counted at all.
    ///
    /// # Errors
    /// If its address has too many.
    pub(crate) fn admit(&self, address: IpAddr) -> std::io::Result<Option<Guest>> {
        let address = address.to_canonical();
        if self.trusted.iter().any(|one| one.has(address)) {
            return Ok(None);
        }
        let guest = self.open.admit(address);
        let refused = || {
            let most = self.most;
            Error::new(
                ErrorKind::QuotaExceeded,
                format!("more than {most} connections"),
            )
        };
        guest.ok_or_else(refused).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_left_for_everything_else() {
        let config = Config::default();
        let of = |descriptors, workers| {
            let connections = Connections::within(descriptors, &config, workers);
            (connections.per_worker, connections.most)
        };
        assert_eq!(of(1024, 2), (384, 192));
        assert_eq!(of(1_000_000, 2), (4096, 2048));
        assert_eq!(of(64, 4), (8, 16));
    }

    #[test]
    fn an_address_has_its_share_and_a_proxy_all() {
        let config = Config {
            trusted_proxies: vec!["10.0.0.1".to_owned().try_into().unwrap()],
            ..Config::default()
        };
        let connections = Connections::within(384, &config, 1);
        let admit = |address: &str| connections.admit(address.parse().unwrap());
        let guests: Vec<_> = (0..48).map(|_| admit("192.0.2.1").unwrap()).collect();
        admit("192.0.2.1").unwrap_err();
        drop(admit("192.0.2.2").unwrap());
        for _ in 0..100 {
            assert!(admit("10.0.0.1").unwrap().is_none());
        }
        drop(guests);
        admit("192.0.2.1").unwrap();
    }
}
