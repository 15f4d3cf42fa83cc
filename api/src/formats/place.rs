//! Where a response is, for formats with absolute addresses.

use crate::config::Site;
use chrono::{DateTime, Utc};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use persistence::records::Record;
use serde_json::Value;
use uuid::Uuid;

/// A response and its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub site: Site,
    /// What it contains, for people.
    pub title: String,
    /// Path and query of the response.
    pub path: String,
    /// Path and query of the next page.
    pub next: Option<String>,
    /// When something in it changed last.
    pub updated: Option<DateTime<Utc>>,
    /// The language of labels.
    pub lang: Lang,
}

impl Place {
    /// The absolute address of a record.
    #[must_use]
    pub fn of(&self, kind: Kind, id: Uuid) -> String {
        self.site.url(&page_of(kind, id))
    }

    /// The licence of a record: its own, otherwise that of the node; that of a copy is its
    /// origin's to state.
    #[must_use]
    pub fn licence<'a>(&'a self, row: &Record, record: &'a Value) -> Option<&'a str> {
        let own = record.get("licence").and_then(Value::as_str);
        let general = self.site.licence.as_deref();
        own.or(general.filter(|_| row.synced_at.is_none()))
    }
}

/// The path of a record.
#[must_use]
pub fn page_of(kind: Kind, id: Uuid) -> String {
    format!("/v1/{}/{id}", kind.plural())
}

/// When a record changed here: a copy, when it arrived.
#[must_use]
pub fn changed_here(row: &Record) -> DateTime<Utc> {
    row.synced_at.unwrap_or(row.updated_at)
}

/// The title of a record for people: its name, or the label of its type.
#[must_use]
pub fn title_of(kind: Kind, record: &Value, lang: Lang) -> String {
    let name = record.get("name").and_then(Value::as_str);
    if let Some(name) = name {
        return name.to_owned();
    }
    let of_type = label::<RelationshipType>(record.get("type"), lang);
    let of_type = of_type.unwrap_or_else(|| kind.labels().get(lang));
    match record.get("subject").and_then(Value::as_str) {
        Some(subject) => format!("{of_type}: {subject}"),
        None => of_type.to_owned(),
    }
}

/// The label of a code.
#[must_use]
pub fn label<T: Coded>(code: Option<&Value>, lang: Lang) -> Option<&'static str> {
    let code = T::parse(code?.as_str()?)?;
    Some(code.labels().get(lang))
}

/// Whether a record is not as its author wrote it: shown in a translation, which some licences ask
/// to state.
#[must_use]
pub fn revised(row: &Record, shown: &Value) -> bool {
    let Some(shown) = shown.get("language") else {
        return false;
    };
    row.current_value().get("language") != Some(shown)
}
