//! What a client asks of the endpoints: grants, response types (OpenID Connect Dynamic Registration §2, RFC 7591 §2.1), how
//! its requests come (RFC 9126 §6, RFC 9449 §5.2) and what they mean where they do not say (Core §3.1.2.1).

use super::{RegistrationError, Request};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{GrantType, RelyingParty};

/// Settles `grant_types` and `response_types`, which have to agree.
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    if let Some(asked) = request.list("grant_types")? {
        let unknown = |_| RegistrationError::wrong("grant_types", "there is no such grant here");
        let read: Result<Vec<GrantType>, _> = asked
            .into_iter()
            .map(|name| name.parse().map_err(unknown))
            .collect();
        party.metadata.grant_types = read?;
    }
    let grants = &party.metadata.grant_types;
    if grants.iter().any(|grant| !policy.grant_types.contains(grant)) {
        return Err(RegistrationError::limit(
            "grant_types",
            "this project may not register this grant",
        ));
    }
    let uses_code = party.metadata.allows(GrantType::AuthorizationCode);
    let expected: &[&str] = if uses_code { &["code"] } else { &[] };
    match request.list("response_types")? {
        Some(asked) if asked != expected => Err(RegistrationError::wrong(
            "response_types",
            "must be code, for the grant authorization_code, and nothing else",
        )),
        _ => Ok(()),
    }
}

/// Settles how requests come.
pub(super) fn check_requests(
    request: &Request,
    _: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let metadata = &mut party.metadata;
    metadata.par_required = request.flag("require_pushed_authorization_requests")?;
    metadata.dpop_required = request.flag("dpop_bound_access_tokens")?;
    metadata.default_max_age = request.seconds("default_max_age")?;
    metadata.require_auth_time = request.flag("require_auth_time")?;
    let classes = request.list("default_acr_values")?.unwrap_or_default();
    metadata.default_acr_values = classes.into_iter().map(str::to_owned).collect();
    Ok(())
}
