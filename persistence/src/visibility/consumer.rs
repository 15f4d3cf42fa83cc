//! The consumer that logs changes of visibility caused by ends: for the relationships around a
//! record that was published, withdrawn or deleted it writes an entry `visibility`, which creates no
//! version.

use crate::consumers::{Entry, LogConsumer};
use crate::error::Result;
use crate::store::Store;
use crate::transaction::WriteOptions;
use crate::visibility::public::{AROUND, update_visibility};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;

const NAME: &str = "visibility";

/// Number of entries without relationships after which the cursor is saved without effect.
const FAR: i64 = 1000;

/// The relationships whose visibility the entries after `$1` up to `$2` may have changed: written
/// ones, and those around a record that became visible or invisible.
fn near_entries() -> String {
    format!(
        "WITH flipped (id) AS (SELECT record_id FROM change \
            WHERE seq > $1 AND seq <= $2 AND kind <> 'relationship' \
            AND (audience_before IS NULL) <> (audience_after IS NULL)), {AROUND} \
        UNION SELECT record_id FROM change \
            WHERE seq > $1 AND seq <= $2 AND kind = 'relationship' AND op = 'upsert')"
    )
}

/// Updates everything up to the entry `last`, and saves the cursor if that was all; returns whether
/// it was.
async fn update_up_to(store: &Store, last: i64) -> Result<bool> {
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    store
        .write(&Caller::node(), &options, async |tx| {
            let cursor = tx.cursors().lock(NAME).await?;
            if cursor >= last {
                return Ok(true);
            }
            let entries = vec![cursor.into(), last.into()];
            let all = update_visibility(tx, &near_entries(), entries).await?;
            if all {
                tx.cursors().update(NAME, last).await?;
            }
            Ok(all)
        })
        .await
}

#[derive(Debug)]
pub struct VisibilityConsumer {
    store: Store,
    /// The cursor as last saved here.
    saved: i64,
}

impl VisibilityConsumer {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, saved: 0 }
    }
}

impl LogConsumer for VisibilityConsumer {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn cursor(&mut self) -> Result<i64> {
        self.saved = self.store.cursors().get(NAME).await?;
        Ok(self.saved)
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        // Most changes concern no relationship; reading them again costs less than a write after
        // each of them.
        if last - self.saved < FAR && !entries.iter().any(concerns) {
            return Ok(());
        }
        while !update_up_to(&self.store, last).await? {}
        self.saved = last;
        Ok(())
    }
}

/// Whether an entry can change the visibility of a relationship in a way that the log does not show
/// yet.
fn concerns(entry: &Entry) -> bool {
    if entry.kind == Kind::Relationship.code() {
        entry.is(Op::Upsert)
    } else {
        entry.flips()
    }
}
