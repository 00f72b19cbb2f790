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
    /// Its name.
    pub(super) name: &'static str,
    /// One sentence about it.
    pub(super) about: &'static str,
    /// Its address, without a slash at the end.
    pub(super) url: String,
    /// Back to the tour.
    pub(super) tour_url: String,
    /// Its OpenID Connect client.
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

    /// Cookies do not tell ports apart: each service has its own name.
    fn cookie_name(&self) -> &'static str {
        match self.key {
            ServiceKey::Ecole => "demo-ecole",
            ServiceKey::College => "demo-college",
            ServiceKey::Carnet => "demo-carnet",
        }
    }

    fn theme(&self) -> Theme {
        match self.key {
            ServiceKey::Ecole => Theme::Ecole,
            ServiceKey::College => Theme::College,
            ServiceKey::Carnet => Theme::Both,
        }
    }

    fn browser(&self, headers: &HeaderMap) -> Option<String> {
        CookieJar::from_headers(headers)
            .get(self.cookie_name())
            .map(|cookie| cookie.value().to_owned())
    }

    fn set_cookie(&self, value: String) -> CookieJar {
        let cookie = Cookie::build((self.cookie_name(), value))
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
                .leading_to(Some(self.client.issuer().to_owned()))
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
        .route("/callback", get(callback))
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
            greeting_name: text_claim(&arrival, "given_name"),
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
    let browser = service.browser(&headers);
    let pending = browser
        .as_ref()
        .and_then(|browser| service.browsers().pending.remove(browser));
    // A callback that no sign-in of this browser waits for (reloaded, or forged) shows the home page.
    // RFC 6749 §4.1.2
    let parameters = parameters(&query.unwrap_or_default());
    let value = |wanted: &str| {
        parameters
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let Some((pending, state)) = pending.zip(value("state")) else {
        return Ok(Redirect::to("/").into_response());
    };
    if !pending.is_answered_by(&state) {
        return Ok(Redirect::to("/").into_response());
    }
    let Some(code) = value("code") else {
        let error = value("error").unwrap_or_default();
        return Err(ClientError::refused(
            &error,
            value("error_description").as_deref(),
        ));
    };
    let arrival = service.client.finish(code, pending).await?;
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

async fn sign_out(State(service): State<Arc<Service>>, headers: HeaderMap) -> Result<Response, ClientError> {
    let arrived = service
        .browser(&headers)
        .and_then(|browser| service.browsers().arrived.remove(&browser));
    let url = match arrived {
        Some((arrival, _)) => service.client.logout_url(&arrival.id_token).await?,
        None => service.url.clone(),
    };
    Ok(Redirect::to(&url).into_response())
}
