//! The geometry of regions: a sub-resource with its own version, neither logged nor in the feed.

use crate::entity::{geometry, stored};
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::transaction::WriteOptions;
use crate::write::Precondition;
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use sea_orm::sea_query::{Expr, Func, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The geometry of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    pub record_id: Uuid,
    /// From 1, plus 1 per change.
    pub version: i64,
    pub body: String,
    pub updated_at: DateTime<Utc>,
}

stored!(Geometry in geometry {
    same: record_id, version, body, updated_at;
});

/// Room of the geometries of regions.
#[derive(Debug, Clone, Copy)]
pub struct Geometries<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn geometries(&self) -> Geometries<'_> {
        Geometries { store: self }
    }
}

impl Geometries<'_> {
    /// The geometry of a region that the caller sees.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the region has none; otherwise as
    /// [`crate::records::Records::get`].
    pub async fn get(self, caller: &Caller, region: &str) -> Result<Geometry> {
        let region = self
            .store
            .records()
            .get(caller, Kind::Region, region)
            .await?;
        geometry::Entity::find_by_id(region.id)
            .into_model()
            .one(self.store.db().reader())
            .await?
            .ok_or(StoreError::NotFound)
    }

    pub async fn sizes(self, regions: &[Uuid]) -> Result<BTreeMap<Uuid, usize>> {
        let sizes: Vec<(Uuid, i32)> = geometry::Entity::find()
            .select_only()
            .column(geometry::Column::RecordId)
            .expr_as(Func::char_length(Expr::col(geometry::Column::Body)), "size")
            .filter(geometry::Column::RecordId.is_in(regions.iter().copied()))
            .into_tuple()
            .all(self.store.db().reader())
            .await?;
        let sizes = sizes.into_iter();
        Ok(sizes
            .map(|(region, size)| (region, usize::try_from(size).unwrap_or_default()))
            .collect())
    }

    pub async fn list(self, regions: &[Uuid]) -> Result<BTreeMap<Uuid, String>> {
        if regions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = geometry::Entity::find()
            .filter(geometry::Column::RecordId.is_in(regions.iter().copied()))
            .all(self.store.db().reader())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.record_id, row.body))
            .collect())
    }

    /// Writes the geometry of a region; `expected` is `None` if there must be none yet.
    pub async fn put(
        self,
        caller: &Caller,
        region: Uuid,
        expected: Option<&Precondition>,
        body: &str,
        options: &WriteOptions,
    ) -> Result<Geometry> {
        self.store
            .write(caller, options, async |tx| {
                tx.records()
                    .lock(Kind::Region, region, &Precondition::Any)
                    .await?;
                let mut query = geometry::Entity::find_by_id(region);
                if tx.db().is_postgres() {
                    query = query.lock(LockType::Update);
                }
                let old = query.into_model::<Geometry>().one(&tx.sql).await?;
                let current = old.as_ref().map_or(0, |row| row.version);
                let met = match (expected, &old) {
                    (None, None) => true,
                    (Some(expected), Some(row)) => expected.met_by(row.version).is_ok(),
                    (None, Some(_)) | (Some(_), None) => false,
                };
                if !met {
                    return Err(StoreError::PreconditionFailed { current });
                }
                match old {
                    Some(row) if row.body == body => return Ok(row),
                    Some(_) | None => {}
                }
                let row = Geometry {
                    record_id: region,
                    version: current + 1,
                    body: body.to_owned(),
                    updated_at: tx.now,
                };
                if current == 0 {
                    geometry::Entity::insert(row.clone().into_active_model())
                        .exec_without_returning(&tx.sql)
                        .await?;
                } else {
                    let mut active = row.clone().into_active_model().reset_all();
                    active.record_id = Set(region);
                    active.update(&tx.sql).await?;
                }
                Ok(row)
            })
            .await
    }
}
