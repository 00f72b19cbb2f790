//! Owns the two languages of the pages. Must never guess: a handler chooses from what the person asked for.

/// A language that every page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// French, the first language of Marelle.
    #[default]
    Fr,
    /// English.
    En,
}

impl Lang {
    /// The BCP 47 tag, as the `lang` attribute wants it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `en-GB`, when it is one of ours.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        [Self::Fr, Self::En]
            .into_iter()
            .find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The first of our languages in a list ordered by preference: an `Accept-Language` header, or the
    /// `ui_locales` of OpenID Connect Core §3.1.2.1. Quality values are not weighed: browsers send the list in order.
    pub fn preferred(list: &str) -> Option<Self> {
        list.split([',', ' '])
            .find_map(|item| Self::from_tag(item.split(';').next().unwrap_or_default().trim()))
    }

    /// The other one, for the language switch.
    pub const fn other(self) -> Self {
        match self {
            Self::Fr => Self::En,
            Self::En => Self::Fr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_gives_the_first_language_that_is_ours() {
        assert_eq!(
            Lang::preferred("de-DE,de;q=0.9,en-GB;q=0.8,fr;q=0.7"),
            Some(Lang::En)
        );
        assert_eq!(Lang::preferred("fr-CA fr en"), Some(Lang::Fr));
        assert_eq!(Lang::preferred("de, *;q=0.1"), None);
        assert_eq!(Lang::preferred("frisian"), None);
    }
}
