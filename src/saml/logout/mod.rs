//! Single logout (saml-core §3.7, saml-profiles §4.4): what a party asks, what we ask others, and what is answered.
//!
//! | message | from | must be |
//! | --- | --- | --- |
//! | [`LogoutRequest`] | a party | signed, unless the operator lets it pass; about a login of this browser that it takes part in |
//! | [`request`] | us, to each participant | |
//! | [`Answered`] | a participant | signed, unless the operator lets it pass; to a request of ours |
//! | [`response`] | us, to the party that asked | |

mod answer;
mod ask;
mod read;

pub use answer::{Answered, response};
pub use ask::{Addressed, request};
pub use read::{Known, LogoutRequest, Refusal};

use crate::domain::relying_party::SamlParty;
use crate::domain::saml_entity::{Binding, LogoutService, ServiceProvider};
use crate::saml::incoming::{Believed, Incoming};
use crate::saml::xmlsec::{PublicKey, Refused};

/// What of a logout message may be acted on. Unlike a request to sign in, it ends something: without a key, nobody vouches
/// for it, and that must have been let pass.
///
/// # Errors
/// [`Refused`].
pub fn believe(
    incoming: Incoming,
    name: &'static str,
    party: &SamlParty,
    keys: &[PublicKey],
) -> Result<Believed, Refused> {
    let tolerances = &party.tolerances;
    if !incoming.is_signed() && tolerances.unsigned_logout {
        return Ok(incoming.unverified());
    }
    if !incoming.is_signed() {
        return Err(Refused::Unsigned);
    }
    incoming.verified(name, keys, tolerances.sha1_requests)
}

/// Where logout messages of ours go to a party: by the binding that is wished for, else by another that it has. By form and
/// in an address are all that we speak.
pub fn service(provider: &ServiceProvider, wished: Binding) -> Option<&LogoutService> {
    let all = &provider.logout_services;
    let by_wish = all.iter().find(|service| service.binding == wished);
    by_wish.or_else(|| all.first())
}

#[cfg(test)]
mod tests;
