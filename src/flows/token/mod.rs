//! The token endpoint (RFC 6749 §3.2): who asks is settled first, then the grant does its own part; what is issued is
//! kept as digests only.
//!
//! Each grant has its file here, and says in its table what a request leaves behind.

use std::time::Duration;

use super::keys::Keyring;
use super::{Context, Failure, client_authentication};
use crate::base::secret::Secret;
use crate::domain::grant::Scopes;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::grant::authorization_code::Request;
use crate::oauth::parameters::Parameters;

mod authorization_code;

/// What an access token begins with.
const TOKEN_PREFIX: &str = "mrla_";

/// What a client is given.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Opaque.
    pub access_token: Secret,
    /// How long it is good.
    pub expires_in: Duration,
    /// The ID Token.
    pub id_token: Secret,
    /// What was granted.
    pub scopes: Scopes,
}

/// What a request left behind, whatever was replied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Nothing.
    Nothing,
    /// An entry of the journal: the client was refused.
    ClientRefused,
    /// The code is spent; nothing was issued.
    CodeSpent,
    /// The grant and everything that came of it are revoked.
    FamilyRevoked,
    /// The code is spent; tokens were issued.
    Issued,
}

/// What became of a request.
#[derive(Debug)]
pub struct Outcome {
    /// What the client is told.
    pub reply: Result<Tokens, OAuthError>,
    /// What is in the database now.
    pub committed: Committed,
}

impl Outcome {
    const fn refused(error: OAuthError, committed: Committed) -> Self {
        Self {
            reply: Err(error),
            committed,
        }
    }
}

/// Answers a token request: the value of its `Authorization` header, and its form.
///
/// # Errors
/// [`Failure`].
pub async fn exchange(
    context: &Context,
    keyring: &Keyring,
    authorization: Option<&str>,
    form: &str,
) -> Result<Outcome, Failure> {
    let Ok(form) = Parameters::read(form) else {
        let error = OAuthError::new(ErrorCode::InvalidRequest, "the request is too long");
        return Ok(Outcome::refused(error, Committed::Nothing));
    };
    let client = match client_authentication::authenticate(context, authorization, &form).await? {
        Ok(client) => client,
        Err(refused) => {
            let committed = if refused.journalled {
                Committed::ClientRefused
            } else {
                Committed::Nothing
            };
            return Ok(Outcome::refused(refused.error, committed));
        }
    };
    let request = match form.get("grant_type") {
        Some("authorization_code") => Request::read(&form),
        Some(_) => Err(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "grant_type is authorization_code",
        )),
        None => Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "grant_type is missing or came twice",
        )),
    };
    match request {
        Ok(request) => authorization_code::redeem(context, keyring, &client, &request).await,
        Err(error) => Ok(Outcome::refused(error, Committed::Nothing)),
    }
}

