//! How a record is shown: canonical, or translated, shortened, extended.

use crate::extract::{Pairs, Parameter, Parameters, wrong};
use crate::problem::Problem;
use domain::access::Caller;
use domain::body::Definition;
use domain::json::{insert, merge_patch};
use domain::nearest::nearest;
use domain::record::Envelope;
use domain::resource::{Kind, Resource};
use domain::value::format;
use persistence::Store;
use persistence::entity::record;
use persistence::relationships::RelationshipFilter;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;
use uuid::Uuid;

/// A record ready to be sent.
#[derive(Debug)]
pub struct Shown {
    /// The JSON text.
    pub json: String,
    /// Strong for the canonical record, weak for everything else.
    pub etag: String,
    /// The language of the texts, if one was asked for.
    pub language: Option<String>,
}

/// What may be asked of a representation.
#[derive(Debug)]
pub struct View<T> {
    lang: Option<String>,
    fields: Option<Vec<String>>,
    include: Vec<Include>,
    kind: PhantomData<T>,
}

/// What `include` can bring along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Relationships,
    HomeRegion,
    Topics,
    Region,
}

const INCLUDES: [(&str, Include); 4] = [
    ("relationships", Include::Relationships),
    ("home_region", Include::HomeRegion),
    ("topics", Include::Topics),
    ("region", Include::Region),
];

/// How many records `include` brings along at most.
const MAX_INCLUDED: usize = 200;

impl<T: Resource> Parameters for View<T> {
    const TABLE: &'static [Parameter] = &[
        Parameter {
            name: "lang",
            description: "Overlays the translation into this language (BCP 47); `Content-Language` says what is shown.",
            schema: r#"{"type": "string", "maxLength": 35}"#,
            example: "en",
            repeatable: false,
        },
        Parameter {
            name: "fields",
            description: "Only these members, separated by commas, beside those that every record has.",
            schema: r#"{"type": "string", "maxLength": 1000}"#,
            example: "name,slug",
            repeatable: false,
        },
        Parameter {
            name: "include",
            description: "Brings records along under `included`: relationships (and their other ends), home_region, topics, region; one level, at most 200 of each; `included_total` also counts what was left out.",
            schema: r#"{"type": "string", "maxLength": 100}"#,
            example: "home_region,topics",
            repeatable: false,
        },
    ];

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let lang = pairs.one("lang").map(str::to_owned);
        if let Some(lang) = &lang
            && format::language(lang).is_err()
        {
            return Err(wrong("lang", lang, "a BCP 47 language tag such as en"));
        }
        let known = &Definition::of(T::KIND).members;
        let fields = pairs.one("fields").map(|list| {
            list.split(',')
                .map(|name| {
                    let name = name.trim();
                    if known.iter().any(|known| known == name) {
                        return Ok(name.to_owned());
                    }
                    let close = nearest(name, known.iter().map(String::as_str));
                    let close = close.map_or(String::new(), |c| format!(" (did you mean {c}?)"));
                    let expected = format!("members of the kind {}{close}", T::KIND);
                    Err(wrong("fields", name, &expected))
                })
                .collect()
        });
        let include = pairs.lists(
            "include",
            "of relationships, home_region, topics, region",
            |name| {
                INCLUDES
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, include)| *include)
            },
        )?;
        Ok(Self {
            lang,
            fields: fields.transpose()?,
            include: include.into_iter().flatten().collect(),
            kind: PhantomData,
        })
    }
}

impl<T: Resource> View<T> {
    /// Whether this is the canonical record.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        self.lang.is_none() && self.fields.is_none() && self.include.is_empty()
    }

    /// Shows a record.
    ///
    /// # Errors
    /// The store's.
    pub async fn show(
        &self,
        store: &Store,
        caller: &Caller,
        row: &record::Model,
    ) -> Result<Shown, Problem> {
        let json = row.json()?;
        if self.is_canonical() {
            return Ok(Shown {
                json,
                etag: format!("\"{}\"", row.version),
                language: None,
            });
        }
        let mut record: Value = serde_json::from_str(&json)
            .map_err(|why| persistence::StoreError::Corrupt(why.to_string()))?;
        let language = self
            .lang
            .as_ref()
            .and_then(|lang| translate(&mut record, lang));
        let included = self.included(store, caller, row, &record).await?;
        if let (Some(fields), Some(members)) = (&self.fields, record.as_object_mut()) {
            // Without these the answer would be of another type.
            let kept = &Definition::of(T::KIND).required;
            members.retain(|name, _| kept.contains(name) || fields.contains(name));
        }
        if let Some((included, total)) = included {
            insert(&mut record, &["included"], included);
            insert(&mut record, &["included_total"], json!(total));
        }
        let json = record.to_string();
        Ok(Shown {
            etag: weak_tag(&json),
            json,
            language,
        })
    }

    async fn included(
        &self,
        store: &Store,
        caller: &Caller,
        row: &record::Model,
        record: &Value,
    ) -> Result<Option<(Value, usize)>, Problem> {
        if self.include.is_empty() {
            return Ok(None);
        }
        let mut ids = Vec::new();
        let mut rows = Vec::new();
        let mut left_out = 0;
        for include in &self.include {
            match include {
                Include::HomeRegion => ids.extend(uuids(record, "/home_region")),
                Include::Topics => ids.extend(uuids(record, "/topics")),
                Include::Region => ids.extend(regions(record)),
                Include::Relationships => {
                    let filter = RelationshipFilter {
                        around: Some(row.id),
                        ..RelationshipFilter::default()
                    };
                    let limit = MAX_INCLUDED as u64;
                    let page = store
                        .relationships(caller, &filter, (limit, None), "")
                        .await?;
                    let total = usize::try_from(page.total).unwrap_or_default();
                    left_out += total - page.items.len().min(total);
                    for item in page.items {
                        rows.extend(item.ends.into_iter().filter(|end| end.id != row.id));
                        rows.push(item.row);
                    }
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        left_out += ids.len() - ids.len().min(MAX_INCLUDED);
        ids.truncate(MAX_INCLUDED);
        rows.extend(store.visible(caller, &ids).await?);
        let mut included: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for row in &rows {
            let record = serde_json::from_str(&row.json()?).unwrap_or_default();
            let kind = included.entry(row.kind.as_str()).or_default();
            kind.insert(row.id.to_string(), record);
        }
        let total = included.values().map(Map::len).sum::<usize>() + left_out;
        Ok(Some((json!(included), total)))
    }
}

fn uuids(record: &Value, pointer: &str) -> Vec<Uuid> {
    let found = record.pointer(pointer);
    let parse = |value: &Value| value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    match found {
        Some(Value::Array(items)) => items.iter().filter_map(parse).collect(),
        Some(one) => parse(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn regions(record: &Value) -> Vec<Uuid> {
    let places = record.get("places").and_then(Value::as_array);
    let places = places.into_iter().flatten();
    places.flat_map(|place| uuids(place, "/region")).collect()
}

/// Overlays a translation and tells which language the texts have now; `en-GB` falls back to `en`.
pub fn translate(record: &mut Value, lang: &str) -> Option<String> {
    let own = record
        .get("language")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let primary = lang.split('-').next().unwrap_or(lang);
    let translations = record.get("translations").and_then(Value::as_object);
    let translations: Vec<_> = translations.into_iter().flatten().collect();
    // Language tags have no case (RFC 5646, 2.1.1); an empty translation translates nothing.
    let found = [lang, primary].iter().find_map(|wanted| {
        translations.iter().find(|(tag, texts)| {
            tag.eq_ignore_ascii_case(wanted)
                && texts.as_object().is_some_and(|texts| !texts.is_empty())
        })
    });
    let Some((tag, translation)) = found.map(|(tag, texts)| ((*tag).clone(), (*texts).clone()))
    else {
        return own;
    };
    merge_patch(record, &translation);
    insert(record, &["language"], tag.as_str());
    Some(tag)
}

/// A weak tag over what is shown.
#[must_use]
pub fn weak_tag(shown: &str) -> String {
    let hash = domain::json::hash(shown);
    format!("W/\"{}\"", hash.get(7..31).unwrap_or_default())
}

/// A record of the kind from the seed pages, for the documentation.
#[must_use]
pub fn example<T: Resource>() -> Value {
    static AT: LazyLock<chrono::DateTime<chrono::Utc>> = LazyLock::new(|| {
        chrono::DateTime::from_timestamp_micros(1_767_225_600_000_000).unwrap_or_default()
    });
    let sent: Value = serde_json::from_str(T::EXAMPLE).unwrap_or_default();
    let mut body = Definition::of(T::KIND).check(sent).body;
    let id = |kind: Kind, slug: &str| json!(domain::id::reference(kind.plural(), slug));
    // References are served as ids.
    for field in &Definition::of(T::KIND).references {
        domain::pointer::visit_mut(&mut body, field.path, &mut |_, value| {
            *value = match &*value {
                Value::String(slug) => id(Kind::Region, slug),
                Value::Object(end) => {
                    let slug = end.get("slug").and_then(Value::as_str).unwrap_or_default();
                    json!({"kind": end.get("kind"), "id": id(Kind::Actor, slug)})
                }
                other => other.clone(),
            };
        });
    }
    insert(&mut body, &["publication"], "published");
    let name = body.get("name").and_then(Value::as_str).map(str::to_owned);
    if let Some(name) = &name {
        insert(&mut body, &["slug"], domain::value::text::slugify(name));
    }
    let envelope = Envelope {
        id: domain::id::reference(T::KIND.plural(), "example"),
        kind: T::KIND,
        origin: "nordhessen".to_owned(),
        version: 1,
        created_at: *AT,
        updated_at: *AT,
        synced_at: None,
    };
    serde_json::from_str(&envelope.around(&body.to_string())).unwrap_or_default()
}
