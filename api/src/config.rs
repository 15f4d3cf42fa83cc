//! Configuration: the command line overrides the environment (`VERBUND_…`), which overrides
//! `verbund.toml`, which overrides the defaults.

mod network;
mod site;
mod web_url;

pub use network::{Destination, Network};
pub use site::{ContributorId, Licence, Mailbox, Site};
pub use web_url::WebUrl;

use domain::access::account::TokenScope;
use domain::base::clock::{DEFAULT_TIMEZONE, Tz};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::Value;
use persistence::feed::prune::LEAST_DAYS;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq;

/// All settings. Unknown keys are errors, in the file and in the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// Folder of the search index, one per process; `index` in `data_dir` if absent.
    pub index_dir: Option<PathBuf>,
    /// `sqlite://…` or `postgres://…`; SQLite in `data_dir` if absent.
    pub database_url: Option<String>,
    /// Name of the node in the envelope of its records; chosen at the first start, never changed.
    pub origin: Option<String>,
    pub demo: bool,
    /// Time zone (IANA) that decides which day is today.
    pub timezone: Tz,
    #[serde(deserialize_with = "one_or_many")]
    pub cors_origins: Vec<String>,
    /// URL under which the server is reached from outside; the listen address if absent.
    pub public_url: Option<WebUrl>,
    /// Address of the licence of this node's data.
    pub licence: Option<Licence>,
    /// Name of the organisation that provides the data.
    pub publisher: Option<String>,
    /// Mailbox of that organisation, to which visitors of the pages suggest corrections.
    pub contact_email: Option<Mailbox>,
    /// Id of the provider in catalogues by DCAT-AP.de.
    pub contributor_id: Option<ContributorId>,
    /// Whether people get tokens with name and password (`POST /oauth/token`).
    pub password_grant: bool,
    pub issuers: Vec<IssuerConfig>,
    /// Number of threads that serve requests; one per core if absent.
    pub workers: Option<usize>,
    /// Seconds for pending requests when the server is asked to stop.
    pub shutdown_timeout_seconds: u64,
    /// Seconds within which the head of a request must arrive.
    pub header_timeout_seconds: u64,
    pub keep_alive_timeout_seconds: u64,
    /// Seconds for which the server waits for the body of a request; every `min_body_bytes_per_second`
    /// that arrive add one.
    pub body_timeout_seconds: u64,
    pub min_body_bytes_per_second: NonZeroU32,
    /// Seconds in which a client may read nothing of its response, or less than 1 KiB/s.
    pub response_timeout_seconds: u64,
    /// Number of connections per thread; further ones wait.
    pub connections_per_worker: usize,
    pub requests_per_minute_client: NonZeroU32,
    /// Requests per minute without a token from an address (IPv6: from a /64).
    pub requests_per_minute_address: NonZeroU32,
    pub auth_failures_per_minute: NonZeroU32,
    /// Proxies whose `X-Forwarded-For` is trusted: addresses, or networks such as `10.0.0.0/8`.
    #[serde(deserialize_with = "one_or_many")]
    pub trusted_proxies: Vec<Network>,
    /// Allowed destinations of requests to addresses that users enter, although they are not
    /// public: networks such as `10.0.0.0/8`, or host names.
    #[serde(deserialize_with = "one_or_many")]
    pub outbound_allowlist: Vec<Destination>,
    /// Days for which superseded log entries are kept; forever if absent.
    pub log_retention_days: Option<RetentionDays>,
    /// Token for reading `/metrics`; if absent, only admins can.
    pub metrics_token: Option<MetricsToken>,
    /// Name of the directory on its pages.
    pub explorer_title: Option<String>,
    /// Text above the search of the first page, in German.
    pub explorer_introduction: Option<String>,
    pub explorer_introduction_en: Option<String>,
    /// Logo of the pages: a file in SVG or PNG.
    pub explorer_logo: Option<PathBuf>,
    /// Stylesheet that is applied after that of the pages.
    pub explorer_stylesheet: Option<PathBuf>,
    /// Map tiles of another server, with `{z}`, `{x}` and `{y}`; the built-in map if absent.
    pub tile_url: Option<String>,
    pub tile_attribution: Option<String>,
    /// Pages that the law requires, linked at the foot of every page.
    pub imprint_url: Option<WebUrl>,
    pub privacy_url: Option<WebUrl>,
    pub accessibility_url: Option<WebUrl>,
    /// Log filter, as `tracing` directives.
    pub log: String,
    pub log_format: LogFormat,
}

/// A list, or one value alone: the environment then needs no syntax of lists.
fn one_or_many<'de, D, T>(source: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let given = <Value as Deserialize>::deserialize(source)?;
    let items = match given {
        Value::Array(_, items) => items,
        one => vec![one],
    };
    let items = items.iter().map(Value::deserialize::<T>);
    items.collect::<Result<_, _>>().map_err(D::Error::custom)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its URL, exactly as in `iss` of its tokens.
    pub url: WebUrl,
    /// The `aud` of its tokens for this node.
    pub audience: String,
    /// The URL of its keys; found by discovery if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<WebUrl>,
    /// The scopes of tokens that contain none of this node's.
    #[serde(default = "directory_only")]
    pub scopes: Vec<TokenScope>,
}

fn directory_only() -> Vec<TokenScope> {
    vec![TokenScope::Directory]
}

/// A retention in days, at least [`LEAST_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RetentionDays(u32);

impl TryFrom<u32> for RetentionDays {
    type Error = String;

    fn try_from(days: u32) -> Result<Self, String> {
        if (LEAST_DAYS..=MOST_DAYS).contains(&days) {
            return Ok(Self(days));
        }
        Err(format!(
            "{days} days are not between {LEAST_DAYS} and {MOST_DAYS}"
        ))
    }
}

impl From<RetentionDays> for u32 {
    fn from(days: RetentionDays) -> Self {
        days.0
    }
}

/// A configured token; never shown in messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricsToken(String);

impl MetricsToken {
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        self.0.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl std::fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsToken(…)")
    }
}

impl TryFrom<String> for MetricsToken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let fine = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong = "metrics_token must have at least 16 visible ASCII characters and no spaces";
        fine.then_some(Self(text)).ok_or(wrong)
    }
}

impl From<MetricsToken> for String {
    fn from(token: MetricsToken) -> Self {
        token.0
    }
}

/// Ten thousand years: more is a mistake.
const MOST_DAYS: u32 = 3_650_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// A positive number; zero becomes one.
const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: PathBuf::from("./verbund-data"),
            index_dir: None,
            database_url: None,
            origin: None,
            demo: false,
            timezone: DEFAULT_TIMEZONE,
            cors_origins: Vec::new(),
            public_url: None,
            licence: None,
            publisher: None,
            contact_email: None,
            contributor_id: None,
            password_grant: true,
            issuers: Vec::new(),
            workers: None,
            shutdown_timeout_seconds: 10,
            header_timeout_seconds: 5,
            keep_alive_timeout_seconds: 15,
            body_timeout_seconds: 30,
            min_body_bytes_per_second: number(1024),
            response_timeout_seconds: 30,
            connections_per_worker: 4096,
            requests_per_minute_client: number(1200),
            requests_per_minute_address: number(600),
            auth_failures_per_minute: number(20),
            trusted_proxies: Vec::new(),
            outbound_allowlist: Vec::new(),
            log_retention_days: None,
            metrics_token: None,
            explorer_title: None,
            explorer_introduction: None,
            explorer_introduction_en: None,
            explorer_logo: None,
            explorer_stylesheet: None,
            tile_url: None,
            tile_attribution: None,
            imprint_url: None,
            privacy_url: None,
            accessibility_url: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Reads the configuration; `command_line` has the options of the command line.
    pub fn load(
        file: Option<&Path>,
        command_line: impl Serialize,
    ) -> Result<Self, Box<figment::Error>> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        let usual = Path::new("verbund.toml");
        if let Some(file) = file.or_else(|| usual.exists().then_some(usual)) {
            layers = layers.merge(Toml::file_exact(file));
        }
        // This variable names the file itself.
        layers
            .merge(Env::prefixed("VERBUND_").ignore(&["config"]))
            .merge(Serialized::defaults(command_line))
            .extract()
            .map_err(Box::new)
    }

    /// The keys of legal pages that a public node lacks: one with a `public_url` that is not on this
    /// machine.
    #[must_use]
    pub fn missing_legal_pages(&self) -> Vec<&'static str> {
        let host = self.public_url.as_ref().map(WebUrl::host);
        if host.is_none_or(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host)) {
            return Vec::new();
        }
        let pages = [
            ("imprint_url", &self.imprint_url),
            ("privacy_url", &self.privacy_url),
            ("accessibility_url", &self.accessibility_url),
        ];
        let missing = pages.into_iter().filter(|(_, page)| page.is_none());
        missing.map(|(key, _)| key).collect()
    }

    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.index_dir
            .clone()
            .unwrap_or_else(|| self.data_dir.join("index"))
    }

    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("verbund.sqlite")
    }

    #[must_use]
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| {
            let path = self.database_file();
            let path = path.to_string_lossy();
            // Characters that would end the path of a URL are escaped.
            let path = path
                .replace('%', "%25")
                .replace('?', "%3F")
                .replace('#', "%23");
            format!("sqlite://{path}")
        })
    }

    /// The database without user, password and parameters, which may be secret.
    #[must_use]
    pub fn database_for_display(&self) -> String {
        if self.database_url.is_none() {
            return self.database();
        }
        let Ok(url) = url::Url::parse(&self.database()) else {
            return "a database with a malformed URL".to_owned();
        };
        let host = url.host_str().unwrap_or_default();
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{host}{port}{}", url.scheme(), url.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_value_needs_no_list() {
        let read = |given: serde_json::Value| Config::load(None, given);
        let lists = |config: &Config| {
            let proxies: Vec<String> = config
                .trusted_proxies
                .iter()
                .map(|&one| one.into())
                .collect();
            (config.cors_origins.clone(), proxies)
        };
        let one = json!({"cors_origins": "https://a.example", "trusted_proxies": "10.0.0.0/8"});
        let many =
            json!({"cors_origins": ["https://a.example"], "trusted_proxies": ["10.0.0.0/8"]});
        let expected = (
            vec!["https://a.example".to_owned()],
            vec!["10.0.0.0/8".to_owned()],
        );
        for given in [one, many] {
            assert_eq!(lists(&read(given).unwrap()), expected);
        }
        let wrong = read(json!({"trusted_proxies": ["10.0.0.0/8", "the proxy"]}));
        let message = wrong.unwrap_err().to_string();
        assert!(message.contains("\"the proxy\" is neither"), "{message}");
        assert!(message.contains("trusted_proxies"), "{message}");
    }

    #[test]
    fn a_public_node_needs_legal_pages() {
        let missing = |given| Config::load(None, given).unwrap().missing_legal_pages();
        assert!(missing(json!({})).is_empty());
        assert!(missing(json!({"public_url": "http://127.0.0.1:8080"})).is_empty());
        let public =
            json!({"public_url": "https://v.example", "imprint_url": "https://a.example/i"});
        assert_eq!(missing(public), ["privacy_url", "accessibility_url"]);
    }

    #[test]
    fn no_secret_of_the_database_is_shown() {
        let shown = |url: &str| {
            let config = Config {
                database_url: Some(url.to_owned()),
                ..Config::default()
            };
            config.database_for_display()
        };
        for (url, wanted) in [
            (
                "postgres://anna:geheim@db.example:5433/verbund",
                "postgres://db.example:5433/verbund",
            ),
            (
                "postgres:///verbund?host=/run&user=anna&password=geheim",
                "postgres:///verbund",
            ),
            (
                "postgres://anna:geheim@db.example:port/verbund",
                "a database with a malformed URL",
            ),
            (
                "sqlite:///var/lib/verbund.sqlite",
                "sqlite:///var/lib/verbund.sqlite",
            ),
        ] {
            assert_eq!(shown(url), wanted);
        }
    }
}
