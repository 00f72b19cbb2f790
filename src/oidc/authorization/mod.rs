//! The authorization request (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): one ordered list of checks, one file each.
//!
//! | step | where | an error goes to |
//! | --- | --- | --- |
//! | who asks, where the answer goes | [`address`] | a page ([`PageError`]): nobody may be redirected yet |
//! | what is asked | [`check`] | the relying party ([`RedirectError`]) |
//! | is the person signed in, as it was asked | [`decision::decide`] | the relying party |
//! | may this person use this service | [`super::access`] | a page, or the relying party where no page may be shown |
//!
//! The two kinds of errors are two types, so that none can be sent where it may not go.

pub mod decision;
pub mod resource;

mod assurance;
mod claims;
mod client;
mod dpop_jkt;
mod grant;
mod hints;
mod max_age;
mod nonce;
mod not_supported;
mod pkce;
mod prompt;
mod pushed;
mod redirect_uri;
mod repeated;
mod response_mode;
mod response_type;
mod scope;
mod signed;

use std::time::Duration;

pub use assurance::{Assurance, Entrance};
pub use hints::Hints;
pub use prompt::{Prompt, Prompts};
pub use pushed::REFERENCE;
pub use response_mode::ResponseMode;

use crate::base::url;
use crate::domain::claims_request::{AskedClaim, ClaimsRequest};
use crate::domain::grant::Scopes;
use crate::domain::relying_party::RelyingParty;
use crate::domain::resource_server::Audience;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;

/// An error that must not leave for any address the request names (RFC 6749 §4.1.2.1): it is shown to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// More than we read.
    #[error("the request is too long")]
    TooLong,
    /// No client is named, or more than one.
    #[error("client_id is missing or came twice")]
    ClientId,
    /// There is no such client.
    #[error("no such client")]
    UnknownClient,
    /// The client is out of use.
    #[error("the client is disabled")]
    DisabledClient,
    /// No redirect address is named, or more than one.
    #[error("redirect_uri is missing or came twice")]
    RedirectUri,
    /// The address is not one that was registered for the client.
    #[error("redirect_uri is not registered")]
    UnregisteredRedirectUri,
    /// The pushed request that is named is unknown, expired, used, or another client's: which of them is not told.
    #[error("request_uri is not (or no longer) good")]
    RequestUri,
    /// The signed request is not good, and nothing beside it says where an answer could go.
    #[error("the request object is not good: {0}")]
    RequestObject(&'static str),
    /// What a login was to lead back to cannot be read.
    #[error("the waiting request cannot be opened")]
    Continuation,
}

/// An error that the relying party is told at its redirect address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct RedirectError {
    /// The code.
    pub code: ErrorCode,
    /// For the developer of the client: ASCII, nothing about a person.
    pub description: &'static str,
}

impl RedirectError {
    /// The service is not open for this person, and no page may say so (`prompt=none`).
    pub const CLOSED: Self = Self::new(ErrorCode::AccessDenied, "the service is not open for this person");

    /// The school year has not begun for this person, and no page may say so (`prompt=none`).
    pub const NOT_YET: Self = Self::new(
        ErrorCode::AccessDenied,
        "the service is not open for this person yet",
    );

    /// The person would have to be told what the service learns, and no page may say so (`prompt=none`).
    pub const TO_BE_TOLD: Self = Self::new(
        ErrorCode::InteractionRequired,
        "the person has to be told what the service receives",
    );
    /// The person would have to be asked, and no page may ask (`prompt=none`).
    pub const TO_BE_ASKED: Self = Self::new(ErrorCode::ConsentRequired, "the person has to consent");
    /// The person was asked and said no (RFC 6749 §4.1.2.1).
    pub const REFUSED: Self = Self::new(ErrorCode::AccessDenied, "the person did not consent");
    /// The person went back instead of signing in (RFC 6749 §4.1.2.1).
    pub const CANCELLED: Self = Self::new(ErrorCode::AccessDenied, "the person did not sign in");

    const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

impl From<OAuthError> for RedirectError {
    fn from(error: OAuthError) -> Self {
        Self::new(error.code, error.description)
    }
}

/// How a request came, besides what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// The client's server had sent it before (RFC 9126).
    pub is_pushed: bool,
    /// The client had signed it (RFC 9101), or it was pushed, which found it signed where it must be.
    pub is_signed: bool,
}

/// Where an answer goes: only a request whose client and redirect address were checked has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    redirect_uri: String,
    state: Option<String>,
    mode: ResponseMode,
}

impl Address {
    /// The redirect address.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

/// An answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where to.
    pub address: Address,
    /// The parameters, `state` and `iss` among them.
    pub parameters: Vec<(&'static str, String)>,
}

impl Answer {
    /// The code that was asked for.
    pub fn code(address: Address, issuer: &str, code: &str) -> Self {
        Self::new(address, issuer, vec![("code", code.to_owned())])
    }

    /// An error.
    pub fn error(address: Address, issuer: &str, error: RedirectError) -> Self {
        let code = ("error", error.code.as_str().to_owned());
        Self::new(
            address,
            issuer,
            vec![code, ("error_description", error.description.to_owned())],
        )
    }

    fn new(address: Address, issuer: &str, mut parameters: Vec<(&'static str, String)>) -> Self {
        if let Some(state) = &address.state {
            parameters.push(("state", state.clone()));
        }
        // RFC 9207 §2: in every answer, so that the client knows which provider gave it.
        parameters.push(("iss", issuer.to_owned()));
        Self { address, parameters }
    }

    /// How it is sent.
    pub fn mode(&self) -> ResponseMode {
        self.address.mode
    }

    /// The address of a redirection that carries it.
    pub fn location(&self) -> String {
        let parameters = self
            .parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        url::with_parameters(&self.address.redirect_uri, parameters)
    }
}

/// What was asked, every parameter read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The scopes that are known here.
    pub scopes: Scopes,
    /// The resource server that the scopes of others are of; [`resource::admit`] sets both.
    pub resource: Option<Audience>,
    /// What is asked for claim by claim.
    pub claims: ClaimsRequest,
    /// Which pages the person is to see, or not to.
    pub prompts: Prompts,
    /// How long ago the login may be.
    pub max_age: Option<Duration>,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
    /// The thumbprint of the key that the code is to be bound to.
    pub dpop_jkt: Option<String>,
    /// To be found in the ID Token again.
    pub nonce: Option<String>,
    /// How surely the person must have signed in.
    pub assurance: Assurance,
    /// Wished for, in order of preference; a wish only (OpenID Connect Core §3.1.2.1).
    pub acr_values: Vec<String>,
    /// Who the relying party believes is signed in.
    pub id_token_hint: Option<String>,
}

impl Request {
    /// Whether `sub` is asked for with a value, wherever (OpenID Connect Core §3.1.2.2, §5.5.1).
    pub fn names_a_subject(&self) -> bool {
        self.subjects().next().is_some()
    }

    /// Whether a person whom the party knows by this subject is the one it names; anybody is, where it names nobody.
    pub fn means(&self, subject: &str) -> bool {
        let subject = subject.into();
        self.subjects().all(|asked| asked.takes(&subject))
    }

    fn subjects(&self) -> impl Iterator<Item = &AskedClaim> {
        let places = [&self.claims.id_token, &self.claims.userinfo];
        let asked = places.into_iter().filter_map(|place| place.get("sub"));
        asked.filter(|asked| asked.values.is_some())
    }
}

/// First part of the list: who asks, and where the answer goes. Up to its end nobody is redirected.
///
/// # Errors
/// [`PageError`].
pub fn address(parameters: &Parameters, party: Option<&RelyingParty>) -> Result<Address, PageError> {
    let party = client::check(parameters, party)?;
    let redirect_uri = redirect_uri::check(parameters, party)?;
    Ok(Address {
        redirect_uri,
        state: parameters.get("state").map(str::to_owned),
        mode: response_mode::mode(parameters),
    })
}

/// Second part of the list: what is asked.
///
/// # Errors
/// [`RedirectError`].
pub fn check(parameters: &Parameters, party: &RelyingParty, came: Came) -> Result<Request, RedirectError> {
    grant::check(party)?;
    pushed::check(party, came.is_pushed)?;
    signed::check(party, came.is_signed)?;
    repeated::check(parameters)?;
    response_mode::check(parameters)?;
    not_supported::check(parameters)?;
    response_type::check(parameters)?;
    let prompts = prompt::check(parameters)?;
    let claims = claims::check(parameters)?;
    Ok(Request {
        scopes: scope::check(parameters, party, &prompts)?,
        resource: None,
        assurance: Assurance::read(&claims, party),
        claims,
        prompts,
        max_age: max_age::check(parameters, party)?,
        code_challenge: pkce::check(parameters, party)?,
        dpop_jkt: dpop_jkt::check(parameters)?,
        nonce: nonce::check(parameters)?,
        acr_values: assurance::wishes(parameters, party),
        id_token_hint: hints::id_token(parameters),
    })
}

#[cfg(test)]
mod tests;
