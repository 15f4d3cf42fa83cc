//! Partners: the nodes from which records are copied.

mod copy;
mod entry;
mod hold;
mod lease;
mod state;
mod take;

pub use copy::CopiedRecord;
pub use entry::{FeedChange, ParsedEntry, Refused};
pub use state::{Partner, PartnerStatus, Quarantined};
pub use take::{Copies, MOST_ENTRIES, PageOutcome, PartnerPage};

use crate::entity::{partner, quarantine, record, tombstone};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::feed::digest::digests;
use crate::lease::Lease;
use crate::partner::copy::{drop_copy, drop_tombstone};
use crate::partner::lease::{keep_partner, leased, locked_partner, on_partner, restart};
use crate::record::Record;
use crate::store::{Store, is_origin};
use crate::transaction::{Transaction, WriteOptions};
use crate::write::Precondition;
use domain::access::rules::Caller;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::exchange::sync::{Digest, FeedPhase, PartnerState};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use uuid::Uuid;

const SHOWN: u64 = 10;

/// Number of copies that are removed in one transaction with their partner.
const REMOVED: u64 = 500;

/// A hash of the vocabularies and schemas of this release: copies that were read with others may
/// contain more information now.
static READER: LazyLock<String> = LazyLock::new(|| {
    let schemas = Kind::ALL
        .iter()
        .map(|kind| domain::validation::body::KindSchema::of(*kind).components());
    let schemas: Vec<_> = schemas.collect();
    let vocabularies = domain::vocabularies::all();
    domain::base::json::hash(&serde_json::json!([schemas, vocabularies]).to_string())
});

#[derive(Debug, Clone)]
pub struct NewPartner {
    pub name: String,
    pub url: String,
    /// The only origin whose records are accepted; that of the first page if absent.
    pub origin: Option<String>,
    /// The kinds of records; all if empty.
    pub kinds: Vec<Kind>,
    /// Their home regions; all if empty.
    pub home_regions: Vec<Uuid>,
}

/// Changes of a partner; absent members stay.
#[derive(Debug, Clone, Default)]
pub struct PartnerChange {
    pub name: Option<String>,
    pub url: Option<String>,
    pub kinds: Option<Vec<Kind>>,
    pub home_regions: Option<Vec<Uuid>>,
    pub paused: Option<bool>,
}

/// Room of the partners.
#[derive(Debug, Clone, Copy)]
pub struct Partners<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn partners(&self) -> Partners<'_> {
        Partners { store: self }
    }
}

impl Partners<'_> {
    /// Creates a partner; records are copied as soon as it has been reached.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another one has the name, [`StoreError::Invalid`] if the origin
    /// cannot belong to a partner.
    pub async fn create(self, by: &Caller, new: &NewPartner) -> Result<Partner> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                refuse_taken_name(tx, &new.name, None).await?;
                if let Some(origin) = &new.origin {
                    refuse_foreign(tx, origin).await?;
                }
                let row = Partner {
                    id: domain::base::id::new(),
                    name: new.name.clone(),
                    version: 1,
                    url: new.url.clone(),
                    origin: new.origin.clone(),
                    kinds: new.kinds.clone(),
                    home_regions: new.home_regions.clone(),
                    state: PartnerState::Active,
                    phase: FeedPhase::Snapshot,
                    next: None,
                    unswept: true,
                    rereads: false,
                    reader: READER.clone(),
                    seq: 0,
                    head_seq: 0,
                    taken: 0,
                    skipped: 0,
                    refused: 0,
                    held_deletions: None,
                    held_copies: None,
                    allowed_deletions: 0,
                    deletions: 0,
                    deletions_since: None,
                    contacted_at: None,
                    up_to_date_at: None,
                    compared_at: None,
                    failures: 0,
                    last_error: None,
                    failed_at: None,
                    retry_at: None,
                    fence: 0,
                    leased_until: None,
                    created_at: tx.now,
                };
                partner::Entity::insert(row.clone().into_active_model())
                    .exec_without_returning(&tx.sql)
                    .await?;
                Ok(row)
            })
            .await
    }

    pub async fn list_rows(self) -> Result<Vec<Partner>> {
        Ok(partner::Entity::find()
            .order_by_asc(partner::Column::Name)
            .into_model()
            .all(self.store.db().reader())
            .await?)
    }

    /// Every partner by name with its state, without the entries in quarantine.
    pub async fn list(self) -> Result<Vec<PartnerStatus>> {
        let reader = self.store.db().reader();
        let rows = self.store.partners().list_rows().await?;
        let origins = rows.iter().filter_map(|row| row.origin.clone());
        let copies: Vec<(String, i64)> = record::Entity::find()
            .select_only()
            .column(record::Column::Origin)
            .column_as(record::Column::Id.count(), "copies")
            .filter(record::Column::Origin.is_in(origins))
            .group_by(record::Column::Origin)
            .into_tuple()
            .all(reader)
            .await?;
        let refused: Vec<(Uuid, i64)> = quarantine::Entity::find()
            .select_only()
            .column(quarantine::Column::PartnerId)
            .column_as(quarantine::Column::Id.count(), "refused")
            .group_by(quarantine::Column::PartnerId)
            .into_tuple()
            .all(reader)
            .await?;
        let copies: BTreeMap<String, i64> = copies.into_iter().collect();
        let refused: BTreeMap<Uuid, i64> = refused.into_iter().collect();
        let count = |count: Option<&i64>| count.map_or(0, |count| count.unsigned_abs());
        let partners = rows.into_iter().map(|row| PartnerStatus {
            copies: count(row.origin.as_ref().and_then(|origin| copies.get(origin))),
            quarantined: count(refused.get(&row.id)),
            latest: Vec::new(),
            partner: row,
        });
        Ok(partners.collect())
    }

    pub async fn find_by_name(self, name: &str) -> Result<Partner> {
        let found = partner::Entity::find().filter(partner::Column::Name.eq(name));
        let found = found.into_model().one(self.store.db().reader()).await?;
        found.ok_or(StoreError::NotFound)
    }

    pub async fn get(self, id: Uuid) -> Result<PartnerStatus> {
        let reader = self.store.db().reader();
        let row = partner::Entity::find_by_id(id)
            .into_model::<Partner>()
            .one(reader)
            .await?;
        let row = row.ok_or(StoreError::NotFound)?;
        let copies = match &row.origin {
            Some(origin) => {
                let copies = record::Entity::find().filter(record::Column::Origin.eq(origin));
                copies.count(reader).await?
            }
            None => 0,
        };
        let refused = quarantine::Entity::find().filter(quarantine::Column::PartnerId.eq(id));
        Ok(PartnerStatus {
            partner: row,
            copies,
            quarantined: refused.clone().count(reader).await?,
            latest: refused
                .order_by_desc(quarantine::Column::Id)
                .limit(SHOWN)
                .all(reader)
                .await?
                .into_iter()
                .map(Quarantined::from)
                .collect(),
        })
    }

    /// Changes a partner. Another address or another filter starts from scratch.
    pub async fn update(
        self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
        change: &PartnerChange,
    ) -> Result<Partner> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                let mut row = partner_for_update(tx, id, expected).await?;
                if let Some(name) = &change.name {
                    refuse_taken_name(tx, name, Some(id)).await?;
                    row.name.clone_from(name);
                }
                let before = (row.url.clone(), row.kinds.clone(), row.home_regions.clone());
                row.url = change.url.clone().unwrap_or(row.url);
                row.kinds = change.kinds.clone().unwrap_or(row.kinds);
                row.home_regions = change.home_regions.clone().unwrap_or(row.home_regions);
                if before != (row.url.clone(), row.kinds.clone(), row.home_regions.clone()) {
                    restart(tx, &mut row).await?;
                }
                match change.paused {
                    Some(true) => row.state = PartnerState::Paused,
                    Some(false) => let_go_on(&mut row),
                    None => {}
                }
                changed_partner(tx, row).await
            })
            .await
    }

    /// Approves the pending deletions of a partner: as many copies may be deleted as reported.
    pub async fn approve_deletions(
        self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<Partner> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                let mut row = partner_for_update(tx, id, expected).await?;
                if row.state != PartnerState::AwaitingApproval {
                    return Ok(row);
                }
                let allowed = row.held_deletions.unwrap_or_default();
                let_go_on(&mut row);
                row.allowed_deletions = allowed;
                // What was deleted before is approved with it.
                row.deletions = 0;
                row.deletions_since = None;
                tracing::info!(
                    partner = row.name,
                    by = by.account.map(tracing::field::display),
                    allowed,
                    "deletions of a partner approved"
                );
                changed_partner(tx, row).await
            })
            .await
    }

    /// Removes a partner, and its copies on request; otherwise they stay unchanged.
    pub async fn delete(
        self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
        with_copies: bool,
    ) -> Result<()> {
        let origin = self
            .store
            .write(by, &WriteOptions::default(), async |tx| {
                let row = partner_for_update(tx, id, expected).await?;
                partner::Entity::delete_by_id(id).exec(&tx.sql).await?;
                Ok(row.origin)
            })
            .await?;
        tracing::info!(partner_id = %id, by = by.account.map(tracing::field::display), with_copies, "partner removed");
        let Some(origin) = origin.filter(|_| with_copies) else {
            return Ok(());
        };
        while remove_copies(self.store, by, &origin).await? {}
        while remove_tombstones(self.store, &origin).await? {}
        restart_rivals(self.store, &origin).await
    }

    pub async fn has_quarantined(self, partner: Uuid) -> Result<bool> {
        let refused = quarantine::Entity::find()
            .select_only()
            .column(quarantine::Column::Id)
            .filter(quarantine::Column::PartnerId.eq(partner))
            .limit(1)
            .into_tuple::<Uuid>();
        Ok(refused.one(self.store.db().reader()).await?.is_some())
    }

    pub async fn note_comparison(self, lease: &Lease) -> Result<()> {
        on_partner(self.store, async |tx| {
            let mut row = leased(tx, lease).await?;
            row.compared_at = Some(tx.now);
            keep_partner(tx, row).await
        })
        .await
    }
}

impl Copies<'_> {
    pub async fn digests(self, row: &Partner) -> Result<BTreeMap<Kind, Digest>> {
        let origin = row.origin.clone().unwrap_or_default();
        let filter = row.filter();
        digests(self.store.db().reader(), &filter, &filter.rows(&origin)).await
    }
}

/// Removes some copies of an origin; returns whether there were any.
async fn remove_copies(store: &Store, by: &Caller, origin: &str) -> Result<bool> {
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    store
        .write_as(origin, by, &options, async |tx| {
            let rows = record::Entity::find()
                .filter(record::Column::Origin.eq(origin))
                .order_by_asc(record::Column::Id)
                .limit(REMOVED)
                .into_model::<Record>()
                .all(&tx.sql)
                .await?;
            for row in &rows {
                drop_copy(tx, row).await?;
            }
            Ok(!rows.is_empty())
        })
        .await
}

/// Removes some of the tombstones of an origin whose copies are removed; returns whether there were
/// any. What was erased stays closed.
async fn remove_tombstones(store: &Store, origin: &str) -> Result<bool> {
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    let node = Caller::node();
    let removed = store.write_as(origin, &node, &options, async |tx| {
        let open = tombstone::Column::Cause.ne(Cause::Erased.code());
        let merged = tombstone::Column::MergedInto.is_not_null();
        let ids: Vec<Uuid> = tombstone::Entity::find()
            .select_only()
            .column(tombstone::Column::Id)
            .filter(tombstone::Column::Origin.eq(&tx.origin))
            .filter(Condition::any().add(merged).add(open))
            .order_by_asc(tombstone::Column::Id)
            .limit(REMOVED)
            .into_tuple()
            .all(&tx.sql)
            .await?;
        for id in &ids {
            drop_tombstone(tx, *id).await?;
        }
        Ok(!ids.is_empty())
    });
    removed.await
}

/// Lets the partners start again that could not feed records because those of `origin` had their
/// ids.
async fn restart_rivals(store: &Store, origin: &str) -> Result<()> {
    on_partner(store, async |tx| {
        let mut ids: Vec<Uuid> = quarantine::Entity::find()
            .select_only()
            .column(quarantine::Column::PartnerId)
            .distinct()
            .filter(quarantine::Column::Rival.eq(origin))
            .into_tuple()
            .all(&tx.sql)
            .await?;
        ids.sort_unstable();
        for id in ids {
            let found = locked_partner(tx, partner::Entity::find_by_id(id)).await?;
            if let Some(mut row) = found {
                restart(tx, &mut row).await?;
                changed_partner(tx, row).await?;
            }
        }
        Ok(())
    })
    .await
}

fn let_go_on(row: &mut Partner) {
    row.state = PartnerState::Active;
    row.held_deletions = None;
    row.held_copies = None;
    row.taken = 0;
    row.skipped = 0;
    row.refused = 0;
    row.failures = 0;
    row.last_error = None;
    row.failed_at = None;
    row.retry_at = None;
}

async fn partner_for_update(
    tx: &Transaction<'_>,
    id: Uuid,
    expected: &Precondition,
) -> Result<Partner> {
    let row = locked_partner(tx, partner::Entity::find_by_id(id)).await?;
    let row = row.ok_or(StoreError::NotFound)?;
    expected.met_by(row.version)?;
    Ok(row)
}

/// Readers of the partner start again with the new settings.
async fn changed_partner(tx: &Transaction<'_>, mut row: Partner) -> Result<Partner> {
    row.version += 1;
    row.fence += 1;
    row.leased_until = None;
    keep_partner(tx, row.clone()).await?;
    Ok(row)
}

async fn refuse_foreign(tx: &Transaction<'_>, origin: &str) -> Result<()> {
    let taken = partner::Entity::find().filter(partner::Column::Origin.eq(origin));
    let why = if !is_origin(origin) {
        "3 to 63 of a-z, 0-9 and -".to_owned()
    } else if origin == tx.origin {
        "that of a partner, not of this node".to_owned()
    } else if let Some(other) = taken.one(&tx.sql).await? {
        let name = other.name;
        format!("one that is not copied from the partner \"{name}\" already")
    } else {
        return Ok(());
    };
    let fault = Fault::new(FaultCode::NotAllowed).with("why", why);
    Err(StoreError::Invalid(vec![FieldError::new("/origin", fault)]))
}

async fn refuse_taken_name(tx: &Transaction<'_>, name: &str, except: Option<Uuid>) -> Result<()> {
    let taken = partner::Entity::find()
        .filter(partner::Column::Name.eq(name))
        .one(&tx.sql)
        .await?;
    if taken.is_none_or(|other| Some(other.id) == except) {
        return Ok(());
    }
    Err(StoreError::Conflict(Conflict {
        field: "/name".to_owned(),
        what: Unique::PartnerName,
        value: name.to_owned(),
        other: None,
    }))
}
