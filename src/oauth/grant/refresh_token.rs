//! The refresh token grant at the token endpoint (RFC 6749 §6, RFC 9700 §4.14, OpenID Connect Core §12).
//!
//! Whether a token is still unused is not decided here but by one guarded statement of the store. A used one that comes
//! again has been copied, or the answer to its first use was lost on the way: the second is believed once, for
//! [`GRACE`], while nobody has used what that answer held.

use std::time::Duration;

use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::grant::{Grant, Renewal, Scopes};
use crate::domain::relying_party::{RelyingParty, SecurityProfile};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;

/// How long after its use a token may come again because its answer was lost.
pub const GRACE: Duration = Duration::from_secs(30);

/// What a client sends to have its tokens renewed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The refresh token.
    pub token: Secret,
    scopes: Option<Scopes>,
}

impl Request {
    /// Reads the form, in which the endpoint has found nothing twice.
    ///
    /// # Errors
    /// `invalid_request` where the token is missing.
    pub fn read(form: &Parameters) -> Result<Self, OAuthError> {
        let missing = OAuthError::new(ErrorCode::InvalidRequest, "refresh_token is missing");
        Ok(Self {
            token: Secret::new(form.get("refresh_token").ok_or(missing)?),
            scopes: form.get("scope").map(Scopes::all_of),
        })
    }
}

/// What the client is told of a token that leads to nothing (any more).
pub const UNKNOWN: OAuthError = OAuthError::new(
    ErrorCode::InvalidGrant,
    "the refresh token is not valid (any more)",
);

/// Why tokens are not renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// RFC 6749 §6: it was issued to another client.
    OtherClient,
    /// RFC 9449 §5: it is bound to another key than the one that was proved, or none was.
    OtherKey,
    /// Its grant was revoked.
    Revoked,
    /// It is too old.
    Expired,
    /// The login it was granted in is over, and the grant does not outlive that.
    LoginOver,
    /// The person may not be signed in any more.
    Person,
    /// The client is not open for the person (any more, or yet), for this reason.
    Closed(&'static str),
    /// The client would know the person by another name now (Core §12.2: `sub` must be the same).
    OtherSubject,
    /// RFC 6749 §6: more was asked than was granted.
    WiderScope,
}

impl Refused {
    /// What the journal says, where this is something to write down: a grant that has simply come to its end is not.
    pub const fn noted(self) -> Option<&'static str> {
        match self {
            Self::OtherClient => Some("refresh token of another client"),
            Self::OtherKey => Some("refresh token bound to another key"),
            Self::Person => Some("person may not sign in"),
            Self::Closed(reason) => Some(reason),
            Self::OtherSubject => Some("another subject than before"),
            Self::Revoked | Self::Expired | Self::LoginOver | Self::WiderScope => None,
        }
    }

    /// What the client is told.
    pub const fn error(self) -> OAuthError {
        match self {
            Self::WiderScope => {
                OAuthError::new(ErrorCode::InvalidScope, "scope asks for more than was granted")
            }
            _ => UNKNOWN,
        }
    }
}

/// Whether a token, used or not, is its presenter's to use. `jkt` is the thumbprint of the key the request proves to
/// hold. Who fails here can neither refresh nor, by showing a used token, revoke.
///
/// # Errors
/// [`Refused`].
pub fn belongs(client: &AuthenticatedClient, held: &Renewal, jkt: Option<&str>) -> Result<(), Refused> {
    if held.standing.grant.client != client.party().id {
        return Err(Refused::OtherClient);
    }
    if held.token.jkt.is_some() && held.token.jkt.as_deref() != jkt {
        return Err(Refused::OtherKey);
    }
    if held.standing.grant.revoked_at.is_some() {
        return Err(Refused::Revoked);
    }
    Ok(())
}

/// Whether a token that was used comes again soon enough to be a lost answer.
pub fn may_be_lost(used_at: Timestamp, now: Timestamp) -> bool {
    now < used_at.plus(GRACE)
}

/// Whether tokens may be renewed, everything looked at again as it stands now; answers what the new access token is good
/// for. That the client still serves the person is the caller's to see.
///
/// # Errors
/// [`Refused`].
pub fn check(held: &Renewal, request: &Request, now: Timestamp) -> Result<Scopes, Refused> {
    stands(held, now)?;
    let granted = &held.standing.grant.scopes;
    // "The requested scope MUST NOT include any scope not originally granted"; left out, it "is treated as equal".
    let asked = request.scopes.clone().map(|asked| asked.foreign_of(granted));
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if !asked.is_empty() && asked.are_within(granted) => Ok(asked),
        Some(_) => Err(Refused::WiderScope),
    }
}

/// Whether what a token rests on still stands.
///
/// # Errors
/// [`Refused`].
pub fn stands(held: &Renewal, now: Timestamp) -> Result<(), Refused> {
    let (token, standing) = (&held.token, &held.standing);
    if now >= token.expires_at {
        return Err(Refused::Expired);
    }
    if !standing.grant.outlives_login() && !standing.login_is_live(now) {
        return Err(Refused::LoginOver);
    }
    if !standing.person.may_sign_in() {
        return Err(Refused::Person);
    }
    if standing.subject.as_ref() != Some(&token.subject) {
        return Err(Refused::OtherSubject);
    }
    Ok(())
}

/// Until when a new refresh token is good. One that outlives the login ends a fixed time after the first (`former` is the
/// end of the token it takes the place of); any other ends with the login.
pub fn good_until(
    grant: &Grant,
    login_until: Option<Timestamp>,
    former: Option<Timestamp>,
    limit: Duration,
) -> Timestamp {
    let latest = former
        .filter(|_| grant.outlives_login())
        .unwrap_or_else(|| grant.created_at.plus(limit));
    match login_until {
        Some(until) if !grant.outlives_login() => latest.min(until),
        _ => latest,
    }
}

/// Whether a client gets a new refresh token at each use. FAPI 2.0 Security Profile §5.3.2.1 forbids it for those who
/// prove themselves by a key; a public client always does (RFC 9700 §4.14.2).
pub fn rotates(party: &RelyingParty) -> bool {
    party.metadata.profile != SecurityProfile::Fapi2 || party.is_public()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grant::RefreshToken;
    use crate::domain::identity::Status;
    use crate::domain::relying_party::ClientAuthMethod;
    use crate::domain::testing::{grant, party, standing};
    use crate::oauth::client_auth::{Presented, candidate};

    fn client(id: &str) -> AuthenticatedClient {
        let mut party = party(id);
        (party.auth_method, party.secrets) = (ClientAuthMethod::None, Vec::new());
        let form = Parameters::read(&format!("client_id={id}")).unwrap();
        let presented = Presented::read(None, &form).unwrap();
        candidate(&presented, Some(party)).unwrap().by_secret().unwrap()
    }

    fn held(scopes: &str) -> Renewal {
        let mut grant = grant("ent");
        grant.scopes = Scopes::known_of(scopes);
        Renewal {
            token: RefreshToken {
                sequence: 1,
                subject: "abc".into(),
                jkt: None,
                issued_at: grant.created_at,
                expires_at: grant.created_at.plus(Duration::from_secs(3600)),
                used_at: None,
            },
            standing: standing(grant),
        }
    }

    fn checked(scopes: &str, form: &str, change: impl Fn(&mut Renewal)) -> Result<String, Refused> {
        let mut held = held(scopes);
        let now = held.standing.grant.created_at;
        change(&mut held);
        let request = Request::read(&Parameters::read(&format!("refresh_token=t&{form}")).unwrap()).unwrap();
        check(&held, &request, now).map(|scopes| scopes.to_string())
    }

    #[test]
    fn everything_is_looked_at_again_and_each_refusal_names_its_reason() {
        let plain = |change: fn(&mut Renewal)| checked("openid profile", "", change);
        assert_eq!(plain(|_| {}), Ok("openid profile".into()));
        assert_eq!(
            plain(|held| held.token.expires_at = held.standing.grant.created_at),
            Err(Refused::Expired)
        );
        assert_eq!(
            plain(|held| held.standing.person = Status::Suspended),
            Err(Refused::Person)
        );
        assert_eq!(
            plain(|held| held.standing.subject = None),
            Err(Refused::OtherSubject)
        );
        assert_eq!(
            plain(|held| held.standing.subject = Some("abd".into())),
            Err(Refused::OtherSubject)
        );
        assert_eq!(
            plain(|held| held.standing.login_until = Some(held.standing.grant.created_at)),
            Err(Refused::LoginOver)
        );
        let no_login = |held: &mut Renewal| held.standing.login_until = None;
        assert_eq!(plain(no_login), Err(Refused::LoginOver));
        assert!(checked("openid offline_access", "", no_login).is_ok());
    }

    #[test]
    fn rfc_6749_section_6_the_scope_is_narrowed_and_never_widened() {
        let asked = |scope: &str| checked("openid profile education", &format!("scope={scope}"), |_| {});
        assert_eq!(asked("openid+profile"), Ok("openid profile".into()));
        assert_eq!(asked("profile+unheard-of"), Ok("profile".into()));
        assert_eq!(asked("openid+email"), Err(Refused::WiderScope));
        assert_eq!(asked("openid+offline_access"), Err(Refused::WiderScope));
        assert_eq!(asked("unheard-of"), Err(Refused::WiderScope));
        assert_eq!(Refused::WiderScope.error().code, ErrorCode::InvalidScope);
        let missing = Request::read(&Parameters::read("scope=openid").unwrap()).unwrap_err();
        assert_eq!(missing.code, ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_token_belongs_to_its_client_its_key_and_a_live_family() {
        let of_ent = client("ent");
        let mut held = held("openid");
        assert_eq!(belongs(&of_ent, &held, Some("any key")), Ok(()));
        assert_eq!(
            belongs(&client("cantine"), &held, None),
            Err(Refused::OtherClient)
        );
        held.token.jkt = Some("key".into());
        assert_eq!(belongs(&of_ent, &held, Some("key")), Ok(()));
        assert_eq!(belongs(&of_ent, &held, Some("other")), Err(Refused::OtherKey));
        assert_eq!(belongs(&of_ent, &held, None), Err(Refused::OtherKey));
        held.standing.grant.revoked_at = Some(held.token.issued_at);
        assert_eq!(belongs(&of_ent, &held, Some("key")), Err(Refused::Revoked));
    }

    #[test]
    fn the_end_is_the_logins_or_a_fixed_time_after_the_first_token() {
        let (bound, lasting) = (held("openid"), held("openid offline_access"));
        let at = |seconds| bound.standing.grant.created_at.plus(Duration::from_secs(seconds));
        let limit = Duration::from_secs(5000);
        let until = |held: &Renewal, login, former| good_until(&held.standing.grant, login, former, limit);
        assert_eq!(until(&bound, Some(at(60)), None), at(60));
        assert_eq!(
            until(&bound, Some(at(90)), Some(at(60))),
            at(90),
            "signed in anew"
        );
        assert_eq!(until(&bound, Some(at(9000)), None), at(5000));
        assert_eq!(until(&lasting, Some(at(60)), None), at(5000));
        assert_eq!(until(&lasting, None, Some(at(4000))), at(4000));
    }

    #[test]
    fn the_grace_ends_after_half_a_minute() {
        let used = held("openid").token.issued_at;
        assert!(may_be_lost(used, used));
        assert!(may_be_lost(used, used.plus(Duration::from_secs(29))));
        assert!(!may_be_lost(used, used.plus(GRACE)));
    }

    #[test]
    fn fapi_2_0_section_5_3_2_1_no_rotation_but_for_public_clients() {
        let mut ent = party("ent");
        assert!(rotates(&ent));
        ent.metadata.profile = SecurityProfile::Fapi2;
        assert!(!rotates(&ent));
        ent.auth_method = ClientAuthMethod::None;
        assert!(rotates(&ent));
    }
}
