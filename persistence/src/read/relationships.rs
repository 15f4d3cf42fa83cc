//! Lists of relationships, everywhere or around one record.

mod select;

pub(crate) use select::{col, conditions, each, joined, order, standing_at};

use crate::cursor;
use crate::entity::{edge, parse_code, record};
use crate::error::{Result, StoreError};
use crate::merge_targets::{merge_targets, with_losers};
use crate::permits::Urgency;
use crate::read::statements::{self, States};
use crate::read::{can_read, find_merge_target_of, rows};
use crate::record::Record;
use crate::records::{Records, by_text};
use crate::store::{Store, totals};

use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::kinds::relationship::{RelationshipRole, RelationshipType};
use domain::statements::confirmation::ConfirmationState;
use domain::value::edtf::{Bounds, Certainty, EdtfDate};
use domain::value::external::ExternalId;
use domain::value::reference::Name;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use select::{count, page};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Each inner list is an OR, the outer one an AND: a repeated parameter with commas.
pub type AllOf<T> = Vec<Vec<T>>;

#[derive(Debug, Clone, Default)]
pub struct RelationshipFilter {
    /// Only those with one of these records at an end.
    pub around: Vec<Uuid>,
    pub types: AllOf<RelationshipType>,
    pub roles: AllOf<RelationshipRole>,
    /// The kind of the other end; without `around`, of either end.
    pub kinds: AllOf<Kind>,
    pub from: AllOf<Uuid>,
    pub to: AllOf<Uuid>,
    /// When they have to hold.
    pub on: RelationshipsOn,
    pub starts: DateRange,
    pub ends: DateRange,
    pub ids: AllOf<Uuid>,
    pub home_regions: AllOf<Uuid>,
    pub origins: AllOf<String>,
    /// Publication states; published if empty.
    pub publications: AllOf<Publication>,
    /// States of confirmation; disputed ones are listed only on request.
    pub confirmations: AllOf<ConfirmationState>,
    pub external_ids: AllOf<ExternalId>,
    pub updated_since: Option<DateTime<Utc>>,
}

/// A span of days, both inclusive.
#[derive(Debug, Clone, Default)]
pub struct DateRange {
    pub from: Option<EdtfDate>,
    pub to: Option<EdtfDate>,
    /// Only what is certainly within.
    pub certain: bool,
}

impl DateRange {
    pub(crate) const fn is_empty(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

#[derive(Debug)]
pub struct RelationshipPage {
    pub items: Vec<RelationshipItem>,
    pub total: u64,
    pub next: Option<String>,
}

/// The edge of a relationship; a merged end is replaced by its merge target.
#[derive(Debug)]
pub struct Edge {
    pub r#type: RelationshipType,
    pub from_id: Option<Uuid>,
    pub to_id: Option<Uuid>,
    /// The open end as JSON, if there is one.
    pub open_end: Option<String>,
    /// Order of the `from` records within `to`.
    pub position: Option<i32>,
}

impl TryFrom<edge::Model> for Edge {
    type Error = DbErr;

    fn try_from(row: edge::Model) -> Result<Self, DbErr> {
        Ok(Self {
            r#type: parse_code(&row.r#type)?,
            from_id: row.from_id,
            to_id: row.to_id,
            open_end: row.open_end,
            position: row.position,
        })
    }
}

#[derive(Debug)]
pub struct RelationshipItem {
    pub row: Record,
    pub edge: Edge,
    /// The records at its ends, except open ends.
    pub ends: Vec<Record>,
    /// Whether it holds on the day of the filter, or today if that has none; `None` if it cannot.
    pub active: Option<Certainty>,
    /// Of the match, if the filter has a date.
    pub certainty: Option<Certainty>,
    pub states: States,
}

/// The position after the last relationship of a page.
#[derive(Serialize, Deserialize)]
struct Position(String, i32, Uuid);

/// Room of relationships.
#[derive(Debug, Clone, Copy)]
pub struct Relationships<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn relationships(&self) -> Relationships<'_> {
        Relationships { store: self }
    }
}

impl Relationships<'_> {
    /// Lists relationships that the caller sees, with both ends.
    ///
    /// A merged end counts as its merge target; two relationships that have become equal that way
    /// are both listed, since merging rewrites nothing.
    ///
    /// `query` is the query's text without the cursor, to which cursors are bound.
    pub async fn list(
        self,
        caller: &Caller,
        filter: &RelationshipFilter,
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<RelationshipPage> {
        let secret = &self.store.node().secret;
        let after: Option<Position> = at
            .map(|text| cursor::decode(secret, query, text))
            .transpose()?;
        let db = self.store.db();
        let _turn = if db.is_postgres() {
            None
        } else {
            // SQLite counts in this process, and takes long for a network of thousands.
            Some(self.store.permits().take(Urgency::Interactive).await?)
        };
        // All queries see one state, so that total and page agree.
        let tx = db.begin_read().await?;
        let filter = &past_merges(&tx, filter).await?;
        let conditions = conditions(filter, caller, &self.store.node().origin);
        let count = count(filter, &conditions);
        let total = if filter.confirmations.is_empty() {
            self.store.totals().get(&tx, &count).await?
        } else {
            // Confirmations are not in the log.
            totals::counted(&tx, &count).await?
        };
        let page = page(filter, &conditions, after.as_ref(), limit + 1);
        let rows = tx.query_all(&page).await?;
        let mut ids: Vec<Uuid> = rows
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<_, _>>()?;
        let more = ids.len() as u64 > limit;
        if more {
            ids.pop();
        }
        let today = EdtfDate::of(self.store.clock().today());
        let items = items(&tx, &ids, (filter.on, today)).await?;
        tx.commit().await?;
        let last = items.last().filter(|_| more);
        let next = last.map(|item| cursor::encode(secret, query, &position(item)));
        Ok(RelationshipPage { items, total, next })
    }

    /// The ids of the relationships that the caller sees, in the order of the list.
    pub async fn list_ids(self, caller: &Caller, filter: &RelationshipFilter) -> Result<Vec<Uuid>> {
        let filter = past_merges(self.store.db().reader(), filter).await?;
        let conditions = conditions(&filter, caller, &self.store.node().origin);
        let all = page(&filter, &conditions, None, i64::MAX.unsigned_abs());
        let rows = self.store.db().reader().query_all(&all).await?;
        let ids = rows.iter().map(|row| row.try_get_by_index(0));
        Ok(ids.collect::<std::result::Result<_, _>>()?)
    }
}

impl Records<'_> {
    /// The record that a query parameter references: a UUID, a slug, or `kind/slug`.
    ///
    /// # Errors
    /// [`StoreError::UnknownReference`] if it references nothing visible, or several records.
    pub async fn find_named(
        self,
        caller: &Caller,
        parameter: &'static str,
        kinds: &[Kind],
        value: &str,
    ) -> Result<(Kind, Uuid)> {
        let unknown = || StoreError::UnknownReference {
            parameter,
            value: value.to_owned(),
        };
        let (kinds, key) = match value.split_once('/') {
            Some((kind, key)) => {
                let kind = Kind::parse(kind).filter(|kind| kinds.contains(kind));
                (vec![kind.ok_or_else(unknown)?], key)
            }
            None => (kinds.to_vec(), value),
        };
        if let Name::Id(id) = by_text(key.to_owned()) {
            let mut row = rows(self.store, &[id]).await?.remove(&id);
            for kind in &kinds {
                if row.is_none() {
                    row = find_merge_target_of(self.store, caller, *kind, key).await?;
                }
            }
            let row = row.ok_or_else(unknown)?;
            let kind = row.kind;
            let fits = kinds.contains(&kind) && can_read(self.store, caller, &row).await?;
            return fits.then_some((kind, row.id)).ok_or_else(unknown);
        }
        let mut found = Vec::new();
        for kind in &kinds {
            match self.store.records().get(caller, *kind, key).await {
                Ok(row) => found.push((*kind, row.id)),
                Err(
                    StoreError::NotFound
                    | StoreError::Gone(_)
                    | StoreError::Moved { .. }
                    | StoreError::AmbiguousSlug { .. },
                ) => {}
                Err(other) => return Err(other),
            }
        }
        for kind in &kinds {
            if found.is_empty()
                && let Some(row) = find_merge_target_of(self.store, caller, *kind, key).await?
            {
                found.push((*kind, row.id));
            }
        }
        match found.as_slice() {
            [one] => Ok(*one),
            _ => Err(unknown()),
        }
    }
}

/// Absent positions come last.
const LAST: i32 = i32::MAX;

fn position(item: &RelationshipItem) -> Position {
    Position(
        item.edge.r#type.code().to_owned(),
        item.edge.position.unwrap_or(LAST),
        item.row.id,
    )
}

/// The filter with every record extended by those that were merged into it.
pub(crate) async fn past_merges(
    db: &impl ConnectionTrait,
    filter: &RelationshipFilter,
) -> Result<RelationshipFilter> {
    let mut filter = filter.clone();
    let lists = [&mut filter.from, &mut filter.to, &mut filter.home_regions];
    for list in lists.into_iter().flatten().chain([&mut filter.around]) {
        *list = with_losers(db, list.drain(..)).await?.into_iter().collect();
    }
    Ok(filter)
}

/// Loads the page's edges, records, ends and statements: five queries for any length.
async fn items(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    (on, today): (RelationshipsOn, EdtfDate),
) -> Result<Vec<RelationshipItem>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let date = on.date();
    let mut edges = edge::Entity::find()
        .filter(edge::Column::RecordId.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let ends = edges.iter().flat_map(|edge| [edge.from_id, edge.to_id]);
    let merge_targets = merge_targets(db, ends.flatten()).await?;
    for edge in &mut edges {
        for end in [&mut edge.from_id, &mut edge.to_id].into_iter().flatten() {
            *end = merge_targets.get(end).copied().unwrap_or(*end);
        }
    }
    let mut edges: BTreeMap<Uuid, edge::Model> = edges
        .into_iter()
        .map(|edge| (edge.record_id, edge))
        .collect();
    let mut states = statements::states(db, edges.values()).await?;
    let ends = edges.values().flat_map(|edge| [edge.from_id, edge.to_id]);
    let wanted: Vec<Uuid> = ends.flatten().chain(ids.iter().copied()).collect();
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(wanted))
        .into_model::<Record>()
        .all(db)
        .await?;
    let rows: BTreeMap<Uuid, Record> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let (Some(edge), Some(row)) = (edges.remove(id), rows.get(id)) else {
            continue;
        };
        let ends = [edge.from_id, edge.to_id];
        let ends = ends.iter().flatten().filter_map(|id| rows.get(id)).cloned();
        items.push(RelationshipItem {
            row: row.clone(),
            ends: ends.collect(),
            active: bounds(&edge).active_on(date.as_ref().unwrap_or(&today)),
            certainty: date.and_then(|date| bounds(&edge).active_on(&date)),
            states: states.remove(id).unwrap_or_default(),
            edge: edge.try_into()?,
        });
    }
    Ok(items)
}

pub(crate) fn bounds(edge: &edge::Model) -> Bounds {
    Bounds {
        from_earliest: edge.from_earliest,
        from_latest: edge.from_latest,
        to_earliest: edge.to_earliest,
        to_latest: edge.to_latest,
    }
}
