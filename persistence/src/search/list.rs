//! A page of a list: sorted hits, the exact total, the next cursor and the facets.

use super::area::Spot;
use super::collect::{Collected, Pass, Place, Plan, Ranking, merge, number};
use super::document::SERVES;
use super::facets::{Dated, FacetPlan, Records};
use super::fields::{
    BY_CHANGED_HERE, BY_END, BY_END_DESC, BY_NAME, BY_START, BY_START_DESC, BY_UPDATED, BY_USE, ID,
};
use super::filter::{Bound, Filter, Test};
use super::index::{Search, Snapshot};
use super::query::Maker;
use crate::cursor;
use crate::error::{Result, StoreError};
use crate::meter::Meter;
use crate::permits::Urgency;
use crate::record::Record;
use chrono::NaiveDate;
use domain::access::rules::{Caller, Visibility};
use domain::base::filter::Form;
use domain::kinds::common::Publication;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::kinds::relationship::table;
use domain::validation::body::KindSchema;
use domain::value::edtf::Certainty;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Name,
    UpdatedAt,
    /// When it changed here: a copy, when it arrived. Only for feeds.
    ChangedHere,
    /// Begin, otherwise posting date; records without either last.
    Start,
    /// End; records without one last.
    End,
    Distance,
    /// How well it matches the typed text; best first.
    Relevance,
    /// The same for suggestions: then by kind and by use.
    Use,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub sort: Sort,
    pub descending: bool,
}

const MAX_RELEVANT: u64 = 1_000;

const STEP: f32 = 1.0 / 16.0;

const MAX_VALUES: usize = 50;

#[derive(Debug, Clone)]
pub struct ListQuery {
    pub filter: Filter,
    pub order: Order,
    pub near: Option<Spot>,
    pub limit: u64,
    pub cursor: Option<String>,
    pub facets: Vec<String>,
    /// The query's text without the cursor, to which cursors are bound.
    pub text: String,
}

#[derive(Debug)]
pub struct ListPage {
    pub hits: Vec<Hit>,
    pub total: u64,
    pub next: Option<String>,
    pub facets: Vec<Facet>,
}

#[derive(Debug)]
pub struct Hit {
    pub row: Record,
    /// Score, if the list is sorted by it.
    pub score: Option<f64>,
    /// Distance in metres, if the list has an origin.
    pub distance: Option<f64>,
    /// Certainty of the match, if the filter has dates.
    pub certainty: Option<Certainty>,
}

#[derive(Debug)]
pub struct Facet {
    pub name: String,
    pub values: Vec<FacetValue>,
}

#[derive(Debug)]
pub struct FacetValue {
    /// A code, a text, or the id of a record.
    pub value: String,
    pub count: u64,
    /// The record of the value, if the caller sees it.
    pub record: Option<Record>,
}

/// The position after a page.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Today on the first page: the list does not change at midnight.
    today: NaiveDate,
    position: Position,
}

#[derive(Serialize, Deserialize)]
enum Position {
    After(u64, String),
    Skip(u64),
}

impl Search {
    /// A page of what the caller sees.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], [`StoreError::Behind`] if the index is not up to date in time.
    pub async fn list(&self, caller: &Caller, query: &ListQuery) -> Result<ListPage> {
        let snapshot = self.fresh().await?;
        let at = query.cursor.as_ref();
        let at = at.map(|text| cursor::decode::<Cursor>(self.secret(), &query.text, text));
        let (today, at) = match at.transpose()? {
            None => (self.store().clock().today(), None),
            Some(Cursor { today, position }) => (today, Some(position)),
        };
        let on = on(&query.filter, today);
        let visibility = caller.visibility();
        let task = {
            let (query, snapshot) = (query.clone(), snapshot.clone());
            move |meter: &Meter| {
                Listing {
                    snapshot: &snapshot,
                    query: &query,
                    visibility: &visibility,
                    on,
                    meter,
                }
                .run(at.as_ref())
            }
        };
        let (found, facets) = self.read(Urgency::Interactive, task).await?;
        let next = self.next(query, today, &found);
        let kept: Vec<&Place> = found.page.iter().take(usize_of(query.limit)).collect();
        let hits = self.hits(caller, query, &kept).await?;
        let facets = self.with_records(caller, query, facets).await?;
        Ok(ListPage {
            hits,
            total: found.total,
            next,
            facets,
        })
    }

    /// The ids of all visible matches of a filter, of one state of the index.
    ///
    /// # Errors
    /// [`StoreError::Behind`] if the index is not up to date in time.
    pub async fn ids(&self, caller: &Caller, filter: &Filter) -> Result<Vec<Uuid>> {
        let snapshot = self.fresh().await?;
        let query = ListQuery {
            filter: filter.clone(),
            order: Order {
                sort: Sort::Name,
                descending: false,
            },
            near: None,
            limit: u64::MAX,
            cursor: None,
            facets: Vec::new(),
            text: String::new(),
        };
        let visibility = caller.visibility();
        let on = on(filter, self.store().clock().today());
        let task = move |meter: &Meter| {
            let listing = Listing {
                snapshot: &snapshot,
                query: &query,
                visibility: &visibility,
                on,
                meter,
            };
            let plan = Plan {
                ranking: Ranking::Column {
                    name: ID,
                    descending: false,
                },
                after: None,
                keep: usize::MAX,
                areas: query.filter.areas.clone(),
                facets: Vec::new(),
            };
            let found = listing.collect(&plan, None)?;
            Ok(found.places.iter().map(|place| place.id).collect())
        };
        self.read(Urgency::Bulk, task).await
    }

    fn next(&self, query: &ListQuery, today: NaiveDate, found: &Found) -> Option<String> {
        let limit = usize_of(query.limit);
        if found.page.len() <= limit {
            return None;
        }
        let position = match query.order.sort {
            Sort::Relevance | Sort::Use => {
                let skip = found.skipped + query.limit;
                (skip < MAX_RELEVANT).then_some(Position::Skip(skip))?
            }
            Sort::Name
            | Sort::UpdatedAt
            | Sort::ChangedHere
            | Sort::Start
            | Sort::End
            | Sort::Distance => {
                let last = found.page.get(limit.checked_sub(1)?)?;
                Position::After(last.number, last.text.clone()?)
            }
        };
        let cursor = Cursor { today, position };
        Some(cursor::encode(self.secret(), &query.text, &cursor))
    }

    /// Loads the rows of a page in one query. Rows that have changed since are checked again, so
    /// that nothing is shown that the caller may not see now.
    async fn hits(
        &self,
        caller: &Caller,
        query: &ListQuery,
        places: &[&Place],
    ) -> Result<Vec<Hit>> {
        let ids: Vec<Uuid> = places.iter().map(|place| place.id).collect();
        let rows = self.store().records().list(caller, &ids).await?;
        let mut rows: BTreeMap<Uuid, Record> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut hits = Vec::with_capacity(places.len());
        for place in places {
            let Some(row) = rows.remove(&place.id) else {
                continue;
            };
            if !asked_for(&row, &query.filter) {
                continue;
            }
            // Most lists need no more than the stored body.
            let body = if query.near.is_some() || has_dates(&query.filter) {
                row.current_value()
            } else {
                Value::Null
            };
            let distance = query.near.and_then(|from| nearest(&body, from));
            let score = (query.order.sort == Sort::Relevance).then(|| {
                number(if query.order.descending {
                    place.number
                } else {
                    !place.number
                })
            });
            hits.push(Hit {
                certainty: certainty(&row, &body, &query.filter),
                row,
                score,
                distance,
            });
        }
        Ok(hits)
    }

    /// Loads the records of facets, in one query for all of them.
    async fn with_records(
        &self,
        caller: &Caller,
        query: &ListQuery,
        facets: Vec<Counted>,
    ) -> Result<Vec<Facet>> {
        let by_record = |name: &str| records(&query.filter, name).is_some();
        let ids: Vec<Uuid> = facets
            .iter()
            .filter(|facet| by_record(&facet.name))
            .flat_map(|facet| {
                facet
                    .values
                    .iter()
                    .filter_map(|(value, _)| Uuid::try_parse(value).ok())
            })
            .collect();
        let rows = self.store().records().list(caller, &ids).await?;
        let rows: BTreeMap<String, Record> = rows
            .into_iter()
            .map(|row| (row.id.to_string(), row))
            .collect();
        Ok(facets
            .into_iter()
            .map(|facet| {
                let named = by_record(&facet.name);
                let values = facet.values.into_iter().filter_map(|(value, count)| {
                    let record = rows.get(&value).cloned();
                    // The id of an invisible record is not revealed either.
                    (!named || record.is_some()).then_some(FacetValue {
                        value,
                        count,
                        record,
                    })
                });
                Facet {
                    name: facet.name.clone(),
                    values: values.take(MAX_VALUES).collect(),
                }
            })
            .collect())
    }
}

/// Whether a facet's values are records, and whether it is a tree.
fn records(filter: &Filter, name: &str) -> Option<bool> {
    match name {
        "region" | "serves" => return Some(true),
        _ => {}
    }
    let mut known = filter
        .kinds
        .iter()
        .flat_map(|kind| &KindSchema::of(*kind).filters);
    match known.find(|one| one.name == name)?.form {
        Form::Tree(_) => Some(true),
        Form::Record(_) => Some(false),
        Form::Code(_) | Form::Flag | Form::Text => None,
    }
}

struct Found {
    /// In order; one more than the page, if there is more.
    page: Vec<Place>,
    total: u64,
    skipped: u64,
}

struct Counted {
    name: String,
    values: Vec<(String, u64)>,
}

struct Listing<'a> {
    snapshot: &'a Snapshot,
    query: &'a ListQuery,
    visibility: &'a Visibility,
    /// The relationships that count.
    on: RelationshipsOn,
    meter: &'a Meter,
}

impl Listing<'_> {
    fn run(&self, at: Option<&Position>) -> Result<(Found, Vec<Counted>)> {
        let (after, skipped) = match at {
            None => (None, 0),
            Some(Position::After(number, text)) => (Some((*number, text.clone())), 0),
            Some(Position::Skip(skip)) => (None, *skip),
        };
        let names = &self.query.facets;
        let (filtered, free): (Vec<&String>, Vec<&String>) =
            names.iter().partition(|name| self.is_filtered(name));
        let plan = Plan {
            ranking: self.ranking()?,
            after,
            keep: usize_of(skipped.saturating_add(self.query.limit).saturating_add(1)),
            areas: self.query.filter.areas.clone(),
            facets: free.iter().map(|name| self.facet(name)).collect(),
        };
        let mut found = self.collect(&plan, None)?;
        let mut counted: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
        for (name, counts) in free.iter().zip(std::mem::take(&mut found.facets)) {
            counted.insert(name, counts);
        }
        for name in filtered {
            // Each facet ignores its own filter, or it could only ever show the chosen value.
            let plan = Plan {
                after: None,
                keep: 0,
                facets: vec![self.facet(name)],
                ..plan.clone()
            };
            let counts = self.collect(&plan, Some(name))?.facets.pop();
            counted.insert(name, counts.unwrap_or_default());
        }
        let facets = names.iter().map(|name| Counted {
            name: name.clone(),
            values: most_frequent(counted.remove(name.as_str()).unwrap_or_default()),
        });
        let page = found
            .places
            .split_off(usize_of(skipped).min(found.places.len()));
        Ok((
            Found {
                page,
                total: found.total,
                skipped,
            },
            facets.collect(),
        ))
    }

    fn is_filtered(&self, name: &str) -> bool {
        let filter = &self.query.filter;
        filter.conditions.iter().any(|one| one.parameter == name)
            || (name == "publication" && !filter.publications.is_empty())
    }

    fn collect(&self, plan: &Plan, but: Option<&str>) -> Result<Collected> {
        let searcher = &self.snapshot.searcher;
        let maker = Maker {
            fields: &self.snapshot.fields,
            trees: &self.snapshot.trees,
            searcher,
            visibility: self.visibility,
            on: self.on,
            cache: &self.snapshot.segments.text,
            meter: self.meter,
            named: Cell::new(0),
        };
        maker.check(&self.query.filter)?;
        let conditions = maker.conditions(&self.query.filter, but);
        let text = self.query.filter.text.as_ref();
        let text = text.map(|typed| maker.text(typed, self.query.filter.beginnings));
        let text = text.transpose()?;
        let mut passes = Vec::new();
        for (segment, reader) in searcher.segment_readers().iter().enumerate() {
            let data = self.snapshot.segments.of(reader);
            let mut matches = conditions.matches(searcher, reader, &data)?;
            if let Some(alive) = data.alive(reader) {
                matches.intersect(&alive);
            }
            let pass = Pass::new(plan, reader, &data, matches)?;
            passes.push(match &text {
                None => pass.run(self.meter)?,
                Some(text) => {
                    let index = maker.text_index();
                    let found =
                        text.matches(&index, (reader, segment), |doc| pass.may_match(doc))?;
                    pass.of(&found, self.meter)?
                }
            });
        }
        Ok(merge(plan, passes)?)
    }

    fn ranking(&self) -> Result<Ranking> {
        let Order { sort, descending } = self.query.order;
        let column = |name| Ranking::Column { name, descending };
        Ok(match sort {
            Sort::Name => column(BY_NAME),
            Sort::UpdatedAt => column(BY_UPDATED),
            Sort::ChangedHere => column(BY_CHANGED_HERE),
            Sort::Start => column(if descending { BY_START_DESC } else { BY_START }),
            Sort::End => column(if descending { BY_END_DESC } else { BY_END }),
            Sort::Relevance => Ranking::Score {
                then: BY_NAME,
                step: STEP,
                descending,
            },
            Sort::Use => Ranking::Score {
                then: BY_USE,
                step: 10.0,
                descending,
            },
            Sort::Distance => Ranking::Distance {
                from: self
                    .query
                    .near
                    .ok_or_else(|| StoreError::Search("a distance from nowhere".to_owned()))?,
                descending,
            },
        })
    }

    fn facet(&self, name: &str) -> FacetPlan {
        let prefixes: &[&str] = match name {
            "region" => &["seat", "serves", "itself"],
            other => &[other],
        };
        let dated = prefixes.contains(&SERVES).then(|| Dated {
            field: self.snapshot.fields.edge,
            code: SERVES,
            holds: self.on.of(table::named(SERVES)),
        });
        FacetPlan {
            prefixes: prefixes.iter().map(|prefix| format!("{prefix}=")).collect(),
            dated,
            records: records(&self.query.filter, name).map(|above| Records {
                trees: self.snapshot.trees.clone(),
                above,
                on: self.on,
            }),
        }
    }
}

/// The relationships that count.
fn on(filter: &Filter, today: NaiveDate) -> RelationshipsOn {
    let asked = filter.relationships_on;
    asked.unwrap_or(RelationshipsOn::Today(today))
}

/// More than are shown, since the caller may not see every record among them.
fn most_frequent(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    values.truncate(2 * MAX_VALUES);
    values
}

/// Whether the publication of a row still matches the filter.
#[must_use]
pub fn asked_for(row: &Record, filter: &Filter) -> bool {
    let is = |one: &Publication| !row.suppressed && row.publication == *one;
    if filter.publications.is_empty() {
        return is(&Publication::Published);
    }
    filter.publications.iter().all(|list| list.iter().any(is))
}

fn has_dates(filter: &Filter) -> bool {
    let mut tests = filter.conditions.iter().flat_map(|one| &one.any);
    tests.any(|test| matches!(test, Test::ActiveOn(..) | Test::Within { .. }))
}

fn nearest(body: &Value, from: Spot) -> Option<f64> {
    super::document::spots(body)
        .into_iter()
        .map(|spot| from.distance(spot))
        .reduce(f64::min)
}

/// The certainty of a match of the dates: that of its least certain part.
fn certainty(row: &Record, body: &Value, filter: &Filter) -> Option<Certainty> {
    if !has_dates(filter) {
        return None;
    }
    let dates = KindSchema::of(row.kind).dates;
    let span = dates.span(body, row.updated_at.date_naive());
    let tests = filter.conditions.iter().flat_map(|one| &one.any);
    let certainties = tests.filter_map(|test| match test {
        Test::ActiveOn(when, _) => span.bounds?.active_on(when),
        Test::Within {
            bound, from, to, ..
        } => {
            let moment = match bound {
                Bound::Begin => &span.begin,
                Bound::End => &span.end,
            };
            moment.as_ref()?.within(from.as_ref(), to.as_ref())
        }
        _ => None,
    });
    certainties.reduce(|one, other| if one.is_certain() { other } else { one })
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
