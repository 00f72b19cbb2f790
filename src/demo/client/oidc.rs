//! A demo service as an OpenID Connect client, by the `openidconnect` crate: it knows the issuer and nothing else.

use std::pin::Pin;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use openidconnect::core::{CoreAuthenticationFlow, CoreGenderClaim, CoreIdToken};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse,
    UserInfoClaims,
};
use serde::{Deserialize, Serialize};

use super::{Arrival, ClientError, Fields, Login, Registration, Told, field, wrong};
use crate::base::url::parameters;
use crate::flows::outbound::{Outbound, OutboundError, Reach};

/// Claims beyond the standard ones, as they came.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Extra(serde_json::Map<String, serde_json::Value>);

impl AdditionalClaims for Extra {}

/// What waits for the code to come back.
#[derive(Debug)]
pub(in crate::demo) struct Pending {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Pending {
    fn is_answered_by(&self, state: &str) -> bool {
        self.state.secret() == state
    }
}

/// The library's requests, sent by our client.
struct Transport<'a>(&'a dyn Outbound);

impl<'c> AsyncHttpClient<'c> for Transport<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, mut request: HttpRequest) -> Self::Future {
        // The issuer is this machine.
        request.extensions_mut().insert(Reach::Anywhere);
        self.0.send(request)
    }
}

/// A client.
#[derive(Clone)]
pub(in crate::demo) struct Client {
    registration: Registration,
    outbound: Arc<dyn Outbound>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that reaches its issuer by `outbound`.
    pub(in crate::demo) fn new(registration: Registration, outbound: Arc<dyn Outbound>) -> Self {
        Self {
            registration,
            outbound,
        }
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    async fn discover(&self) -> Result<ProviderMetadataWithLogout, ClientError> {
        let issuer =
            IssuerUrl::new(self.registration.issuer.clone()).map_err(|error| wrong("issuer")(&error))?;
        ProviderMetadataWithLogout::discover_async(issuer, &Transport(&*self.outbound))
            .await
            .map_err(|error| wrong("discovery")(&error))
    }

    fn redirect_url(&self) -> Result<RedirectUrl, ClientError> {
        RedirectUrl::new(self.registration.callback()).map_err(|error| wrong("redirect address")(&error))
    }

    fn credentials(&self) -> (ClientId, Option<ClientSecret>) {
        let secret = ClientSecret::new(self.registration.secret.expose().to_owned());
        (ClientId::new(self.registration.id.clone()), Some(secret))
    }

    /// Begins a sign-in: where the browser goes, and what to keep until it is back.
    pub(super) async fn begin(&self) -> Result<(String, Pending), ClientError> {
        let (id, secret) = self.credentials();
        let client =
            openidconnect::core::CoreClient::from_provider_metadata(self.discover().await?, id, secret)
                .set_redirect_uri(self.redirect_url()?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(["profile", "education"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok((
            url.to_string(),
            Pending {
                state,
                nonce,
                verifier,
            },
        ))
    }

    /// Exchanges the code, verifies the ID Token and asks for the claims; `None` where the answer is not to this request
    /// (RFC 6749 §4.1.2).
    pub(super) async fn finish(
        &self,
        fields: &Fields,
        pending: Pending,
    ) -> Result<Option<Arrival>, ClientError> {
        if !field(fields, "state").is_some_and(|state| pending.is_answered_by(state)) {
            return Ok(None);
        }
        let Some(code) = field(fields, "code").map(str::to_owned) else {
            let error = field(fields, "error").unwrap_or_default();
            let description = field(fields, "error_description").unwrap_or_default();
            return Err(ClientError(format!("{error}: {description}")));
        };
        let (id, secret) = self.credentials();
        let client =
            openidconnect::core::CoreClient::from_provider_metadata(self.discover().await?, id, secret)
                .set_redirect_uri(self.redirect_url()?);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| wrong("token endpoint")(&error))?
            .set_pkce_verifier(pending.verifier)
            .request_async(&Transport(&*self.outbound))
            .await
            .map_err(|error| wrong("code exchange")(&error))?;
        let id_token: &CoreIdToken = tokens
            .id_token()
            .ok_or_else(|| ClientError("no ID Token came back".to_owned()))?;
        let verifier = client.id_token_verifier();
        let claims = id_token
            .claims(&verifier, &pending.nonce)
            .map_err(|error| wrong("ID Token")(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let alg = id_token
                .signing_alg()
                .map_err(|error| wrong("ID Token")(&error))?;
            let key = id_token
                .signing_key(&verifier)
                .map_err(|error| wrong("ID Token")(&error))?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), alg, key)
                .map_err(|error| wrong("at_hash")(&error))?;
            if actual != *expected {
                return Err(ClientError("at_hash does not fit the access token".to_owned()));
            }
        }
        let subject = claims.subject().clone();
        let info: UserInfoClaims<Extra, CoreGenderClaim> = client
            .user_info(tokens.access_token().clone(), Some(subject.clone()))
            .map_err(|error| wrong("userinfo endpoint")(&error))?
            .request_async(&Transport(&*self.outbound))
            .await
            .map_err(|error| wrong("userinfo")(&error))?;
        let claims = match serde_json::to_value(&info).map_err(|error| wrong("claims")(&error))? {
            serde_json::Value::Object(claims) => claims,
            _ => serde_json::Map::new(),
        };
        let id_token = id_token.to_string();
        Ok(Some(Arrival {
            sub: subject.to_string(),
            claims,
            login: Login::Token {
                sid: sid(&id_token),
                id_token,
            },
        }))
    }

    /// Where the browser goes to sign out everywhere.
    pub(super) async fn leave(&self, id_token: &str) -> Result<String, ClientError> {
        let metadata = self.discover().await?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone();
        let endpoint = endpoint.ok_or_else(|| ClientError("the issuer has no logout".to_owned()))?;
        let hint: CoreIdToken = id_token
            .parse()
            .map_err(|error: serde_json::Error| wrong("ID Token")(&error))?;
        let home = PostLogoutRedirectUrl::new(self.registration.home());
        Ok(LogoutRequest::from(endpoint)
            .set_id_token_hint(&hint)
            .set_client_id(ClientId::new(self.registration.id.clone()))
            .set_post_logout_redirect_uri(home.map_err(|error| wrong("home")(&error))?)
            .http_get_url()
            .to_string())
    }

    /// Front-Channel Logout 1.0 §2: a frame, with issuer and login.
    pub(super) fn told(&self, query: &str) -> Option<Told> {
        let fields = parameters(query);
        let sid = field(&fields, "sid")?;
        (field(&fields, "iss")? == self.registration.issuer).then(|| Told {
            login: sid.to_owned(),
            answer: None,
        })
    }
}

/// The `sid` of an ID Token that was verified; the library has no word for it.
fn sid(id_token: &str) -> String {
    let payload = id_token.split('.').nth(1).unwrap_or_default();
    let bytes = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap_or_default();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    claims
        .get("sid")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
