//! Where a provider is and what it signs with: discovery (Discovery 1.0 §4) or a declaration, and the key set (RFC 7517 §5).
//!
//! What is kept is what is used, so that a difference between two of them means something. Must never keep a document that
//! names another issuer, nor a set without a key: with no key to check against, nothing would be checked.

use http::{Request, Response};
use serde_json::{Map, Value, json};

use super::answer::{self, JSON};
use super::jwt::ALGORITHMS;
use super::{Of, Rejected};
use crate::base::url::Url;
use crate::domain::registration::is_loopback;
use crate::domain::upstream::{FixedEndpoints, MetadataChange};
use crate::jose::{Jwk, KeySet, PublicKey};

/// The longest address that is kept.
const LONGEST: usize = 2000;
/// The most keys of a set that are read, as [`KeySet`] has it.
const MOST_KEYS: usize = 50;
/// RFC 9207 §3.
pub(super) const NAMES_ISSUER: &str = "authorization_response_iss_parameter_supported";
/// Endpoints, and whether there must be one.
const ENDPOINTS: &[(&str, bool)] = &[
    ("authorization_endpoint", true),
    ("token_endpoint", true),
    ("jwks_uri", true),
    ("userinfo_endpoint", false),
    ("end_session_endpoint", false),
];
/// Members of a key that say what it is and what it is for; certificates and whatever else are not kept.
const OF_KEY: &[&str] = &["kty", "crv", "n", "e", "x", "y", "kid", "use", "alg", "key_ops"];
/// How much of a thumbprint names a key that has no name.
const SHOWN: usize = 12;

/// Asks for the discovery document (Discovery 1.0 §4.1: below the issuer, a slash at its end left out).
///
/// # Errors
/// [`Rejected::Address`] for an issuer that is none.
pub fn discovery_request(issuer: &str) -> Result<Request<Vec<u8>>, Rejected> {
    let issuer = address("issuer", issuer)?;
    if issuer.contains('?') {
        return Err(Rejected::Address("issuer"));
    }
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let request = answer::get(&format!("{base}/.well-known/openid-configuration"), JSON)?;
    answer::made(request, Vec::new())
}

/// Reads the discovery document of an issuer: what of it is used.
///
/// # Errors
/// [`Rejected`].
pub fn read_discovery(issuer: &str, answer: &Response<Vec<u8>>) -> Result<Value, Rejected> {
    let said = answer::object(answer::text(answer, Of::Discovery)?, Of::Discovery)?;
    // Discovery 1.0 §4.3: "MUST exactly match the Issuer URL that was used as the prefix" of what was asked.
    match said.get("issuer").and_then(Value::as_str) {
        Some(said) if said == issuer => {}
        Some(_) => return Err(Rejected::Issuer(Of::Discovery)),
        None => return Err(Rejected::IssuerMissing(Of::Discovery)),
    }
    if let Some(algorithms) = said
        .get("id_token_signing_alg_values_supported")
        .and_then(Value::as_array)
    {
        let ours = |name: &Value| ALGORITHMS.iter().any(|ours| name == ours.as_str());
        if !algorithms.iter().any(ours) {
            return Err(Rejected::NoUsableAlgorithm);
        }
    }
    let mut kept = endpoints(issuer, |name| {
        said.get(name).filter(|value| !value.is_null()).map(Value::as_str)
    })?;
    if said.get(NAMES_ISSUER) == Some(&Value::Bool(true)) {
        kept.insert(NAMES_ISSUER.to_owned(), true.into());
    }
    Ok(kept.into())
}

/// The same, of a provider that publishes no discovery document.
///
/// # Errors
/// [`Rejected::Address`].
pub fn fixed(declared: &FixedEndpoints, issuer: &str) -> Result<Value, Rejected> {
    let kept = endpoints(issuer, |name| match name {
        "authorization_endpoint" => Some(Some(declared.authorization.as_str())),
        "token_endpoint" => Some(Some(declared.token.as_str())),
        "jwks_uri" => Some(Some(declared.jwks.as_str())),
        "userinfo_endpoint" => declared.userinfo.as_deref().map(Some),
        _ => declared.end_session.as_deref().map(Some),
    })?;
    Ok(kept.into())
}

/// Issuer and endpoints; what is no text is no address.
fn endpoints<'a>(
    issuer: &str,
    said: impl Fn(&str) -> Option<Option<&'a str>>,
) -> Result<Map<String, Value>, Rejected> {
    let mut kept = Map::new();
    kept.insert("issuer".to_owned(), address("issuer", issuer)?.into());
    for (name, is_due) in ENDPOINTS {
        match said(name) {
            Some(said) => {
                let said = address(name, said.ok_or(Rejected::Address(name))?)?;
                kept.insert((*name).to_owned(), said.into());
            }
            None if *is_due => return Err(Rejected::NoEndpoint(name)),
            None => {}
        }
    }
    Ok(kept)
}

/// An address that is called with what others must not read or change (Core §3.1.2, §3.1.3, §5.3: TLS).
fn address<'a>(name: &'static str, text: &'a str) -> Result<&'a str, Rejected> {
    let is_good = |url: &Url| {
        let is_private = match url.scheme() {
            "https" => true,
            "http" => url.host_str().is_some_and(is_loopback),
            _ => false,
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        is_private && !has_user && url.fragment().is_none()
    };
    let url = Url::parse(text)
        .ok()
        .filter(|url| text.len() <= LONGEST && is_good(url));
    url.map(|_| text).ok_or(Rejected::Address(name))
}

/// Asks for the key set.
///
/// # Errors
/// [`Rejected::NoEndpoint`] where `discovery` is not what was made here.
pub fn jwks_request(discovery: &Value) -> Result<Request<Vec<u8>>, Rejected> {
    let address = discovery.get("jwks_uri").and_then(Value::as_str);
    let request = answer::get(address.ok_or(Rejected::NoEndpoint("jwks_uri"))?, JSON)?;
    answer::made(request, Vec::new())
}

/// Reads a key set: of the keys that can be used, what makes them.
///
/// # Errors
/// [`Rejected::NoUsableKey`], [`Rejected::PrivateKey`], and what is wrong with an answer.
pub fn read_jwks(answer: &Response<Vec<u8>>) -> Result<Value, Rejected> {
    let document = Value::from(answer::object(answer::text(answer, Of::Keys)?, Of::Keys)?);
    let keys = document.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(Rejected::malformed(Of::Keys, "not a key set"))?;
    if keys.len() > MOST_KEYS {
        return Err(Rejected::TooLong(Of::Keys));
    }
    // What every key set here is refused for: a set that publishes one private key is in wrong hands, whatever else it holds.
    KeySet::read(&document).map_err(|_| Rejected::PrivateKey)?;
    let usable: Vec<Value> = keys.iter().filter(|key| signs(key)).map(public_members).collect();
    if usable.is_empty() {
        return Err(Rejected::NoUsableKey);
    }
    Ok(json!({ "keys": usable }))
}

/// Whether a key may sign by an algorithm that is taken.
fn signs(key: &Value) -> bool {
    let Ok(read) = Jwk::from_json(key) else {
        return false;
    };
    let may = ALGORITHMS.iter().any(|algorithm| read.may_sign(*algorithm));
    may && PublicKey::new(read).is_ok()
}

fn public_members(key: &Value) -> Value {
    let kept = OF_KEY
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), key.get(name)?.clone())));
    kept.collect::<Map<_, _>>().into()
}

/// What is otherwise now than `before`, both as (discovery, key set); a key is one and the same by its material, whatever
/// it is called.
pub fn change(before: (&Value, &Value), after: (&Value, &Value)) -> MetadataChange {
    let (old, new) = (named_keys(before.1), named_keys(after.1));
    let only = |these: &[(String, String)], others: &[(String, String)]| {
        let gone = these
            .iter()
            .filter(|(thumbprint, _)| !others.iter().any(|(other, _)| other == thumbprint));
        gone.map(|(_, name)| name.clone()).collect()
    };
    let members = std::iter::once("issuer")
        .chain(ENDPOINTS.iter().map(|(name, _)| *name))
        .chain([NAMES_ISSUER]);
    let changed = members.filter(|name| before.0.get(name) != after.0.get(name));
    MetadataChange {
        new_keys: only(&new, &old),
        gone_keys: only(&old, &new),
        changed: changed.map(str::to_owned).collect(),
    }
}

/// The thumbprints of the keys, and what each is called.
fn named_keys(jwks: &Value) -> Vec<(String, String)> {
    let keys = jwks
        .get("keys")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let named = keys.iter().filter_map(|key| {
        let thumbprint = Jwk::from_json(key).ok()?.thumbprint();
        let kid = key.get("kid").and_then(Value::as_str);
        let shown = kid.map_or_else(|| thumbprint.chars().take(SHOWN).collect(), str::to_owned);
        Some((thumbprint, shown))
    });
    named.collect()
}
