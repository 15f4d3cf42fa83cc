//! Creating, listing, changing and removing accounts.

use super::NewGrant;
use crate::accounts::state::{Account, AccountGrant, AccountWithGrants};
use crate::accounts::{Accounts, AccountsMut, grants_of};
use crate::cursor;
use crate::entity::{account, account_grant, record};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::store::{REFERENCE_ORIGIN, Store};
use crate::transaction::{Transaction, WriteOptions};
use crate::write::Precondition;
use domain::access::account::AccountKind;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct External {
    pub issuer: String,
    pub subject: String,
}

#[derive(Debug, Clone)]
pub struct NewAccount {
    pub kind: AccountKind,
    pub name: String,
    pub password_hash: Option<String>,
    pub secret_hash: Option<String>,
    pub external: Option<External>,
    pub grants: Vec<NewGrant>,
}

/// Changes of an account; absent members stay.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    pub disabled: Option<bool>,
    pub grants: Option<Vec<NewGrant>>,
    pub password_hash: Option<String>,
}

#[derive(Debug, Clone)]
pub struct AccountPage {
    pub items: Vec<AccountWithGrants>,
    pub total: u64,
    pub next: Option<String>,
}

impl Accounts<'_> {
    pub async fn create(self, by: &Caller, new: &NewAccount) -> Result<AccountWithGrants> {
        let account = self
            .store
            .write(by, &WriteOptions::default(), async |tx| {
                tx.accounts().create(new).await
            })
            .await?;
        tracing::info!(account_id = %account.account.id, by = by.account.map(tracing::field::display), "account created");
        Ok(account)
    }

    /// The account called `name`, created if needed, with exactly this grant.
    pub async fn ensure_local(self, name: &str, grant: &NewGrant) -> Result<Uuid> {
        let new = NewAccount {
            kind: AccountKind::Person,
            name: name.to_owned(),
            password_hash: None,
            secret_hash: None,
            external: None,
            grants: vec![grant.clone()],
        };
        self.store
            .write(&Caller::node(), &WriteOptions::default(), async |tx| {
                let found = account::Entity::find()
                    .filter(account::Column::Name.eq(name))
                    .into_model()
                    .one(&tx.sql)
                    .await?;
                let row = match found {
                    Some(row) => row,
                    None => insert_account(tx, &new).await?,
                };
                replace_grants(tx, row.id, &new.grants).await?;
                Ok(row.id)
            })
            .await
    }

    pub async fn get(self, kind: AccountKind, id: Uuid) -> Result<AccountWithGrants> {
        let row = account::Entity::find_by_id(id)
            .filter(account::Column::Kind.eq(kind.code()))
            .into_model()
            .one(self.store.db().reader())
            .await?
            .ok_or(StoreError::NotFound)?;
        let grants = grants_of(self.store, &[id]).await?;
        Ok(AccountWithGrants {
            account: row,
            grants,
        })
    }

    /// The row of an account by its name, for signing in.
    pub async fn find_by_name(self, kind: AccountKind, name: &str) -> Result<Option<Account>> {
        Ok(account::Entity::find()
            .filter(account::Column::Name.eq(name))
            .filter(account::Column::Kind.eq(kind.code()))
            .into_model()
            .one(self.store.db().reader())
            .await?)
    }

    pub async fn list(
        self,
        kind: AccountKind,
        limit: u64,
        from: Option<&str>,
    ) -> Result<AccountPage> {
        let query = format!("accounts {}", kind.code());
        let secret = &self.store.node().secret;
        let after = from
            .map(|text| cursor::decode::<Uuid>(secret, &query, text))
            .transpose()?;
        let tx = self.store.db().begin_read().await?;
        let all = account::Entity::find().filter(account::Column::Kind.eq(kind.code()));
        let total = all.clone().count(&tx).await?;
        let page = after.map_or_else(Condition::all, |id| {
            Condition::all().add(account::Column::Id.gt(id))
        });
        let mut rows = all
            .filter(page)
            .order_by_asc(account::Column::Id)
            .limit(limit + 1)
            .into_model::<Account>()
            .all(&tx)
            .await?;
        tx.rollback().await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more);
        let next = next.map(|row| cursor::encode(secret, &query, &row.id));
        let items = with_grants(self.store, rows).await?;
        Ok(AccountPage { items, total, next })
    }

    /// Changes an account; the change applies from its next request on.
    pub async fn update(
        self,
        by: &Caller,
        (kind, id): (AccountKind, Uuid),
        expected: &Precondition,
        change: &AccountChange,
    ) -> Result<AccountWithGrants> {
        let account = self
            .store
            .write(by, &WriteOptions::default(), async |tx| {
                let mut row = account_for_update(tx, kind, id, expected).await?;
                row.version += 1;
                match change.disabled {
                    Some(true) => row.disabled_at = row.disabled_at.or(Some(tx.now)),
                    Some(false) => row.disabled_at = None,
                    None => {}
                }
                if let Some(hash) = &change.password_hash {
                    row.password_hash = Some(hash.clone());
                }
                let active = row.clone().into_active_model().reset_all();
                active.update(&tx.sql).await?;
                let grants = if let Some(grants) = &change.grants {
                    replace_grants(tx, id, grants).await?
                } else {
                    account_grant::Entity::find()
                        .filter(account_grant::Column::AccountId.eq(id))
                        .order_by_asc(account_grant::Column::Id)
                        .into_model()
                        .all(&tx.sql)
                        .await?
                };
                Ok(AccountWithGrants {
                    account: row,
                    grants,
                })
            })
            .await?;
        tracing::info!(account_id = %id, by = by.account.map(tracing::field::display), "account changed");
        Ok(account)
    }

    /// Removes an account with its grants; the history keeps its id.
    pub async fn delete(
        self,
        by: &Caller,
        (kind, id): (AccountKind, Uuid),
        expected: &Precondition,
    ) -> Result<()> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                account_for_update(tx, kind, id, expected).await?;
                account::Entity::delete_by_id(id).exec(&tx.sql).await?;
                Ok(())
            })
            .await?;
        tracing::info!(account_id = %id, by = by.account.map(tracing::field::display), "account removed");
        Ok(())
    }

    /// The regions with these ids or slugs: this node's own first, then the reference data's.
    pub async fn find_regions(self, keys: &BTreeSet<String>) -> Result<BTreeMap<String, Uuid>> {
        let ids = keys.iter().filter_map(|key| Uuid::try_parse(key).ok());
        let named = Condition::any()
            .add(record::Column::Id.is_in(ids))
            .add(record::Column::Slug.is_in(keys.iter().map(String::as_str)));
        let origins = [self.store.node().origin.as_str(), REFERENCE_ORIGIN];
        let rows = record::Entity::find()
            .filter(record::Column::Kind.eq(Kind::Region.code()))
            .filter(record::Column::Origin.is_in(origins))
            .filter(named)
            .all(self.store.db().reader())
            .await?;
        let (own, others): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.origin == self.store.node().origin);
        let mut found = BTreeMap::new();
        for row in own.iter().chain(&others) {
            for key in [Some(row.id.to_string()), row.slug.clone()] {
                if let Some(key) = key.filter(|key| keys.contains(key)) {
                    found.entry(key).or_insert(row.id);
                }
            }
        }
        Ok(found)
    }
}

async fn with_grants(store: &Store, rows: Vec<Account>) -> Result<Vec<AccountWithGrants>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut grants: BTreeMap<Uuid, Vec<AccountGrant>> = BTreeMap::new();
    for grant in grants_of(store, &ids).await? {
        grants.entry(grant.account_id).or_default().push(grant);
    }
    let account = |row: Account| AccountWithGrants {
        grants: grants.remove(&row.id).unwrap_or_default(),
        account: row,
    };
    Ok(rows.into_iter().map(account).collect())
}

impl AccountsMut<'_, '_> {
    /// Creates an account in this transaction.
    pub async fn create(self, new: &NewAccount) -> Result<AccountWithGrants> {
        account_is_free(self.tx, new).await?;
        let row = insert_account(self.tx, new).await?;
        let grants = replace_grants(self.tx, row.id, &new.grants).await?;
        Ok(AccountWithGrants {
            account: row,
            grants,
        })
    }
}

async fn account_is_free(tx: &Transaction<'_>, new: &NewAccount) -> Result<()> {
    let taken = account::Entity::find()
        .filter(account::Column::Name.eq(&new.name))
        .one(&tx.sql)
        .await?;
    if taken.is_some() {
        return Err(taken_by("/name", Unique::AccountName, &new.name));
    }
    let Some(external) = &new.external else {
        return Ok(());
    };
    let taken = account::Entity::find()
        .filter(account::Column::Issuer.eq(&external.issuer))
        .filter(account::Column::Subject.eq(&external.subject))
        .one(&tx.sql)
        .await?;
    match taken {
        Some(_) => Err(taken_by("/subject", Unique::Subject, &external.subject)),
        None => Ok(()),
    }
}

async fn insert_account(tx: &Transaction<'_>, new: &NewAccount) -> Result<Account> {
    let row = Account {
        id: domain::base::id::new(),
        kind: new.kind,
        version: 1,
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        secret_hash: new.secret_hash.clone(),
        issuer: new.external.as_ref().map(|one| one.issuer.clone()),
        subject: new.external.as_ref().map(|one| one.subject.clone()),
        created_at: tx.now,
        disabled_at: None,
    };
    account::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    Ok(row)
}

async fn account_for_update(
    tx: &Transaction<'_>,
    kind: AccountKind,
    id: Uuid,
    expected: &Precondition,
) -> Result<Account> {
    let mut query = account::Entity::find_by_id(id).filter(account::Column::Kind.eq(kind.code()));
    if tx.db().is_postgres() {
        query = query.lock_exclusive();
    }
    let row = query.into_model::<Account>().one(&tx.sql).await?;
    let row = row.ok_or(StoreError::NotFound)?;
    expected.met_by(row.version)?;
    Ok(row)
}

async fn replace_grants(
    tx: &Transaction<'_>,
    account: Uuid,
    grants: &[NewGrant],
) -> Result<Vec<AccountGrant>> {
    account_grant::Entity::delete_many()
        .filter(account_grant::Column::AccountId.eq(account))
        .exec(&tx.sql)
        .await?;
    let row = |grant: &NewGrant| AccountGrant {
        id: domain::base::id::new(),
        account_id: account,
        role: grant.role,
        region_id: grant.region,
        descendants: grant.descendants,
        system: grant.system.clone(),
    };
    let rows: Vec<_> = grants.iter().map(row).collect();
    if !rows.is_empty() {
        let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
        account_grant::Entity::insert_many(rows)
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(rows)
}

fn taken_by(field: &str, what: Unique, value: &str) -> StoreError {
    StoreError::Conflict(Conflict {
        field: field.to_owned(),
        what,
        value: value.to_owned(),
        other: None,
    })
}
