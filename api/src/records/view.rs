//! Views of a record: canonical, or translated, shortened, extended.

use crate::formats::{Context, Format, Item, Place};
use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, wrong};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::weak_tag;
use crate::operation::routes::{Draft, reference};
use crate::records::areas;
use crate::records::former;
use crate::records::relationships::query::{RELATIONSHIPS_ON, on};
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::json::{insert, merge_patch};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::validation::body::KindSchema;
use domain::validation::upgrade::renamed;
use persistence::Store;
use persistence::read::relationships::RelationshipFilter;
use persistence::records::Record;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug)]
pub struct Shown {
    pub text: String,
    pub format: &'static dyn Format,
    pub etag: String,
    /// The language of the texts, if one was requested.
    pub language: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Representation {
    lang: Option<String>,
    fields: Option<Vec<String>>,
    include: Vec<Include>,
    /// Which relationships are included; those of today if absent.
    relationships_on: Option<RelationshipsOn>,
}

#[derive(Debug)]
pub struct View(Representation);

#[derive(Debug)]
pub struct ShownAll {
    pub items: Vec<String>,
    pub included: Option<(Value, usize)>,
    /// The languages of the texts, if one was requested.
    pub languages: Vec<String>,
}

/// What `include` can add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Relationships,
    HomeRegion,
    Topics,
    Region,
    Broader,
}

const INCLUDES: [(&str, Include); 5] = [
    ("relationships", Include::Relationships),
    ("home_region", Include::HomeRegion),
    ("topics", Include::Topics),
    ("region", Include::Region),
    ("broader", Include::Broader),
];

const MAX_INCLUDED: usize = 200;

pub const PARAMETERS: &[Parameter] = &[
    param::language(
        "lang",
        "Overlays the translation into this language (BCP 47); `Content-Language` says what is shown.",
    ),
    param::text(
        "fields",
        "Only these members, separated by commas, in addition to those that every record has.",
    )
    .example("name,slug"),
    param::codes(
        "include",
        "Brings records along under `included`: relationships (and their other ends), home_region, topics, region, broader; one level, at most 200 of each; `included_total` also counts what was left out.",
        Known::Of(includes),
    )
    .example("home_region,topics"),
    RELATIONSHIPS_ON,
];

fn includes() -> Vec<&'static str> {
    INCLUDES.iter().map(|(name, _)| *name).collect()
}

impl Parameters for View {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        PARAMETERS
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let kinds: Vec<Kind> = pairs.kind().into_iter().collect();
        Ok(Self(Representation::read(pairs, &kinds)?))
    }
}

impl View {
    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.0.lang()
    }

    pub async fn show(
        &self,
        store: &Store,
        caller: &Caller,
        row: &Record,
        (format, place): (&'static dyn Format, Place),
    ) -> Result<Shown, Problem> {
        let representation = &self.0;
        if representation.is_canonical() && format.is_canonical() {
            let json = row.json();
            // The strong tag belongs to the record as its origin has it.
            let etag = if row.is_served_as_stored() {
                format!("\"{}\"", row.version)
            } else {
                weak_tag(&json)
            };
            return Ok(Shown {
                text: json,
                format,
                etag,
                language: None,
            });
        }
        let mut wanted = representation.clone();
        if format.has_relationships() && row.kind != Kind::Relationship {
            wanted.add(Include::Relationships);
        }
        let mut all = wanted.show_all(store, caller, &[row]).await?;
        let shown = all.items.pop().unwrap_or_default();
        let included = all
            .included
            .map(|(included, total)| json!({"included": included, "included_total": total}));
        let areas = if format.has_areas() {
            areas::stored(store, &[row]).await?
        } else {
            areas::Areas::new()
        };
        let former = former::dates(store, format, [row]).await?;
        let item = Item {
            row,
            json: &shown,
            more: former.get(&row.id),
            area: areas.get(&row.id).map(String::as_str),
            slugs: None,
            names: None,
        };
        let shows = |member: &str| representation.shows(row.kind, member);
        let context = Context {
            place,
            ..format.context(Some(row.kind), &shows)
        };
        let text = format.record(&item, &context, &included.unwrap_or_default())?;
        Ok(Shown {
            etag: weak_tag(&text),
            format,
            text,
            language: all.languages.pop(),
        })
    }
}

impl Representation {
    pub fn read(pairs: &Pairs, kinds: &[Kind]) -> Result<Self, Problem> {
        let lang = pairs.one("lang").map(str::to_owned);
        let mut known: Vec<&str> = Vec::new();
        for kind in kinds {
            known.extend(KindSchema::of(*kind).members.iter().map(String::as_str));
        }
        let fields = pairs.one("fields").map(|list| {
            list.split(',')
                .map(|name| {
                    let name = name.trim();
                    if known.contains(&name) {
                        return Ok(name.to_owned());
                    }
                    let (close, close_de) = match kinds.iter().find_map(|kind| renamed(*kind, name))
                    {
                        Some(now) => (
                            format!(" (it is called {now} now)"),
                            format!(" (es heißt jetzt {now})"),
                        ),
                        None => param::meant(name, &known),
                    };
                    let names: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
                    let names = names.join(", ");
                    let en = format!("members of the kind {names}{close}");
                    let de = format!("Felder der Art {names}{close_de}");
                    Err(wrong("fields", name, (en, de)))
                })
                .collect()
        });
        let include = pairs.words("include").concat();
        let include = include.into_iter().filter_map(|name| {
            let mut known = INCLUDES.iter();
            let found = known.find(|(known, _)| *known == name)?;
            Some(found.1)
        });
        Ok(Self {
            lang,
            fields: fields.transpose()?,
            include: include.collect(),
            relationships_on: on(pairs)?,
        })
    }

    /// Whole records, in a language if one is given.
    #[must_use]
    pub const fn in_language(lang: Option<String>) -> Self {
        Self {
            lang,
            fields: None,
            include: Vec::new(),
            relationships_on: None,
        }
    }

    #[must_use]
    pub const fn canonical() -> Self {
        Self {
            lang: None,
            fields: None,
            include: Vec::new(),
            relationships_on: None,
        }
    }

    fn add(&mut self, include: Include) {
        if !self.include.contains(&include) {
            self.include.push(include);
        }
    }

    #[must_use]
    pub fn is_canonical(&self) -> bool {
        self.lang.is_none() && self.fields.is_none() && self.include.is_empty()
    }

    #[must_use]
    pub fn shows(&self, kind: Kind, member: &str) -> bool {
        let required = &KindSchema::of(kind).required;
        let named = |names: &[String]| names.iter().any(|name| name == member);
        let fields = self.fields.as_deref();
        fields.is_none_or(|fields| named(fields) || named(required))
    }

    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }

    /// Renders records; their included records are fetched together.
    pub async fn show_all(
        &self,
        store: &Store,
        caller: &Caller,
        rows: &[&Record],
    ) -> Result<ShownAll, Problem> {
        let mut items = Vec::with_capacity(rows.len());
        if self.is_canonical() {
            for row in rows {
                items.push(row.json());
            }
            return Ok(ShownAll {
                items,
                included: None,
                languages: Vec::new(),
            });
        }
        let mut languages = Vec::new();
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let mut record: Value = serde_json::from_str(&row.json())
                .map_err(|why| persistence::StoreError::Corrupt(why.to_string()))?;
            if let Some(lang) = &self.lang
                && let Some(shown) = translate(row.kind, &mut record, lang)
                && !languages.contains(&shown)
            {
                languages.push(shown);
            }
            records.push((row.id, record));
        }
        let included = self.included(store, caller, &records).await?;
        for (row, (_, mut record)) in rows.iter().zip(records) {
            if let (Some(fields), Some(members)) = (&self.fields, record.as_object_mut()) {
                // Without these the response would have another type.
                let kept = &KindSchema::of(row.kind).required;
                members.retain(|name, _| kept.contains(name) || fields.contains(name));
            }
            items.push(record.to_string());
        }
        Ok(ShownAll {
            items,
            included,
            languages,
        })
    }

    async fn included(
        &self,
        store: &Store,
        caller: &Caller,
        records: &[(Uuid, Value)],
    ) -> Result<Option<(Value, usize)>, Problem> {
        if self.include.is_empty() {
            return Ok(None);
        }
        let shown: BTreeSet<Uuid> = records.iter().map(|(id, _)| *id).collect();
        let mut ids = Vec::new();
        let mut rows = Vec::new();
        let mut left_out = 0;
        let today = || RelationshipsOn::Today(store.clock().today());
        for include in &self.include {
            let pointer = match include {
                Include::HomeRegion => "/home_region",
                Include::Topics => "/topics/*",
                Include::Region => "/places/*/region",
                Include::Broader => "/broader",
                Include::Relationships => {
                    let filter = RelationshipFilter {
                        around: shown.iter().copied().collect(),
                        on: self.relationships_on.unwrap_or_else(today),
                        ..RelationshipFilter::default()
                    };
                    let limit = MAX_INCLUDED as u64;
                    let page = store
                        .relationships()
                        .list(caller, &filter, (limit, None), "")
                        .await?;
                    let total = usize::try_from(page.total).unwrap_or_default();
                    left_out += total - page.items.len().min(total);
                    for item in page.items {
                        rows.extend(item.ends.into_iter().filter(|end| !shown.contains(&end.id)));
                        rows.push(item.row);
                    }
                    continue;
                }
            };
            for (_, record) in records {
                let values = domain::base::pointer::values(record, pointer).into_iter();
                ids.extend(values.filter_map(|value| Uuid::try_parse(value.as_str()?).ok()));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        left_out += ids.len() - ids.len().min(MAX_INCLUDED);
        ids.truncate(MAX_INCLUDED);
        rows.extend(store.records().list_resolved(caller, &ids).await?);
        let mut included: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for row in &rows {
            let record = serde_json::from_str(&row.json()).unwrap_or_default();
            let kind = included.entry(row.kind.code()).or_default();
            kind.insert(row.id.to_string(), record);
        }
        let total = included.values().map(Map::len).sum::<usize>() + left_out;
        Ok(Some((json!(included), total)))
    }
}

/// Applies a translation and returns the language of the texts; `en-GB` falls back to `en`.
///
/// Only texts are translated, whatever a copy contains: a translation must not change what a record
/// is, or whose.
pub fn translate(kind: Kind, record: &mut Value, lang: &str) -> Option<String> {
    let own = record
        .get("language")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let primary = lang.split('-').next().unwrap_or(lang);
    let translations = record.get("translations").and_then(Value::as_object);
    let translations: Vec<_> = translations.into_iter().flatten().collect();
    // Language tags ignore case (RFC 5646, 2.1.1); an empty translation has no effect.
    let found = [lang, primary].iter().find_map(|wanted| {
        translations.iter().find(|(tag, texts)| {
            tag.eq_ignore_ascii_case(wanted)
                && texts.as_object().is_some_and(|texts| !texts.is_empty())
        })
    });
    let Some((tag, translation)) =
        found.and_then(|(tag, texts)| Some(((*tag).clone(), texts.as_object()?.clone())))
    else {
        return own;
    };
    let texts = &KindSchema::of(kind).texts;
    let texts = translation
        .into_iter()
        .filter(|(member, _)| texts.contains(&member.as_str()));
    merge_patch(record, &Value::Object(texts.collect()));
    insert(record, &["language"], tag.as_str());
    Some(tag)
}

/// The name of a record that is shown in short, and the language of it if one is asked for.
pub(crate) fn named(row: &Record, lang: Option<Lang>) -> (Option<String>, Option<String>) {
    let Some(lang) = lang else {
        return (row.name.clone(), None);
    };
    let mut record = row.current_value();
    let tag = match lang {
        Lang::De => "de",
        Lang::En => "en",
    };
    let language = translate(row.kind, &mut record, tag);
    let name = record.get("name").and_then(Value::as_str);
    let name = name.map(str::to_owned).or_else(|| row.name.clone());
    (name, language)
}

/// The schemas of included records; needs [`describe_included`] too.
#[must_use]
pub fn included_schema() -> Value {
    json!({
        "included": reference("Included"),
        "included_total": {"type": "integer", "minimum": 0, "description": "How many there would be without the limit."},
    })
}

/// Registers the schema of included records.
pub fn describe_included(draft: &mut Draft) {
    let mut kinds = Map::new();
    for kind in Kind::ALL {
        let schema = KindSchema::of(*kind);
        draft.components(schema.documented().clone());
        let records = reference(&format!("{}Record", schema.name));
        kinds.insert(
            kind.code().to_owned(),
            json!({"type": "object", "additionalProperties": records}),
        );
    }
    let included = json!({
        "type": "object",
        "description": "The records that `include` brings along, by kind and id.",
        "properties": kinds,
    });
    draft.components(Map::from_iter([("Included".to_owned(), included)]));
}
