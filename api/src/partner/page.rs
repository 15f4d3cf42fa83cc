//! What partners answer, read within limits.

use crate::outgoing::{Outgoing, causes, retry_after};
use domain::sync::FeedPhase;
use domain::vocabulary::Coded;
use persistence::partner::{PartnerPage, Read};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where feeds are.
pub(super) const CHANGES: &str = "/v1/sync/changes";

/// Where digests are.
pub(super) const DIGEST: &str = "/v1/sync/digest";

/// How many bytes an answer may have, decompressed.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How long an answer may take, beside the time that it was asked to wait.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long the address of the next page may be.
const MOST_NEXT: usize = 4000;

/// What a partner answered.
#[derive(Debug)]
pub(super) enum Fetched {
    /// A page.
    Page(PartnerPage),
    /// That everything must be taken over anew, and why.
    BeginAnew(String),
}

/// The digests of a partner: count and sum by the kind's code.
#[derive(Debug)]
pub(super) struct TheirDigests {
    pub(super) seq: i64,
    pub(super) kinds: BTreeMap<String, (u64, String)>,
}

/// Why an answer is no good.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) why: String,
    pub(super) retry_after: Option<Duration>,
}

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self {
            why,
            retry_after: None,
        }
    }
}

/// A page as it is sent; unknown members are passed over.
#[derive(Debug, Deserialize)]
struct Sent {
    origin: String,
    entries: Vec<Box<RawValue>>,
    phase: String,
    seq: i64,
    head_seq: i64,
    up_to_date: bool,
    next: String,
}

/// A problem document, as far as it matters.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize)]
struct DigestsSent {
    seq: i64,
    items: Vec<DigestSent>,
}

#[derive(Debug, Deserialize)]
struct DigestSent {
    kind: String,
    count: u64,
    sum: String,
}

/// Reads a page of a feed.
pub(super) async fn fetch(
    outgoing: &Outgoing,
    url: &str,
    wait: Duration,
) -> Result<Fetched, Unreadable> {
    let response = send(outgoing, url, wait).await?;
    let status = response.status();
    if ![StatusCode::OK, StatusCode::GONE].contains(&status) {
        return Err(format!("it answers {status}").into());
    }
    let body = body(response).await?;
    if status == StatusCode::GONE {
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        if problem.r#type.ends_with("/resync-required") {
            return Ok(Fetched::BeginAnew(problem.reason));
        }
        return Err(format!("it answers {status}").into());
    }
    // Hashing a page takes its time.
    let read = tokio::task::spawn_blocking(move || page(&body)).await;
    let read = read.map_err(|why| why.to_string())?;
    Ok(Fetched::Page(read?))
}

/// Reads digests.
pub(super) async fn digests(outgoing: &Outgoing, url: &str) -> Result<TheirDigests, Unreadable> {
    let response = send(outgoing, url, Duration::ZERO).await?;
    let status = response.status();
    if status != StatusCode::OK {
        return Err(format!("it answers {status} when digests are asked for").into());
    }
    let body = body(response).await?;
    let sent: DigestsSent = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
    let kinds = sent.items.into_iter();
    Ok(TheirDigests {
        seq: sent.seq,
        kinds: kinds.map(|one| (one.kind, (one.count, one.sum))).collect(),
    })
}

async fn send(outgoing: &Outgoing, url: &str, wait: Duration) -> Result<Response, Unreadable> {
    let request = outgoing.get(url)?.timeout(wait + PATIENCE);
    let response = request.send().await;
    let response = response.map_err(|why| causes(&why.without_url()))?;
    let busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if busy.contains(&response.status()) {
        return Err(Unreadable {
            why: format!("it answers {}", response.status()),
            retry_after: retry_after(&response),
        });
    }
    Ok(response)
}

async fn body(mut response: Response) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|why| causes(&why.without_url()))? {
            Some(chunk) if body.len() + chunk.len() > MOST_BYTES => {
                return Err(format!("an answer of more than {MOST_BYTES} bytes").into());
            }
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Ok(body),
        }
    }
}

fn page(body: &[u8]) -> Result<PartnerPage, String> {
    let sent: Sent = serde_json::from_slice(body).map_err(|why| why.to_string())?;
    let phase = FeedPhase::parse(&sent.phase);
    let phase = phase.ok_or_else(|| format!("the phase {} is unknown", sent.phase))?;
    let fine = sent.next.starts_with(&format!("{CHANGES}?"))
        && sent.next.len() <= MOST_NEXT
        && sent
            .next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !fine {
        return Err("the address of the next page is none".to_owned());
    }
    let entries = sent.entries.iter();
    Ok(PartnerPage {
        entries: entries
            .map(|one| Read::new(one.get(), &sent.origin))
            .collect(),
        origin: sent.origin,
        phase,
        seq: sent.seq,
        head: sent.head_seq,
        up_to_date: sent.up_to_date,
        next: sent.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_next_page_is_on_the_same_server() {
        let with = |next: &str| {
            let sent = json!({"origin": "partner", "entries": [{}, 1], "phase": "tail", "seq": 1, "head_seq": 1, "up_to_date": true, "next": next, "tomorrow": 1});
            page(sent.to_string().as_bytes())
        };
        let read = with("/v1/sync/changes?cursor=AAA").unwrap();
        assert_eq!(read.entries.len(), 2);
        for bad in [
            "https://elsewhere.example/v1/sync/changes?cursor=AAA",
            "//elsewhere.example/v1/sync/changes?cursor=AAA",
            "/v1/sync/changes",
            "/v1/sync/changes?cursor=A A",
            "/v1/sync/changes?cursor=A\r\nHost: b",
            "/v1/actors?",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}
