//! Of several records of one person, the one whose facts are shown: the most recent year, then the second degree
//! before the first, then the order of the sources; never the order of loading.

use std::cmp::Reverse;

use crate::domain::education::{Degree, SchoolYear};
use crate::domain::source::{Source, SourceKey};

/// Orders records; the largest is shown.
pub fn precedence(year: SchoolYear, key: &SourceKey) -> impl Ord + use<> {
    let second = degree(key.source) == Some(Degree::Second);
    (year, second, Reverse(key.source), Reverse(key.clone()))
}

/// The degree that a source knows, where it knows one only.
fn degree(source: Source) -> Option<Degree> {
    match source {
        Source::Onde | Source::Aaf1d => Some(Degree::First),
        Source::Aaf2d | Source::Siecle | Source::Sts => Some(Degree::Second),
        Source::OneRoster | Source::Csv | Source::Scim | Source::Manual => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_recent_year_wins_then_the_second_degree_then_the_source() {
        let at = |year, source, key: &str| {
            let key = SourceKey {
                source,
                scope: "20".into(),
                key: key.into(),
            };
            precedence(SchoolYear::new(year).unwrap(), &key)
        };
        assert!(at(2027, Source::Onde, "1") > at(2026, Source::Aaf2d, "1"));
        assert!(at(2026, Source::Aaf2d, "1") > at(2026, Source::Onde, "1"));
        assert!(at(2026, Source::Onde, "1") > at(2026, Source::Aaf1d, "1"));
        assert!(at(2026, Source::Siecle, "1") > at(2026, Source::Csv, "1"));
        assert!(
            at(2026, Source::Onde, "1") > at(2026, Source::Onde, "2"),
            "never a tie"
        );
    }
}
