//! What a relying party receives about a person, and why: the one place where attributes leave.
//!
//! An attribute leaves only where its scope was asked for **and** the party's policy lists it; of the enrolments, only
//! those in schools the party serves. Must never release anything by default.

use serde_json::{Map, Value, json};

use crate::domain::enrolment::Enrolment;
use crate::domain::grant::{Scope, Scopes};
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Attribute, Release, RelyingParty};

/// The claim that carries enrolments: a list of objects.
pub const EDUCATION: &str = "education";

/// What became of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It leaves, for this purpose, under this convention.
    Released(Release),
    /// The scope that carries it was not asked for.
    NotAsked(Scope),
    /// The party's policy does not list it.
    NotInPolicy,
    /// The person has none.
    NoValue,
}

/// What leaves, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The claims, without `sub`.
    pub claims: Map<String, Value>,
    /// Every attribute there is, with what became of it.
    pub verdicts: Vec<(Attribute, Verdict)>,
}

/// The scope that carries an attribute (OpenID Connect Core §5.4 for `profile`).
pub const fn scope_of(attribute: Attribute) -> Scope {
    match attribute {
        Attribute::GivenName
        | Attribute::FamilyName
        | Attribute::Name
        | Attribute::PreferredUsername
        | Attribute::BirthDate
        | Attribute::Locale => Scope::Profile,
        Attribute::Email => Scope::Email,
        Attribute::PhoneNumber => Scope::Phone,
        Attribute::Address => Scope::Address,
        Attribute::Uai | Attribute::Level | Attribute::Class | Attribute::Profile => Scope::Education,
    }
}

/// The names of the claims there are, for the discovery document.
pub fn names() -> Vec<&'static str> {
    let of_profile = Attribute::ALL
        .iter()
        .filter(|attribute| scope_of(**attribute) == Scope::Profile);
    of_profile
        .map(|attribute| attribute.as_str())
        .chain([EDUCATION])
        .collect()
}

/// Releases to `party` what `scopes` ask of a person, `live` being their enrolments of today.
pub fn release(party: &RelyingParty, scopes: &Scopes, identity: &Identity, live: &[Enrolment]) -> Released {
    let served: Vec<&Enrolment> = live
        .iter()
        .filter(|enrolment| party.serves(&enrolment.school))
        .collect();
    let mut claims = Map::new();
    let mut education: Vec<Map<String, Value>> = vec![Map::new(); served.len()];
    let mut verdicts = Vec::new();
    for attribute in Attribute::ALL.iter().copied() {
        let verdict = match permission(party, scopes, attribute) {
            Err(verdict) => verdict,
            Ok(line) => {
                let found = match scope_of(attribute) {
                    Scope::Education => write_each(attribute, &served, &mut education),
                    _ => write(attribute, identity, &mut claims),
                };
                if found {
                    Verdict::Released(line.clone())
                } else {
                    Verdict::NoValue
                }
            }
        };
        verdicts.push((attribute, verdict));
    }
    education.retain(|enrolment| !enrolment.is_empty());
    // Two feeds may state one enrolment; what is left of them may then be the same.
    let mut distinct: Vec<Map<String, Value>> = Vec::new();
    for enrolment in education {
        if !distinct.contains(&enrolment) {
            distinct.push(enrolment);
        }
    }
    if !distinct.is_empty() {
        claims.insert(EDUCATION.to_owned(), json!(distinct));
    }
    Released { claims, verdicts }
}

fn permission<'a>(
    party: &'a RelyingParty,
    scopes: &Scopes,
    attribute: Attribute,
) -> Result<&'a Release, Verdict> {
    let scope = scope_of(attribute);
    if !scopes.contains(scope) {
        return Err(Verdict::NotAsked(scope));
    }
    party
        .release
        .0
        .iter()
        .find(|line| line.attribute == attribute)
        .ok_or(Verdict::NotInPolicy)
}

/// Writes a claim of the person; whether they have it.
fn write(attribute: Attribute, identity: &Identity, claims: &mut Map<String, Value>) -> bool {
    let value = match attribute {
        Attribute::GivenName => Some(identity.given_name.clone()),
        Attribute::FamilyName => Some(identity.shown_family_name().to_owned()),
        Attribute::Name => Some(identity.display_name()),
        Attribute::PreferredUsername => identity.username.clone(),
        Attribute::BirthDate => identity.birth_date.map(|date| date.to_string()),
        Attribute::Locale => identity.locale.clone(),
        Attribute::Email | Attribute::PhoneNumber | Attribute::Address => None,
        Attribute::Uai | Attribute::Level | Attribute::Class | Attribute::Profile => None,
    };
    put(attribute, value, claims)
}

/// Writes a member of each enrolment; whether one of them has it.
fn write_each(attribute: Attribute, served: &[&Enrolment], education: &mut [Map<String, Value>]) -> bool {
    let mut found = false;
    for (enrolment, object) in served.iter().zip(education) {
        let value = match attribute {
            Attribute::Uai => Some(enrolment.school.to_string()),
            Attribute::Level => enrolment.level.clone(),
            Attribute::Class => enrolment.class_label.clone(),
            Attribute::Profile => Some(enrolment.profile.to_string()),
            _ => None,
        };
        found |= put(attribute, value, object);
    }
    found
}

fn put(attribute: Attribute, value: Option<String>, into: &mut Map<String, Value>) -> bool {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => {
            into.insert(attribute.as_str().to_owned(), value.into());
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{enrolment, party, person};
    use crate::oidc::access::is_open;

    fn everything() -> Scopes {
        Scopes::known_of("openid profile email address phone education")
    }

    #[test]
    fn what_is_asked_for_and_listed_leaves() {
        let lina = person("Lina", 1);
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let released = release(&party("ent"), &everything(), &lina, &live);
        let expected = json!({
            "given_name": "Lina", "family_name": "Le Goff", "name": "Lina Le Goff", "birthdate": "2016-08-17",
            "education": [{ "uai": "9990001X", "level": "CM2", "class": "CM2 A", "profile": "National_ELV" }],
        });
        assert_eq!(Value::Object(released.claims), expected);
        let verdict = |wanted| {
            &released
                .verdicts
                .iter()
                .find(|(attribute, _)| *attribute == wanted)
                .unwrap()
                .1
        };
        assert_eq!(*verdict(Attribute::PreferredUsername), Verdict::NoValue);
        assert!(matches!(verdict(Attribute::Uai), Verdict::Released(line) if line.convention == "2026-17"));
        assert_eq!(released.verdicts.len(), Attribute::ALL.len());
    }

    #[test]
    fn nothing_leaves_without_scope_or_without_policy() {
        let lina = person("Lina", 1);
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let unasked = release(&party("ent"), &Scopes::known_of("openid"), &lina, &live);
        assert!(unasked.claims.is_empty());
        assert!(
            unasked
                .verdicts
                .iter()
                .all(|(_, verdict)| matches!(verdict, Verdict::NotAsked(_)))
        );
        let mut silent = party("ent");
        silent.release.0.clear();
        let unlisted = release(&silent, &everything(), &lina, &live);
        assert!(unlisted.claims.is_empty());
        assert!(
            unlisted
                .verdicts
                .iter()
                .all(|(_, verdict)| *verdict == Verdict::NotInPolicy)
        );
        // Each attribute alone: only its own claim leaves.
        for attribute in Attribute::ALL {
            let mut one = party("ent");
            one.release.0.retain(|line| line.attribute == *attribute);
            let claims = release(&one, &everything(), &lina, &live).claims;
            let text = Value::Object(claims.clone()).to_string();
            assert!(claims.len() <= 1, "{text}");
            let others = Attribute::ALL.iter().filter(|other| *other != attribute);
            for other in others {
                assert!(!text.contains(&format!("\"{other}\"")), "{attribute}: {text}");
            }
        }
    }

    #[test]
    fn only_enrolments_in_schools_the_party_serves_leave() {
        let lina = person("Lina", 1);
        let live = [
            enrolment(&lina, "9990001X", "CM2"),
            enrolment(&lina, "9990101F", "6EME"),
        ];
        let mut college = party("ent");
        college.schools = vec!["9990101F".parse().unwrap()];
        let claims = release(&college, &everything(), &lina, &live).claims;
        assert_eq!(claims[EDUCATION].as_array().unwrap().len(), 1);
        assert_eq!(claims[EDUCATION][0]["uai"], "9990101F");
        assert!(is_open(&college, &live) && !is_open(&college, &live[..1]) && !is_open(&college, &[]));
        assert!(is_open(&party("ent"), &[]), "no list of schools: everybody");
        let twice = [live[0].clone(), live[0].clone()];
        assert_eq!(
            release(&party("ent"), &everything(), &lina, &twice).claims[EDUCATION]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}
