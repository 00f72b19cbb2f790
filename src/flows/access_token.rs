//! Access tokens as flows meet them: what one is asked for, writing one, and finding what one leads to.
//!
//! A token is kept by the digest of a *reference*: the token itself where it means nothing by itself, else its `jti`, a
//! random text of the same strength that only somebody who has seen the token knows. So a signed token is written after
//! its transaction, and found, revoked and introspected as any other; one whose key has been forgotten is not found.

use serde_json::Value;

use super::keys::Keyring;
use super::{Context, Failure};
use crate::base::secret::{Digest, Secret};
use crate::base::time::Timestamp;
use crate::domain::grant::{Scopes, TokenUse};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId, SigningAlgorithm};
use crate::domain::resource_server::{Audience, ResourceServer, TokenFormat};
use crate::domain::service_token::ServiceToken;
use crate::jose::{self, Algorithm};
use crate::oauth::access_token::{Description, JTI_PREFIX, OPAQUE_PREFIX};
use crate::oauth::bearer;
use crate::oauth::error::OAuthError;
use crate::oauth::resource;
use crate::store;
use crate::store::db::Conn;

/// Where a token is good: at a resource server, or (`None`) at this provider.
#[derive(Debug, Clone)]
pub(super) struct Target(Option<ResourceServer>);

impl Target {
    /// The target of that name.
    ///
    /// # Errors
    /// [`Failure`]; inside, `invalid_target` for a resource server that is unknown or not in use.
    pub(super) async fn of(
        context: &Context,
        audience: Option<Audience>,
    ) -> Result<Result<Self, OAuthError>, Failure> {
        let Some(audience) = audience else {
            return Ok(Ok(Self(None)));
        };
        let mut conn = context.db.reader().await?;
        let found = store::resource_server::find(&mut conn, audience.as_str()).await?;
        Ok(match found.filter(|server| server.enabled) {
            Some(server) => Ok(Self(Some(server))),
            None => Err(resource::UNKNOWN),
        })
    }

    /// The resource server, where there is one.
    pub(super) fn server(&self) -> Option<&ResourceServer> {
        self.0.as_ref()
    }

    /// What it is called, where it is not this provider.
    pub(super) fn audience(&self) -> Option<&Audience> {
        self.0.as_ref().map(|server| &server.audience)
    }

    /// What of some scopes means something there.
    pub(super) fn narrow(&self, scopes: &Scopes) -> Scopes {
        match &self.0 {
            None => scopes.clone().only_ours(),
            Some(server) => scopes.clone().only_foreign().known_to(server),
        }
    }
}

/// An access token that is being made.
pub(super) struct Draft {
    reference: Secret,
    signed: Option<SigningAlgorithm>,
}

impl Draft {
    /// A new one, in the format that its target wants.
    pub(super) fn new(context: &Context, target: &Target) -> Self {
        let signed = target
            .server()
            .filter(|server| server.token_format == TokenFormat::AtJwt)
            .map(|server| server.token_alg);
        let prefix = if signed.is_some() {
            JTI_PREFIX
        } else {
            OPAQUE_PREFIX
        };
        Self {
            reference: Secret::generate(prefix, &*context.random),
            signed,
        }
    }

    /// What it is kept by.
    pub(super) fn digest(&self) -> Digest {
        self.reference.digest()
    }

    /// The token, once it is kept.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn write(
        self,
        context: &Context,
        keyring: &Keyring,
        description: &Description<'_>,
    ) -> Result<Secret, Failure> {
        let Some(algorithm) = self.signed else {
            return Ok(self.reference);
        };
        let claims = description.claims(&context.settings.public_url, self.reference.expose());
        let kind = jose::Kind::AccessToken;
        Ok(Secret::new(keyring.sign(context, algorithm, kind, claims).await?))
    }
}

/// What a token turned out to be.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// Of a grant: about a person.
    Person(Box<TokenUse>),
    /// Of a service in its own name.
    Service(ServiceToken),
}

impl Held {
    /// Whose it is.
    pub(super) fn client(&self) -> &RelyingPartyId {
        match self {
            Self::Person(token) => &token.grant.client,
            Self::Service(token) => &token.client,
        }
    }

    /// The resource server it is for, where it is not this provider.
    pub(super) fn audience(&self) -> Option<&str> {
        match self {
            Self::Person(token) => token.audience.as_deref(),
            Self::Service(token) => token.audience.as_ref().map(Audience::as_str),
        }
    }

    /// Whether it is good at this moment, as far as it knows itself: whether its client and its resource server still are
    /// in use is for [`usable`] to see.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        match self {
            Self::Person(token) => bearer::is_good(token, now),
            Self::Service(token) => token.is_good(now),
        }
    }
}

/// The digest a token is kept by; `None` for what cannot be one of ours.
///
/// # Errors
/// [`Failure`].
pub(super) async fn digest(
    context: &Context,
    keyring: &Keyring,
    token: &Secret,
) -> Result<Option<Digest>, Failure> {
    if token.expose().starts_with(OPAQUE_PREFIX) {
        return Ok(Some(token.digest()));
    }
    if !token.expose().contains('.') {
        return Ok(None);
    }
    let keys = keyring.published(context).await?;
    // Whatever is wrong with what a stranger sends, it is not a failure of ours.
    let verified = jose::verify(token.expose(), &keys, Algorithm::ALL, jose::Kind::AccessToken).ok();
    let jti = verified.and_then(|claims| claims.get("jti").and_then(Value::as_str).map(Secret::new));
    Ok(jti
        .filter(|jti| jti.expose().starts_with(JTI_PREFIX))
        .map(|jti| jti.digest()))
}

/// What is kept by a digest, good or not.
///
/// # Errors
/// [`Failure`].
pub(super) async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<Held>, Failure> {
    if let Some(token) = store::grant::token_use(conn, digest).await? {
        return Ok(Some(Held::Person(Box::new(token))));
    }
    let found = store::service_token::find(conn, digest).await?;
    Ok(found.map(Held::Service))
}

/// A token that is good now, with everything in use that it needs.
#[derive(Debug, Clone)]
pub(super) struct Usable {
    /// The token.
    pub(super) held: Held,
    /// Whose it is.
    pub(super) party: RelyingParty,
    /// Where it is good, where that is not this provider.
    pub(super) server: Option<ResourceServer>,
}

/// Looks at everything a token rests on as it stands at this moment; `None` where one thing is not right (any more).
///
/// # Errors
/// [`Failure`].
pub(super) async fn usable(
    conn: &mut Conn,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Usable>, Failure> {
    let Some(held) = find(conn, digest).await?.filter(|held| held.is_good(now)) else {
        return Ok(None);
    };
    let party = store::relying_party::find(conn, held.client()).await?;
    let Some(party) = party.filter(|party| party.enabled) else {
        return Ok(None);
    };
    let server = match held.audience() {
        None => None,
        Some(audience) => match store::resource_server::find(conn, audience).await? {
            Some(server) if server.enabled => Some(server),
            _ => return Ok(None),
        },
    };
    Ok(Some(Usable { held, party, server }))
}
