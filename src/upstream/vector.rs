//! The vectors by which the ministry says who somebody is in a feed, read by their exact grammar.
//!
//! | name | grammar | says |
//! | --- | --- | --- |
//! | `FrEduCtRefId` | `{AAF}academy\|…\|jointure` | the person's own key in the directory of an academy; other prefixes say nothing to us |
//! | `FrEduVecteur` | `type\|nom\|prénom\|number\|UAI` | of a pupil: their number in a school; of a guardian: a child's |
//!
//! What does not fit exactly is no vector: nothing is repaired.

use crate::domain::education::{AcademyCode, Degree};
use crate::domain::uai::Uai;

/// The longest key that a feed of the ministry has, and then some.
const LONGEST_KEY: usize = 40;
const LONGEST_NAME: usize = 100;

/// A person's key in the directory of an academy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefId {
    /// The academy that the key is unique in.
    pub academy: AcademyCode,
    /// `ENTPersonJointure`.
    pub jointure: String,
}

impl RefId {
    /// Reads `{AAF}14||1234567`. The academy is written with one digit or two; the field in the middle is nobody's business
    ///.
    pub fn read(text: &str) -> Option<Self> {
        let fields = text.strip_prefix("{AAF}")?;
        let mut fields = fields.split('|');
        let (academy, _, jointure) = (fields.next()?, fields.next()?, fields.next()?);
        let is_key = |key: &str| {
            (1..=LONGEST_KEY).contains(&key.len())
                && key
                    .bytes()
                    .all(|symbol| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'_'))
        };
        let is_code = (1..=2).contains(&academy.len()) && academy.bytes().all(|digit| digit.is_ascii_digit());
        if fields.next().is_some() || !is_code || !is_key(jointure) {
            return None;
        }
        Some(Self {
            academy: academy.parse().ok()?,
            jointure: jointure.to_owned(),
        })
    }
}

/// What somebody is, in a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VecteurKind {
    /// A guardian of a pupil.
    Guardian(Degree),
    /// A pupil.
    Pupil(Degree),
}

/// A vector of the older services of the ministry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vecteur {
    /// What the person is.
    pub kind: VecteurKind,
    /// The family name of the person; empty for pupils.
    pub family_name: String,
    /// The given name of the person; empty for pupils.
    pub given_name: String,
    /// The number of the pupil (a guardian's child) in the register of the school (`ENTEleveStructRattachId`).
    pub attachment: String,
    /// The school.
    pub school: Uai,
}

impl Vecteur {
    /// Reads `4|||1037745|0290009C`.
    pub fn read(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('|').collect();
        let [kind, family_name, given_name, attachment, school] = fields.as_slice() else {
            return None;
        };
        let kind = match *kind {
            "1" => VecteurKind::Guardian(Degree::First),
            "2" => VecteurKind::Guardian(Degree::Second),
            "3" => VecteurKind::Pupil(Degree::First),
            "4" => VecteurKind::Pupil(Degree::Second),
            _ => return None,
        };
        let is_number = (1..=LONGEST_KEY).contains(&attachment.len())
            && attachment.bytes().all(|symbol| symbol.is_ascii_alphanumeric());
        let is_name =
            |name: &str| name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
        if !is_number || !is_name(family_name) || !is_name(given_name) {
            return None;
        }
        Some(Self {
            kind,
            family_name: (*family_name).to_owned(),
            given_name: (*given_name).to_owned(),
            attachment: (*attachment).to_owned(),
            school: school.parse().ok()?,
        })
    }

    /// The vectors of one person, where they go together: a pupil has one, a guardian one for each child.
    pub fn read_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let all: Vec<Self> = texts.into_iter().filter_map(Self::read).collect();
        let is_guardians = all.iter().all(|one| matches!(one.kind, VecteurKind::Guardian(_)));
        if all.len() > 1 && !is_guardians {
            return Vec::new();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ref_id_is_read_to_the_letter() {
        for (text, academy) in [
            ("{AAF}14||1234567", "14"),
            ("{AAF}2|x|1234567", "02"),
            ("{AAF}02|1|1234567", "02"),
        ] {
            let read = RefId::read(text).unwrap();
            assert_eq!(
                (read.academy.as_str(), &*read.jointure),
                (academy, "1234567"),
                "{text}"
            );
        }
        for wrong in [
            "",
            "{AAF}",
            "{AAF}14|1234567",
            "{AAF}14||1|2",
            "{AAF}014||1",
            "{AAF}||1",
            "{AAF}14||",
            "{aaf}14||1",
            "{ECT}14||1",
            "{ECT-ENT}14||1",
            "AAF14||1",
            " {AAF}14||1",
            "{AAF}00||1",
            "{AAF}é||1",
            "{AAF}14||1 2",
            "{AAF}14||1' OR 1=1",
        ] {
            assert_eq!(RefId::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_vecteur_is_read_to_the_letter() {
        let pupil = Vecteur::read("3|||1037745|0290009C").unwrap();
        assert_eq!(pupil.kind, VecteurKind::Pupil(Degree::First));
        assert_eq!(
            (&*pupil.attachment, pupil.school.as_str()),
            ("1037745", "0290009C")
        );
        let parent = Vecteur::read("2|LE GOFF|Anne-Maëlle|1037745|0290009c").unwrap();
        assert_eq!(parent.kind, VecteurKind::Guardian(Degree::Second));
        assert_eq!(
            (&*parent.family_name, &*parent.given_name),
            ("LE GOFF", "Anne-Maëlle")
        );
        for wrong in [
            "",
            "5|||1|0290009C",
            "4||1|0290009C",
            "4||||0290009C",
            "4|||1|029",
            "4|||1|0290009C|",
            "04|||1|0290009C",
            "4|||1 |0290009C",
            "4|a\nb||1|0290009C",
        ] {
            assert_eq!(Vecteur::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn several_vectors_are_a_guardians_and_of_nobody_else() {
        let (pupil, one, two) = ("4|||1|0290009C", "2|A|B|1|0290009C", "1|A|B|2|0290009C");
        assert_eq!(Vecteur::read_all([pupil]).len(), 1);
        assert_eq!(Vecteur::read_all([one, two]).len(), 2);
        assert_eq!(
            Vecteur::read_all([pupil, one]),
            [],
            "a pupil with two vectors is two people"
        );
        assert_eq!(Vecteur::read_all([pupil, "4|||2|0290009C"]), []);
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_holds_what_a_key_cannot(text in "\\PC{0,60}") {
            if let Some(read) = RefId::read(&text) {
                prop_assert!(read.jointure.bytes().all(|symbol| symbol.is_ascii_graphic()));
            }
            if let Some(read) = Vecteur::read(&text) {
                prop_assert!(!read.attachment.contains('|') && !read.family_name.contains('|'));
            }
        }

        #[test]
        fn what_we_write_we_read(academy in 1..70u8, jointure in "[0-9]{1,12}") {
            let text = format!("{{AAF}}{academy:02}||{jointure}");
            let read = RefId::read(&text).unwrap();
            prop_assert_eq!(read.jointure, jointure);
        }
    }
}
