//! Requests that take effect once however often they are sent: the response is stored in the
//! transaction of the write, under a key that the caller chose.

use crate::cursor::sign;
use crate::entity::kept_answer;
use crate::error::{Result, StoreError, waited_for_a_lock};
pub use crate::store::key_locks::Turn;
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
pub struct Key {
    principal: Uuid,
    digest: String,
    request: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Debug)]
pub enum Once<T> {
    Done(T),
    /// The request had taken effect before, with this response.
    Known(Answer),
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
    pub fn key(self, principal: Uuid, key: &str, [method, address]: [&str; 2], body: &str) -> Key {
        let place = format!("{method} {address}");
        Key {
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
    pub async fn lock(self, key: &Key) -> Result<Turn> {
        let name = (key.principal, key.digest.clone());
        self.store.key_locks().lock(name).await
    }

    pub async fn get(self, key: &Key) -> Result<Option<Answer>> {
        let expired = self.store.clock().now() - TimeDelta::days(KEPT_DAYS);
        let row = kept_answer::Entity::find_by_id((key.principal, key.digest.clone()))
            .filter(kept_answer::Column::CreatedAt.gt(expired))
            .one(self.store.db().reader())
            .await?;
        row.map(|row| answer(row, key)).transpose()
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
        key: &Key,
        work: impl AsyncFn(&mut Transaction<'_>) -> Result<(T, Answer)>,
    ) -> Result<Once<T>> {
        self.store
            .write(caller, options, async |tx| {
                if let Some(known) = claim(tx, key).await? {
                    return Ok(Once::Known(known));
                }
                let (outcome, answer) = work(tx).await?;
                keep_answer(tx, key, &answer).await?;
                Ok(Once::Done(outcome))
            })
            .await
    }

    /// Removes expired responses; returns their number.
    pub async fn prune(self) -> Result<u64> {
        let expired = self.store.clock().now() - TimeDelta::days(KEPT_DAYS);
        let expired = kept_answer::Column::CreatedAt.lte(expired);
        // Usually there is none, and no lock is needed for that.
        let any = kept_answer::Entity::find().filter(expired.clone()).limit(1);
        if any.one(self.store.db().reader()).await?.is_none() {
            return Ok(0);
        }
        self.store
            .write(&Caller::node(), &WriteOptions::default(), async |tx| {
                let removed = kept_answer::Entity::delete_many()
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
async fn claim(tx: &Transaction<'_>, key: &Key) -> Result<Option<Answer>> {
    let sql = "INSERT INTO kept_answer (principal, key_hash, request_hash, created_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (principal, key_hash) DO UPDATE SET \
         request_hash = excluded.request_hash, created_at = excluded.created_at, \
         status = NULL, headers = NULL, body = NULL WHERE kept_answer.created_at <= $5";
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
    let row = kept_answer::Entity::find_by_id((key.principal, key.digest.clone()))
        .one(&tx.sql)
        .await?
        .ok_or_else(|| StoreError::Corrupt("a key without its answer".to_owned()))?;
    answer(row, key).map(Some)
}

/// Blanks the responses about any of these ids: a repeated request learns that it was erased, and
/// does not create it again.
pub(crate) async fn blank_answers(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<()> {
    for chunk in ids.chunks(50) {
        let tells = (1..=chunk.len()).map(|n| format!("body LIKE ${n}"));
        let tells: Vec<String> = tells.collect();
        let sql = format!(
            "UPDATE kept_answer SET status = NULL, headers = NULL, body = NULL WHERE {}",
            tells.join(" OR ")
        );
        let values = chunk.iter().map(|id| format!("%{id}%").into());
        tx.execute(&sql, values).await?;
    }
    Ok(())
}

async fn keep_answer(tx: &Transaction<'_>, key: &Key, answer: &Answer) -> Result<()> {
    let headers = serde_json::to_string(&answer.headers);
    let headers = headers.map_err(|why| StoreError::Corrupt(why.to_string()))?;
    let sql = "UPDATE kept_answer SET status = $1, headers = $2, body = $3 \
         WHERE principal = $4 AND key_hash = $5";
    let values = [
        i32::from(answer.status).into(),
        headers.into(),
        answer.body.clone().into(),
        key.principal.into(),
        key.digest.clone().into(),
    ];
    tx.execute(sql, values).await
}

fn answer(row: kept_answer::Model, key: &Key) -> Result<Answer> {
    if row.request_hash != key.request {
        return Err(StoreError::KeyReused);
    }
    let body = row.body.ok_or(StoreError::AnswerErased)?;
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    let headers = row.headers.unwrap_or_default();
    let corrupt = || StoreError::Corrupt("an answer that was kept".to_owned());
    Ok(Answer {
        status: status.ok_or_else(corrupt)?,
        headers: serde_json::from_str(&headers).map_err(|_| corrupt())?,
        body,
    })
}
