//! Where a reader of the feed is: what its cursors carry.

use super::{FeedFilter, Reader};
use crate::cursor;
use crate::entity::change;
use crate::error::{Result, StoreError};
use crate::store::Node;
use domain::exchange::sync::ResyncReason;
use sea_orm::{EntityTrait, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the signature of these cursors is bound to; the filter is checked by itself.
const QUERY: &str = "sync";

/// A place in the feed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    /// Whose feed.
    log: Uuid,
    /// What was told up to here needs not be told again; of a snapshot, where it began.
    pub(super) seq: i64,
    /// That of the entry `seq`: after a crash or a restored backup numbers repeat, nonces do not.
    nonce: i64,
    /// The newest entry of the log when the page was read, and its nonce: what was told is as it
    /// was then, so a reader may know of more than `seq` says.
    #[serde(default)]
    read: (i64, i64),
    /// The hash of the filter.
    filter: String,
    pub(super) phase: Phase,
}

/// What comes next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Phase {
    /// The records after this one, by the code of the kind and the id, those that were `merged`
    /// after all others of a kind.
    Snapshot {
        after: Option<(String, Uuid)>,
        #[serde(default)]
        merged: bool,
    },
    /// Changes.
    Tail {},
}

impl Position {
    /// Reads a cursor back. That it is of another log is told before its signature is looked at:
    /// with the log its secret was replaced too.
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

    /// The same place, where something else comes next.
    pub(super) fn with(&self, phase: Phase) -> Self {
        Self {
            phase,
            ..self.clone()
        }
    }

    /// A later place in the tail.
    pub(super) fn moved(&self, seq: i64, nonce: i64) -> Self {
        Self {
            seq,
            nonce,
            ..self.clone()
        }
    }

    /// The same place, read when the log ended so.
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
    /// The end of the log.
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

    /// Whether the log still is the one in which the reader was, and holds all that came after.
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
