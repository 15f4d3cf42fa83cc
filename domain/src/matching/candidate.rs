//! The compared properties of a record, and the keys that find similar records.

use crate::base::kind::Kind;
use crate::kinds::common::NameType;
use crate::matching::legal;
use crate::matching::legal::LegalForm;
use crate::matching::name::{Spelling, folded, spellings};
use crate::matching::seat::Seat;
use crate::value::contact::Contact;
use crate::value::external::ExternalId;
use crate::value::identifier::Identifier;
use crate::value::place::Place;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

#[derive(Debug, Clone)]
pub struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) names: Vec<Spelling>,
    pub(crate) acronyms: BTreeSet<String>,
    pub(crate) form: Option<LegalForm>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) host: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) identifiers: BTreeMap<String, BTreeSet<String>>,
    pub(crate) external: Option<ExternalId>,
    pub(crate) level: Option<String>,
    /// The day of an event, as precisely as it is known.
    pub(crate) day: Option<String>,
}

impl Candidate {
    /// Reads a body; members that this release does not understand are ignored, since copies may
    /// come from newer releases. `None` without a name.
    #[must_use]
    pub fn of(kind: Kind, body: &Value) -> Option<Self> {
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        let mut names = spellings(text("name")?);
        let mut acronyms = BTreeSet::new();
        for further in body
            .get("names")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(value) = further.get("value").and_then(Value::as_str) else {
                continue;
            };
            let found = spellings(value);
            if read::<NameType>(further, "type") == Some(NameType::Acronym) {
                acronyms.extend(found.iter().flat_map(Spelling::stems).map(str::to_owned));
            }
            names.extend(found);
        }
        let translations = body.get("translations").and_then(Value::as_object);
        for translated in translations.into_iter().flat_map(|all| all.values()) {
            let name = translated.get("name").and_then(Value::as_str);
            names.extend(name.map(spellings).unwrap_or_default());
        }
        let contact = read::<Contact>(body, "contact").unwrap_or_default();
        let mut identifiers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in list::<Identifier>(body, "identifiers") {
            let values = identifiers.entry(one.scheme.as_str().to_owned());
            values.or_default().insert(one.normalise());
        }
        let stated = text("legal_form").and_then(|form| legal::parse(folded(form)));
        Some(Self {
            kind,
            form: names.first()?.form.or(stated),
            names,
            acronyms,
            seats: list::<Place>(body, "places").iter().map(Seat::of).collect(),
            host: contact.website.as_deref().and_then(host),
            phone: contact.phone.as_deref().and_then(phone),
            email: contact.email.map(|email| email.to_lowercase()),
            identifiers,
            external: read(body, "external_id"),
            level: text("level").map(str::to_owned),
            day: text("start").or(text("posted")).map(day),
        })
    }

    /// Texts that a duplicate is likely to share with the record: only records that share one need
    /// to be compared. Common words are combined with a town, so that groups stay small.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for (scheme, values) in &self.identifiers {
            keys.extend(values.iter().map(|value| format!("id {scheme} {value}")));
        }
        if let Some(key) = &self.external {
            keys.insert(format!("key {} {}", key.system, key.id));
        }
        keys.extend(self.host.iter().map(|host| format!("host {host}")));
        keys.extend(self.phone.iter().map(|phone| format!("phone {phone}")));
        keys.extend(self.email.iter().map(|email| format!("email {email}")));
        keys.extend(self.day.iter().map(|day| format!("day {day}")));
        for seat in &self.seats {
            if let (Some(street), town) = (&seat.street, &seat.town) {
                keys.extend(town.iter().map(|town| format!("street {street} {town}")));
            }
        }
        let towns = self.towns();
        for name in &self.names {
            keys.insert(format!("name {}", name.joined()));
            keys.extend(name.telling().map(|word| format!("word {word}")));
            for word in name.stems() {
                let beginning: String = word.chars().take(6).collect();
                keys.extend(towns.iter().map(|town| format!("town {town} {beginning}")));
            }
        }
        keys
    }

    /// [`Self::keys`] with the kind, in sixty-four bits each: a collision costs a comparison.
    #[must_use]
    pub fn hashed_keys(&self) -> BTreeSet<u64> {
        let hash = |key: String| {
            let mut hasher = DefaultHasher::new();
            (self.kind as u8, key).hash(&mut hasher);
            hasher.finish()
        };
        self.keys().into_iter().map(hash).collect()
    }

    pub(crate) fn towns(&self) -> BTreeSet<String> {
        self.seats
            .iter()
            .flat_map(|seat| seat.town.iter().cloned())
            .collect()
    }
}

fn read<T: DeserializeOwned>(body: &Value, member: &str) -> Option<T> {
    serde_json::from_value(body.get(member)?.clone()).ok()
}

fn list<T: DeserializeOwned>(body: &Value, member: &str) -> Vec<T> {
    let entries = body.get(member).and_then(Value::as_array);
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| serde_json::from_value(entry.clone()).ok())
        .collect()
}

fn host(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_start_matches("www.");
    Some(host.to_owned())
}

/// The digits of a telephone number after the German prefix.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let national = digits
        .strip_prefix("0049")
        .or_else(|| {
            digits
                .strip_prefix("49")
                .filter(|_| text.trim().starts_with('+'))
        })
        .unwrap_or(&digits);
    let national = national.trim_start_matches('0');
    (national.len() >= 5).then(|| national.to_owned())
}

fn day(text: &str) -> String {
    text.chars().take(10).collect()
}
