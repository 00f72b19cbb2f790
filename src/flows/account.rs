//! What services know about a person, as the person is told of it, and taking a consent back.
//!
//! A service is listed from the moment it knows the person: it was given a subject for them, or they were told of it, or
//! said yes. What it knows is what was said; where nobody had to be told, all that its policy lets it have today.

use std::collections::HashMap;

use super::notice::{About, Fact, facts};
use super::session::SignedIn;
use super::{Context, Failure};
use crate::base::time::Timestamp;
use crate::domain::acknowledgement::{Acknowledgement, Kind};
use crate::domain::audit::{self, Actor, Event};
use crate::domain::grant::Scopes;
use crate::domain::relying_party::{Basis, RelyingParty, RelyingPartyId};
use crate::oidc::claims::{self, Asked};
use crate::oidc::notice::Reader;
use crate::store;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who reads.
    pub reader: Reader,
    /// The services that know the person, by name.
    pub services: Vec<Known>,
}

/// A service that knows the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub client: RelyingPartyId,
    /// What a person is told of it.
    pub about: About,
    /// Since when.
    pub since: Timestamp,
    /// What it knows.
    pub facts: Vec<Fact>,
    /// What else it may do, as the rights of an acknowledgement.
    pub rights: Vec<String>,
    /// Whether it rests on a consent, which can be taken back.
    pub may_withdraw: bool,
}

/// What services know about somebody.
///
/// # Errors
/// [`Failure`].
pub async fn load(context: &Context, who: &SignedIn) -> Result<Account, Failure> {
    let today = context.now().date();
    let identity = &who.identity;
    let mut conn = context.db.reader().await?;
    let live = store::enrolment::live_of(&mut conn, identity.id, today).await?;
    let said = store::acknowledgement::all_of(&mut conn, identity.id).await?;
    let said: HashMap<_, _> = said.into_iter().map(|said| (said.client.clone(), said)).collect();
    let met: HashMap<_, _> = store::subject::met(&mut conn, identity.id)
        .await?
        .into_iter()
        .collect();
    let contact = store::contact::find(&mut conn, identity.id).await?;
    let keys = store::roster::keys_of(&mut conn, identity.id).await?;
    let about = claims::About {
        identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live: &live,
        keys: &keys,
    };
    let parties = store::relying_party::all(&mut conn).await?;
    let known = |party: RelyingParty| {
        let said = said.get(&party.id);
        let met = met.get(&party.sector).copied();
        known(&party, about, said, met)
    };
    let mut services: Vec<Known> = parties.into_iter().filter_map(known).collect();
    services.sort_by(|one, other| one.about.name.cmp(&other.about.name));
    Ok(Account {
        reader: Reader::of(identity, &live, today),
        services,
    })
}

fn known(
    party: &RelyingParty,
    about: claims::About<'_>,
    said: Option<&Acknowledgement>,
    met: Option<Timestamp>,
) -> Option<Known> {
    let may_withdraw = party.basis == Basis::Consent;
    let said = said.filter(|said| !may_withdraw || said.kind == Kind::Consent);
    // What rests on consent ends with it.
    let met = met.filter(|_| !may_withdraw);
    let since = said.map(|said| said.since).into_iter().chain(met).min()?;
    let released = claims::release(party, Asked::by(&Scopes::every()), about);
    let mut facts = facts(&released, None);
    if let Some(said) = said {
        facts.retain(|fact| said.covered.attributes.contains(&fact.attribute));
    }
    Some(Known {
        client: party.id.clone(),
        about: About::of(party, party.home.as_deref()),
        since,
        facts,
        rights: said.map_or_else(Vec::new, |said| said.covered.rights.iter().cloned().collect()),
        may_withdraw,
    })
}

/// Takes a consent back: the service is asked for it anew, and everything it was granted is dead from this moment. Whether
/// there was one.
///
/// # Errors
/// [`Failure`].
pub async fn withdraw(context: &Context, who: &SignedIn, client: &RelyingPartyId) -> Result<bool, Failure> {
    let now = context.now();
    let identity = who.identity.id;
    let mut tx = context.db.begin().await?;
    if !store::acknowledgement::forget_consent(&mut tx, identity, client).await? {
        return Ok(false);
    }
    let grants = store::grant::revoke_of_client(&mut tx, identity, client, now).await?;
    let event = Event::new(audit::Kind::ConsentWithdrawn, Actor::Identity(identity))
        .about(client)
        .with("grants", grants);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(true)
}

/// The name of a service.
///
/// # Errors
/// [`Failure`].
pub async fn name(context: &Context, client: &RelyingPartyId) -> Result<Option<String>, Failure> {
    let mut conn = context.db.reader().await?;
    let party = store::relying_party::find(&mut conn, client).await?;
    Ok(party.map(|party| party.name))
}
