use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::{NameType, Publication};
use domain::value::identifier::Scheme;
use serde_json::{Map, Value};
use std::str::FromStr;

/// The searched texts of a record, parsed leniently: copies from other nodes may have members,
/// values and shapes that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    pub kind: Kind,
    /// Whether it is public; only then it affects the matches of others.
    pub published: bool,
    pub names: Vec<String>,
    pub acronyms: Vec<String>,
    pub places: Vec<String>,
    pub texts: Vec<String>,
    pub identifiers: Vec<String>,
}

const TEXTS: [&str; 18] = [
    "summary",
    "description",
    "challenges",
    "audiences",
    "goals",
    "links",
    "media",
    "figures",
    "activities",
    "joining",
    "tagline",
    "approach",
    "focus",
    "components",
    "milestones",
    "outcomes",
    "recognition",
    "notation",
];

const INNER: [&str; 10] = [
    "title",
    "caption",
    "alt",
    "description",
    "as_stated",
    "note",
    "by",
    "how",
    "audiences",
    "benefits",
];

const ADDRESS: [&str; 5] = ["street", "postal_code", "city", "quarter", "label"];

impl Texts {
    #[must_use]
    pub fn of(kind: Kind, body: &Value) -> Self {
        let mut texts = Self {
            kind,
            published: text(body, "publication") == Some(Publication::Published.code()),
            names: Vec::new(),
            acronyms: Vec::new(),
            places: Vec::new(),
            texts: Vec::new(),
            identifiers: Vec::new(),
        };
        texts.take(body);
        let legal_form = text(body, "legal_form").unwrap_or_default();
        if let Some(name) = text(body, "name")
            && !legal_form.is_empty()
            && !name.contains(legal_form)
        {
            texts.names.push(format!("{name} {legal_form}"));
        }
        for translation in body
            .get("translations")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values)
        {
            texts.take(translation);
        }
        texts.identify(body);
        texts
    }

    /// Adds the names of a record that was merged into this one.
    pub fn also(&mut self, merged: &Value) {
        self.call(merged);
        self.identify(merged);
    }

    fn identify(&mut self, body: &Value) {
        for identifier in entries(body, "identifiers") {
            if let (Some(scheme), Some(value)) =
                (text(identifier, "scheme"), text(identifier, "value"))
            {
                self.identifiers.push(Scheme::from_str(scheme).map_or_else(
                    |_| value.trim().to_owned(),
                    |scheme| scheme.normalise(value),
                ));
            }
        }
    }

    fn call(&mut self, body: &Value) {
        self.names.extend(text(body, "name").map(str::to_owned));
        for name in entries(body, "names") {
            let Some(value) = text(name, "value") else {
                continue;
            };
            if text(name, "type") == Some(NameType::Acronym.code()) {
                self.acronyms.push(value.to_owned());
            } else {
                self.names.push(value.to_owned());
            }
        }
    }

    fn take(&mut self, body: &Value) {
        self.call(body);
        for place in entries(body, "places") {
            let address: Vec<&str> = ADDRESS
                .iter()
                .filter_map(|member| text(place, member))
                .collect();
            self.places.push(address.join(", "));
        }
        for member in TEXTS {
            self.collect(body.get(member).unwrap_or(&Value::Null));
        }
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.texts.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(members) => {
                for member in INNER {
                    self.collect(members.get(member).unwrap_or(&Value::Null));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

fn entries<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(member)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
