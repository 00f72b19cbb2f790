//! Answers of identity providers of SAML: those that were asked for, and those that nobody asked for where that is let pass.
//!
//! | step | |
//! | --- | --- |
//! | 1. who says to have sent it | finds the keys, and nothing else |
//! | 2. what it says to answer | a request of ours to that very provider, waiting still; none where nobody asked |
//! | 3. the answer is believed, by the core | what is not proven signed is not read |
//! | 4. request and assertion are used up | in one transaction: neither counts twice, on any node |
//! | 5. the browser is sent round, with a ticket | a form of another site comes without our cookies (`SameSite=Lax`) |
//! | 6. the browser is the one that asked | else it begins again |

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::settle::{Arrived, Browser, LoginThere, settle};
use super::{Outcome, Provider, Waits, Why, assertion_consumer, entity_id, open_provider, seal, unseal};
use crate::base::random;
use crate::base::secret::{Secret, equal};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::session::Device;
use crate::domain::upstream::{Metadata, Protocol, SamlProvider};
use crate::flows::saml::{blocking, public_key};
use crate::flows::{Context, Failure};
use crate::saml::service_provider::{Asserted, Claimed, Expected, Rejected, accept};
use crate::store;
use crate::store::upstream_request::Waiting;
use crate::store::used_proof::{self, Proof};
use crate::upstream::{Introduction, Statements};

/// How long the browser may take to come again.
const ROUND: Duration = Duration::from_secs(120);

/// The formats of NameID that name somebody for longer than a login (saml-core §8.3).
const LASTING: [&str; 2] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
];

/// What a ticket stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    arrived: Arrived,
    continuation: Option<String>,
    /// Whether a request of ours was answered: then the browser has to be the one that it went by.
    is_asked: bool,
}

/// The cookies that a browser comes again with.
#[derive(Debug, Clone, Copy)]
pub struct Cookies<'a> {
    /// The one that it was sent away with.
    pub bound: Option<&'a Secret>,
    /// Its session's.
    pub session: Option<&'a Secret>,
    /// What kind of device it is.
    pub device: Device,
}

/// Takes an answer that came by form (saml-bindings §3.5).
///
/// # Errors
/// [`Failure`].
pub async fn by_form(context: &Context, body: &str) -> Result<Outcome, Failure> {
    let claimed = match Claimed::read(body) {
        Ok(claimed) => claimed,
        Err(rejected) => {
            tracing::warn!(cause = %rejected, "what came as an answer of a provider is none");
            return Ok(Outcome::NotBelieved);
        }
    };
    let mut conn = context.db.reader().await?;
    let found = store::upstream_provider::find_by_issuer(&mut conn, &claimed.issuer).await?;
    let found = found.map(Provider::of);
    let provider = found.filter(|provider| provider.declared.is_open(context.now().date()));
    let waiting = match &claimed.in_response_to {
        Some(id) => store::upstream_request::find(&mut conn, id, context.now()).await?,
        None => None,
    };
    drop(conn);
    let Some(provider) = provider else {
        tracing::warn!("an answer of a provider that is not declared, or not open");
        return Ok(Outcome::NotBelieved);
    };
    let now = context.now();
    let (Protocol::Saml(saml), Some(Metadata::Saml { signing_keys, .. })) =
        (&provider.declared.protocol, provider.state.current(now))
    else {
        return Ok(Outcome::NotBelieved);
    };
    // Attack 22: a request that went to another provider is none of this one's.
    let waiting = waiting.filter(|waiting| waiting.provider == provider.declared.id);
    if waiting.is_none() && (claimed.in_response_to.is_some() || !saml.unsolicited) {
        return not_believed(context, &provider, &Rejected::InResponseTo).await;
    }
    let asserted = accepted(context, &claimed, signing_keys).await?;
    match asserted {
        Ok(asserted) => {
            received(
                context,
                &provider,
                saml,
                asserted,
                (claimed.in_response_to, waiting),
            )
            .await
        }
        Err(Rejected::Status) => {
            tracing::info!(provider = %provider.declared.id, "the person did not finish there");
            Ok(Outcome::Refused {
                provider: provider.declared.name,
                why: Why::NotFinished,
            })
        }
        Err(rejected) => not_believed(context, &provider, &rejected).await,
    }
}

/// What the answer proves, off the async threads: signatures and keys are arithmetic.
async fn accepted(
    context: &Context,
    claimed: &Claimed,
    signing_keys: &[String],
) -> Result<Result<Asserted, Rejected>, Failure> {
    let keys: Vec<_> = signing_keys.iter().filter_map(|key| public_key(key)).collect();
    let decryption_keys = context.saml.keys.decrypters(context).await?;
    let (audience, recipient) = (entity_id(context), assertion_consumer(context));
    let (random, now, claimed) = (context.random.clone(), context.now(), claimed.clone());
    blocking(move || {
        let expected = Expected {
            issuer: &claimed.issuer,
            keys: &keys,
            decryption_keys: &decryption_keys,
            random: &*random,
            audience: &audience,
            recipient: &recipient,
            in_response_to: claimed.in_response_to.as_deref(),
            now,
        };
        Ok(accept(&claimed.message, &expected))
    })
    .await
}

/// An answer that was believed is used up, and waits for its browser.
async fn received(
    context: &Context,
    provider: &Provider,
    saml: &SamlProvider,
    asserted: Asserted,
    (request, waiting): (Option<String>, Option<Waiting>),
) -> Result<Outcome, Failure> {
    let id = &provider.declared.id;
    if saml.encrypted && !asserted.was_encrypted {
        return not_believed(context, provider, &Rejected::Encryption).await;
    }
    let mut said = Statements::new();
    for attribute in &asserted.attributes {
        said.add(&attribute.name, attribute.values.iter().cloned());
        if let Some(friendly) = attribute.friendly_name.as_deref()
            && friendly != attribute.name
        {
            said.add(friendly, attribute.values.iter().cloned());
        }
    }
    let subject = Introduction::subject(provider.declared.preset, &said).or_else(|| lasting(&asserted));
    let Some(subject) = subject else {
        return not_believed(context, provider, &Rejected::Subject).await;
    };
    let acr = provider.declared.assurance.of(asserted.authn_context.as_deref());
    let ends = asserted.not_on_or_after;
    let assertion = asserted.id.clone();
    let arrived = Arrived {
        subject,
        said,
        acr,
        login: LoginThere::Saml {
            name: asserted.name,
            session_index: asserted.session_index,
        },
    };
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let mut continuation = None;
    let mut browser = Secret::generate("", &*context.random).digest();
    if let Some(request) = &request {
        let Some(taken) = store::upstream_request::consume(&mut tx, request, now).await? else {
            return not_believed(context, provider, &Rejected::InResponseTo).await;
        };
        continuation = unseal::<Waits>(context, request, &taken.sealed).and_then(|waits| waits.continuation);
        browser = taken.browser;
    }
    // saml-profiles §4.1.4.5: an assertion counts once, whoever brings it and on whichever node.
    let proof = Proof {
        kind: "upstream assertion",
        owner: id.as_str(),
        jti: &assertion,
    };
    if !used_proof::claim(&mut tx, proof, ends).await? {
        drop(tx);
        return not_believed(context, provider, &Rejected::Replayed).await;
    }
    let ticket = BASE64URL_NOPAD.encode(&random::bytes::<32>(&*context.random));
    let inside = Ticket {
        arrived,
        continuation,
        is_asked: waiting.is_some(),
    };
    let row = Waiting {
        provider: id.clone(),
        browser,
        sealed: seal(context, &ticket, &inside)?,
        expires_at: now.plus(ROUND),
    };
    store::upstream_request::insert(&mut tx, &ticket, &row).await?;
    tx.commit().await?;
    Ok(Outcome::SentRound { ticket })
}

/// A NameID that names the person for longer than this login; a transient one, or an address, names nobody.
fn lasting(asserted: &Asserted) -> Option<String> {
    let format = asserted.name.format.as_deref();
    let lasts = format.is_none_or(|format| LASTING.contains(&format));
    lasts.then(|| asserted.name.value.clone())
}

async fn not_believed(context: &Context, provider: &Provider, why: &Rejected) -> Result<Outcome, Failure> {
    super::note_failure(context, &provider.declared.id, &why.to_string()).await?;
    Ok(Outcome::NotBelieved)
}

/// The browser comes again, with its cookies.
///
/// # Errors
/// [`Failure`].
pub async fn resume(context: &Context, ticket: &str, cookies: Cookies<'_>) -> Result<Outcome, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let Some(taken) = store::upstream_request::consume(&mut tx, ticket, now).await? else {
        return Ok(Outcome::NotBelieved);
    };
    let Some(inside) = unseal::<Ticket>(context, ticket, &taken.sealed) else {
        return Ok(Outcome::NotBelieved);
    };
    let is_ours = |cookie: &&Secret| equal(cookie.digest().as_bytes(), taken.browser.as_bytes());
    let bound = cookies.bound.filter(is_ours);
    if inside.is_asked && bound.is_none() {
        // The answer was for another browser (attacks 26 and 45): it is used up, and nobody is signed in.
        let event = Event::new(Kind::UpstreamAnswerRefused, Actor::Anonymous)
            .about(&taken.provider)
            .with("cause", "another browser asked");
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
        return Ok(Outcome::NotBelieved);
    }
    let Some(provider) = open_provider(context, &mut tx, &taken.provider).await? else {
        tx.commit().await?;
        return Ok(Outcome::NotBelieved);
    };
    let browser = Browser {
        bound: bound.or(cookies.bound),
        former: cookies.session,
        device: cookies.device,
        continuation: inside.continuation.as_deref(),
    };
    let outcome = settle(context, &mut tx, &provider, inside.arrived, browser).await?;
    tx.commit().await?;
    Ok(outcome)
}
