//! UAI, the national key of a school (ex RNE): seven digits and a letter.

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;

/// The letters of the control key: no I, O, Q.
const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPRSTUVWXYZ";

/// The control key of a number.
fn key(number: u32) -> u8 {
    let letter = LETTERS.get(number as usize % LETTERS.len());
    letter.copied().unwrap_or(b'A')
}

/// A school's UAI, eight characters, upper case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uai([u8; 8]);

impl Uai {
    /// The text.
    pub fn as_str(&self) -> &str {
        // Eight digits and letters: that is always text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The code whose digits are `number` (at most seven), with its control letter.
    pub fn from_number(number: u32) -> Self {
        let number = number % 10_000_000;
        let mut code = [b'A'; 8];
        let mut rest = number;
        if let Some((letter, digits)) = code.split_last_mut() {
            *letter = key(number);
            for digit in digits.iter_mut().rev() {
                *digit = b"0123456789".get(rest as usize % 10).copied().unwrap_or(b'0');
                rest /= 10;
            }
        }
        Self(code)
    }

    /// Whether the letter is the control key of the digits. Real files carry codes where it is not: that is a
    /// warning, never a refusal.
    pub fn has_valid_key(&self) -> bool {
        let [digits @ .., letter] = &self.0;
        let number = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit & 15));
        key(number) == *letter
    }
}

impl FromStr for Uai {
    type Err = InvalidValue;

    /// Reads a code; sources that drop leading zeros are padded back to eight characters.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let written = text.trim().as_bytes();
        let mut code = [b'0'; 8];
        let fits = written.len() > 1
            && code.len().checked_sub(written.len()).is_some_and(|padding| {
                let end = code.split_at_mut(padding).1;
                end.copy_from_slice(written);
                end.make_ascii_uppercase();
                true
            });
        let [digits @ .., letter] = &code;
        if fits && digits.iter().all(u8::is_ascii_digit) && letter.is_ascii_uppercase() {
            Ok(Self(code))
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
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Uai").field(&self.as_str()).finish()
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
