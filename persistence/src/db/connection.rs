//! Connecting: time limits and pools.

use crate::error::Result;
use sea_orm::sqlx;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For waiting for a free connection, or for the writer of SQLite.
    pub acquire: Duration,
    pub statement: Duration,
    /// For a lock of another transaction (PostgreSQL).
    pub lock: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            acquire: Duration::from_secs(15),
            statement: Duration::from_secs(15),
            lock: Duration::from_secs(2),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Its purpose: `write`, `read`, or `all`.
    pub name: &'static str,
    pub used: u32,
    pub idle: u32,
    pub most: u32,
}

impl Pool {
    pub(super) fn of<T: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<T>) -> Self {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        Self {
            name,
            used: pool.size().saturating_sub(idle),
            idle,
            most: pool.options().get_max_connections(),
        }
    }

    pub(super) fn sum(name: &'static str, pools: impl Iterator<Item = Self>) -> Self {
        let none = Self {
            name,
            used: 0,
            idle: 0,
            most: 0,
        };
        pools.fold(none, |sum, one| Self {
            name,
            used: sum.used + one.used,
            idle: sum.idle + one.idle,
            most: sum.most + one.most,
        })
    }
}

/// Boxed, because its future is large and it is rarely used.
pub(super) async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    #[cfg_attr(not(test), expect(unused_mut, reason = "tests observe it"))]
    let mut connection = Box::pin(Database::connect(options)).await?;
    #[cfg(test)]
    super::observed::observe(&mut connection);
    Ok(connection)
}
