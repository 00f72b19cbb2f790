//! The authorization request (Core §3.1.2.1) and what the browser brings back (§3.1.2.5, RFC 9207).
//!
//! A strict provider refuses a parameter that it does not know (ProConnect: `Y000400`), so nothing is sent but
//! `response_type`, `client_id`, `redirect_uri`, `scope`, `state`, `nonce`, and, where they are declared or asked for,
//! `acr_values`, `claims`, `prompt`, `login_hint`, `code_challenge`, `code_challenge_method`.
//!
//! That `state` is the one of this browser is for whoever keeps it; what is looked at here is that the answer comes from the
//! provider that was chosen and from no other (RFC 9700 §4.4.2).

use std::collections::HashSet;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AuthUrl, AuthenticationContextClass, ClientId, CsrfToken, IssuerUrl, LoginHint, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope,
};
use serde_json::Value;

use super::discovery::NAMES_ISSUER;
use super::{Client, Of, Rejected};
use crate::base::parameters::Parameters;
use crate::base::secret::{Secret, equal};
use crate::oauth::pkce;

/// ProConnect takes no shorter `state` and `nonce`.
const SHORTEST: usize = 32;
/// The longest code that is read.
const CODE: usize = 2048;
/// What may come back once only.
const ANSWER: &[&str] = &["code", "state", "iss", "error", "error_description", "error_uri"];
/// The scope without which it is not OpenID Connect (Core §3.1.2.1); the library adds it.
const OPENID: &str = "openid";

/// What one login asks beside what is declared.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What the browser must bring back.
    pub state: &'a str,
    /// What the ID Token must bring back.
    pub nonce: &'a str,
    /// Of PKCE; not used where the declaration does without.
    pub verifier: Option<&'a Secret>,
    /// Whether they must sign in anew: on a shared device the last one may still be signed in there.
    pub login: bool,
    /// Whom they say they are.
    pub login_hint: Option<&'a str>,
}

/// A code, good once.
#[derive(Clone, Debug)]
pub struct Code(Secret);

impl Code {
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The verifier of PKCE, where it is used (RFC 7636 §4.1).
pub(super) fn verifier<'a>(
    client: &Client<'_>,
    verifier: Option<&'a Secret>,
) -> Result<Option<&'a Secret>, Rejected> {
    if !client.provider.pkce {
        return Ok(None);
    }
    let good = verifier.filter(|verifier| pkce::is_verifier(verifier.expose()));
    good.map(Some)
        .ok_or(Rejected::Request("PKCE needs a verifier of 43 to 128 characters"))
}

/// Where the browser is sent.
///
/// # Errors
/// [`Rejected`] for what would bring nobody back signed in: what is missing ([`Client::check`]), or too short.
pub fn authorization_url(client: &Client<'_>, asked: Asked<'_>) -> Result<String, Rejected> {
    client.check()?;
    if asked.state.len() < SHORTEST || asked.nonce.len() < SHORTEST {
        return Err(Rejected::Request("state and nonce have 32 characters or more"));
    }
    let provider = client.provider;
    let endpoint = client.needed("authorization_endpoint")?.to_owned();
    let (issuer, back) = (provider.issuer.clone(), client.redirect_uri.to_owned());
    let library = CoreClient::new(
        ClientId::new(provider.client_id.clone()),
        IssuerUrl::new(issuer).map_err(|_| Rejected::Address("issuer"))?,
        CoreJsonWebKeySet::default(),
    )
    .set_auth_uri(AuthUrl::new(endpoint).map_err(|_| Rejected::Address("authorization_endpoint"))?)
    .set_redirect_uri(RedirectUrl::new(back).map_err(|_| Rejected::Address("redirect_uri"))?);
    let (state, nonce) = (asked.state.to_owned(), asked.nonce.to_owned());
    let mut request = library.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        || CsrfToken::new(state),
        || Nonce::new(nonce),
    );
    for scope in provider.scopes.iter().filter(|scope| *scope != OPENID) {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    if let Some(values) = &provider.acr_values {
        request = request.add_auth_context_value(AuthenticationContextClass::new(values.clone()));
    }
    if let Some(claims) = &provider.claims {
        request = request.add_extra_param("claims", claims.clone());
    }
    if asked.login {
        request = request.add_prompt(CoreAuthPrompt::Login);
    }
    if let Some(hint) = asked.login_hint {
        request = request.set_login_hint(LoginHint::new(hint.to_owned()));
    }
    if let Some(verifier) = verifier(client, asked.verifier)? {
        // The library panics for what is no verifier; this is one.
        let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    let (url, ..) = request.url();
    // RFC 6749 §3.1: an endpoint may have a query of its own; what is in it must not say a second time what we say.
    let mut names = HashSet::new();
    if !url.query_pairs().all(|(name, _)| names.insert(name)) {
        return Err(Rejected::Declaration(
            "the address of the authorization endpoint has a parameter of the request in it",
        ));
    }
    Ok(url.into())
}

/// Reads what the browser brought back from the provider that it was sent to.
///
/// # Errors
/// [`Rejected::Answered`] where the provider says that it failed ([`Rejected::is_of_person`] tells who said no), and for
/// everything that is not an answer of this provider.
pub fn read_callback(client: &Client<'_>, parameters: &Parameters) -> Result<Code, Rejected> {
    if let Some(name) = parameters.first_repeated(ANSWER) {
        // The name is one of the list's own.
        let name = ANSWER.iter().find(|known| **known == name);
        return Err(Rejected::Repeated(name.copied().unwrap_or("a parameter")));
    }
    // RFC 9207 §2.4: compared as it is, in errors too, before anything else of the answer is used.
    let must = client.provider.requires_iss || client.discovery.get(NAMES_ISSUER) == Some(&Value::Bool(true));
    match parameters.get("iss") {
        Some(issuer) if equal(issuer.as_bytes(), client.provider.issuer.as_bytes()) => {}
        Some(_) => return Err(Rejected::Issuer(Of::Callback)),
        None if must => return Err(Rejected::IssuerMissing(Of::Callback)),
        None => {}
    }
    match (parameters.get("code"), parameters.get("error")) {
        (None, Some(error)) => Err(Rejected::answered(Of::Callback, error)),
        (Some(code), None) if code.len() <= CODE => Ok(Code(Secret::new(code))),
        (Some(_), None) => Err(Rejected::TooLong(Of::Callback)),
        _ => Err(Rejected::malformed(Of::Callback, "neither a code nor an error")),
    }
}
