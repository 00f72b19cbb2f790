//! Why something of a provider is not taken: one cause for each, to be read by an operator.
//!
//! Must never hold what a person is, nor a secret: causes are logged and shown to administrators. Of what a provider wrote,
//! only an error code is repeated, and only where it has the form of one.

use std::fmt;

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// The discovery document.
    Discovery,
    /// The key set.
    Keys,
    /// What the browser brought back.
    Callback,
    /// The answer of the token endpoint.
    Tokens,
    /// The ID Token.
    IdToken,
    /// The answer of the userinfo endpoint.
    Userinfo,
    /// A logout token.
    LogoutToken,
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Keys => "key set",
            Self::Callback => "authorization response",
            Self::Tokens => "token response",
            Self::IdToken => "ID Token",
            Self::Userinfo => "userinfo",
            Self::LogoutToken => "logout token",
        })
    }
}

/// Why it is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// What an operator declared cannot be used.
    #[error("declaration: {0}")]
    Declaration(&'static str),
    /// What we were about to send is not fit to be sent.
    #[error("request: {0}")]
    Request(&'static str),
    /// An endpoint of the provider does not answer.
    #[error("the {0} of the provider does not answer")]
    Unreachable(&'static str),
    /// The provider publishes no such endpoint, and one is due.
    #[error("the provider has no {0}")]
    NoEndpoint(&'static str),
    /// An address that is not `https` (`http` on the loopback), or holds what it must not.
    #[error("{0} is not an https address without user and fragment")]
    Address(&'static str),
    /// A redirect where an answer is due: what we sent may hold our secret, so it goes nowhere else.
    #[error("{0}: a redirect came instead of an answer; it is not followed")]
    Redirected(Of),
    /// Another status than 200.
    #[error("{of}: HTTP status {status}")]
    Status {
        /// What was asked for.
        of: Of,
        /// What came.
        status: u16,
    },
    /// Another content type than the one that is due.
    #[error("{of}: the content type is not {due}")]
    ContentType {
        /// What was asked for.
        of: Of,
        /// What is due.
        due: &'static str,
    },
    /// More than is read.
    #[error("{0}: too long")]
    TooLong(Of),
    /// Not what it should be.
    #[error("{of}: {what}")]
    Malformed {
        /// What it is about.
        of: Of,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The provider says that it failed (RFC 6749 §4.1.2.1, §5.2).
    #[error("{of}: the provider answered {error}")]
    Answered {
        /// Where.
        of: Of,
        /// Its error code.
        error: String,
    },
    /// A parameter came more than once (RFC 6749 §3.1).
    #[error("authorization response: {0} came more than once")]
    Repeated(&'static str),
    /// It names another issuer than the one that was asked.
    #[error("{0}: another issuer than the one that was asked")]
    Issuer(Of),
    /// It must name its issuer and does not.
    #[error("{0}: the issuer is missing")]
    IssuerMissing(Of),
    /// A key set with no key that could sign.
    #[error("key set: no key that signs with RS256, PS256 or ES256")]
    NoUsableKey,
    /// A key set that holds what nobody else may know.
    #[error("key set: a private or symmetric key was made public")]
    PrivateKey,
    /// The provider signs with nothing that is taken here.
    #[error("discovery document: ID Tokens are signed with neither RS256, PS256 nor ES256")]
    NoUsableAlgorithm,
    /// An encrypted token.
    #[error("{0}: encrypted, which is not read here")]
    Encrypted(Of),
    /// An algorithm that is not allowed, or not the one of the key that is named.
    #[error("{0}: an algorithm that is not allowed, or not of this key")]
    Algorithm(Of),
    /// Signed with a key that is not in the key set: perhaps a new one.
    #[error("{0}: signed with a key that is not in the key set")]
    UnknownKey(Of),
    /// The signature is wrong.
    #[error("{0}: wrong signature")]
    Signature(Of),
    /// Not for us.
    #[error("{0}: not for this client (aud)")]
    Audience(Of),
    /// Made for somebody else.
    #[error("{0}: another authorized party than this client (azp)")]
    AuthorizedParty(Of),
    /// Its time is over.
    #[error("{0}: expired")]
    Expired(Of),
    /// Its time has not come; a clock may be wrong.
    #[error("{0}: not valid yet (iat, nbf)")]
    NotYetValid(Of),
    /// Not the answer to this request.
    #[error("ID Token: another nonce than the one that was sent")]
    Nonce,
    /// It belongs to another access token.
    #[error("ID Token: at_hash is not of the access token")]
    AccessTokenHash,
    /// Not one of the levels that are required.
    #[error("ID Token: acr is none of those that are required")]
    Acr,
    /// A new login was asked for and an old one came.
    #[error("ID Token: a login from before the new one that was asked for (auth_time)")]
    OldLogin,
    /// Userinfo is about somebody else.
    #[error("userinfo: about another person than the ID Token (sub)")]
    OtherSubject,
    /// No event of back-channel logout.
    #[error("logout token: the event is missing")]
    NoEvent,
    /// An ID Token, perhaps.
    #[error("logout token: has a nonce")]
    HasNonce,
    /// It says neither whose login ended nor which.
    #[error("logout token: neither sub nor sid")]
    Nobody,
}

impl Rejected {
    /// Whether fresh keys may help: the same answer can be read again with them. How often they are fetched for this is
    /// for the caller to limit, for anybody can name a key that there is not.
    pub const fn wants_keys(&self) -> bool {
        matches!(self, Self::UnknownKey(_))
    }

    /// Whether the person themselves said no, or was not to be asked and is not signed in (RFC 6749 §4.1.2.1, Core §3.1.2.6):
    /// nothing is wrong with the provider.
    pub fn is_of_person(&self) -> bool {
        let said = ["access_denied", "login_required", "interaction_required"];
        matches!(self, Self::Answered { of: Of::Callback, error } if said.contains(&error.as_str()))
    }

    pub(super) const fn malformed(of: Of, what: &'static str) -> Self {
        Self::Malformed { of, what }
    }

    /// An error code of a provider: of a text that has not the form of one nothing is kept.
    pub(super) fn answered(of: Of, error: &str) -> Self {
        let symbol = |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'_' | b'-' | b'.');
        let is_code = (1..=64).contains(&error.len()) && error.bytes().all(symbol);
        let error = if is_code { error } else { "an unreadable error" }.to_owned();
        Self::Answered { of, error }
    }
}
