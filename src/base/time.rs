//! Time as an argument: [`Timestamp`] (microseconds, UTC), [`Date`] and the one [`Clock`].
//!
//! Only this file reads the system clock. One time zone is known here, that of mainland France, and for days that people
//! are promised only; everything else counts in UTC.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate};

/// A calendar date without a zone: births, starts and ends of enrolments.
pub type Date = NaiveDate;

/// An instant: microseconds since 1970-01-01T00:00:00Z, as stored in every `*_at` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch (the stored form).
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch (the `NumericDate` of RFC 7519 §2).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Reads RFC 3339.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(moment.timestamp_micros()))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by `duration` into the future; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(duration)))
    }

    /// This instant moved by `duration` into the past; saturates.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(duration)))
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC date of this instant.
    pub fn date(self) -> Date {
        DateTime::from_timestamp_micros(self.0).map_or(NaiveDate::MIN, |moment| moment.date_naive())
    }

    /// The date in mainland France at this instant. Summer time is from the last Sunday of March to the last Sunday of
    /// October, 01:00 UTC both (directive 2000/84/EC).
    pub fn date_in_france(self) -> Date {
        let year = self.date().year();
        let turn = |month| {
            // Both months have 31 days.
            let last = NaiveDate::from_ymd_opt(year, month, 31)?;
            let since_sunday = u64::from(last.weekday().num_days_from_sunday());
            let moment = last
                .checked_sub_days(Days::new(since_sunday))?
                .and_hms_opt(1, 0, 0)?;
            Some(Self(moment.and_utc().timestamp_micros()))
        };
        let is_summer = turn(3).is_some_and(|turn| turn <= self) && turn(10).is_some_and(|turn| self < turn);
        let hours = if is_summer { 2 } else { 1 };
        self.plus(Duration::from_secs(3600 * hours)).date()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, seconds, `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(moment) => write!(f, "{}", moment.format("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "{}µs", self.0),
        }
    }
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Where "now" comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        Timestamp(chrono::Utc::now().timestamp_micros())
    }
}

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.micros()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(micros_of(duration), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Reads a date as school files write it: `dd/mm/yyyy` or `yyyy-mm-dd`; `None` for anything else, and for a year
/// outside 1900–2199.
pub fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let date = NaiveDate::parse_from_str(text, "%d/%m/%Y")
        .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d"))
        .ok()?;
    (1900..2200).contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_school_files_are_read_in_both_forms() {
        let expected = NaiveDate::from_ymd_opt(2016, 8, 17);
        assert_eq!(parse_date("17/08/2016"), expected);
        assert_eq!(parse_date(" 2016-08-17 "), expected);
        for wrong in [
            "",
            "17-08-2016",
            "2016-13-01",
            "31/02/2016",
            "17/08/16",
            "17/08/0016",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_timestamp_writes_itself_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_seconds(1_790_000_000).to_string(),
            "2026-09-21T14:13:20Z"
        );
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
    }

    #[test]
    fn a_day_in_france_begins_at_midnight_in_paris_in_summer_and_in_winter() {
        for (last_second, next_day) in [
            ("2026-09-06T21:59:59Z", "2026-09-07"),
            ("2026-12-31T22:59:59Z", "2027-01-01"),
            // The days on which the clocks change, and those after.
            ("2026-03-28T22:59:59Z", "2026-03-29"),
            ("2026-03-29T21:59:59Z", "2026-03-30"),
            ("2026-10-24T21:59:59Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-26"),
        ] {
            let before = Timestamp::from_rfc3339(last_second).unwrap();
            let next = parse_date(next_day).unwrap();
            assert_eq!(before.date_in_france(), next.pred_opt().unwrap(), "{last_second}");
            assert_eq!(
                before.plus(Duration::from_secs(1)).date_in_france(),
                next,
                "{last_second}"
            );
        }
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::at(Timestamp::from_seconds(10));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now().seconds(), 15);
    }
}
