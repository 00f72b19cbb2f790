//! What a load is refused for, over all its schools, before anything is written.
//!
//! The thresholds: more than one child in five who would leave (and more than five children), a year's first load with
//! less than half of the pupils of the year before, a school with nobody, a year that is over or far away, a delivery
//! of which a part is missing. A named human may set them aside with a reason.

use std::fmt;

use crate::base::time::Date;
use crate::domain::education::SchoolYear;
use crate::domain::uai::Uai;

/// Fewer children than this never raise a concern by themselves: families move.
const FEW: u64 = 5;
/// The largest share of a school that may leave at once, in percent.
const DEPARTING_PERCENT: u64 = 20;
/// The smallest share of the year before that a year may begin with, in percent.
const FIRST_LOAD_PERCENT: u64 = 50;

/// Why a load should not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Too many pupils of a school are not in the file.
    Departures {
        /// The school.
        school: Uai,
        /// Pupils it has.
        live: u64,
        /// Of whom these are not in the file.
        absent: u64,
    },
    /// A school begins the year with far fewer pupils than it had.
    FirstLoad {
        /// The school.
        school: Uai,
        /// Pupils in the file.
        stated: u64,
        /// Pupils the year before.
        previous: u64,
    },
    /// A school that the delivery should hold is not in it.
    Vanished {
        /// The school.
        school: Uai,
        /// Pupils it has.
        live: u64,
    },
    /// The year is over, or further away than the next one.
    Year {
        /// The year of the load.
        year: SchoolYear,
        /// The day of the load.
        today: Date,
    },
    /// The delivery is not whole.
    Delivery(String),
}

impl Concern {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Departures { .. } => "departures",
            Self::FirstLoad { .. } => "first_load",
            Self::Vanished { .. } => "vanished",
            Self::Year { .. } => "year",
            Self::Delivery(_) => "delivery",
        }
    }

    /// The school it is about, where it is about one.
    pub fn school(&self) -> Option<&Uai> {
        match self {
            Self::Departures { school, .. }
            | Self::FirstLoad { school, .. }
            | Self::Vanished { school, .. } => Some(school),
            Self::Year { .. } | Self::Delivery(_) => None,
        }
    }

    /// What there should be and what there is, where it is about numbers.
    pub fn figures(&self) -> Option<(u64, u64)> {
        match self {
            Self::Departures { live, absent, .. } => Some((*live, live.saturating_sub(*absent))),
            Self::FirstLoad { stated, previous, .. } => Some((*previous, *stated)),
            Self::Vanished { live, .. } => Some((*live, 0)),
            Self::Year { .. } | Self::Delivery(_) => None,
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Departures { school, live, absent } => write!(
                f,
                "{school} : {absent} élèves sur {live} ne sont plus dans le fichier (seuil : {DEPARTING_PERCENT} %)"
            ),
            Self::FirstLoad {
                school,
                stated,
                previous,
            } => write!(
                f,
                "{school} : {stated} élèves pour commencer l'année, contre {previous} l'année précédente \
                 (seuil : {FIRST_LOAD_PERCENT} %)"
            ),
            Self::Vanished { school, live } => {
                write!(
                    f,
                    "{school} : absent de la livraison, alors qu'il compte {live} élèves"
                )
            }
            Self::Year { year, today } => write!(
                f,
                "année scolaire {year} : finie, ou trop lointaine, au {}",
                today.format("%d/%m/%Y")
            ),
            Self::Delivery(problem) => f.write_str(problem),
        }
    }
}

/// The figures of one school.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Rows of the file.
    pub(super) stated: u64,
    /// Pupils whom the source states there this year and who have not left.
    pub(super) live: u64,
    /// Of these, not in the file.
    pub(super) absent: u64,
    /// Whether the source has never stated anybody there this year.
    pub(super) first_load: bool,
    /// Pupils of the year before, where this is the first load.
    pub(super) previous: u64,
    /// Whether the files state changes only: few rows say nothing then.
    pub(super) delta: bool,
}

/// What is wrong with a school's figures.
pub(super) fn judge(school: &Uai, figures: &Figures) -> Option<Concern> {
    let school = school.clone();
    let Figures {
        stated,
        live,
        absent,
        first_load,
        previous,
        delta,
    } = *figures;
    if !delta && stated == 0 && live > 0 {
        return Some(Concern::Vanished { school, live });
    }
    if absent > FEW && absent * 100 > live * DEPARTING_PERCENT {
        return Some(Concern::Departures { school, live, absent });
    }
    let missing = previous.saturating_sub(stated);
    if !delta && first_load && missing > FEW && stated * 100 < previous * FIRST_LOAD_PERCENT {
        return Some(Concern::FirstLoad {
            school,
            stated,
            previous,
        });
    }
    None
}

/// What is wrong with the year of a load.
pub(super) fn judge_year(year: SchoolYear, today: Date) -> Option<Concern> {
    let over = year.overlap_end() <= today;
    let far = year > SchoolYear::of(today).next();
    (over || far).then_some(Concern::Year { year, today })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    fn concern(stated: u64, live: u64, absent: u64, previous: Option<u64>) -> Option<&'static str> {
        let figures = Figures {
            stated,
            live,
            absent,
            first_load: previous.is_some(),
            previous: previous.unwrap_or(0),
            delta: false,
        };
        judge(&Uai::from_number(9_990_001), &figures).map(|concern| concern.code())
    }

    #[test]
    fn the_thresholds_are_where_they_are_said_to_be() {
        assert_eq!(concern(80, 100, 20, None), None, "one in five may leave");
        assert_eq!(concern(79, 100, 21, None), Some("departures"));
        assert_eq!(concern(5, 10, 5, None), None, "a small school");
        assert_eq!(concern(4, 10, 6, None), Some("departures"));
        assert_eq!(
            concern(0, 3, 3, None),
            Some("vanished"),
            "an empty file, however small the school"
        );
        assert_eq!(concern(50, 0, 0, Some(100)), None);
        assert_eq!(concern(49, 0, 0, Some(100)), Some("first_load"));
        assert_eq!(concern(4, 0, 0, Some(9)), None, "few");
        assert_eq!(concern(0, 0, 0, Some(0)), None, "a school that begins");
    }

    #[test]
    fn a_year_is_loaded_from_the_one_before_to_its_overlap() {
        let code = |year, day| {
            judge_year(SchoolYear::new(year).unwrap(), parse_date(day).unwrap()).map(|concern| concern.code())
        };
        assert_eq!(code(2026, "2026-10-01"), None);
        assert_eq!(code(2027, "2026-10-01"), None, "next year's, beside the live one");
        assert_eq!(code(2025, "2026-09-14"), None);
        assert_eq!(code(2025, "2026-09-15"), Some("year"));
        assert_eq!(code(2028, "2026-10-01"), Some("year"));
    }
}
