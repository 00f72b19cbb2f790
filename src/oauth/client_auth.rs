//! Client authentication at the endpoints a relying party's server calls (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! [`Presented::read`] takes the request apart, [`authenticate`] compares it with what is registered and answers an
//! [`AuthenticatedClient`], which is what everything behind it takes: a grant cannot be reached without one.

use data_encoding::BASE64;

use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty};

/// What a request shows as proof.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Who it says it is; not believed yet.
    pub client_id: String,
    method: ClientAuthMethod,
    secret: Option<Secret>,
}

/// A relying party that has proved who it is, or a public one, which cannot.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient(RelyingParty);

impl AuthenticatedClient {
    /// The party.
    pub fn party(&self) -> &RelyingParty {
        &self.0
    }
}

/// Why a client was not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRefused {
    /// What it is told.
    pub error: OAuthError,
    /// What the journal keeps; `None` where nothing was tried against a party there is.
    pub reason: Option<&'static str>,
}

/// One answer for an unknown client, a disabled one and a wrong secret.
pub const NOBODY: OAuthError = OAuthError::new(ErrorCode::InvalidClient, "client authentication failed");

const fn invalid_client(reason: Option<&'static str>) -> ClientRefused {
    let error = NOBODY;
    ClientRefused { error, reason }
}

const fn invalid_request(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

impl Presented {
    /// Takes the proof out of a request: the value of its `Authorization` header and its form.
    ///
    /// # Errors
    /// `invalid_request` for two methods at once (RFC 6749 §2.3) or two identities, `invalid_client` for a header that
    /// cannot be read.
    pub fn read(authorization: Option<&str>, form: &Parameters) -> Result<Self, OAuthError> {
        if form.first_repeated(&["client_id", "client_secret"]).is_some() {
            return Err(invalid_request("client_id or client_secret came twice"));
        }
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        let Some(authorization) = authorization else {
            let client_id = id.ok_or(invalid_request("client_id is missing"))?.to_owned();
            let method = match secret {
                Some(_) => ClientAuthMethod::SecretPost,
                None => ClientAuthMethod::None,
            };
            let secret = secret.map(Secret::new);
            return Ok(Self {
                client_id,
                method,
                secret,
            });
        };
        // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request".
        if secret.is_some() || form.get("client_assertion").is_some() {
            return Err(invalid_request("more than one client authentication method"));
        }
        let presented = Self::basic(authorization).ok_or(invalid_client(None).error)?;
        if id.is_some_and(|id| id != presented.client_id) {
            return Err(invalid_request(
                "client_id is not the one of the Authorization header",
            ));
        }
        Ok(presented)
    }

    /// RFC 7617 §2, both halves form-encoded besides (RFC 6749 §2.3.1).
    fn basic(authorization: &str) -> Option<Self> {
        let (scheme, encoded) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        Some(Self {
            client_id: url::form_decoded(id),
            method: ClientAuthMethod::SecretBasic,
            secret: Some(Secret::new(url::form_decoded(secret))),
        })
    }
}

/// Compares what was presented with the party of that id, where there is one.
///
/// # Errors
/// [`ClientRefused`].
pub fn authenticate(
    presented: &Presented,
    party: Option<RelyingParty>,
) -> Result<AuthenticatedClient, ClientRefused> {
    let party = party
        .filter(|party| party.id.as_str() == presented.client_id)
        .ok_or(invalid_client(None))?;
    if !party.enabled {
        return Err(invalid_client(Some("disabled")));
    }
    // OpenID Connect Core §9: the method is the one that was registered. So a confidential client cannot be played by
    // someone who leaves the secret out.
    if party.auth_method != presented.method {
        return Err(invalid_client(Some("another method than registered")));
    }
    let proved = match &presented.secret {
        // Each live secret is compared, in constant time, so that the time tells nothing of which one it was.
        Some(secret) => party
            .secrets
            .iter()
            .fold(false, |proved, digest| digest.matches(secret) | proved),
        None => party.is_public(),
    };
    if proved {
        Ok(AuthenticatedClient(party))
    } else {
        Err(invalid_client(Some("wrong secret")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::party;

    fn form(encoded: &str) -> Parameters {
        Parameters::read(encoded).unwrap()
    }

    fn basic(id: &str, secret: &str) -> String {
        format!("Basic {}", BASE64.encode(format!("{id}:{secret}").as_bytes()))
    }

    fn outcome(authorization: Option<&str>, body: &str, party: RelyingParty) -> Result<(), ErrorCode> {
        let presented = Presented::read(authorization, &form(body)).map_err(|error| error.code)?;
        authenticate(&presented, Some(party))
            .map(drop)
            .map_err(|refused| refused.error.code)
    }

    #[test]
    fn the_registered_method_with_a_live_secret_is_the_only_way() {
        let ent = party("ent");
        let right = basic("ent", "secret+of+ent");
        assert_eq!(outcome(Some(&right), "", ent.clone()), Ok(()));
        assert_eq!(outcome(Some(&right), "client_id=ent", ent.clone()), Ok(()));
        let mut post = ent.clone();
        post.auth_method = ClientAuthMethod::SecretPost;
        let body = "client_id=ent&client_secret=secret%20of%20ent";
        assert_eq!(outcome(None, body, post.clone()), Ok(()));
        assert_eq!(
            outcome(None, body, ent.clone()),
            Err(ErrorCode::InvalidClient),
            "another method"
        );
        assert_eq!(
            outcome(Some(&right), "", post),
            Err(ErrorCode::InvalidClient),
            "another method"
        );
        let mut public = ent;
        public.auth_method = ClientAuthMethod::None;
        public.secrets.clear();
        assert_eq!(outcome(None, "client_id=ent", public), Ok(()));
    }

    #[test]
    fn two_live_secrets_both_work() {
        let mut ent = party("ent");
        ent.secrets.push(Secret::new("n:éw %").digest());
        assert_eq!(
            outcome(Some(&basic("ent", "secret+of+ent")), "", ent.clone()),
            Ok(())
        );
        assert_eq!(
            outcome(Some(&basic("ent", "n%3A%C3%A9w+%25")), "", ent),
            Ok(()),
            "form-encoded"
        );
    }

    #[test]
    fn case_38_none_for_a_confidential_client_and_the_secret_of_another() {
        let refused = Err(ErrorCode::InvalidClient);
        assert_eq!(outcome(None, "client_id=ent", party("ent")), refused);
        assert_eq!(
            outcome(Some(&basic("ent", "secret+of+cantine")), "", party("ent")),
            refused
        );
        assert_eq!(outcome(Some(&basic("ent", "")), "", party("ent")), refused);
        assert_eq!(
            outcome(Some(&basic("cantine", "secret+of+ent")), "", party("ent")),
            refused
        );
        let mut disabled = party("ent");
        disabled.enabled = false;
        assert_eq!(
            outcome(Some(&basic("ent", "secret+of+ent")), "", disabled),
            refused
        );
        let presented = Presented::read(None, &form("client_id=nobody")).unwrap();
        assert_eq!(authenticate(&presented, None).unwrap_err().reason, None);
    }

    #[test]
    fn one_method_and_one_identity_in_a_request() {
        let right = basic("ent", "secret+of+ent");
        for body in [
            "client_secret=x",
            "client_id=cantine",
            "client_id=ent&client_id=ent",
            "client_assertion=x",
        ] {
            assert_eq!(
                outcome(Some(&right), body, party("ent")),
                Err(ErrorCode::InvalidRequest),
                "{body}"
            );
        }
        for header in ["Basic", "Basic !", "Bearer x", "Basic ZW50", ""] {
            assert_eq!(
                outcome(Some(header), "", party("ent")),
                Err(ErrorCode::InvalidClient),
                "{header}"
            );
        }
        assert_eq!(outcome(None, "", party("ent")), Err(ErrorCode::InvalidRequest));
    }
}
