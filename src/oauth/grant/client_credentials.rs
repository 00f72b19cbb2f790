//! The client credentials grant at the token endpoint (RFC 6749 §4.4): who may have it, and for what.

use crate::domain::grant::Scopes;
use crate::domain::relying_party::RelyingParty;
use crate::domain::resource_server::ResourceServer;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;

/// Whether a client can act in its own name at all (RFC 6749 §4.4: "MUST only be used by confidential clients").
///
/// # Errors
/// `unauthorized_client`.
pub fn may(party: &RelyingParty) -> Result<(), OAuthError> {
    if party.is_public() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "a public client has no name of its own",
        ));
    }
    Ok(())
}

/// What the token is good for: what is asked, all of it permitted to the client and known to the resource server; where
/// nothing is asked (RFC 6749 §3.3, "a pre-defined default value"), everything that is both.
///
/// # Errors
/// `invalid_scope`, for one scope too many and for none at all.
pub fn scopes(
    form: &Parameters,
    party: &RelyingParty,
    server: Option<&ResourceServer>,
) -> Result<Scopes, OAuthError> {
    let invalid = |description| Err(OAuthError::new(ErrorCode::InvalidScope, description));
    let permitted = Scopes::all_of(&party.metadata.service_scopes.join(" "));
    // A scope of ours is about a person, and there is none.
    let mut possible = permitted.only_foreign();
    if let Some(server) = server {
        possible = possible.known_to(server);
    }
    let scopes = match form.get("scope") {
        None => possible,
        // Word by word: one that cannot be a scope is refused too.
        Some(asked) => {
            let is_possible = |word: &str| possible.foreign().any(|scope| scope.as_str() == word);
            if !asked.split(' ').filter(|word| !word.is_empty()).all(is_possible) {
                return invalid("scope asks for more than this client may have here");
            }
            Scopes::all_of(asked)
        }
    };
    if scopes.is_empty() {
        return invalid("there is no scope that this client may have here");
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::ClientAuthMethod;
    use crate::domain::testing::{party, resource_server};

    fn asked(scope: &str, permitted: &[&str], server: Option<&ResourceServer>) -> Result<String, ErrorCode> {
        let mut ent = party("ent");
        ent.metadata.service_scopes = permitted.iter().map(|name| (*name).to_owned()).collect();
        let form = Parameters::read(&crate::base::url::query([("scope", scope)])).unwrap();
        scopes(&form, &ent, server)
            .map(|scopes| scopes.to_string())
            .map_err(|error| error.code)
    }

    #[test]
    fn only_what_the_client_may_have_and_the_resource_server_knows() {
        let menus = resource_server("cantine");
        let menus = Some(&menus);
        let all = ["menus:read", "menus:write", "classes:read"];
        assert_eq!(asked("", &all, menus), Ok("menus:read menus:write".into()));
        assert_eq!(asked("menus:read", &all, menus), Ok("menus:read".into()));
        assert_eq!(asked("classes:read", &all, None), Ok("classes:read".into()));
        let refused = Err(ErrorCode::InvalidScope);
        assert_eq!(asked("classes:read", &all, menus), refused);
        assert_eq!(asked("menus:write", &["menus:read"], menus), refused);
        assert_eq!(asked("menus:read menus:erase", &all, menus), refused);
        assert_eq!(asked("menus:read é", &all, menus), refused);
        assert_eq!(asked("openid", &["openid"], None), refused, "no person");
        assert_eq!(asked("", &["openid"], None), refused);
        assert_eq!(asked("", &["classes:read"], menus), refused);
        assert_eq!(asked("", &[], None), refused);
    }

    #[test]
    fn rfc_6749_section_4_4_only_confidential_clients() {
        let mut ent = party("ent");
        assert_eq!(may(&ent), Ok(()));
        ent.auth_method = ClientAuthMethod::None;
        assert_eq!(may(&ent).unwrap_err().code, ErrorCode::UnauthorizedClient);
    }
}
