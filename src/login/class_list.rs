//! What a class page says of each child: a first name, an avatar, and a token by which it is chosen.
//!
//! Must never give out a whole family name, a birth date, an INE or the id of an identity.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;

use crate::base::id::IdentityId;
use crate::base::secret::{SecretError, Vault, sha256};
use crate::base::text::fold;
use crate::domain::class_group::ClassCode;
use crate::domain::identity::Identity;

/// How many avatars there are to choose from.
pub const AVATARS: usize = 36;
/// Letters of a family name shown at most, to tell two children of one first name apart.
const LETTERS: usize = 4;

/// A child of a class page.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Who.
    pub identity: Identity,
    /// The first name, with what tells it from the same first name in the class.
    pub first_name: String,
    /// The number of the avatar, below [`AVATARS`].
    pub avatar: usize,
}

/// The children of a class, in the order of their first names.
pub fn list(mut pupils: Vec<Identity>) -> Vec<Listed> {
    // Ids sort by when they were made, so a newcomer changes nobody's avatar and nobody's number.
    pupils.sort_by_key(|pupil| pupil.id);
    pupils.dedup_by_key(|pupil| pupil.id);
    let mut namesakes: BTreeMap<String, Vec<&Identity>> = BTreeMap::new();
    for pupil in &pupils {
        namesakes.entry(fold(&pupil.given_name)).or_default().push(pupil);
    }
    let mut names: BTreeMap<IdentityId, String> = namesakes
        .into_values()
        .flat_map(|group| told_apart(&group))
        .collect();
    let mut taken = BTreeSet::new();
    let mut listed: Vec<Listed> = pupils
        .into_iter()
        .map(|identity| Listed {
            first_name: names.remove(&identity.id).unwrap_or_default(),
            avatar: avatar(identity.id, &mut taken),
            identity,
        })
        .collect();
    listed.sort_by_key(|pupil| (fold(&pupil.first_name), pupil.identity.id));
    listed
}

/// First names that tell the members of a group of one first name apart: alone, else with as few letters of the family
/// name as do it, else with numbers.
fn told_apart(group: &[&Identity]) -> Vec<(IdentityId, String)> {
    if let [only] = group {
        return vec![(only.id, only.given_name.clone())];
    }
    for letters in 1..=LETTERS {
        let named: Vec<(IdentityId, String)> = group
            .iter()
            .map(|pupil| (pupil.id, named(pupil, letters)))
            .collect();
        let different: BTreeSet<String> = named.iter().map(|(_, name)| fold(name)).collect();
        if different.len() == named.len() {
            return named;
        }
    }
    group
        .iter()
        .zip(1..)
        .map(|(pupil, number)| (pupil.id, format!("{} {number}", named(pupil, 1))))
        .collect()
}

/// `Lina L.`; never the whole family name, however short it is.
fn named(pupil: &Identity, letters: usize) -> String {
    let family: Vec<char> = pupil
        .shown_family_name()
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let shown = letters.min(family.len().saturating_sub(1));
    if shown == 0 {
        return pupil.given_name.clone();
    }
    let mut initial = String::new();
    for (at, letter) in family.into_iter().take(shown).enumerate() {
        if at == 0 {
            initial.extend(letter.to_uppercase());
        } else {
            initial.extend(letter.to_lowercase());
        }
    }
    format!("{} {initial}.", pupil.given_name)
}

/// The avatar that the id leads to, or the next one that is free; the same again once all are taken.
fn avatar(identity: IdentityId, taken: &mut BTreeSet<usize>) -> usize {
    let [first, second, ..] = sha256(identity.as_bytes());
    let own = usize::from(u16::from_be_bytes([first, second])) % AVATARS;
    let free = (0..AVATARS)
        .map(|step| (own + step) % AVATARS)
        .find(|number| !taken.contains(number));
    let chosen = free.unwrap_or(own);
    taken.insert(chosen);
    chosen
}

/// The token that stands for a child on the page of one class code: good for nothing elsewhere, and for nothing at all
/// once the code is renewed.
///
/// # Errors
/// When the cryptographic library refuses.
pub fn token(vault: &Vault, code: &ClassCode, identity: IdentityId) -> Result<String, SecretError> {
    let hash = vault.index("class_pupil", &format!("{} {identity}", code.expose()))?;
    let (short, _) = hash.split_at(16);
    Ok(BASE64URL_NOPAD.encode(short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::secret::MasterKey;
    use crate::base::time::Timestamp;
    use crate::domain::identity::Status;

    fn pupil(number: u64, given_name: &str, family_name: &str) -> Identity {
        let at = Timestamp::from_seconds(1_790_000_000 + i64::try_from(number).unwrap());
        Identity {
            id: IdentityId::new(at, &SeededRandom::new(number)),
            status: Status::Active,
            family_name: family_name.into(),
            usage_name: None,
            given_name: given_name.into(),
            birth_date: None,
            sex: None,
            username: None,
            locale: None,
            created_at: at,
        }
    }

    fn names(pupils: &[(&str, &str)]) -> Vec<String> {
        let pupils = pupils
            .iter()
            .zip(0..)
            .map(|((given, family), number)| pupil(number, given, family));
        list(pupils.collect())
            .into_iter()
            .map(|listed| listed.first_name)
            .collect()
    }

    #[test]
    fn namesakes_are_told_apart_by_as_little_as_does_it() {
        assert_eq!(names(&[("Lina", "Le Goff"), ("Adam", "Roy")]), ["Adam", "Lina"]);
        assert_eq!(
            names(&[
                ("Lina", "Le Goff"),
                ("LINA", "Martin"),
                ("Zoé", "Roy"),
                ("Zoe", "Petit")
            ]),
            ["Lina L.", "LINA M.", "Zoe P.", "Zoé R."]
        );
        assert_eq!(
            names(&[("Emma", "Martin"), ("Emma", "Moreau")]),
            ["Emma Ma.", "Emma Mo."]
        );
        assert_eq!(
            names(&[("Emma", "martinez"), ("Emma", "MARTIN")]),
            ["Emma M. 1", "Emma M. 2"],
            "where only the whole name would tell them apart, numbers do"
        );
        assert_eq!(
            names(&[("Emma", "Ly"), ("Emma", "Lo")]),
            ["Emma L. 1", "Emma L. 2"]
        );
        assert_eq!(names(&[("Emma", "O"), ("Emma", "U")]), ["Emma 1", "Emma 2"]);
    }

    #[test]
    fn case_50_no_whole_family_name_is_ever_shown() {
        for family in ["Ly", "Roy", "Ngô", "Petit", "Martin"] {
            for name in names(&[("Emma", family), ("Emma", "Rousselin"), ("Emma", family)]) {
                let shown = fold(&name);
                assert!(!shown.contains(&fold(family)), "{name}");
            }
        }
    }

    #[test]
    fn avatars_are_unique_while_they_last_and_stay_when_someone_comes() {
        let thirty: Vec<Identity> = (0..30).map(|n| pupil(n, &format!("Prénom{n}"), "X")).collect();
        let of = |pupils: &[Identity]| {
            list(pupils.to_vec())
                .into_iter()
                .map(|listed| (listed.identity.id, listed.avatar))
                .collect::<BTreeMap<_, _>>()
        };
        let before = of(&thirty);
        assert_eq!(before.values().collect::<BTreeSet<_>>().len(), 30);
        let mut more = thirty.clone();
        more.extend((30..40).map(|n| pupil(n, &format!("Prénom{n}"), "X")));
        let after = of(&more);
        assert!(before.iter().all(|(id, avatar)| after.get(id) == Some(avatar)));
        assert!(after.values().all(|avatar| *avatar < AVATARS));
        assert_eq!(after.values().collect::<BTreeSet<_>>().len(), AVATARS);
    }

    #[test]
    fn a_child_of_two_feeds_stands_once() {
        let lina = pupil(1, "Lina", "Le Goff");
        assert_eq!(list(vec![lina.clone(), lina]).len(), 1);
    }

    #[test]
    fn a_token_is_bound_to_the_code_and_shows_nothing_of_the_child() {
        let random = SeededRandom::new(1);
        let vault = Vault::new(&MasterKey::generate(&random)).unwrap();
        let (one, two) = (ClassCode::generate(&random), ClassCode::generate(&random));
        let lina = pupil(1, "Lina", "Le Goff");
        let here = token(&vault, &one, lina.id).unwrap();
        assert_eq!(here, token(&vault, &one, lina.id).unwrap());
        assert_ne!(here, token(&vault, &two, lina.id).unwrap());
        assert_ne!(here, token(&vault, &one, pupil(2, "Lila", "Le Goff").id).unwrap());
        assert_eq!(here.len(), 22);
        assert!(!here.contains(&lina.id.to_string()));
    }
}
