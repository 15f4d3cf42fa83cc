//! The snapshot: every record that is fed, in dependency order. Tombstones are not part of it.

use super::position::{Phase, Position};
use super::{FeedEntry, FeedPage, Reader, body_bytes, fitting};
use crate::entity::record;
use crate::error::Result;
use domain::resource::Kind;
use domain::sync::FeedPhase;
use domain::vocabulary::Coded;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

impl Reader<'_> {
    /// The page after a record; the last one leads to the tail from where the snapshot began.
    pub(super) async fn snapshot(
        &self,
        position: &Position,
        after: Option<&(String, Uuid)>,
    ) -> Result<FeedPage> {
        let (ids, more) = self.next_ids(after).await?;
        let rows = self.rows(&ids).await?;
        let mut rows: Vec<record::Model> = rows.into_values().collect();
        // As they were found.
        rows.sort_by_key(|row| (Kind::parse(&row.kind), row.id));
        let last = rows.last().map(|row| (row.kind.clone(), row.id));
        let next = position.with(match last.filter(|_| more) {
            Some(last) => Phase::Snapshot { after: Some(last) },
            None => Phase::Tail {
                until: self.state.head,
            },
        });
        let entries = rows.into_iter().map(FeedEntry::of).collect();
        Ok(self.page(FeedPhase::Snapshot, entries, &next))
    }

    /// The records of the page after `after`, and whether there are more.
    async fn next_ids(&self, after: Option<&(String, Uuid)>) -> Result<(Vec<Uuid>, bool)> {
        let reached = after.and_then(|(kind, id)| Some((Kind::parse(kind)?, *id)));
        let wanted = self.limit + 1;
        let mut found: Vec<(Uuid, i64)> = Vec::new();
        for kind in self.filter.kinds() {
            let mut rows = record::Entity::find()
                .select_only()
                .column(record::Column::Id)
                .expr_as(body_bytes(), "bytes")
                .filter(self.filter.rows(&self.store.node().origin))
                .filter(record::Column::Kind.eq(kind.code()))
                .filter(record::Column::Shown.eq(true))
                .order_by_asc(record::Column::Id)
                .limit(wanted - found.len() as u64);
            match reached {
                Some((last, _)) if last > *kind => continue,
                Some((last, id)) if last == *kind => rows = rows.filter(record::Column::Id.gt(id)),
                Some(_) | None => {}
            }
            found.extend(rows.into_tuple::<(Uuid, i64)>().all(&self.tx).await?);
            if found.len() as u64 == wanted {
                break;
            }
        }
        let total = found.len();
        found.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let fitting = fitting(found.iter().map(|(_, bytes)| *bytes));
        found.truncate(fitting);
        let more = found.len() < total;
        Ok((found.into_iter().map(|(id, _)| id).collect(), more))
    }
}
