//! Login names: the one canonical form under which a name is stored, found and throttled.
//!
//! Must never be compared otherwise: a counter per spelling would give an attacker a fresh allowance for each
//! (CVE-2025-24806).

use crate::base::text::fold_tight;

/// Longer input names nobody.
const LIMIT: usize = 256;

/// The canonical form: parts between dots folded (case, accents, Unicode form, punctuation and spaces away), joined by
/// dots. `" Élise.LE-GOFF "` → `elise.legoff`. Empty where nothing is left, which is nobody's name.
pub fn canonical(typed: &str) -> String {
    if typed.len() > LIMIT {
        return String::new();
    }
    let parts: Vec<String> = typed
        .split('.')
        .map(fold_tight)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(".")
}

/// The names to try for a new person, in order: `prenom.nom`, `prenom.nom2`, `prenom.nom3`…
pub fn candidates(given_name: &str, family_name: &str) -> impl Iterator<Item = String> {
    let base = canonical(&format!(
        "{}.{}",
        given_name.replace('.', " "),
        family_name.replace('.', " ")
    ));
    (1_u32..).map(move |number| match number {
        1 => base.clone(),
        _ => format!("{base}{number}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_42_every_spelling_of_a_name_is_one_name() {
        for typed in [
            "elise.legoff",
            " Élise.LE-GOFF ",
            "E\u{301}LISE.le goff",
            "elise.le’goff",
            "ｅｌｉｓｅ.legoff",
            ".elise..legoff.",
        ] {
            assert_eq!(canonical(typed), "elise.legoff", "{typed}");
        }
        assert_eq!(canonical("…"), "");
        assert_eq!(canonical(&"a".repeat(257)), "");
    }

    #[test]
    fn a_name_is_made_of_first_and_family_name_and_numbered_from_two() {
        let names: Vec<String> = candidates("Jean-Noël", "D’Hœrt").take(3).collect();
        assert_eq!(names, ["jeannoel.dhoert", "jeannoel.dhoert2", "jeannoel.dhoert3"]);
        assert_eq!(candidates("J.-P.", "Roy").next().as_deref(), Some("jp.roy"));
    }
}
