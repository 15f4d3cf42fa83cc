//! The log entries of a transaction.

use super::Transaction;
use crate::entity::tombstone;
use crate::error::Result;
use crate::record::Record;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
use uuid::Uuid;

/// A log entry without its number.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) op: Op,
    pub(super) kind: String,
    pub(super) record_id: Uuid,
    pub(super) origin: String,
    pub(super) system: Option<String>,
    pub(super) version: i64,
    pub(super) newest: bool,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) body: Option<String>,
    pub(super) erased: bool,
    /// The deletion that it is part of.
    pub(super) deletion: Option<Uuid>,
    pub(super) size: usize,
}

#[derive(Debug)]
pub(crate) struct LogMut<'t, 's> {
    tx: &'t mut Transaction<'s>,
}

impl<'s> Transaction<'s> {
    pub(crate) fn log(&mut self) -> LogMut<'_, 's> {
        LogMut { tx: self }
    }
}

impl LogMut<'_, '_> {
    /// Logs that a record was created or changed; `before` is its previous row.
    pub(crate) async fn upsert(self, before: Option<&Record>, after: &Record) -> Result<()> {
        if let Some(before) = before {
            // Earlier versions of copies belong to their origin, to keep and to erase.
            let keeps = before.synced_at.is_none();
            self.tx.log().supersede(before, keeps).await?;
        }
        self.tx.note_digest(before, Some(after));
        self.tx.entries.push(Entry {
            op: Op::Upsert,
            kind: after.kind.code().to_owned(),
            record_id: after.id,
            origin: after.origin.clone(),
            system: after.system.clone(),
            version: after.version,
            newest: true,
            before: before.and_then(audience),
            after: audience(after),
            body: None,
            erased: false,
            deletion: None,
            size: after.body.len(),
        });
        Ok(())
    }

    /// Logs that a record was deleted, in version `version`; its last body stays in the log if it
    /// is one of this node's own, or `merged`.
    pub(crate) async fn delete(self, before: &Record, version: i64, merged: bool) -> Result<()> {
        let keeps = merged || before.synced_at.is_none();
        self.tx.log().supersede(before, keeps).await?;
        self.tx.note_digest(Some(before), None);
        self.tx.entries.push(Entry {
            op: Op::Delete,
            kind: before.kind.code().to_owned(),
            record_id: before.id,
            origin: before.origin.clone(),
            system: before.system.clone(),
            version,
            newest: true,
            before: audience(before),
            after: None,
            body: None,
            erased: false,
            deletion: self.tx.deletion,
            size: 0,
        });
        Ok(())
    }

    /// Logs a change of visibility without a new version; `before` is the previous row, `is_public` the
    /// new visibility to outsiders.
    pub(crate) fn visibility(self, before: &Record, is_public: bool) {
        let after = Record {
            is_public,
            ..before.clone()
        };
        if before.is_public != is_public {
            self.tx.note_digest(Some(before), Some(&after));
        }
        self.tx.touched.insert(before.id, is_public);
        self.tx.entries.push(Entry {
            op: Op::Visibility,
            kind: before.kind.code().to_owned(),
            record_id: before.id,
            origin: before.origin.clone(),
            system: before.system.clone(),
            version: before.version,
            newest: false,
            before: audience(before),
            after: audience(&after),
            body: None,
            erased: false,
            deletion: None,
            size: before.body.len(),
        });
    }

    /// Logs that a restored record is hidden: outsiders knew that it was merged.
    pub(crate) fn withdrawal(self, row: &Record) {
        let known = audience(&Record {
            is_public: true,
            ..row.clone()
        });
        let mut entries = self.tx.entries.iter_mut();
        if let Some(entry) = entries.rfind(|entry| entry.record_id == row.id) {
            entry.before = known;
        }
    }

    /// Logs that a record that is not here was merged, or no longer is, as reported by its origin.
    pub(crate) async fn merge_elsewhere(self, tombstone: &tombstone::Model) -> Result<()> {
        self.tx.log().revival(tombstone.id).await?;
        self.tx.entries.push(Entry {
            newest: true,
            version: tombstone.version,
            erased: false,
            ..erasure(Op::Delete, &tombstone.kind, tombstone.id, &tombstone.origin)
        });
        Ok(())
    }

    /// Logs that hidden or deleted records that outsiders knew now lead to a visible one: `loser`
    /// itself, whose deletion was logged last, or one that was merged into it before.
    pub(crate) fn merge_reported(self, loser: &tombstone::Model) {
        let home = loser.home_region;
        let known = home.map_or_else(|| "-".to_owned(), |region| region.to_string());
        let mut entries = self.tx.entries.iter_mut();
        if let Some(entry) = entries.rfind(|entry| entry.record_id == loser.id) {
            entry.before = Some(known);
            return;
        }
        self.tx.entries.push(Entry {
            version: loser.version,
            before: Some(known),
            erased: false,
            ..erasure(Op::Visibility, &loser.kind, loser.id, &loser.origin)
        });
    }

    /// Logs that the remains of a deleted record were erased; `tombstone` has the new version.
    pub(crate) async fn erasure(self, tombstone: &tombstone::Model) -> Result<()> {
        self.tx.log().revival(tombstone.id).await?;
        self.tx.entries.push(Entry {
            newest: true,
            version: tombstone.version,
            deletion: self.tx.deletion,
            ..erasure(Op::Delete, &tombstone.kind, tombstone.id, &tombstone.origin)
        });
        Ok(())
    }

    /// Logs that a record was deleted without a trace, in version `version`: unlike in
    /// [`Self::delete`], the body is not moved into the log first.
    pub(crate) async fn living_erasure(self, before: &Record, version: i64) -> Result<()> {
        self.tx.log().revival(before.id).await?;
        self.tx.note_digest(Some(before), None);
        self.tx.entries.push(Entry {
            newest: true,
            version,
            before: audience(before),
            deletion: self.tx.deletion,
            ..erasure(Op::Delete, before.kind.code(), before.id, &before.origin)
        });
        Ok(())
    }

    pub(crate) fn version_erased(self, row: &Record) {
        self.tx.entries.push(Entry {
            version: row.version,
            before: audience(row),
            after: audience(row),
            ..erasure(Op::Visibility, row.kind.code(), row.id, &row.origin)
        });
    }

    /// Logs that an earlier version of a deleted record was erased.
    pub(crate) fn dead_version_erased(self, tombstone: &tombstone::Model) {
        self.tx.entries.push(Entry {
            version: tombstone.version,
            ..erasure(
                Op::Visibility,
                &tombstone.kind,
                tombstone.id,
                &tombstone.origin,
            )
        });
    }

    /// Marks the newest entry as superseded without keeping its body: a deleted record is created
    /// again, or a record is erased.
    pub(crate) async fn revival(self, id: Uuid) -> Result<()> {
        for entry in &mut self.tx.entries {
            entry.newest &= entry.record_id != id;
        }
        let sql = "UPDATE change SET newest = false WHERE record_id = $1 AND newest";
        self.tx.execute(sql, [id.into()]).await
    }

    /// Once a newer version replaces it in `record`, the body is either moved to the log or
    /// dropped.
    async fn supersede(self, before: &Record, keeps: bool) -> Result<()> {
        let body = keeps.then(|| before.body.clone());
        let mut pending = self.tx.entries.iter_mut().filter(|entry| entry.newest);
        if let Some(entry) = pending.find(|entry| entry.record_id == before.id) {
            entry.newest = false;
            entry.body = body;
            return Ok(());
        }
        let sql = "UPDATE change SET body = $1, newest = false WHERE record_id = $2 AND newest";
        let values = [body.into(), before.id.into()];
        self.tx.execute(sql, values).await
    }
}

fn erasure(op: Op, kind: &str, record_id: Uuid, origin: &str) -> Entry {
    Entry {
        op,
        kind: kind.to_owned(),
        record_id,
        origin: origin.to_owned(),
        system: None,
        version: 0,
        newest: false,
        before: None,
        after: None,
        body: None,
        erased: true,
        deletion: None,
        size: 0,
    }
}

/// The outside audience of a row: its home region if it is shown (`-` if it has none), otherwise
/// none.
fn audience(row: &Record) -> Option<String> {
    row.is_public.then(|| {
        row.home_region
            .map_or_else(|| "-".to_owned(), |region| region.to_string())
    })
}
