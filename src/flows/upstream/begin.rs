//! Sending somebody to a provider.
//!
//! What is needed when the answer comes waits in the database, under the identifier that the answer has to name; the browser
//! gets a cookie that it has to bring back. One request, one answer, one browser.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::{Provider, Waits, assertion_consumer, entity_id, open_provider, redirect_uri, seal};
use crate::base::random::{self, Random};
use crate::base::secret::Secret;
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::saml_entity::Binding;
use crate::domain::upstream::{Metadata, OidcProvider, Protocol, ProviderId, SamlProvider};
use crate::flows::saml::{Outgoing, send};
use crate::flows::{Context, Failure};
use crate::oidc::upstream::{Asked, Client, authorization_url};
use crate::saml::message::new_id;
use crate::saml::service_provider::{Request, request};
use crate::saml::xmlsec::redirect::Kind;
use crate::store;
use crate::store::upstream_request::Waiting;

/// The most requests of one browser that wait: more tabs than anybody has on the way.
const MOST_WAITING: i64 = 20;
/// How long a provider may take: people look for a password.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Somebody who is about to leave for a provider.
#[derive(Debug, Clone, Copy)]
pub struct Departure<'a> {
    /// The provider.
    pub provider: &'a ProviderId,
    /// The cookie of the browser, which it brings back.
    pub browser: &'a Secret,
    /// The sealed continuation of the service that they come from.
    pub continuation: Option<&'a str>,
    /// Whether they have to prove themselves again there: on a shared device, or where somebody is signed in here already.
    pub force: bool,
}

/// What becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// They leave.
    Away(Outgoing),
    /// There is no such way, or it is closed.
    Closed,
    /// Nothing is known by which the provider could be asked.
    NotReady {
        /// Its name.
        provider: String,
    },
}

/// Sends somebody to a provider.
///
/// # Errors
/// [`Failure`].
pub async fn begin(context: &Context, departure: Departure<'_>) -> Result<Begun, Failure> {
    let mut conn = context.db.reader().await?;
    let provider = open_provider(context, &mut conn, departure.provider).await?;
    drop(conn);
    let Some(provider) = provider else {
        return Ok(Begun::Closed);
    };
    let now = context.now();
    let away = match (&provider.declared.protocol, provider.state.current(now)) {
        (Protocol::Saml(saml), Some(Metadata::Saml { sign_on, .. })) => {
            let by = |binding| sign_on.iter().find(|service| service.binding == binding);
            match by(Binding::Redirect).or_else(|| by(Binding::Post)) {
                Some(service) => {
                    let to = (service.binding, service.location.clone());
                    Some(by_saml(context, departure, saml, to).await?)
                }
                None => None,
            }
        }
        (Protocol::Oidc(oidc), Some(Metadata::Oidc { discovery, jwks })) => {
            by_oidc(context, departure, &provider, (oidc, discovery, jwks)).await?
        }
        _ => None,
    };
    Ok(match away {
        Some(outgoing) => Begun::Away(outgoing),
        None => {
            tracing::error!(provider = %provider.declared.id, "people cannot be sent there: its metadata are missing or over");
            Begun::NotReady {
                provider: provider.declared.name,
            }
        }
    })
}

async fn by_saml(
    context: &Context,
    departure: Departure<'_>,
    saml: &SamlProvider,
    (binding, location): (Binding, String),
) -> Result<Outgoing, Failure> {
    let id = new_id(&*context.random);
    wait(context, departure, &id).await?;
    let message = request(Request {
        id: &id,
        issuer: &entity_id(context),
        destination: &location,
        assertion_consumer: &assertion_consumer(context),
        force_authn: departure.force,
        name_id_format: saml.name_id_format.as_deref(),
        authn_context: &saml.authn_context,
        now: context.now(),
    });
    let signer = context.saml.keys.signer(context, SigningAlgorithm::Rs256).await?;
    send(signer, binding, location, (Kind::Request, message), None).await
}

async fn by_oidc(
    context: &Context,
    departure: Departure<'_>,
    provider: &Provider,
    (oidc, discovery, jwks): (&OidcProvider, &serde_json::Value, &serde_json::Value),
) -> Result<Option<Outgoing>, Failure> {
    let state = token(&*context.random);
    let waits = wait(context, departure, &state).await?;
    let secret = provider.secret(context)?;
    let client = Client {
        provider: oidc,
        discovery,
        jwks,
        secret: secret.as_ref(),
        redirect_uri: &redirect_uri(context, departure.provider),
    };
    if let Err(error) = client.check() {
        tracing::error!(provider = %departure.provider, cause = %error, "a login there cannot be brought to its end");
        return Ok(None);
    }
    let verifier = Secret::new(waits.verifier);
    let asked = Asked {
        state: &state,
        nonce: &waits.nonce,
        verifier: oidc.pkce.then_some(&verifier),
        login: departure.force,
        login_hint: None,
    };
    match authorization_url(&client, asked) {
        Ok(address) => Ok(Some(Outgoing::Address(address))),
        Err(error) => {
            tracing::error!(provider = %departure.provider, cause = %error, "no request can be made");
            Ok(None)
        }
    }
}

/// 256 random bits: a state, a nonce, a verifier (RFC 7636 §4.1).
fn token(random: &dyn Random) -> String {
    BASE64URL_NOPAD.encode(&random::bytes::<32>(random))
}

async fn wait(context: &Context, departure: Departure<'_>, id: &str) -> Result<Waits, Failure> {
    let waits = Waits {
        continuation: departure.continuation.map(str::to_owned),
        nonce: token(&*context.random),
        verifier: token(&*context.random),
        login_since: departure.force.then(|| context.now().micros()),
    };
    let row = Waiting {
        provider: departure.provider.clone(),
        browser: departure.browser.digest(),
        sealed: seal(context, id, &waits)?,
        expires_at: context.now().plus(PATIENCE),
    };
    let mut tx = context.db.begin().await?;
    store::upstream_request::insert(&mut tx, id, &row).await?;
    store::upstream_request::trim(&mut tx, &row.browser, MOST_WAITING).await?;
    tx.commit().await?;
    Ok(waits)
}
