//! Databases from before members were renamed, opened by the current program.

mod crash;
mod partner;
mod responses;
mod rewritten;
mod words;

use chrono::{DateTime, Utc};
use domain::base::json::canonical;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::upgrade::upgrade;
use sea_orm::{FromQueryResult, Statement};
use serde_json::Value;
use std::collections::BTreeMap;
use tests::database::{Database, look};
use uuid::Uuid;

const RELEASE: &str = "before-0.1.0";

/// A record in a table of any release.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    origin: String,
    version: i64,
    updated_at: DateTime<Utc>,
    body: String,
}

impl Row {
    /// The canonical body with current names.
    fn upgraded(&self) -> String {
        let mut body: Value = serde_json::from_str(&self.body).unwrap();
        upgrade(Kind::parse(&self.kind).unwrap(), &mut body);
        canonical(&body)
    }

    fn is_old(&self) -> bool {
        self.upgraded() != self.body
    }
}

/// The records of an origin, read directly from the database.
async fn rows(database: &Database, origin: &str) -> BTreeMap<Uuid, Row> {
    let connection = look(&database.url, 1).await;
    let sql = "SELECT id, kind, origin, version, updated_at, body FROM record WHERE origin = $1";
    let statement =
        Statement::from_sql_and_values(connection.get_database_backend(), sql, [origin.into()]);
    let rows = Row::find_by_statement(statement).all(&connection).await;
    connection.close().await.unwrap();
    rows.unwrap().into_iter().map(|row| (row.id, row)).collect()
}
