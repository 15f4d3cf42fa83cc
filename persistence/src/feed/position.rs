//! The position of a reader of the feed, as encoded in cursors.

use super::{FeedFilter, Reader};
use crate::cursor;
use crate::entity::change;
use crate::error::{Result, StoreError};
use crate::store::Node;
use domain::exchange::sync::ResyncReason;
use sea_orm::{EntityTrait, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text to which the signature of these cursors is bound; the filter is checked separately.
const QUERY: &str = "sync";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    log: Uuid,
    /// Everything up to here has been reported; in a snapshot, where it began.
    pub(super) seq: i64,
    /// The nonce of the entry `seq`: after a crash or a restored backup numbers repeat, nonces do
    /// not.
    nonce: i64,
    /// The newest entry of the log when the page was read, and its nonce: the page reported the
    /// state at that time, so a reader may know more than `seq` says.
    #[serde(default)]
    read: (i64, i64),
    filter: String,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Phase {
    /// The records after this one, by the code of the kind and the id, those that were `merged`
    /// after all others of a kind.
    Snapshot {
        after: Option<(String, Uuid)>,
        #[serde(default)]
        merged: bool,
    },
    #[serde(alias = "Tail")]
    Changes {},
}

impl Position {
    /// Decodes a cursor. A cursor of another log is reported before its signature is checked: the
    /// secret was replaced with the log.
    pub(super) fn read(node: &Node, filter: &FeedFilter, text: &str) -> Result<Self> {
        let claimed: Self = cursor::unproved(text)?;
        if claimed.log != node.log_id {
            return Err(StoreError::Resync(ResyncReason::LogReplaced));
        }
        let position: Self = cursor::decode(&node.secret, QUERY, text)?;
        if position.filter != name(filter) {
            return Err(StoreError::Resync(ResyncReason::FilterChanged));
        }
        Ok(position)
    }

    pub(super) fn write(&self, node: &Node) -> String {
        cursor::encode(&node.secret, QUERY, self)
    }

    /// The same position with another phase.
    pub(super) fn with(&self, phase: Phase) -> Self {
        Self {
            phase,
            ..self.clone()
        }
    }

    pub(super) fn moved(&self, seq: i64, nonce: i64) -> Self {
        Self {
            seq,
            nonce,
            ..self.clone()
        }
    }

    /// The same position, read when the log ended here.
    pub(super) fn read_at(&self, head: i64, nonce: i64) -> Self {
        Self {
            read: (head, nonce),
            ..self.clone()
        }
    }
}

fn name(filter: &FeedFilter) -> String {
    domain::base::json::hash(&filter.text())
}

impl Reader<'_> {
    pub(super) async fn at_head(&self, phase: Phase) -> Result<Position> {
        let seq = self.state.head;
        Ok(Position {
            log: self.store.node().log_id,
            seq,
            nonce: self.nonce(seq).await?.unwrap_or_default(),
            read: (0, 0),
            filter: name(self.filter),
            phase,
        })
    }

    /// Checks that the log is still the reader's, and complete since then.
    pub(super) async fn check(&self, position: &Position) -> Result<()> {
        let (seq, floor) = (position.seq, self.state.floor);
        let (read, read_nonce) = position.read;
        let reason = if seq.max(read) > self.state.head {
            ResyncReason::CursorAhead
        } else if seq <= floor && floor > 0 {
            ResyncReason::CursorExpired
        } else if self.nonce(seq).await?.unwrap_or_default() == position.nonce
            && (read <= floor || self.nonce(read).await?.unwrap_or_default() == read_nonce)
        {
            return Ok(());
        } else {
            ResyncReason::LogForked
        };
        Err(StoreError::Resync(reason))
    }

    /// The nonce of an entry of the log; before the first there is none.
    pub(super) async fn nonce(&self, seq: i64) -> Result<Option<i64>> {
        Ok(change::Entity::find_by_id(seq)
            .select_only()
            .column(change::Column::Nonce)
            .into_tuple()
            .one(&self.tx)
            .await?)
    }
}
