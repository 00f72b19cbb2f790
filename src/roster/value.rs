//! What the text of a cell or an attribute becomes: a name, a sex, a date, an INE.
//!
//! Must never invent or correct: a value is taken as written (in Unicode form NFC, white space folded) or refused.

use unicode_normalization::UnicodeNormalization;

use crate::base::text::fold;
use crate::domain::source::Sex;

/// The most characters a name may have.
pub(super) const LONGEST_NAME: usize = 200;

/// What a name may be refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadName {
    /// Empty, or without a letter or digit.
    Missing,
    /// A control character (NUL, escape…) or a line break stands in it: two cells or two lines run together.
    Control,
    /// Longer than [`LONGEST_NAME`].
    Long,
}

impl BadName {
    /// The end of a sentence whose subject is the name.
    pub(super) fn complaint(self) -> &'static str {
        match self {
            Self::Missing => "manquant",
            Self::Control => "avec un caractère de contrôle ou un saut de ligne",
            Self::Long => "trop long (plus de 200 caractères)",
        }
    }
}

/// Text in form NFC, without white space at its ends, any white space inside (line breaks too) as one space.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        if word.is_ascii() {
            out.push_str(word);
        } else {
            out.extend(word.nfc());
        }
    }
    out
}

/// A name as written.
///
/// # Errors
/// [`BadName`] where it cannot be one.
pub(super) fn name(text: &str) -> Result<String, BadName> {
    let name = tidy(text);
    if text.trim().chars().any(char::is_control) {
        Err(BadName::Control)
    } else if name.chars().count() > LONGEST_NAME {
        Err(BadName::Long)
    } else if fold(&name).is_empty() {
        Err(BadName::Missing)
    } else {
        Ok(name)
    }
}

/// Sex as the registers write it; `None` for anything else.
pub(super) fn sex(text: &str) -> Option<Sex> {
    match text.trim().trim_end_matches('.').to_uppercase().as_str() {
        "M" | "H" | "MR" => Some(Sex::Male),
        "F" | "MME" | "MLLE" => Some(Sex::Female),
        _ => None,
    }
}

/// Whether somebody is legally in charge, by the level that AAF and SIECLE write. 1 is; 2 was the second of two who are
/// until the codes of kinship became two digits, and is somebody in charge without authority since; 0 and 3 are not.
pub(super) fn is_legal(level: &str, kinship_code: &str) -> Option<bool> {
    match level.trim() {
        "1" => Some(true),
        "2" => Some(kinship_code.trim().len() == 1),
        "0" | "3" => Some(false),
        _ => None,
    }
}

/// Whether text says nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_written_in_form_nfc() {
        assert_eq!(
            name("\r\n  Jean-Noe\u{308}l  D’Hœrt ").unwrap(),
            "Jean-Noël D’Hœrt"
        );
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        assert_eq!(name(" -- "), Err(BadName::Missing));
        assert_eq!(name(""), Err(BadName::Missing));
        assert_eq!(name("Li\0na"), Err(BadName::Control));
        assert_eq!(name("Lina\r\nLila"), Err(BadName::Control));
        assert_eq!(name(&"a".repeat(201)), Err(BadName::Long));
        assert!(name(&"é".repeat(200)).is_ok());
    }

    #[test]
    fn sex_is_read_in_every_spelling_of_the_registers() {
        for (text, sex_read) in [
            ("F", Some(Sex::Female)),
            (" f", Some(Sex::Female)),
            ("M", Some(Sex::Male)),
            ("H", Some(Sex::Male)),
            ("M.", Some(Sex::Male)),
            ("Mme", Some(Sex::Female)),
            ("MLLE", Some(Sex::Female)),
            ("X", None),
            ("", None),
        ] {
            assert_eq!(sex(text), sex_read, "{text}");
        }
    }
}
