//! Vocabularies of the partner protocol (`DirSync` v1), and the digest by which two nodes compare
//! their records.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;
use utoipa::ToSchema;
use uuid::Uuid;

/// The largest integer that every JSON reader represents exactly (RFC 7493, 2.2).
pub const MAX_COUNT: i64 = 9_007_199_254_740_991;

crate::vocabulary! {
    /// Operation of a feed entry.
    FeedOp "feed_op" {
        Upsert "upsert" "neu oder geändert" "new or changed";
        Delete "delete" "gelöscht" "deleted";
        Withdraw "withdraw" "nicht mehr im Ausschnitt" "no longer in the feed";
    }
}

crate::vocabulary! {
    /// Reason why a record left a feed without being deleted.
    WithdrawCause "withdraw_cause" {
        Filter "filter" "passt nicht mehr zum Filter" "no longer passes the filter";
        Visibility "visibility" "nicht mehr öffentlich" "no longer public";
    }
}

crate::vocabulary! {
    /// Position of a reader in the feed.
    FeedPhase "feed_phase" {
        Snapshot "snapshot" "Bestand" "what there is";
        Changes "changes" "Änderungen" "what changes";
    }
}

crate::vocabulary! {
    /// Reason why a reader of the feed must start from scratch.
    ResyncReason "resync_reason" {
        CursorExpired "cursor_expired" "älter als die Aufbewahrung" "older than what is kept";
        CursorAhead "cursor_ahead" "weiter als das Protokoll" "beyond the end of the log";
        LogForked "log_forked" "das Protokoll verlief ab hier anders" "the log went another way from here";
        LogReplaced "log_replaced" "ein anderes Protokoll" "another log";
        FilterChanged "filter_changed" "ein anderer Filter" "another filter";
    }
}

crate::vocabulary! {
    /// Whether this node reads from a partner.
    PartnerState "partner_state" {
        Active "active" "läuft" "active";
        Paused "paused" "angehalten" "paused";
        AwaitingApproval "awaiting_approval" "wartet auf Freigabe" "awaiting approval";
    }
}

crate::vocabulary! {
    /// Operation of a pushed item.
    PushOp "push_op" {
        Upsert "upsert" "anlegen oder ändern" "create or change";
        Delete "delete" "löschen" "delete";
    }
}

crate::vocabulary! {
    /// Whether pushed items are independent of each other or all succeed together.
    PushMode "push_mode" {
        Each "each" "jedes für sich" "each by itself";
        All "all" "alle oder keines" "all or none";
    }
}

crate::vocabulary! {
    /// Outcome of a pushed item.
    PushStatus "push_status" {
        Created "created" "angelegt" "created";
        Updated "updated" "geändert" "changed";
        Unchanged "unchanged" "unverändert" "unchanged";
        Deleted "deleted" "gelöscht" "deleted";
        Failed "failed" "nicht übernommen; der Grund steht dabei" "not applied; the reason is given";
    }
}

/// The order of the states that a supplying system sends, so that an old state that arrives late
/// does not replace a newer one: a number that rises, or a text that sorts by time, such as
/// `2026-03-01T08:00:00Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SystemVersion {
    /// Compared as a number.
    Number(i64),
    /// Compared character by character; 1 to 100 of them.
    Text(String),
}

impl SystemVersion {
    /// Compares two states; `None` if one is a number and the other a text.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Number(_), Self::Text(_)) | (Self::Text(_), Self::Number(_)) => None,
        }
    }
}

impl fmt::Display for SystemVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Limbs of a [`Digest`], 32 bits each, the most significant first.
pub const LIMBS: usize = 8;

/// A sum over records that is equal on two nodes if and only if their records are: for each record
/// SHA-256 of `id`, 0, `version`, 0, `hash`, in the notation of the feed; added modulo 2^256.
///
/// Limbs are carried only when the sum is read, so digests are added limb by limb, in a database
/// too. Each holds the sums of 2^31 records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Digest {
    count: i64,
    limbs: [i64; LIMBS],
}

impl Digest {
    #[must_use]
    pub const fn of(count: i64, limbs: [i64; LIMBS]) -> Self {
        Self { count, limbs }
    }

    /// Number of records.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.count).unwrap_or_default()
    }

    /// The parts of [`Self::of`].
    #[must_use]
    pub const fn parts(&self) -> (i64, [i64; LIMBS]) {
        (self.count, self.limbs)
    }

    pub fn add(&mut self, id: Uuid, version: i64, hash: &str) {
        self.change(1, id, version, hash);
    }

    pub fn remove(&mut self, id: Uuid, version: i64, hash: &str) {
        self.change(-1, id, version, hash);
    }

    /// Adds all records of another digest.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            *limb += more;
        }
    }

    fn change(&mut self, by: i64, id: Uuid, version: i64, hash: &str) {
        let text = format!("{}\0{version}\0{hash}", id.hyphenated());
        let addend = Sha256::digest(text.as_bytes());
        let (words, _) = addend.as_chunks::<4>();
        for (limb, word) in self.limbs.iter_mut().zip(words) {
            *limb += by * i64::from(u32::from_be_bytes(*word));
        }
        self.count += by;
    }

    /// The sum as 64 hexadecimal digits.
    #[must_use]
    pub fn sum(&self) -> String {
        let mut carry = 0;
        let mut words = self.limbs;
        for word in words.iter_mut().rev() {
            let carried = *word + carry;
            carry = carried >> 32;
            *word = carried & 0xffff_ffff;
        }
        words.iter().fold(String::new(), |mut text, word| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{word:08x}");
            text
        })
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.sum() == other.sum()
    }
}

impl Eq for Digest {}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn the_sum_is_that_of_the_protocol() {
        let mut digest = Digest::default();
        assert_eq!(digest.sum(), "0".repeat(64));
        digest.add(Uuid::from_u128(1), 7, HASH);
        // SHA-256 of that text alone.
        let expected = "b89dfedd40dca84da3f263bfe6e4d96079e6435bbe3556bd31aca607f2b28c38";
        assert_eq!(digest.sum(), expected);
    }

    #[test]
    fn the_order_does_not_matter_but_every_part_does() {
        let sum = |records: &[(u128, i64)]| {
            let mut digest = Digest::default();
            for (id, version) in records {
                digest.add(Uuid::from_u128(*id), *version, HASH);
            }
            digest
        };
        assert_eq!(
            sum(&[(1, 1), (2, 1), (3, 9)]),
            sum(&[(3, 9), (1, 1), (2, 1)])
        );
        assert_ne!(sum(&[(1, 1)]), sum(&[(1, 2)]));
        assert_ne!(sum(&[(1, 1)]), sum(&[(2, 1)]));
        assert_ne!(sum(&[(1, 1)]), sum(&[(1, 1), (1, 1)]));
        let mut carried = Digest::of(0, [0xffff_ffff; LIMBS]);
        carried.add(Uuid::from_u128(1), 1, HASH);
        let mut last = sum(&[(1, 1)]);
        last.limbs[LIMBS - 1] -= 1;
        assert_eq!(carried.sum(), last.sum(), "2^256 is 0");
    }

    #[test]
    fn what_is_removed_leaves_nothing() {
        let mut digest = Digest::default();
        digest.remove(Uuid::from_u128(1), 1, HASH);
        digest.add(Uuid::from_u128(2), 2, HASH);
        let mut other = Digest::default();
        other.add(Uuid::from_u128(1), 1, HASH);
        digest.merge(&other);
        let mut alone = Digest::default();
        alone.add(Uuid::from_u128(2), 2, HASH);
        assert_eq!(digest, alone);
    }
}
