//! A visit: what every handler of a page reads from a request before it does anything: language, cookies, the query,
//! who is signed in, and where the person was going.
//!
//! Must never trust any of it for more than it says: a continuation is ours only if it opens.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::error::WebError;
use super::views::{self, Brand, Lang};
use super::visitor::Visitor;
use super::{WebState, cookie};
use crate::base::secret::Secret;
use crate::base::url::{parameters, with_parameters};
use crate::domain::assurance::Acr;
use crate::flows::continuation::{self, Continuation, Protocol};
use crate::flows::session::{self, SignedIn};
use crate::oidc::authorization::Hints;

/// The parameters of a query or a form.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn read(text: &str) -> Self {
        Self(parameters(text))
    }

    /// Parameters that were read before.
    pub fn of<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(parameters.into_iter().map(owned).collect())
    }

    /// The value of a parameter that was given exactly once.
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Whether a parameter was given at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }
}

/// A request for a page.
#[derive(Debug)]
pub struct Visit {
    /// The language to answer in.
    pub lang: Lang,
    /// The parameters of the address.
    pub query: Fields,
    path: String,
    headers: HeaderMap,
}

impl FromRequestParts<WebState> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &WebState) -> Result<Self, Self::Rejection> {
        Ok(Self {
            lang: Visitor::of(parts.uri.query(), &parts.headers).lang,
            query: Fields::read(parts.uri.query().unwrap_or_default()),
            path: parts.uri.path().to_owned(),
            headers: parts.headers.clone(),
        })
    }
}

impl Visit {
    /// The value of a cookie.
    pub fn cookie(&self, state: &WebState, name: cookie::Name) -> Option<Secret> {
        cookie::read(state, &self.headers, name)
    }

    /// Who is signed in in this browser.
    ///
    /// # Errors
    /// [`WebError`] of the flow.
    pub async fn who(&self, state: &WebState) -> Result<Option<SignedIn>, WebError> {
        match self.cookie(state, cookie::Name::Session) {
            Some(cookie) => Ok(session::find(&state.context, &cookie).await?),
            None => Ok(None),
        }
    }

    /// A parameter of the address names the languages that a service believes the person to read: they win over the
    /// browser's, and lose to what the person chose here.
    pub fn wished(&mut self, parameter: &str) {
        self.lang = self.lang_for(self.query.one(parameter));
    }

    /// The language to answer in, where a service believes the person to read one of these.
    fn lang_for(&self, locales: Option<&str>) -> Lang {
        let switched = self.query.one("lang").and_then(Lang::from_tag);
        let chosen = || cookie::language(&self.headers).and_then(|tag| Lang::from_tag(&tag));
        if switched.or_else(chosen).is_some() {
            return self.lang;
        }
        locales.and_then(Lang::preferred).unwrap_or(self.lang)
    }

    /// What a page needs. With `goal`, the language switch keeps where the person was going, and the service may have
    /// wished for a language (`ui_locales`).
    pub fn page(&self, brand: &Arc<Brand>, goal: &Goal) -> views::Page {
        let lang = self.lang_for(goal.hints.ui_locales.as_deref());
        let mut page = views::Page::new(Arc::clone(brand), lang);
        let other = [("lang", lang.other().tag())];
        page.other_language_url = Some(goal.keep(&with_parameters(&self.path, other)));
        page
    }

    /// [`Visit::page`] for somebody who is signed in. A child reads the first name: the device is shared.
    pub fn page_of(&self, brand: &Arc<Brand>, who: &SignedIn) -> views::Page {
        let mut page = self.page(brand, &Goal::default());
        page.person = Some(match who.session.acr {
            Acr::Class => who.identity.given_name.clone(),
            Acr::SingleFactor | Acr::MultiFactor => who.identity.display_name(),
        });
        page
    }
}

/// Where a person who must sign in first was going.
#[derive(Debug, Default)]
pub struct Goal {
    sealed: Option<String>,
    continuation: Option<Continuation>,
    hints: Hints,
}

impl Goal {
    /// Reads the parameter `continue`; anything we did not seal is no goal.
    pub fn read(state: &WebState, fields: &Fields) -> Self {
        let sealed = fields.one("continue");
        let continuation = sealed.and_then(|sealed| Continuation::open(&state.context, sealed));
        Self {
            sealed: sealed.filter(|_| continuation.is_some()).map(str::to_owned),
            hints: continuation.as_ref().map(Continuation::hints).unwrap_or_default(),
            continuation,
        }
    }

    /// The sealed form, for a hidden field or an address.
    pub fn sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }

    /// The request that waits.
    pub fn continuation(&self) -> Option<&Continuation> {
        self.continuation.as_ref()
    }

    /// The request of a service that waits.
    fn of_service(&self) -> Option<&Continuation> {
        self.continuation()
            .filter(|waiting| waiting.protocol != Protocol::Link)
    }

    /// The provider from which somebody comes who has to prove once who they are here.
    pub fn first_by(&self) -> Option<String> {
        let waiting = self
            .continuation()
            .filter(|waiting| waiting.protocol == Protocol::Link);
        waiting.map(|waiting| waiting.service.clone())
    }

    /// The id of the service.
    pub fn client(&self) -> Option<&str> {
        self.of_service().map(|waiting| waiting.client.as_str())
    }

    /// The name of the service.
    pub fn service(&self) -> Option<String> {
        self.of_service().map(|waiting| waiting.service.clone())
    }

    /// The login name that the service believes will be typed; nobody was looked up by it.
    pub fn login_hint(&self) -> &str {
        self.hints.login.as_deref().unwrap_or_default()
    }

    /// Whether a picture code would lead there.
    pub fn class_will_do(&self) -> bool {
        self.continuation
            .as_ref()
            .is_none_or(|waiting| !waiting.needs_more_than_class)
    }

    /// The origin that forms of the way there lead to in the end.
    pub fn origin(&self) -> Option<String> {
        self.continuation
            .as_ref()
            .and_then(|waiting| waiting.origin.clone())
    }

    /// An address that keeps this goal.
    pub fn keep(&self, address: &str) -> String {
        match &self.sealed {
            Some(sealed) => with_parameters(address, [("continue", sealed.as_str())]),
            None => address.to_owned(),
        }
    }

    /// Where the browser goes once its person is signed in.
    pub fn resume(&self, state: &WebState) -> String {
        continuation::resume_path(&state.context, self.sealed())
    }
}
