//! saml-core §3.4.1, saml-profiles §4.1.4.1: where the answer goes is an assertion consumer of the metadata, whatever a
//! request says. Address and number exclude each other; a party that sends both may be let off where they agree.

use super::{AuthnRequest, PageError};
use crate::domain::relying_party::SamlParty;
use crate::domain::saml_entity::{AssertionConsumer, ServiceProvider};

pub(super) fn check(
    request: &AuthnRequest,
    party: &SamlParty,
    provider: &ServiceProvider,
) -> Result<String, PageError> {
    let all = &provider.assertion_consumers;
    let by_url = |url: &str| all.iter().find(|consumer| consumer.location == url);
    let by_index = |index: u16| all.iter().find(|consumer| consumer.index == index);
    let found = match (&request.consumer_url, request.consumer_index) {
        (None, None) => default(all),
        (Some(url), None) => by_url(url),
        (None, Some(index)) => by_index(index),
        (Some(_), Some(_)) if !party.tolerances.index_and_url => {
            return Err(PageError::TwoAssertionConsumers);
        }
        (Some(url), Some(index)) => by_index(index).filter(|consumer| consumer.location == *url),
    };
    let found = found.ok_or(PageError::AssertionConsumer)?;
    Ok(found.location.clone())
}

/// saml-metadata §2.2.3: the one that says so, else the first that does not say no, else the first.
fn default(all: &[AssertionConsumer]) -> Option<&AssertionConsumer> {
    let says = |wanted| all.iter().find(|consumer| consumer.is_default == wanted);
    says(Some(true)).or_else(|| says(None)).or_else(|| all.first())
}
