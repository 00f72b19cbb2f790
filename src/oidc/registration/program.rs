//! What people are told of a client, and its pages (OpenID Connect Dynamic Registration §2).

use super::{RegistrationError, Request, address};
use crate::domain::registration::Policy;
use crate::domain::relying_party::RelyingParty;

/// The longest name.
const NAME: usize = 100;
/// The longest way to reach somebody.
const CONTACT: usize = 200;

/// Settles `application_type`, `client_name` and `contacts`.
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    if let Some(kind) = request.text("application_type")? {
        let unknown = |_| RegistrationError::wrong("application_type", "must be web or native");
        party.metadata.application_type = kind.parse().map_err(unknown)?;
    }
    let name = request.text("client_name")?.map(str::trim);
    if name.is_some_and(|name| name.is_empty() || name.chars().count() > NAME) {
        return Err(RegistrationError::wrong(
            "client_name",
            "must have 1 to 100 characters",
        ));
    }
    name.unwrap_or(&policy.name).clone_into(&mut party.name);
    let contacts = request.list("contacts")?.unwrap_or_default();
    if contacts.iter().any(|contact| contact.len() > CONTACT) {
        return Err(RegistrationError::wrong(
            "contacts",
            "has an entry that is too long",
        ));
    }
    party.metadata.contacts = contacts.into_iter().map(str::to_owned).collect();
    Ok(())
}

/// Settles the addresses of its pages.
pub(super) fn check_pages(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let own = |field| address::own(request, policy, field);
    party.home = own("client_uri")?;
    let metadata = &mut party.metadata;
    metadata.logo_uri = own("logo_uri")?;
    metadata.policy_uri = own("policy_uri")?;
    metadata.tos_uri = own("tos_uri")?;
    metadata.initiate_login_uri = own("initiate_login_uri")?;
    Ok(())
}
