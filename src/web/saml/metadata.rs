//! Our metadata, kept by others for as long as they say, and asked for again for the price of a comparison
//! (RFC 9111 §4.3.1).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};

use crate::flows::saml::own;
use crate::saml::metadata::Role;
use crate::web::WebState;
use crate::web::error::WebError;

/// saml-metadata appendix A.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/samlmetadata+xml");
/// An hour on the way, which is little to `cacheDuration`.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// As an identity provider.
pub(super) async fn ours(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, WebError> {
    answer(&state, &headers, Role::IdentityProvider).await
}

/// As a service provider of others.
pub(super) async fn as_service(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    answer(&state, &headers, Role::ServiceProvider).await
}

async fn answer(state: &WebState, headers: &HeaderMap, role: Role) -> Result<Response, WebError> {
    let document = own::document(&state.context, role).await?;
    let has_it = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == document.etag || value == "*");
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, MEDIA_TYPE)], document.xml.clone()).into_response()
    };
    response.headers_mut().insert(CACHE_CONTROL, AN_HOUR);
    if let Ok(tag) = HeaderValue::from_str(&document.etag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::flows::testing::context_on_sqlite;
    use crate::saml::xml::{Limits, Namespace};
    use crate::saml::xmlsec::{Certificate, Policy, Wanted, verify};

    #[tokio::test]
    async fn our_metadata_are_signed_the_same_for_a_day_and_compared_by_their_tag() {
        let (context, clock, _folder) = context_on_sqlite().await;
        let keyring = {
            crate::flows::keys::testing::premade(&context).await;
            crate::flows::keys::Keyring::open(&context).await.unwrap()
        };
        let state = WebState {
            context: context.clone(),
            keyring,
            brand: std::sync::Arc::default(),
        };
        let site = crate::web::router(state);
        let ask = async |tag: Option<&HeaderValue>| {
            let mut request = Request::get("/saml/metadata");
            if let Some(tag) = tag {
                request = request.header(IF_NONE_MATCH, tag);
            }
            let answer = site
                .clone()
                .oneshot(request.body(Body::empty()).unwrap())
                .await
                .unwrap();
            let (parts, body) = answer.into_parts();
            (parts, body.collect().await.unwrap().to_bytes())
        };
        let (first, body) = ask(None).await;
        assert_eq!(first.status, StatusCode::OK);
        assert_eq!(first.headers[CONTENT_TYPE], "application/samlmetadata+xml");
        let published = context.saml.keys.published(&context).await.unwrap();
        let states: Vec<_> = published.iter().map(|one| one.key.state.as_str()).collect();
        assert_eq!(states, ["current", "current", "next", "next"]);
        let wanted = Wanted::root(Namespace::Md, "EntityDescriptor");
        let policy = Policy {
            limits: Limits::METADATA,
            ..Policy::MESSAGE
        };
        let certificate: &Certificate = &published[0].certificate;
        let signed = verify(&body, wanted, &[certificate.public_key().unwrap()], &policy).unwrap();
        assert_eq!(
            signed.root().attribute("entityID"),
            Some("https://id.example.fr/saml/metadata")
        );
        let role = signed.root().child(Namespace::Md, "IDPSSODescriptor").unwrap();
        assert_eq!(role.children_named(Namespace::Md, "KeyDescriptor").count(), 4);

        let tag = first.headers[ETAG].clone();
        let (again, nothing) = ask(Some(&tag)).await;
        assert_eq!((again.status, nothing.len()), (StatusCode::NOT_MODIFIED, 0));
        clock.advance(std::time::Duration::from_secs(24 * 3600));
        let (tomorrow, _) = ask(Some(&tag)).await;
        assert_eq!(tomorrow.status, StatusCode::OK, "it is good for a day longer");
    }
}
