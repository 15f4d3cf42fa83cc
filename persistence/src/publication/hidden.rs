//! Hiding copies: records that a partner published and this node does not want to show.

use crate::entity::{hidden, record};
use crate::error::{Denied, Result, StoreError};
use crate::record::Record;
use crate::records::Records;
use crate::transaction::WriteOptions;
use crate::visibility::suppressed::reconsider;
use crate::write::locked;
use domain::access::rules::{Action, Caller};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

impl Records<'_> {
    /// The record to be hidden or shown again; the caller need not see it while it is hidden.
    pub async fn find_hideable(self, caller: &Caller, kind: Kind, key: &str) -> Result<Record> {
        if let Ok(id) = Uuid::try_parse(key) {
            let found = record::Entity::find_by_id(id)
                .filter(record::Column::Kind.eq(kind.code()))
                .into_model::<Record>()
                .one(self.store.db().reader())
                .await?;
            if let Some(row) = found
                && caller.is_allowed(Action::Hide, &self.store.subject(&row))
            {
                return Ok(row);
            }
        }
        self.store.records().get(caller, kind, key).await
    }

    /// Hides a copy on this node, or shows it again; repeating it has no effect.
    pub async fn hide(
        self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        hide: bool,
        options: &WriteOptions,
    ) -> Result<()> {
        self.store
            .write(caller, options, async |tx| {
                let row = locked(tx, kind, id).await?;
                let subject = tx.subject(&row);
                if subject.own {
                    return Err(StoreError::Forbidden(Denied::NotACopy));
                }
                if !caller.is_allowed(Action::Hide, &subject) {
                    return Err(StoreError::Forbidden(Denied::Hide));
                }
                let known = hidden::Entity::find_by_id(id).one(&tx.sql).await?;
                match (hide, known) {
                    (true, None) => {
                        let note = hidden::ActiveModel {
                            record_id: Set(id),
                            by: Set(caller.account),
                            at: Set(tx.now),
                        };
                        hidden::Entity::insert(note)
                            .exec_without_returning(&tx.sql)
                            .await?;
                    }
                    (false, Some(_)) => {
                        hidden::Entity::delete_by_id(id).exec(&tx.sql).await?;
                    }
                    (true, Some(_)) | (false, None) => return Ok(()),
                }
                reconsider(tx, &row).await?;
                Ok(())
            })
            .await
    }
}
