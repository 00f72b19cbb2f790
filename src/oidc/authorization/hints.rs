//! OpenID Connect Core §3.1.2.1, the hints. `id_token_hint` is verified where the keys are, in the flow; `login_hint` and
//! `ui_locales` are for the login page and decide nothing.
//!
//! `display` asks for a page of a certain size, and ours are of any; `claims_locales` asks for claims in a language, and a
//! name has none here: both are read by nobody, whatever they say. Must never look anybody up by a hint: it is given back
//! as it came, so that no page tells whether there is such a person.

use crate::oauth::parameters::Parameters;

/// Longer than any login name or address; what is longer is no hint.
const LONGEST_LOGIN: usize = 128;
/// More languages than anybody reads.
const LONGEST_LOCALES: usize = 256;

pub(super) fn id_token(parameters: &Parameters) -> Option<String> {
    parameters.get("id_token_hint").map(str::to_owned)
}

/// What a relying party lets the login page know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Who it believes will sign in, as the person would type it (`login_hint`).
    pub login: Option<String>,
    /// The languages it believes the person to read, in order (`ui_locales`).
    pub ui_locales: Option<String>,
}

impl Hints {
    /// Reads them; what is too long or cannot be typed is left out.
    pub fn read(parameters: &Parameters) -> Self {
        let text = |name: &str, longest: usize| {
            let value = parameters.get(name)?.trim();
            let fits = !value.is_empty() && value.len() <= longest && !value.contains(char::is_control);
            fits.then(|| value.to_owned())
        };
        Self {
            login: text("login_hint", LONGEST_LOGIN),
            ui_locales: text("ui_locales", LONGEST_LOCALES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::url;

    #[test]
    fn a_hint_is_what_somebody_could_have_typed() {
        let login = |hint: &str| {
            let query = url::query([("login_hint", hint), ("ui_locales", "fr-CA en")]);
            let hints = Hints::read(&Parameters::read(&query).unwrap());
            assert_eq!(hints.ui_locales.as_deref(), Some("fr-CA en"));
            hints.login
        };
        for typed in [
            "maddi.legoff",
            "Maddi Le Goff",
            "a\"><script>",
            "élève@école.example",
        ] {
            assert_eq!(login(typed).as_deref(), Some(typed));
        }
        assert_eq!(login(" maddi ").as_deref(), Some("maddi"));
        assert_eq!(login(&"x".repeat(128)).map(|text| text.len()), Some(128));
        for no_hint in ["", "   ", "a\nb", "a\u{7f}b", &"x".repeat(129)] {
            assert_eq!(login(no_hint), None, "{no_hint:?}");
        }
        let twice = Parameters::read("login_hint=a&login_hint=b").unwrap();
        assert_eq!(Hints::read(&twice), Hints::default());
    }
}
