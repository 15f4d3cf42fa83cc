//! The content of an export: which records, in which order, and their rows chunk by chunk.

use crate::entity::{record, reference};
use crate::error::Result;
use crate::record::Record;
use crate::records::Records;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub const CHUNK: usize = 200;

impl Records<'_> {
    /// Sorts records of one kind so that each comes after those that it references: an import reads
    /// line by line. Records that reference each other keep the order of creation.
    pub async fn in_dependency_order(self, mut ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
        ids.sort_unstable();
        let mut named: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let rows = reference::Entity::find()
                .filter(reference::Column::RecordId.is_in(chunk.iter().copied()))
                .order_by_asc(reference::Column::TargetId)
                .all(self.store.db().reader())
                .await?;
            for row in rows {
                // Only records in the same export can precede it.
                if ids.binary_search(&row.target_id).is_ok() {
                    named.entry(row.record_id).or_default().push(row.target_id);
                }
            }
        }
        Ok(ordered(&ids, &named))
    }

    pub async fn own_ids(self, kind: Kind) -> Result<Vec<Uuid>> {
        Ok(record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Kind.eq(kind.code()))
            .filter(record::Column::Origin.eq(&self.store.node().origin))
            .into_tuple()
            .all(self.store.db().reader())
            .await?)
    }

    /// Those of the slugs that several visible records share, with the kind.
    pub async fn shared_slugs(
        self,
        caller: &Caller,
        slugs: &BTreeSet<String>,
    ) -> Result<BTreeSet<(Kind, String)>> {
        let rows = record::Entity::find()
            .filter(record::Column::Slug.is_in(slugs.iter().map(String::as_str)))
            .into_model::<Record>()
            .all(self.store.db().reader())
            .await?;
        let mut seen = BTreeSet::new();
        let mut shared = BTreeSet::new();
        for row in rows {
            if !caller.can_read(&self.store.subject(&row)) {
                continue;
            }
            let key = (row.kind, row.slug.unwrap_or_default());
            if !seen.insert(key.clone()) {
                shared.insert(key);
            }
        }
        Ok(shared)
    }
}

/// Depth first, without recursion: chains may be long.
fn ordered(ids: &[Uuid], named: &BTreeMap<Uuid, Vec<Uuid>>) -> Vec<Uuid> {
    let mut order = Vec::with_capacity(ids.len());
    let mut entered = BTreeSet::new();
    for id in ids {
        let mut open = vec![(*id, false)];
        while let Some((id, done)) = open.pop() {
            if done {
                order.push(id);
            } else if entered.insert(id) {
                open.push((id, true));
                let names = named.get(&id).into_iter().flatten();
                open.extend(names.rev().map(|name| (*name, false)));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_first_and_circles_end() {
        let id = |n: u128| Uuid::from_u128(n);
        let ids: Vec<Uuid> = (1..=5).map(id).collect();
        let named = BTreeMap::from([
            (id(1), vec![id(1), id(4)]),
            (id(4), vec![id(3)]),
            (id(2), vec![id(5)]),
            (id(5), vec![id(2)]),
        ]);
        assert_eq!(ordered(&ids, &named), [3, 4, 1, 5, 2].map(id));
    }
}
