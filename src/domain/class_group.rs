//! A class of one school in one school year, and the code that opens its page.

use std::fmt;
use std::str::FromStr;

use super::InvalidValue;
use super::education::SchoolYear;
use super::uai::Uai;
use crate::base::id::ClassGroupId;
use crate::base::random::{self, Random};

/// A class (or group).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// Its id.
    pub id: ClassGroupId,
    /// Its school.
    pub school: Uai,
    /// Its year.
    pub year: SchoolYear,
    /// Its label, as the school writes it.
    pub label: String,
    /// The level most of its pupils are in, as the feed wrote it.
    pub level: Option<String>,
}

/// Symbols of a class code: no vowel (no words appear), nothing that reads like another.
const ALPHABET: &[u8] = b"bcdfghjkmnpqrstvwxz23456789";
/// 12 symbols of 27: 57 bits, which no one guesses and a teacher can still type.
const LENGTH: usize = 12;

/// The code of a class page, canonical form `bcdf-ghjk-2345`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClassCode(String);

impl ClassCode {
    /// A new code.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random::symbols(random, ALPHABET, LENGTH))
    }

    /// The twelve symbols without hyphens: what is indexed and sealed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The form printed for the classroom, in groups of four.
    pub fn printed(&self) -> String {
        let symbols: Vec<char> = self.0.chars().collect();
        symbols
            .chunks(4)
            .map(|group| group.iter().collect::<String>())
            .collect::<Vec<_>>()
            .join("-")
    }
}

impl fmt::Debug for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[class code]")
    }
}

impl FromStr for ClassCode {
    type Err = InvalidValue;

    /// Reads a code as people type it: any case, with or without hyphens and spaces.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let symbols: String = text
            .chars()
            .filter(|symbol| !symbol.is_whitespace() && !matches!(symbol, '-' | '–' | '_'))
            .flat_map(char::to_lowercase)
            .collect();
        if symbols.len() == LENGTH && symbols.bytes().all(|symbol| ALPHABET.contains(&symbol)) {
            Ok(Self(symbols))
        } else {
            Err(InvalidValue {
                kind: "class code",
                text: "…".to_owned(),
                hint: " (three groups of four)",
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    #[test]
    fn a_printed_code_is_read_however_it_is_typed() {
        let code = ClassCode::generate(&SeededRandom::new(5));
        let printed = code.printed();
        assert_eq!(printed.len(), 14);
        for typed in [
            printed.clone(),
            printed.to_uppercase(),
            printed.replace('-', " "),
            printed.replace('-', ""),
        ] {
            assert_eq!(typed.parse::<ClassCode>().unwrap(), code, "{typed}");
        }
        for wrong in ["", "bcdf-ghjk", "aeio-uuuu-llll", "bcdf-ghjk-23456"] {
            assert!(wrong.parse::<ClassCode>().is_err(), "{wrong}");
        }
    }
}
