//! INE, the national number of a pupil. Personal data of a minor: never printed, never logged, never in a token.
//!
//! Stored only sealed (to be handed to a party with a right to it) and as a keyed hash (to be found again).

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;

/// A pupil's national number; its shape is checked, its control key is not published.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ine(String);

impl Ine {
    /// The number in clear; the caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[INE]")
    }
}

impl FromStr for Ine {
    type Err = InvalidValue;

    /// Reads one of the three shapes in use: RNIE (nine digits, two letters), BEA (ten digits, one letter),
    /// apprenticeship (four digits, `A`, five digits, one letter). Case and surrounding space are forgiven.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let number = text.trim().to_ascii_uppercase();
        let shape: String = number
            .chars()
            .map(|symbol| match symbol {
                '0'..='9' => '9',
                'A'..='Z' => 'A',
                _ => '?',
            })
            .collect();
        let apprentice = shape == "9999A99999A" && number.get(4..5) == Some("A");
        if shape == "999999999AA" || shape == "9999999999A" || apprentice {
            Ok(Self(number))
        } else {
            // The refused text may be a real number with one wrong symbol: it is not repeated.
            Err(InvalidValue {
                kind: "INE",
                text: "…".to_owned(),
                hint: " (nine digits and two letters, or ten digits and a letter)",
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_shapes_are_read_and_others_refused_without_repeating_them() {
        for right in ["123456789AB", " 123456789ab ", "1234567890A", "1234A56789B"] {
            assert!(right.parse::<Ine>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "12345678AB",
            "1234567890",
            "123456789A1",
            "1234B56789B",
            "1234567890AB",
        ] {
            let refused = wrong.parse::<Ine>().unwrap_err();
            assert!(
                wrong.is_empty() || !refused.to_string().contains(wrong),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_ine_never_prints_itself() {
        let ine: Ine = "123456789AB".parse().unwrap();
        assert_eq!(format!("{ine:?}"), "[INE]");
    }
}
