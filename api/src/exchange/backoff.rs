//! Pauses before retries.

use std::time::Duration;

/// The first pause after an error; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

pub(crate) const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// The longest pause without a response: a server that returns is asked soon.
pub(crate) const LONGEST_ABSENCE: Duration = Duration::from_secs(30);

/// The pause after this many errors: random up to a limit that doubles ("full jitter"), so that
/// partners that failed together are not retried together.
pub(crate) fn pause(failures: i32, share: f64, longest: Duration) -> Duration {
    let doublings = failures.clamp(0, 20).unsigned_abs();
    let limit = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
    limit.min(longest).mul_f64(share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let longest = LONGEST_PAUSE;
        let seconds = |failures| pause(failures, 1.0, longest).as_secs();
        let pauses: Vec<u64> = (0..12).map(seconds).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(seconds(i32::MAX), 900);
    }

    #[test]
    fn whoever_does_not_answer_is_asked_again_within_half_a_minute() {
        let after = |failures, share| pause(failures, share, LONGEST_ABSENCE);
        assert_eq!(after(4, 1.0), Duration::from_secs(16));
        assert_eq!(after(5, 1.0), Duration::from_secs(30));
        assert_eq!(after(i32::MAX, 1.0), Duration::from_secs(30));
    }

    #[test]
    fn pauses_are_spread_up_to_their_limit() {
        let after = |share| pause(5, share, LONGEST_PAUSE);
        assert_eq!(after(1.0), Duration::from_secs(32));
        assert_eq!(after(0.5), Duration::from_secs(16));
        assert_eq!(after(0.0), Duration::ZERO);
    }
}
