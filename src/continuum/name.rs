//! Names, folded once, and how alike two of them are.
//!
//! French names as registers write them: accents, case, hyphens and apostrophes say nothing; one of two joined names may
//! be missing or stand first (`Dupont-Martin`, `Martin`); a letter may be wrong. Must never be printed.

use std::borrow::Cow;
use std::fmt;

use smol_str::SmolStr;

use crate::base::text::fold;

/// A name: its folded text, one space between its parts, and a number for its letters without spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    text: SmolStr,
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
        let text = SmolStr::from(fold(written));
        let key = key(text.bytes());
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
        let several = self.is_of_several() || other.is_of_several();
        if several && (self.is_part_of(other) || other.is_part_of(self)) {
            return Likeness::Part;
        }
        if self.is_close_to(other) {
            return Likeness::Close;
        }
        Likeness::Other
    }

    /// Whether all parts of one of several are parts of the other.
    fn is_part_of(&self, other: &Self) -> bool {
        let mut parts = self.parts().peekable();
        parts.peek().is_some_and(|first| first.len() > 1)
            && parts.all(|part| other.parts().any(|theirs| theirs == part))
    }

    fn is_of_several(&self) -> bool {
        self.text.bytes().any(|byte| byte == b' ')
    }

    fn is_close_to(&self, other: &Self) -> bool {
        let (one, two) = (self.letters(), other.letters());
        let (short, long) = if one.len() <= two.len() {
            (&one, &two)
        } else {
            (&two, &one)
        };
        if short.len() < 3 {
            // Of two letters one error leaves nothing; three, of which one was left out, are told from two others (Lé, Léo).
            let mut rest = long.chars();
            return short.len() == 2
                && long.len() == 3
                && short.chars().all(|letter| rest.any(|other| other == letter));
        }
        // Cut off by a field that was too short.
        if short.len() >= 10 && long.starts_with(&**short) {
            return true;
        }
        if long.len() - short.len() > 2 {
            return false;
        }
        let allowed = match short.len() {
            0..=7 => 1,
            _ => 2,
        };
        let least = fewest_errors(&one, &two);
        // What sounds alike may be written otherwise in three letters.
        let sounds_alike = || short.len() >= 5 && sound(&one) == sound(&two);
        if least > 3 || (least > allowed && !sounds_alike()) {
            return false;
        }
        let apart = strsim::osa_distance(&one, &two);
        apart <= allowed || (apart <= 3 && sounds_alike())
    }

    fn letters(&self) -> Cow<'_, str> {
        if self.is_of_several() {
            self.text.chars().filter(|letter| *letter != ' ').collect()
        } else {
            Cow::Borrowed(&self.text)
        }
    }

    /// A number for how the name sounds: its consonants as French hears them.
    pub fn sound(&self) -> u64 {
        sound(&self.letters())
    }
}

/// How many typing errors two texts are apart at least, from the letters that only one of them has: an error adds one and takes one
/// at most. Far cheaper than to count the errors, and nearly all that are held side by side are two names.
fn fewest_errors(one: &str, two: &str) -> usize {
    if !one.is_ascii() || !two.is_ascii() {
        return 0;
    }
    let letters = |text: &str| text.bytes().fold(0u32, |set, byte| set | 1 << (byte & 31));
    (letters(one) ^ letters(two)).count_ones().div_ceil(2) as usize
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[name]")
    }
}

/// FNV-1a over what is not a space, mixed: a hash table and an index take it as it is, and it stays the same for ever.
fn key(text: impl Iterator<Item = u8>) -> u64 {
    let hash = text
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

/// How many sounds of a name count.
const HEARD: usize = 5;

/// A number for the first letter and the consonants after it, those that sound alike made one, doubled ones single, silent ends off.
fn sound(letters: &str) -> u64 {
    let mut heard = ['\0'; HEARD];
    let mut free = heard.iter_mut();
    let mut last = '\0';
    let mut rest = without_silent_end(letters).chars().peekable();
    let mut at_start = true;
    while let Some(letter) = rest.next() {
        let pair = (letter, rest.peek());
        let letter = match pair {
            ('p', Some('h')) => 'f',
            ('q', Some('u')) => 'k',
            ('c', Some('h')) => 'x',
            ('g', Some('n')) => 'n',
            _ => letter,
        };
        if letter != pair.0 {
            rest.next();
        }
        let first = std::mem::take(&mut at_start);
        let sound = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' if !first => {
                last = '\0';
                continue;
            }
            'y' => 'i',
            'h' if !first => continue,
            'c' | 'q' | 'k' => 'k',
            'z' | 's' => 's',
            'j' | 'g' => 'j',
            'w' | 'v' => 'v',
            'm' | 'n' => 'n',
            'd' | 't' => 't',
            letter => letter,
        };
        if sound != last {
            let Some(place) = free.next() else { break };
            *place = sound;
            last = sound;
        }
    }
    let mut bytes = [0; 4];
    let heard = heard.into_iter().filter(|sound| *sound != '\0');
    key(heard.flat_map(|sound| {
        let length = sound.encode_utf8(&mut bytes).len();
        bytes.into_iter().take(length)
    }))
}

/// A name without the letters at its end that nobody hears.
fn without_silent_end(letters: &str) -> &str {
    let mut rest = letters;
    loop {
        let shorter = match rest.as_bytes() {
            [.., b'p', b'h'] => return rest,
            [.., b'c', b'h'] => rest.len() - 2,
            [.., b's' | b't' | b'x' | b'z' | b'e' | b'd' | b'h'] => rest.len() - 1,
            _ => return rest,
        };
        rest = rest.get(..shorter).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fewest_errors_are_never_more_than_there_are(one in "[a-f]{3,12}", two in "[a-fé]{3,12}") {
            prop_assert!(fewest_errors(&one, &two) <= strsim::osa_distance(&one, &two));
        }

        #[test]
        fn a_sound_is_that_of_the_letters_replaced_one_after_another(name in "[a-zé]{0,12}") {
            prop_assert_eq!(sound(&name), sound_by_replacement(&name));
        }
    }

    /// What [`sound`] says, in several passes.
    fn sound_by_replacement(letters: &str) -> u64 {
        let mut letters = letters.to_owned();
        for (written, heard) in [("ph", "f"), ("qu", "k"), ("ch", "x"), ("gn", "n")] {
            letters = letters.replace(written, heard);
        }
        let heard = letters.trim_end_matches(['s', 't', 'x', 'z', 'e', 'd', 'h']);
        let mut sounds: Vec<char> = Vec::new();
        for (at, letter) in heard.chars().enumerate() {
            match letter {
                'a' | 'e' | 'i' | 'o' | 'u' | 'y' if at > 0 => sounds.push(' '),
                'y' => sounds.push('i'),
                'h' if at > 0 => {}
                'c' | 'q' => sounds.push('k'),
                'z' => sounds.push('s'),
                'g' => sounds.push('j'),
                'w' => sounds.push('v'),
                'm' => sounds.push('n'),
                'd' => sounds.push('t'),
                letter => sounds.push(letter),
            }
        }
        sounds.dedup();
        let consonants = sounds.into_iter().filter(|sound| *sound != ' ').take(HEARD);
        key(consonants.collect::<String>().bytes())
    }

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
            ("Lé", "Léo", Likeness::Close),
            ("Lou", "Lu", Likeness::Close),
            ("Li", "Lola", Likeness::Other),
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
