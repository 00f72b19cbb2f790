//! Client authentication by a signed assertion, `private_key_jwt` (RFC 7523 §2.2, §3; OpenID Connect Core §9; FAPI 2.0
//! Security Profile §5.3.2.1).
//!
//! | claim | what it must be | section |
//! | --- | --- | --- |
//! | `iss`, `sub` | the client's own id | RFC 7523 §3 points 1, 2 |
//! | `aud` | this issuer, or the endpoint that is called; for FAPI the issuer alone, as one string | §3 point 3, FAPI §5.3.2.1 point 6 |
//! | `exp` | there, not past, not more than a day ahead | §3 point 4 |
//! | `nbf`, `iat` | not ahead by more than a minute | §3 points 5, 6 |
//! | `jti` | there, and never seen before | §3 point 7, Core §9 |
//!
//! That a `jti` was never seen is decided by one guarded insert of the store, after this check.

use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use super::numeric_date;
use super::parameters::Parameters;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{RelyingParty, SecurityProfile};
use crate::jose::{self, Algorithm, KeySet, Unverified};

/// The one type of assertion (RFC 7523 §2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clock of a client may run ahead of ours, in seconds: FAPI 2.0 wants 10 accepted and 60 refused.
const AHEAD: i64 = 30;
/// How far ahead an assertion may expire, in seconds: each stays remembered that long.
const LONGEST: i64 = 24 * 3600;
/// The longest `jti` that is read.
const JTI: usize = 512;

/// An assertion as it came, nothing believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    token: String,
    /// The client that it names as its issuer.
    pub client_id: String,
    /// The key it is said to be signed with.
    pub kid: Option<String>,
}

/// An assertion that holds; it may be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its identifier.
    pub jti: String,
    /// Until when it would be good.
    pub expires_at: Timestamp,
}

/// Why an assertion does not hold, for the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// Where an assertion may be addressed to.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The issuer.
    pub issuer: &'a str,
}

/// Endpoints whose address some clients name instead of the issuer (Core §9: "SHOULD be the URL of the Authorization
/// Server's Token Endpoint").
const ENDPOINTS: &[&str] = &["/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"];

const fn invalid_request(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

impl Assertion {
    /// Takes the assertion out of a form; `None` where none came.
    ///
    /// # Errors
    /// `invalid_request` where it is of an unknown type or came twice, `invalid_client` where it is no token at all.
    pub fn read(form: &Parameters) -> Result<Option<Self>, OAuthError> {
        if form
            .first_repeated(&["client_assertion", "client_assertion_type"])
            .is_some()
        {
            return Err(invalid_request("client_assertion came twice"));
        }
        let (token, kind) = (form.get("client_assertion"), form.get("client_assertion_type"));
        let token = match (token, kind) {
            (None, None) => return Ok(None),
            (Some(token), Some(TYPE)) => token.to_owned(),
            _ => return Err(invalid_request("client_assertion_type is not jwt-bearer")),
        };
        let said = Unverified::read(&token).ok();
        let (kid, issuer) = said.map_or((None, None), |said| (said.kid, said.issuer));
        let client_id = issuer.ok_or(super::client_auth::NOBODY)?;
        Ok(Some(Self {
            token,
            client_id,
            kid,
        }))
    }

    /// Whether it is the client's own, for us, and of now.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(
        &self,
        party: &RelyingParty,
        keys: &KeySet,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        let allowed = allowed(party);
        let kind = jose::Kind::ClientAssertion;
        let claims = jose::verify_from_client(&self.token, keys, &allowed, kind)
            .map_err(|_| Refused("the assertion is not signed by a key of the client"))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let id = Some(party.id.as_str());
        if text("iss") != id || text("sub") != id {
            return Err(Refused("the assertion is of another client"));
        }
        if !is_for_us(&claims, party.metadata.profile, audience) {
            return Err(Refused("the assertion is for somebody else"));
        }
        let expires_at = in_time(&claims, now)?;
        let jti = text("jti").filter(|jti| (1..=JTI).contains(&jti.len()));
        let jti = jti.ok_or(Refused("the assertion has no jti"))?.to_owned();
        Ok(Accepted { jti, expires_at })
    }
}

/// The algorithms a party may use: those of its profile, of them the one it registered.
fn allowed(party: &RelyingParty) -> Vec<Algorithm> {
    let of_profile = match party.metadata.profile {
        SecurityProfile::Fapi2 => Algorithm::OF_FAPI,
        SecurityProfile::Standard => Algorithm::OF_CLIENTS,
    };
    let registered = party.metadata.auth_signing_alg.as_deref();
    let wanted = |algorithm: &Algorithm| registered.is_none_or(|name| name == algorithm.as_str());
    of_profile.iter().copied().filter(wanted).collect()
}

fn is_for_us(claims: &Map<String, Value>, profile: SecurityProfile, audience: Audience<'_>) -> bool {
    let is_ours = |value: &Value| {
        let Some(value) = value.as_str() else {
            return false;
        };
        let endpoint = |path: &&str| value.strip_prefix(audience.issuer) == Some(*path);
        value == audience.issuer || profile == SecurityProfile::Standard && ENDPOINTS.iter().any(endpoint)
    };
    match claims.get("aud") {
        Some(Value::Array(values)) => {
            profile == SecurityProfile::Standard && values.len() <= 10 && values.iter().any(is_ours)
        }
        Some(value) => is_ours(value),
        None => false,
    }
}

/// When it expires, where it is neither past nor of tomorrow.
fn in_time(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refused> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::seconds(value)
            .map(Some)
            .ok_or(Refused("a time of the assertion is no number")),
    };
    let now = now.seconds();
    let expires = seconds("exp")?.ok_or(Refused("the assertion has no exp"))?;
    if expires <= now {
        return Err(Refused("the assertion has expired"));
    }
    if expires > now.saturating_add(LONGEST) {
        return Err(Refused("the assertion lives too long"));
    }
    for name in ["nbf", "iat"] {
        if seconds(name)?.is_some_and(|at| at > now.saturating_add(AHEAD)) {
            return Err(Refused("the assertion is of the future"));
        }
    }
    Ok(Timestamp::from_seconds(expires))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::url;
    use crate::domain::testing::party;
    use crate::jose::PrivateKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
    const ISSUER: &str = "https://id.example";

    fn claims() -> Map<String, Value> {
        let now = NOW.seconds();
        let claims = json!({
            "iss": "ent", "sub": "ent", "aud": ISSUER, "jti": "1", "iat": now, "nbf": now, "exp": now + 60,
        });
        claims.as_object().unwrap().clone()
    }

    struct Client {
        key: PrivateKey,
        party: RelyingParty,
    }

    impl Client {
        fn new() -> Self {
            Self {
                key: PrivateKey::generate(Algorithm::Es256).unwrap(),
                party: party("ent"),
            }
        }

        fn fapi() -> Self {
            let mut client = Self::new();
            client.party.metadata.profile = SecurityProfile::Fapi2;
            client
        }

        /// The outcome of a right assertion with one claim changed (`null` leaves it out).
        fn with(&self, name: &str, value: Value) -> Result<Accepted, Refused> {
            let mut claims = claims();
            claims.insert(name.to_owned(), value);
            claims.retain(|_, value| !value.is_null());
            self.signed_by(&self.key, &claims)
        }

        fn signed_by(&self, key: &PrivateKey, claims: &Map<String, Value>) -> Result<Accepted, Refused> {
            let token = jose::sign(key, jose::Kind::Jwt, claims).unwrap();
            let form = url::query([
                ("client_assertion", token.as_str()),
                ("client_assertion_type", TYPE),
            ]);
            let read = Assertion::read(&Parameters::read(&form).unwrap());
            let keys = KeySet::new([self.key.public().clone()]).unwrap();
            let audience = Audience { issuer: ISSUER };
            read.map_err(|_| Refused("unreadable"))?
                .unwrap()
                .check(&self.party, &keys, audience, NOW)
        }
    }

    #[test]
    fn rfc_7523_section_3_each_claim_is_looked_at() {
        let client = Client::new();
        let right = client.with("typ", Value::Null).unwrap();
        assert_eq!(
            (right.jti.as_str(), right.expires_at.seconds()),
            ("1", NOW.seconds() + 60)
        );
        for audience in [
            json!([ISSUER]),
            json!(["x", ISSUER]),
            json!("https://id.example/oauth/token"),
        ] {
            assert!(client.with("aud", audience.clone()).is_ok(), "{audience}");
        }
        let now = NOW.seconds();
        for (name, value) in [
            ("iss", json!("cantine")),
            ("sub", json!("cantine")),
            ("sub", Value::Null),
            ("aud", Value::Null),
            ("aud", json!("https://id.example/")),
            ("aud", json!("https://id.example/oauth/token/x")),
            ("aud", json!("https://id.example.evil.example/oauth/token")),
            ("aud", json!([])),
            ("aud", json!(7)),
            ("exp", Value::Null),
            ("exp", json!(now)),
            ("exp", json!(now + LONGEST + 1)),
            ("exp", json!("tomorrow")),
            ("exp", json!(1e300)),
            ("nbf", json!(now + AHEAD + 1)),
            ("iat", json!(now + AHEAD + 1)),
            ("jti", Value::Null),
            ("jti", json!("")),
            ("jti", json!("x".repeat(JTI + 1))),
        ] {
            assert!(client.with(name, value.clone()).is_err(), "{name} {value}");
        }
        assert!(
            client.with("iat", json!(now + 8)).is_ok(),
            "a clock a little ahead"
        );
        assert!(client.with("exp", json!(now as f64 + 60.5)).is_ok());
    }

    #[test]
    fn case_38_a_stranger_s_key_and_an_algorithm_that_was_not_registered() {
        let mut client = Client::new();
        let thief = PrivateKey::generate(Algorithm::Es256).unwrap();
        assert!(client.signed_by(&thief, &claims()).is_err());
        client.party.metadata.auth_signing_alg = Some("PS256".into());
        assert!(client.with("jti", json!("2")).is_err());
        client.party.metadata.auth_signing_alg = Some("ES256".into());
        assert!(client.with("jti", json!("2")).is_ok());
    }

    #[test]
    fn fapi_2_0_section_5_3_2_1_the_issuer_as_one_string_and_no_rs256() {
        let client = Client::fapi();
        assert!(client.with("aud", json!(ISSUER)).is_ok());
        for audience in [
            json!([ISSUER]),
            json!([ISSUER, "x"]),
            json!("https://id.example/oauth/token"),
            json!("https://id.example/oauth/par"),
        ] {
            assert!(client.with("aud", audience.clone()).is_err(), "{audience}");
        }
        let mut rsa = Client::fapi();
        rsa.key = PrivateKey::generate(Algorithm::Rs256).unwrap();
        assert!(rsa.with("aud", json!(ISSUER)).is_err());
        rsa.party.metadata.profile = SecurityProfile::Standard;
        assert!(rsa.with("aud", json!(ISSUER)).is_ok());
    }

    #[test]
    fn a_form_holds_one_assertion_of_the_known_type_or_none() {
        let read = |form: &str| Assertion::read(&Parameters::read(form).unwrap());
        assert_eq!(read("client_id=ent"), Ok(None));
        for form in [
            "client_assertion=x",
            "client_assertion_type=x",
            "client_assertion=x&client_assertion_type=saml2-bearer",
        ] {
            assert_eq!(read(form).unwrap_err().code, ErrorCode::InvalidRequest, "{form}");
        }
        let kind = url::query([("client_assertion_type", TYPE)]);
        assert_eq!(
            read(&format!("{kind}&client_assertion=x")).unwrap_err().code,
            ErrorCode::InvalidClient
        );
    }
}
