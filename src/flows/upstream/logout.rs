//! Leaving: a login that ends here is ended at the provider that it came from, and one that ends there is ended here.
//!
//! | it begins | |
//! | --- | --- |
//! | here | the login ends here first; the browser then goes to the provider, with a request (SAML) or to its logout page (OpenID Connect), and comes back to the page that says so |
//! | there, by the browser (SAML) | the message is believed, the logins that it names end, every service is told, the provider is answered |
//! | there, behind the browser (OpenID Connect Back-Channel Logout 1.0) | the token is believed, the logins that it names end, every service that can be told behind the browser is |
//!
//! Whatever begins it, `session::end` ends the login: one function, for every protocol.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::settle::LoginThere;
use super::{Context, Failure, Provider, entity_id, redirect_uri, seal, unseal};
use crate::base::id::SessionId;
use crate::base::secret::Secret;
use crate::base::url::with_parameters;
use crate::domain::audit::Actor;
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::saml_entity::{Binding, LogoutService};
use crate::domain::upstream::{Metadata, Protocol, ProviderId};
use crate::flows::logout::{self as local, Farewell};
use crate::flows::saml::{Outgoing, public_key, send};
use crate::flows::session::{self, Ended};
use crate::oidc::upstream::{Client, end_session_url, read_logout_token};
use crate::saml::incoming::Incoming;
use crate::saml::message::new_id;
use crate::saml::response::Envelope;
use crate::saml::service_provider::{AskedToEnd, ToEnd, answered, end};
use crate::saml::status::Status;
use crate::saml::xmlsec::redirect::Kind as Travels;
use crate::store;
use crate::store::upstream_link::Meant;
use crate::store::used_proof::{self, Proof};

/// What keyed hashes of names and logins are made for.
pub(super) const NAME: &str = "upstream name";
pub(super) const INDEX: &str = "upstream login";
/// What a login there is sealed for.
pub(super) const SEALED_FOR: &str = "upstream login";

/// Where providers of SAML send logout messages.
pub fn endpoint(context: &Context) -> String {
    format!("{}/saml/sp/slo", context.settings.public_url)
}

/// Where the browser goes to end, at its provider, the login of a session that has ended here, and the name of the provider;
/// `None` where it came by none, or by one that has no logout. It comes back, and goes on to `then`. To a provider that takes
/// forms only it goes by an address of ours ([`by_form`]).
///
/// # Errors
/// [`Failure`].
pub async fn onward(
    context: &Context,
    session: SessionId,
    then: Option<&str>,
) -> Result<Option<(String, String)>, Failure> {
    Ok(match asked_to_end(context, session, then).await? {
        Some((name, Outgoing::Address(address))) => Some((name, address)),
        Some((name, Outgoing::Form { .. })) => {
            let ticket = Ticket {
                session: session.to_string(),
                then: then.map(str::to_owned),
                until: context.now().plus(PATIENCE).micros(),
            };
            let sealed = BASE64URL_NOPAD.encode(&seal(context, TICKET, &ticket)?);
            let here = format!("{}/saml/sp/leave", context.settings.public_url);
            Some((name, with_parameters(&here, [("ticket", sealed.as_str())])))
        }
        None => None,
    })
}

/// For how long the browser may take to come by the address of a form.
const PATIENCE: Duration = Duration::from_secs(300);
/// What that address is sealed for.
const TICKET: &str = "upstream logout by form";

/// A login that has ended here, on its way to a provider that takes forms only.
#[derive(Serialize, Deserialize)]
struct Ticket {
    session: String,
    then: Option<String>,
    until: i64,
}

/// The form by which the browser ends its login at the provider; `None` for a ticket that is over, or none of ours.
///
/// # Errors
/// [`Failure`].
pub async fn by_form(context: &Context, ticket: &str) -> Result<Option<Outgoing>, Failure> {
    let bytes = BASE64URL_NOPAD.decode(ticket.as_bytes()).ok();
    let ticket = bytes.and_then(|bytes| unseal::<Ticket>(context, TICKET, &bytes));
    let ticket = ticket.filter(|ticket| context.now().micros() < ticket.until);
    let session = ticket.as_ref().and_then(|ticket| ticket.session.parse().ok());
    let (Some(ticket), Some(session)) = (ticket, session) else {
        return Ok(None);
    };
    let asked = asked_to_end(context, session, ticket.then.as_deref()).await?;
    Ok(asked.map(|(_, outgoing)| outgoing))
}

/// What asks a provider to end a login, and its name.
async fn asked_to_end(
    context: &Context,
    session: SessionId,
    then: Option<&str>,
) -> Result<Option<(String, Outgoing)>, Failure> {
    let mut conn = context.db.reader().await?;
    let Some(login) = store::upstream_link::login(&mut conn, session).await? else {
        return Ok(None);
    };
    let found = store::upstream_provider::find(&mut conn, &login.provider).await?;
    drop(conn);
    let Some(provider) = found.map(Provider::of) else {
        return Ok(None);
    };
    let Some(there) = unseal::<LoginThere>(context, SEALED_FOR, &login.sealed) else {
        return Ok(None);
    };
    let now = context.now();
    let state = then.map(|then| sealed_next(context, then)).transpose()?;
    let outgoing = match (&provider.declared.protocol, provider.state.current(now), there) {
        (
            Protocol::Saml(saml),
            Some(Metadata::Saml { logout, .. }),
            LoginThere::Saml { name, session_index },
        ) if saml.logout => {
            let Some(service) = redirect_first(logout) else {
                return Ok(None);
            };
            let id = new_id(&*context.random);
            let message = end(ToEnd {
                id: &id,
                issuer: &entity_id(context),
                destination: &service.location,
                name: &name,
                session_index: session_index.as_deref(),
                now,
            });
            let signer = context.saml.keys.signer(context, SigningAlgorithm::Rs256).await?;
            let (binding, location) = (service.binding, service.location.clone());
            Some(send(signer, binding, location, (Travels::Request, message), state).await?)
        }
        (
            Protocol::Oidc(oidc),
            Some(Metadata::Oidc { discovery, jwks }),
            LoginThere::Oidc { id_token, .. },
        ) if oidc.logout => {
            let client = Client {
                provider: oidc,
                discovery,
                jwks,
                secret: None,
                redirect_uri: &redirect_uri(context, &provider.declared.id),
            };
            let state = state.unwrap_or_else(|| new_id(&*context.random));
            let back = after(context);
            end_session_url(&client, &Secret::new(id_token), &state, &back).map(Outgoing::Address)
        }
        _ => None,
    };
    Ok(outgoing.map(|outgoing| (provider.declared.name, outgoing)))
}

/// What is sealed for [`next`].
const NEXT: &str = "upstream logout next";

fn sealed_next(context: &Context, then: &str) -> Result<String, Failure> {
    Ok(BASE64URL_NOPAD.encode(&seal(context, NEXT, &then)?))
}

/// Where somebody who comes back from the logout of a provider goes on, by the state that they bring; `None` for anything
/// that we did not seal.
pub fn next(context: &Context, state: Option<&str>) -> Option<String> {
    let sealed = state.filter(|state| state.len() <= 4096)?;
    let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    unseal(context, NEXT, &bytes)
}

/// Where a provider sends people when they have left there: an address that is registered with it.
pub fn after(context: &Context) -> String {
    format!("{}/sign-out", context.settings.public_url)
}

fn redirect_first(services: &[LogoutService]) -> Option<&LogoutService> {
    let by_redirect = services
        .iter()
        .find(|service| service.binding == Binding::Redirect);
    by_redirect.or_else(|| services.first())
}

/// What became of a message of a provider of SAML.
#[derive(Debug)]
pub enum Outcome {
    /// The logins that it named have ended.
    Ended {
        /// What the browser has to do before.
        farewell: Farewell,
        /// The name of the provider.
        provider: String,
        /// The answer to the provider, once that is done.
        answer: Outgoing,
    },
    /// The provider has answered a request of ours, or something that cannot be believed came back with what we sealed.
    Answered {
        /// Where the person goes on.
        next: Option<String>,
    },
    /// It is not believed.
    NotBelieved,
}

/// Takes a message of a provider of SAML.
///
/// # Errors
/// [`Failure`].
pub async fn heard(context: &Context, incoming: Incoming) -> Result<Outcome, Failure> {
    let Ok(issuer) = incoming.claimed_issuer().map(str::to_owned) else {
        return Ok(Outcome::NotBelieved);
    };
    let mut conn = context.db.reader().await?;
    let found = store::upstream_provider::find_by_issuer(&mut conn, &issuer).await?;
    drop(conn);
    let now = context.now();
    // One that is closed may still end what it began.
    let Some(provider) = found.map(Provider::of) else {
        return Ok(Outcome::NotBelieved);
    };
    let Some(Metadata::Saml {
        signing_keys, logout, ..
    }) = provider.state.current(now)
    else {
        return Ok(Outcome::NotBelieved);
    };
    let keys: Vec<_> = signing_keys.iter().filter_map(|key| public_key(key)).collect();
    let here = endpoint(context);
    let relay_state = incoming.relay_state.clone();
    if incoming.kind == Travels::Response {
        let next = next(context, relay_state.as_deref());
        return Ok(match answered(incoming, (&issuer, &keys), (&here, now)) {
            Ok(_) => Outcome::Answered { next },
            Err(why) => {
                super::note_failure(context, &provider.declared.id, &why.to_string()).await?;
                // The login has ended here before anybody was asked there: whoever brings what we sealed goes on, whatever the
                // answer is worth (SimpleSAMLphp signs none unless it is told to).
                match next {
                    Some(_) => Outcome::Answered { next },
                    None => Outcome::NotBelieved,
                }
            }
        });
    }
    let asked = match AskedToEnd::read(incoming, (&issuer, &keys), (&here, now)) {
        Ok(asked) => asked,
        Err(why) => {
            super::note_failure(context, &provider.declared.id, &why.to_string()).await?;
            return Ok(Outcome::NotBelieved);
        }
    };
    let id = &provider.declared.id;
    let hash = |purpose: &str, text: &str| context.vault.index(purpose, &format!("{id} {text}"));
    let name = hash(NAME, &asked.name.value)?;
    let indexes: Vec<[u8; 32]> = asked
        .session_indexes
        .iter()
        .map(|index| hash(INDEX, index))
        .collect::<Result<_, _>>()?;
    let meant = Meant::Name {
        name: &name,
        indexes: &indexes,
    };
    let farewell = end_meant(context, id, meant).await?;
    let Some(service) = redirect_first(logout) else {
        return Ok(Outcome::Answered { next: None });
    };
    let destination = service.response_location.as_ref().unwrap_or(&service.location);
    let us = entity_id(context);
    let envelope = Envelope {
        issuer: &us,
        destination,
        in_response_to: Some(&asked.id),
        now,
    };
    let message = crate::saml::logout::response(&envelope, Status::SUCCESS, &*context.random);
    let signer = context.saml.keys.signer(context, SigningAlgorithm::Rs256).await?;
    let (binding, location) = (service.binding, destination.clone());
    let answer = send(
        signer,
        binding,
        location,
        (Travels::Response, message),
        relay_state,
    )
    .await?;
    Ok(Outcome::Ended {
        farewell,
        provider: provider.declared.name.clone(),
        answer,
    })
}

/// Ends the logins that a provider means, and says what the browser has to do about the services.
async fn end_meant(context: &Context, provider: &ProviderId, meant: Meant<'_>) -> Result<Farewell, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let mut all = Ended::default();
    for session in store::upstream_link::sessions(&mut tx, provider, meant, now).await? {
        let actor = Actor::RelyingParty(format!("upstream:{provider}"));
        if let Some(ended) = session::end(&mut tx, session, now, actor, "upstream provider asked").await? {
            all.participants.extend(ended.participants);
        }
    }
    tx.commit().await?;
    if all.is_to_be_delivered() {
        context.logout_bell.notify_one();
    }
    // Whoever asked has ended it there.
    all.session = None;
    local::farewell(context, all).await
}

/// Takes a logout token of an OpenID provider (Back-Channel Logout 1.0 §2.5); whether it is believed.
///
/// # Errors
/// [`Failure`].
pub async fn told(context: &Context, provider: &ProviderId, token: &str) -> Result<bool, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::upstream_provider::find(&mut conn, provider).await?;
    drop(conn);
    let now = context.now();
    let Some(provider) = found.map(Provider::of) else {
        return Ok(false);
    };
    let id = &provider.declared.id;
    let (Protocol::Oidc(oidc), Some(Metadata::Oidc { discovery, jwks })) =
        (&provider.declared.protocol, provider.state.current(now))
    else {
        return Ok(false);
    };
    let client = Client {
        provider: oidc,
        discovery,
        jwks,
        secret: None,
        redirect_uri: &redirect_uri(context, id),
    };
    let read = match read_logout_token(&client, token, now) {
        Ok(read) => read,
        Err(why) => {
            super::note_failure(context, id, &why.to_string()).await?;
            return Ok(false);
        }
    };
    let mut tx = context.db.begin().await?;
    let proof = Proof {
        kind: "upstream logout",
        owner: id.as_str(),
        jti: &read.jti,
    };
    if !used_proof::claim(&mut tx, proof, read.expires_at).await? {
        return Ok(false);
    }
    tx.commit().await?;
    let hash = |purpose: &str, text: &str| context.vault.index(purpose, &format!("{id} {text}"));
    let name = read.subject.as_deref().map(|sub| hash(NAME, sub)).transpose()?;
    let index = read.sid.as_deref().map(|sid| hash(INDEX, sid)).transpose()?;
    let indexes: Vec<[u8; 32]> = index.into_iter().collect();
    let meant = match (&name, &index) {
        (Some(name), _) => Meant::Name {
            name,
            indexes: &indexes,
        },
        (None, Some(index)) => Meant::Index(index),
        (None, None) => return Ok(false),
    };
    end_meant(context, id, meant).await?;
    Ok(true)
}
