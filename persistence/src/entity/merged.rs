//! The living merge target of each merged record, at the end of the chain.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merged")]
pub struct Model {
    /// The merged record; its tombstone names its direct merge target.
    #[sea_orm(primary_key, auto_increment = false)]
    pub loser_id: Uuid,
    pub target_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
