//! Records of systems that push.

use crate::entity::{account, account_grant};
use crate::error::{Denied, Result, StoreError};
use crate::transaction::Transaction;
use domain::access::rules::Role;
use domain::base::vocabulary::Coded;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect};

/// Rejects writes to a record of a system that a feeder pushes: the next push would undo them. An
/// admin of the node may write, and releases the system's records by revoking the grant.
pub(crate) async fn refuse_supplied(tx: &Transaction<'_>, system: Option<&str>) -> Result<()> {
    let Some(system) = system else {
        return Ok(());
    };
    if tx.caller.pushes(system) || tx.caller.is_node_admin() {
        return Ok(());
    }
    let feeder = account_grant::Entity::find()
        .join(
            JoinType::InnerJoin,
            account_grant::Entity::belongs_to(account::Entity)
                .from(account_grant::Column::AccountId)
                .to(account::Column::Id)
                .into(),
        )
        .filter(account_grant::Column::Role.eq(Role::Feeder.code()))
        .filter(account_grant::Column::System.eq(system))
        .filter(account::Column::DisabledAt.is_null())
        .one(&tx.sql)
        .await?;
    match feeder {
        None => Ok(()),
        Some(_) => Err(StoreError::Forbidden(Denied::OwnedBySystem)),
    }
}
