//! Folding of names: what two spellings of one French name have in common.
//!
//! Must never be used for display: a child's name is shown as the school wrote it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a name for comparison: accents and case away, `œ`/`æ`/`ß` spelled out, everything that is not a letter or a
/// digit (hyphens, apostrophes of all kinds, spaces) becomes one space; no space at either end.
///
/// `"  Jean–Noël D’Hœrt "` → `"jean noel d hoert"`
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
    {
        match letter {
            'œ' => out.push_str("oe"),
            'æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            letter if letter.is_alphanumeric() => out.push(letter),
            _ => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// [`fold`] without the spaces: `"Le Goff"`, `"LEGOFF"` and `"Le-Goff"` are one.
pub fn fold_tight(text: &str) -> String {
    fold(text).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_fold_to_one() {
        assert_eq!(fold("  Jean–Noël D’Hœrt "), "jean noel d hoert");
        assert_eq!(fold("JEAN NOEL"), fold("Jean-Noël"));
        assert_eq!(fold_tight("Le Goff"), fold_tight("LE-GOFF"));
        assert_eq!(fold("N'Guyen"), fold("N’GUYEN"));
        assert_eq!(fold("Çelik"), "celik");
        assert_eq!(fold("E\u{301}lise"), "elise");
        assert_eq!(fold("--"), "");
    }
}
