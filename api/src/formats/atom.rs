//! Atom (RFC 4287): lists as feeds, the newest changes first.

use crate::formats::place::{changed_here, title_of};
use crate::formats::xml::XmlWriter;
use crate::formats::{Context, Documented, Format, Item, ListSchema, Place, RecordSchema};
use crate::http::problem::Problem;
use chrono::{DateTime, Utc};
use domain::base::clock::rfc3339;
use domain::base::vocabulary::Coded;
use persistence::StoreError;
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub struct Atom;

impl Atom {
    pub const MEDIA_TYPE: &str = "application/atom+xml";
}

impl Format for Atom {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "atom"
    }

    fn name(&self) -> &'static str {
        "Atom"
    }

    fn about(&self) -> &'static str {
        "an Atom feed (RFC 4287): 50 on a page, the newest changes first unless `sort` is given; `rel=\"next\"` leads to the next page"
    }

    fn content_type(&self) -> &'static str {
        "application/atom+xml; charset=utf-8"
    }

    fn has_addresses(&self) -> bool {
        true
    }

    fn is_feed(&self) -> bool {
        true
    }

    fn head(&self, context: &Context, to: &mut String) {
        head(&context.place, to);
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        entry(item, &context.place, changed_here(item.row), to)
    }

    fn tail(&self, _: &Value, to: &mut String) {
        XmlWriter::new(to).end("feed");
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

/// Writes the beginning of a feed; its id is that of all its pages.
pub fn head(place: &Place, to: &mut String) {
    let site = &place.site;
    let mut xml = XmlWriter::new(to);
    xml.declaration();
    let namespaces = [
        ("xmlns", "http://www.w3.org/2005/Atom"),
        ("xmlns:at", "http://purl.org/atompub/tombstones/1.0"),
    ];
    xml.begin("feed", &namespaces);
    let first = without_cursor(&place.path);
    let id = domain::base::id::reference("feed", &format!("{}{first}", site.origin));
    xml.element("id", &[], &urn(id));
    xml.element("title", &[], &place.title);
    // Of an empty feed: when nothing had changed yet.
    let updated = place.updated.unwrap_or(DateTime::UNIX_EPOCH);
    xml.element("updated", &[], &rfc3339(updated));
    xml.begin("author", &[]);
    xml.element("name", &[], site.provider());
    if let Some(email) = &site.contact_email {
        xml.element("email", &[], email);
    }
    xml.end("author");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    xml.element("generator", &version, "Verbund");
    link(&mut xml, "self", &site.url(&place.path));
    if let Some(next) = &place.next {
        link(&mut xml, "next", &site.url(next));
    }
    if first != place.path {
        link(&mut xml, "first", &site.url(&first));
    }
    if let Some(licence) = &site.licence {
        xml.element("rights", &[], licence);
        xml.empty("link", &[("rel", "license"), ("href", licence)]);
    }
}

/// Writes a record as an entry that changed at this time.
///
/// # Errors
/// If the record cannot be read.
pub fn entry(
    item: &Item<'_>,
    place: &Place,
    updated: DateTime<Utc>,
    to: &mut String,
) -> Result<(), Problem> {
    let record: Value =
        serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let row = item.row;
    let mut xml = XmlWriter::new(to);
    let language = text("language").unwrap_or_default();
    let language = [("xml:lang", language)];
    let language = if text("language").is_some() {
        &language[..]
    } else {
        &[]
    };
    xml.begin("entry", language);
    xml.element("id", &[], &urn(row.id));
    xml.element("title", &[], &title_of(row.kind, &record, place.lang));
    xml.element("updated", &[], &rfc3339(updated));
    xml.element("published", &[], &rfc3339(row.created_at));
    if row.synced_at.is_some() {
        xml.begin("author", &[]);
        xml.element("name", &[], &row.origin);
        xml.end("author");
    }
    let address = place.of(row.kind, row.id);
    let alternate = [
        ("rel", "alternate"),
        ("type", "application/json"),
        ("href", address.as_str()),
    ];
    xml.empty("link", &alternate);
    let kind = row.kind.labels().get(place.lang);
    xml.empty("category", &[("term", row.kind.code()), ("label", kind)]);
    if let Some(summary) = text("summary").or_else(|| text("description")) {
        xml.element("summary", &[], summary);
    }
    if let Some(licence) = text("licence") {
        xml.element("rights", &[], licence);
        xml.empty("link", &[("rel", "license"), ("href", licence)]);
    }
    xml.end("entry");
    Ok(())
}

/// Writes that an entry was deleted (RFC 6721).
pub fn deleted_entry(id: Uuid, at: DateTime<Utc>, to: &mut String) {
    let (id, at) = (urn(id), rfc3339(at));
    XmlWriter::new(to).empty("at:deleted-entry", &[("ref", &id), ("when", &at)]);
}

fn link(xml: &mut XmlWriter<'_>, rel: &str, href: &str) {
    xml.empty("link", &[("rel", rel), ("href", href)]);
}

fn urn(id: Uuid) -> String {
    format!("urn:uuid:{id}")
}

/// The address of the first page.
fn without_cursor(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let kept = query.split('&').filter(|pair| !pair.starts_with("cursor="));
    let kept: Vec<&str> = kept.collect();
    if kept.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", kept.join("&"))
}

#[must_use]
pub fn documented() -> Documented {
    Documented {
        schema: json!({"type": "string", "description": "RFC 4287. Ids are `urn:uuid:` and the id of the record; `updated` is when the record changed here, of a copy when it arrived."}),
        example: json!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:uuid:0193e5a0-0000-7000-8000-000000000000</id><title>Netzwerke</title><updated>2026-01-31T08:00:00.000000Z</updated></feed>"
        ),
        components: Map::new(),
    }
}
