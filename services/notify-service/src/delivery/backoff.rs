//! The times between attempts.

use chrono::TimeDelta;

const FIRST: TimeDelta = TimeDelta::seconds(5);
const LONGEST: TimeDelta = TimeDelta::hours(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Failed attempts in a row after which a destination counts as failing.
pub const FAILING_AFTER: i32 = 5;

/// Returns the time from a failed attempt to the next one: twice as long after each, with 20 % of chance in both
/// directions, so that deliveries that failed together are not all tried again together.
pub fn delay(attempts: i32) -> TimeDelta {
    jittered(doubled(FIRST, attempts - 1, LONGEST))
}

/// Returns the time for which no attempt is made at a failing destination. Then one delivery is tried.
pub fn pause(failures: i32) -> TimeDelta {
    jittered(doubled(FIRST * 2, failures - FAILING_AFTER, LONGEST_PAUSE))
}

fn doubled(first: TimeDelta, times: i32, longest: TimeDelta) -> TimeDelta {
    let factor = 1 << times.clamp(0, 20);
    longest.min(first * factor)
}

fn jittered(time: TimeDelta) -> TimeDelta {
    let share = i32::from(getrandom::u32().map_or(20, |random| (random % 41) as u8)) - 20;
    time + time * share / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_an_hour() {
        for (attempts, seconds) in [(1, 5), (2, 10), (5, 80), (10, 2_560), (11, 3_600), (100, 3_600)] {
            let seconds = TimeDelta::seconds(seconds);
            for _ in 0..50 {
                let delay = delay(attempts);
                assert!(delay >= seconds * 8 / 10 && delay <= seconds * 12 / 10, "{attempts}: {delay}");
            }
        }
        assert!(pause(FAILING_AFTER) <= TimeDelta::seconds(12));
        assert!(pause(1_000) >= LONGEST_PAUSE * 8 / 10 && pause(1_000) <= LONGEST_PAUSE * 12 / 10);
    }
}
