//! Requests to other servers whose addresses users enter: only to public addresses, unless the
//! configuration allows more.
//!
//! Names are checked when an address is entered, addresses when a connection is made: what a name
//! resolves to is not known before (DNS rebinding). Redirects are never followed, and proxies of
//! the environment not used, since they would connect to anywhere.

use crate::config::{Config, Destination};
use reqwest::StatusCode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const CONNECT: Duration = Duration::from_secs(10);

/// Time limit without data from the other side.
const SILENCE: Duration = Duration::from_secs(90);

const LONGEST_PAUSE: Duration = Duration::from_hours(24);

const PORTS: [u16; 2] = [443, 8443];

#[derive(Debug, Clone, Default)]
struct Allowed(Arc<[Destination]>);

impl Allowed {
    fn has_name(&self, host: &str) -> bool {
        self.0
            .iter()
            .any(|one| matches!(one, Destination::Name(name) if name == host))
    }

    fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0
            .iter()
            .any(|one| matches!(one, Destination::Network(network) if network.contains(&address)))
    }

    fn may_dial(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || self.has_address(address) || self.has_name(host)
    }
}

#[derive(Debug, Clone)]
pub struct Outgoing {
    client: reqwest::Client,
    allowed: Allowed,
}

impl Outgoing {
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        crate::http::crypto::install();
        let allowed = Allowed(config.outbound_allowlist.clone().into());
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Resolver(allowed.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(concat!("verbund/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, allowed })
    }

    pub fn check(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|why| format!("\"{text}\" is not a URL: {why}"))?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.fragment().is_some() {
            return Err(format!("\"{text}\" must have no user and no fragment"));
        }
        let host = url
            .host()
            .ok_or_else(|| format!("\"{text}\" has no host"))?;
        let trusted = match &host {
            Host::Domain(name) => {
                // A name may end with the dot of the root.
                let name = name.strip_suffix('.').unwrap_or(name);
                let local = name == "localhost" || name.ends_with(".localhost");
                let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                let allowed = self.allowed.has_name(name)
                    || local && loopback.iter().any(|one| self.allowed.has_address(*one));
                if local && !allowed {
                    return Err(format!("\"{text}\" is not a public address"));
                }
                allowed
            }
            Host::Ipv4(address) => self.trusts(text, (*address).into())?,
            Host::Ipv6(address) => self.trusts(text, (*address).into())?,
        };
        if trusted && ["http", "https"].contains(&url.scheme()) {
            return Ok(url);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if url.scheme() != "https" || !PORTS.contains(&port) {
            let ports = PORTS.map(|port| port.to_string()).join(" or ");
            return Err(format!("\"{text}\" must be https:// at port {ports}"));
        }
        Ok(url)
    }

    /// Whether the configuration allows an address; an error if it is not public either.
    fn trusts(&self, text: &str, address: IpAddr) -> Result<bool, String> {
        let allowed = self.allowed.has_address(address);
        if allowed || is_public(address) {
            return Ok(allowed);
        }
        Err(format!("\"{text}\" is not a public address"))
    }

    pub fn get(&self, url: &str) -> Result<reqwest::RequestBuilder, String> {
        Ok(self.client.get(self.check(url)?))
    }

    pub fn post(&self, url: &str) -> Result<reqwest::RequestBuilder, String> {
        Ok(self.client.post(self.check(url)?))
    }
}

struct Resolver(Allowed);

/// A name without an allowed address.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
struct NotPublic(String);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let dialled = found.filter(|address| allowed.may_dial(&host, address.ip()));
            let dialled: Vec<SocketAddr> = dialled.collect();
            if dialled.is_empty() {
                return Err(NotPublic(host).into());
            }
            Ok(Box::new(dialled.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is globally reachable (IANA special-purpose address registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation();
    let shared = match address.octets() {
        // This network; IETF protocols; benchmarks; reserved; relays of 6to4; metadata services of
        // clouds.
        [0 | 240..=255, ..]
        | [192, 0, 0, _]
        | [198, 18..=19, ..]
        | [192, 88, 99, _]
        | [168, 63, 129, 16] => true,
        // Carrier-grade NAT.
        [100, second, ..] => (64..128).contains(&second),
        _ => false,
    };
    !special && !shared
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Embedded IPv4 addresses (Teredo and others, 6to4), and documentation.
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        // Global unicast; everything else has special purposes.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// The pause in seconds that the other side asks for, at most a day.
pub(crate) fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = seconds.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// Whether a response comes from a gateway in front of an unreachable server.
pub(crate) fn is_from_a_gateway(status: StatusCode) -> bool {
    [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .contains(&status)
}

/// An error of a request and the chain of its causes.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(allowed: &[&str]) -> Outgoing {
        let allowed = allowed.iter().map(|one| (*one).to_owned().try_into());
        Outgoing::new(&Config {
            outbound_allowlist: allowed.collect::<Result<_, _>>().unwrap(),
            ..Config::default()
        })
        .unwrap()
    }

    #[test]
    fn only_public_servers_are_good_addresses() {
        let outgoing = outgoing(&[]);
        for good in [
            "https://verzeichnis.example",
            "https://verzeichnis.example:8443/knoten/",
            "https://9.9.9.9/",
            "https://[2620:fe::fe]/",
        ] {
            assert!(outgoing.check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://verzeichnis.example",
            "https://verzeichnis.example:22",
            "https://verzeichnis.example:80",
            "https://anna:geheim@verzeichnis.example",
            "https://verzeichnis.example#a",
            "ftp://verzeichnis.example",
            "file:///etc/passwd",
            "https:",
            "https://localhost",
            "https://localhost./",
            "https://192.88.99.1",
            "https://168.63.129.16/metadata",
            "https://a.localhost/",
            "https://127.0.0.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://0x7f.1",
            "https://0177.0.0.1",
            "https://127.1",
            "https://0.0.0.0",
            "https://10.0.0.1",
            "https://172.16.0.1",
            "https://192.168.1.1",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1",
            "https://198.18.0.1",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "https://[::1]",
            "https://[::]",
            "https://[::ffff:10.0.0.1]",
            "https://[::ffff:127.0.0.1]",
            "https://[fe80::1]",
            "https://[fd00::1]",
            "https://[ff02::1]",
            "https://[64:ff9b::7f00:1]",
            "https://[2002:7f00:1::]",
            "https://[2001:0:1::]",
            "https://[2001:db8::1]",
        ] {
            assert!(outgoing.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_configuration_names_is_good_in_any_way() {
        let outgoing = outgoing(&["127.0.0.0/8", "node-b", "10.1.2.3"]);
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://node-b:8080",
            "http://10.1.2.3",
        ] {
            assert!(outgoing.check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.1.2.4",
            "http://node-c:8080",
            "ftp://127.0.0.1",
            "http://[::1]",
        ] {
            assert!(outgoing.check(bad).is_err(), "{bad}");
        }
        let wrong = Destination::try_from("not a host".to_owned());
        assert!(wrong.is_err());
    }

    #[tokio::test]
    async fn what_a_name_resolves_to_is_looked_at_when_it_is_dialled() {
        // The name passes the check of names; its address does not.
        let resolver = Resolver(Allowed::default());
        let refused = resolver.resolve("localhost".parse().unwrap()).await;
        assert!(refused.is_err());
        let allowed = Allowed([Destination::Name("localhost".to_owned())].into());
        let found = Resolver(allowed)
            .resolve("localhost".parse().unwrap())
            .await;
        assert!(found.unwrap().all(|address| address.ip().is_loopback()));
    }
}
