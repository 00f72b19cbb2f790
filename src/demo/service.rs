//! A service of the demo: a small site on a port of its own that knows people only by what Marelle tells it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::client::{Arrival, Client, ClientError, Pending};
use super::memory::{Memory, ServiceKey};
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::base::url::parameters;
use crate::web::page::Page;
use crate::web::views::{self, Claim, Lang, ServicePage, ServiceState, Theme};

/// Sign-ins that may wait at once, and people who may be signed in at once: a demo is small.
const LIMIT: usize = 1000;

/// What a service is.
#[derive(Debug)]
pub(super) struct Service {
    /// Which one.
    pub(super) key: ServiceKey,
    /// Its id at Marelle, and the name of its cookie: cookies do not tell ports apart.
    pub(super) id: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// One sentence about it.
    pub(super) about: &'static str,
    /// Its address, without a slash at the end.
    pub(super) url: String,
    /// Back to the tour.
    pub(super) tour_url: String,
    /// How it meets Marelle.
    pub(super) client: Client,
    /// What the demo remembers.
    pub(super) memory: Arc<Memory>,
    /// Browsers under way and browsers arrived, by cookie.
    pub(super) browsers: Mutex<Browsers>,
}

/// The browsers a service knows.
#[derive(Debug, Default)]
pub(super) struct Browsers {
    pending: HashMap<String, Pending>,
    arrived: HashMap<String, (Arrival, Option<String>)>,
}

impl Service {
    fn browsers(&self) -> MutexGuard<'_, Browsers> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn theme(&self) -> Theme {
        match self.key {
            ServiceKey::Ecole => Theme::Ecole,
            ServiceKey::College | ServiceKey::Lycee => Theme::College,
            ServiceKey::Carnet | ServiceKey::Manuel => Theme::Both,
        }
    }

    fn browser(&self, headers: &HeaderMap) -> Option<String> {
        CookieJar::from_headers(headers)
            .get(self.id)
            .map(|cookie| cookie.value().to_owned())
    }

    fn set_cookie(&self, value: String) -> CookieJar {
        let cookie = Cookie::build((self.id, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax);
        CookieJar::new().add(cookie)
    }

    fn page(&self, lang: Lang, state: ServiceState) -> Response {
        let view = ServicePage {
            lang,
            name: self.name.to_owned(),
            about: self.about.to_owned(),
            theme: self.theme(),
            state,
            tour_url: self.tour_url.clone(),
        };
        match views::render(&view) {
            Ok(html) => Page::new(html)
                .leading_to(Some(self.client.registration().issuer.clone()))
                .into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// The site of a service.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback).post(posted))
        .route("/told", get(told).post(told_behind))
        .route("/sign-out", post(sign_out))
        .route("/static/{*path}", get(crate::web::files::static_file))
        .with_state(service)
}

impl IntoResponse for ClientError {
    fn into_response(self) -> Response {
        tracing::warn!(cause = %self, "a demo service could not sign somebody in");
        (StatusCode::BAD_GATEWAY, format!("{self}\n")).into_response()
    }
}

fn lang(headers: &HeaderMap) -> Lang {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    accepted.and_then(Lang::preferred).unwrap_or(Lang::Fr)
}

async fn home(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let arrived = service
        .browser(&headers)
        .and_then(|browser| service.browsers().arrived.get(&browser).cloned());
    let state = match arrived {
        None => ServiceState::SignedOut {
            sign_in_url: "/sign-in".to_owned(),
        },
        Some((arrival, previous_sub)) => ServiceState::SignedIn {
            // By SAML and CAS it is called as the annuaire ENT (SDET) calls it.
            greeting_name: text_claim(&arrival, "given_name").or_else(|| text_claim(&arrival, "givenName")),
            sub: arrival.sub.clone(),
            previous_sub,
            claims: arrival
                .claims
                .iter()
                .filter(|(name, _)| *name != "sub")
                .map(shown_claim)
                .collect(),
            sign_out_action: "/sign-out".to_owned(),
        },
    };
    service.page(lang(&headers), state)
}

fn text_claim(arrival: &Arrival, name: &str) -> Option<String> {
    arrival
        .claims
        .get(name)
        .and_then(|value| value.as_str())
        .map(str::to_owned)
}

fn shown_claim((name, value): (&String, &serde_json::Value)) -> Claim {
    let value = value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned);
    Claim {
        name: name.clone(),
        value,
    }
}

async fn sign_in(State(service): State<Arc<Service>>) -> Result<Response, ClientError> {
    let (url, pending) = service.client.begin().await?;
    let browser = Secret::generate("", &SystemRandom).expose().to_owned();
    {
        let mut browsers = service.browsers();
        if browsers.pending.len() >= LIMIT {
            browsers.pending.clear();
        }
        browsers.pending.insert(browser.clone(), pending);
    }
    Ok((service.set_cookie(browser), Redirect::to(&url)).into_response())
}

async fn callback(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ClientError> {
    arrive(&service, &headers, &query.unwrap_or_default()).await
}

/// An answer that came in a form. A CAS server tells at the same address that somebody has left.
async fn posted(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, ClientError> {
    if body.starts_with("logoutRequest=") {
        return forget(&service, &body).await;
    }
    arrive(&service, &headers, &body).await
}

/// An answer that no sign-in of this browser waits for (reloaded, or forged) shows the home page.
async fn arrive(service: &Service, headers: &HeaderMap, text: &str) -> Result<Response, ClientError> {
    let browser = service.browser(headers);
    let pending = browser
        .as_ref()
        .and_then(|browser| service.browsers().pending.remove(browser));
    let Some(pending) = pending else {
        return Ok(Redirect::to("/").into_response());
    };
    let Some(arrival) = service.client.finish(&parameters(text), pending).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let name = text_claim(&arrival, "name").unwrap_or_else(|| arrival.sub.clone());
    let noted = service
        .memory
        .change(|notes| notes.visit(service.key, &name, &arrival.sub));
    let previous = noted.unwrap_or_else(|error| {
        tracing::warn!(cause = %error, "the demo cannot write its notes");
        None
    });
    let browser = Secret::generate("", &SystemRandom).expose().to_owned();
    {
        let mut browsers = service.browsers();
        if browsers.arrived.len() >= LIMIT {
            browsers.arrived.clear();
        }
        browsers.arrived.insert(browser.clone(), (arrival, previous));
    }
    Ok((service.set_cookie(browser), Redirect::to("/")).into_response())
}

/// Told by the browser, in a frame.
async fn told(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ClientError> {
    forget(&service, &query.unwrap_or_default()).await
}

/// Told behind the browser.
async fn told_behind(State(service): State<Arc<Service>>, body: String) -> Result<Response, ClientError> {
    forget(&service, &body).await
}

/// Forgets the login that a notice names.
async fn forget(service: &Service, text: &str) -> Result<Response, ClientError> {
    let Some(told) = service.client.told(text).await? else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let before = service.browsers().arrived.len();
    service
        .browsers()
        .arrived
        .retain(|_, (arrival, _)| !arrival.login.is(&told.login));
    if service.browsers().arrived.len() < before {
        let noted = service.memory.change(|notes| notes.closed.insert(service.key));
        if let Err(error) = noted {
            tracing::warn!(cause = %error, "the demo cannot write its notes");
        }
    }
    Ok(match told.answer {
        Some(answer) => Redirect::to(&answer).into_response(),
        None => (StatusCode::OK, "").into_response(),
    })
}

async fn sign_out(State(service): State<Arc<Service>>, headers: HeaderMap) -> Result<Response, ClientError> {
    let arrived = service
        .browser(&headers)
        .and_then(|browser| service.browsers().arrived.remove(&browser));
    let url = match arrived {
        Some((arrival, _)) => service.client.leave(&arrival.login).await?,
        None => service.url.clone(),
    };
    Ok(Redirect::to(&url).into_response())
}
