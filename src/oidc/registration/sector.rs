//! What people are called toward a registered client (OpenID Connect Core §8.1, Dynamic Registration §5).
//!
//! The sector of a pairwise client is the host it lives on, as `host:<host>`, which is no id of a party: so a client that
//! registers itself never shares identifiers with a declared party. A loopback host is everybody's, so a client that
//! lives there alone has a sector of its own.

use std::collections::BTreeSet;

use super::{RegistrationError, Request, address};
use crate::base::url::Url;
use crate::domain::registration::{PUBLIC_SECTOR, Policy, SubjectType, backwards, is_loopback};
use crate::domain::relying_party::RelyingParty;

const LISTED_AT: &str = "sector_identifier_uri";

/// Settles `subject_type` and `sector_identifier_uri`; what the latter lists is for [`check_list`].
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let listed_at = address::own(request, policy, LISTED_AT)?;
    if listed_at
        .as_ref()
        .is_some_and(|uri| !uri.to_ascii_lowercase().starts_with("https:"))
    {
        return Err(RegistrationError::wrong(LISTED_AT, "must be https"));
    }
    let hosts: BTreeSet<String> = match &listed_at {
        Some(uri) => host(uri).into_iter().collect(),
        None => party.redirect_uris.iter().filter_map(|uri| host(uri)).collect(),
    };
    let subject_type = subject_type(request, policy, hosts.len() > 1)?;
    party.subject_strategy = subject_type.strategy();
    party.metadata.sector_identifier_uri = listed_at;
    let mut hosts = hosts.into_iter();
    party.sector = match (subject_type, hosts.next(), hosts.next()) {
        (SubjectType::Public, _, _) => PUBLIC_SECTOR.to_owned(),
        (SubjectType::Pairwise, Some(host), None) if !is_loopback(&host) => format!("host:{host}"),
        (SubjectType::Pairwise, _, None) => format!("client:{}", party.id),
        (SubjectType::Pairwise, _, Some(_)) => {
            return Err(RegistrationError::wrong(
                LISTED_AT,
                "is needed where redirect_uris have several hosts and subject_type is pairwise",
            ));
        }
    };
    Ok(())
}

/// The type that was asked for. For a client that does not say: the first of the policy, but a public one where a
/// pairwise one cannot be and the policy allows it.
fn subject_type(
    request: &Request,
    policy: &Policy,
    several_hosts: bool,
) -> Result<SubjectType, RegistrationError> {
    const FIELD: &str = "subject_type";
    let limit = RegistrationError::limit(FIELD, "this project may not register this type");
    let allowed = &policy.subject_types;
    match request.text(FIELD)? {
        Some(name) => {
            let asked = name.parse();
            let asked = asked.map_err(|_| RegistrationError::wrong(FIELD, "must be pairwise or public"))?;
            if allowed.contains(&asked) {
                Ok(asked)
            } else {
                Err(limit)
            }
        }
        None if several_hosts && allowed.contains(&SubjectType::Public) => Ok(SubjectType::Public),
        None => allowed.first().copied().ok_or(limit),
    }
}

/// The host that an address stands for; of a scheme of a program's own, the name it is made of.
fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    match url.scheme() {
        "http" | "https" => url.host_str().map(str::to_owned),
        scheme => Some(backwards(scheme)),
    }
}

/// Checks what `sector_identifier_uri` answered: a JSON array in which every redirect address stands (Dynamic
/// Registration §5).
///
/// # Errors
/// Where it does not.
pub fn check_list(body: &[u8], redirect_uris: &[String]) -> Result<(), RegistrationError> {
    let Ok(listed) = serde_json::from_slice::<Vec<String>>(body) else {
        return Err(RegistrationError::wrong(
            LISTED_AT,
            "does not answer a JSON array of addresses",
        ));
    };
    if redirect_uris.iter().all(|uri| listed.contains(uri)) {
        return Ok(());
    }
    Err(RegistrationError::wrong(
        LISTED_AT,
        "does not list each of redirect_uris",
    ))
}

/// What is said where `sector_identifier_uri` cannot be read.
pub const UNREADABLE: RegistrationError =
    RegistrationError::wrong(LISTED_AT, "does not answer with status 200 in good time");
