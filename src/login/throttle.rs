//! How failed logins slow an account down, and what changes for the pupils of a class whose page is being attacked
//! (OWASP ASVS 5.0 §6.3.1; NIST SP 800-63B §3.2.2).
//!
//! An account has a few failures that cost nothing, then each one more begins a wait, and waits double; never a permanent lock, which would be a way to shut
//! people out. A class has a budget of failures; over it nobody is shut out either: the free failures of each pupil
//! shrink to one, so whoever types right gets in and whoever walks through the class gets one guess per child and then
//! the waits. An address is never counted: a class is one IP address.
//!
//! In figures, for a picture code (43,680 possible): a guesser of one account has 6 guesses at once, 13 in the first
//! hour and 4 an hour ever after. Two nodes count in one database row.

use std::time::Duration;

use crate::base::time::Timestamp;
use crate::domain::throttle::Tally;

/// Failures of an account that cost nothing; the next one begins the first wait.
pub const FREE: u32 = 5;
/// The same while its class is over budget.
pub const FREE_UNDER_PRESSURE: u32 = 1;
/// The first wait; each failure after it doubles it.
pub const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// An account without a failure for this long starts afresh. Long enough that pausing gives no more guesses than waiting.
pub const QUIET: Duration = Duration::from_secs(24 * 3600);
/// Failures that a class page may see in [`CLASS_WINDOW`].
pub const CLASS_BUDGET: u32 = 40;
/// The time the budget is for.
pub const CLASS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// How the page a guess came from is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressure {
    /// As usual.
    Normal,
    /// Its class is over budget.
    OverBudget,
}

/// The tally of an account after one more failure.
#[must_use]
pub fn fail(tally: Tally, pressure: Pressure, now: Timestamp) -> Tally {
    let forgotten = tally.failures == 0 || now >= tally.last.plus(QUIET);
    let since = if forgotten { now } else { tally.since };
    let failures = if forgotten {
        1
    } else {
        tally.failures.saturating_add(1)
    };
    let free = match pressure {
        Pressure::Normal => FREE,
        Pressure::OverBudget => FREE_UNDER_PRESSURE,
    };
    // A longer wait given under pressure is not shortened by a failure that comes after it.
    let blocked_until = now.plus(wait_after(failures, free)).max(tally.blocked_until);
    Tally {
        failures,
        since,
        last: now,
        blocked_until,
        refused_at: tally.refused_at,
    }
}

/// The tally of a class after one more failure on its page.
#[must_use]
pub fn fail_in_class(tally: Tally, now: Timestamp) -> Tally {
    let fresh = tally.failures == 0 || now >= tally.since.plus(CLASS_WINDOW);
    Tally {
        failures: if fresh {
            1
        } else {
            tally.failures.saturating_add(1)
        },
        since: if fresh { now } else { tally.since },
        last: now,
        blocked_until: now,
        refused_at: None,
    }
}

/// Whether a class whose tally has just been brought up to date is over its budget.
pub fn pressure(class: &Tally) -> Pressure {
    if class.failures > CLASS_BUDGET {
        Pressure::OverBudget
    } else {
        Pressure::Normal
    }
}

fn wait_after(failures: u32, free: u32) -> Duration {
    match failures.checked_sub(free.saturating_add(1)) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(doublings.min(16)))
            .min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

    /// Fails `count` times, each as soon as allowed; answers the tally, the instant, and the waits met.
    fn fail_often(count: usize, pressure: Pressure) -> (Tally, Timestamp, Vec<u64>) {
        let (mut tally, mut now, mut waits) = (Tally::none(START), START, Vec::new());
        for _ in 0..count {
            tally = fail(tally, pressure, now);
            let wait = tally.wait(now).unwrap_or_default();
            waits.push(wait.as_secs());
            now = now.plus(wait);
        }
        (tally, now, waits)
    }

    #[test]
    fn five_failures_are_free_then_waits_double_up_to_a_quarter_of_an_hour() {
        let (_, _, waits) = fail_often(13, Pressure::Normal);
        assert_eq!(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        let (_, _, waits) = fail_often(4, Pressure::OverBudget);
        assert_eq!(waits, [0, 30, 60, 120]);
    }

    #[test]
    fn the_figures_of_the_module_text_are_right() {
        let guesses = (1..100).take_while(|count| {
            let (_, next, waits) = fail_often(*count, Pressure::Normal);
            next.minus(Duration::from_secs(waits[count - 1])).since(START) < Duration::from_secs(3600)
        });
        assert_eq!(guesses.count(), 13);
    }

    #[test]
    fn no_wait_is_for_ever_and_a_quiet_day_is_forgotten() {
        let (tally, now, _) = fail_often(1000, Pressure::Normal);
        assert!(tally.blocked_until.since(now) <= LONGEST_WAIT);
        let again = fail(tally, Pressure::Normal, tally.last.plus(QUIET));
        assert_eq!((again.failures, again.wait(again.last)), (1, None));
        let not_yet = fail(
            tally,
            Pressure::Normal,
            tally.last.plus(QUIET - Duration::from_secs(1)),
        );
        assert_eq!(not_yet.failures, 1001);
    }

    #[test]
    fn pausing_gives_no_more_guesses_than_waiting() {
        let by_waiting = QUIET.as_secs() / LONGEST_WAIT.as_secs();
        assert!(u64::from(FREE) < by_waiting);
    }

    #[test]
    fn a_class_is_over_budget_until_its_window_ends() {
        let mut class = Tally::none(START);
        for _ in 0..CLASS_BUDGET {
            class = fail_in_class(class, START);
            assert_eq!(pressure(&class), Pressure::Normal);
        }
        class = fail_in_class(class, START.plus(CLASS_WINDOW - Duration::from_secs(1)));
        assert_eq!(pressure(&class), Pressure::OverBudget);
        assert_eq!(class.wait(class.last), None, "a class is never blocked itself");
        class = fail_in_class(class, START.plus(CLASS_WINDOW));
        assert_eq!((class.failures, pressure(&class)), (1, Pressure::Normal));
    }
}
