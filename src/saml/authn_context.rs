//! How surely a person must have signed in, in the words of SAML (saml-core §3.3.2.2.1), and what their login is called in
//! the answer (§2.7.2.2).
//!
//! | name | our class |
//! | --- | --- |
//! | `…:ac:classes:PasswordProtectedTransport`, `…:Password`, REFEDS SFA | one factor; the two former are met by several too |
//! | REFEDS MFA | several factors |
//! | `urn:marelle:acr:class` | a child's supervised login |
//! | `…:ac:classes:unspecified` | any |
//! | the one name that a party knows (`authn_context`) | any |
//! | another | none: it compares with nothing |
//!
//! The answer never says more than the login was, unless the operator has said that a party knows one name only.

use serde::{Deserialize, Serialize};

use super::xml::{Namespace, Node};
use crate::domain::assurance::Acr;
use crate::domain::relying_party::RelyingParty;
use crate::domain::stored_names;

const PROTECTED_TRANSPORT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
/// The most classes that are read of one request.
const MOST: usize = 20;

/// How what is asked compares with what the login is (§3.3.2.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// One of them.
    #[default]
    Exact,
    /// At least as sure as one of them.
    Minimum,
    /// Surer than all of them.
    Better,
    /// As sure as can be, but not surer than one of them.
    Maximum,
}
stored_names!(Comparison, "comparison", {
    Exact => "exact", Minimum => "minimum", Better => "better", Maximum => "maximum",
});

/// `samlp:RequestedAuthnContext`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How to compare.
    pub comparison: Comparison,
    /// The names, in order of preference.
    pub classes: Vec<String>,
}

impl Asked {
    /// Reads a `RequestedAuthnContext`; `None` for a comparison that there is not. Declarations (`AuthnContextDeclRef`) are
    /// names that nobody here knows.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let comparison = node
            .attribute("Comparison")
            .map_or(Ok(Comparison::Exact), str::parse);
        let classes = node.children_named(Namespace::Saml, "AuthnContextClassRef");
        let classes = classes.take(MOST).filter_map(Node::text);
        Some(Self {
            comparison: comparison.ok()?,
            classes: classes.map(|name| name.trim().to_owned()).collect(),
        })
    }
}

/// What a party demands of a login, by its request and by what the operator says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assurance {
    asked: Option<Asked>,
    only: Option<String>,
    least: Option<Acr>,
    /// The surest that anybody can sign in with.
    surest: Acr,
}

impl Assurance {
    /// Of a request to a party.
    pub fn new(asked: Option<Asked>, party: &RelyingParty) -> Self {
        let saml = party.saml.as_ref();
        Self {
            asked,
            only: saml.and_then(|saml| saml.authn_context.clone()),
            least: party.metadata.minimum_acr,
            surest: Acr::surest_here(),
        }
    }

    /// The same, where another provider proves that much.
    #[must_use]
    pub fn where_surest_is(self, surest: Acr) -> Self {
        Self { surest, ..self }
    }

    /// What a login of this class is called in the answer; `None` where it will not do.
    pub fn class_of(&self, acr: Acr) -> Option<String> {
        if self.least.is_some_and(|least| acr < least) {
            return None;
        }
        let own = || self.only.clone().unwrap_or_else(|| own_name(acr).to_owned());
        let Some(asked) = &self.asked else {
            return Some(own());
        };
        let fitting = asked.classes.iter().find(|class| self.fits(class, acr)).cloned();
        let ranks = || asked.classes.iter().filter_map(|class| self.rank(class));
        let will_do = match asked.comparison {
            Comparison::Exact => return fitting,
            Comparison::Minimum => ranks().any(|rank| acr >= rank),
            Comparison::Better => ranks().next().is_some() && ranks().all(|rank| acr > rank),
            Comparison::Maximum => ranks().any(|rank| acr <= rank) || fitting.is_some(),
        };
        match asked.comparison {
            // It is another one than all that were named.
            Comparison::Better => will_do.then(own),
            _ => will_do.then(|| fitting.unwrap_or_else(own)),
        }
    }

    /// Whether a login of this class will do.
    pub fn is_met_by(&self, acr: Acr) -> bool {
        self.class_of(acr).is_some()
    }

    /// Whether there is a way to sign in that will do.
    pub fn can_be_met(&self) -> bool {
        self.surest.and_below().any(|acr| self.is_met_by(acr))
    }

    /// Whether nothing will do but a child's supervised login: then the way begins at the class page.
    pub fn begins_at_class(&self) -> bool {
        let only_class = |acr| acr == Acr::Class || !self.is_met_by(acr);
        self.is_met_by(Acr::Class) && self.surest.and_below().all(only_class)
    }

    /// Whether a login of a class is one of that name.
    fn fits(&self, name: &str, acr: Acr) -> bool {
        match name {
            _ if self.only.as_deref() == Some(name) => true,
            PROTECTED_TRANSPORT | PASSWORD => acr >= Acr::SingleFactor,
            UNSPECIFIED => true,
            _ => name == acr.as_str(),
        }
    }

    /// Where a name stands among our classes.
    fn rank(&self, name: &str) -> Option<Acr> {
        match name {
            _ if self.only.as_deref() == Some(name) => Some(Acr::Class),
            PROTECTED_TRANSPORT | PASSWORD => Some(Acr::SingleFactor),
            UNSPECIFIED => Some(Acr::Class),
            _ => name.parse().ok(),
        }
    }
}

/// What a login is called where nobody asks for a name: what most services know, and our own for what none knows.
const fn own_name(acr: Acr) -> &'static str {
    match acr {
        Acr::SingleFactor => PROTECTED_TRANSPORT,
        Acr::Class | Acr::MultiFactor => acr.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::SamlParty;
    use crate::domain::testing::party;

    const SFA: &str = Acr::SingleFactor.as_str();
    const MFA: &str = Acr::MultiFactor.as_str();
    const CLASS: &str = Acr::Class.as_str();

    fn demanded(comparison: Comparison, classes: &[&str], only: Option<&str>) -> Assurance {
        let mut ent = party("ent");
        ent.saml = Some(SamlParty {
            authn_context: only.map(str::to_owned),
            ..SamlParty::default()
        });
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        Assurance::new(Some(Asked { comparison, classes }), &ent)
    }

    #[test]
    fn core_section_3_3_2_2_1_each_comparison_lets_in_what_it_says() {
        use Comparison::{Better, Exact, Maximum, Minimum};
        // Comparison, asked, what logins of the classes class, sfa, mfa are called.
        type Case<'a> = (Comparison, &'a [&'a str], [Option<&'a str>; 3]);
        let cases: &[Case<'_>] = &[
            (
                Exact,
                &[PROTECTED_TRANSPORT],
                [None, Some(PROTECTED_TRANSPORT), Some(PROTECTED_TRANSPORT)],
            ),
            (Exact, &[PASSWORD], [None, Some(PASSWORD), Some(PASSWORD)]),
            (Exact, &[SFA], [None, Some(SFA), None]),
            (Exact, &[MFA, SFA], [None, Some(SFA), Some(MFA)]),
            (
                Exact,
                &[CLASS, PASSWORD],
                [Some(CLASS), Some(PASSWORD), Some(PASSWORD)],
            ),
            (
                Exact,
                &[UNSPECIFIED],
                [Some(UNSPECIFIED), Some(UNSPECIFIED), Some(UNSPECIFIED)],
            ),
            (Exact, &["urn:x"], [None, None, None]),
            (Exact, &[], [None, None, None]),
            (Minimum, &[PASSWORD], [None, Some(PASSWORD), Some(PASSWORD)]),
            (Minimum, &[SFA], [None, Some(SFA), Some(MFA)]),
            (
                Minimum,
                &[CLASS],
                [Some(CLASS), Some(PROTECTED_TRANSPORT), Some(MFA)],
            ),
            (Minimum, &["urn:x"], [None, None, None]),
            (Better, &[CLASS], [None, Some(PROTECTED_TRANSPORT), Some(MFA)]),
            (Better, &[CLASS, PASSWORD], [None, None, Some(MFA)]),
            (Better, &["urn:x"], [None, None, None]),
            (Maximum, &[SFA], [Some(CLASS), Some(SFA), None]),
            (Maximum, &[CLASS], [Some(CLASS), None, None]),
        ];
        for (comparison, classes, expected) in cases {
            let assurance = demanded(*comparison, classes, None);
            for (acr, expected) in Acr::ALL.iter().zip(expected) {
                let called = assurance.class_of(*acr);
                assert_eq!(called.as_deref(), *expected, "{comparison} {classes:?} {acr}");
            }
        }
    }

    #[test]
    fn who_knows_one_name_only_is_told_that_name_and_no_other() {
        let only = Some(PROTECTED_TRANSPORT);
        let exact = demanded(Comparison::Exact, &[PROTECTED_TRANSPORT], only);
        assert_eq!(exact.class_of(Acr::Class).as_deref(), only);
        assert!(!exact.begins_at_class());
        let plain = Assurance { asked: None, ..exact };
        assert!(Acr::ALL.iter().all(|acr| plain.class_of(*acr).as_deref() == only));
        let another = demanded(Comparison::Exact, &[MFA], only);
        assert!(!another.can_be_met(), "one name more is no name less");
    }

    #[test]
    fn the_least_that_a_party_accepts_holds_whatever_it_asks() {
        let mut ent = party("ent");
        ent.metadata.minimum_acr = Some(Acr::SingleFactor);
        let sure = Assurance::new(None, &ent);
        assert!(!sure.is_met_by(Acr::Class) && sure.is_met_by(Acr::SingleFactor));
        let classes = vec![CLASS.to_owned()];
        let asked = Asked {
            comparison: Comparison::Exact,
            classes,
        };
        assert!(!Assurance::new(Some(asked), &ent).can_be_met());
        assert!(demanded(Comparison::Exact, &[CLASS], None).begins_at_class());
    }
}
