//! Userinfo (Core §5.3), and who it is in the end.
//!
//! A provider that is declared to sign its userinfo is not believed in JSON, and the other way round: what comes unsigned
//! where a signature is due came from somebody else. Must never give claims of a person other than the ID Token's.

use http::{Request, Response, header};
use serde_json::{Map, Value};

use super::answer::{self, JSON, JWT};
use super::tokens::{SUBJECT, sensitive};
use super::{Client, Of, Rejected, Tokens, jwt};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::upstream::Userinfo;
use crate::jose::Kind;

/// Claims that the protocol needs and that say nothing of a person (Core §2, RFC 7519 §4.1).
const OF_PROTOCOL: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
];
/// The longest `sid` and `acr` that are kept.
const SHORT: usize = 255;

/// Somebody whom a provider signed in. Prints nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The person as the provider names them, byte for byte.
    pub subject: String,
    /// What it says of them: of the ID Token, and over that of userinfo.
    pub claims: Map<String, Value>,
    /// The ID Token, for the logout there.
    pub id_token: Secret,
    /// The login there, where it has a name.
    pub sid: Option<String>,
    /// How sure it says that the login is.
    pub acr: Option<String>,
    /// By which ways it says that they signed in.
    pub amr: Vec<String>,
    /// When it says that they signed in.
    pub authenticated_at: Option<Timestamp>,
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[somebody]")
    }
}

/// Asks for the claims (Core §5.3.1); `None` where the ID Token has all there is.
///
/// # Errors
/// [`Rejected::NoEndpoint`] where it is due and there is none.
pub fn userinfo_request(client: &Client<'_>, tokens: &Tokens) -> Result<Option<Request<Vec<u8>>>, Rejected> {
    let accept = match client.provider.userinfo {
        Userinfo::None => return Ok(None),
        Userinfo::Json => JSON,
        Userinfo::Signed => JWT,
    };
    let bearer = sensitive(&format!("Bearer {}", tokens.access_token.expose()))?;
    let request =
        answer::get(client.needed("userinfo_endpoint")?, accept)?.header(header::AUTHORIZATION, bearer);
    answer::made(request, Vec::new()).map(Some)
}

/// Who it is: of the tokens, and of the answer to [`userinfo_request`], where there was one to be asked for.
///
/// # Errors
/// [`Rejected`]; where it [wants keys](Rejected::wants_keys), the same answer can be read again.
pub fn finish(
    client: &Client<'_>,
    tokens: &Tokens,
    answer: Option<&Response<Vec<u8>>>,
    now: Timestamp,
) -> Result<Accepted, Rejected> {
    let due = || answer.ok_or(Rejected::malformed(Of::Userinfo, "was not asked for"));
    let said = match client.provider.userinfo {
        Userinfo::None => Map::new(),
        Userinfo::Json => plain(due()?)?,
        Userinfo::Signed => signed(client, due()?, now)?,
    };
    // §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token".
    let same = |said: &Map<String, Value>| said.get("sub").is_some_and(|sub| sub == tokens.subject.as_str());
    if client.provider.userinfo != Userinfo::None && !same(&said) {
        return Err(Rejected::OtherSubject);
    }
    let id_token = &tokens.claims;
    let kept =
        |name: &str| jwt::short(id_token, name, SHORT, Of::IdToken).map(|text| text.map(str::to_owned));
    let amr = jwt::texts(id_token, "amr", Of::IdToken)?;
    let authenticated_at = jwt::time(id_token, "auth_time", Of::IdToken)?;
    let mut claims = id_token.clone();
    claims.extend(said);
    claims.retain(|name, _| !OF_PROTOCOL.contains(&name.as_str()));
    Ok(Accepted {
        subject: tokens.subject.clone(),
        claims,
        id_token: tokens.id_token.clone(),
        sid: kept("sid")?,
        acr: kept("acr")?,
        amr: amr.into_iter().map(str::to_owned).collect(),
        authenticated_at: authenticated_at.map(Timestamp::from_seconds),
    })
}

fn plain(answer: &Response<Vec<u8>>) -> Result<Map<String, Value>, Rejected> {
    answer::object(answer::typed(answer, Of::Userinfo, JSON)?, Of::Userinfo)
}

/// §5.3.2 and §5.3.4: signed for us by this provider; where it says for how long it is good, it still is.
fn signed(
    client: &Client<'_>,
    answer: &Response<Vec<u8>>,
    now: Timestamp,
) -> Result<Map<String, Value>, Rejected> {
    let token = answer::typed(answer, Of::Userinfo, JWT)?.trim();
    let claims = jwt::verified(client, token, Of::Userinfo, Kind::Jwt)?;
    jwt::in_time(&claims, Of::Userinfo, now)?;
    jwt::short(&claims, "sub", SUBJECT, Of::Userinfo)?;
    Ok(claims)
}
