//! Deletions of copies: many at once only after an operator's approval; and the sweep after a
//! snapshot.

use super::take::PageOutcome;
use crate::entity::{partner_seen, record, tombstone};
use crate::error::Result;
use crate::lease::Lease;
use crate::partner::copy::{drop_copy, drop_tombstone};
use crate::partner::lease::{keep_partner, leased};
use crate::partner::state::Partner;
use crate::partner::take::{Copies, on_copies};
use crate::record::Record;
use crate::transaction::Transaction;
use chrono::{DateTime, TimeDelta, Utc};
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PartnerState;
use sea_orm::sea_query::{LockType, SelectStatement};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use uuid::Uuid;

/// Number of copies that are removed in one transaction after a snapshot.
const SWEPT: u64 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PendingDeletions {
    deletions: i64,
    copies: i64,
}

/// The time over which deletions are counted: in parts they must not pass unseen either.
const WINDOW: TimeDelta = TimeDelta::days(1);

/// Number of copies that may be deleted within a day without approval: one in twenty, or twenty.
fn limit_of(copies: i64) -> i64 {
    (copies / 20).max(20)
}

impl Copies<'_> {
    /// Removes copies that the snapshot of a partner lacks, in batches.
    pub async fn sweep(self, lease: &Lease) -> Result<PageOutcome> {
        let row = self.store.partners().prolong(lease).await?;
        let origin = row.origin.unwrap_or_default();
        on_copies(self.store, &origin, async |tx| sweep_some(tx, lease).await).await
    }
}

pub(super) async fn excessive_deletions(
    tx: &Transaction<'_>,
    partner: &Partner,
    going: usize,
) -> Result<Option<PendingDeletions>> {
    let going = i64::try_from(going).unwrap_or(i64::MAX);
    let before = partner.recent_deletions(tx.now);
    let all = before.saturating_add(going);
    // A few are always allowed, so most pages need no count.
    if going == 0 || all <= limit_of(0) || going <= partner.allowed_deletions {
        return Ok(None);
    }
    let copies = record::Entity::find()
        .filter(record::Column::Origin.eq(&tx.origin))
        .count(&tx.sql)
        .await?;
    let copies = i64::try_from(copies).unwrap_or(i64::MAX);
    let pending = PendingDeletions {
        deletions: going,
        copies,
    };
    Ok((all > limit_of(copies.saturating_add(before))).then_some(pending))
}

impl Partner {
    /// Number of copies that were deleted without approval in the current day.
    fn recent_deletions(&self, now: DateTime<Utc>) -> i64 {
        let recent = |since: &DateTime<Utc>| now - *since < WINDOW;
        self.deletions_since
            .filter(recent)
            .map_or(0, |_| self.deletions)
    }

    /// Counts deletions without approval; those that were approved do not count.
    pub(super) fn count_deletions(&mut self, going: usize, now: DateTime<Utc>) {
        let going = i64::try_from(going).unwrap_or(i64::MAX);
        if going == 0 || going <= self.allowed_deletions {
            return;
        }
        let before = self.recent_deletions(now);
        if before == 0 {
            self.deletions_since = Some(now);
        }
        self.deletions = before.saturating_add(going);
    }
}

pub(super) async fn hold(
    tx: &Transaction<'_>,
    mut partner: Partner,
    pending: PendingDeletions,
) -> Result<PageOutcome> {
    partner.state = PartnerState::AwaitingApproval;
    partner.held_deletions = Some(pending.deletions);
    partner.held_copies = Some(pending.copies);
    partner.leased_until = None;
    tracing::warn!(
        partner = partner.name,
        ?pending,
        "many copies of a partner would be deleted; waiting for approval"
    );
    keep_partner(tx, partner).await?;
    Ok(PageOutcome::Stopped)
}

/// Removes the content and names of deleted and merged copies: a snapshot does not say which of
/// them were erased meanwhile.
async fn forget_dead_copies(tx: &Transaction<'_>) -> Result<()> {
    let sql = "UPDATE change SET body = NULL WHERE origin = $1 AND body IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM record WHERE record.id = change.record_id)";
    tx.execute(sql, [tx.origin.clone().into()]).await?;
    let sql = "UPDATE tombstone SET slug = NULL WHERE origin = $1 AND slug IS NOT NULL";
    tx.execute(sql, [tx.origin.clone().into()]).await
}

/// Removes some of the merges that the snapshot lacks; returns whether there were any.
async fn sweep_merged(tx: &mut Transaction<'_>, partner: &Partner) -> Result<bool> {
    let kinds = partner.filter();
    let kinds = kinds.kinds().iter().map(|kind| kind.code());
    let stale: Vec<Uuid> = tombstone::Entity::find()
        .select_only()
        .column(tombstone::Column::Id)
        .filter(tombstone::Column::Origin.eq(&tx.origin))
        .filter(tombstone::Column::Kind.is_in(kinds))
        .filter(tombstone::Column::MergedInto.is_not_null())
        .filter(tombstone::Column::Id.not_in_subquery(seen(partner)))
        .order_by_asc(tombstone::Column::Id)
        .limit(SWEPT)
        .into_tuple()
        .all(&tx.sql)
        .await?;
    for id in &stale {
        drop_tombstone(tx, *id).await?;
    }
    Ok(!stale.is_empty())
}

async fn sweep_some(tx: &mut Transaction<'_>, lease: &Lease) -> Result<PageOutcome> {
    let mut partner = leased(tx, lease).await?;
    let unseen = unseen(&partner, &tx.origin);
    let going = unseen.clone().count(&tx.sql).await?;
    let going = usize::try_from(going).unwrap_or(usize::MAX);
    if let Some(pending) = excessive_deletions(tx, &partner, going).await? {
        return hold(tx, partner, pending).await;
    }
    if going == 0 {
        if sweep_merged(tx, &partner).await? {
            keep_partner(tx, partner).await?;
            return Ok(PageOutcome::Unswept);
        }
        forget_dead_copies(tx).await?;
        partner.unswept = false;
        partner.rereads = false;
        partner.allowed_deletions = 0;
        partner.up_to_date_at = Some(tx.now);
        // The result is compared at once.
        partner.compared_at = None;
        partner_seen::Entity::delete_many()
            .filter(partner_seen::Column::PartnerId.eq(partner.id))
            .exec(&tx.sql)
            .await?;
        keep_partner(tx, partner).await?;
        return Ok(PageOutcome::UpToDate);
    }
    let mut rows = unseen.order_by_asc(record::Column::Id).limit(SWEPT);
    if tx.db().is_postgres() {
        rows = rows.lock(LockType::Update);
    }
    for row in rows.into_model::<Record>().all(&tx.sql).await? {
        drop_copy(tx, &row).await?;
    }
    partner.count_deletions(going, tx.now);
    // A sweep that was begun is completed.
    partner.allowed_deletions = partner
        .allowed_deletions
        .max(i64::try_from(going).unwrap_or(i64::MAX));
    keep_partner(tx, partner).await?;
    Ok(PageOutcome::Unswept)
}

/// The copies of an origin that the snapshot of a partner has not contained so far.
fn unseen(partner: &Partner, origin: &str) -> Select<record::Entity> {
    record::Entity::find()
        .filter(record::Column::Origin.eq(origin))
        .filter(record::Column::Id.not_in_subquery(seen(partner)))
}

/// The records in the snapshot of a partner so far.
fn seen(partner: &Partner) -> SelectStatement {
    let seen = partner_seen::Entity::find()
        .select_only()
        .column(partner_seen::Column::RecordId)
        .filter(partner_seen::Column::PartnerId.eq(partner.id));
    seen.into_query()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_copies_or_one_in_twenty_may_go() {
        for (copies, limit) in [
            (0, 20),
            (21, 20),
            (400, 20),
            (419, 20),
            (420, 21),
            (10_000, 500),
        ] {
            assert_eq!(limit_of(copies), limit, "{copies}");
        }
    }
}
