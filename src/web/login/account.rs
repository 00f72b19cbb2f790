//! `/account`: what services know about whoever is signed in, and taking a consent back.

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::notice::{about, known};
use crate::base::url::with_parameters;
use crate::domain::relying_party::RelyingPartyId;
use crate::flows::account;
use crate::oidc::notice::Reader;
use crate::web::WebState;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, AccountPage, KnownBy};
use crate::web::visit::{Fields, Visit};

/// `GET /account`.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let Some(who) = visit.who(&state).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let account = account::load(&state.context, &who).await?;
    let withdrawn = match visit.query.one("withdrawn").map(str::parse) {
        Some(Ok(client)) => account::name(&state.context, &client).await?,
        _ => None,
    };
    let withdrawn = withdrawn.filter(|name| !account.services.iter().any(|one| one.about.name == *name));
    let service = |one: account::Known| KnownBy {
        client: one.client.to_string(),
        service: about(one.about),
        since: one.since.date(),
        known: one.facts.into_iter().map(known).collect(),
        rights: one.rights,
        may_withdraw: one.may_withdraw,
    };
    let view = AccountPage {
        page: visit.page_of(&state.brand, &who),
        is_child: account.reader == Reader::Child,
        services: account.services.into_iter().map(service).collect(),
        withdrawn,
        withdraw_action: "/account/withdraw".to_owned(),
    };
    Ok(Page::new(views::render(&view)?).into_response())
}

/// `POST /account/withdraw`.
pub(super) async fn withdraw(
    State(state): State<WebState>,
    visit: Visit,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let client = fields.one("client").map(str::parse::<RelyingPartyId>);
    let Some(who) = visit.who(&state).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let Some(Ok(client)) = client else {
        return Err(WebError::BadRequest(None));
    };
    let done = account::withdraw(&state.context, &who, &client).await?;
    let said = done.then(|| ("withdrawn", client.as_str()));
    Ok(Redirect::to(&with_parameters("/account", said)).into_response())
}
