//! Client authentication at the endpoints a relying party's server calls (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! [`Presented::read`] takes the request apart, [`candidate`] compares it with what is registered, and the [`Candidate`]
//! becomes, by its secret or by its assertion, an [`AuthenticatedClient`], which is what everything behind it takes: a
//! grant cannot be reached without one.

use data_encoding::BASE64;

use super::client_assertion::{Accepted, Assertion, Audience};
use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty};
use crate::jose::KeySet;

/// What a request shows as proof.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Who it says it is; not believed yet.
    pub client_id: String,
    method: ClientAuthMethod,
    secret: Option<Secret>,
    assertion: Option<Assertion>,
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
        // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request".
        let asserted = form.get("client_assertion").is_some();
        let proofs = [authorization.is_some(), secret.is_some(), asserted];
        if proofs.into_iter().filter(|came| *came).count() > 1 {
            return Err(invalid_request("more than one client authentication method"));
        }
        if let Some(assertion) = Assertion::read(form)? {
            return Self::by_assertion(id, assertion);
        }
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
                assertion: None,
            });
        };
        let presented = Self::basic(authorization).ok_or(invalid_client(None).error)?;
        if id.is_some_and(|id| id != presented.client_id) {
            return Err(invalid_request(
                "client_id is not the one of the Authorization header",
            ));
        }
        Ok(presented)
    }

    /// RFC 7521 §4.2: a `client_id` beside the assertion is not needed, and names the same client.
    fn by_assertion(id: Option<&str>, assertion: Assertion) -> Result<Self, OAuthError> {
        if id.is_some_and(|id| id != assertion.client_id) {
            return Err(NOBODY);
        }
        Ok(Self {
            client_id: assertion.client_id.clone(),
            method: ClientAuthMethod::PrivateKeyJwt,
            secret: None,
            assertion: Some(assertion),
        })
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
            assertion: None,
        })
    }
}

/// A party that uses the method it registered; its proof has not been looked at yet.
#[derive(Debug)]
pub struct Candidate<'a> {
    presented: &'a Presented,
    party: RelyingParty,
}

/// The party that presented this, where there is one in use and it uses the method it registered.
///
/// # Errors
/// [`ClientRefused`].
pub fn candidate(presented: &Presented, party: Option<RelyingParty>) -> Result<Candidate<'_>, ClientRefused> {
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
    Ok(Candidate { presented, party })
}

impl Candidate<'_> {
    /// The party it says it is.
    pub fn party(&self) -> &RelyingParty {
        &self.party
    }

    /// Its assertion, where that is its method.
    pub fn assertion(&self) -> Option<&Assertion> {
        self.presented.assertion.as_ref()
    }

    /// Compares its secret with those that are live; a public client has none to show.
    ///
    /// # Errors
    /// [`ClientRefused`].
    pub fn by_secret(self) -> Result<AuthenticatedClient, ClientRefused> {
        let proved = match &self.presented.secret {
            // Each live secret is compared, in constant time, so that the time tells nothing of which one it was.
            Some(secret) => self
                .party
                .secrets
                .iter()
                .fold(false, |proved, digest| digest.matches(secret) | proved),
            None => self.party.is_public(),
        };
        if proved {
            Ok(AuthenticatedClient(self.party))
        } else {
            Err(invalid_client(Some("wrong secret")))
        }
    }

    /// Checks its assertion by its keys. What is accepted must be used up before anything is done for the client.
    ///
    /// # Errors
    /// [`ClientRefused`].
    pub fn by_assertion(
        self,
        keys: &KeySet,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Result<(AuthenticatedClient, Accepted), ClientRefused> {
        let assertion = self.assertion().ok_or(invalid_client(Some("no assertion")))?;
        let accepted = assertion
            .check(&self.party, keys, audience, now)
            .map_err(|refused| invalid_client(Some(refused.0)))?;
        Ok((AuthenticatedClient(self.party), accepted))
    }
}

/// An assertion that was used before: the answer is the one for a wrong one.
pub const REPLAYED: ClientRefused = invalid_client(Some("the assertion was used before"));

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
        candidate(&presented, Some(party))
            .and_then(Candidate::by_secret)
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
        assert_eq!(candidate(&presented, None).unwrap_err().reason, None);
    }

    #[test]
    fn one_method_and_one_identity_in_a_request() {
        let right = basic("ent", "secret+of+ent");
        for body in [
            "client_secret=x",
            "client_id=cantine",
            "client_id=ent&client_id=ent",
            "client_assertion=x&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
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
