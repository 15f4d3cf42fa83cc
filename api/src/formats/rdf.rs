//! RDF resources, written as JSON-LD and as RDF/XML.

use crate::formats::xml::XmlWriter;
use serde_json::{Map, Value, json};

/// The prefixes of names.
const PREFIXES: [(&str, &str); 9] = [
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcatde", "http://dcat-ap.de/def/dcatde/"),
    ("dct", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("xsd", XSD),
];

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// A resource with its type and properties, named with a prefix: `dct:title`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its address; a blank node has none.
    id: Option<String>,
    of_type: &'static str,
    properties: Vec<(&'static str, Object)>,
}

#[derive(Debug, Clone)]
pub enum Object {
    /// The address of a resource.
    Reference(String),
    /// A text, in a language.
    Text(String, Option<&'static str>),
    /// A value of a type of XML Schema.
    Typed(String, &'static str),
    Resource(Box<Resource>),
}

impl Resource {
    #[must_use]
    pub const fn new(id: String, of_type: &'static str) -> Self {
        Self {
            id: Some(id),
            of_type,
            properties: Vec::new(),
        }
    }

    #[must_use]
    pub const fn blank(of_type: &'static str) -> Self {
        Self {
            id: None,
            of_type,
            properties: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, object: Object) -> Self {
        self.properties.push((name, object));
        self
    }

    /// Adds a text in German and in English.
    #[must_use]
    pub fn texts(self, name: &'static str, de: impl Into<String>, en: impl Into<String>) -> Self {
        self.with(name, Object::Text(de.into(), Some("de")))
            .with(name, Object::Text(en.into(), Some("en")))
    }

    #[must_use]
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Object::Text(text.into(), None))
    }

    #[must_use]
    pub fn to(self, name: &'static str, id: impl Into<String>) -> Self {
        self.with(name, Object::Reference(id.into()))
    }

    #[must_use]
    pub fn part(self, name: &'static str, part: Self) -> Self {
        self.with(name, Object::Resource(Box::new(part)))
    }

    /// A document in JSON-LD, with its context.
    #[must_use]
    pub fn json_ld(&self) -> String {
        let prefixes = PREFIXES
            .iter()
            .map(|(name, uri)| ((*name).to_owned(), json!(uri)));
        let mut document = Map::from_iter([(
            "@context".to_owned(),
            Value::Object(prefixes.collect::<Map<_, _>>()),
        )]);
        document.extend(self.node());
        Value::Object(document).to_string()
    }

    fn node(&self) -> Map<String, Value> {
        let mut node = Map::new();
        if let Some(id) = &self.id {
            node.insert("@id".to_owned(), json!(id));
        }
        node.insert("@type".to_owned(), json!(self.of_type));
        for (name, object) in &self.properties {
            let value = match object {
                Object::Reference(id) => json!({"@id": id}),
                Object::Text(text, None) => json!(text),
                Object::Text(text, Some(lang)) => json!({"@value": text, "@language": lang}),
                Object::Typed(text, of_type) => {
                    json!({"@value": text, "@type": format!("xsd:{of_type}")})
                }
                Object::Resource(part) => Value::Object(part.node()),
            };
            let values = node.entry(*name).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(value);
            }
        }
        node
    }

    /// A document in RDF/XML.
    #[must_use]
    pub fn rdf_xml(&self) -> String {
        let mut text = String::new();
        let mut xml = XmlWriter::new(&mut text);
        xml.declaration();
        let names = PREFIXES.map(|(name, uri)| (format!("xmlns:{name}"), uri));
        let names = names.iter().map(|(name, uri)| (name.as_str(), *uri));
        xml.begin("rdf:RDF", &names.collect::<Vec<_>>());
        self.write(&mut xml);
        xml.end("rdf:RDF");
        text
    }

    fn write(&self, xml: &mut XmlWriter<'_>) {
        match &self.id {
            Some(id) => xml.begin(self.of_type, &[("rdf:about", id)]),
            None => xml.begin(self.of_type, &[]),
        }
        for (name, object) in &self.properties {
            match object {
                Object::Reference(id) => xml.empty(name, &[("rdf:resource", id)]),
                Object::Text(text, None) => xml.element(name, &[], text),
                Object::Text(text, Some(lang)) => xml.element(name, &[("xml:lang", lang)], text),
                Object::Typed(text, of_type) => {
                    let of_type = format!("{XSD}{of_type}");
                    xml.element(name, &[("rdf:datatype", &of_type)], text);
                }
                Object::Resource(part) => {
                    xml.begin(name, &[]);
                    part.write(xml);
                    xml.end(name);
                }
            }
        }
        xml.end(self.of_type);
    }
}
