//! UAI, the national key of a school (ex RNE): seven digits and a letter.

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;

/// The letters of the control key: no I, O, Q.
const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPRSTUVWXYZ";

/// A school's UAI, eight characters, upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uai(String);

impl Uai {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code whose digits are `number` (at most seven), with its control letter.
    pub fn from_number(number: u32) -> Self {
        let number = number % 10_000_000;
        let letter = LETTERS
            .get(number as usize % LETTERS.len())
            .copied()
            .unwrap_or(b'A');
        Self(format!("{number:07}{}", char::from(letter)))
    }

    /// Whether the letter is the control key of the digits. Real files carry codes where it is not: that is a
    /// warning, never a refusal.
    pub fn has_valid_key(&self) -> bool {
        let digits = self.0.get(..7).and_then(|digits| digits.parse::<usize>().ok());
        let expected = digits.and_then(|number| LETTERS.get(number % LETTERS.len()));
        expected.copied() == self.0.bytes().last()
    }
}

impl FromStr for Uai {
    type Err = InvalidValue;

    /// Reads a code; sources that drop leading zeros are padded back to eight characters.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let padded = format!("{:0>8}", text.trim().to_ascii_uppercase());
        let well_formed = padded.len() == 8
            && padded.bytes().take(7).all(|symbol| symbol.is_ascii_digit())
            && padded
                .bytes()
                .last()
                .is_some_and(|symbol| symbol.is_ascii_uppercase())
            && text.trim().len() > 1;
        if well_formed {
            Ok(Self(padded))
        } else {
            Err(InvalidValue {
                kind: "UAI",
                text: text.to_owned(),
                hint: " (seven digits and a letter)",
            })
        }
    }
}

impl fmt::Display for Uai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_known_codes_is_right() {
        for code in ["9990001X", "9990002Y", "9990101F", "0770010T"] {
            let uai: Uai = code.parse().unwrap();
            assert!(uai.has_valid_key(), "{code}");
            let digits: u32 = code[..7].parse().unwrap();
            assert_eq!(Uai::from_number(digits), uai);
        }
        assert!(!"9990001A".parse::<Uai>().unwrap().has_valid_key());
    }

    #[test]
    fn leading_zeros_come_back_and_nonsense_is_refused() {
        assert_eq!("770010t".parse::<Uai>().unwrap().as_str(), "0770010T");
        for wrong in ["", "X", "99900011", "99900O1X", "999000123X", "é990001X"] {
            assert!(wrong.parse::<Uai>().is_err(), "{wrong}");
        }
    }
}
