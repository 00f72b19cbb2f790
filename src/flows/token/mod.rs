//! The token endpoint (RFC 6749 §3.2): who asks is settled first, then the grant does its own part; what is issued is
//! kept as digests only.
//!
//! Each grant has its file here, whose table says what a request leaves behind. It brings what it is decided on, the
//! client included, by one read ([`crate::store::grant::redemption`] of a code), and writes in one transaction. What all
//! share is here: reading the request, proving the client, whether it may use the grant at all, and issuing.

use std::time::Duration;

use super::access_token::{Draft, Target};
use super::introspection::REFRESH_TOKEN_PREFIX;
use super::keys::Keyring;
use super::{Context, Failure, client_authentication, dpop, id_token};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::{Grant, RefreshToken, Scope, Scopes};
use crate::domain::relying_party::{GrantType, RelyingParty, RelyingPartyId};
use crate::domain::resource_server::Audience;
use crate::oauth::access_token::Description;
use crate::oauth::client_auth::{AuthenticatedClient, NOBODY, Presented};
use crate::oauth::dpop::{MISSING, Proved, Shown};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::resource;
use crate::store;
use crate::store::audit::Head;
use crate::store::db::Tx;

mod authorization_code;
mod client_credentials;
mod refresh;

#[cfg(test)]
mod tests;

/// The parameters that are known here. RFC 6749 §3.2: they "MUST NOT be included more than once".
const PARAMETERS: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
];

/// What a client is given.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Opaque, or a JWT, as the resource server wants it.
    pub access_token: Secret,
    /// How long it is good.
    pub expires_in: Duration,
    /// To be exchanged for the next tokens.
    pub refresh_token: Option<Secret>,
    /// The ID Token, where somebody signed in.
    pub id_token: Option<Secret>,
    /// What the access token is good for, as a list.
    pub scope: String,
    /// Whether the access token is bound to a key (RFC 9449 §5); if not, it is a bearer token.
    pub is_bound: bool,
}

/// What a request left behind, whatever was replied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Nothing.
    Nothing,
    /// An entry of the journal: the client was refused.
    ClientRefused,
    /// An entry of the journal: the client is right, what it showed is not.
    GrantRefused,
    /// The code is spent; nothing was issued.
    CodeSpent,
    /// The grant and everything that came of it are revoked.
    FamilyRevoked,
    /// Tokens were issued; what was shown for them is spent.
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

/// A request on its way through the endpoint.
struct Call<'a> {
    context: &'a Context,
    keyring: &'a Keyring,
    form: &'a Parameters,
    presented: Presented,
    /// Who it says it is; not believed before [`Call::client`].
    client_id: RelyingPartyId,
    /// What it shows as proof that it holds a key; not believed before [`Call::client`] either.
    dpop: Shown<'a>,
    now: Timestamp,
}

/// Who asks, once that is proved.
struct Caller {
    client: AuthenticatedClient,
    /// The key that the request proves to hold (RFC 9449 §4), where it proves one. [`Call::begin`] takes the proof.
    proof: Option<Proved>,
}

impl Caller {
    fn party(&self) -> &RelyingParty {
        self.client.party()
    }

    /// The thumbprint of the key.
    fn jkt(&self) -> Option<&str> {
        self.proof.as_ref().map(|proof| proof.jkt.as_str())
    }

    /// RFC 9449 §5: of a client that can prove who it is, only the access token is bound; it may change its key.
    fn key_of_refresh_token(&self) -> Option<String> {
        self.jkt().filter(|_| self.party().is_public()).map(str::to_owned)
    }
}

impl Call<'_> {
    /// The client, once it has proved who it is, may use the grant, and has shown a key where it must.
    async fn client(
        &self,
        party: Option<RelyingParty>,
        grant: GrantType,
    ) -> Result<Result<Caller, Outcome>, Failure> {
        let client = match prove(self.context, &self.presented, party).await? {
            Ok(client) => client,
            Err(outcome) => return Ok(Err(outcome)),
        };
        let refused = |error| Ok(Err(Outcome::refused(error, Committed::Nothing)));
        let party = client.party();
        if !party.metadata.grant_types.contains(&grant) {
            return refused(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "the client may not use this grant_type",
            ));
        }
        match dpop::check(self.context, self.dpop, dpop::Asked::post("/oauth/token"), party)? {
            Ok(None) if party.metadata.must_bind() => refused(MISSING),
            Ok(proof) => Ok(Ok(Caller { client, proof })),
            Err(error) => refused(error),
        }
    }

    /// Begins whatever a request leaves behind: its proof of possession is taken first, so that one that comes again
    /// changes nothing, and revokes nothing.
    async fn begin(&self, caller: &Caller) -> Result<Result<Tx, Outcome>, Failure> {
        let mut tx = self.context.db.begin().await?;
        if let Some(proof) = &caller.proof
            && let Err(error) = dpop::claim(&mut tx, proof).await?
        {
            return Ok(Err(Outcome::refused(error, Committed::Nothing)));
        }
        Ok(Ok(tx))
    }

    /// An error that needs no look at what the request shows; still, only an authenticated client is told of it.
    async fn refuse(&self, error: OAuthError) -> Result<Outcome, Failure> {
        let party = {
            let mut conn = self.context.db.reader().await?;
            store::relying_party::find(&mut conn, &self.client_id).await?
        };
        let proved = prove(self.context, &self.presented, party).await?;
        Ok(proved.map_or_else(|outcome| outcome, |_| Outcome::refused(error, Committed::Nothing)))
    }

    /// Where a token that comes of a grant is to be good (RFC 8707 §2.2).
    async fn target(
        &self,
        party: &RelyingParty,
        grant: &Grant,
    ) -> Result<Result<Target, OAuthError>, Failure> {
        let issuer = &self.context.settings.public_url;
        match resource::of_grant(self.form, party, grant.resource.as_ref(), issuer) {
            Ok(audience) => Target::of(self.context, audience).await,
            Err(error) => Ok(Err(error)),
        }
    }

    /// An entry of the journal in the client's name.
    fn event(kind: Kind, caller: &Caller, grant: &Grant) -> Event {
        Event::new(kind, Actor::RelyingParty(caller.party().id.to_string())).about(grant.id)
    }
}

async fn prove(
    context: &Context,
    presented: &Presented,
    party: Option<RelyingParty>,
) -> Result<Result<AuthenticatedClient, Outcome>, Failure> {
    let proved = client_authentication::prove(context, presented, party).await?;
    Ok(proved.map_err(|refused| {
        let committed = if refused.journalled {
            Committed::ClientRefused
        } else {
            Committed::Nothing
        };
        Outcome::refused(refused.error, committed)
    }))
}

/// Answers a token request: the value of its `Authorization` header, its proof of possession, and its form.
///
/// # Errors
/// [`Failure`].
pub async fn exchange(
    context: &Context,
    keyring: &Keyring,
    authorization: Option<&str>,
    dpop: Shown<'_>,
    form: &str,
) -> Result<Outcome, Failure> {
    let invalid = |description| {
        let error = OAuthError::new(ErrorCode::InvalidRequest, description);
        Ok(Outcome::refused(error, Committed::Nothing))
    };
    let Ok(form) = Parameters::read(form) else {
        return invalid("the request is too long");
    };
    if form.first_repeated(PARAMETERS).is_some() {
        return invalid("a parameter came twice");
    }
    let presented = match Presented::read(authorization, &form) {
        Ok(presented) => presented,
        Err(error) => return Ok(Outcome::refused(error, Committed::Nothing)),
    };
    // What cannot be an id is nobody's, and is not looked up: a database need not be able to read it.
    let Ok(client_id) = presented.client_id.parse() else {
        return Ok(Outcome::refused(NOBODY, Committed::Nothing));
    };
    let call = Call {
        context,
        keyring,
        form: &form,
        presented,
        client_id,
        dpop,
        now: context.now(),
    };
    match form.get("grant_type").map(str::parse) {
        Some(Ok(GrantType::AuthorizationCode)) => authorization_code::redeem(&call).await,
        Some(Ok(GrantType::RefreshToken)) => refresh::renew(&call).await,
        Some(Ok(GrantType::ClientCredentials)) => client_credentials::serve(&call).await,
        Some(Err(_)) => {
            let known = "grant_type is authorization_code, refresh_token or client_credentials";
            call.refuse(OAuthError::new(ErrorCode::UnsupportedGrantType, known))
                .await
        }
        None => {
            let missing = "grant_type is missing";
            call.refuse(OAuthError::new(ErrorCode::InvalidRequest, missing))
                .await
        }
    }
}

/// Which refresh token goes with the access token.
enum Refresh {
    /// None.
    None,
    /// A new one, of which this will be kept.
    New(RefreshToken),
    /// The one that was shown.
    Same(Secret),
}

/// What a grant has decided to issue.
struct Issue<'a> {
    caller: &'a Caller,
    grant: &'a Grant,
    /// What of the grant is made use of: all of it, or less.
    scopes: &'a Scopes,
    /// Where the access token is good.
    target: Target,
    /// The person, as the client knows them.
    subject: &'a str,
    refresh: Refresh,
    /// What the journal calls it.
    kind: Kind,
    journal: Option<&'a Head>,
}

/// Keeps what is issued, journals it and commits `tx`, in which the gate of the grant was passed.
async fn issue(call: &Call<'_>, mut tx: Tx, what: Issue<'_>) -> Result<Outcome, Failure> {
    let (context, now, grant) = (call.context, call.now, what.grant);
    let (party, jkt) = (what.caller.party(), what.caller.jkt());
    let draft = Draft::new(context, &what.target);
    let expires_in = context.settings.access_token_lifetime;
    let scopes = what.target.narrow(what.scopes);
    let kept = store::grant::AccessToken {
        digest: &draft.digest(),
        grant: grant.id,
        issued_at: now,
        expires_at: now.plus(expires_in),
        scopes: Some(&scopes).filter(|scopes| **scopes != grant.scopes),
        audience: what.target.audience().map(Audience::as_str),
        jkt,
    };
    store::grant::add_token(&mut tx, &kept).await?;
    let refresh_token = match what.refresh {
        Refresh::None => None,
        Refresh::Same(token) => Some(token),
        Refresh::New(kept) => {
            let token = Secret::generate(REFRESH_TOKEN_PREFIX, &*context.random);
            store::refresh_token::add(&mut tx, grant.id, &token.digest(), &kept).await?;
            Some(token)
        }
    };
    // Last of all, so that the lane of the journal is nobody else's for as short as can be.
    let event = Call::event(what.kind, what.caller, grant);
    store::audit::append_after(&mut tx, now, &event, what.journal).await?;
    tx.commit().await?;
    // Signed after the commit: an RSA signature would keep SQLite's one writer waiting.
    let description = Description {
        client: &grant.client,
        subject: what.subject,
        scopes: &scopes,
        audience: kept.audience,
        jkt,
        issued_at: Some(now),
        expires_at: kept.expires_at,
        login: Some((grant.acr, grant.authenticated_at)),
    };
    let access_token = draft.write(context, call.keyring, &description).await?;
    let id_token = if what.scopes.contains(Scope::OpenId) {
        let said = id_token::Said {
            subject: what.subject,
            access_token: &access_token,
            attributes: id_token::attributes(context, party, grant).await?,
        };
        Some(id_token::issue(context, call.keyring, party, grant, said, now).await?)
    } else {
        None
    };
    let tokens = Tokens {
        access_token,
        expires_in,
        refresh_token,
        id_token,
        scope: scopes.to_string(),
        is_bound: jkt.is_some(),
    };
    Ok(Outcome {
        reply: Ok(tokens),
        committed: Committed::Issued,
    })
}
