//! Responses of partners, parsed within limits.

use crate::exchange::partners::transport::{Answer, PartnerTransport, Unreadable};
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{FeedPhase, MAX_COUNT};
use persistence::partner::{MOST_ENTRIES, ParsedEntry, PartnerPage};
use reqwest::StatusCode;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

pub(crate) const CHANGES: &str = "/v1/sync/changes";

pub(crate) const DIGEST: &str = "/v1/sync/digest";

const MOST_NEXT: usize = 4000;

/// One for each kind, of this release or a later one.
const MOST_DIGESTS: usize = 100;

#[derive(Debug)]
pub(crate) enum Fetched {
    Page(PartnerPage),
    /// Everything must be read again, with the reason.
    Restart(String),
}

/// The digests of a partner: count and sum by the kind's code.
#[derive(Debug)]
pub(crate) struct TheirDigests {
    pub(crate) seq: i64,
    pub(crate) kinds: BTreeMap<String, (u64, String)>,
}

/// A page as sent; unknown members are ignored.
#[derive(Debug, Deserialize)]
struct Sent {
    origin: String,
    #[serde(deserialize_with = "at_most::<_, _, MOST_ENTRIES>")]
    entries: Vec<Box<RawValue>>,
    phase: String,
    after_seq: Option<i64>,
    seq: i64,
    head_seq: i64,
    up_to_date: bool,
    next: String,
}

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
    #[serde(deserialize_with = "at_most::<_, _, MOST_DIGESTS>")]
    items: Vec<DigestSent>,
}

#[derive(Debug, Deserialize)]
struct DigestSent {
    kind: String,
    count: i64,
    sum: String,
}

/// Reads a list, and stops at the first element that is too many.
fn at_most<'de, D, T, const MOST: usize>(source: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct AtMost<T, const MOST: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for AtMost<T, MOST> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a list of at most {MOST}")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(element) = list.next_element()? {
                if read.len() == MOST {
                    return Err(A::Error::invalid_length(MOST + 1, &self));
                }
                read.push(element);
            }
            Ok(read)
        }
    }

    source.deserialize_seq(AtMost::<T, MOST>(PhantomData))
}

pub(crate) async fn fetch(
    partner: &impl PartnerTransport,
    url: &str,
    wait: Duration,
) -> Result<Fetched, Unreadable> {
    let Answer { status, body } = partner.get(url, wait).await?;
    if status == StatusCode::GONE {
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        if problem.r#type.ends_with("/resync-required") {
            return Ok(Fetched::Restart(problem.reason));
        }
    }
    if status != StatusCode::OK {
        return Err(format!("it responds with {status}").into());
    }
    // Hashing a page is slow.
    let read = tokio::task::spawn_blocking(move || page(&body)).await;
    let read = read.map_err(|why| why.to_string())?;
    Ok(Fetched::Page(read?))
}

pub(crate) async fn digests(
    partner: &impl PartnerTransport,
    url: &str,
) -> Result<TheirDigests, Unreadable> {
    let Answer { status, body } = partner.get(url, Duration::ZERO).await?;
    if status != StatusCode::OK {
        return Err(format!("it responds with {status} to a request for digests").into());
    }
    let sent: DigestsSent = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
    let kinds = sent.items.into_iter().map(|one| {
        let count = counted("count", one.count)?.unsigned_abs();
        Ok((one.kind, (count, one.sum)))
    });
    Ok(TheirDigests {
        seq: counted("seq", sent.seq)?,
        kinds: kinds.collect::<Result<_, String>>()?,
    })
}

/// A number of a log, if it is valid.
fn counted(name: &str, number: i64) -> Result<i64, String> {
    let fine = (0..=MAX_COUNT).contains(&number).then_some(number);
    fine.ok_or_else(|| format!("{name} is {number}, not from 0 to {MAX_COUNT}"))
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
        return Err("the address of the next page is invalid".to_owned());
    }
    let entries = sent.entries.iter();
    Ok(PartnerPage {
        entries: entries
            .map(|one| ParsedEntry::new(one.get(), &sent.origin))
            .collect(),
        origin: sent.origin,
        phase,
        seq: counted("seq", sent.seq)?,
        after: sent.after_seq,
        head: counted("head_seq", sent.head_seq)?,
        up_to_date: sent.up_to_date,
        next: sent.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(more: &serde_json::Value) -> Result<PartnerPage, String> {
        let mut sent = json!({"origin": "partner", "entries": [{}, 1], "phase": "changes", "seq": 1, "head_seq": 1, "up_to_date": true, "next": "/v1/sync/changes?cursor=AAA", "tomorrow": 1});
        domain::base::json::merge_patch(&mut sent, more);
        page(sent.to_string().as_bytes())
    }

    #[test]
    fn numbers_are_those_of_a_log() {
        for fine in [0, 1, MAX_COUNT] {
            let page = read(&json!({"seq": fine, "head_seq": fine})).unwrap();
            assert_eq!((page.seq, page.head), (fine, fine));
        }
        for bad in [i64::MIN, -1, MAX_COUNT + 1, i64::MAX] {
            for name in ["seq", "head_seq"] {
                let why = read(&json!({name: bad})).unwrap_err();
                let told = format!("{name} is {bad}, not from 0 to 9007199254740991");
                assert_eq!(why, told);
            }
        }
        assert!(read(&json!({"seq": 1.5})).is_err());
        assert!(read(&json!({"seq": u64::MAX})).is_err());
    }

    #[test]
    fn no_more_is_read_than_a_page_may_have() {
        let with = |count| read(&json!({"entries": vec![1; count]}));
        assert_eq!(with(MOST_ENTRIES).unwrap().entries.len(), MOST_ENTRIES);
        let why = with(MOST_ENTRIES + 1).unwrap_err();
        let told = "invalid length 10001, expected a list of at most 10000";
        assert!(why.starts_with(told), "{why}");
    }

    #[test]
    fn the_next_page_is_on_the_same_server() {
        let with = |next: &str| read(&json!({"next": next}));
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
