//! OpenID Connect Core §3.1.2.1: "OpenID Connect requests MUST contain the openid scope value"; unknown ones are ignored,
//! and so is `offline_access` where it cannot be granted (§11).

use super::{Prompts, RedirectError};
use crate::domain::grant::{Scope, Scopes};
use crate::domain::relying_party::{Basis, GrantType, RelyingParty};
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;

pub(super) fn check(
    parameters: &Parameters,
    party: &RelyingParty,
    prompts: &Prompts,
) -> Result<Scopes, RedirectError> {
    let mut scopes = Scopes::known_of(parameters.get("scope").unwrap_or_default());
    if !may_be_offline(party, prompts) {
        scopes = scopes.without(Scope::OfflineAccess);
    }
    if scopes.contains(Scope::OpenId) {
        Ok(scopes)
    } else {
        Err(RedirectError::new(
            ErrorCode::InvalidScope,
            "scope must contain openid",
        ))
    }
}

/// Core §11: the request must ask for consent, "unless other conditions for processing the request permitting offline
/// access to the requested resources are in place": a convention is such a condition.
fn may_be_offline(party: &RelyingParty, prompts: &Prompts) -> bool {
    let permitted = party.basis == Basis::Convention || prompts.consent();
    permitted && party.metadata.grant_types.contains(&GrantType::RefreshToken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::party;

    #[test]
    fn core_section_11_offline_access_needs_a_refreshing_client_and_a_convention_or_a_prompt() {
        let asked = |party: &RelyingParty, more: &str| {
            let query = format!("scope=openid+offline_access{more}");
            let parameters = Parameters::read(&query).unwrap();
            let prompts = crate::oidc::authorization::prompt::check(&parameters).unwrap();
            let scopes = check(&parameters, party, &prompts).unwrap();
            scopes.contains(Scope::OfflineAccess)
        };
        let mut ent = party("ent");
        assert!(!asked(&ent, "&prompt=consent"), "it has no refresh tokens");
        ent.metadata.grant_types.push(GrantType::RefreshToken);
        assert!(asked(&ent, ""));
        ent.basis = Basis::Consent;
        assert!(!asked(&ent, "") && !asked(&ent, "&prompt=login"));
        assert!(asked(&ent, "&prompt=login+consent"));
    }
}
