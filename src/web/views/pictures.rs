//! Owns the sixteen pictures of picture codes: their drawing and their name in both languages. The ids are the ones of
//! `login::picture`. Must never know a pupil's code by itself. They were chosen to be told apart at six years of age:
//! one shape and one main colour each, no two of the same kind.

use super::lang::Lang;
use crate::web::assets;

/// A picture that a code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// The stable id, also the name of the drawing.
    pub id: &'static str,
    fr: &'static str,
    en: &'static str,
}

const fn picture(id: &'static str, fr: &'static str, en: &'static str) -> Picture {
    Picture { id, fr, en }
}

/// All pictures of a code.
pub const PICTURES: [Picture; 16] = [
    picture("cat", "chat", "cat"),
    picture("dog", "chien", "dog"),
    picture("apple", "pomme", "apple"),
    picture("banana", "banane", "banana"),
    picture("house", "maison", "house"),
    picture("sun", "soleil", "sun"),
    picture("moon", "lune", "moon"),
    picture("star", "étoile", "star"),
    picture("boat", "bateau", "boat"),
    picture("car", "voiture", "car"),
    picture("bicycle", "vélo", "bicycle"),
    picture("balloon", "ballon", "balloon"),
    picture("flower", "fleur", "flower"),
    picture("tree", "arbre", "tree"),
    picture("fish", "poisson", "fish"),
    picture("umbrella", "parapluie", "umbrella"),
];

impl Picture {
    /// The picture with this id.
    pub fn by_id(id: &str) -> Option<Self> {
        PICTURES.into_iter().find(|picture| picture.id == id)
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
        assets::url(&format!("pictures/{}.svg", self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_picture_has_a_drawing_and_words_of_its_own() {
        assert!(
            PICTURES
                .iter()
                .all(|picture| assets::find(&picture.url()).is_some())
        );
        for lang in [Lang::Fr, Lang::En] {
            assert_eq!(
                PICTURES
                    .iter()
                    .map(|p| p.word(lang))
                    .collect::<BTreeSet<_>>()
                    .len(),
                16
            );
        }
        assert_eq!(Picture::by_id("boat").unwrap().word(Lang::Fr), "bateau");
        assert_eq!(Picture::by_id("../cat"), None);
    }
}
