//! `/cas/logout`, seen from the browser.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::flows::cas::logout;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::farewell::AskedBy;
use crate::web::views::Link;
use crate::web::visit::Visit;
use crate::web::{WebState, farewell};

pub(super) async fn get(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let query = query.unwrap_or_default();
    let (left, onward) = logout::leave(&state.context, &query, cookie.as_ref()).await?;
    let onward = onward.map(|onward| Link {
        label: onward.service,
        url: onward.address,
    });
    farewell::answer(&state, &visit, left, onward, AskedBy::Address).await
}
