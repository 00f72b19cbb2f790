//! Names, folded once, and how alike two of them are.
//!
//! French names as registers write them: accents, case, hyphens and apostrophes say nothing; one of two joined names may
//! be missing or stand first (`Dupont-Martin`, `Martin`); a letter may be wrong. Must never be printed.

use std::fmt;

use crate::base::text::fold;

/// A name: its folded text, one space between its parts, and a number for its letters without spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    text: Box<str>,
    key: u64,
}

/// Parts that join names and tell nobody apart.
const PARTICLES: &[&str] = &[
    "d", "de", "du", "des", "la", "le", "les", "l", "el", "al", "ben", "van", "von", "da", "dos", "di", "n",
    "m",
];

/// How alike two names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Likeness {
    /// The same letters.
    Same,
    /// All parts of one are parts of the other, or the same parts in another order.
    Part,
    /// A typing error apart, or the same sound.
    Close,
    /// Two names.
    Other,
}

impl Name {
    /// Folds a name.
    pub fn new(written: &str) -> Self {
        let text = fold(written).into_boxed_str();
        let key = key(&text);
        Self { text, key }
    }

    /// A number that is the same for the same letters, spaces aside.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Whether there is any letter in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The folded text, spaces between its parts.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = || self.text.split(' ');
        let bare = parts().all(|part| PARTICLES.contains(&part));
        parts().filter(move |part| bare || !PARTICLES.contains(part))
    }

    /// How alike two names are; the order of the two does not matter.
    pub fn likeness(&self, other: &Self) -> Likeness {
        if self.key == other.key {
            return Likeness::Same;
        }
        if self.is_part_of(other) || other.is_part_of(self) {
            return Likeness::Part;
        }
        if self.is_close_to(other) {
            return Likeness::Close;
        }
        Likeness::Other
    }

    fn is_part_of(&self, other: &Self) -> bool {
        let mut parts = self.parts().peekable();
        parts.peek().is_some_and(|first| first.len() > 1)
            && parts.all(|part| other.parts().any(|theirs| theirs == part))
    }

    fn is_close_to(&self, other: &Self) -> bool {
        let (one, two) = (self.letters(), other.letters());
        let (short, long) = if one.len() <= two.len() {
            (&one, &two)
        } else {
            (&two, &one)
        };
        if short.len() < 3 {
            return false;
        }
        // Cut off by a field that was too short.
        if short.len() >= 10 && long.starts_with(short.as_str()) {
            return true;
        }
        if long.len() - short.len() > 2 {
            return false;
        }
        let apart = strsim::osa_distance(&one, &two);
        let allowed = match short.len() {
            0..=7 => 1,
            _ => 2,
        };
        apart <= allowed || (apart <= 3 && short.len() >= 5 && sound(&one) == sound(&two))
    }

    fn letters(&self) -> String {
        self.text.chars().filter(|letter| *letter != ' ').collect()
    }

    /// A number for how the name sounds: its consonants as French hears them.
    pub fn sound(&self) -> u64 {
        key(&sound(&self.letters()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[name]")
    }
}

/// FNV-1a over what is not a space, mixed: a hash table and an index take it as it is, and it stays the same for ever.
fn key(text: &str) -> u64 {
    let hash = text
        .bytes()
        .filter(|byte| *byte != b' ')
        .fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
    mix(hash)
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
pub(super) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The first letter and the consonants after it, those that sound alike made one, doubled ones single, silent ends off.
fn sound(letters: &str) -> String {
    let mut out = String::with_capacity(letters.len());
    let mut last = '\0';
    let letters = letters
        .replace("ph", "f")
        .replace("qu", "k")
        .replace("ch", "x")
        .replace("gn", "n");
    let letters = letters.trim_end_matches(['s', 't', 'x', 'z', 'e', 'd', 'h']);
    for (at, letter) in letters.chars().enumerate() {
        let heard = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' if at > 0 => {
                last = '\0';
                continue;
            }
            'y' => 'i',
            'h' if at > 0 => continue,
            'c' | 'q' | 'k' => 'k',
            'z' | 's' => 's',
            'j' | 'g' => 'j',
            'w' | 'v' => 'v',
            'm' | 'n' => 'n',
            'd' | 't' => 't',
            letter => letter,
        };
        if heard != last {
            out.push(heard);
            last = heard;
        }
        if out.len() == 5 {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(one: &str, two: &str) -> Likeness {
        let (one, two) = (Name::new(one), Name::new(two));
        assert_eq!(one.likeness(&two), two.likeness(&one), "symmetric");
        one.likeness(&two)
    }

    #[test]
    fn each_degree_of_likeness() {
        for (one, two, expected) in [
            ("Le Goff", "LEGOFF", Likeness::Same),
            ("Éloïse", "ELOISE", Likeness::Same),
            ("N'Guyen", "N’GUYEN", Likeness::Same),
            ("Dupont-Martin", "DUPONT", Likeness::Part),
            ("Dupont-Martin", "MARTIN DUPONT", Likeness::Part),
            ("de la Tour", "Tour", Likeness::Part),
            ("Jean", "Jean-Baptiste", Likeness::Part),
            ("Marchadel", "Marchadle", Likeness::Close),
            ("Mathis", "Mathys", Likeness::Close),
            ("Philippe", "Filipe", Likeness::Close),
            ("Lina", "Lila", Likeness::Close),
            ("Léa", "Léo", Likeness::Close),
            ("Li", "Lu", Likeness::Other),
            ("Martin", "Bernard", Likeness::Other),
            ("de la Tour", "de la Roche", Likeness::Other),
            ("De", "De la", Likeness::Part),
            ("Enzo", "Enzo Louis", Likeness::Part),
        ] {
            assert_eq!(likeness(one, two), expected, "{one} {two}");
        }
    }

    #[test]
    fn names_that_sound_alike_have_one_sound() {
        for (one, two) in [
            ("Lefebvre", "Lefebvres"),
            ("Philippe", "Filippe"),
            ("Gauthier", "Gautier"),
            ("Dupont", "Dupond"),
        ] {
            assert_eq!(Name::new(one).sound(), Name::new(two).sound(), "{one} {two}");
        }
        assert_ne!(Name::new("Martin").sound(), Name::new("Bernard").sound());
        assert_eq!(format!("{:?}", Name::new("Martin")), "[name]");
    }
}
