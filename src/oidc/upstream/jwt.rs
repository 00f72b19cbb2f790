//! The one way by which something that a provider signed is believed: ID Tokens, signed userinfo and logout tokens (Core
//! §3.1.3.7, §5.3.2; Back-Channel Logout §2.6; RFC 8725).
//!
//! The signature goes first, by a key of the provider's set and an algorithm of [`ALGORITHMS`]; claims are read after that.
//! Must never take `none`, a symmetric algorithm, or a key out of the token.

use serde_json::{Map, Value};

use super::{Client, Of, Rejected};
use crate::base::time::Timestamp;
use crate::jose::{self, Algorithm, JoseError, KeySet, Kind, Unverified};
use crate::oauth::numeric_date;

/// What a provider may sign with (RFC 8725 §3.1). Its declaration cannot make the list longer.
pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm::Rs256, Algorithm::Es256, Algorithm::Ps256];
/// How far the clock of a provider may be from ours, in seconds.
pub(super) const SKEW: i64 = 60;
/// The most audiences, and the most values of a list, that are read.
const MOST: usize = 50;

/// The claims of a token that this provider signed for us.
pub(super) fn verified(
    client: &Client<'_>,
    token: &str,
    of: Of,
    kind: Kind,
) -> Result<Map<String, Value>, Rejected> {
    // §3.1.3.7 point 1. RFC 7516 §7.1: five parts.
    if token.split('.').count() == 5 {
        return Err(Rejected::Encrypted(of));
    }
    let keys = KeySet::read(client.jwks).map_err(|_| Rejected::NoUsableKey)?;
    if keys.is_empty() {
        return Err(Rejected::NoUsableKey);
    }
    // Points 6 and 7.
    let claims = jose::verify_from_client(token, &keys, ALGORITHMS, kind)
        .map_err(|error| unverified(&error, token, &keys, of))?;
    // Point 2, as it is.
    match claims.get("iss").and_then(Value::as_str) {
        Some(issuer) if issuer == client.provider.issuer => {}
        Some(_) => return Err(Rejected::Issuer(of)),
        None => return Err(Rejected::IssuerMissing(of)),
    }
    for_us(client, &claims, of)?;
    Ok(claims)
}

/// Which cause it is. Whether fresh keys may help is told here: not where the token names a key that there is.
fn unverified(error: &JoseError, token: &str, keys: &KeySet, of: Of) -> Rejected {
    let kid = Unverified::read(token).ok().and_then(|said| said.kid);
    let is_known = kid.as_ref().is_some_and(|kid| keys.find(kid).is_some());
    match error {
        JoseError::UnknownKey if is_known => Rejected::Algorithm(of),
        JoseError::UnknownKey => Rejected::UnknownKey(of),
        // Core §10.1: one key needs no name, so a new one has none either.
        JoseError::Signature if kid.is_none() => Rejected::UnknownKey(of),
        JoseError::Algorithm => Rejected::Algorithm(of),
        JoseError::Token(what) => Rejected::malformed(of, what),
        JoseError::Signature | JoseError::Key(_) | JoseError::Library(_) => Rejected::Signature(of),
    }
}

/// Points 3, 4 and 5: we are an audience; where there are others, or a party is named, that party is us.
fn for_us(client: &Client<'_>, claims: &Map<String, Value>, of: Of) -> Result<(), Rejected> {
    let us = client.provider.client_id.as_str();
    let audiences = texts(claims, "aud", of)?;
    if !audiences.contains(&us) {
        return Err(Rejected::Audience(of));
    }
    match claims.get("azp") {
        Some(party) if party == us => Ok(()),
        None if audiences.iter().all(|audience| *audience == us) => Ok(()),
        _ => Err(Rejected::AuthorizedParty(of)),
    }
}

/// Points 9 and 10, and RFC 7519 §4.1.5: not over, and not made in the future. What is not there is not looked at.
pub(super) fn in_time(claims: &Map<String, Value>, of: Of, now: Timestamp) -> Result<(), Rejected> {
    let now = now.seconds();
    if let Some(expires) = time(claims, "exp", of)?
        && now >= expires.saturating_add(SKEW)
    {
        return Err(Rejected::Expired(of));
    }
    for name in ["iat", "nbf"] {
        if time(claims, name, of)?.is_some_and(|begins| begins > now.saturating_add(SKEW)) {
            return Err(Rejected::NotYetValid(of));
        }
    }
    Ok(())
}

/// A time, in seconds.
pub(super) fn time(claims: &Map<String, Value>, name: &'static str, of: Of) -> Result<Option<i64>, Rejected> {
    let seconds = |value| numeric_date::seconds(value).ok_or(Rejected::malformed(of, "a time is no number"));
    claims.get(name).map(seconds).transpose()
}

/// A text that is neither empty nor longer than this, without control characters.
pub(super) fn short<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
    longest: usize,
    of: Of,
) -> Result<Option<&'a str>, Rejected> {
    let is_good =
        |text: &&str| (1..=longest).contains(&text.len()) && !text.chars().any(|symbol| symbol.is_control());
    let good = |value: &'a Value| {
        let text = value.as_str().filter(is_good);
        text.ok_or(Rejected::malformed(of, "a member is no text, empty, or too long"))
    };
    claims.get(name).map(good).transpose()
}

/// A list of texts, or one text (RFC 7519 §4.1.3).
pub(super) fn texts<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
    of: Of,
) -> Result<Vec<&'a str>, Rejected> {
    let wrong = || Rejected::malformed(of, "a member is not a list of texts");
    match claims.get(name) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(list)) if list.len() <= MOST => {
            let texts = list.iter().map(Value::as_str);
            texts.collect::<Option<_>>().ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}
