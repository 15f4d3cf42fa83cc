//! What the node says about itself: its address, its provider and the licence of its data.

use crate::config::Config;
use domain::value::format;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A configured text of a known form.
macro_rules! checked {
    ($(#[$about:meta])* $name:ident, $check:path, $expected:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(_) => Err(format!(concat!("\"{}\" is not ", $expected), text)),
                }
            }
        }

        impl From<$name> for String {
            fn from(checked: $name) -> Self {
                checked.0
            }
        }
    };
}

checked!(
    /// The address of a licence on the web.
    Licence,
    format::http_url,
    "the address of a licence, such as https://creativecommons.org/licenses/by/4.0/"
);

checked!(
    /// The mailbox of an organisation.
    Mailbox,
    format::email,
    "a mailbox, such as daten@verzeichnis.example"
);

checked!(
    /// The id of a data provider at `GovData`.
    ContributorId,
    format::http_url,
    "a contributor id of DCAT-AP.de, such as http://dcat-ap.de/def/contributors/landNRW"
);

/// The node as others see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The URL of this server, without a trailing slash; absent if only its operator can know it.
    base: Option<String>,
    pub origin: String,
    pub licence: Option<String>,
    pub publisher: Option<String>,
    pub contact_email: Option<String>,
    /// The node's id at data portals.
    pub contributor_id: Option<String>,
}

impl Site {
    /// The node `origin`, served at `address`. Without `public_url` only a server on this machine
    /// knows how it is reached.
    #[must_use]
    pub fn new(config: &Config, origin: &str, address: SocketAddr) -> Self {
        let configured = config.public_url.as_ref();
        let configured = configured.map(|url| url.as_str().trim_end_matches('/').to_owned());
        let local = (address.ip().is_loopback() || config.demo).then(|| {
            if address.ip().is_unspecified() {
                format!("http://localhost:{}", address.port())
            } else {
                format!("http://{address}")
            }
        });
        Self {
            base: configured.or(local),
            origin: origin.to_owned(),
            licence: config.licence.clone().map(String::from),
            publisher: config.publisher.clone(),
            contact_email: config.contact_email.clone().map(String::from),
            contributor_id: config.contributor_id.clone().map(String::from),
        }
    }

    /// The URL of this server, without a trailing slash, if it is known.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The absolute address of a path; relative if the URL of this server is not known.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_deref().unwrap_or_default())
    }

    /// The provider of the data, or else the name of the node.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.publisher.as_deref().unwrap_or(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WebUrl;

    #[test]
    fn only_a_server_on_this_machine_knows_its_address() {
        let base = |public: Option<&str>, demo: bool, address: &str| {
            let config = Config {
                public_url: public.map(|url| WebUrl::try_from(url.to_owned()).unwrap()),
                demo,
                ..Config::default()
            };
            let site = Site::new(&config, "beispiel", address.parse().unwrap());
            site.base().map(str::to_owned)
        };
        for (public, demo, address, expected) in [
            (None, false, "127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            (None, false, "[::1]:8080", Some("http://[::1]:8080")),
            (None, false, "0.0.0.0:8080", None),
            (None, false, "192.0.2.7:8080", None),
            (None, true, "0.0.0.0:8080", Some("http://localhost:8080")),
            (
                Some("https://verzeichnis.example/"),
                true,
                "0.0.0.0:8080",
                Some("https://verzeichnis.example"),
            ),
        ] {
            assert_eq!(
                base(public, demo, address).as_deref(),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn a_licence_has_an_address() {
        let licence = |text: &str| Licence::try_from(text.to_owned());
        assert!(licence("https://creativecommons.org/licenses/by/4.0/").is_ok());
        let message = licence("CC BY 4.0").unwrap_err();
        assert!(
            message.contains("\"CC BY 4.0\" is not the address"),
            "{message}"
        );
    }
}
