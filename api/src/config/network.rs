//! Configured networks, addresses and hosts.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use url::Host;

/// A configured network: `10.0.0.0/8`, or `127.0.0.1` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let alone = text.parse::<IpAddr>().map(IpNet::from);
        alone.or_else(|_| text.parse()).map(Self).map_err(|_| {
            format!("\"{text}\" is neither an IP address nor a network such as 10.0.0.0/8")
        })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

/// An allowed destination that is not public: a network such as `10.0.0.0/8`, an address, or a host
/// name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Destination {
    Network(IpNet),
    Name(String),
}

impl TryFrom<String> for Destination {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        match Host::parse(&text) {
            Ok(Host::Domain(name)) => Ok(Self::Name(name)),
            Ok(_) | Err(_) => Err(format!(
                "\"{text}\" is neither an IP address, nor a network such as 10.0.0.0/8, nor a host name"
            )),
        }
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        match destination {
            Destination::Network(network) => network.to_string(),
            Destination::Name(name) => name,
        }
    }
}
