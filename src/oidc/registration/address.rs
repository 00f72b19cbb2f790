//! Addresses of a client: on hosts that its project answers for, written so that nobody reads them otherwise than we do.
//! Redirect addresses besides: OpenID Connect Dynamic Registration §2, RFC 6749 §3.1.2, RFC 8252 §7.

use super::{RegistrationError, Request};
use crate::base::url::Url;
use crate::domain::registration::Policy;
use crate::domain::relying_party::{ApplicationType, RelyingParty};

/// The member of redirect addresses, which has an error code of its own.
pub(super) const REDIRECT_URIS: &str = "redirect_uris";

const ELSEWHERE: &str = "not on a host of this project (https, or http on a loopback host that it lists)";

/// Settles `redirect_uris` and `post_logout_redirect_uris`.
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let kind = party.metadata.application_type;
    let read = |field| {
        let listed = request.list(field)?.unwrap_or_default();
        for address in &listed {
            check_redirect(field, address, kind, policy)?;
        }
        Ok(listed.into_iter().map(str::to_owned).collect())
    };
    party.redirect_uris = read(REDIRECT_URIS)?;
    party.post_logout_redirect_uris = read("post_logout_redirect_uris")?;
    Ok(())
}

/// An address that a person is sent back to.
fn check_redirect(
    field: &'static str,
    address: &str,
    kind: ApplicationType,
    policy: &Policy,
) -> Result<(), RegistrationError> {
    let wrong = |reason| Err(RegistrationError::wrong(field, reason));
    let url = plain(address).map_err(|reason| RegistrationError::wrong(field, reason))?;
    // RFC 6749 §3.1.2: "The endpoint URI MUST NOT include a fragment component."
    if url.fragment().is_some() {
        return wrong("must not have a fragment");
    }
    if address.contains('*') {
        return wrong("a wildcard matches nothing");
    }
    let scheme = url.scheme();
    if matches!(scheme, "http" | "https") {
        return if policy.covers(&url) {
            Ok(())
        } else {
            Err(RegistrationError::limit(field, ELSEWHERE))
        };
    }
    if kind != ApplicationType::Native {
        return wrong("a web client has https addresses only");
    }
    // RFC 8252 §7.1: a scheme that is a domain name of the client's, backwards, followed by a single slash.
    if !policy.covers_scheme(scheme) {
        return Err(RegistrationError::limit(
            field,
            "a scheme of one's own is a host of this project, backwards",
        ));
    }
    let rest = address.get(scheme.len()..).unwrap_or_default();
    if !rest.starts_with(":/") || rest.starts_with("://") {
        return wrong("behind a scheme of one's own stands a single slash");
    }
    Ok(())
}

/// A member that holds an address of the client's own pages or endpoints.
pub(super) fn own(
    request: &Request,
    policy: &Policy,
    field: &'static str,
) -> Result<Option<String>, RegistrationError> {
    let Some(address) = request.text(field)? else {
        return Ok(None);
    };
    let url = plain(address).map_err(|reason| RegistrationError::wrong(field, reason))?;
    if !policy.covers(&url) {
        return Err(RegistrationError::limit(field, ELSEWHERE));
    }
    Ok(Some(address.to_owned()))
}

/// Reads an absolute address that is written as it is meant: what this parser repairs (missing or other slashes, white
/// space, an encoded host), another may read as an address of somebody else.
fn plain(address: &str) -> Result<Url, &'static str> {
    let usual = |symbol: u8| symbol.is_ascii_graphic() && !matches!(symbol, b'\\' | b'"' | b'<' | b'>');
    if !address.bytes().all(usual) {
        return Err("holds symbols that an address does not have (RFC 3986)");
    }
    let url = Url::parse(address).map_err(|_| "not an absolute address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold user information");
    }
    if let ("http" | "https", Some(host)) = (url.scheme(), url.host_str()) {
        let begin = format!("{}://{host}", url.scheme());
        let written = address.to_ascii_lowercase();
        let as_written = written
            .strip_prefix(&begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?', '#']));
        if !as_written {
            return Err("scheme and host are not written plainly");
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_another_parser_reads_otherwise_is_none() {
        for right in [
            "https://ent.example",
            "https://ent.example:8443/cb?a=%20&b=1",
            "HTTPS://Ent.Example/",
            "http://[::1]:80/",
        ] {
            assert!(plain(right).is_ok(), "{right}");
        }
        for wrong in [
            "https:ent.example/cb",
            "https:/ent.example/cb",
            "https:///ent.example/cb",
            "https:\\\\ent.example",
            "https://ent.example\\@evil.example",
            "https://ent.exa\tmple/",
            " https://ent.example/",
            "https://%65nt.example/",
            "https://user@ent.example/",
            "https://:@ent.example/",
            "https://ent.éxample/",
            "https://ent。example/",
            "//ent.example/",
            "/cb",
            "ent.example/cb",
            "https://",
        ] {
            assert!(plain(wrong).is_err(), "{wrong}");
        }
    }
}
