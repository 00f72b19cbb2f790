//! saml-profiles §4.1.4.1, §4.1.3.3 and saml-metadata §2.4.4: whose request it is, and whether it must be signed.
//!
//! | the party | an unsigned request | a signed one |
//! | --- | --- | --- |
//! | publishes a key, or says that it signs | refused, unless the operator lets it pass | must be right |
//! | publishes no key and does not say that it signs | taken | taken, as unsigned: nobody can vouch for it |
//!
//! A signature that is wrong is never taken for none.

use super::PageError;
use crate::domain::relying_party::SamlParty;
use crate::domain::saml_entity::ServiceProvider;
use crate::saml::incoming::{Believed, Incoming};
use crate::saml::xmlsec::PublicKey;

/// What of a request may be acted on. `keys` are those of the metadata that could be read.
///
/// # Errors
/// [`PageError::Unsigned`], [`PageError::Signature`].
pub fn believe(
    incoming: Incoming,
    party: &SamlParty,
    provider: &ServiceProvider,
    keys: &[PublicKey],
) -> Result<Believed, PageError> {
    let signs = provider.signs_requests || !provider.signing_keys.is_empty();
    let tolerances = &party.tolerances;
    match (incoming.is_signed(), signs) {
        (true, true) => Ok(incoming.verified(super::AuthnRequest::NAME, keys, tolerances.sha1_requests)?),
        (false, true) if !tolerances.unsigned_requests => Err(PageError::Unsigned),
        _ => Ok(incoming.unverified()),
    }
}
