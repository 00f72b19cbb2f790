//! Picture codes: four of sixteen pictures in order, for children who do not read yet.
//!
//! 16 × 15 × 14 × 13 = 43,680 codes, 15.4 bits (`generate` repeats no picture: a child remembers four things better
//! than one thing twice). That little is bearable because guesses are throttled per pupil and per class, because the
//! page needs the class code first, and because what it opens is [`crate::domain::assurance::Acr::Class`], the lowest
//! assurance there is.
//!
//! The stored verifier is a keyed hash under the master key and not Argon2: 43,680 codes fall to any slow hash within
//! the hour once the table is stolen, whereas without the key there is nothing to try; and thirty children who sign in
//! at once cost no hashing. The identity is part of what is hashed, so equal codes do not look equal and a verifier
//! cannot be moved to another child; only a merge carries it ([`carry`]).
//!
//! Must never print a code but on the card that is made with it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::base::id::IdentityId;
use crate::base::random::{self, Random};
use crate::base::secret::{SecretError, Vault, equal};

/// The sixteen pictures, by id; a stored code depends on these words for ever.
pub const PICTURES: [&str; 16] = [
    "cat", "dog", "apple", "banana", "house", "sun", "moon", "star", "boat", "car", "bicycle", "balloon",
    "flower", "tree", "fish", "umbrella",
];

/// Pictures in a code.
pub const LENGTH: usize = 4;

/// One of the sixteen pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Picture(&'static str);

impl Picture {
    /// The picture of an id.
    pub fn by_id(id: &str) -> Option<Self> {
        PICTURES.into_iter().find(|known| *known == id).map(Self)
    }

    /// Its id.
    pub const fn id(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[picture]")
    }
}

/// Four pictures in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PictureCode([Picture; LENGTH]);

impl PictureCode {
    /// A new code, no picture twice.
    pub fn generate(random: &dyn Random) -> Self {
        let mut ids = PICTURES;
        random::shuffle(random, &mut ids);
        let [first, second, third, fourth, ..] = ids;
        Self([first, second, third, fourth].map(Picture))
    }

    /// The pictures in order: for the card, and for nothing else.
    pub fn expose(&self) -> [Picture; LENGTH] {
        self.0
    }

    /// What is stored: a keyed hash of whose code it is and of the pictures in order.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn verifier(&self, vault: &Vault, identity: IdentityId) -> Result<String, SecretError> {
        let ids = self.0.map(Picture::id).join(" ");
        let hash = vault.index("picture_code", &format!("{identity} {ids}"))?;
        Ok(BASE64URL_NOPAD.encode(&hash))
    }

    /// Whether this is the code of which `stored` is the verifier, in constant time.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn matches(&self, vault: &Vault, identity: IdentityId, stored: &str) -> Result<bool, SecretError> {
        let (made_for, verifier) = match stored.split(' ').collect::<Vec<_>>().as_slice() {
            [verifier] => (identity, *verifier),
            [made_for, verifier, seal] => match made_for.parse() {
                Ok(made_for)
                    if equal(
                        carriage(vault, made_for, identity, verifier)?.as_bytes(),
                        seal.as_bytes(),
                    ) =>
                {
                    (made_for, *verifier)
                }
                _ => return Ok(false),
            },
            _ => return Ok(false),
        };
        Ok(equal(
            self.verifier(vault, made_for)?.as_bytes(),
            verifier.as_bytes(),
        ))
    }
}

/// The verifier of one identity for another one that it became a part of: the child goes on with the code on their card.
/// Sealed under the master key, so that nobody else can move a verifier.
///
/// # Errors
/// When the cryptographic library refuses.
pub fn carry(vault: &Vault, stored: &str, from: IdentityId, to: IdentityId) -> Result<String, SecretError> {
    let (made_for, verifier) = match stored.split(' ').collect::<Vec<_>>().as_slice() {
        [verifier] => (from, *verifier),
        // Carried before: only what was truly carried to `from` goes on.
        [made_for, verifier, seal] => match made_for.parse() {
            Ok(made_for) if carriage(vault, made_for, from, verifier)? == *seal => (made_for, *verifier),
            _ => return Ok(stored.to_owned()),
        },
        _ => return Ok(stored.to_owned()),
    };
    let seal = carriage(vault, made_for, to, verifier)?;
    Ok(format!("{made_for} {verifier} {seal}"))
}

fn carriage(
    vault: &Vault,
    made_for: IdentityId,
    held_by: IdentityId,
    verifier: &str,
) -> Result<String, SecretError> {
    let hash = vault.index(
        "picture_code_carried",
        &format!("{made_for} {held_by} {verifier}"),
    )?;
    Ok(BASE64URL_NOPAD.encode(&hash))
}

impl fmt::Debug for PictureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[picture code]")
    }
}

/// What a child has picked so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picks {
    /// Fewer than four: nothing is judged yet, so that no one learns a part of the code.
    Unfinished,
    /// Four.
    Complete(PictureCode),
}

impl Picks {
    /// Reads picks in order; `None` for an id that is no picture, and for more than four.
    pub fn read<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut picks = [None; LENGTH];
        let mut slots = picks.iter_mut();
        for id in ids {
            *slots.next()? = Some(Picture::by_id(id)?);
        }
        Some(match picks {
            [Some(first), Some(second), Some(third), Some(fourth)] => {
                Self::Complete(PictureCode([first, second, third, fourth]))
            }
            _ => Self::Unfinished,
        })
    }
}

/// The sixteen pictures in a random order, a new one for each display: whoever looks over a shoulder learns nothing
/// from where a child taps.
pub fn shuffled(random: &dyn Random) -> [Picture; 16] {
    let mut ids = PICTURES;
    random::shuffle(random, &mut ids);
    ids.map(Picture)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::secret::MasterKey;
    use crate::base::time::Timestamp;

    fn complete(ids: [&str; 4]) -> PictureCode {
        match Picks::read(ids) {
            Some(Picks::Complete(code)) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn case_49_order_counts_and_a_verifier_is_good_for_one_child_and_one_key() {
        let random = SeededRandom::new(1);
        let vault = Vault::new(&MasterKey::generate(&random)).unwrap();
        let other_vault = Vault::new(&MasterKey::generate(&random)).unwrap();
        let lina = IdentityId::new(Timestamp::from_seconds(1), &random);
        let lila = IdentityId::new(Timestamp::from_seconds(1), &random);
        let code = complete(["cat", "sun", "boat", "fish"]);
        let stored = code.verifier(&vault, lina).unwrap();
        assert!(code.matches(&vault, lina, &stored).unwrap());
        assert!(!code.matches(&vault, lila, &stored).unwrap());
        assert!(!code.matches(&other_vault, lina, &stored).unwrap());
        for wrong in [
            ["sun", "cat", "boat", "fish"],
            ["cat", "sun", "boat", "boat"],
            ["cat", "sun", "boat", "car"],
        ] {
            assert!(!complete(wrong).matches(&vault, lina, &stored).unwrap());
        }
        assert!(!stored.contains("cat"));
    }

    #[test]
    fn a_merge_carries_a_code_and_nobody_else_can() {
        let random = SeededRandom::new(1);
        let vault = Vault::new(&MasterKey::generate(&random)).unwrap();
        let [lina, kept, last] = [1, 2, 3].map(|at| IdentityId::new(Timestamp::from_seconds(at), &random));
        let code = complete(["cat", "sun", "boat", "fish"]);
        let own = code.verifier(&vault, lina).unwrap();
        let carried = carry(&vault, &own, lina, kept).unwrap();
        assert!(code.matches(&vault, kept, &carried).unwrap());
        assert!(!code.matches(&vault, lina, &carried).unwrap());
        assert!(!code.matches(&vault, last, &carried).unwrap());
        let again = carry(&vault, &carried, kept, last).unwrap();
        assert!(code.matches(&vault, last, &again).unwrap());
        // A row copied to another child, its words rearranged by hand, or carried on from where it never was.
        let forged = format!("{lina} {own} {own}");
        assert!(!code.matches(&vault, kept, &forged).unwrap());
        let laundered = carry(&vault, &carried, last, lina).unwrap();
        assert!(!code.matches(&vault, lina, &laundered).unwrap());
        assert!(
            !complete(["sun", "cat", "boat", "fish"])
                .matches(&vault, kept, &carried)
                .unwrap()
        );
    }

    #[test]
    fn case_49_every_picture_comes_first_as_often_and_none_twice() {
        let random = SeededRandom::new(2);
        let mut first = [0_u32; 16];
        let mut codes = HashSet::new();
        for _ in 0..16_000 {
            let ids = PictureCode::generate(&random).expose().map(Picture::id);
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), LENGTH);
            first[PICTURES.iter().position(|id| *id == ids[0]).unwrap()] += 1;
            codes.insert(ids);
        }
        assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
        // 16,000 draws of 43,680 leave about 13,400 different ones.
        assert!((13_000..13_800).contains(&codes.len()), "{}", codes.len());
    }

    #[test]
    fn picks_are_judged_only_when_there_are_four() {
        for few in [vec![], vec!["sun"], vec!["sun", "cat", "sun"]] {
            assert_eq!(Picks::read(few), Some(Picks::Unfinished));
        }
        assert!(matches!(
            Picks::read(["sun", "sun", "sun", "sun"]),
            Some(Picks::Complete(_))
        ));
        assert_eq!(Picks::read(["sun", "griffin"]), None);
        assert_eq!(Picks::read(["sun"; 5]), None);
    }

    #[test]
    fn case_49_the_grid_is_shuffled_anew_for_each_display() {
        let random = SeededRandom::new(3);
        let (one, two) = (shuffled(&random), shuffled(&random));
        assert!(one != two);
        let ids = |grid: [Picture; 16]| grid.map(Picture::id).into_iter().collect::<HashSet<_>>();
        assert_eq!(ids(one), PICTURES.into_iter().collect());
        assert_eq!(ids(two), ids(one));
    }

    #[test]
    fn nothing_of_a_code_is_printed() {
        let code = complete(["cat", "sun", "boat", "fish"]);
        assert_eq!(
            format!("{code:?} {:?}", code.expose()[0]),
            "[picture code] [picture]"
        );
    }
}
