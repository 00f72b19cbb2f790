//! Case 40b of the attack list, OpenID Connect as broker, and forged logout tokens of case 40: each message is a good one with
//! one thing changed; and texts that nobody meant as anything.

mod answers;
mod id_token;
mod logout_token;

use proptest::prelude::*;
use serde_json::Value;

use super::testing::*;
use super::*;

/// So many seconds from now.
fn later(seconds: i64) -> Value {
    (NOW.seconds() + seconds).into()
}

proptest! {
    #[test]
    fn no_text_of_a_stranger_is_accepted(
        text in ".{0,200}",
        parts in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,120}\\.[A-Za-z0-9_-]{0,90}",
    ) {
        let mut scene = Scene::new();
        for token in [text, parts] {
            prop_assert!(read_logout_token(&scene.client(), &token, NOW).is_err());
            scene.tokens["id_token"] = token.into();
            prop_assert!(scene.login().is_err());
        }
    }

    #[test]
    fn no_symbol_of_a_good_token_may_be_another(at in 0usize..2000, symbol in "[A-Za-z0-9_.-]") {
        let mut scene = Scene::new();
        let mut token = scene.id_token();
        let at = at % token.len();
        prop_assume!(token[at..=at] != symbol);
        token.replace_range(at..=at, &symbol);
        scene.tokens["id_token"] = token.into();
        prop_assert!(scene.login().is_err());
    }

    #[test]
    fn whatever_a_provider_answers_nothing_breaks(body in ".{0,200}") {
        let scene = Scene::new();
        let json = answer(200, "application/json", body.clone());
        let expected = Expected { nonce: NONCE, login_since: None };
        prop_assert!(read_tokens(&scene.client(), &json, expected, NOW).is_err());
        prop_assert!(read_discovery(ISSUER, &json).is_err());
        prop_assert!(read_jwks(&json).is_err());
        let parameters = crate::base::parameters::Parameters::read(&body);
        if let Ok(parameters) = parameters {
            drop(read_callback(&scene.client(), &parameters));
        }
    }
}
