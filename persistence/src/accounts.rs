//! Accounts of callers, and their current permissions.

pub mod keys;

mod registry;
mod state;

pub use registry::{AccountChange, AccountPage, External, NewAccount};
pub use state::{Account, AccountGrant, AccountWithGrants};

use crate::entity::{account, account_grant};
use crate::error::Result;
use crate::store::Store;
use crate::transaction::Transaction;
use domain::access::rules::{Caller, Grant, Role, Scope};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    pub role: Role,
    /// The region in which it applies; absent for the whole node.
    pub region: Option<Uuid>,
    pub descendants: bool,
    /// For feeders: the system whose records they push.
    pub system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Account(Uuid),
    External(External),
}

#[derive(Debug, Clone)]
pub struct Principal {
    /// The account; absent for subjects of external issuers without an account.
    pub account: Option<Account>,
    pub given: Vec<AccountGrant>,
    /// The same grants, with the regions that they currently cover.
    pub grants: Vec<Grant>,
}

impl Principal {
    #[must_use]
    pub fn caller(&self, grants: Vec<Grant>) -> Caller {
        Caller {
            account: self.account.as_ref().map(|row| row.id),
            grants,
        }
    }
}

/// Merges made at this node (`$1`) or in the reference data (`$2`).
const MERGED_HERE: &str = "SELECT loser_id, target_id FROM merged \
     JOIN tombstone ON tombstone.id = merged.loser_id AND tombstone.origin IN ($1, $2)";

type Root = (Uuid, bool);

/// Room of accounts and permissions.
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing accounts.
#[derive(Debug)]
pub struct AccountsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn accounts(&mut self) -> AccountsMut<'_, 's> {
        AccountsMut { tx: self }
    }
}

impl Accounts<'_> {
    /// A subject with its current permissions; `None` if its account is unknown or disabled.
    ///
    /// A subject of an external issuer without an account has no permissions.
    pub async fn principal(self, subject: &Subject) -> Result<Option<Principal>> {
        let found = match subject {
            Subject::Account(id) => account::Entity::find_by_id(*id),
            Subject::External(external) => account::Entity::find()
                .filter(account::Column::Issuer.eq(&external.issuer))
                .filter(account::Column::Subject.eq(&external.subject)),
        };
        let row = found
            .into_model::<Account>()
            .one(self.store.db().reader())
            .await?;
        let Some(row) = row else {
            let stranger = Principal {
                account: None,
                given: Vec::new(),
                grants: Vec::new(),
            };
            return Ok(matches!(subject, Subject::External(_)).then_some(stranger));
        };
        // The account of an external subject is valid for that issuer only.
        let elsewhere = row.issuer.is_some() != matches!(subject, Subject::External(_));
        if row.disabled_at.is_some() || elsewhere {
            return Ok(None);
        }
        let given = grants_of(self.store, &[row.id]).await?;
        let grants = reach(self.store, &given).await?;
        Ok(Some(Principal {
            account: Some(row),
            given,
            grants,
        }))
    }
}

pub(crate) async fn grants_of(store: &Store, accounts: &[Uuid]) -> Result<Vec<AccountGrant>> {
    Ok(account_grant::Entity::find()
        .filter(account_grant::Column::AccountId.is_in(accounts.iter().copied()))
        .order_by_asc(account_grant::Column::Id)
        .into_model()
        .all(store.db().reader())
        .await?)
}

async fn reach(store: &Store, given: &[AccountGrant]) -> Result<Vec<Grant>> {
    let roots = given
        .iter()
        .filter_map(|row| Some((row.region_id?, row.descendants)));
    let reached = regions(store, &roots.collect()).await?;
    let grant = |row: &AccountGrant| {
        let scope = row.region_id.map_or(Scope::Node, |region| {
            let regions = reached.get(&(region, row.descendants));
            Scope::Regions(regions.cloned().unwrap_or_default())
        });
        Grant {
            role: row.role,
            scope,
            system: row.system.clone(),
        }
    };
    Ok(given.iter().map(grant).collect())
}

/// Regions with those they were merged with, and, on request, everything below each, through the
/// region tree of this node and of the reference data (a partner's edges and merges give no
/// permissions here).
async fn regions(store: &Store, roots: &BTreeSet<Root>) -> Result<BTreeMap<Root, BTreeSet<Uuid>>> {
    let mut reached: BTreeMap<Root, BTreeSet<Uuid>> = BTreeMap::new();
    if roots.is_empty() {
        return Ok(reached);
    }
    let root = |(n, (_, wide)): (usize, &Root)| format!("SELECT ${n}, ${n}, {wide}");
    let starts: Vec<String> = (3..).zip(roots).map(root).collect();
    let sql = format!(
        "WITH RECURSIVE reached(root, id, wide) AS ({} UNION \
         SELECT reached.root, step.down, reached.wide FROM reached JOIN (\
         SELECT edge.from_id AS down, edge.to_id AS up, true AS below FROM edge \
         JOIN record ON record.id = edge.record_id \
         WHERE edge.type = 'part_of' AND edge.from_kind = 'region' \
         AND edge.from_id IS NOT NULL AND record.origin IN ($1, $2) \
         UNION ALL SELECT loser_id, target_id, false FROM ({MERGED_HERE}) one \
         UNION ALL SELECT target_id, loser_id, false FROM ({MERGED_HERE}) one\
         ) step ON step.up = reached.id AND (reached.wide OR NOT step.below)) \
         SELECT root, wide, id FROM reached",
        starts.join(" UNION ")
    );
    let origins = [
        store.node().origin.as_str().into(),
        crate::store::REFERENCE_ORIGIN.into(),
    ];
    let values = origins
        .into_iter()
        .chain(roots.iter().map(|(root, _)| (*root).into()));
    let reader = store.db().reader();
    let statement = Statement::from_sql_and_values(reader.get_database_backend(), sql, values);
    for row in reader.query_all_raw(statement).await? {
        let root = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        reached
            .entry(root)
            .or_default()
            .insert(row.try_get_by_index(2)?);
    }
    Ok(reached)
}
