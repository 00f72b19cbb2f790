//! `/login/with/<provider>` and the ways back: people who sign in at another provider.
//!
//! | path | the browser comes | cookies |
//! | --- | --- | --- |
//! | `/login/with/<provider>` | from the login page; the first time, once more with a cookie | yes |
//! | `/login/callback/<provider>` | from an OpenID provider, with a code | yes |
//! | `/login/callback/<provider>/logout` | is no browser: the provider tells of a logout | no |
//! | `/saml/sp/acs` | from an identity provider, with a form | no |
//! | `/saml/sp/acs/resume` | sent round | yes |
//! | `/saml/sp/slo` | from an identity provider, with a logout message | by GET only |
//! | `/saml/sp/leave` | on its way to the logout of a provider that takes forms only | not needed |
//! | `/login/link` | from the login page: somebody has proved who they are here | yes |
//!
//! Must never say why an answer was not believed, and never log a query or a body.

use axum::body::Bytes;
use axum::extract::{Path, RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::CookieJar;

use crate::base::secret::Secret;
use crate::base::url::with_parameters;
use crate::domain::session::Device;
use crate::domain::upstream::ProviderId;
use crate::flows::upstream::begin::{Begun, Departure, begin};
use crate::flows::upstream::logout::Outcome as Left;
use crate::flows::upstream::saml::Cookies;
use crate::flows::upstream::{Outcome, Why, link, logout, oidc, saml};
use crate::saml::incoming::Incoming;
use crate::web::cookie::{self, Name};
use crate::web::error::WebError;
use crate::web::farewell::AskedBy;
use crate::web::oauth::{form, see_other};
use crate::web::page::Page;
use crate::web::saml::{Place, send};
use crate::web::views::{self, ErrorKind, ErrorPage, Lang, Link};
use crate::web::visit::{Fields, Goal, Visit};
use crate::web::{WebState, farewell};

/// The cookies of a browser that comes back.
struct Brought {
    bound: Option<Secret>,
    session: Option<Secret>,
    device: Device,
}

impl Brought {
    fn read(state: &WebState, visit: &Visit) -> Self {
        Self {
            bound: visit.cookie(state, Name::Away),
            session: visit.cookie(state, Name::Session),
            device: device(state, visit),
        }
    }

    const fn cookies(&self) -> Cookies<'_> {
        Cookies {
            bound: self.bound.as_ref(),
            session: self.session.as_ref(),
            device: self.device,
        }
    }
}

/// A device that opened a class page is a classroom's.
pub(super) fn device(state: &WebState, visit: &Visit) -> Device {
    match visit.cookie(state, Name::Class) {
        Some(_) => Device::Shared,
        None => Device::Personal,
    }
}

/// `GET /login/with/<provider>`.
pub(super) async fn leave(
    State(state): State<WebState>,
    visit: Visit,
    Path(provider): Path<String>,
) -> Result<Response, WebError> {
    let goal = Goal::read(&state, &visit.query);
    let provider: ProviderId = provider.parse().map_err(|_| WebError::NotFound)?;
    go(&state, &visit, &goal, &provider).await
}

/// The parameter of an address that the browser was sent to with a cookie: it has it now, or it takes none.
const HAS_COOKIE: &str = "cookie";

/// Sends somebody to a provider, with a cookie to bring back. Nothing is written down for a browser before it has shown that it
/// keeps that cookie: what follows links without being a browser leaves nothing behind, and a browser a few requests at most.
pub(super) async fn go(
    state: &WebState,
    visit: &Visit,
    goal: &Goal,
    provider: &ProviderId,
) -> Result<Response, WebError> {
    let Some(browser) = visit.cookie(state, Name::Away) else {
        if visit.query.has(HAS_COOKIE) {
            return Err(WebError::BadRequest(Some(needs_cookies(visit.lang))));
        }
        let new = Secret::generate("", &*state.context.random);
        let jar = cookie::set(state, CookieJar::new(), Name::Away, &new);
        let sealed = goal.sealed().map(|sealed| ("continue", sealed));
        let parameters = sealed.into_iter().chain([(HAS_COOKIE, "1")]);
        let here = with_parameters(&format!("/login/with/{provider}"), parameters);
        return Ok((jar, see_other(&here)).into_response());
    };
    let is_shared = device(state, visit) == Device::Shared;
    let departure = Departure {
        provider,
        browser: &browser,
        continuation: goal.sealed(),
        // Whoever is here already is asked to prove themselves again, and so is everybody on a shared device: the login at
        // the provider may be another child's.
        force: is_shared || visit.who(state).await?.is_some(),
    };
    match begin(&state.context, departure).await? {
        Begun::Away(outgoing) => send(state, visit, outgoing, Place::Window),
        Begun::Closed => Err(WebError::NotFound),
        Begun::NotReady { provider } => Err(WebError::Forbidden(Some(not_ready(visit.lang, &provider)))),
    }
}

fn needs_cookies(lang: Lang) -> String {
    match lang {
        Lang::Fr => {
            "Votre navigateur refuse les cookies : il en faut un, le temps de la connexion.".to_owned()
        }
        Lang::En => "Your browser refuses cookies: one is needed while you sign in.".to_owned(),
    }
}

/// `GET /login/callback/<provider>`.
pub(super) async fn callback(
    State(state): State<WebState>,
    visit: Visit,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let provider: ProviderId = provider.parse().map_err(|_| WebError::NotFound)?;
    let brought = Brought::read(&state, &visit);
    let query = query.unwrap_or_default();
    let outcome = oidc::callback(&state.context, &provider, &query, brought.cookies()).await?;
    answer(&state, &visit, brought.device, outcome)
}

/// `POST /login/callback/<provider>/logout` (Back-Channel Logout 1.0 §2.5, §2.8).
pub(super) async fn told(
    State(state): State<WebState>,
    Path(provider): Path<String>,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let provider: ProviderId = provider.parse().map_err(|_| WebError::NotFound)?;
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let token = fields.one("logout_token").unwrap_or_default();
    let status = if logout::told(&state.context, &provider, token).await? {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok((status, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

/// `POST /saml/sp/acs`.
pub(super) async fn consume(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let body = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    let outcome = saml::by_form(&state.context, body).await?;
    answer(&state, &visit, Device::Shared, outcome)
}

/// `GET /saml/sp/acs/resume`.
pub(super) async fn resume(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let brought = Brought::read(&state, &visit);
    let ticket = visit.query.one("ticket").unwrap_or_default();
    let outcome = saml::resume(&state.context, ticket, brought.cookies()).await?;
    answer(&state, &visit, brought.device, outcome)
}

/// `GET /login/link`.
pub(super) async fn prove(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let brought = Brought::read(&state, &visit);
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = link::prove(&state.context, sealed, brought.cookies()).await?;
    answer(&state, &visit, brought.device, outcome)
}

/// `GET /saml/sp/leave`.
pub(super) async fn leave_by_form(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let ticket = visit.query.one("ticket").unwrap_or_default();
    match logout::by_form(&state.context, ticket).await? {
        Some(outgoing) => send(&state, &visit, outgoing, Place::Window),
        None => Ok(see_other(farewell::GONE)),
    }
}

/// `GET /saml/sp/slo`.
pub(super) async fn slo_by_address(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let incoming = Incoming::from_query(&query.unwrap_or_default());
    slo(&state, &visit, incoming.ok()).await
}

/// `POST /saml/sp/slo`.
pub(super) async fn slo_by_form(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let body = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    slo(&state, &visit, Incoming::from_form(body).ok()).await
}

async fn slo(state: &WebState, visit: &Visit, incoming: Option<Incoming>) -> Result<Response, WebError> {
    let incoming = incoming.ok_or(WebError::BadRequest(None))?;
    match logout::heard(&state.context, incoming).await? {
        Left::Ended {
            farewell,
            provider,
            answer,
        } => {
            let onward = match answer {
                crate::flows::saml::Outgoing::Address(url) => Some(Link { label: provider, url }),
                // Nothing to tell before: the answer goes at once.
                outgoing => return send(state, visit, outgoing, Place::Window),
            };
            farewell::answer(state, visit, farewell, onward, AskedBy::Address).await
        }
        Left::Answered { next } => Ok(see_other(next.as_deref().unwrap_or(farewell::GONE))),
        Left::NotBelieved => Err(WebError::BadRequest(None)),
    }
}

/// What becomes of the browser.
fn answer(state: &WebState, visit: &Visit, device: Device, outcome: Outcome) -> Result<Response, WebError> {
    match outcome {
        Outcome::SignedIn {
            cookie,
            next,
            provider,
        } => {
            let mut jar = cookie::set(state, CookieJar::new(), Name::Session, &cookie);
            jar = cookie::clear(state, jar, Name::Away);
            if device == Device::Personal {
                jar = cookie::set(state, jar, Name::Way, &Secret::new(provider.as_str()));
            }
            Ok((jar, see_other(&next)).into_response())
        }
        Outcome::SentRound { ticket } => Ok(see_other(&with_parameters(
            "/saml/sp/acs/resume",
            [("ticket", ticket.as_str())],
        ))),
        Outcome::Prove { continuation } => Ok(see_other(&with_parameters(
            "/login",
            [("continue", continuation.as_str())],
        ))),
        Outcome::Waits { provider } => Err(WebError::Waits(waits(visit.lang, &provider))),
        Outcome::Refused { provider, why } => {
            Err(WebError::Forbidden(Some(refused(visit.lang, &provider, why))))
        }
        Outcome::NotBelieved => not_believed(state, visit),
    }
}

/// One page for everything that is not believed, with the way back to the beginning.
fn not_believed(state: &WebState, visit: &Visit) -> Result<Response, WebError> {
    let mut page = visit.page(&state.brand, &Goal::default());
    page.other_language_url = None;
    let label = match visit.lang {
        Lang::Fr => "Revenir à la connexion",
        Lang::En => "Back to signing in",
    };
    let view = ErrorPage {
        page,
        kind: ErrorKind::Expired,
        sentence: None,
        request_id: String::new(),
        way_on: Some(Link {
            label: label.to_owned(),
            url: "/login".to_owned(),
        }),
    };
    let page = Page::new(views::render(&view)?);
    Ok(page.with_status(StatusCode::BAD_REQUEST).into_response())
}

fn not_ready(lang: Lang, provider: &str) -> String {
    match lang {
        Lang::Fr => format!("« {provider} » ne répond pas pour l’instant. Réessayez dans un moment."),
        Lang::En => format!("“{provider}” does not answer at the moment. Try again in a while."),
    }
}

fn waits(lang: Lang, provider: &str) -> String {
    match lang {
        Lang::Fr => format!(
            "« {provider} » nous a dit qui vous êtes, mais nous devons encore vérifier que c’est bien votre compte."
        ),
        Lang::En => {
            format!("“{provider}” told us who you are, but we still have to check that this is your account.")
        }
    }
}

fn refused(lang: Lang, provider: &str, why: Why) -> String {
    match (lang, why) {
        (Lang::Fr, Why::Population) => {
            format!(
                "Ici, « {provider} » n’est pas le chemin pour vous. Choisissez une autre façon de vous connecter."
            )
        }
        (Lang::En, Why::Population) => {
            format!("“{provider}” is not the way in for you here. Choose another one.")
        }
        (Lang::Fr, Why::Unknown) => format!(
            "Nous ne vous trouvons pas à partir de « {provider} ». Demandez à l’école si votre compte est ouvert."
        ),
        (Lang::En, Why::Unknown) => {
            format!("We do not find you from “{provider}”. Ask the school whether your account is open.")
        }
        (Lang::Fr, Why::NotFinished) => {
            format!("La connexion par « {provider} » n’a pas été menée au bout. Vous pouvez recommencer.")
        }
        (Lang::En, Why::NotFinished) => {
            format!("Signing in by “{provider}” was not finished. You can begin again.")
        }
    }
}
