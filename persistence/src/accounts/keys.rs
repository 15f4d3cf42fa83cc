//! The keys that sign this node's tokens.

use crate::entity::{signing_key, stored};
use crate::error::Result;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Caller;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    pub kid: &'a str,
    pub alg: &'a str,
    pub private_pem: &'a str,
}

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    pub kid: String,
    pub alg: String,
    pub private_pem: String,
    pub created_at: DateTime<Utc>,
    pub retired_at: Option<DateTime<Utc>>,
}

stored!(TokenKey in signing_key {
    same: kid, alg, private_pem, created_at, retired_at;
});

/// Room of the signing keys of tokens.
#[derive(Debug, Clone, Copy)]
pub struct SigningKeys<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn signing_keys(&self) -> SigningKeys<'_> {
        SigningKeys { store: self }
    }
}

impl SigningKeys<'_> {
    /// The keys that verify tokens, newest first; the first that is not retired signs.
    pub async fn list(self) -> Result<Vec<TokenKey>> {
        Ok(signing_key::Entity::find()
            .order_by_desc(signing_key::Column::CreatedAt)
            .order_by_desc(signing_key::Column::Kid)
            .into_model()
            .all(self.store.db().reader())
            .await?)
    }

    /// Stores the first signing key; of instances that start together, the first one's wins.
    pub async fn create_first(self, key: NewKey<'_>) -> Result<()> {
        self.store
            .write(&Caller::node(), &WriteOptions::default(), async |tx| {
                take_turns(tx).await?;
                if signing_key::Entity::find().one(&tx.sql).await?.is_some() {
                    return Ok(());
                }
                insert(tx, key).await
            })
            .await
    }

    /// Adds a new signing key. Older ones verify for `keep` more, then they are removed.
    pub async fn rotate(self, key: NewKey<'_>, keep: TimeDelta) -> Result<()> {
        self.store
            .write(&Caller::node(), &WriteOptions::default(), async |tx| {
                take_turns(tx).await?;
                signing_key::Entity::update_many()
                    .col_expr(signing_key::Column::RetiredAt, Expr::value(tx.now))
                    .filter(signing_key::Column::RetiredAt.is_null())
                    .exec(&tx.sql)
                    .await?;
                signing_key::Entity::delete_many()
                    .filter(signing_key::Column::RetiredAt.lte(tx.now - keep))
                    .exec(&tx.sql)
                    .await?;
                insert(tx, key).await
            })
            .await
    }
}

async fn take_turns(tx: &Transaction<'_>) -> Result<()> {
    tx.execute("UPDATE sync_state SET id = 1 WHERE id = 1", [])
        .await
}

async fn insert(tx: &Transaction<'_>, key: NewKey<'_>) -> Result<()> {
    let row = signing_key::ActiveModel {
        kid: Set(key.kid.to_owned()),
        alg: Set(key.alg.to_owned()),
        private_pem: Set(key.private_pem.to_owned()),
        created_at: Set(tx.now),
        retired_at: Set(None),
    };
    signing_key::Entity::insert(row)
        .exec_without_returning(&tx.sql)
        .await?;
    Ok(())
}
