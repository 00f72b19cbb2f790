//! How to reach a person: electronic mail, telephone, postal address (OpenID Connect Core §5.1, §5.1.1; RFC 5321 §4.1.2,
//! §4.5.3.1; ITU-T E.164 §6.2.1). Pupils of école have none.
//!
//! Says what such a value may be, what a merge gives to the person who is kept, and what undoing it takes back. Refused
//! text is never repeated: it may be somebody's address with one wrong letter.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, stored_names};
use crate::base::time::Timestamp;

/// RFC 5321 §4.5.3.1.3 allows 256 octets with the brackets around.
const LONGEST_EMAIL: usize = 254;
/// RFC 5321 §4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// Longer than any line of an address that a letter could bear.
const LONGEST_LINE: usize = 200;

/// The three ways to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Electronic mail.
    Email,
    /// Telephone.
    Phone,
    /// Post.
    Address,
}
stored_names!(Part, "part of a contact", { Email => "email", Phone => "phone", Address => "address" });

/// An address of electronic mail: ASCII, a dot-atom before the `@`, a name of the DNS behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidValue;

    /// The shape of RFC 5321 §4.1.2 without quoted local parts and address literals, which no school has. The name of the
    /// host is kept in lower case: it means the same.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = || InvalidValue {
            kind: "address of electronic mail",
            text: "…".to_owned(),
            hint: " (prenom.nom@exemple.fr)",
        };
        let (local, host) = text.rsplit_once('@').ok_or_else(refused)?;
        let host = host.to_ascii_lowercase();
        let is_whole = text.len() <= LONGEST_EMAIL && local.len() <= LONGEST_LOCAL_PART;
        if is_whole && local.split('.').all(is_atom) && is_host(&host) {
            Ok(Self(format!("{local}@{host}")))
        } else {
            Err(refused())
        }
    }
}

fn is_atom(text: &str) -> bool {
    let symbol = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(symbol)
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let symbol = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(symbol)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && name.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// A telephone number in the international form of E.164: `+33612345678`.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let is_number = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue {
                kind: "telephone number",
                text: "…".to_owned(),
                hint: " (+ and 7 to 15 digits, the country first: +33612345678)",
            })
        }
    }
}

/// A line of a postal address: something, not too long, no control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Line {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let text = text.trim();
        let is_line = !text.is_empty()
            && text.chars().count() <= LONGEST_LINE
            && !text
                .chars()
                .any(|symbol| symbol.is_control() || is_separator(symbol));
        if is_line {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue {
                kind: "line of a postal address",
                text: "…".to_owned(),
                hint: " (1 to 200 characters, no line breaks)",
            })
        }
    }
}

/// Breaks a line without being a control character.
fn is_separator(symbol: char) -> bool {
    matches!(symbol, '\u{2028}' | '\u{2029}')
}

/// Values that name people and places are shown to whoever asks for them, not to logs.
macro_rules! hidden {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
hidden!(Email, PhoneNumber, Line);

/// A value, and whether somebody made sure that it is this person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    /// The value.
    pub value: T,
    /// Whether it was made sure of (OpenID Connect Core §5.1, `…_verified`).
    pub is_verified: bool,
}

/// A postal address (OpenID Connect Core §5.1.1), at least one line of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Number and street, and what else stands above the place (`street_address`).
    pub street: Option<Line>,
    /// Postal code (`postal_code`).
    pub postal_code: Option<Line>,
    /// Commune (`locality`).
    pub locality: Option<Line>,
    /// Département or région (`region`).
    pub region: Option<Line>,
    /// Country (`country`).
    pub country: Option<Line>,
}

impl Address {
    /// The address, unless it has no line at all.
    pub fn some(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// How to reach a person; nothing else than these three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Electronic mail.
    pub email: Option<Verified<Email>>,
    /// Telephone.
    pub phone: Option<Verified<PhoneNumber>>,
    /// Post.
    pub address: Option<Address>,
}

impl Contact {
    /// Whether there is no way at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Which parts are there.
    pub fn parts(&self) -> Vec<Part> {
        let there = |part: &Part| match part {
            Part::Email => self.email.is_some(),
            Part::Phone => self.phone.is_some(),
            Part::Address => self.address.is_some(),
        };
        Part::ALL.iter().copied().filter(there).collect()
    }

    /// Which parts are not the same in both.
    pub fn differences(&self, other: &Self) -> Vec<Part> {
        let differs = |part: &Part| match part {
            Part::Email => self.email != other.email,
            Part::Phone => self.phone != other.phone,
            Part::Address => self.address != other.address,
        };
        Part::ALL.iter().copied().filter(differs).collect()
    }

    /// What a merge leaves the person who is kept: their own, and of the other what they have none of.
    #[must_use]
    pub fn filled_from(&self, absorbed: &Self) -> Self {
        Self {
            email: self.email.clone().or_else(|| absorbed.email.clone()),
            phone: self.phone.clone().or_else(|| absorbed.phone.clone()),
            address: self.address.clone().or_else(|| absorbed.address.clone()),
        }
    }

    /// What undoing that merge leaves them: what came of the other goes, what they were given since stays.
    #[must_use]
    pub fn undone(&self, before: &Self, absorbed: &Self) -> Self {
        fn part<T: Clone + PartialEq>(
            now: Option<&T>,
            before: Option<&T>,
            absorbed: Option<&T>,
        ) -> Option<T> {
            let was_given = before.is_none() && now == absorbed;
            now.filter(|_| !was_given).cloned()
        }
        Self {
            email: part(
                self.email.as_ref(),
                before.email.as_ref(),
                absorbed.email.as_ref(),
            ),
            phone: part(
                self.phone.as_ref(),
                before.phone.as_ref(),
                absorbed.phone.as_ref(),
            ),
            address: part(
                self.address.as_ref(),
                before.address.as_ref(),
                absorbed.address.as_ref(),
            ),
        }
    }
}

/// A contact as it is kept of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContact {
    /// How to reach them.
    pub contact: Contact,
    /// When that changed last.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mail_addresses_have_the_shape_that_mail_servers_take() {
        for right in [
            "maddi.oyhenart@ac-bordeaux.fr",
            "o'brien+ecole@xn--cole-9oa.example",
            &format!("{}@{}.fr", "l".repeat(64), "h".repeat(63)),
        ] {
            assert_eq!(right.parse::<Email>().unwrap().as_str(), right);
        }
        let lower = "Maddi@AC-Bordeaux.FR".parse::<Email>().unwrap();
        assert_eq!(lower.as_str(), "Maddi@ac-bordeaux.fr");
        let long_host = format!("m@{}.fr", vec!["h".repeat(60); 5].join("."));
        for wrong in [
            "",
            "maddi",
            "@ac.fr",
            "maddi@",
            "maddi@localhost",
            "maddi@@ac.fr",
            "a@b@ac.fr",
            ".maddi@ac.fr",
            "maddi.@ac.fr",
            "ma..ddi@ac.fr",
            "ma ddi@ac.fr",
            "maddi@ac.fr ",
            "maddi@ac.fr\r\nBcc: all@ac.fr",
            "maddi@-ac.fr",
            "maddi@ac-.fr",
            "maddi@ac..fr",
            "maddi@10.0.0.1",
            "maddi@[10.0.0.1]",
            "maddi@école.fr",
            "élève@ac.fr",
            "\"maddi\"@ac.fr",
            "Maddi <maddi@ac.fr>",
            &format!("{}@ac.fr", "l".repeat(65)),
            &long_host,
        ] {
            let refused = wrong.parse::<Email>().unwrap_err();
            assert_eq!(refused.text, "…", "{wrong}");
        }
    }

    #[test]
    fn telephone_numbers_are_international() {
        for right in ["+33612345678", "+6821234567", "+123456789012345"] {
            assert_eq!(right.parse::<PhoneNumber>().unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "+",
            "0612345678",
            "33612345678",
            "+033612345678",
            "+33 6 12 34 56 78",
            "+123456",
            "+1234567890123456",
            "+3361234567x",
            "+٣٣٦١٢٣٤٥٦٧٨",
        ] {
            assert!(wrong.parse::<PhoneNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_are_lines_and_nothing_of_them_is_written_by_accident() {
        assert_eq!(
            " 3, rue des Marronniers ".parse::<Line>().unwrap().as_str(),
            "3, rue des Marronniers"
        );
        for wrong in ["", "  ", "a\nb", "a\u{0}b", "a\u{2028}b", &"x".repeat(201)] {
            assert!(wrong.parse::<Line>().is_err(), "{wrong:?}");
        }
        assert_eq!(Address::default().some(), None);
        let line: Line = "Amiens".parse().unwrap();
        let number: PhoneNumber = "+33612345678".parse().unwrap();
        let email: Email = "maddi@ac.fr".parse().unwrap();
        let shown = format!("{line:?} {number:?} {email:?}");
        assert!(!shown.contains("Amiens") && !shown.contains("33") && !shown.contains("maddi"));
    }

    fn contacts() -> impl Strategy<Value = Contact> {
        let email = proptest::option::of(("[ab]", any::<bool>()));
        let phone = proptest::option::of(("[12]", any::<bool>()));
        let town = proptest::option::of("[AB]");
        (email, phone, town).prop_map(|(email, phone, town)| Contact {
            email: email.map(|(name, is_verified)| Verified {
                value: format!("{name}@ac.fr").parse().unwrap(),
                is_verified,
            }),
            phone: phone.map(|(digit, is_verified)| Verified {
                value: format!("+3361234567{digit}").parse().unwrap(),
                is_verified,
            }),
            address: town.map(|town| Address {
                locality: Some(town.parse().unwrap()),
                ..Address::default()
            }),
        })
    }

    proptest! {
        #[test]
        fn a_merge_loses_nothing_that_was_kept_and_undoing_it_brings_back_what_was(
            kept in contacts(), absorbed in contacts(), since in contacts(),
        ) {
            let merged = kept.filled_from(&absorbed);
            let both = [kept.parts(), absorbed.parts()].concat();
            for part in Part::ALL {
                prop_assert_eq!(merged.parts().contains(part), both.contains(part));
            }
            prop_assert_eq!(merged.filled_from(&absorbed), merged.clone());
            prop_assert!(!merged.differences(&kept).iter().any(|part| kept.parts().contains(part)));
            prop_assert_eq!(merged.undone(&kept, &absorbed), kept.clone());
            // What changed since stays, part by part; the other parts are as before.
            let later = since.undone(&kept, &absorbed);
            for part in Part::ALL {
                let is_new = since.differences(&merged).contains(part);
                let expected = if is_new { &since } else { &kept };
                prop_assert!(!later.differences(expected).contains(part), "{:?}", part);
            }
        }
    }
}
