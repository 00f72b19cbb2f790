//! The end of a login at a provider: told by us (RP-Initiated Logout 1.0 §2) or by it (Back-Channel Logout 1.0 §2.4–§2.6).
//!
//! Must never take an ID Token for a logout token, nor one that names nobody. That a `jti` was not seen before is decided by
//! one guarded insert of the store, after this.

use serde_json::Value;

use super::{Client, Of, Rejected, jwt};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::base::url;
use crate::jose::Kind;
use crate::oidc::logout_token::EVENT;

/// For how long a logout token is good at most, in seconds: each is remembered until then. §2.4 recommends two minutes.
const LONGEST: i64 = 3600;
/// The same, for one that does not say (drafts of the specification had no `exp`).
const UNSAID: i64 = 120;
/// The longest `sub`, `sid` and `jti` that are read.
const SHORT: usize = 255;

/// Where the browser is sent to end the login there; `None` where that is not declared or the provider has no such address.
/// ProConnect wants these three parameters and no other, the address byte for byte as it is registered.
pub fn end_session_url(
    client: &Client<'_>,
    id_token_hint: &Secret,
    state: &str,
    post_logout_redirect_uri: &str,
) -> Option<String> {
    let endpoint = client
        .endpoint("end_session_endpoint")
        .filter(|_| client.provider.logout)?;
    let parameters = [
        ("id_token_hint", id_token_hint.expose()),
        ("state", state),
        ("post_logout_redirect_uri", post_logout_redirect_uri),
    ];
    Some(url::with_parameters(endpoint, parameters))
}

/// A login there has ended, or all of somebody's. Prints nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// Whose; where no login is named, all of theirs.
    pub subject: Option<String>,
    /// Which: the `sid` of its ID Token.
    pub sid: Option<String>,
    /// Its own identifier: good once.
    pub jti: String,
    /// Until when it would be good, and must be remembered.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[logout token]")
    }
}

/// Reads a logout token of this provider.
///
/// # Errors
/// [`Rejected`]. Anybody can send one, so keys that it [wants](Rejected::wants_keys) are fetched seldom.
pub fn read_logout_token(client: &Client<'_>, token: &str, now: Timestamp) -> Result<LogoutToken, Rejected> {
    const OF: Of = Of::LogoutToken;
    // §2.6 points 1 to 4. §2.4: "typ" is recommended; where it is another one it is refused.
    let claims = jwt::verified(client, token, OF, Kind::LogoutToken)?;
    let issued = jwt::time(&claims, "iat", OF)?.ok_or(Rejected::malformed(OF, "iat is missing"))?;
    jwt::in_time(&claims, OF, now)?;
    let most = match jwt::time(&claims, "exp", OF)? {
        Some(expires) => expires.min(issued.saturating_add(LONGEST)),
        None => issued.saturating_add(UNSAID),
    };
    let end = most.saturating_add(jwt::SKEW);
    if now.seconds() >= end {
        return Err(Rejected::Expired(OF));
    }
    // Point 6: a member of that name, the value a JSON object.
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(Rejected::NoEvent);
    }
    // Point 7.
    if claims.contains_key("nonce") {
        return Err(Rejected::HasNonce);
    }
    let kept = |name: &str| jwt::short(&claims, name, SHORT, OF).map(|text| text.map(str::to_owned));
    let (subject, sid) = (kept("sub")?, kept("sid")?);
    // Point 5.
    if subject.is_none() && sid.is_none() {
        return Err(Rejected::Nobody);
    }
    Ok(LogoutToken {
        subject,
        sid,
        jti: kept("jti")?.ok_or(Rejected::malformed(OF, "jti is missing"))?,
        expires_at: Timestamp::from_seconds(end),
    })
}
