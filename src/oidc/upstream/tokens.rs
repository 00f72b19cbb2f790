//! The exchange of a code for tokens (Core §3.1.3) and the ID Token (§2, §3.1.3.7).
//!
//! | §3.1.3.7 | what is looked at | where |
//! | --- | --- | --- |
//! | 1–7 | not encrypted, `iss`, `aud`, `azp`, signature, algorithm | `jwt` |
//! | 8 | no symmetric algorithm is taken | `jwt` |
//! | 9, 10 | `exp` and `iat` are there; not over, not of the future | here |
//! | 11 | `nonce`, in constant time | here |
//! | 12 | `acr` is one of those that are required, where any is | here |
//! | 13 | `auth_time`, where a new login was asked for and it is told | here |
//! | §3.1.3.8 | `at_hash` is of the access token, where it is there | here |
//!
//! Must never keep a refresh token: what a provider says of somebody is asked for once, when they sign in.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{HeaderValue, Request, Response, header};
use serde_json::{Map, Value};

use super::answer::{self, JSON};
use super::authorization::verifier;
use super::{Client, Code, Of, Rejected, jwt};
use crate::base::secret::{Secret, equal, sha256};
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::relying_party::ClientAuthMethod;
use crate::jose::Kind;

/// Core §2: `sub` "MUST NOT exceed 255 ASCII characters in length".
pub(super) const SUBJECT: usize = 255;
/// The longest access token that is sent on.
const ACCESS_TOKEN: usize = 8 * 1024;

/// What an ID Token must answer.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The nonce that was sent.
    pub nonce: &'a str,
    /// When they were sent away to sign in anew, where that was asked for.
    pub login_since: Option<Timestamp>,
}

/// What a code was exchanged for; its ID Token holds. Prints nobody.
#[derive(Clone)]
pub struct Tokens {
    pub(super) id_token: Secret,
    pub(super) access_token: Secret,
    pub(super) claims: Map<String, Value>,
    pub(super) subject: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[tokens]")
    }
}

/// Asks for the tokens of a code (Core §3.1.3.1, RFC 6749 §4.1.3, §2.3.1).
///
/// # Errors
/// [`Rejected`] where our own secret or verifier is missing.
pub fn token_request(
    client: &Client<'_>,
    code: &Code,
    given: Option<&Secret>,
) -> Result<Request<Vec<u8>>, Rejected> {
    let (us, proof) = (client.provider.client_id.as_str(), client.proof()?);
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", client.redirect_uri),
    ];
    if let Some(verifier) = verifier(client, given)? {
        form.push(("code_verifier", verifier.expose()));
    }
    let address: http::Uri = client
        .needed("token_endpoint")?
        .parse()
        .map_err(|_| Rejected::Address("token_endpoint"))?;
    let mut request = Request::post(address)
        .header(header::ACCEPT, JSON)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match proof {
        Some(secret) if client.provider.auth_method == ClientAuthMethod::SecretBasic => {
            request = request.header(header::AUTHORIZATION, basic(us, secret)?);
        }
        Some(secret) => form.extend([("client_id", us), ("client_secret", secret.expose())]),
        None => form.push(("client_id", us)),
    }
    answer::made(request, url::query(form).into_bytes())
}

/// RFC 7617 §2, both halves form-encoded before (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue, Rejected> {
    let encoded = |text: &str| {
        let pair = url::query([("", text)]);
        pair.trim_start_matches('=').to_owned()
    };
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose()));
    sensitive(&format!("Basic {}", BASE64.encode(pair.as_bytes())))
}

/// A header that no log shows.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Rejected> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Rejected::Request("what is to be sent does not fit into a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the answer: a token response (RFC 6749 §5.1, Core §3.1.3.3) with an ID Token that holds.
///
/// # Errors
/// [`Rejected`]; where it [wants keys](Rejected::wants_keys), the same answer can be read again.
pub fn read_tokens(
    client: &Client<'_>,
    answer: &Response<Vec<u8>>,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Tokens, Rejected> {
    let said = answer::object(answer::typed(answer, Of::Tokens, JSON)?, Of::Tokens)?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    // Core §3.1.3.3: "The OAuth 2.0 token_type response parameter value MUST be Bearer".
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(Rejected::malformed(Of::Tokens, "token_type is not Bearer"));
    }
    let access_token = text("access_token").filter(|token| (1..=ACCESS_TOKEN).contains(&token.len()));
    let access_token = access_token.ok_or(Rejected::malformed(
        Of::Tokens,
        "access_token is missing, empty or too long",
    ))?;
    let id_token = text("id_token").ok_or(Rejected::malformed(Of::Tokens, "id_token is missing"))?;
    let claims = jwt::verified(client, id_token, Of::IdToken, Kind::Jwt)?;
    let subject = check(client, &claims, access_token, expected, now)?;
    Ok(Tokens {
        id_token: Secret::new(id_token),
        access_token: Secret::new(access_token),
        claims,
        subject,
    })
}

/// The checks that only an ID Token has; its subject.
fn check(
    client: &Client<'_>,
    claims: &Map<String, Value>,
    access_token: &str,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<String, Rejected> {
    const OF: Of = Of::IdToken;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // Points 9 and 10: both are REQUIRED (§2).
    for name in ["exp", "iat"] {
        jwt::time(claims, name, OF)?.ok_or(Rejected::malformed(OF, "exp or iat is missing"))?;
    }
    jwt::in_time(claims, OF, now)?;
    // Point 11.
    if !text("nonce").is_some_and(|nonce| equal(nonce.as_bytes(), expected.nonce.as_bytes())) {
        return Err(Rejected::Nonce);
    }
    // §3.1.3.8 and §3.1.3.6: the left half of the hash of the algorithm, which is SHA-256 for all that are taken.
    if let Some(said) = claims.get("at_hash") {
        let hash = sha256(access_token.as_bytes());
        let (left, _) = hash.split_at(16);
        let due = BASE64URL_NOPAD.encode(left);
        let is_due = |said: &str| equal(said.as_bytes(), due.as_bytes());
        if !said.as_str().is_some_and(is_due) {
            return Err(Rejected::AccessTokenHash);
        }
    }
    // Point 12.
    let required = &client.provider.required_acr;
    let is_required = |acr: &str| required.iter().any(|known| known == acr);
    if !required.is_empty() && !text("acr").is_some_and(is_required) {
        return Err(Rejected::Acr);
    }
    // Point 13, for `prompt=login` (§3.1.2.1): a provider that ignored it gives itself away where it tells the time.
    let signed_in = jwt::time(claims, "auth_time", OF)?;
    if let (Some(since), Some(signed_in)) = (expected.login_since, signed_in)
        && signed_in.saturating_add(jwt::SKEW) < since.seconds()
    {
        return Err(Rejected::OldLogin);
    }
    let subject = jwt::short(claims, "sub", SUBJECT, OF)?;
    subject
        .map(str::to_owned)
        .ok_or(Rejected::malformed(OF, "sub is missing"))
}
