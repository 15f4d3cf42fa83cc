//! What any GET request may cost: every operation of the document, with each parameter repeated and
//! lengthened up to the longest URL.

use reqwest::Client;
use serde_json::Value;
use std::time::Duration;
use tests::conform::document;
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::settings::tell;
use tests::{Backend, Content};

/// Somewhat less than the longest URL.
const LONG: usize = 8_000;

/// Units of the rate limit that one request may cost: half a second of processor time.
const UNITS: u64 = 50;

/// Processor time of a build that is not optimised.
const TIME: Duration = Duration::from_secs(4);

/// Bytes of an answer: the largest page.
const ANSWER: usize = 6 * 1024 * 1024;

/// What all of them together may leave behind.
const MEMORY: u64 = 128 * 1024 * 1024;

/// Values for the variables of paths.
fn filled(path: &str) -> String {
    let kinds = [
        ("regions", "hessen"),
        ("topics", "telemedizin"),
        ("actors", "b-braun"),
        ("networks", "mo-win-net"),
        ("projects", "klinikcluster-ruhr"),
    ];
    let slug = kinds
        .iter()
        .find(|(kind, _)| path.starts_with(&format!("/v1/{kind}/")));
    let mut filled = String::new();
    for segment in path.split('/').skip(1) {
        filled.push('/');
        match (segment.split_once('{'), slug) {
            (None, _) => filled.push_str(segment),
            (Some((before, rest)), slug) => {
                let (name, after) = rest.split_once('}').unwrap();
                let value = match (name, slug) {
                    ("id", Some((_, slug))) => slug,
                    ("version" | "number", _) => "1",
                    _ => "0193e5a0-0000-7000-8000-000000000000",
                };
                filled.extend([before, value, after]);
            }
        }
    }
    filled
}

/// A right value of a parameter.
fn example(parameter: &Value) -> String {
    let written = parameter["example"].as_str().map(str::to_owned);
    let told = parameter["description"].as_str().unwrap_or_default();
    let told = told
        .split_once("For example `")
        .and_then(|(_, rest)| rest.split_once('`'));
    let told = told.map(|(example, _)| example.to_owned());
    let words = parameter["schema"]
        .pointer("/items/enum/0")
        .and_then(Value::as_str);
    let words = words.map(str::to_owned);
    written.or(told).or(words).unwrap_or_else(|| "a".to_owned())
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b',' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// The parameter alone as often as it fits: repeated, as a list, in one word, and with all values
/// different.
fn queries(parameter: &Value) -> Vec<String> {
    let name = parameter["name"].as_str().unwrap();
    let value = encoded(&example(parameter));
    let pair = format!("{name}={value}");
    let times = LONG / (pair.len() + 1);
    let listed = LONG / (value.len() + 1);
    let different = (0..LONG / 6).map(|number| format!("{number:x}"));
    let words: Vec<_> = (0..70).map(|number| format!("w{number}ort")).collect();
    vec![
        pair.clone(),
        vec![pair; times].join("&"),
        format!(
            "{name}={}",
            vec![value.clone(); listed.min(3_900 / (value.len() + 1))].join(",")
        ),
        format!("{name}={}", value.repeat(3_900 / value.len())),
        format!("{name}={}", different.collect::<Vec<_>>().join(",")),
        format!("{name}={}", words.join("%20")),
    ]
}

struct Bench {
    server: Process,
    client: Client,
    token: String,
    /// Units before the request, that of reading them included.
    units: u64,
}

impl Bench {
    async fn read(&self, path: &str) -> (u16, String) {
        let call = self.client.get(format!("{}{path}", self.server.base));
        let answer = call.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    }

    async fn units(&self) -> u64 {
        let (_, metrics) = self.read("/metrics").await;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("verbund_request_units_total"));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    }

    async fn check(&mut self, path: &str) {
        let time = self.server.cpu();
        let (status, text) = self.read(path).await;
        let time = self.server.cpu().saturating_sub(time);
        let units = self.units().await;
        // Reading the metrics takes one itself.
        let cost = units - self.units - 1;
        self.units = units;
        let shown: String = path.chars().take(120).collect();
        assert!(status < 500, "{status} for {shown}: {text}");
        assert!(text.len() < ANSWER, "{} bytes for {shown}", text.len());
        assert!(cost <= UNITS, "{cost} units for {shown}");
        assert!(time < TIME, "{time:?} for {shown}");
    }
}

#[test]
fn no_parameter_makes_a_request_dear() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let token = admin_token(&database).await;
        let mut bench = Bench {
            server: Process::serve(&database).await,
            client: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            token,
            units: 0,
        };
        bench.server.searchable().await;
        bench.units = bench.units().await;
        let before = bench.server.memory();
        let (mut most, mut asked) = (before, 0);
        for (path, operations) in document()["paths"].as_object().unwrap() {
            // Those as GeoJSON are the same operations.
            if !operations["get"].is_object() || path.ends_with(".geojson") {
                continue;
            }
            let path = filled(path);
            let parameters = operations["get"]["parameters"].as_array().unwrap();
            let in_query = parameters.iter().filter(|one| one["in"] == "query");
            // Waiting takes long and costs nothing.
            let in_query = in_query.filter(|one| one["name"] != "wait_seconds");
            bench.check(&path).await;
            for query in in_query.flat_map(queries) {
                bench.check(&format!("{path}?{query}")).await;
                most = most.max(bench.server.memory());
                asked += 1;
            }
        }
        let grown = (most - before) >> 20;
        tell(&format!(
            "{asked} requests: {} MiB before, {grown} MiB more",
            before >> 20
        ));
        assert!(asked > 1000, "{asked}");
        assert!(most - before < MEMORY, "{grown} MiB");
        bench.server.kill().await;
        database.remove().await;
    });
}
