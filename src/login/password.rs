//! Passwords: which are accepted, how they are hashed, how one is checked. The only file that knows argon2.
//!
//! NIST SP 800-63B-4 §3.1.1: length and not composition, NFKC before hashing, a list of commonest ones refused, 64
//! characters and more allowed, no expiry, no hints. Its 15 characters for a password alone are 12 here: guesses are
//! throttled per account, and administrators need a second factor. OWASP Password Storage Cheat Sheet: Argon2id
//! (RFC 9106) with 19 MiB, two passes, one lane.
//!
//! Must never log, and never say in what a wrong password differs from the right one.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

use crate::base::random::{self, Random};
use crate::base::secret::Secret;
use crate::base::text::fold_tight;

/// The shortest password that is accepted, in characters.
pub const SHORTEST: usize = 12;
/// The longest password, in bytes: far above any passphrase, far below what would be work to normalise and hash.
pub const LONGEST: usize = 256;

/// A password as a person gave it, normalised.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// What was typed at a login; `None` where it is longer than any password.
    pub fn typed(text: &str) -> Option<Self> {
        if text.len() > LONGEST * 4 {
            return None;
        }
        let normalised: String = text.nfkc().collect();
        (normalised.len() <= LONGEST).then(|| Self(Secret::new(normalised)))
    }

    /// What is checked against [`Verifier::of_nobody`] where there is nothing to check: wrong, at full cost.
    pub fn nobodys() -> Self {
        Self(Secret::new(""))
    }

    /// A password that somebody chose; `about` is what is known of the person (login name, names).
    ///
    /// # Errors
    /// [`Weakness`] says what is wrong with it.
    pub fn chosen(text: &str, about: &[&str]) -> Result<Self, Weakness> {
        let password = Self::typed(text).ok_or(Weakness::TooLong)?;
        let characters: Vec<char> = password.0.expose().chars().collect();
        if characters.len() < SHORTEST {
            return Err(Weakness::TooShort);
        }
        let bare = fold_tight(password.0.expose());
        // "Dupont2026!" is still Dupont: what stands around the word is the first thing a guesser adds.
        let word = bare.trim_matches(|symbol: char| symbol.is_ascii_digit());
        if about.iter().map(|name| fold_tight(name)).any(|name| {
            !name.is_empty()
                && (name == bare || name == word || name.repeat(2) == word || name.repeat(3) == word)
        }) {
            return Err(Weakness::Personal);
        }
        let mut distinct = characters;
        distinct.sort_unstable();
        distinct.dedup();
        let common = COMMON.iter().any(|common| *common == bare || *common == word);
        if common || distinct.len() < 5 || is_a_walk(&bare) {
            return Err(Weakness::Common);
        }
        Ok(password)
    }
}

/// Why a chosen password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Too short.
    #[error("a password needs at least 12 characters; several words do well")]
    TooShort,
    /// Too long.
    #[error("a password may have at most 256 bytes")]
    TooLong,
    /// It is the name or the login name.
    #[error("a password must not be the person's own name or login name")]
    Personal,
    /// Everybody's first guess.
    #[error("this password is one of the first that are tried")]
    Common,
}

/// The commonest ones that are long enough to get here, folded and without digits around; short ones fall by length.
const COMMON: &[&str] = &[
    "administrateur",
    "administrator",
    "adminadminadmin",
    "anticonstitutionnellement",
    "azertyazerty",
    "azertyuiop",
    "azertyuiopqsdfghjklm",
    "bienvenue",
    "changemechangeme",
    "changeme",
    "changezmoi",
    "doudoudoudou",
    "ecoleecole",
    "educationnationale",
    "enseignant",
    "iloveyouiloveyou",
    "jetaimejetaime",
    "jetaime",
    "letmeinletmein",
    "loulouloulou",
    "marelle",
    "marellemarelle",
    "maitresse",
    "motdepasse",
    "motdepassemotdepasse",
    "nepasutiliser",
    "passpasspass",
    "passw0rdpassw0rd",
    "passwordpassword",
    "password",
    "professeur",
    "professeurdesecoles",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "soleilsoleil",
    "soleil",
    "toutlemonde",
    "vacances",
    "welcomewelcome",
];

/// Rows of the keyboard and of the number line.
const WALKS: &[&str] = &[
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "012345678901234567890",
    "098765432109876543210",
];

fn is_a_walk(bare: &str) -> bool {
    bare.len() >= SHORTEST && WALKS.iter().any(|walk| walk.contains(bare))
}

/// How much work one hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self::new(19_456, 2, 1);

    /// Another cost: KiB of memory, passes over it, lanes.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Self {
        Self {
            memory_kib,
            passes,
            lanes,
        }
    }

    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None)
            .map_err(|error| PasswordError(error.to_string()))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// The hash function refused, or a stored verifier is none. Never says what the password was.
#[derive(Debug, thiserror::Error)]
#[error("password hashing: {0}")]
pub struct PasswordError(String);

impl From<argon2::password_hash::Error> for PasswordError {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self(error.to_string())
    }
}

/// What is stored of a password: a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(String);

impl Verifier {
    /// From the stored text.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The verifier of a password that nobody has: checked where there is none, so that an unknown name costs the
    /// same work.
    pub fn of_nobody() -> Self {
        Self(NOBODY.to_owned())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[verifier]")
    }
}

/// Salt and hash are random bytes: no password is known to lead to them. The cost is [`Cost::OWASP`].
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$pnTTfdPvfhyWEQH/qiTEoA$FcmpdPaQKRo/fiIV6sb8TnAIn9cqLUcxaVVijGlUJz8";

/// The answer to a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Right.
    Right {
        /// The verifier was made with another cost than is used today.
        outdated: bool,
    },
    /// Wrong.
    Wrong,
}

/// Hashes a password under a fresh salt. Some 20 ms of one core: never on a thread that serves requests.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &Password, cost: Cost, random: &dyn Random) -> Result<Verifier, PasswordError> {
    let salt: [u8; 16] = random::bytes(random);
    let hash = cost
        .argon2()?
        .hash_password_with_salt(password.0.expose().as_bytes(), &salt)?;
    Ok(Verifier(hash.to_string()))
}

/// Checks a password, in constant time where it matters. As much work as the verifier's own cost says.
///
/// # Errors
/// [`PasswordError`] where the verifier is none.
pub fn check(password: &Password, verifier: &Verifier, cost: Cost) -> Result<Check, PasswordError> {
    let stored = PasswordHash::new(&verifier.0).map_err(|error| PasswordError(error.to_string()))?;
    let current = cost.argon2()?;
    match current.verify_password(password.0.expose().as_bytes(), &stored) {
        Ok(()) => {
            let made_with = Params::try_from(&stored)?;
            let same = (made_with.m_cost(), made_with.t_cost(), made_with.p_cost())
                == (cost.memory_kib, cost.passes, cost.lanes)
                && stored.algorithm == Algorithm::Argon2id.ident();
            Ok(Check::Right { outdated: !same })
        }
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Check::Wrong),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    const LIGHT: Cost = Cost::new(64, 1, 1);

    fn typed(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    #[test]
    fn only_the_right_password_is_right_in_any_unicode_form() {
        let random = SeededRandom::new(1);
        let verifier = hash(&typed("Le chat dort à midi"), LIGHT, &random).unwrap();
        let answer = |text| check(&typed(text), &verifier, LIGHT).unwrap();
        assert_eq!(answer("Le chat dort à midi"), Check::Right { outdated: false });
        assert_eq!(
            answer("Le chat dort a\u{300} midi"),
            Check::Right { outdated: false }
        );
        assert_eq!(
            answer("le chat dort à midi"),
            Check::Wrong,
            "case counts in a password"
        );
        assert_ne!(
            hash(&typed("Le chat dort à midi"), LIGHT, &random).unwrap(),
            verifier,
            "salted"
        );
    }

    #[test]
    fn a_verifier_of_another_cost_is_right_and_outdated() {
        let verifier = hash(&typed("Le chat dort à midi"), LIGHT, &SeededRandom::new(1)).unwrap();
        assert_eq!(
            check(&typed("Le chat dort à midi"), &verifier, Cost::OWASP).unwrap(),
            Check::Right { outdated: true }
        );
    }

    #[test]
    fn the_verifier_of_nobody_costs_what_a_real_one_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = hash(&typed("x"), Cost::OWASP, &SeededRandom::new(1)).unwrap();
        let real = PasswordHash::new(real.as_str()).unwrap();
        assert_eq!(nobody.params, real.params);
        assert_eq!((nobody.algorithm, nobody.version), (real.algorithm, real.version));
        assert_eq!(nobody.hash.unwrap().len(), real.hash.unwrap().len());
        assert_eq!(
            check(&Password::nobodys(), &Verifier::of_nobody(), Cost::OWASP).unwrap(),
            Check::Wrong
        );
    }

    #[test]
    fn length_is_asked_for_and_first_guesses_are_refused() {
        let about = ["maddi.etxeberria", "Maddi", "Etxeberria"];
        let refused = |text: &str| Password::chosen(text, &about).err();
        assert_eq!(refused("court"), Some(Weakness::TooShort));
        assert_eq!(
            refused("été à la mer"),
            None,
            "twelve characters, whatever their bytes"
        );
        assert_eq!(refused(&"ab cd".repeat(60)), Some(Weakness::TooLong));
        for personal in [
            "Maddi.Etxeberria",
            "etxeberria2026",
            "MADDIMADDIMADDI",
            "maddi-etxeberria!!",
        ] {
            assert_eq!(refused(personal), Some(Weakness::Personal), "{personal}");
        }
        for common in [
            "motdepasse2026",
            "Mot de passe 1",
            "Azertyuiop12",
            "123456789012",
            "aaaaaaaaaaaab",
            "Marelle2026!",
            "qwertyuiopas",
        ] {
            assert_eq!(refused(common), Some(Weakness::Common), "{common}");
        }
        for good in ["le chat dort à midi", "9f8a-11c2-77de", "correcthorsebattery"] {
            assert_eq!(refused(good), None, "{good}");
        }
    }

    #[test]
    fn an_endless_password_is_turned_away_before_any_work() {
        assert!(Password::typed(&"a".repeat(LONGEST)).is_some());
        assert!(Password::typed(&"a".repeat(LONGEST + 1)).is_none());
        // One character that NFKC makes eighteen.
        assert!(Password::typed(&"\u{fdfa}".repeat(200)).is_none());
    }

    #[test]
    fn nothing_of_a_password_is_printed() {
        let verifier = hash(&typed("Le chat dort à midi"), LIGHT, &SeededRandom::new(1)).unwrap();
        let shown = format!("{:?} {verifier:?}", typed("Le chat dort à midi"));
        assert!(!shown.contains("chat") && !shown.contains("argon2"));
    }
}
