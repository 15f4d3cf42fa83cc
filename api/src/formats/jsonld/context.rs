//! `/context.jsonld`: what the names in our JSON-LD mean.

use serde_json::{Value, json};

/// Address of the context.
pub const CONTEXT: &str = "/context.jsonld";

/// What schema.org and other vocabularies do not have.
const OWN: &str = "urn:verbund:vocabulary:";

/// The context document. Names are those of schema.org, prefixed ones of other vocabularies.
#[must_use]
pub fn context() -> Value {
    let reference = json!({"@type": "@id"});
    let mut terms = json!({
        "@version": 1.1,
        "@vocab": "https://schema.org/",
        "dct": "http://purl.org/dc/terms/",
        "org": "http://www.w3.org/ns/org#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "vb": OWN,
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dct:created": {"@type": "xsd:dateTime"},
        "dct:modified": {"@type": "xsd:dateTime"},
        "vb:changed": {"@type": "xsd:boolean"},
    });
    let references = [
        "url",
        "sameAs",
        "image",
        "logo",
        "contentUrl",
        "eventStatus",
        "eventAttendanceMode",
        "inDefinedTermSet",
        "dct:license",
        "vb:next",
    ];
    if let Some(terms) = terms.as_object_mut() {
        for name in references {
            terms.insert(name.to_owned(), reference.clone());
        }
    }
    json!({"@context": terms})
}
