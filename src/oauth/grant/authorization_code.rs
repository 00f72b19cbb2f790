//! The authorization code grant at the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1.1).
//!
//! Whether the code is still unused is not decided here but by one guarded statement of the store: a code that was
//! presented is spent, whatever comes of this check.

use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::grant::Redemption;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce;

/// What a client sends to have a code exchanged.
#[derive(Debug, Clone)]
pub struct Request {
    /// The code.
    pub code: Secret,
    redirect_uri: Option<String>,
    code_verifier: Option<Secret>,
}

impl Request {
    /// Reads the form, in which the endpoint has found nothing twice.
    ///
    /// # Errors
    /// `invalid_request` where the code is missing.
    pub fn read(form: &Parameters) -> Result<Self, OAuthError> {
        let missing = OAuthError::new(ErrorCode::InvalidRequest, "code is missing");
        Ok(Self {
            code: Secret::new(form.get("code").ok_or(missing)?),
            redirect_uri: form.get("redirect_uri").map(str::to_owned),
            code_verifier: form.get("code_verifier").map(Secret::new),
        })
    }
}

/// Why a code is not exchanged: for the journal. The client is told `invalid_grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// RFC 6749 §4.1.3: it was issued to another client.
    OtherClient,
    /// RFC 6749 §4.1.2: it waited too long.
    Expired,
    /// Its grant was revoked.
    Revoked,
    /// RFC 6749 §4.1.3: it was sent to another address than the one named now.
    OtherRedirectUri,
    /// RFC 7636 §4.6: the verifier is missing, or is not the one of the challenge.
    WrongVerifier,
    /// RFC 9449 §10: it is bound to another key than the one that was proved, or none was.
    OtherKey,
    /// RFC 9700 §2.1.1: a verifier came, and there was no challenge.
    UnaskedVerifier,
    /// The person may not be signed in any more.
    Person,
    /// The login it was granted in was ended.
    SessionEnded,
}

impl Refused {
    /// What the journal says.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherClient => "code of another client",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::OtherRedirectUri => "other redirect_uri",
            Self::WrongVerifier => "wrong code_verifier",
            Self::OtherKey => "code bound to another key",
            Self::UnaskedVerifier => "code_verifier without challenge",
            Self::Person => "person may not sign in",
            Self::SessionEnded => "session ended",
        }
    }

    /// What the client is told: the developer's mistakes by name, the rest in one sentence.
    pub const fn error(self) -> OAuthError {
        let description = match self {
            Self::OtherRedirectUri => "redirect_uri is not the one of the authorization request",
            Self::WrongVerifier => "code_verifier does not match the code_challenge",
            Self::UnaskedVerifier => {
                "code_verifier came without a code_challenge in the authorization request"
            }
            _ => "the code is not valid (any more)",
        };
        OAuthError::new(ErrorCode::InvalidGrant, description)
    }
}

/// Whether a code may be exchanged, everything looked at again as it stands now. `jkt` is the thumbprint of the key the
/// request proves to hold.
///
/// # Errors
/// [`Refused`].
pub fn check(
    client: &AuthenticatedClient,
    held: &Redemption,
    request: &Request,
    jkt: Option<&str>,
    now: Timestamp,
) -> Result<(), Refused> {
    let (code, grant) = (&held.code, &held.standing.grant);
    if grant.client != client.party().id {
        return Err(Refused::OtherClient);
    }
    if now >= code.expires_at {
        return Err(Refused::Expired);
    }
    if grant.revoked_at.is_some() {
        return Err(Refused::Revoked);
    }
    // "…if the redirect_uri parameter was included in the authorization request …, and their values MUST be identical";
    // OpenID Connect always includes it.
    if request.redirect_uri.as_deref() != Some(&code.redirect_uri) {
        return Err(Refused::OtherRedirectUri);
    }
    match (&code.code_challenge, &request.code_verifier) {
        (None, None) => {}
        (None, Some(_)) => return Err(Refused::UnaskedVerifier),
        (Some(challenge), Some(verifier)) if pkce::matches(challenge, verifier.expose()) => {}
        (Some(_), _) => return Err(Refused::WrongVerifier),
    }
    if code.dpop_jkt.is_some() && code.dpop_jkt.as_deref() != jkt {
        return Err(Refused::OtherKey);
    }
    if !held.standing.person.may_sign_in() {
        return Err(Refused::Person);
    }
    if !held.standing.login_is_live(now) {
        return Err(Refused::SessionEnded);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::grant::AuthorizationCode;
    use crate::domain::identity::Status;
    use crate::domain::testing::{grant, party, standing};
    use crate::oauth::client_auth::{Presented, candidate};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const RIGHT: &str = "code=c&redirect_uri=https%3A%2F%2Fent.example%2Fcb&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn client(id: &str) -> AuthenticatedClient {
        let form = format!("client_id={id}&client_secret=secret+of+{id}");
        let presented = Presented::read(None, &Parameters::read(&form).unwrap()).unwrap();
        let mut party = party(id);
        party.auth_method = crate::domain::relying_party::ClientAuthMethod::SecretPost;
        candidate(&presented, Some(party)).unwrap().by_secret().unwrap()
    }

    fn held() -> Redemption {
        let grant = grant("ent");
        Redemption {
            code: AuthorizationCode {
                redirect_uri: "https://ent.example/cb".into(),
                code_challenge: Some(CHALLENGE.into()),
                dpop_jkt: None,
                expires_at: grant.created_at.plus(Duration::from_secs(60)),
            },
            is_used: false,
            standing: standing(grant),
        }
    }

    fn request(form: &str) -> Request {
        Request::read(&Parameters::read(form).unwrap()).unwrap()
    }

    fn checked(change: impl Fn(&mut Redemption), form: &str) -> Result<(), Refused> {
        let mut held = held();
        let now = held.standing.grant.created_at;
        change(&mut held);
        check(&client("ent"), &held, &request(form), Some("key"), now)
    }

    #[test]
    fn a_right_exchange_passes_and_each_wrong_one_names_its_reason() {
        let nothing = |_: &mut Redemption| {};
        assert_eq!(checked(nothing, RIGHT), Ok(()));
        assert_eq!(
            checked(nothing, &RIGHT.replace("cb", "cb2")),
            Err(Refused::OtherRedirectUri)
        );
        assert_eq!(checked(nothing, "code=c"), Err(Refused::OtherRedirectUri));
        assert_eq!(
            checked(|held| held.standing.login_until = None, RIGHT),
            Err(Refused::SessionEnded)
        );
        assert_eq!(
            checked(|held| held.standing.person = Status::Suspended, RIGHT),
            Err(Refused::Person)
        );
        assert_eq!(
            checked(
                |held| held.standing.grant.revoked_at = Some(held.code.expires_at),
                RIGHT
            ),
            Err(Refused::Revoked)
        );
        assert_eq!(
            checked(
                |held| held.code.expires_at = held.standing.grant.created_at,
                RIGHT
            ),
            Err(Refused::Expired)
        );
        assert_eq!(
            checked(
                |held| held.standing.grant.client = "cantine".parse().unwrap(),
                RIGHT
            ),
            Err(Refused::OtherClient)
        );
    }

    #[test]
    fn rfc_9449_section_10_a_code_that_is_bound_to_a_key_needs_that_key() {
        let bound = |key: &'static str| move |held: &mut Redemption| held.code.dpop_jkt = Some(key.into());
        assert_eq!(checked(bound("key"), RIGHT), Ok(()));
        assert_eq!(checked(bound("other"), RIGHT), Err(Refused::OtherKey));
    }

    #[test]
    fn case_35_pkce_downgrade_both_ways_and_another_verifier() {
        let without = RIGHT.replace(&format!("&code_verifier={VERIFIER}"), "");
        let no_challenge = |held: &mut Redemption| held.code.code_challenge = None;
        assert_eq!(
            checked(|_| {}, &without),
            Err(Refused::WrongVerifier),
            "the verifier left out"
        );
        assert_eq!(
            checked(no_challenge, RIGHT),
            Err(Refused::UnaskedVerifier),
            "a verifier nobody asked for"
        );
        assert_eq!(checked(no_challenge, &without), Ok(()));
        assert_eq!(
            checked(|_| {}, &RIGHT.replace("dBj", "eBj")),
            Err(Refused::WrongVerifier)
        );
        let plain = |held: &mut Redemption| held.code.code_challenge = Some(VERIFIER.into());
        assert_eq!(checked(plain, RIGHT), Err(Refused::WrongVerifier), "plain");
    }

    #[test]
    fn a_form_without_code_is_refused() {
        for form in ["", "redirect_uri=x", "code="] {
            let refused = Request::read(&Parameters::read(form).unwrap()).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{form}");
        }
    }
}
