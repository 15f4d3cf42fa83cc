//! Webhooks: the events of receivers, and the schedule of retries.

use crate::exchange::change::Op;
use crate::exchange::sync::FeedOp;
use chrono::TimeDelta;

crate::vocabulary! {
    /// Whether a webhook receives deliveries.
    WebhookState "webhook_state" {
        Active "active" "aktiv" "active";
        Disabled "disabled" "abgeschaltet" "disabled";
    }
}

crate::vocabulary! {
    /// Reason why a webhook is disabled.
    DisabledReason "webhook_disabled_reason" {
        Admin "admin" "von der Verwaltung abgeschaltet" "switched off by an admin";
        Gone "gone" "der Empfänger antwortete 410" "the receiver answered 410";
        Failing "failing" "tagelang kam nichts an" "nothing got through for days";
    }
}

crate::vocabulary! {
    /// State of a delivery.
    DeliveryState "delivery_state" {
        Pending "pending" "steht aus" "pending";
        Delivered "delivered" "zugestellt" "delivered";
        Failed "failed" "gescheitert" "failed";
    }
}

crate::vocabulary! {
    /// Event of a record, as seen by the receiver of a webhook.
    Happening "webhook_event" {
        Created "created" "neu oder jetzt öffentlich" "new, or public now";
        Updated "updated" "geändert" "changed";
        Deleted "deleted" "gelöscht oder nicht mehr öffentlich" "deleted, or no longer public";
    }
}

/// The event of a log entry for a receiver who saw the record before or sees it now, if there is
/// one.
#[must_use]
pub fn news(op: Op, saw: bool, sees: bool) -> Option<(Happening, FeedOp)> {
    match (saw, sees, op) {
        (false, true, _) => Some((Happening::Created, FeedOp::Upsert)),
        (true, true, Op::Upsert | Op::Delete) => Some((Happening::Updated, FeedOp::Upsert)),
        (true, false, Op::Delete) => Some((Happening::Deleted, FeedOp::Delete)),
        (true, false, Op::Upsert | Op::Visibility) => Some((Happening::Deleted, FeedOp::Withdraw)),
        // A change of visibility creates no version: the record is unchanged.
        (true, true, Op::Visibility) | (false, false, _) => None,
    }
}

/// Pauses after failed attempts, except the last: ten attempts within 76 hours, as recommended by
/// Standard Webhooks.
const PAUSES: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// Time after which a delivery that never reached the receiver is abandoned: the duration of ten
/// failed attempts.
pub const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(76);

/// The largest share of a pause that is added at random.
const MOST_JITTER: f64 = 0.1;

/// The pause after this many failed attempts; `None` after the last one.
///
/// `share` (0 to 1) is random, so that deliveries that failed together are not retried together.
#[must_use]
pub fn pause(attempts: i32, share: f64) -> Option<TimeDelta> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause = PAUSES.get(index)?;
    let jitter = pause.to_std().ok()?;
    let jitter = jitter.mul_f64(share.clamp(0.0, 1.0) * MOST_JITTER);
    // Databases store microseconds.
    let jitter = TimeDelta::microseconds(i64::try_from(jitter.as_micros()).ok()?);
    Some(*pause + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_attempts_within_about_three_days() {
        let pauses: Vec<TimeDelta> = (1..).map_while(|made| pause(made, 0.0)).collect();
        assert_eq!(pauses.len() + 1, 10);
        assert!(pauses.is_sorted());
        let all: TimeDelta = pauses.iter().sum();
        assert_eq!(all.num_hours(), 75);
        assert_eq!(pause(1, 1.0), Some(TimeDelta::milliseconds(5500)));
        assert_eq!(pause(10, 0.5), None);
        assert_eq!(pause(0, 0.5), None);
        assert_eq!(pause(i32::MIN, 0.5), None);
    }

    #[test]
    fn receivers_are_told_what_they_can_see() {
        use Happening::{Created, Deleted, Updated};
        for (op, saw, sees, expected) in [
            (Op::Upsert, false, true, Some((Created, FeedOp::Upsert))),
            (Op::Visibility, false, true, Some((Created, FeedOp::Upsert))),
            (Op::Upsert, true, true, Some((Updated, FeedOp::Upsert))),
            (Op::Upsert, true, false, Some((Deleted, FeedOp::Withdraw))),
            (
                Op::Visibility,
                true,
                false,
                Some((Deleted, FeedOp::Withdraw)),
            ),
            (Op::Delete, true, false, Some((Deleted, FeedOp::Delete))),
            (Op::Visibility, true, true, None),
            (Op::Upsert, false, false, None),
            (Op::Delete, false, false, None),
        ] {
            assert_eq!(news(op, saw, sees), expected, "{op:?} {saw} {sees}");
        }
    }
}
