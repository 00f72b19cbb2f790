//! Logout: asked for by a relying party (RP-Initiated Logout 1.0: at once where it proves that it means this very login,
//! else after the person has said yes), or by the person ([`sign_out`]); what the browser then tells the parties
//! ([`farewell`], Front-Channel Logout 1.0); and what became of telling those that are told behind it ([`results`]).

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::keys::Keyring;
use super::session::{Ended, SignedIn};
use super::{Context, Failure, id_token, saml, session, subject};
use crate::base::id::SessionId;
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::audit::Actor;
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::oauth::parameters::Parameters;
use crate::oidc::id_token::Hint;
use crate::oidc::logout::{Known, Request, frame, is_proved};
use crate::store;
pub use crate::store::logout_delivery::{Delivery, Status};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person is asked.
    Confirm {
        /// To be sent back to [`confirm`] with their yes: sealed, and good for this login only.
        confirmation: String,
        /// The name of the service that asked, where it is known.
        service: Option<String>,
        /// The origin the person will be sent to in the end.
        origin: Option<String>,
    },
    /// Nobody is signed in on this browser (any more).
    Done {
        /// Where the person goes: an address registered for the party.
        destination: Option<String>,
        /// The name of the service that asked, where it is known.
        service: Option<String>,
        /// What the browser has to do before; nothing where nobody had been signed in.
        farewell: Farewell,
    },
    /// The request makes no sense.
    Malformed,
}

/// What is left to do and to say when a login has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Farewell {
    /// Addresses of services that the browser visits, each in a frame, so that they forget it.
    pub frames: Vec<String>,
    /// The services that are asked in a frame, and answer there.
    pub asked: Vec<AskedParty>,
    /// The names of the services that are told, by a frame or behind the browser.
    pub closed: Vec<String>,
    /// The names of the services that have no way to be told: the person closes them.
    pub still_open: Vec<String>,
    /// The login that ended here, where it came from another provider: it is ended there too.
    pub came_by: Option<SessionId>,
}

/// A service that is asked, in a frame, to end a login too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedParty {
    /// Its name.
    pub name: String,
    /// The address of ours that the frame begins at.
    pub frame: String,
    /// The origin that it leads to.
    pub origin: String,
}

/// What the browser tells and the person reads when a login has ended (Front-Channel Logout §2, saml-profiles §4.4.3.3).
///
/// # Errors
/// [`Failure`].
pub async fn farewell(context: &Context, ended: Ended) -> Result<Farewell, Failure> {
    farewell_of_others(context, ended, None).await
}

/// The same, where one of the parties asked for it, and knows. Of SAML service providers something is read, and whether the
/// login came from another provider: all else that it needs came with the end.
///
/// # Errors
/// [`Failure`].
pub(super) async fn farewell_of_others(
    context: &Context,
    ended: Ended,
    asker: Option<&RelyingPartyId>,
) -> Result<Farewell, Failure> {
    let mut farewell = Farewell::default();
    if let Some(session) = ended.session {
        let mut conn = context.db.reader().await?;
        let came = store::upstream_link::login(&mut conn, session).await?;
        farewell.came_by = came.map(|_| session);
    }
    let others = ended.participants.into_iter();
    for party in others.filter(|party| Some(&party.client) != asker) {
        if let Some(asked) = saml::slo::participant::frame(context, &party).await? {
            farewell.asked.push(asked);
            continue;
        }
        let sid = id_token::sid(context, party.session, &party.client)?;
        let is_told = party.is_told();
        let frame = party
            .frontchannel
            .and_then(|address| frame(&address, &context.settings.public_url, &sid));
        if is_told || frame.is_some() {
            farewell.closed.push(party.name);
        } else {
            farewell.still_open.push(party.name);
        }
        farewell.frames.extend(frame);
    }
    Ok(farewell)
}

/// What a yes is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Pending {
    session: String,
    destination: Option<String>,
    service: Option<String>,
}

const CONTEXT: &str = "logout confirmation";
/// Longer than any we make.
const LIMIT: usize = 16 * 1024;

impl Pending {
    fn seal(&self, context: &Context) -> Result<String, Failure> {
        let plain = serde_json::to_vec(self).map_err(|error| Failure::Task(error.to_string()))?;
        Ok(BASE64URL_NOPAD.encode(&context.vault.seal(CONTEXT, &plain, &*context.random)?))
    }

    fn open(context: &Context, sealed: &str) -> Option<Self> {
        let bytes = Some(sealed).filter(|sealed| sealed.len() <= LIMIT)?;
        let bytes = BASE64URL_NOPAD.decode(bytes.as_bytes()).ok()?;
        serde_json::from_slice(&context.vault.open(CONTEXT, &bytes).ok()?).ok()
    }

    fn ask(self, context: &Context) -> Result<Outcome, Failure> {
        let confirmation = self.seal(context)?;
        Ok(Outcome::Confirm {
            confirmation,
            origin: self.destination.as_deref().and_then(url::origin),
            service: self.service,
        })
    }
}

/// Answers a logout request as it came, a query.
///
/// # Errors
/// [`Failure`].
pub async fn request(
    context: &Context,
    keyring: &Keyring,
    query: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    let Some(request) = Parameters::read(query)
        .ok()
        .and_then(|read| Request::read(&read).ok())
    else {
        return Ok(Outcome::Malformed);
    };
    let hint = match &request.id_token_hint {
        Some(token) => id_token::hint(context, keyring, token).await?,
        None => None,
    };
    let party = party_of(context, &request, hint.as_ref()).await?;
    let destination = request.destination(party.as_ref());
    let service = party.as_ref().map(|party| party.name.clone());
    let Some(signed_in) = signed_in(context, cookie).await? else {
        return Ok(Outcome::Done {
            destination,
            service,
            farewell: Farewell::default(),
        });
    };
    if let Some(party) = &party
        && is_proved(&request, hint.as_ref(), &known(context, party, &signed_in).await?)
    {
        let actor = Actor::RelyingParty(party.id.to_string());
        let farewell = end(context, &signed_in, actor, "relying party asked").await?;
        return Ok(Outcome::Done {
            destination,
            service,
            farewell,
        });
    }
    let pending = Pending {
        session: signed_in.session.id.to_string(),
        destination,
        service,
    };
    pending.ask(context)
}

/// The person's yes to what [`request`] asked. It ends the login it was asked about and no other: whoever has signed in
/// since is asked anew.
///
/// # Errors
/// [`Failure`].
pub async fn confirm(
    context: &Context,
    confirmation: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    let pending = Pending::open(context, confirmation);
    let asked_about = pending.as_ref().map(|pending| pending.session.clone());
    let pending = pending.unwrap_or_default();
    let Pending {
        destination, service, ..
    } = pending;
    let Some(signed_in) = signed_in(context, cookie).await? else {
        return Ok(Outcome::Done {
            destination,
            service,
            farewell: Farewell::default(),
        });
    };
    let session = signed_in.session.id.to_string();
    if asked_about.as_ref() != Some(&session) {
        let pending = Pending {
            session,
            destination,
            service,
        };
        return pending.ask(context);
    }
    let actor = Actor::Identity(signed_in.identity.id);
    let farewell = end(context, &signed_in, actor, "signed out").await?;
    Ok(Outcome::Done {
        destination,
        service,
        farewell,
    })
}

/// The person says that they are done: ends the session of a cookie.
///
/// # Errors
/// [`Failure`].
pub async fn sign_out(context: &Context, cookie: Option<&Secret>) -> Result<Farewell, Failure> {
    match signed_in(context, cookie).await? {
        Some(signed_in) => {
            let actor = Actor::Identity(signed_in.identity.id);
            end(context, &signed_in, actor, "signed out").await
        }
        None => Ok(Farewell::default()),
    }
}

/// What became of telling each party of a login that was ended, and takes logout tokens.
///
/// # Errors
/// [`Failure`].
pub async fn results(context: &Context, session: SessionId) -> Result<Vec<Delivery>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::logout_delivery::of_session(&mut conn, session).await?)
}

pub(super) async fn signed_in(
    context: &Context,
    cookie: Option<&Secret>,
) -> Result<Option<SignedIn>, Failure> {
    match cookie {
        Some(cookie) => session::find(context, cookie).await,
        None => Ok(None),
    }
}

async fn party_of(
    context: &Context,
    request: &Request,
    hint: Option<&Hint>,
) -> Result<Option<RelyingParty>, Failure> {
    match request.client(hint).map(str::parse) {
        Some(Ok(id)) => {
            let mut conn = context.db.reader().await?;
            Ok(store::relying_party::find(&mut conn, &id).await?)
        }
        _ => Ok(None),
    }
}

/// The login of the browser as the party knows it.
async fn known(context: &Context, party: &RelyingParty, signed_in: &SignedIn) -> Result<Known, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(Known {
        subject: subject::known(&mut conn, party, signed_in.identity.id).await?,
        sid: id_token::sid(context, signed_in.session.id, &party.id)?,
    })
}

pub(super) async fn end(
    context: &Context,
    signed_in: &SignedIn,
    actor: Actor,
    reason: &'static str,
) -> Result<Farewell, Failure> {
    let mut tx = context.db.begin().await?;
    // Two clicks at once: the second finds nothing left to end.
    let ended = session::end(&mut tx, signed_in.session.id, context.now(), actor, reason).await?;
    tx.commit().await?;
    let ended = ended.unwrap_or_default();
    if ended.is_to_be_delivered() {
        context.logout_bell.notify_one();
    }
    farewell(context, ended).await
}
