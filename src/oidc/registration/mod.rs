//! What a project may register by itself (RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0): one ordered
//! list of checks turns a request and a policy into a relying party, or into one error that names the member.
//!
//! Every address is on a host of the policy, everything the policy decides is the policy's, members that nobody here
//! knows are ignored and never echoed. [`coherence`] is what any client is held to, declared ones included.

pub mod coherence;
pub mod document;
pub mod keys;
pub mod request;
pub mod sector;

mod address;
mod algorithms;
mod grants;
mod logout;
mod program;
mod proof;

use crate::domain::registration::Policy;
use crate::domain::relying_party::{
    Basis, ClientAuthMethod, ClientMetadata, ReleasePolicy, RelyingParty, RelyingPartyId, SigningAlgorithm,
    SubjectStrategy,
};
use crate::oauth::error::ErrorCode;
pub use request::Request;

/// Why nothing is registered: read by developers, in ASCII, never with what the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RegistrationError {
    /// The member that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
    /// Whether it is the policy that says no: the request would be right elsewhere.
    pub is_limit: bool,
}

impl RegistrationError {
    /// A member that is wrong by itself.
    pub const fn wrong(field: &'static str, reason: &'static str) -> Self {
        let is_limit = false;
        Self {
            field,
            reason,
            is_limit,
        }
    }

    /// A member that the policy does not allow.
    pub const fn limit(field: &'static str, reason: &'static str) -> Self {
        let is_limit = true;
        Self {
            field,
            reason,
            is_limit,
        }
    }

    /// The code that is sent (RFC 7591 §3.2.2).
    pub fn code(&self) -> ErrorCode {
        if self.field == address::REDIRECT_URIS {
            ErrorCode::InvalidRedirectUri
        } else {
            ErrorCode::InvalidClientMetadata
        }
    }
}

/// One step: reads its members of the request into the party.
type Check = fn(&Request, &Policy, &mut RelyingParty) -> Result<(), RegistrationError>;

/// The steps, in order: later ones look at what earlier ones settled.
const CHECKS: &[Check] = &[
    program::check,
    grants::check,
    address::check,
    proof::check,
    algorithms::check,
    grants::check_requests,
    program::check_pages,
    logout::check,
    sector::check,
];

/// The party that a request makes under a policy. Its secrets, its registration, and what the address in
/// [`ClientMetadata::sector_identifier_uri`] lists ([`sector::check_list`]) are left to the caller.
///
/// # Errors
/// The first [`RegistrationError`].
pub fn check(
    request: &Request,
    policy: &Policy,
    id: RelyingPartyId,
) -> Result<RelyingParty, RegistrationError> {
    let mut party = blank(id);
    for step in CHECKS {
        step(request, policy, &mut party)?;
    }
    policy.dress(&mut party);
    coherence::check(&party)?;
    Ok(party)
}

/// A party with the defaults of OpenID Connect Dynamic Registration §2.
fn blank(id: RelyingPartyId) -> RelyingParty {
    RelyingParty {
        sector: id.to_string(),
        name: id.to_string(),
        id,
        home: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: Vec::new(),
        pkce_required: true,
        id_token_alg: SigningAlgorithm::Rs256,
        release: ReleasePolicy::default(),
        schools: Vec::new(),
        basis: Basis::default(),
        metadata: ClientMetadata::default(),
        saml: None,
        cas: None,
        populations: Vec::new(),
        registration: None,
        enabled: true,
    }
}

/// Checks a change of a registration (RFC 7592 §2.2): the whole metadata again, for the same client, which keeps its
/// identifiers of people.
///
/// # Errors
/// The first [`RegistrationError`].
pub fn check_change(
    request: &Request,
    policy: &Policy,
    before: &RelyingParty,
) -> Result<RelyingParty, RegistrationError> {
    if request.text("client_id")? != Some(before.id.as_str()) {
        return Err(RegistrationError::wrong(
            "client_id",
            "must be the one that is changed",
        ));
    }
    // RFC 7592 §2.2: "The client MUST NOT include" these.
    for field in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if request.raw(field).is_some() {
            return Err(RegistrationError::wrong(field, "must not be sent"));
        }
    }
    let party = check(request, policy, before.id.clone())?;
    // Design §2.2: the identifier that a party got for a person never changes.
    if (&party.sector, party.subject_strategy) != (&before.sector, before.subject_strategy) {
        let reason = "would change what people are called: register another client";
        return Err(RegistrationError::wrong("subject_type", reason));
    }
    Ok(party)
}
