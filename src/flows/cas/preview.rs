//! What a service would be answered about a person, were they to come now. Changes nothing.

use super::validate;
use crate::cas::address::Address;
use crate::cas::answer::{Answer, Success};
use crate::cas::attribute;
use crate::cas::validation::{Endpoint, Format};
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::relying_party::RelyingParty;
use crate::flows::{Context, Failure};
use crate::release::{About, AllListed, disclose};
use crate::store;

/// The answer to a ticket, as if the person had said yes where they are asked; `None` where the party does not speak CAS.
///
/// # Errors
/// [`Failure`].
pub(in crate::flows) async fn preview(
    context: &Context,
    party: &RelyingParty,
    (identity, live): (&Identity, &[Enrolment]),
    subject: &str,
) -> Result<Option<String>, Failure> {
    let Some(service) = &party.cas else {
        return Ok(None);
    };
    let first = service.services.first().map(|text| Address::read(text));
    let Some(Ok(address)) = first else { return Ok(None) };
    let mut conn = context.db.reader().await?;
    let contact = store::contact::find(&mut conn, identity.id).await?;
    let about = About {
        identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live,
    };
    let leaves = disclose(party, &AllListed, about);
    let success = Success {
        user: subject.to_owned(),
        shape: attribute::shape(service, &leaves, subject, &address),
        authenticated_at: context.now(),
        is_from_login: true,
        proxies: Vec::new(),
        iou: None,
    };
    let answer = Answer::Validated(Box::new(success));
    let written = validate::written(
        context,
        &answer,
        (Endpoint::Service, Format::Xml),
        address.as_str(),
    );
    Ok(Some(written.body))
}
