//! Owns the animals that stand for pupils beside their first name. Must never hold an animal that a picture code uses
//! (a child would tap it), nor one whose name is an insult in a playground.

use super::lang::Lang;
use crate::web::assets;

/// An animal that stands for a pupil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avatar {
    /// The stable id, also the name of the drawing.
    pub id: &'static str,
    fr: &'static str,
    en: &'static str,
}

const fn avatar(id: &'static str, fr: &'static str, en: &'static str) -> Avatar {
    Avatar { id, fr, en }
}

/// All avatars; more than a class has pupils.
pub const AVATARS: [Avatar; 36] = [
    avatar("bear", "ours", "bear"),
    avatar("bee", "abeille", "bee"),
    avatar("butterfly", "papillon", "butterfly"),
    avatar("chick", "poussin", "chick"),
    avatar("crab", "crabe", "crab"),
    avatar("deer", "cerf", "deer"),
    avatar("dinosaur", "dinosaure", "dinosaur"),
    avatar("dolphin", "dauphin", "dolphin"),
    avatar("dragon", "dragon", "dragon"),
    avatar("duck", "canard", "duck"),
    avatar("flamingo", "flamant rose", "flamingo"),
    avatar("fox", "renard", "fox"),
    avatar("frog", "grenouille", "frog"),
    avatar("giraffe", "girafe", "giraffe"),
    avatar("hamster", "hamster", "hamster"),
    avatar("hedgehog", "hérisson", "hedgehog"),
    avatar("horse", "cheval", "horse"),
    avatar("kangaroo", "kangourou", "kangaroo"),
    avatar("koala", "koala", "koala"),
    avatar("ladybird", "coccinelle", "ladybird"),
    avatar("lion", "lion", "lion"),
    avatar("mouse", "souris", "mouse"),
    avatar("octopus", "pieuvre", "octopus"),
    avatar("otter", "loutre", "otter"),
    avatar("owl", "hibou", "owl"),
    avatar("panda", "panda", "panda"),
    avatar("parrot", "perroquet", "parrot"),
    avatar("penguin", "manchot", "penguin"),
    avatar("rabbit", "lapin", "rabbit"),
    avatar("raccoon", "raton laveur", "raccoon"),
    avatar("squirrel", "écureuil", "squirrel"),
    avatar("tiger", "tigre", "tiger"),
    avatar("turtle", "tortue", "turtle"),
    avatar("unicorn", "licorne", "unicorn"),
    avatar("wolf", "loup", "wolf"),
    avatar("zebra", "zèbre", "zebra"),
];

/// Shown for an id that this version does not know (data written by a later one).
const UNKNOWN: Avatar = avatar("fox", "renard", "fox");

impl Avatar {
    /// The avatar with this id.
    pub fn by_id(id: &str) -> Option<Self> {
        AVATARS.into_iter().find(|avatar| avatar.id == id)
    }

    /// The avatar with this id, or one that is always there.
    pub fn by_id_or_any(id: &str) -> Self {
        Self::by_id(id).unwrap_or(UNKNOWN)
    }

    /// The word for it.
    pub const fn word(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Fr => self.fr,
            Lang::En => self.en,
        }
    }

    /// The address of the drawing.
    pub fn url(&self) -> String {
        assets::url(&format!("avatars/{}.svg", self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::pictures::Picture;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_avatar_has_a_drawing_and_is_no_picture_of_a_code() {
        for avatar in AVATARS {
            assert!(assets::find(&avatar.url()).is_some(), "{}", avatar.id);
            assert_eq!(Picture::by_id(avatar.id), None);
        }
        assert_eq!(
            AVATARS
                .iter()
                .map(|a| a.word(Lang::Fr))
                .collect::<BTreeSet<_>>()
                .len(),
            36
        );
        assert_eq!(Avatar::by_id_or_any("griffin"), Avatar::by_id("fox").unwrap());
    }
}
