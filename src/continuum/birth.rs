//! Birth dates, and how alike two of them are.

use chrono::Datelike;

use crate::base::time::Date;

/// How alike two birth dates are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BirthLikeness {
    /// The same day.
    Same,
    /// Day and month changed places.
    Swapped,
    /// One wrong digit, or two digits that changed places, in day, month or year.
    Close,
    /// Two dates.
    Other,
}

/// How alike two birth dates are; the order of the two does not matter.
pub fn likeness(one: Date, two: Date) -> BirthLikeness {
    if one == two {
        return BirthLikeness::Same;
    }
    let (days, months, years) = (
        (one.day(), two.day()),
        (one.month(), two.month()),
        (one.year(), two.year()),
    );
    if years.0 == years.1 && days.0 == months.1 && days.1 == months.0 {
        return BirthLikeness::Swapped;
    }
    let differing = [days.0 != days.1, months.0 != months.1, years.0 != years.1];
    let close = match differing {
        [true, false, false] => digits(days.0, days.1),
        [false, true, false] => digits(months.0, months.1),
        [false, false, true] => {
            digits(years.0.unsigned_abs() % 100, years.1.unsigned_abs() % 100)
                && years.0 / 100 == years.1 / 100
        }
        _ => false,
    };
    if close {
        BirthLikeness::Close
    } else {
        BirthLikeness::Other
    }
}

/// Whether two numbers of two digits are one typing error apart.
fn digits(one: u32, two: u32) -> bool {
    let (tens, units) = ((one / 10, two / 10), (one % 10, two % 10));
    tens.0 == tens.1 || units.0 == units.1 || (tens.0 == units.1 && tens.1 == units.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    #[test]
    fn each_degree_of_likeness() {
        for (one, two, expected) in [
            ("2016-08-07", "2016-08-07", BirthLikeness::Same),
            ("2016-08-07", "2016-07-08", BirthLikeness::Swapped),
            ("2016-08-17", "2016-08-19", BirthLikeness::Close),
            ("2016-08-17", "2016-08-27", BirthLikeness::Close),
            ("2016-08-12", "2016-08-21", BirthLikeness::Close),
            ("2016-08-17", "2015-08-17", BirthLikeness::Close),
            ("2016-08-17", "2016-08-28", BirthLikeness::Other),
            ("2016-08-17", "2015-08-18", BirthLikeness::Other),
            ("2009-08-17", "2010-08-17", BirthLikeness::Other),
        ] {
            let (one, two) = (parse_date(one).unwrap(), parse_date(two).unwrap());
            assert_eq!(likeness(one, two), expected, "{one} {two}");
            assert_eq!(likeness(two, one), expected, "symmetric");
        }
    }
}
