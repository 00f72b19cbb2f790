//! Why: what speaks for and against two records being of one human being, in stable terms for programs and in
//! sentences for people. Never holds a name, a date or a number.

use super::birth::BirthLikeness;
use super::comparison::{Comparison, IneLikeness, Way};
use super::model::BIT;
use super::name::Likeness;
use crate::domain::matching::Reason;
use crate::domain::stored_names;

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Both have the same INE.
    IneEqual,
    /// Two that are a typing error apart.
    IneClose,
    /// They have two different ones.
    IneDifferent,
    /// At least one has none.
    IneMissing,
    /// Same birth date.
    BirthDateEqual,
    /// Day and month changed places.
    BirthDateSwapped,
    /// One digit differs.
    BirthDateClose,
    /// Another birth date.
    BirthDateDifferent,
    /// Same first given name.
    GivenNameEqual,
    /// One is a part of the other, or stands further back.
    GivenNamePart,
    /// A typing error apart.
    GivenNameClose,
    /// Another first given name.
    GivenNameDifferent,
    /// Same family name.
    FamilyNameEqual,
    /// One is a part of the other, or its usage name.
    FamilyNamePart,
    /// A typing error apart.
    FamilyNameClose,
    /// Another family name.
    FamilyNameDifferent,
    /// The names they share are rare.
    NamesRare,
    /// The names they share are frequent.
    NamesFrequent,
    /// Another sex.
    SexDifferent,
    /// Another given name in common.
    OtherNamesEqual,
    /// None in common.
    OtherNamesDifferent,
    /// One states the other's school as that of the year before.
    PreviousSchoolEqual,
    /// It states another school.
    PreviousSchoolDifferent,
    /// Pupils of the one school are known to go to the other.
    WayUsual,
    /// They go elsewhere.
    WayUnusual,
    /// Somebody answers for both.
    GuardianShared,
    /// Nobody does, though both say who does.
    GuardiansDifferent,
    /// The levels are not as many apart as the years.
    LevelDifferent,
    /// Two schools state them in one year.
    SameYear,
    /// A school knows a twin of one of them.
    TwinKnown,
    /// Another record could be it as well.
    RivalKnown,
    /// A link made or refused before contradicts what the feeds say now.
    LinkContradicted,
}
stored_names!(Evidence, "evidence", {
    IneEqual => "ine_equal", IneClose => "ine_close", IneDifferent => "ine_different", IneMissing => "ine_missing",
    BirthDateEqual => "birth_date_equal", BirthDateSwapped => "birth_date_swapped", BirthDateClose => "birth_date_close",
    BirthDateDifferent => "birth_date_different",
    GivenNameEqual => "given_name_equal", GivenNamePart => "given_name_part", GivenNameClose => "given_name_close",
    GivenNameDifferent => "given_name_different",
    FamilyNameEqual => "family_name_equal", FamilyNamePart => "family_name_part", FamilyNameClose => "family_name_close",
    FamilyNameDifferent => "family_name_different",
    NamesRare => "names_rare", NamesFrequent => "names_frequent", SexDifferent => "sex_different",
    OtherNamesEqual => "other_names_equal", OtherNamesDifferent => "other_names_different",
    PreviousSchoolEqual => "previous_school_equal", PreviousSchoolDifferent => "previous_school_different",
    GuardianShared => "guardian_shared", GuardiansDifferent => "guardians_different",
    WayUsual => "way_usual", WayUnusual => "way_unusual", LevelDifferent => "level_different", SameYear => "same_year",
    TwinKnown => "twin_known", RivalKnown => "rival_known", LinkContradicted => "link_contradicted",
});

impl Evidence {
    /// Whether it speaks for one human being; `None` where it says nothing either way.
    pub fn speaks_for(self) -> Option<bool> {
        match self {
            Self::IneEqual
            | Self::IneClose
            | Self::BirthDateEqual
            | Self::BirthDateSwapped
            | Self::BirthDateClose
            | Self::GivenNameEqual
            | Self::GivenNamePart
            | Self::GivenNameClose
            | Self::FamilyNameEqual
            | Self::FamilyNamePart
            | Self::FamilyNameClose
            | Self::NamesRare
            | Self::OtherNamesEqual
            | Self::PreviousSchoolEqual
            | Self::GuardianShared
            | Self::WayUsual => Some(true),
            Self::IneDifferent
            | Self::BirthDateDifferent
            | Self::GivenNameDifferent
            | Self::FamilyNameDifferent
            | Self::NamesFrequent
            | Self::SexDifferent
            | Self::OtherNamesDifferent
            | Self::PreviousSchoolDifferent
            | Self::GuardiansDifferent
            | Self::WayUnusual
            | Self::LevelDifferent
            | Self::SameYear
            | Self::TwinKnown
            | Self::RivalKnown
            | Self::LinkContradicted => Some(false),
            Self::IneMissing => None,
        }
    }

    /// For the person who decides.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::IneEqual => "Même INE.",
            Self::IneClose => "INE presque identiques : une faute de frappe suffit à l'expliquer.",
            Self::IneDifferent => "INE différents.",
            Self::IneMissing => "L'INE manque d'un côté au moins.",
            Self::BirthDateEqual => "Même date de naissance.",
            Self::BirthDateSwapped => "Dates de naissance identiques si l'on échange le jour et le mois.",
            Self::BirthDateClose => "Dates de naissance à un chiffre près.",
            Self::BirthDateDifferent => "Dates de naissance différentes.",
            Self::GivenNameEqual => "Même premier prénom.",
            Self::GivenNamePart => {
                "Le premier prénom de l'une est une partie, ou un autre prénom, de l'autre."
            }
            Self::GivenNameClose => "Premiers prénoms presque identiques.",
            Self::GivenNameDifferent => "Premiers prénoms différents.",
            Self::FamilyNameEqual => "Même nom de famille.",
            Self::FamilyNamePart => "Le nom de l'une est une partie, ou le nom d'usage, de l'autre.",
            Self::FamilyNameClose => "Noms de famille presque identiques.",
            Self::FamilyNameDifferent => "Noms de famille différents.",
            Self::NamesRare => "Ces noms sont rares : peu d'enfants pourraient être confondus.",
            Self::NamesFrequent => "Ces noms sont fréquents : un homonyme est possible.",
            Self::SexDifferent => "Sexes différents.",
            Self::OtherNamesEqual => "Un autre prénom en commun.",
            Self::OtherNamesDifferent => "Aucun autre prénom en commun.",
            Self::PreviousSchoolEqual => "L'établissement de l'an dernier est celui de l'autre fiche.",
            Self::PreviousSchoolDifferent => "L'établissement de l'an dernier est un autre.",
            Self::GuardianShared => "Un même responsable.",
            Self::GuardiansDifferent => "Aucun responsable en commun.",
            Self::WayUsual => "Les élèves de l'un de ces établissements vont d'ordinaire dans l'autre.",
            Self::WayUnusual => "Les élèves de l'un de ces établissements vont d'ordinaire ailleurs.",
            Self::LevelDifferent => "Les niveaux ne se suivent pas.",
            Self::SameYear => "Les deux fiches sont de la même année, dans le même genre de fichier.",
            Self::TwinKnown => {
                "L'école connaît un jumeau : même nom, même date de naissance, autre prénom ou autre INE."
            }
            Self::RivalKnown => "Une autre fiche pourrait convenir aussi bien.",
            Self::LinkContradicted => {
                "Une décision ou un lien antérieur contredit ce que disent les fichiers."
            }
        }
    }
}

/// What can be observed of two records, in a fixed order.
pub fn of(comparison: &Comparison, reason: Reason) -> Vec<Evidence> {
    let mut found = vec![
        match comparison.ine {
            IneLikeness::Same => Evidence::IneEqual,
            IneLikeness::Close => Evidence::IneClose,
            IneLikeness::Other => Evidence::IneDifferent,
            IneLikeness::Missing => Evidence::IneMissing,
        },
        match comparison.birth {
            BirthLikeness::Same => Evidence::BirthDateEqual,
            BirthLikeness::Swapped => Evidence::BirthDateSwapped,
            BirthLikeness::Close => Evidence::BirthDateClose,
            BirthLikeness::Other => Evidence::BirthDateDifferent,
        },
        match comparison.given {
            Likeness::Same => Evidence::GivenNameEqual,
            Likeness::Part => Evidence::GivenNamePart,
            Likeness::Close => Evidence::GivenNameClose,
            Likeness::Other => Evidence::GivenNameDifferent,
        },
        match comparison.family {
            Likeness::Same => Evidence::FamilyNameEqual,
            Likeness::Part => Evidence::FamilyNamePart,
            Likeness::Close => Evidence::FamilyNameClose,
            Likeness::Other => Evidence::FamilyNameDifferent,
        },
    ];
    if comparison.given == Likeness::Same && comparison.family == Likeness::Same {
        // More than one in a hundred thousand, or fewer than one in ten million, bear both.
        if comparison.rare < 17 * BIT {
            found.push(Evidence::NamesFrequent);
        } else if comparison.rare > 23 * BIT {
            found.push(Evidence::NamesRare);
        }
    }
    if comparison.sex == Some(false) {
        found.push(Evidence::SexDifferent);
    }
    match comparison.others {
        Some(true) => found.push(Evidence::OtherNamesEqual),
        Some(false) => found.push(Evidence::OtherNamesDifferent),
        None => {}
    }
    match comparison.way {
        Way::Stated => found.push(Evidence::PreviousSchoolEqual),
        Way::Denied | Way::Elsewhere => found.push(Evidence::PreviousSchoolDifferent),
        Way::Usual => found.push(Evidence::WayUsual),
        Way::Unusual => found.push(Evidence::WayUnusual),
        Way::Unknown => {}
    }
    match comparison.guardians {
        Some(true) => found.push(Evidence::GuardianShared),
        Some(false) => found.push(Evidence::GuardiansDifferent),
        None => {}
    }
    if comparison.level.is_some_and(|apart| apart > 0) {
        found.push(Evidence::LevelDifferent);
    }
    if comparison.same_files {
        found.push(Evidence::SameYear);
    }
    match reason {
        Reason::Twin => found.push(Evidence::TwinKnown),
        Reason::SeveralCandidates => found.push(Evidence::RivalKnown),
        Reason::Contradicted => found.push(Evidence::LinkContradicted),
        Reason::IneContradicted | Reason::NamesWithoutIne | Reason::IneDiffers => {}
    }
    found
}

/// One line for the reason of a case.
pub fn question(reason: Reason) -> &'static str {
    match reason {
        Reason::Twin => "Tout ou presque concorde, mais un jumeau est connu.",
        Reason::IneContradicted => "Le même INE, mais le reste ne concorde pas assez.",
        Reason::NamesWithoutIne => "Noms et date de naissance concordent, sans INE pour conclure.",
        Reason::IneDiffers => "Noms et date de naissance concordent, mais les INE diffèrent.",
        Reason::SeveralCandidates => "Plusieurs fiches pourraient être celle de cet enfant.",
        Reason::Contradicted => "Des faits nouveaux contredisent un lien ou une décision.",
    }
}
