//! Owns how what a service knows about a person is told: each attribute in a child's words, or with its values for an
//! adult.

use super::Lang;
use super::words::facts;
use crate::domain::education::Profile;
use crate::domain::relying_party::Attribute;

/// An attribute that a service receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub attribute: Attribute,
    /// What it receives.
    pub values: Vec<String>,
    /// Why it needs it.
    pub purpose: String,
    /// Whether the person was told before, and not of this.
    pub is_new: bool,
}

/// What a child reads of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ForChild {
    /// In a child's words.
    pub(super) words: &'static str,
    /// Whether they were told before, and not of this.
    pub(super) is_new: bool,
}

/// A child reads each thing once, whatever the claims are called: first and family name are both in the whole name.
pub(super) fn for_child(lang: Lang, known: &[Known]) -> Vec<ForChild> {
    let has_name = known.iter().any(|one| one.attribute == Attribute::Name);
    let in_name =
        |one: &&Known| has_name && matches!(one.attribute, Attribute::GivenName | Attribute::FamilyName);
    known
        .iter()
        .filter(|one| !in_name(one))
        .map(|one| ForChild {
            words: facts::for_child(lang, one.attribute),
            is_new: one.is_new,
        })
        .collect()
}

impl Known {
    pub(super) fn label(&self, lang: &Lang) -> &'static str {
        facts::label(*lang, self.attribute)
    }

    /// The values as a person reads them.
    pub(super) fn shown(&self, lang: &Lang) -> String {
        let shown = |value: &String| match value.parse::<Profile>() {
            Ok(profile) if self.attribute == Attribute::Profile => facts::profile(*lang, profile).to_owned(),
            _ if self.attribute == Attribute::Gender => facts::gender(*lang, value),
            _ => value.clone(),
        };
        self.values.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// What a service may do besides: coming back while the person is away, or a scope of a resource server
/// (`audience#scope`).
pub(super) fn right(lang: Lang, right: &str) -> String {
    match right.split_once('#') {
        Some((audience, scope)) => (lang.words().notice.scope)(&format!("{scope} – {audience}")),
        None => lang.words().notice.offline.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(attributes: &[Attribute]) -> Vec<Known> {
        let one = |attribute: &Attribute| Known {
            attribute: *attribute,
            values: vec!["National_ENS".into(), "x".into()],
            purpose: String::new(),
            is_new: false,
        };
        attributes.iter().map(one).collect()
    }

    #[test]
    fn a_child_reads_a_name_once_and_every_attribute_has_words_of_its_own() {
        let name = known(&[
            Attribute::GivenName,
            Attribute::FamilyName,
            Attribute::Name,
            Attribute::Class,
        ]);
        let words: Vec<_> = for_child(Lang::Fr, &name).iter().map(|one| one.words).collect();
        assert_eq!(words, ["ton prénom et ton nom", "ta classe"]);
        for lang in [Lang::Fr, Lang::En] {
            let mut seen = std::collections::BTreeSet::new();
            for one in known(Attribute::ALL) {
                assert!(seen.insert(facts::for_child(lang, one.attribute)));
                assert!(seen.insert(one.label(&lang)));
            }
        }
    }

    #[test]
    fn a_profile_is_told_by_a_word_and_nothing_else_is_touched() {
        let of = |attribute| known(&[attribute])[0].shown(&Lang::Fr);
        assert_eq!(of(Attribute::Profile), "enseignant, x");
        assert_eq!(of(Attribute::Class), "National_ENS, x");
        let mut gender = known(&[Attribute::Gender]);
        gender[0].values = vec!["female".into()];
        assert_eq!(
            (gender[0].shown(&Lang::Fr), gender[0].shown(&Lang::En)),
            ("femme".into(), "female".into())
        );
    }

    #[test]
    fn a_right_is_told_in_words() {
        assert!(right(Lang::Fr, "offline_access").contains("absence"));
        let told = right(Lang::En, "https://menus.example/api#menus:read");
        assert!(
            told.contains("menus:read") && told.contains("https://menus.example/api"),
            "{told}"
        );
    }
}
