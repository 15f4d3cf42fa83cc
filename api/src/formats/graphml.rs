//! `GraphML`: records as nodes and relationships as edges, for programs that draw and analyse graphs.

use crate::formats::place::{label, title_of};
use crate::formats::xml::XmlWriter;
use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use persistence::StoreError;
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub struct GraphMl;

/// The data of nodes and edges, and their types.
const KEYS: [(&str, &str); 13] = [
    ("kind", "string"),
    ("name", "string"),
    ("slug", "string"),
    ("distance", "int"),
    ("latitude", "double"),
    ("longitude", "double"),
    ("type", "string"),
    ("symmetric", "boolean"),
    ("roles", "string"),
    ("from", "string"),
    ("to", "string"),
    ("subject", "string"),
    ("certainty", "string"),
];

impl Format for GraphMl {
    fn media_type(&self) -> &'static str {
        "application/graphml+xml"
    }

    fn extension(&self) -> &'static str {
        "graphml"
    }

    fn name(&self) -> &'static str {
        "GraphML"
    }

    fn about(&self) -> &'static str {
        "GraphML, for programs such as Gephi, yEd and NetworkX; an open end is a node of its own"
    }

    fn content_type(&self) -> &'static str {
        "application/graphml+xml; charset=utf-8"
    }

    fn head(&self, _: &Context, to: &mut String) {
        let mut xml = XmlWriter::new(to);
        xml.declaration();
        let namespace = [("xmlns", "http://graphml.graphdrawing.org/xmlns")];
        xml.begin("graphml", &namespace);
        for (name, of_type) in KEYS {
            let attributes = [
                ("id", name),
                ("for", "all"),
                ("attr.name", name),
                ("attr.type", of_type),
            ];
            xml.empty("key", &attributes);
        }
        xml.begin("graph", &[("edgedefault", "directed")]);
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let record: Value =
            serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
        let mut xml = XmlWriter::new(to);
        if item.row.kind == Kind::Relationship {
            edge(item, &record, context, &mut xml);
        } else {
            node(item, &record, &mut xml);
        }
        Ok(())
    }

    fn tail(&self, _: &Value, to: &mut String) {
        let mut xml = XmlWriter::new(to);
        xml.end("graph");
        xml.end("graphml");
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

fn node(item: &Item<'_>, record: &Value, xml: &mut XmlWriter<'_>) {
    let id = item.row.id.to_string();
    xml.begin("node", &[("id", &id)]);
    data(xml, "kind", Some(item.row.kind.code()));
    data(xml, "name", item.row.name.as_deref());
    data(xml, "slug", item.row.slug.as_deref());
    number(
        xml,
        "distance",
        item.more.and_then(|more| more.get("distance")),
    );
    let point = record.get("point");
    let mut places = record
        .get("places")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    if let Some(point) = point.or_else(|| places.find_map(|place| place.get("point"))) {
        number(xml, "latitude", point.get("lat"));
        number(xml, "longitude", point.get("lon"));
    }
    xml.end("node");
}

fn edge(item: &Item<'_>, record: &Value, context: &Context, xml: &mut XmlWriter<'_>) {
    let id = item.row.id.to_string();
    let mut ends = Vec::with_capacity(2);
    for end in ["from", "to"] {
        let stated = record.get(end).unwrap_or(&Value::Null);
        let named = stated.get("id").and_then(Value::as_str);
        ends.push(named.map_or_else(|| open_end(&id, end, stated, xml), str::to_owned));
    }
    let [from, to] = ends.as_slice() else {
        return;
    };
    let of_type = record.get("type");
    let rule = of_type
        .and_then(Value::as_str)
        .and_then(RelationshipType::parse);
    let symmetric = rule.is_some_and(|rule| rule.rule().symmetric);
    let attributes = [
        ("id", id.as_str()),
        ("source", from.as_str()),
        ("target", to.as_str()),
    ];
    xml.begin("edge", &attributes);
    data(xml, "kind", Some(Kind::Relationship.code()));
    let name = label::<RelationshipType>(of_type, context.place.lang);
    let name = name.map(str::to_owned);
    let name = name.unwrap_or_else(|| title_of(Kind::Relationship, record, context.place.lang));
    data(xml, "name", Some(&name));
    data(xml, "type", of_type.and_then(Value::as_str));
    // All edges have a direction: NetworkX refuses graphs in which only some have one.
    data(xml, "symmetric", symmetric.then_some("true"));
    let roles = record.get("roles").and_then(Value::as_array);
    let roles = roles.into_iter().flatten().filter_map(Value::as_str);
    let roles: Vec<&str> = roles.collect();
    data(
        xml,
        "roles",
        Some(roles.join(" "))
            .as_deref()
            .filter(|roles| !roles.is_empty()),
    );
    for side in ["from", "to"] {
        data(
            xml,
            side,
            record
                .pointer(&format!("/valid/{side}"))
                .and_then(Value::as_str),
        );
    }
    data(
        xml,
        "subject",
        record.get("subject").and_then(Value::as_str),
    );
    let certainty = item.more.and_then(|more| more.get("certainty"));
    data(xml, "certainty", certainty.and_then(Value::as_str));
    xml.end("edge");
}

/// Writes an end that is not a record as a node; returns its id.
fn open_end(edge: &str, end: &str, stated: &Value, xml: &mut XmlWriter<'_>) -> String {
    let id = format!("{edge}-{end}");
    xml.begin("node", &[("id", &id)]);
    data(xml, "name", stated.get("as_stated").and_then(Value::as_str));
    let class = stated.pointer("/class/kind").and_then(Value::as_str);
    data(xml, "kind", class);
    xml.end("node");
    id
}

fn data(xml: &mut XmlWriter<'_>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        xml.element("data", &[("key", key)], text);
    }
}

fn number(xml: &mut XmlWriter<'_>, key: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| value.is_number()) {
        data(xml, key, Some(&value.to_string()));
    }
}

fn documented() -> Documented {
    Documented {
        schema: json!({"type": "string", "description": "GraphML. Ids of nodes and edges are those of the records; edges of relationships without a direction are `symmetric`; `distance` is the number of steps from the record in the middle, `from` and `to` are the bounds of a period as stated."}),
        example: json!(
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"><graph edgedefault=\"directed\"><node id=\"0193e5a0-0000-7000-8000-000000000000\"/></graph></graphml>"
        ),
        components: Map::new(),
    }
}
