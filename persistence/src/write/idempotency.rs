//! Requests that take effect once however often they are sent: the response is stored in the
//! transaction of the write, under a key that the caller chose.

use crate::cursor::sign;
use crate::entity::idempotency_record;
use crate::error::{Result, StoreError, waited_for_a_lock};
pub use crate::store::key_locks::KeyLock;
use crate::store::{Store, hex};
use crate::transaction::{Transaction, WriteOptions};
use chrono::TimeDelta;
use domain::access::rules::Caller;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

pub const KEPT_DAYS: i64 = 7;

/// A caller's key and its request.
///
/// Neither is stored: the hash of the request needs the key, so readers of the database cannot
/// guess the content of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    principal: Uuid,
    digest: String,
    request: String,
}

/// A response as it is stored. Only its body may contain content of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueResponse {
    pub head: String,
    pub body: String,
}

#[derive(Debug)]
pub enum Outcome<T> {
    Done(T),
    /// The request had taken effect before, with this response.
    Known(OpaqueResponse),
}

/// Room of requests that take effect once.
#[derive(Debug, Clone, Copy)]
pub struct Idempotency<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn idempotency(&self) -> Idempotency<'_> {
        Idempotency { store: self }
    }
}

impl Idempotency<'_> {
    /// The key of an account for a request: `method` and `address` are its target.
    #[must_use]
    pub fn key(
        self,
        principal: Uuid,
        key: &str,
        [method, address]: [&str; 2],
        body: &str,
    ) -> RequestKey {
        let place = format!("{method} {address}");
        RequestKey {
            principal,
            digest: hex(&sign(
                &self.store.node().secret,
                "idempotency",
                key.as_bytes(),
            )),
            request: hex(&sign(key.as_bytes(), &place, body.as_bytes())),
        }
    }

    /// Waits until no other request with the key is served by this process.
    pub async fn lock(self, key: &RequestKey) -> Result<KeyLock> {
        let name = (key.principal, key.digest.clone());
        self.store.key_locks().lock(name).await
    }

    pub async fn get(self, key: &RequestKey) -> Result<Option<OpaqueResponse>> {
        let expired = self.store.clock().now() - TimeDelta::days(KEPT_DAYS);
        let row = idempotency_record::Entity::find_by_id((key.principal, key.digest.clone()))
            .filter(idempotency_record::Column::CreatedAt.gt(expired))
            .one(self.store.db().reader())
            .await?;
        row.map(|row| response(row, key)).transpose()
    }

    /// Does `work` in one transaction that also stores its response; if one is stored already,
    /// returns that.
    ///
    /// # Errors
    /// As [`Self::get`] and [`Store::write`]; [`StoreError::KeyInUse`] if another instance serves
    /// the same request for too long.
    pub async fn write<T>(
        self,
        caller: &Caller,
        options: &WriteOptions,
        key: &RequestKey,
        work: impl AsyncFn(&mut Transaction<'_>) -> Result<(T, OpaqueResponse)>,
    ) -> Result<Outcome<T>> {
        self.store
            .write(caller, options, async |tx| {
                if let Some(known) = claim(tx, key).await? {
                    return Ok(Outcome::Known(known));
                }
                let (outcome, response) = work(tx).await?;
                store_response(tx, key, &response).await?;
                Ok(Outcome::Done(outcome))
            })
            .await
    }

    /// Removes expired responses; returns their number.
    pub async fn prune(self) -> Result<u64> {
        let expired = self.store.clock().now() - TimeDelta::days(KEPT_DAYS);
        let expired = idempotency_record::Column::CreatedAt.lte(expired);
        // Usually there is none, and no lock is needed for that.
        let any = idempotency_record::Entity::find()
            .filter(expired.clone())
            .limit(1);
        if any.one(self.store.db().reader()).await?.is_none() {
            return Ok(0);
        }
        self.store
            .write(&Caller::node(), &WriteOptions::default(), async |tx| {
                let removed = idempotency_record::Entity::delete_many()
                    .filter(expired.clone())
                    .exec(&tx.sql)
                    .await?;
                Ok(removed.rows_affected)
            })
            .await
    }
}

/// Claims a key for this transaction, or finds the response stored under it. A concurrent
/// transaction with the key waits here.
async fn claim(tx: &Transaction<'_>, key: &RequestKey) -> Result<Option<OpaqueResponse>> {
    let sql = "INSERT INTO idempotency_record (principal, key_hash, request_hash, created_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (principal, key_hash) DO UPDATE SET \
         request_hash = excluded.request_hash, created_at = excluded.created_at, \
         head = NULL, body = NULL WHERE idempotency_record.created_at <= $5";
    let values = [
        key.principal.into(),
        key.digest.clone().into(),
        key.request.clone().into(),
        tx.now.into(),
        (tx.now - TimeDelta::days(KEPT_DAYS)).into(),
    ];
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, values);
    let taken = tx.sql.execute_raw(statement).await.map_err(|error| {
        if waited_for_a_lock(&error) {
            StoreError::KeyInUse
        } else {
            error.into()
        }
    })?;
    if taken.rows_affected() > 0 {
        return Ok(None);
    }
    let row = idempotency_record::Entity::find_by_id((key.principal, key.digest.clone()))
        .one(&tx.sql)
        .await?
        .ok_or_else(|| StoreError::Corrupt("a key without its response".to_owned()))?;
    response(row, key).map(Some)
}

/// Blanks the responses about any of these ids: a repeated request learns that it was erased, and
/// does not create it again.
pub(crate) async fn blank_responses(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<()> {
    for chunk in ids.chunks(50) {
        let tells = (1..=chunk.len()).map(|n| format!("body LIKE ${n}"));
        let tells: Vec<String> = tells.collect();
        let sql = format!(
            "UPDATE idempotency_record SET head = NULL, body = NULL WHERE {}",
            tells.join(" OR ")
        );
        let values = chunk.iter().map(|id| format!("%{id}%").into());
        tx.execute(&sql, values).await?;
    }
    Ok(())
}

async fn store_response(
    tx: &Transaction<'_>,
    key: &RequestKey,
    response: &OpaqueResponse,
) -> Result<()> {
    let sql = "UPDATE idempotency_record SET head = $1, body = $2 \
         WHERE principal = $3 AND key_hash = $4";
    let values = [
        response.head.clone().into(),
        response.body.clone().into(),
        key.principal.into(),
        key.digest.clone().into(),
    ];
    tx.execute(sql, values).await
}

fn response(row: idempotency_record::Model, key: &RequestKey) -> Result<OpaqueResponse> {
    if row.request_hash != key.request {
        return Err(StoreError::KeyReused);
    }
    match (row.head, row.body) {
        (Some(head), Some(body)) => Ok(OpaqueResponse { head, body }),
        (None, _) | (_, None) => Err(StoreError::ResponseErased),
    }
}
