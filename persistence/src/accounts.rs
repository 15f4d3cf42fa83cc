//! Accounts, what they may, and the keys that sign their tokens.

use crate::entity::{account, account_grant, signing_key};
use crate::error::{Result, StoreError};
use crate::merged::{survivors, with_losers};
use crate::store::Store;
use crate::unit::WriteOptions;
use domain::access::{Caller, Grant, Role, Scope};
use domain::vocabulary::Coded;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A grant that is to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The role.
    pub role: Role,
    /// Where it holds; absent for the whole node.
    pub region: Option<Uuid>,
    /// Whether it holds below that region too.
    pub descendants: bool,
    /// For feeders: the system whose records they push.
    pub system: Option<String>,
}

impl Store {
    /// The account called `name`, made if it is new, holding exactly this grant.
    ///
    /// # Errors
    /// The database's.
    pub async fn local_account(&self, name: &str, grant: &NewGrant) -> Result<Uuid> {
        let caller = Caller::node();
        self.write(&caller, &WriteOptions::default(), async |unit| {
            let found = account::Entity::find()
                .filter(account::Column::Name.eq(name))
                .one(&unit.tx)
                .await?;
            let id = found.as_ref().map_or_else(domain::id::new, |row| row.id);
            if found.is_none() {
                let row = account::ActiveModel {
                    id: Set(id),
                    name: Set(name.to_owned()),
                    password_hash: Set(None),
                    created_at: Set(unit.now),
                    disabled_at: Set(None),
                };
                account::Entity::insert(row)
                    .exec_without_returning(&unit.tx)
                    .await?;
            }
            account_grant::Entity::delete_many()
                .filter(account_grant::Column::AccountId.eq(id))
                .exec(&unit.tx)
                .await?;
            let row = account_grant::ActiveModel {
                id: Set(domain::id::new()),
                account_id: Set(id),
                role: Set(grant.role.code().to_owned()),
                region_id: Set(grant.region),
                descendants: Set(grant.descendants),
                system: Set(grant.system.clone()),
            };
            account_grant::Entity::insert(row)
                .exec_without_returning(&unit.tx)
                .await?;
            Ok(id)
        })
        .await
    }

    /// Who an account is and what it may at this moment; `None` if it is unknown or disabled.
    ///
    /// # Errors
    /// The database's.
    pub async fn caller(&self, account: Uuid) -> Result<Option<Caller>> {
        let found = account::Entity::find_by_id(account)
            .filter(account::Column::DisabledAt.is_null())
            .one(self.db().reader())
            .await?;
        if found.is_none() {
            return Ok(None);
        }
        let rows = account_grant::Entity::find()
            .filter(account_grant::Column::AccountId.eq(account))
            .order_by_asc(account_grant::Column::Id)
            .all(self.db().reader())
            .await?;
        let mut grants = Vec::with_capacity(rows.len());
        for row in rows {
            grants.push(self.grant(row).await?);
        }
        Ok(Some(Caller {
            account: Some(account),
            grants,
        }))
    }

    async fn grant(&self, row: account_grant::Model) -> Result<Grant> {
        let scope = match row.region_id {
            None => Scope::Node,
            Some(region) if row.descendants => Scope::Regions(self.descendants(region).await?),
            Some(region) => Scope::Regions(self.one_region(region).await?),
        };
        Ok(Grant {
            role: Role::parse(&row.role)
                .ok_or_else(|| StoreError::Corrupt(format!("role {}", row.role)))?,
            scope,
            system: row.system,
        })
    }

    /// A region, and those that were merged with it: their records are its records.
    async fn one_region(&self, region: Uuid) -> Result<BTreeSet<Uuid>> {
        let reader = self.db().reader();
        let survivors = survivors(reader, [region]).await?;
        let ids = survivors.values().copied().chain([region]);
        with_losers(reader, ids).await
    }

    /// A region and everything below it, through the region tree of this node and of the
    /// reference data (a partner's edges give nobody rights here).
    async fn descendants(&self, region: Uuid) -> Result<BTreeSet<Uuid>> {
        let sql = "WITH RECURSIVE below(id) AS (SELECT $1 UNION \
             SELECT step.down FROM below JOIN (\
             SELECT edge.from_id AS down, edge.to_id AS up FROM edge \
             JOIN record ON record.id = edge.record_id \
             WHERE edge.type = 'part_of' AND edge.from_kind = 'region' \
             AND edge.from_id IS NOT NULL AND record.origin IN ($2, $3) \
             UNION ALL SELECT loser_id, survivor_id FROM merged \
             UNION ALL SELECT survivor_id, loser_id FROM merged\
             ) step ON step.up = below.id) SELECT id FROM below";
        let values = [
            region.into(),
            self.node().origin.clone().into(),
            crate::store::REFERENCE_ORIGIN.into(),
        ];
        let reader = self.db().reader();
        let statement = Statement::from_sql_and_values(reader.get_database_backend(), sql, values);
        let rows = reader.query_all_raw(statement).await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<_, _>>()?)
    }

    /// The keys that verify tokens, newest first; the first that is not retired signs.
    ///
    /// # Errors
    /// The database's.
    pub async fn signing_keys(&self) -> Result<Vec<signing_key::Model>> {
        Ok(signing_key::Entity::find()
            .order_by_desc(signing_key::Column::CreatedAt)
            .order_by_desc(signing_key::Column::Kid)
            .all(self.db().reader())
            .await?)
    }

    /// Keeps the first signing key; of instances that start together, the first one's.
    ///
    /// # Errors
    /// The database's.
    pub async fn first_signing_key(&self, kid: &str, alg: &str, private_pem: &str) -> Result<()> {
        self.write(&Caller::node(), &WriteOptions::default(), async |unit| {
            // Instances take turns at this row.
            unit.execute("UPDATE sync_state SET id = 1 WHERE id = 1", [])
                .await?;
            if signing_key::Entity::find().one(&unit.tx).await?.is_some() {
                return Ok(());
            }
            let row = signing_key::ActiveModel {
                kid: Set(kid.to_owned()),
                alg: Set(alg.to_owned()),
                private_pem: Set(private_pem.to_owned()),
                created_at: Set(unit.now),
                retired_at: Set(None),
            };
            signing_key::Entity::insert(row)
                .exec_without_returning(&unit.tx)
                .await?;
            Ok(())
        })
        .await
    }
}
