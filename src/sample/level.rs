//! Levels from the first year of maternelle to the last of collège, as the registers write them.

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    Ps,
    Ms,
    Gs,
    Cp,
    Ce1,
    Ce2,
    Cm1,
    Cm2,
    Sixth,
    Fifth,
    Fourth,
    Third,
}

impl Level {
    /// The levels of a whole école.
    pub(super) const PRIMARY: &'static [Self] = &[
        Self::Ps,
        Self::Ms,
        Self::Gs,
        Self::Cp,
        Self::Ce1,
        Self::Ce2,
        Self::Cm1,
        Self::Cm2,
    ];
    /// Those of an école élémentaire.
    pub(super) const ELEMENTARY: &'static [Self] = &[Self::Cp, Self::Ce1, Self::Ce2, Self::Cm1, Self::Cm2];
    /// Those of an école maternelle.
    pub(super) const NURSERY: &'static [Self] = &[Self::Ps, Self::Ms, Self::Gs];
    /// Those of a village that shares its levels with others (RPI).
    pub(super) const SHARED: &'static [Self] = &[Self::Ce1, Self::Ce2, Self::Cm2];
    /// Those of a collège.
    pub(super) const COLLEGE: [Self; 4] = [Self::Sixth, Self::Fifth, Self::Fourth, Self::Third];

    /// As ONDE and AAF write it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ps => "PS",
            Self::Ms => "MS",
            Self::Gs => "GS",
            Self::Cp => "CP",
            Self::Ce1 => "CE1",
            Self::Ce2 => "CE2",
            Self::Cm1 => "CM1",
            Self::Cm2 => "CM2",
            Self::Sixth => "6EME",
            Self::Fifth => "5EME",
            Self::Fourth => "4EME",
            Self::Third => "3EME",
        }
    }

    /// The cycle, as ONDE writes it.
    pub(super) const fn cycle(self) -> &'static str {
        match self {
            Self::Ps | Self::Ms | Self::Gs => "MATERNELLE",
            Self::Cp | Self::Ce1 | Self::Ce2 => "CYCLE II",
            _ => "CYCLE III",
        }
    }

    /// The course of study (MEF) of a level of collège.
    pub(super) const fn mef(self) -> &'static str {
        match self {
            Self::Fifth => "10110001110",
            Self::Fourth => "10210001110",
            Self::Third => "10310019110",
            _ => "10010012110",
        }
    }

    /// The age that most pupils of the level reach in the calendar year in which the school year begins.
    pub(super) const fn age(self) -> i32 {
        self as i32 + 3
    }
}
