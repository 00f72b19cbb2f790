//! Answers of OpenID providers: a code, exchanged for what it proves.
//!
//! The state is the request's: one answer, in the browser that asked, from the provider that was asked (attack 40b). The
//! request is used up before the code is exchanged, so that no answer is tried twice; the exchange itself holds no
//! transaction.

use std::time::Duration;

use serde_json::Value;

use super::saml::Cookies;
use super::settle::{Arrived, Browser, LoginThere, settle};
use super::{Outcome, Provider, Waits, Why, metadata, open_provider, redirect_uri, unseal};
use crate::base::secret::{Secret, equal};
use crate::base::time::Timestamp;
use crate::domain::upstream::{Metadata, OidcProvider, Protocol, ProviderId};
use crate::flows::outbound::Reach;
use crate::flows::{Context, Failure};
use crate::oauth::parameters::Parameters;
use crate::oidc::upstream::{
    Accepted, Client, Expected, Rejected, finish, read_callback, read_tokens, token_request, userinfo_request,
};
use crate::store;
use crate::upstream::{Introduction, Statements};

/// How often, at most, keys are fetched because a token names one that is not known: anybody can name one.
const FRESH_KEYS: Duration = Duration::from_secs(60);

/// Takes what the browser brought back from a provider.
///
/// # Errors
/// [`Failure`].
pub async fn callback(
    context: &Context,
    id: &ProviderId,
    query: &str,
    cookies: Cookies<'_>,
) -> Result<Outcome, Failure> {
    let Ok(parameters) = Parameters::read(query) else {
        return Ok(Outcome::NotBelieved);
    };
    let now = context.now();
    let state = parameters.get("state").unwrap_or_default();
    let mut tx = context.db.begin().await?;
    let Some(taken) = store::upstream_request::consume(&mut tx, state, now).await? else {
        return Ok(Outcome::NotBelieved);
    };
    let provider = open_provider(context, &mut tx, id).await?;
    tx.commit().await?;
    let is_ours = |cookie: &Secret| equal(cookie.digest().as_bytes(), taken.browser.as_bytes());
    let Some(provider) = provider.filter(|_| taken.provider == *id && cookies.bound.is_some_and(is_ours))
    else {
        super::note_failure(context, id, "another provider or another browser was asked").await?;
        return Ok(Outcome::NotBelieved);
    };
    let Some(waits) = unseal::<Waits>(context, state, &taken.sealed) else {
        return Ok(Outcome::NotBelieved);
    };
    let accepted = match accept(context, &provider, &parameters, &waits).await? {
        Ok(accepted) => accepted,
        Err(rejected) if rejected.is_of_person() => {
            return Ok(Outcome::Refused {
                provider: provider.declared.name,
                why: Why::NotFinished,
            });
        }
        Err(rejected) => {
            super::note_failure(context, id, &rejected.to_string()).await?;
            return Ok(Outcome::NotBelieved);
        }
    };
    let browser = Browser {
        bound: cookies.bound,
        former: cookies.session,
        device: cookies.device,
        continuation: waits.continuation.as_deref(),
    };
    let arrived = arrived(&provider, accepted);
    let mut tx = context.db.begin().await?;
    let outcome = settle(context, &mut tx, &provider, arrived, browser).await?;
    tx.commit().await?;
    Ok(outcome)
}

fn arrived(provider: &Provider, accepted: Accepted) -> Arrived {
    let mut said = Statements::new();
    for (name, value) in &accepted.claims {
        said.add_claim(name, value);
    }
    let contexts = accepted.acr.iter().chain(&accepted.amr).map(String::as_str);
    let subject = Introduction::subject(provider.declared.preset, &said);
    Arrived {
        acr: provider.declared.assurance.of(contexts),
        subject: subject.unwrap_or_else(|| accepted.subject.clone()),
        said,
        login: LoginThere::Oidc {
            sub: accepted.subject,
            sid: accepted.sid,
            id_token: accepted.id_token.expose().to_owned(),
        },
    }
}

/// The keys and addresses that an answer is read with.
struct Keys {
    discovery: Value,
    jwks: Value,
    at: Option<Timestamp>,
}

fn keys(provider: &Provider, now: Timestamp) -> Option<Keys> {
    match provider.state.current(now) {
        Some(Metadata::Oidc { discovery, jwks }) => Some(Keys {
            discovery: discovery.clone(),
            jwks: jwks.clone(),
            at: provider.state.succeeded_at,
        }),
        _ => None,
    }
}

/// Exchanges the code, and asks for the claims.
async fn accept(
    context: &Context,
    provider: &Provider,
    parameters: &Parameters,
    waits: &Waits,
) -> Result<Result<Accepted, Rejected>, Failure> {
    let now = context.now();
    let (Protocol::Oidc(oidc), Some(mut keys)) = (&provider.declared.protocol, keys(provider, now)) else {
        return Ok(Err(Rejected::NoEndpoint("token_endpoint")));
    };
    let secret = provider.secret(context)?;
    let redirect_uri = redirect_uri(context, &provider.declared.id);
    let verifier = Secret::new(waits.verifier.as_str());
    let exchange = Exchange {
        oidc,
        secret: secret.as_ref(),
        redirect_uri: &redirect_uri,
    };
    let client = exchange.client(&keys);
    let request = read_callback(&client, parameters)
        .and_then(|code| token_request(&client, &code, oidc.pkce.then_some(&verifier)));
    let answer = match request {
        Ok(request) => send(context, request, "token_endpoint").await,
        Err(rejected) => return Ok(Err(rejected)),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(rejected) => return Ok(Err(rejected)),
    };
    let expected = Expected {
        nonce: &waits.nonce,
        login_since: waits.login_since.map(Timestamp::from_micros),
    };
    let mut tokens = read_tokens(&exchange.client(&keys), &answer, expected, now);
    if tokens.as_ref().is_err_and(Rejected::wants_keys)
        && let Some(fresh) = refetched(context, provider, &keys).await?
    {
        keys = fresh;
        tokens = read_tokens(&exchange.client(&keys), &answer, expected, now);
    }
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(rejected) => return Ok(Err(rejected)),
    };
    let answer = match userinfo_request(&exchange.client(&keys), &tokens) {
        Ok(None) => None,
        Ok(Some(request)) => match send(context, request, "userinfo_endpoint").await {
            Ok(answer) => Some(answer),
            Err(rejected) => return Ok(Err(rejected)),
        },
        Err(rejected) => return Ok(Err(rejected)),
    };
    let mut accepted = finish(&exchange.client(&keys), &tokens, answer.as_ref(), now);
    if accepted.as_ref().is_err_and(Rejected::wants_keys)
        && let Some(fresh) = refetched(context, provider, &keys).await?
    {
        accepted = finish(&exchange.client(&fresh), &tokens, answer.as_ref(), now);
    }
    Ok(accepted)
}

/// What stays the same while keys may change.
struct Exchange<'a> {
    oidc: &'a OidcProvider,
    secret: Option<&'a Secret>,
    redirect_uri: &'a str,
}

impl<'a> Exchange<'a> {
    const fn client(&self, keys: &'a Keys) -> Client<'a> {
        Client {
            provider: self.oidc,
            discovery: &keys.discovery,
            jwks: &keys.jwks,
            secret: self.secret,
            redirect_uri: self.redirect_uri,
        }
    }
}

/// Fresh keys, where it is long enough since they were fetched.
async fn refetched(context: &Context, provider: &Provider, held: &Keys) -> Result<Option<Keys>, Failure> {
    let now = context.now();
    if held.at.is_some_and(|at| now.since(at) < FRESH_KEYS) {
        return Ok(None);
    }
    metadata::refresh(context, &provider.declared.id).await?;
    let mut conn = context.db.reader().await?;
    let found = open_provider(context, &mut conn, &provider.declared.id).await?;
    Ok(found.and_then(|provider| keys(&provider, now)))
}

async fn send(
    context: &Context,
    mut request: http::Request<Vec<u8>>,
    endpoint: &'static str,
) -> Result<http::Response<Vec<u8>>, Rejected> {
    // An operator declared the issuer that names these addresses.
    request.extensions_mut().insert(Reach::Anywhere);
    context.outbound.send(request).await.map_err(|error| {
        tracing::warn!(cause = %error, endpoint, "an upstream provider does not answer");
        Rejected::Unreachable(endpoint)
    })
}
