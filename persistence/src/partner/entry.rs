//! Parsing entries of a partner's feed: strictly where errors could do harm here, leniently where
//! the partner's release may be newer.

use crate::partner::copy::CopiedRecord;
use crate::store::MAX_BODY;
use chrono::{DateTime, Datelike, Utc};
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::record::ENVELOPE;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::exchange::sync::{FeedOp, MAX_COUNT};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

const MOST_KEPT: usize = 64 * 1024;

#[derive(Debug)]
pub enum ParsedEntry {
    /// A change of a record.
    Change(Box<FeedChange>),
    /// A change of a record of an unknown kind.
    Skipped,
    Refused(Box<Refused>),
}

#[derive(Debug)]
pub enum FeedChange {
    Upsert(CopiedRecord),
    Delete {
        id: Uuid,
        kind: Kind,
        version: i64,
        cause: Cause,
        merged_into: Option<Uuid>,
    },
    /// It is no longer in the feed.
    Withdraw {
        id: Uuid,
        kind: Kind,
    },
}

#[derive(Debug, Clone)]
pub struct Refused {
    pub why: String,
    pub kind: Option<String>,
    pub id: Option<Uuid>,
    pub entry: String,
    /// Another partner whose record it would replace, or relate.
    pub rival: Option<String>,
    /// Whether it is not this partner's mistake.
    pub excused: bool,
}

/// An entry as sent; unknown members are ignored.
#[derive(Debug, Deserialize)]
struct Sent<'a> {
    op: &'a str,
    kind: String,
    id: Uuid,
    origin: String,
    version: Option<i64>,
    hash: Option<&'a str>,
    created_at: Option<DateTime<Utc>>,
    at: Option<DateTime<Utc>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    cause: Option<String>,
    merged_into: Option<Uuid>,
}

/// The record of an entry, even if the rest is invalid.
#[derive(Debug, Default, Deserialize)]
struct Named {
    kind: Option<String>,
    id: Option<Uuid>,
}

impl FeedChange {
    pub(super) const fn id(&self) -> Uuid {
        match self {
            Self::Upsert(record) => record.id,
            Self::Delete { id, .. } | Self::Withdraw { id, .. } => *id,
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Upsert(record) => record.kind,
            Self::Delete { kind, .. } | Self::Withdraw { kind, .. } => *kind,
        }
    }
}

impl ParsedEntry {
    #[must_use]
    pub fn new(entry: &str, origin: &str) -> Self {
        match read(entry, origin) {
            Ok(Some(news)) => Self::Change(Box::new(news)),
            Ok(None) => Self::Skipped,
            Err(why) => {
                let named: Named = serde_json::from_str(entry).unwrap_or_default();
                Self::Refused(Box::new(Refused {
                    why,
                    kind: named.kind,
                    id: named.id,
                    entry: entry.chars().take(MOST_KEPT).collect(),
                    rival: None,
                    excused: false,
                }))
            }
        }
    }
}

/// `None` for a kind that this release does not know.
fn read(entry: &str, origin: &str) -> Result<Option<FeedChange>, String> {
    let sent: Sent<'_> = serde_json::from_str(entry).map_err(|why| why.to_string())?;
    if sent.origin != origin {
        return Err(format!("a record of {}, not of {origin}", sent.origin));
    }
    let Some(kind) = Kind::parse(&sent.kind) else {
        return Ok(None);
    };
    let id = sent.id;
    let op =
        FeedOp::parse(sent.op).ok_or_else(|| format!("the operation {} is unknown", sent.op))?;
    Ok(Some(match op {
        FeedOp::Upsert => FeedChange::Upsert(record(&sent, kind)?),
        FeedOp::Delete => FeedChange::Delete {
            id,
            kind,
            version: version(&sent)?,
            // A newer release may have more causes.
            cause: sent
                .cause
                .as_deref()
                .and_then(Cause::parse)
                .unwrap_or(Cause::Deleted),
            merged_into: sent.merged_into,
        },
        FeedOp::Withdraw => FeedChange::Withdraw { id, kind },
    }))
}

fn version(sent: &Sent<'_>) -> Result<i64, String> {
    let version = sent.version.ok_or("there is no version")?;
    let counted = 1..=MAX_COUNT;
    if counted.contains(&version) {
        return Ok(version);
    }
    Err(format!(
        "the version {version} is not one of 1 to {MAX_COUNT}"
    ))
}

/// A time that databases can store and RFC 3339 can write.
fn time(name: &str, at: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, String> {
    let at = at.ok_or_else(|| format!("there is no {name}"))?;
    let fine = (1..=9999).contains(&at.year());
    fine.then_some(at)
        .ok_or_else(|| format!("{name} is not in the years 0001 to 9999"))
}

fn record(sent: &Sent<'_>, kind: Kind) -> Result<CopiedRecord, String> {
    let body = sent.record.ok_or("there is no record")?.get();
    if body.len() > MAX_BODY {
        return Err(format!(
            "a record of {} bytes; at most {MAX_BODY}",
            body.len()
        ));
    }
    if sent.hash != Some(json::hash(body).as_str()) {
        return Err("the hash is not that of the record".to_owned());
    }
    let value = json::parse(body.as_bytes()).map_err(|why| why.to_string())?;
    if json::canonical(&value) != body {
        return Err("the record is not canonical JSON".to_owned());
    }
    let members = value.as_object().ok_or("the record is not an object")?;
    if let Some(member) = members
        .keys()
        .find(|name| ENVELOPE.contains(&name.as_str()))
    {
        return Err(format!("the record has a member of the envelope: {member}"));
    }
    if members.get("publication").and_then(Value::as_str) != Some("published") {
        return Err("the record is not published".to_owned());
    }
    Ok(CopiedRecord {
        id: sent.id,
        kind,
        version: version(sent)?,
        created_at: time("created_at", sent.created_at)?,
        updated_at: time("at", sent.at)?,
        body: body.to_owned(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(body: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
        let mut entry = json!({
            "seq": 1,
            "op": "upsert",
            "kind": "actor",
            "id": Uuid::from_u128(1),
            "origin": "partner",
            "version": 3,
            "hash": json::hash(body),
            "created_at": "2026-01-01T00:00:00.000000Z",
            "at": "2026-01-02T00:00:00.000000Z",
            "tomorrow": {"x": 1},
        });
        change(entry.as_object_mut().unwrap());
        // The body is inserted verbatim, whatever it is.
        let head = entry.to_string();
        format!("{},\"record\":{body}}}", head.strip_suffix('}').unwrap())
    }

    const BODY: &str = r#"{"name":"A","publication":"published","tomorrow":[1]}"#;

    fn refused(entry: &str) -> String {
        match ParsedEntry::new(entry, "partner") {
            ParsedEntry::Refused(refused) => refused.why.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_new_is_passed_over() {
        let ParsedEntry::Change(news) = ParsedEntry::new(&entry(BODY, |_| {}), "partner") else {
            panic!("refused");
        };
        let FeedChange::Upsert(record) = *news else {
            panic!("no upsert");
        };
        assert_eq!((record.version, record.body.as_str()), (3, BODY));
        let unknown = entry(BODY, |entry| {
            entry.insert("kind".to_owned(), json!("starship"));
        });
        assert!(matches!(
            ParsedEntry::new(&unknown, "partner"),
            ParsedEntry::Skipped
        ));
    }

    #[test]
    fn what_could_do_harm_is_refused() {
        let with = |name: &str, value: Value| {
            refused(&entry(BODY, |entry| {
                entry.insert(name.to_owned(), value);
            }))
        };
        assert!(with("origin", json!("another")).contains("another"));
        assert!(with("hash", json!("sha256:00")).contains("hash"));
        for version in [0, i64::MIN, MAX_COUNT + 1, i64::MAX] {
            assert!(with("version", json!(version)).contains("version"));
        }
        assert!(with("op", json!("annex")).contains("annex"));
        assert!(!with("id", json!("me")).is_empty());
        assert!(!with("at", json!("yesterday")).is_empty());
        for year in ["-262143", "0000", "+10000", "+262142"] {
            for name in ["at", "created_at"] {
                let far = json!(format!("{year}-01-01T00:00:00Z"));
                assert!(!with(name, far).is_empty(), "{name} {year}");
            }
        }
        for (body, why) in [
            (r#"{"publication":"published","name":"A"}"#, "canonical"),
            (
                r#"{"name":"A","name":"B","publication":"published"}"#,
                "twice",
            ),
            (r#"{"name":"A\u0000","publication":"published"}"#, "control"),
            (r#"{"id":"1","publication":"published"}"#, "envelope"),
            (r#"{"name":"A","publication":"draft"}"#, "published"),
            (r#"["published"]"#, "object"),
        ] {
            let told = refused(&entry(body, |_| {}));
            assert!(told.contains(why), "{body}: {told}");
        }
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        let deep = format!(r#"{{"name":{deep},"publication":"published"}}"#);
        assert!(refused(&entry(&deep, |_| {})).contains("deeper"));
        assert!(!refused("{").is_empty());
        assert!(!refused("7").is_empty());
    }

    #[test]
    fn a_cause_that_is_not_known_is_a_deletion() {
        let causes = [
            (json!("erased"), Cause::Erased),
            (json!("merged"), Cause::Merged),
            (json!("evaporated"), Cause::Deleted),
            (Value::Null, Cause::Deleted),
        ];
        for (told, understood) in causes {
            let sent = json!({
                "op": "delete",
                "kind": "actor",
                "id": Uuid::from_u128(1),
                "origin": "partner",
                "version": 4,
                "cause": told,
            });
            let ParsedEntry::Change(news) = ParsedEntry::new(&sent.to_string(), "partner") else {
                panic!("refused: {sent}");
            };
            let FeedChange::Delete { version, cause, .. } = *news else {
                panic!("no deletion: {sent}");
            };
            assert_eq!((version, cause), (4, understood), "{sent}");
        }
    }
}
