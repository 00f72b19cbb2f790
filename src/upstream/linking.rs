//! Whose login it is: one decision from what a provider says and what the house knows.
//!
//! | proof, in this order | binds where | else |
//! | --- | --- | --- |
//! | a known link | nothing that is stated contradicts the person | a human: the identifier may be somebody else's now |
//! | a source key | every key that is known leads to one person, of that population, whom nothing contradicts | a human |
//! | a guardian's vectors | they lead to pupils, and one guardian of these has that name; where none has, a new adult | a human |
//! | a guardian's vectors | none: they lead to nobody, in an école whose feed states no number | a human says which pupil |
//! | the INE | it leads to one person, given and family name agree, nothing contradicts, no twin | a human |
//! | nothing | | as the provider's policy says: refuse, ask, a human, create |
//!
//! A name and a birth date never bind: they only keep a new identity from being made beside somebody whom they could mean.

use super::introduction::Introduction;
use super::vector::Vecteur;
use crate::base::id::IdentityId;
use crate::base::text::fold;
use crate::base::time::Date;
use crate::domain::education::Profile;
use crate::domain::identity::Identity;
use crate::domain::stored_names;
use crate::domain::upstream::{Binding, Linking, Otherwise, Population};

/// What the house knows of somebody who may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub identity: IdentityId,
    /// Whether they may sign in.
    pub may_sign_in: bool,
    /// Given names that their records and their identity have, folded, spaces kept.
    pub given_keys: Vec<String>,
    /// Family and usage names, folded, spaces kept.
    pub family_keys: Vec<String>,
    /// Birth dates; empty where nobody knows it.
    pub birth_dates: Vec<Date>,
    /// What they are, by their records and enrolments; empty where nobody says.
    pub profiles: Vec<Profile>,
    /// Whether somebody else has their family name and their birth date.
    pub has_twin: bool,
}

/// Everybody who may be meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Of the link, where there is one.
    pub linked: Option<Known>,
    /// Of the source keys.
    pub by_key: Vec<Known>,
    /// Of the INE.
    pub by_ine: Vec<Known>,
    /// Of the name and the birth date.
    pub namesakes: Vec<Known>,
    /// The pupils whom a guardian's vectors lead to.
    pub children: Vec<IdentityId>,
    /// A guardian's vectors whose école is declared here, while no record has that number: ONDE does not state it.
    pub unknown_children: Vec<Vecteur>,
}

/// Why a human has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// What is stated contradicts the person who was linked: the identifier may have been given to somebody else.
    LinkContradicted,
    /// Keys lead to several people.
    KeysDisagree,
    /// A key leads to somebody whose name or birth date is another.
    KeyContradicted,
    /// The INE leads to several people, or to somebody who may be another, or has a twin.
    IneDoubtful,
    /// Somebody of that name and birth date is known.
    Namesake,
    /// Nothing leads to anybody, and the provider's policy has a human look.
    Unknown,
    /// A guardian's child has a number in the register of an école that no feed has told us.
    ChildUnknown,
}
stored_names!(Doubt, "doubt", {
    LinkContradicted => "link_contradicted", KeysDisagree => "keys_disagree", KeyContradicted => "key_contradicted",
    IneDoubtful => "ine_doubtful", Namesake => "namesake", Unknown => "unknown",
    ChildUnknown => "child_unknown",
});

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The provider is not for people like them.
    Population,
    /// The person may not sign in.
    NotAllowed,
    /// Nobody knows them, and the policy lets nobody else in.
    Unknown,
}
stored_names!(Refusal, "refusal", { Population => "population", NotAllowed => "not_allowed", Unknown => "unknown" });

/// What becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They are signed in; with what binds them, where no link did.
    SignIn {
        /// Who.
        identity: IdentityId,
        /// What binds a new link; `None` where it is known.
        binding: Option<Binding>,
    },
    /// They sign in once as before.
    Ask,
    /// A human says who they are.
    Case {
        /// Why.
        doubt: Doubt,
        /// Who may be meant.
        candidates: Vec<IdentityId>,
    },
    /// They become a new identity.
    Create,
    /// They are not let in.
    Refused(Refusal),
}

/// Decides.
pub fn decide(
    linking: Linking,
    populations: &[Population],
    person: &Introduction,
    found: &Candidates,
) -> Decision {
    let is_for = |stated: &Population| populations.contains(stated);
    if !person.populations.is_empty() && !person.populations.iter().any(is_for) {
        return Decision::Refused(Refusal::Population);
    }
    if let Some(linked) = &found.linked {
        if contradicts(person, linked) || leads_elsewhere(linked, &found.by_key) {
            return case(Doubt::LinkContradicted, std::slice::from_ref(linked));
        }
        return sign_in(linked, None);
    }
    if linking.by_source_key && !found.by_key.is_empty() {
        return by_key(person, &found.by_key);
    }
    if linking.by_ine && !found.by_ine.is_empty() {
        return by_ine(person, &found.by_ine);
    }
    let is_guardian = linking.guardians_by_child && person.is_guardian();
    let is_their_guardian = is_guardian && !found.children.is_empty();
    if is_guardian && !is_their_guardian && !found.unknown_children.is_empty() {
        return case(Doubt::ChildUnknown, &[]);
    }
    let otherwise = if is_their_guardian {
        Otherwise::Create
    } else {
        linking.otherwise
    };
    match otherwise {
        Otherwise::Refuse => Decision::Refused(Refusal::Unknown),
        Otherwise::Ask => Decision::Ask,
        Otherwise::Case => case(Doubt::Unknown, &found.namesakes),
        // Nobody is made whom we may know, nor somebody without a name.
        Otherwise::Create if !found.namesakes.is_empty() => case(Doubt::Namesake, &found.namesakes),
        Otherwise::Create if person.given_key().is_none() || person.family_key().is_none() => {
            case(Doubt::Unknown, &[])
        }
        Otherwise::Create => Decision::Create,
    }
}

fn sign_in(known: &Known, binding: Option<Binding>) -> Decision {
    if known.may_sign_in {
        Decision::SignIn {
            identity: known.identity,
            binding,
        }
    } else {
        Decision::Refused(Refusal::NotAllowed)
    }
}

fn case(doubt: Doubt, candidates: &[Known]) -> Decision {
    Decision::Case {
        doubt,
        candidates: candidates.iter().map(|known| known.identity).collect(),
    }
}

/// Keys that lead to others than the person of the link: one of the two is wrong.
fn leads_elsewhere(linked: &Known, by_key: &[Known]) -> bool {
    !by_key.is_empty() && !by_key.iter().any(|known| known.identity == linked.identity)
}

fn by_key(person: &Introduction, found: &[Known]) -> Decision {
    let [only] = found else {
        return case(Doubt::KeysDisagree, found);
    };
    if differs(person, only) || is_another_kind(person, only) {
        return case(Doubt::KeyContradicted, found);
    }
    sign_in(only, Some(Binding::SourceKey))
}

fn by_ine(person: &Introduction, found: &[Known]) -> Decision {
    let [only] = found else {
        return case(Doubt::IneDoubtful, found);
    };
    let agrees = |key: Option<String>, known: &[String]| key.is_some_and(|key| is_among(&key, known));
    let is_named =
        agrees(person.given_key(), &only.given_keys) && agrees(person.family_key(), &only.family_keys);
    if !is_named || differs(person, only) || only.has_twin || is_another_kind(person, only) {
        return case(Doubt::IneDoubtful, found);
    }
    sign_in(only, Some(Binding::Ine))
}

/// Whether a name is one of these: the same letters, or some of the same words from the first one on (`Angela Claire` is
/// `Angela`; `Louis` is not `Lou`).
fn is_among(name: &str, known: &[String]) -> bool {
    let letters = |name: &str| name.replace(' ', "");
    let begins = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        !short.is_empty() && rest.is_some_and(|rest| rest.starts_with(' '))
    };
    known
        .iter()
        .any(|known| letters(known) == letters(name) || begins(known, name) || begins(name, known))
}

fn other_name(key: Option<String>, known: &[String]) -> bool {
    key.is_some_and(|key| !known.is_empty() && !is_among(&key, known))
}

fn other_birth_date(person: &Introduction, known: &Known) -> bool {
    person
        .birth_date
        .is_some_and(|date| !known.birth_dates.is_empty() && !known.birth_dates.contains(&date))
}

/// Whether anything that is stated and known is another: enough to ask a human before a link is made.
fn differs(person: &Introduction, known: &Known) -> bool {
    other_birth_date(person, known) || other_name(person.given_key(), &known.given_keys)
}

/// Whether what is stated can hardly be of that person: enough to doubt a link that was good. A name changes, a birth date
/// is corrected; both at once are somebody else.
fn contradicts(person: &Introduction, known: &Known) -> bool {
    let given = other_name(person.given_key(), &known.given_keys);
    let family = other_name(person.family_key(), &known.family_keys);
    (other_birth_date(person, known) && (given || family)) || (given && family)
}

/// Whether what is stated can hardly be of somebody who has just proved who they are.
pub fn contradicts_identity(person: &Introduction, identity: &Identity) -> bool {
    let names = |name: &str| vec![fold(name)];
    let mut family_keys = names(&identity.family_name);
    family_keys.extend(identity.usage_name.as_deref().map(fold));
    contradicts(
        person,
        &Known {
            identity: identity.id,
            may_sign_in: true,
            given_keys: names(&identity.given_name),
            family_keys,
            birth_dates: identity.birth_date.into_iter().collect(),
            profiles: Vec::new(),
            has_twin: false,
        },
    )
}

/// Whether the person is stated to be a pupil and known to be none, or the other way round.
fn is_another_kind(person: &Introduction, known: &Known) -> bool {
    let says_pupil =
        |population: &Population| matches!(population, Population::PupilFirst | Population::PupilSecond);
    if person.populations.is_empty() || known.profiles.is_empty() {
        return false;
    }
    let stated = person.populations.iter().any(says_pupil);
    stated != known.profiles.contains(&Profile::Pupil)
}

#[cfg(test)]
mod tests;
