//! OpenID Connect Core §3.1.2.1, `id_token_hint`: verified where the keys are, in the flow. `login_hint`, `ui_locales`,
//! `claims_locales` and `display` are for the login page and decide nothing.

use crate::oauth::parameters::Parameters;

pub(super) fn id_token(parameters: &Parameters) -> Option<String> {
    parameters.get("id_token_hint").map(str::to_owned)
}
