//! The introspection endpoint (RFC 7662): what a token means at this moment, to whoever may know.
//!
//! | token | who is told | what is looked at |
//! | --- | --- | --- |
//! | access token | its client; the introspectors of its resource server | token, grant, login, person, client, resource server |
//! | refresh token | its client | the same, as a refresh would |
//! | anything else, anybody else | nobody: `active` is false | |
//!
//! Reads only; the answer is never kept anywhere.

use serde_json::{Map, Value};

use super::access_token::{self, Held};
use super::keys::Keyring;
use super::{Context, Failure, client_authentication, subject};
use crate::base::secret::Secret;
use crate::domain::relying_party::RelyingParty;
use crate::jose;
use crate::oauth::access_token::Description;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::grant::refresh_token;
use crate::oauth::introspection::{self, inactive};
use crate::oauth::parameters::Parameters;
use crate::oidc::access;
use crate::store;

/// What a refresh token begins with.
pub(super) const REFRESH_TOKEN_PREFIX: &str = "mrlr_";

/// An answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Plain JSON.
    Plain(Map<String, Value>),
    /// A JWT for the caller (RFC 9701).
    Signed(String),
}

/// Answers: the value of the `Authorization` header, the form, and whether the caller takes a JWT.
///
/// # Errors
/// [`Failure`]; inside, what a caller is told that asks wrongly or is nobody.
pub async fn introspect(
    context: &Context,
    keyring: &Keyring,
    authorization: Option<&str>,
    form: &str,
    accepts_jwt: bool,
) -> Result<Result<Answer, OAuthError>, Failure> {
    let form = match read(form) {
        Ok(form) => form,
        Err(error) => return Ok(Err(error)),
    };
    let client = match client_authentication::authenticate(context, authorization, &form).await? {
        Ok(client) => client,
        Err(refused) => return Ok(Err(refused.error)),
    };
    let asking = client.party();
    // RFC 7662 §2.1: "the endpoint MUST also require some form of authorization". A public client has none.
    if asking.is_public() {
        let error = OAuthError::new(ErrorCode::InvalidClient, "a public client may not introspect");
        return Ok(Err(error));
    }
    let members = match form.get("token").map(Secret::new) {
        Some(token) => members(context, keyring, asking, &token).await?,
        None => return Ok(Err(NO_TOKEN)),
    };
    let Some(algorithm) = introspection::signed_with(asking, accepts_jwt) else {
        return Ok(Ok(Answer::Plain(members)));
    };
    let claims = introspection::claims(members, &context.settings.public_url, &asking.id, context.now());
    let kind = jose::Kind::IntrospectionResponse;
    let signed = keyring.sign(context, algorithm, kind, claims).await?;
    Ok(Ok(Answer::Signed(signed)))
}

/// The token is missing.
pub(super) const NO_TOKEN: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "token is missing");

/// Reads the form of a request about a token.
pub(super) fn read(form: &str) -> Result<Parameters, OAuthError> {
    let invalid = |description| OAuthError::new(ErrorCode::InvalidRequest, description);
    let form = Parameters::read(form).map_err(|_| invalid("the request is too long"))?;
    match form.first_repeated(&["token", "token_type_hint"]) {
        Some(_) => Err(invalid("a parameter came twice")),
        None => Ok(form),
    }
}

async fn members(
    context: &Context,
    keyring: &Keyring,
    asking: &RelyingParty,
    token: &Secret,
) -> Result<Map<String, Value>, Failure> {
    let issuer = &context.settings.public_url;
    // What a token is stands in itself, so `token_type_hint` is not needed (RFC 7662 §2.1: "MAY ignore").
    if token.expose().starts_with(REFRESH_TOKEN_PREFIX) {
        return of_refresh_token(context, asking, token).await;
    }
    let Some(digest) = access_token::digest(context, keyring, token).await? else {
        return Ok(inactive());
    };
    let mut conn = context.db.reader().await?;
    let Some(usable) = access_token::usable(&mut conn, &digest, context.now()).await? else {
        return Ok(inactive());
    };
    if !introspection::may_know(&asking.id, &usable.party.id, usable.server.as_ref()) {
        return Ok(inactive());
    }
    Ok(match &usable.held {
        Held::Service(token) => introspection::of_access_token(&Description::of_service(token), issuer),
        Held::Person(token) => match subject::known(&mut conn, &usable.party, token.identity.id).await? {
            Some(subject) => introspection::of_access_token(&Description::of_person(token, &subject), issuer),
            None => inactive(),
        },
    })
}

async fn of_refresh_token(
    context: &Context,
    asking: &RelyingParty,
    token: &Secret,
) -> Result<Map<String, Value>, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let found = store::refresh_token::renewal(&mut conn, &asking.id, &token.digest(), now).await?;
    let good = found.held.filter(|held| {
        let grant = &held.standing.grant;
        grant.client == asking.id
            && grant.revoked_at.is_none()
            && held.token.used_at.is_none()
            && refresh_token::stands(held, now).is_ok()
            && access::check(asking, &held.standing.live, now).is_ok()
    });
    let issuer = &context.settings.public_url;
    Ok(good.map_or_else(inactive, |held| introspection::of_refresh_token(&held, issuer)))
}
