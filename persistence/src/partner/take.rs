//! Applying a page of a partner's feed: its content and the position, in one transaction.

use super::entry::{FeedChange, ParsedEntry, Refused};
use crate::entity::{
    change, confirmation, hidden, partner, partner_seen, quarantine, record, tombstone,
};
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::partner::copy::{
    CopiedRecord, Known, drop_copy, drop_tombstone, erase_copy, is_erased, note_merged_copy,
    replace_copy_with_tombstone, take_copy, undo_merged_copy,
};
use crate::partner::hold::{excessive_deletions, hold};
use crate::partner::lease::{keep_partner, leased};
use crate::partner::state::Partner;
use crate::record::Record;
use crate::store::{REFERENCE_ORIGIN, Store, is_origin};
use crate::transaction::{Transaction, WriteOptions};
use crate::write::delete::lock_against_naming;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::exchange::sync::{FeedPhase, PartnerState};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Maximum number of entries of a page: far more than are requested, and fewer than a query allows.
pub const MOST_ENTRIES: usize = 10_000;

const CHUNK: usize = 500;

const MOST_REFUSED: i64 = 100;

/// … and so do more than one in a hundred, once there are more than this.
const FEW_REFUSED: i64 = 5;

/// Copies of a partner that are stored without asking: far more than a region has records.
const MOST_COPIES: u64 = 1_000_000;

/// Number of entries after which its copies are counted again.
const COUNTED: i64 = 10_000;

#[derive(Debug)]
pub struct PartnerPage {
    pub origin: String,
    pub phase: FeedPhase,
    /// Where in the partner's log it begins, if stated.
    pub after: Option<i64>,
    pub seq: i64,
    pub head: i64,
    pub up_to_date: bool,
    pub next: String,
    pub entries: Vec<ParsedEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOutcome {
    More,
    /// Nothing is left; copies that the snapshot lacks are to be swept.
    Unswept,
    UpToDate,
    /// Nothing until an operator has intervened.
    Stopped,
}

/// Room of the copies of partners' records.
#[derive(Debug, Clone, Copy)]
pub struct Copies<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn copies(&self) -> Copies<'_> {
        Copies { store: self }
    }
}

impl Copies<'_> {
    pub async fn take(self, lease: &Lease, page: &PartnerPage) -> Result<PageOutcome> {
        let own = &self.store.node().origin;
        if !is_origin(&page.origin) || page.origin == *own || page.origin == REFERENCE_ORIGIN {
            let why = format!("the origin \"{}\" is not that of a partner", page.origin);
            return Err(StoreError::Partner(why));
        }
        let entries = page.entries.len();
        if entries > MOST_ENTRIES {
            let why = format!("a page of {entries} entries; at most {MOST_ENTRIES}");
            return Err(StoreError::Partner(why));
        }
        on_copies(self.store, &page.origin, async |tx| {
            take_page(tx, lease, page).await
        })
        .await
    }
}

pub(super) async fn on_copies<T>(
    store: &Store,
    origin: &str,
    work: impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    store
        .write_as(origin, &Caller::node(), &options, work)
        .await
}

async fn take_page(
    tx: &mut Transaction<'_>,
    lease: &Lease,
    page: &PartnerPage,
) -> Result<PageOutcome> {
    let mut partner = leased(tx, lease).await?;
    pin_origin(tx, &mut partner, page).await?;
    follows(&partner, page)?;
    partner.contacted_at = Some(tx.now);
    let mut refused: Vec<Refused> = Vec::new();
    let mut news: Vec<&FeedChange> = Vec::new();
    for entry in &page.entries {
        match entry {
            ParsedEntry::Change(one) => news.push(one),
            ParsedEntry::Skipped => partner.skipped += 1,
            ParsedEntry::Refused(one) => refused.push((**one).clone()),
        }
    }
    let mut known = known(tx, &news).await?;
    // Until the sweep, the partner may have lost versions that are here, so its state replaces
    // whatever is here; afterwards versions only rise.
    let replaces = partner.unswept || partner.rereads;
    let going = news
        .iter()
        .filter(|one| goes(one, &known, replaces))
        .count();
    if let Some(pending) = excessive_deletions(tx, &partner, going).await? {
        return hold(tx, partner, pending).await;
    }
    let owners = owners_of_ends(tx, &news).await?;
    for one in &news {
        let wrong = match known.remove(&one.id()) {
            None => Some(Wrong::of("the page contains the record twice".to_owned())),
            Some(here) => {
                let wrong = foreign(&here, one.kind(), tx)
                    .or_else(|| erased(&here, one))
                    .or_else(|| no_own_end(one, &owners, tx));
                if wrong.is_none() {
                    take(tx, one, here, &partner, replaces).await?;
                }
                wrong
            }
        };
        refused.extend(wrong.map(|wrong| refusal(one, wrong)));
    }
    remember(tx, &partner, &news, &refused).await?;
    partner.taken += i64::try_from(page.entries.len()).unwrap_or(i64::MAX);
    // What another partner has done to it does not stop this one.
    let mistakes = refused.iter().filter(|one| !one.excused).count();
    partner.refused += i64::try_from(mistakes).unwrap_or(i64::MAX);
    partner.count_deletions(going, tx.now);
    go_on(tx, partner, page).await
}

/// The origins of the records at the ends of the relationships in a page, as far as they are here,
/// or were.
async fn owners_of_ends(
    tx: &Transaction<'_>,
    news: &[&FeedChange],
) -> Result<BTreeMap<Uuid, String>> {
    let ends: BTreeSet<Uuid> = news.iter().flat_map(|one| named_ends(one)).collect();
    let ends: Vec<Uuid> = ends.into_iter().collect();
    let mut owners = BTreeMap::new();
    for chunk in ends.chunks(CHUNK) {
        let ids = || chunk.iter().copied();
        let dead = tombstone::Entity::find()
            .select_only()
            .columns([tombstone::Column::Id, tombstone::Column::Origin])
            .filter(tombstone::Column::Id.is_in(ids()))
            .into_tuple::<(Uuid, String)>();
        owners.extend(dead.all(&tx.sql).await?);
        let living = record::Entity::find()
            .select_only()
            .columns([record::Column::Id, record::Column::Origin])
            .filter(record::Column::Id.is_in(ids()))
            .into_tuple::<(Uuid, String)>();
        owners.extend(living.all(&tx.sql).await?);
    }
    Ok(owners)
}

/// The records at the ends of a relationship.
fn named_ends(news: &FeedChange) -> Vec<Uuid> {
    let FeedChange::Upsert(record) = news else {
        return Vec::new();
    };
    if record.kind != Kind::Relationship {
        return Vec::new();
    }
    let ends = ["/from/id", "/to/id"].into_iter();
    let ends = ends.filter_map(|end| record.value.pointer(end)?.as_str());
    ends.filter_map(|id| Uuid::try_parse(id).ok()).collect()
}

/// Why a relationship is not the partner's to state: it has an end of its own neither here nor, as
/// far as can be known, elsewhere.
fn no_own_end(
    news: &FeedChange,
    owners: &BTreeMap<Uuid, String>,
    tx: &Transaction<'_>,
) -> Option<Wrong> {
    let ends = named_ends(news);
    let owners: Vec<&String> = ends.iter().filter_map(|end| owners.get(end)).collect();
    // What is not here may be the partner's; until it is, the relationship is not shown.
    let known = !ends.is_empty() && owners.len() == ends.len();
    if !known || owners.iter().any(|owner| **owner == tx.origin) {
        return None;
    }
    let names: Vec<&str> = owners.iter().map(|owner| owner.as_str()).collect();
    Some(Wrong {
        why: format!("none of its ends is its own: {}", names.join(", ")),
        rival: owners.iter().find_map(|owner| rival(owner, tx)),
        ..Wrong::default()
    })
}

/// The origin of the first page is the partner's permanently.
async fn pin_origin(tx: &Transaction<'_>, partner: &mut Partner, page: &PartnerPage) -> Result<()> {
    match &partner.origin {
        Some(known) if *known == page.origin => Ok(()),
        Some(known) => Err(StoreError::Partner(format!(
            "it feeds records of \"{}\", not of \"{known}\" as before",
            page.origin
        ))),
        None => {
            let taken = partner::Entity::find()
                .filter(partner::Column::Origin.eq(&page.origin))
                .one(&tx.sql)
                .await?;
            if let Some(other) = taken {
                return Err(StoreError::Partner(format!(
                    "the records of \"{}\" are copied from the partner \"{}\" already",
                    page.origin, other.name
                )));
            }
            partner.origin = Some(page.origin.clone());
            Ok(())
        }
    }
}

/// The stored state of the records in the entries, locked, in a handful of queries.
async fn known(tx: &Transaction<'_>, news: &[&FeedChange]) -> Result<BTreeMap<Uuid, Known>> {
    let ids: BTreeSet<Uuid> = news.iter().map(|one| one.id()).collect();
    let mut known: BTreeMap<Uuid, Known> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(known);
    }
    for id in &ids {
        known.insert(*id, Known::default());
    }
    let mut rows = record::Entity::find()
        .filter(record::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(record::Column::Id);
    if tx.db().is_postgres() {
        rows = rows.lock(LockType::NoKeyUpdate);
    }
    for row in rows.into_model::<Record>().all(&tx.sql).await? {
        let one = known.entry(row.id).or_default();
        one.suppressed = row.suppressed;
        one.row = Some(row);
    }
    let tombstones =
        tombstone::Entity::find().filter(tombstone::Column::Id.is_in(ids.iter().copied()));
    for tombstone in tombstones.all(&tx.sql).await? {
        let one = known.entry(tombstone.id).or_default();
        one.tombstone = Some(tombstone);
    }
    let logged = change::Entity::find()
        .select_only()
        .column(change::Column::RecordId)
        .distinct()
        .filter(change::Column::RecordId.is_in(ids.iter().copied()));
    for id in logged.into_tuple::<Uuid>().all(&tx.sql).await? {
        known.entry(id).or_default().logged = true;
    }
    let hidden = hidden::Entity::find().filter(hidden::Column::RecordId.is_in(ids.iter().copied()));
    let stated = confirmation::Entity::find()
        .filter(confirmation::Column::RecordId.is_in(ids.iter().copied()));
    let hidden = hidden
        .all(&tx.sql)
        .await?
        .into_iter()
        .map(|row| row.record_id);
    let stated = stated
        .all(&tx.sql)
        .await?
        .into_iter()
        .map(|row| row.record_id);
    for id in hidden.chain(stated) {
        known.entry(id).or_default().suppressed = true;
    }
    Ok(known)
}

async fn take(
    tx: &mut Transaction<'_>,
    news: &FeedChange,
    mut here: Known,
    partner: &Partner,
    replaces: bool,
) -> Result<()> {
    if let Some(row) = &mut here.row {
        tx.refresh(row);
    }
    match news {
        FeedChange::Upsert(record) => {
            if is_news(record, here.row.as_ref(), replaces, partner.rereads) {
                take_copy(tx, record, &here).await?;
            }
        }
        FeedChange::Delete {
            version,
            cause,
            merged_into,
            ..
        } => match here.row.take() {
            Some(row) if replaces || row.version < *version => {
                lock_against_naming(tx, row.id).await?;
                replace_copy_with_tombstone(tx, &row, *version, (*cause, *merged_into)).await?;
                if *cause == Cause::Erased {
                    erase_copy(tx, row.id, None, *version).await?;
                }
            }
            Some(_) => {}
            None => take_tombstone(tx, news, here.tombstone, replaces).await?,
        },
        FeedChange::Withdraw { .. } => {
            if let Some(row) = here.row.take() {
                lock_against_naming(tx, row.id).await?;
                drop_copy(tx, &row).await?;
            } else if here
                .tombstone
                .is_some_and(|tombstone| tombstone.merged_into.is_some())
            {
                drop_tombstone(tx, news.id()).await?;
            }
        }
    }
    Ok(())
}

/// Records the deletion of a record that is not here, or no longer.
async fn take_tombstone(
    tx: &mut Transaction<'_>,
    news: &FeedChange,
    tombstone: Option<tombstone::Model>,
    replaces: bool,
) -> Result<()> {
    let FeedChange::Delete {
        id,
        kind,
        version,
        cause,
        merged_into,
    } = news
    else {
        return Ok(());
    };
    let older = tombstone
        .as_ref()
        .is_some_and(|tombstone| tombstone.version > *version);
    if *cause == Cause::Erased {
        erase_copy(tx, *id, tombstone.clone(), *version).await?;
    }
    match merged_into {
        Some(into) if replaces || !older => {
            note_merged_copy(tx, (*kind, *id), *version, (*cause, *into)).await
        }
        None if replaces || !older => undo_merged_copy(tx, *id, *version).await,
        Some(_) | None => Ok(()),
    }
}

/// Stores rejected entries for inspection, removes corrected ones, and records what the partner
/// has, until the next sweep.
async fn remember(
    tx: &Transaction<'_>,
    partner: &Partner,
    news: &[&FeedChange],
    refused: &[Refused],
) -> Result<()> {
    let told: BTreeSet<Uuid> = news.iter().map(|one| one.id()).collect();
    let unread: BTreeSet<Uuid> = refused.iter().filter_map(|one| one.id).collect();
    if !(told.is_empty() && unread.is_empty()) {
        quarantine::Entity::delete_many()
            .filter(quarantine::Column::PartnerId.eq(partner.id))
            .filter(quarantine::Column::RecordId.is_in(told.union(&unread).copied()))
            .exec(&tx.sql)
            .await?;
    }
    let kept = refused.iter().map(|one| quarantine::ActiveModel {
        id: Set(domain::base::id::new()),
        partner_id: Set(partner.id),
        kind: Set(one.kind.clone()),
        record_id: Set(one.id),
        reason: Set(one.why.clone()),
        rival: Set(one.rival.clone()),
        entry: Set(one.entry.clone()),
        at: Set(tx.now),
    });
    for chunk in kept.collect::<Vec<_>>().chunks(CHUNK) {
        quarantine::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    if !partner.unswept {
        return Ok(());
    }
    let there = news.iter().filter(|one| is_there(one));
    // Records in unreadable entries exist all the same.
    let seen: BTreeSet<Uuid> = there.map(|one| one.id()).chain(unread).collect();
    for chunk in seen.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let rows = chunk.iter().map(|id| partner_seen::ActiveModel {
            partner_id: Set(partner.id),
            record_id: Set(*id),
        });
        partner_seen::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(())
}

/// Saves the position; pauses if too much was rejected.
async fn go_on(
    tx: &Transaction<'_>,
    mut partner: Partner,
    page: &PartnerPage,
) -> Result<PageOutcome> {
    partner.next = Some(page.next.clone());
    partner.phase = page.phase;
    partner.seq = page.seq;
    partner.head_seq = page.head;
    partner.allowed_deletions = if partner.unswept {
        partner.allowed_deletions
    } else {
        0
    };
    partner.failures = 0;
    partner.last_error = None;
    partner.failed_at = None;
    partner.retry_at = None;
    let (refused, taken) = (partner.refused, partner.taken);
    let too_much = if too_many(refused, taken) {
        Some(format!(
            "{refused} of {taken} entries could not be applied; see the quarantine, then resume"
        ))
    } else if has_too_many_copies(tx, &partner, page).await? {
        Some(format!(
            "it has more than {MOST_COPIES} records; narrow the filter, or resume"
        ))
    } else {
        None
    };
    let outcome = if too_much.is_some() {
        partner.state = PartnerState::Paused;
        partner.leased_until = None;
        partner.last_error = too_much;
        PageOutcome::Stopped
    } else if !page.up_to_date {
        PageOutcome::More
    } else if partner.unswept {
        PageOutcome::Unswept
    } else {
        partner.up_to_date_at = Some(tx.now);
        PageOutcome::UpToDate
    };
    keep_partner(tx, partner).await?;
    Ok(outcome)
}

/// Counting takes time, so it is done once in a while.
async fn has_too_many_copies(
    tx: &Transaction<'_>,
    partner: &Partner,
    page: &PartnerPage,
) -> Result<bool> {
    let before = partner.taken - i64::try_from(page.entries.len()).unwrap_or_default();
    if before / COUNTED == partner.taken / COUNTED {
        return Ok(false);
    }
    let copies = record::Entity::find().filter(record::Column::Origin.eq(&tx.origin));
    Ok(copies.count(&tx.sql).await? > MOST_COPIES)
}

/// Rejects a page that does not follow the applied ones: the response to another request, for
/// example from a cache in between.
fn follows(partner: &Partner, page: &PartnerPage) -> Result<()> {
    // Earlier releases do not say.
    let Some(after) = page.after else {
        return Ok(());
    };
    let (seq, phase) = (partner.seq, page.phase.code());
    if partner.next.is_none() && page.phase != FeedPhase::Snapshot {
        let why = format!("a page of the {phase} instead of the beginning");
        return Err(StoreError::Partner(why));
    }
    if partner.next.is_some() && after != seq {
        let why = format!("a page of the {phase} after {after}, not after {seq}");
        return Err(StoreError::Partner(why));
    }
    Ok(())
}

fn too_many(refused: i64, taken: i64) -> bool {
    refused > MOST_REFUSED || refused > FEW_REFUSED && refused.saturating_mul(100) > taken
}

fn goes(news: &FeedChange, known: &BTreeMap<Uuid, Known>, replaces: bool) -> bool {
    let row = known.get(&news.id()).and_then(|known| known.row.as_ref());
    match news {
        FeedChange::Upsert(_) => false,
        FeedChange::Delete { version, .. } => {
            row.is_some_and(|row| replaces || row.version < *version)
        }
        FeedChange::Withdraw { .. } => row.is_some(),
    }
}

/// Whether an entry shows that a record, or its merge target, exists.
fn is_there(news: &FeedChange) -> bool {
    match news {
        FeedChange::Upsert(_) => true,
        FeedChange::Delete { merged_into, .. } => merged_into.is_some(),
        FeedChange::Withdraw { .. } => false,
    }
}

/// Whether a record is to be written: a newer version; any difference while the entry `replaces`
/// the copy; everything if it is read `again`.
fn is_news(record: &CopiedRecord, here: Option<&Record>, replaces: bool, again: bool) -> bool {
    let Some(here) = here else {
        return true;
    };
    let newer = record.version > here.version;
    let other = record.version != here.version
        || record.body != here.body
        || record.created_at != here.created_at
        || record.updated_at != here.updated_at;
    newer || (replaces && other) || again
}

/// Why an entry is not applied.
#[derive(Default)]
struct Wrong {
    why: String,
    rival: Option<String>,
    /// Whether the partner is not to blame, and the content must not be kept.
    excused: bool,
}

impl Wrong {
    fn of(why: String) -> Self {
        Self {
            why,
            ..Self::default()
        }
    }
}

/// The owner of a record, if it is another partner: which of the two is honest cannot be known, so
/// the one that came later is not to blame.
fn rival(owner: &str, tx: &Transaction<'_>) -> Option<String> {
    let own = [
        tx.origin.as_str(),
        tx.store.node().origin.as_str(),
        REFERENCE_ORIGIN,
    ];
    (!own.contains(&owner)).then(|| owner.to_owned())
}

/// Reason why a record does not belong to the partner.
fn foreign(here: &Known, kind: Kind, tx: &Transaction<'_>) -> Option<Wrong> {
    let row = here.row.as_ref();
    let row = row.map(|row| (&row.origin, row.kind.code()));
    let tombstone = here
        .tombstone
        .as_ref()
        .map(|tombstone| (&tombstone.origin, tombstone.kind.as_str()));
    let (owner, known) = row.or(tombstone)?;
    let foreign = *owner != tx.origin || known != kind.code();
    foreign.then(|| Wrong {
        why: format!("the id is that of a {known} of {owner}"),
        rival: rival(owner, tx),
        ..Wrong::default()
    })
}

/// What was erased does not come back, in whatever order its origin says so, and whether there or
/// here.
fn erased(here: &Known, news: &FeedChange) -> Option<Wrong> {
    let tombstone = here.tombstone.as_ref()?;
    let back = matches!(news, FeedChange::Upsert(_));
    (back && is_erased(tombstone)).then(|| Wrong {
        why: "the record was erased".to_owned(),
        rival: None,
        excused: true,
    })
}

fn refusal(news: &FeedChange, wrong: Wrong) -> Refused {
    let Wrong {
        why,
        rival,
        excused,
    } = wrong;
    let excused = excused || rival.is_some();
    let entry = match news {
        // What another partner is in the way of is read again when that one has gone.
        FeedChange::Upsert(record) if !excused => record.body.clone(),
        FeedChange::Upsert(_) | FeedChange::Delete { .. } | FeedChange::Withdraw { .. } => {
            String::new()
        }
    };
    Refused {
        why,
        rival,
        excused,
        kind: Some(news.kind().code().to_owned()),
        id: Some(news.id()),
        entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_refused_entries_or_one_in_a_hundred_do_not_stop_a_partner() {
        for (refused, taken, stops) in [
            (0, 0, false),
            (5, 5, false),
            (6, 6, true),
            (6, 599, true),
            (6, 600, false),
            (100, 10_000, false),
            (100, 9_999, true),
            (101, 1_000_000, true),
            (i64::MAX, i64::MAX, true),
        ] {
            assert_eq!(too_many(refused, taken), stops, "{refused} of {taken}");
        }
    }
}
