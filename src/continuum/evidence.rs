//! Why: what speaks for and against two records being of one human being, in stable terms for programs and in
//! sentences for people. Never holds a name, a date or a number.

use super::pair::Facts;
use crate::domain::matching::Reason;
use crate::domain::stored_names;

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Both have the same INE.
    IneEqual,
    /// They have two different ones.
    IneDifferent,
    /// At least one has none.
    IneMissing,
    /// Same birth date.
    BirthDateEqual,
    /// Another birth date.
    BirthDateDifferent,
    /// Same first given name.
    GivenNameEqual,
    /// Another first given name.
    GivenNameDifferent,
    /// Same family name.
    FamilyNameEqual,
    /// Another family name.
    FamilyNameDifferent,
    /// A school knows a twin of one of them.
    TwinKnown,
    /// A link made or refused before contradicts what the feeds say now.
    LinkContradicted,
}
stored_names!(Evidence, "evidence", {
    IneEqual => "ine_equal", IneDifferent => "ine_different", IneMissing => "ine_missing",
    BirthDateEqual => "birth_date_equal", BirthDateDifferent => "birth_date_different",
    GivenNameEqual => "given_name_equal", GivenNameDifferent => "given_name_different",
    FamilyNameEqual => "family_name_equal", FamilyNameDifferent => "family_name_different",
    TwinKnown => "twin_known", LinkContradicted => "link_contradicted",
});

impl Evidence {
    /// Whether it speaks for one human being; `None` where it says nothing either way.
    pub fn speaks_for(self) -> Option<bool> {
        match self {
            Self::IneEqual | Self::BirthDateEqual | Self::GivenNameEqual | Self::FamilyNameEqual => {
                Some(true)
            }
            Self::IneDifferent
            | Self::BirthDateDifferent
            | Self::GivenNameDifferent
            | Self::FamilyNameDifferent
            | Self::TwinKnown
            | Self::LinkContradicted => Some(false),
            Self::IneMissing => None,
        }
    }

    /// For the person who decides.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::IneEqual => "Même INE.",
            Self::IneDifferent => "INE différents.",
            Self::IneMissing => "L'INE manque d'un côté au moins.",
            Self::BirthDateEqual => "Même date de naissance.",
            Self::BirthDateDifferent => "Dates de naissance différentes.",
            Self::GivenNameEqual => "Même premier prénom.",
            Self::GivenNameDifferent => "Premiers prénoms différents.",
            Self::FamilyNameEqual => "Même nom de famille.",
            Self::FamilyNameDifferent => "Noms de famille différents.",
            Self::TwinKnown => {
                "L'école connaît un jumeau : même nom, même date de naissance, autre prénom ou autre INE."
            }
            Self::LinkContradicted => {
                "Une décision ou un lien antérieur contredit ce que disent les fichiers."
            }
        }
    }
}

/// What can be observed of two records, in a fixed order.
pub fn of(one: &Facts, two: &Facts, reason: Reason) -> Vec<Evidence> {
    let pick = |equal, yes, no| if equal { yes } else { no };
    let mut found = vec![
        match (one.ine, two.ine) {
            (Some(left), Some(right)) => pick(left == right, Evidence::IneEqual, Evidence::IneDifferent),
            _ => Evidence::IneMissing,
        },
        pick(
            one.birth_date == two.birth_date,
            Evidence::BirthDateEqual,
            Evidence::BirthDateDifferent,
        ),
        pick(
            one.given_key == two.given_key,
            Evidence::GivenNameEqual,
            Evidence::GivenNameDifferent,
        ),
        pick(
            one.family_key() == two.family_key(),
            Evidence::FamilyNameEqual,
            Evidence::FamilyNameDifferent,
        ),
    ];
    match reason {
        Reason::Twin => found.push(Evidence::TwinKnown),
        Reason::Contradicted => found.push(Evidence::LinkContradicted),
        Reason::IneContradicted | Reason::NamesWithoutIne => {}
    }
    found
}

/// One line for the reason of a case.
pub fn question(reason: Reason) -> &'static str {
    match reason {
        Reason::Twin => "INE, date de naissance et prénom concordent, mais un jumeau est connu.",
        Reason::IneContradicted => "Le même INE porte un autre prénom ou une autre date de naissance.",
        Reason::NamesWithoutIne => "Mêmes noms et même date de naissance, sans INE pour conclure.",
        Reason::Contradicted => "Des faits nouveaux contredisent un lien ou une décision.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    #[test]
    fn the_evidence_says_what_agrees_and_what_does_not() {
        let birth_date = parse_date("2016-08-17").unwrap();
        let lina = Facts {
            ine: Some([1; 32]),
            given_key: "lina".into(),
            household_key: "legoff|2016-08-17".into(),
            birth_date,
            school: "9990001X".parse().unwrap(),
        };
        let mut other = lina.clone();
        other.given_key = "lila".into();
        assert_eq!(
            of(&lina, &other, Reason::IneContradicted),
            [
                Evidence::IneEqual,
                Evidence::BirthDateEqual,
                Evidence::GivenNameDifferent,
                Evidence::FamilyNameEqual
            ]
        );
        assert!(of(&lina, &lina, Reason::Twin).contains(&Evidence::TwinKnown));
        other.ine = None;
        assert!(of(&lina, &other, Reason::NamesWithoutIne).contains(&Evidence::IneMissing));
        for evidence in Evidence::ALL {
            assert!(!evidence.sentence().is_empty());
            assert_eq!(evidence.as_str().parse(), Ok(*evidence));
        }
    }
}
