//! Whether an attribute of a person may leave to a relying party, and what it is: the one door, whatever the protocol.
//!
//! An attribute leaves only where the party asked for it **and** its policy lists it; of the enrolments, only those in
//! schools it serves. How a protocol writes what leaves is the protocol's: `oidc::claims`, `saml::attribute`,
//! `cas::attribute`. Must never release anything by default, and never hand out the person themselves.

use std::collections::BTreeMap;

use crate::domain::contact::{Address, Contact, Email, PhoneNumber, Verified};
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Attribute, Release, RelyingParty};
use crate::domain::source::{AafKey, Sex};

/// What became of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It leaves, for this purpose, under this convention.
    Released(Release),
    /// The party did not ask for it.
    NotAsked,
    /// The party's policy does not list it.
    NotInPolicy,
    /// The person has none, or none that would do.
    NoValue,
}

/// What is known of the person.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Who they are.
    pub identity: &'a Identity,
    /// How they are reached, where that was looked for and there is a way.
    pub contact: Option<&'a Contact>,
    /// Their enrolments of today, where they were looked for.
    pub live: &'a [Enrolment],
    /// Who they are in the feeds of the ministry, where that was looked for.
    pub keys: &'a [AafKey],
}

/// What a party may know of one enrolment: each attribute that leaves, with its value.
pub type Schooling = BTreeMap<Attribute, String>;

/// What may leave about one person to one party: everything is asked of it attribute by attribute, and it answers nothing
/// that may not leave.
#[derive(Debug, Clone, Copy)]
pub struct Disclosure<'a> {
    party: &'a RelyingParty,
    about: About<'a>,
    asked: &'a dyn Asks,
}

/// What a party asks for.
pub trait Asks: std::fmt::Debug + Sync {
    /// Whether it asks for an attribute.
    fn includes(&self, attribute: Attribute) -> bool;
}

/// A party whose protocol has no words for asking gets all that its policy lists (SAML, CAS).
#[derive(Debug, Clone, Copy)]
pub struct AllListed;

impl Asks for AllListed {
    fn includes(&self, _: Attribute) -> bool {
        true
    }
}

/// Whether an attribute may leave to a party that asks so, were there a value.
///
/// # Errors
/// The verdict, where it may not.
pub fn permission<'a>(
    party: &'a RelyingParty,
    asked: &dyn Asks,
    attribute: Attribute,
) -> Result<&'a Release, Verdict> {
    if !asked.includes(attribute) {
        return Err(Verdict::NotAsked);
    }
    let line = party.release.0.iter().find(|line| line.attribute == attribute);
    line.ok_or(Verdict::NotInPolicy)
}

/// Opens the door to one person for one party.
pub fn disclose<'a>(party: &'a RelyingParty, asked: &'a dyn Asks, about: About<'a>) -> Disclosure<'a> {
    Disclosure { party, about, asked }
}

impl<'a> Disclosure<'a> {
    /// Whether an attribute may leave, were there a value.
    ///
    /// # Errors
    /// The verdict, where it may not.
    pub fn permission(&self, attribute: Attribute) -> Result<&'a Release, Verdict> {
        permission(self.party, self.asked, attribute)
    }

    fn may(&self, attribute: Attribute) -> bool {
        self.permission(attribute).is_ok()
    }

    /// The text of an attribute of the person themselves; none for what is no text, or is an enrolment's.
    pub fn text(&self, attribute: Attribute) -> Option<String> {
        let identity = self.about.identity;
        if !self.may(attribute) {
            return None;
        }
        let value = match attribute {
            Attribute::GivenName => Some(identity.given_name.clone()),
            Attribute::FamilyName => Some(identity.shown_family_name().to_owned()),
            Attribute::Name => Some(identity.display_name()),
            Attribute::PreferredUsername => identity.username.clone(),
            Attribute::BirthDate => identity.birth_date.map(|date| date.to_string()),
            Attribute::Gender => identity.sex.map(|sex| gender(sex).to_owned()),
            Attribute::Locale => identity.locale.clone(),
            Attribute::Email => self.email().map(|email| email.value.as_str().to_owned()),
            Attribute::PhoneNumber => self.phone_number().map(|phone| phone.value.as_str().to_owned()),
            Attribute::Address
            | Attribute::Uai
            | Attribute::Level
            | Attribute::Class
            | Attribute::Profile
            | Attribute::EntPersonJointure
            | Attribute::FrEduCtRefId
            | Attribute::FrEduVecteur => None,
        };
        value.filter(|value| !value.is_empty())
    }

    /// The address of electronic mail.
    pub fn email(&self) -> Option<&'a Verified<Email>> {
        self.contact_for(Attribute::Email)?.email.as_ref()
    }

    /// The telephone number.
    pub fn phone_number(&self) -> Option<&'a Verified<PhoneNumber>> {
        self.contact_for(Attribute::PhoneNumber)?.phone.as_ref()
    }

    /// The postal address.
    pub fn address(&self) -> Option<&'a Address> {
        self.contact_for(Attribute::Address)?.address.as_ref()
    }

    fn contact_for(&self, attribute: Attribute) -> Option<&'a Contact> {
        self.about.contact.filter(|_| self.may(attribute))
    }

    /// The distinct values of an attribute that the feeds of the ministry give, of the schools that the party serves, in
    /// their order; none for any other attribute.
    pub fn keys(&self, attribute: Attribute) -> Vec<String> {
        self.written_keys(attribute, |key| match attribute {
            Attribute::EntPersonJointure => key.jointure(),
            Attribute::FrEduCtRefId => Some(key.ref_id()),
            Attribute::FrEduVecteur => key.vecteur(),
            _ => None,
        })
    }

    /// The key of the academy as ENTs on entcore know their accounts: where it may leave, and there is one and no other.
    pub fn external_id(&self) -> Option<String> {
        let mut all = self.written_keys(Attribute::EntPersonJointure, AafKey::external_id);
        all.pop().filter(|_| all.is_empty())
    }

    fn written_keys(&self, attribute: Attribute, write: impl Fn(&AafKey) -> Option<String>) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        if !self.may(attribute) {
            return values;
        }
        let served = self
            .about
            .keys
            .iter()
            .filter(|key| self.party.serves(&key.school));
        for value in served.filter_map(write) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The enrolments in schools that the party serves and that say what the person is today, each with what may leave of it; one of which nothing leaves is left
    /// out, and so is the second of two that look the same: two feeds may state one enrolment.
    pub fn schooling(&self) -> Vec<Schooling> {
        let served = self
            .about
            .live
            .iter()
            .filter(|enrolment| enrolment.is_current && self.party.serves(&enrolment.school));
        let mut all: Vec<Schooling> = Vec::new();
        for enrolment in served {
            let values = [
                (Attribute::Uai, Some(enrolment.school.to_string())),
                (Attribute::Level, enrolment.level.clone()),
                (Attribute::Class, enrolment.class_label.clone()),
                (Attribute::Profile, Some(enrolment.profile.to_string())),
            ];
            let told = |(attribute, value): (Attribute, Option<String>)| {
                let value = value.filter(|value| !value.is_empty())?;
                self.may(attribute).then_some((attribute, value))
            };
            let one: Schooling = values.into_iter().filter_map(told).collect();
            if !one.is_empty() && !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    /// The distinct values that an attribute has over the enrolments, in their order.
    pub fn of_schooling(&self, attribute: Attribute) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for mut one in self.schooling() {
            if let Some(value) = one.remove(&attribute)
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
        values
    }
}

/// OpenID Connect Core §5.1 defines these two values of `gender`.
const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{aaf_key, contact, enrolment, party, person};

    #[test]
    fn whatever_is_asked_nothing_leaves_that_the_policy_does_not_list() {
        let (mut lina, sample) = (person("Lina", 1), contact("lina"));
        (lina.sex, lina.locale) = (Some(Sex::Female), Some("fr".into()));
        lina.username = Some("lina.legoff".into());
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let keys = [aaf_key("9990001X")];
        let about = About {
            identity: &lina,
            contact: Some(&sample),
            live: &live,
            keys: &keys,
        };
        for only in Attribute::ALL {
            let mut ent = party("ent");
            ent.release.0.retain(|line| line.attribute == *only);
            let disclosure = disclose(&ent, &AllListed, about);
            for attribute in Attribute::ALL {
                let is_there = disclosure.text(*attribute).is_some()
                    || !disclosure.of_schooling(*attribute).is_empty()
                    || !disclosure.keys(*attribute).is_empty()
                    || (*attribute == Attribute::Address && disclosure.address().is_some());
                assert_eq!(is_there, attribute == only, "{attribute} where {only} is listed");
            }
        }
    }

    #[test]
    fn what_was_not_asked_for_does_not_leave() {
        #[derive(Debug)]
        struct Nothing;
        impl Asks for Nothing {
            fn includes(&self, _: Attribute) -> bool {
                false
            }
        }
        let lina = person("Lina", 1);
        let (ent, live) = (party("ent"), [enrolment(&lina, "9990001X", "CM2")]);
        let about = About {
            identity: &lina,
            contact: None,
            live: &live,
            keys: &[],
        };
        let disclosure = disclose(&ent, &Nothing, about);
        assert!(disclosure.schooling().is_empty());
        for attribute in Attribute::ALL {
            assert_eq!(disclosure.text(*attribute), None);
            assert_eq!(disclosure.permission(*attribute), Err(Verdict::NotAsked));
        }
    }

    #[test]
    fn a_key_of_the_ministry_leaves_for_its_schools_and_names_one_account_or_none() {
        let lina = person("Lina", 1);
        let mut ent = party("ent");
        ent.schools = vec!["9990001X".parse().unwrap()];
        let mut elsewhere = aaf_key("9990101F");
        elsewhere.jointure = "9".into();
        let told = |keys: &[AafKey]| {
            let about = About {
                identity: &lina,
                contact: None,
                live: &[],
                keys,
            };
            let disclosure = disclose(&ent, &AllListed, about);
            (disclosure.keys(Attribute::FrEduCtRefId), disclosure.external_id())
        };
        let here = aaf_key("9990001X");
        let one = (
            vec!["{AAF}20||1234567".to_owned()],
            Some("AMIENS-1234567".to_owned()),
        );
        assert_eq!(told(&[here.clone(), elsewhere.clone(), here.clone()]), one);
        elsewhere.school = here.school.clone();
        assert_eq!(told(&[here, elsewhere]).1, None, "which of the two?");
    }

    #[test]
    fn enrolments_elsewhere_are_not_told_and_one_that_two_feeds_state_is_told_once() {
        let lina = person("Lina", 1);
        let (here, elsewhere) = (
            enrolment(&lina, "9990001X", "CM2"),
            enrolment(&lina, "9990101F", "6EME"),
        );
        let live = [here.clone(), elsewhere, here];
        let about = About {
            identity: &lina,
            contact: None,
            live: &live,
            keys: &[],
        };
        let mut ent = party("ent");
        ent.schools = vec!["9990001X".parse().unwrap()];
        let told = disclose(&ent, &AllListed, about);
        assert_eq!(told.of_schooling(Attribute::Uai), ["9990001X"]);
        assert_eq!(told.schooling().len(), 1);
    }
}
