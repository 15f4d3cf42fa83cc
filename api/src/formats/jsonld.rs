//! JSON-LD: records in the words of schema.org and of the W3C Organization Ontology.

mod context;
mod related;
mod types;

pub use context::{CONTEXT, context};

use crate::formats::place::revised;
use crate::formats::{Context, Documented, Format, Item, ListSchema, Place, RecordSchema};
use crate::http::problem::Problem;
use domain::base::clock::rfc3339;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::event::{EventMode, EventStatus};
use domain::value::edtf::{EdtfDate, Moment};
use domain::value::figure::Qualifier;
use persistence::StoreError;
use serde_json::{Map, Value, json};
use types::types;
use uuid::Uuid;

#[derive(Debug)]
pub struct JsonLd;

impl JsonLd {
    pub const MEDIA_TYPE: &str = "application/ld+json";
}

impl Format for JsonLd {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "jsonld"
    }

    fn name(&self) -> &'static str {
        "JSON-LD"
    }

    fn about(&self) -> &'static str {
        "JSON-LD 1.1 in the words of schema.org and the W3C Organization Ontology, with the context `/context.jsonld`"
    }

    fn has_addresses(&self) -> bool {
        true
    }

    fn has_relationships(&self) -> bool {
        true
    }

    fn head(&self, context: &Context, to: &mut String) {
        let place = &context.place;
        let head = json!({
            "@context": place.site.url(CONTEXT),
            "@id": place.site.url(&place.path),
            "@type": "ItemList",
            "name": place.title,
        });
        let head = head.to_string();
        to.push_str(head.trim_end_matches('}'));
        if let Some(next) = &place.next {
            let next = json!({"vb:next": place.site.url(next)}).to_string();
            to.push(',');
            to.push_str(next.trim_matches(['{', '}']));
        }
        to.push_str(",\"itemListElement\":[");
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let node = node(item, &context.place, &Value::Null)?;
        to.push_str(&node.to_string());
        Ok(())
    }

    fn separator(&self) -> &'static str {
        ","
    }

    fn tail(&self, rest: &Value, to: &mut String) {
        to.push(']');
        if let Some(total) = rest.get("total") {
            to.push_str(",\"numberOfItems\":");
            to.push_str(&total.to_string());
        }
        to.push('}');
    }

    fn record(&self, item: &Item<'_>, context: &Context, more: &Value) -> Result<String, Problem> {
        let place = &context.place;
        let mut document = json!({"@context": place.site.url(CONTEXT)});
        let included = more.get("included").unwrap_or(&Value::Null);
        let mut node = node(item, place, included)?;
        // With so many relationships, some are left out.
        let total = more.get("included_total").and_then(Value::as_u64);
        if let Some(total) = total.filter(|total| *total > count(included)) {
            insert(&mut node, &["vb:includedTotal"], total);
        }
        if let (Some(document), Value::Object(node)) = (document.as_object_mut(), node) {
            document.extend(node);
        }
        Ok(document.to_string())
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        let example = json!({
            "@context": "https://verzeichnis.example/context.jsonld",
            "@id": "https://verzeichnis.example/v1/actors/0193e5a0-0000-7000-8000-000000000000",
            "@type": ["Hospital", "org:Organization"],
            "name": "Klinikum Kassel",
        });
        documented(
            "A node of the graph; `vb:includedTotal` is there if not all of its relationships are, and counts them and their other ends.",
            &["@context", "@id", "@type"],
            example,
        )
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        let example = json!({
            "@context": "https://verzeichnis.example/context.jsonld",
            "@id": "https://verzeichnis.example/v1/actors.jsonld",
            "@type": "ItemList",
            "itemListElement": [],
            "numberOfItems": 0,
        });
        let required = &["@context", "@id", "@type", "itemListElement"];
        documented(
            "A list of nodes; `vb:next` is the next page.",
            required,
            example,
        )
    }
}

/// Included records of all kinds.
fn count(included: &Value) -> u64 {
    let kinds = included.as_object().into_iter().flatten();
    let counts = kinds.filter_map(|(_, records)| Some(records.as_object()?.len()));
    u64::try_from(counts.sum::<usize>()).unwrap_or(u64::MAX)
}

/// The schema of an object with these members, and others.
#[must_use]
pub fn object_of(required: &[&str]) -> Value {
    let properties = required.iter().map(|name| {
        let about = match *name {
            "@context" => "The context, or its address.",
            "@id" => "The address of the node.",
            "@type" => "The type of the node, or several.",
            _ => "The nodes of the list.",
        };
        ((*name).to_owned(), json!({"description": about}))
    });
    let properties: Map<String, Value> = properties.collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": true})
}

fn documented(description: &str, required: &[&str], example: Value) -> Documented {
    let mut schema = object_of(required);
    insert(&mut schema, &["description"], description);
    Documented {
        schema,
        example,
        components: Map::new(),
    }
}

/// A record as a node; `included` are its relationships and their other ends.
fn node(item: &Item<'_>, place: &Place, included: &Value) -> Result<Value, Problem> {
    let record: Value =
        serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
    let row = item.row;
    let mut node = Node {
        members: json!({
            "@id": place.of(row.kind, row.id),
            "@type": types(row.kind, &record),
        }),
        record: &record,
        place,
        kind: row.kind,
    };
    node.describe();
    match row.kind {
        Kind::Actor | Kind::Network => node.organisation(),
        Kind::Project => node.project(),
        Kind::Event => node.event(),
        Kind::Region => node.region(),
        Kind::Topic => node.topic(),
        Kind::Relationship => node.relationship(),
    }
    related::relate(&mut node, row.id, included);
    node.set("dct:created", rfc3339(row.created_at));
    node.set("dct:modified", rfc3339(row.updated_at));
    if let Some(licence) = place.licence(row, &record) {
        node.set("dct:license", licence);
    }
    let provider = if row.synced_at.is_some() {
        &row.origin
    } else {
        place.site.provider()
    };
    node.set("dct:publisher", provider);
    if revised(row, &record) {
        node.set("vb:changed", true);
    }
    Ok(node.members)
}

/// A node while it is written.
struct Node<'a> {
    members: Value,
    record: &'a Value,
    place: &'a Place,
    kind: Kind,
}

impl Node<'_> {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        insert(&mut self.members, &[name], value);
    }

    /// Adds to a member that may have several values.
    fn add(&mut self, name: &str, value: Value) {
        match self.members.get_mut(name) {
            Some(Value::Array(values)) => values.push(value),
            Some(_) | None => self.set(name, json!([value])),
        }
    }

    fn text(&self, pointer: &str) -> Option<String> {
        self.record.pointer(pointer)?.as_str().map(str::to_owned)
    }

    fn copy(&mut self, name: &str, pointer: &str) {
        if let Some(text) = self.text(pointer) {
            self.set(name, text);
        }
    }

    /// A date that is stated without doubt.
    fn date(&mut self, name: &str, pointer: &str) {
        if let Some(date) = self.text(pointer).and_then(|text| exact(&text)) {
            self.set(name, date);
        }
    }

    fn each(&self, member: &str) -> Vec<Value> {
        let items = self.record.get(member).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    }

    /// What every described kind has.
    fn describe(&mut self) {
        self.copy("name", "/name");
        for name in self.each("names") {
            if let Some(value) = name.get("value") {
                self.add("alternateName", value.clone());
            }
        }
        self.copy("description", "/description");
        if self.members.get("description").is_none() {
            self.copy("description", "/summary");
        } else {
            self.copy("disambiguatingDescription", "/summary");
        }
        for identifier in self.each("identifiers") {
            let (scheme, value) = (identifier.get("scheme"), identifier.get("value"));
            if let (Some(scheme), Some(value)) = (scheme, value) {
                let value = json!({"@type": "PropertyValue", "propertyID": scheme, "value": value});
                self.add("identifier", value);
            }
            if let Some(address) = same_as(&identifier) {
                self.add("sameAs", json!(address));
            }
        }
        for medium in self.each("media") {
            let Some(url) = medium.get("url") else {
                continue;
            };
            match medium.get("type").and_then(Value::as_str) {
                Some("logo") if self.is_organisation() => self.set("logo", url.clone()),
                Some("logo" | "image") => self.add("image", url.clone()),
                Some(_) | None => {}
            }
        }
        for figure in self.each("figures") {
            self.add("vb:figure", quantity(&figure));
        }
    }

    const fn is_organisation(&self) -> bool {
        matches!(self.kind, Kind::Actor | Kind::Network | Kind::Project)
    }

    fn organisation(&mut self) {
        self.copy("url", "/contact/website");
        self.copy("email", "/contact/email");
        self.copy("telephone", "/contact/phone");
        self.date("foundingDate", "/founded");
        self.date("dissolutionDate", "/dissolved");
        for seat in self.each("places") {
            let place = self.location(&seat);
            self.add("location", place);
        }
        let employees = self.each("figures").into_iter();
        let mut employees = employees.filter(|one| one.get("measure") == Some(&json!("employees")));
        if let Some(figure) = employees.next() {
            self.set("numberOfEmployees", quantity(&figure));
        }
        self.topics("knowsAbout");
    }

    fn project(&mut self) {
        self.copy("url", "/contact/website");
        self.copy("email", "/contact/email");
        self.copy("telephone", "/contact/phone");
        self.copy("slogan", "/tagline");
        self.date("foundingDate", "/period/from");
        self.date("dissolutionDate", "/period/to");
        self.topics("knowsAbout");
    }

    fn event(&mut self) {
        self.copy("url", "/registration_url");
        if self.members.get("url").is_none() {
            self.copy("url", "/contact/website");
        }
        for (name, member) in [("startDate", "start"), ("endDate", "end")] {
            let text = self.text(&format!("/{member}"));
            let moment = text.as_deref().and_then(|text| text.parse().ok());
            match moment {
                Some(Moment::Date(date)) if !date.is_exact() => {}
                Some(moment) => self.set(name, moment.to_string()),
                None => {}
            }
        }
        let status = self
            .text("/status")
            .and_then(|code| EventStatus::parse(&code));
        let status = status.map(|status| match status {
            EventStatus::Scheduled | EventStatus::Held => "https://schema.org/EventScheduled",
            EventStatus::Postponed => "https://schema.org/EventPostponed",
            EventStatus::Cancelled => "https://schema.org/EventCancelled",
        });
        if let Some(status) = status {
            self.set("eventStatus", status);
        }
        let mode = self.text("/mode").and_then(|code| EventMode::parse(&code));
        let address = mode.map(|mode| match mode {
            EventMode::InPerson => "https://schema.org/OfflineEventAttendanceMode",
            EventMode::Online => "https://schema.org/OnlineEventAttendanceMode",
            EventMode::Hybrid => "https://schema.org/MixedEventAttendanceMode",
        });
        if let Some(address) = address {
            self.set("eventAttendanceMode", address);
        }
        for place in self.each("places") {
            let place = self.location(&place);
            self.add("location", place);
        }
        if matches!(mode, Some(EventMode::Online | EventMode::Hybrid)) {
            let mut room = json!({"@type": "VirtualLocation"});
            if let Some(url) = self.text("/registration_url") {
                insert(&mut room, &["url"], url);
            }
            self.add("location", room);
        }
        self.topics("about");
    }

    fn region(&mut self) {
        self.copy("url", "/contact/website");
        if let Some(point) = self.record.get("point") {
            let geo = coordinates(point);
            self.set("geo", geo);
        }
    }

    fn topic(&mut self) {
        self.copy("termCode", "/notation");
        let set = self.place.site.url("/v1/topics");
        self.set("inDefinedTermSet", set);
        if let Some(broader) = self.reference(Kind::Topic, self.record.get("broader")) {
            self.set("skos:broader", broader);
        }
    }

    fn relationship(&mut self) {
        self.copy("vb:type", "/type");
        for end in ["from", "to"] {
            let named = self.record.get(end);
            let id = named.and_then(|end| self.reference(kind_of(end)?, end.get("id")));
            let name = format!("vb:{end}");
            match (id, self.text(&format!("/{end}/as_stated"))) {
                (Some(id), _) => self.set(&name, id),
                (None, Some(stated)) => self.set(&name, stated),
                (None, None) => {}
            }
        }
        self.date("startDate", "/valid/from");
        self.date("endDate", "/valid/to");
        for role in self.each("roles") {
            self.add("roleName", role);
        }
        self.copy("description", "/note");
    }

    fn topics(&mut self, name: &str) {
        for topic in self.each("topics") {
            if let Some(mut topic) = self.reference(Kind::Topic, Some(&topic)) {
                insert(&mut topic, &["@type"], "DefinedTerm");
                self.add(name, topic);
            }
        }
    }

    /// A reference to a record by its id.
    fn reference(&self, kind: Kind, id: Option<&Value>) -> Option<Value> {
        let id = Uuid::try_parse(id?.as_str()?).ok()?;
        Some(json!({"@id": self.place.of(kind, id)}))
    }

    /// A seat or venue.
    fn location(&self, place: &Value) -> Value {
        let text = |name: &str| place.get(name).and_then(Value::as_str);
        let mut node = json!({"@type": "Place"});
        let mut address = json!({"@type": "PostalAddress"});
        for (name, member) in [
            ("streetAddress", "street"),
            ("postalCode", "postal_code"),
            ("addressLocality", "city"),
            ("addressCountry", "country"),
        ] {
            if let Some(text) = text(member) {
                insert(&mut address, &[name], text);
            }
        }
        if address.as_object().is_some_and(|address| address.len() > 1) {
            insert(&mut node, &["address"], address);
        }
        if let Some(label) = text("label") {
            insert(&mut node, &["name"], label);
        }
        if let Some(point) = place.get("point") {
            insert(&mut node, &["geo"], coordinates(point));
        }
        if let Some(mut region) = self.reference(Kind::Region, place.get("region")) {
            insert(&mut region, &["@type"], "AdministrativeArea");
            insert(&mut node, &["containedInPlace"], region);
        }
        node
    }
}

/// Qualifiers that the members of a figure say themselves.
const SAID: [&str; 3] = ["exact", "at_least", "at_most"];

fn kind_of(end: &Value) -> Option<Kind> {
    Kind::parse(end.get("kind")?.as_str()?)
}

fn coordinates(point: &Value) -> Value {
    json!({
        "@type": "GeoCoordinates",
        "latitude": point.get("lat"),
        "longitude": point.get("lon"),
    })
}

/// An EDTF date that ISO 8601 has too, without doubt.
fn exact(text: &str) -> Option<String> {
    let date: EdtfDate = text.parse().ok()?;
    date.is_exact().then(|| date.to_string())
}

/// A figure. What is not exact is a bound, or says so: `vb:qualifier` has the words of the API.
fn quantity(figure: &Value) -> Value {
    let mut node = json!({"@type": "QuantitativeValue"});
    let qualifier = figure.get("qualifier").and_then(Value::as_str);
    let value = figure.get("value").cloned().unwrap_or_default();
    let span = figure.get("value_to");
    match (qualifier.and_then(Qualifier::parse), span) {
        (_, Some(most)) => {
            insert(&mut node, &["minValue"], value);
            insert(&mut node, &["maxValue"], most.clone());
        }
        (Some(Qualifier::AtLeast | Qualifier::MoreThan), None) => {
            insert(&mut node, &["minValue"], value);
        }
        (Some(Qualifier::AtMost | Qualifier::FewerThan), None) => {
            insert(&mut node, &["maxValue"], value);
        }
        (Some(Qualifier::Exact | Qualifier::About) | None, None) => {
            insert(&mut node, &["value"], value);
        }
    }
    // A code of a later release may mean anything, but not that the figure is exact.
    if let Some(code) = qualifier.filter(|code| !SAID.contains(code)) {
        insert(&mut node, &["vb:qualifier"], code);
    }
    for (name, member) in [
        ("name", "measure"),
        ("unitText", "unit"),
        ("description", "as_stated"),
    ] {
        if let Some(text) = figure.get(member) {
            insert(&mut node, &[name], text.clone());
        }
    }
    node
}

/// The address of the same thing elsewhere, by an identifier.
fn same_as(identifier: &Value) -> Option<String> {
    let value = identifier.get("value")?.as_str()?;
    let scheme = identifier.get("scheme")?.as_str()?;
    match scheme {
        "ror" => Some(value.to_owned()),
        "wikidata" => Some(format!("http://www.wikidata.org/entity/{value}")),
        "lei" => Some(format!("https://search.gleif.org/#/record/{value}")),
        "geonames" => Some(format!("https://sws.geonames.org/{value}/")),
        _ => None,
    }
}
