//! Instants and durations as XML Schema writes them (xmlschema-2 §3.2.6, §3.2.7; saml-core §1.3.3: in UTC).

use std::time::Duration;

use crate::base::time::Timestamp;

/// Reads an `xs:dateTime`; one without a zone is in UTC (saml-core §1.3.3).
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    Timestamp::from_rfc3339(text).or_else(|| Timestamp::from_rfc3339(&format!("{text}Z")))
}

const DAY: u64 = 24 * 3600;

/// Reads an `xs:duration`, a month being thirty days; a negative one is none.
pub fn duration(text: &str) -> Option<Duration> {
    let rest = text.trim().strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    let days = [('Y', 365 * DAY), ('M', 30 * DAY), ('D', DAY)];
    let hours = [('H', 3600), ('M', 60), ('S', 1)];
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let seconds = sum(date, &days)?.checked_add(sum(time, &hours)?)?;
    Some(Duration::from_secs(seconds))
}

/// The parts of a duration, each unit once and in its order.
fn sum(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    for (unit, seconds) in units {
        let Some((number, after)) = rest.split_once(*unit) else {
            continue;
        };
        // Fractions of a second are nothing here.
        let whole = match number.split_once('.') {
            Some((whole, part)) if *unit == 'S' && part.bytes().all(|digit| digit.is_ascii_digit()) => whole,
            Some(_) => return None,
            None => number,
        };
        if whole.is_empty() || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
        rest = after;
    }
    rest.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_schema_writes_them() {
        let expected = Some(Timestamp::from_seconds(1_790_841_600));
        for text in [
            "2026-10-01T08:00:00Z",
            " 2026-10-01T08:00:00.000Z\n",
            "2026-10-01T10:00:00+02:00",
            "2026-10-01T08:00:00",
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
        for text in ["", "tomorrow", "2026-10-01", "2026-13-01T08:00:00Z"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_schema_writes_them() {
        for (text, seconds) in [
            ("PT1H", 3600),
            ("P1D", 86_400),
            ("P1DT2H3M4.5S", 93_784),
            ("P1Y2M", (365 + 60) * 86_400),
            ("PT0S", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "1H",
            "-PT1H",
            "PT1D",
            "P1H",
            "PT1M1H",
            "PTxS",
            "PT1.5H",
            "P99999999999999999999Y",
            "PT18446744073709551615H",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
