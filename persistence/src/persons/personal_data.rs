//! Everything that is held about a person (GDPR Art. 15).

use crate::accounts::grants_of;
use crate::db::SqlTransaction;
use crate::entity::{account, application, change, contact_person};
use crate::error::{Result, StoreError};
use crate::persons::{ContactPersons, all_shown};
use crate::read::history::LogEntry;
use crate::store::Store;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
use domain::statements::application::Applicant;
use domain::statements::personal_data::{
    HeldAccount, HeldApplication, HeldChange, HeldGrant, Mention, MentionPlace, PersonalData,
    PersonalDataInput,
};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use uuid::Uuid;

/// The texts that are searched for mentions; `{column}` is the condition on the column.
const TEXTS: &[(MentionPlace, &str)] = &[
    (
        MentionPlace::Record,
        "SELECT kind, id, version, body FROM record WHERE {body}",
    ),
    (
        MentionPlace::Version,
        "SELECT kind, record_id, version, body FROM change WHERE {body} ORDER BY seq",
    ),
    (
        MentionPlace::Reason,
        "SELECT kind, record_id, version, reason FROM change WHERE {reason} ORDER BY seq",
    ),
    (
        MentionPlace::Confirmation,
        "SELECT 'relationship', record_id, version, note FROM confirmation WHERE {note}",
    ),
    (
        MentionPlace::Quarantine,
        "SELECT COALESCE(kind, ''), COALESCE(record_id, id), CAST(0 AS bigint), entry FROM quarantine WHERE {entry} ORDER BY at",
    ),
];

impl ContactPersons<'_> {
    /// Everything that is held about the person of an e-mail address or a name.
    pub async fn personal_data(self, query: &PersonalDataInput) -> Result<PersonalData> {
        let wanted = Wanted::new(query);
        let tx = self.store.db().begin_read().await?;
        let found = PersonalData {
            query: query.clone(),
            generated_at: self.store.clock().now(),
            contact_persons: wanted.contact_persons(&tx).await?,
            applications: wanted.applications(&tx).await?,
            accounts: held_accounts(self.store, &tx, &wanted).await?,
            mentions: wanted.mentions(&tx).await?,
            idempotency_records: wanted.idempotency_records(&tx).await?,
        };
        tx.commit().await?;
        Ok(found)
    }
}

async fn held_accounts(
    store: &Store,
    tx: &SqlTransaction,
    wanted: &Wanted,
) -> Result<Vec<HeldAccount>> {
    let rows = account::Entity::find()
        .filter(
            Condition::any()
                .add(wanted.may_hold(account::Column::Name))
                .add(wanted.may_hold(account::Column::Subject)),
        )
        .order_by_asc(account::Column::Id)
        .all(tx)
        .await?;
    let theirs =
        |row: &account::Model| wanted.is(Some(&row.name)) || wanted.is(row.subject.as_ref());
    let rows: Vec<account::Model> = rows.into_iter().filter(theirs).collect();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let grants = grants_of(store, &ids).await?;
    let changes = change::Entity::find()
        .filter(change::Column::By.is_in(ids))
        .order_by_asc(change::Column::Seq)
        .into_partial_model::<LogEntry>()
        .all(tx)
        .await?;
    let held = rows.into_iter().map(|row| {
        let own = grants.iter().filter(|grant| grant.account_id == row.id);
        let done = changes.iter().filter(|entry| entry.by == Some(row.id));
        Ok(HeldAccount {
            id: row.id,
            name: row.name,
            issuer: row.issuer,
            subject: row.subject,
            created_at: row.created_at,
            grants: own
                .map(|grant| HeldGrant {
                    role: grant.role.code().to_owned(),
                    region: grant.region_id,
                })
                .collect(),
            changes: done.map(held_change).collect::<Result<_>>()?,
        })
    });
    held.collect()
}

fn held_change(entry: &LogEntry) -> Result<HeldChange> {
    let op = Op::parse(&entry.op);
    Ok(HeldChange {
        at: entry.at,
        op: op.ok_or_else(|| StoreError::Corrupt(format!("op {}", entry.op)))?,
        kind: entry.kind.clone(),
        id: entry.record_id,
        version: entry.version,
        reason: entry.reason.clone(),
    })
}

/// The search. The database finds candidates by a pattern: not every database knows the lower case
/// of an umlaut, so any character matches in its place there; candidates are compared again here.
struct Wanted {
    texts: Vec<String>,
    patterns: Vec<String>,
}

impl Wanted {
    fn new(query: &PersonalDataInput) -> Self {
        let given = [&query.email, &query.name].into_iter().flatten();
        let texts: Vec<String> = given.map(|text| text.trim().to_lowercase()).collect();
        Self {
            patterns: texts.iter().map(|text| pattern(text)).collect(),
            texts,
        }
    }

    fn is(&self, text: Option<&String>) -> bool {
        text.is_some_and(|text| self.texts.contains(&text.trim().to_lowercase()))
    }

    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.texts.iter().any(|one| text.contains(one))
    }

    fn may_hold(&self, column: impl ColumnTrait) -> Condition {
        let mut any = Condition::any();
        for pattern in &self.patterns {
            let like = LikeExpr::new(pattern.clone()).escape('!');
            any = any.add(Expr::expr(Func::lower(column.into_expr())).like(like));
        }
        any
    }

    async fn contact_persons(
        &self,
        tx: &SqlTransaction,
    ) -> Result<Vec<domain::statements::contact_person::ContactPerson>> {
        let rows = contact_person::Entity::find()
            .filter(
                Condition::any()
                    .add(self.may_hold(contact_person::Column::Email))
                    .add(self.may_hold(contact_person::Column::Name)),
            )
            .order_by_asc(contact_person::Column::Id)
            .all(tx)
            .await?;
        let theirs = rows
            .into_iter()
            .filter(|row| self.is(row.email.as_ref()) || self.is(Some(&row.name)));
        all_shown(tx, theirs.collect()).await
    }

    async fn applications(&self, tx: &SqlTransaction) -> Result<Vec<HeldApplication>> {
        let rows = application::Entity::find()
            .filter(
                Condition::any()
                    .add(self.may_hold(application::Column::Email))
                    .add(self.may_hold(application::Column::Person))
                    .add(self.may_hold(application::Column::Message)),
            )
            .order_by_asc(application::Column::Id)
            .all(tx)
            .await?;
        let theirs = rows.into_iter().filter(|row| {
            let message = row.message.as_ref();
            self.is(row.email.as_ref())
                || self.is(row.person.as_ref())
                || message.is_some_and(|text| self.is_in(text))
        });
        let held = theirs.map(|row| HeldApplication {
            id: row.id,
            network: row.network_id,
            applicant: Applicant {
                organisation: row.organisation,
                person: row.person,
                email: row.email,
                phone: row.phone,
            },
            message: row.message,
            created_at: row.created_at,
        });
        Ok(held.collect())
    }

    async fn mentions(&self, tx: &SqlTransaction) -> Result<Vec<Mention>> {
        let mut found = Vec::new();
        for (place, sql) in TEXTS {
            let mut sql = (*sql).to_owned();
            for column in ["body", "reason", "note", "entry"] {
                sql = sql.replace(&format!("{{{column}}}"), &self.sql(column));
            }
            for row in self.query(tx, &sql).await? {
                let text: String = row.try_get_by_index(3)?;
                if !self.is_in(&text) {
                    continue;
                }
                found.push(Mention {
                    place: *place,
                    kind: row.try_get_by_index(0)?,
                    id: row.try_get_by_index(1)?,
                    version: row.try_get_by_index(2)?,
                });
            }
        }
        Ok(found)
    }

    async fn idempotency_records(&self, tx: &SqlTransaction) -> Result<u64> {
        let sql = format!(
            "SELECT body FROM idempotency_record WHERE {}",
            self.sql("body")
        );
        let mut count = 0;
        for row in self.query(tx, &sql).await? {
            let body: String = row.try_get_by_index(0)?;
            count += u64::from(self.is_in(&body));
        }
        Ok(count)
    }

    fn sql(&self, column: &str) -> String {
        let one = |n| format!("lower({column}) LIKE ${n} ESCAPE '!'");
        let all: Vec<String> = (1..=self.patterns.len()).map(one).collect();
        format!("({})", all.join(" OR "))
    }

    async fn query(&self, tx: &SqlTransaction, sql: &str) -> Result<Vec<sea_orm::QueryResult>> {
        let values = self.patterns.iter().map(|pattern| pattern.clone().into());
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        Ok(tx.query_all_raw(statement).await?)
    }
}

/// The LIKE pattern of texts that may contain the text in lower case, with `!` as the escape.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        match c {
            '%' | '_' | '!' => pattern.extend(['!', c]),
            // In JSON, these two are escaped by a backslash.
            '"' | '\\' => pattern.push('%'),
            c if c.is_ascii() => pattern.push(c),
            _ => pattern.push('_'),
        }
    }
    pattern.push('%');
    pattern
}
