//! Leases of partners: one instance reads at a time.

use super::READER;
use crate::entity::{partner, partner_seen};
use crate::error::{Result, StoreError};
use crate::lease::{Lease, Leasing};
use crate::partner::Partners;
use crate::partner::state::Partner;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Caller;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{FeedPhase, PartnerState};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// Time after which a silent instance is considered dead. A reader renews its lease several times
/// within that, also while it waits for a response.
const LEASE: TimeDelta = TimeDelta::seconds(20);

const MAX_ERROR: usize = 1000;

const LEASING: Leasing<partner::Column> = Leasing {
    fence: partner::Column::Fence,
    leased_until: partner::Column::LeasedUntil,
    failed_at: partner::Column::FailedAt,
    retry_at: partner::Column::RetryAt,
    lasts: LEASE,
};

impl Partners<'_> {
    pub async fn due(self) -> Result<Vec<Uuid>> {
        Ok(partner::Entity::find()
            .select_only()
            .column(partner::Column::Id)
            .filter(due(self.store.clock().now()))
            .order_by_asc(partner::Column::Id)
            .into_tuple()
            .all(self.store.db().reader())
            .await?)
    }

    /// Takes the lease of a partner; `None` if another instance has it or the partner is not due.
    ///
    /// Copies that were read with other schemas than those of this release are read again.
    pub async fn lease(self, id: Uuid) -> Result<Option<Lease>> {
        on_partner(self.store, async |tx| {
            let query = partner::Entity::find_by_id(id).filter(due(tx.now));
            let Some(mut row) = locked_partner(tx, query).await? else {
                return Ok(None);
            };
            let marks = (&mut row.fence, &mut row.leased_until);
            let lease = LEASING.take(id, marks, tx.now);
            forget_the_future(&mut row, tx.now);
            if row.reader != *READER {
                row.rereads = row.next.is_some() || row.rereads;
                row.reader.clone_from(&READER);
                restart(tx, &mut row).await?;
            }
            keep_partner(tx, row).await?;
            Ok(Some(lease))
        })
        .await
    }

    /// The current state of the partner, if the lease is valid; renews it.
    pub async fn prolong(self, lease: &Lease) -> Result<Partner> {
        on_partner(self.store, async |tx| {
            let mut row = leased(tx, lease).await?;
            row.leased_until = Some(tx.now + LEASE);
            keep_partner(tx, row.clone()).await?;
            Ok(row)
        })
        .await
    }

    pub async fn release(self, lease: &Lease) -> Result<()> {
        on_partner(self.store, async |tx| {
            let mut row = leased(tx, lease).await?;
            row.leased_until = None;
            keep_partner(tx, row).await
        })
        .await
    }

    /// Records a failure of a partner, and the end of its pause.
    pub async fn note_failure(
        self,
        lease: &Lease,
        why: &str,
        retry_at: DateTime<Utc>,
    ) -> Result<()> {
        on_partner(self.store, async |tx| {
            let mut row = leased(tx, lease).await?;
            row.failures = row.failures.saturating_add(1);
            row.last_error = Some(why.chars().take(MAX_ERROR).collect());
            row.failed_at = Some(tx.now);
            row.retry_at = Some(retry_at);
            row.leased_until = None;
            keep_partner(tx, row).await
        })
        .await
    }

    /// Starts again with the snapshot of a partner; what it lacks is removed afterwards.
    pub async fn resync(self, lease: &Lease) -> Result<()> {
        on_partner(self.store, async |tx| {
            let mut row = leased(tx, lease).await?;
            restart(tx, &mut row).await?;
            keep_partner(tx, row).await
        })
        .await
    }
}

/// Changes partners without any record.
pub(super) async fn on_partner<T>(
    store: &Store,
    work: impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let options = WriteOptions::default();
    store.write(&Caller::node(), &options, work).await
}

fn due(now: DateTime<Utc>) -> Condition {
    let active = partner::Column::State.eq(PartnerState::Active.code());
    LEASING.is_free(now).add(active)
}

/// Times written by a clock that was ahead are invalid, and would never pass.
fn forget_the_future(row: &mut Partner, now: DateTime<Utc>) {
    let times = [
        &mut row.contacted_at,
        &mut row.up_to_date_at,
        &mut row.deletions_since,
    ];
    for at in times.into_iter().flatten() {
        *at = now.min(*at);
    }
    row.compared_at = row.compared_at.filter(|at| *at <= now);
}

pub(super) async fn leased(tx: &Transaction<'_>, lease: &Lease) -> Result<Partner> {
    let query = partner::Entity::find_by_id(lease.id)
        .filter(LEASING.is_held_by(lease))
        .filter(partner::Column::State.eq(PartnerState::Active.code()));
    let row = locked_partner(tx, query).await?;
    row.ok_or(StoreError::LeaseLost)
}

pub(super) async fn locked_partner(
    tx: &Transaction<'_>,
    mut query: sea_orm::Select<partner::Entity>,
) -> Result<Option<Partner>> {
    if tx.db().is_postgres() {
        query = query.lock(LockType::Update);
    }
    Ok(query.into_model().one(&tx.sql).await?)
}

pub(super) async fn keep_partner(tx: &Transaction<'_>, row: Partner) -> Result<()> {
    let row = row.into_active_model().reset_all();
    row.update(&tx.sql).await?;
    Ok(())
}

/// The partner's state is unknown; every copy must be reported again or be removed.
pub(super) async fn restart(tx: &Transaction<'_>, row: &mut Partner) -> Result<()> {
    row.next = None;
    row.phase = FeedPhase::Snapshot;
    row.unswept = true;
    partner_seen::Entity::delete_many()
        .filter(partner_seen::Column::PartnerId.eq(row.id))
        .exec(&tx.sql)
        .await?;
    Ok(())
}
