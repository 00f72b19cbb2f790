//! Links between people and their logins at providers: proved once by the person, listed, taken apart, bound anew.

use super::settle::{Browser, ToProve, bind, sign_in};
use super::{Context, Failure, Outcome, child, open_provider, rights, saml};
use crate::base::id::{IdentityId, UpstreamLinkId};
use crate::base::secret::equal;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::upstream::{Binding, Link, LinkEnd, ProviderId};
use crate::flows::continuation::{Continuation, Protocol};
use crate::flows::session;
use crate::store;
use crate::store::db::Tx;
use crate::upstream::Introduction;
use crate::upstream::linking::contradicts_identity;

/// The person has signed in as before: what they came with is bound to them.
///
/// # Errors
/// [`Failure`].
pub async fn prove(context: &Context, sealed: &str, cookies: saml::Cookies<'_>) -> Result<Outcome, Failure> {
    let now = context.now();
    let waiting = Continuation::open(context, sealed)
        .filter(|waiting| waiting.protocol == Protocol::Link && waiting.is_fresh(now));
    let Some(waiting) = waiting else {
        return Ok(Outcome::NotBelieved);
    };
    let Ok(to_prove) = serde_json::from_str::<ToProve>(&waiting.query) else {
        return Ok(Outcome::NotBelieved);
    };
    let Ok(id) = to_prove.provider.parse::<ProviderId>() else {
        return Ok(Outcome::NotBelieved);
    };
    // Only the browser that came from the provider: an address that somebody was made to open binds nothing to them.
    let is_same = cookies.bound.is_some_and(|cookie| {
        let digest = data_encoding::HEXLOWER.encode(cookie.digest().as_bytes());
        equal(digest.as_bytes(), to_prove.browser.as_bytes())
    });
    if !is_same {
        return Ok(Outcome::NotBelieved);
    }
    let signed_in = match cookies.session {
        Some(cookie) => session::find(context, cookie).await?,
        None => None,
    };
    // A session from before proves nothing: on a shared device it may be another child's.
    let signed_in = signed_in.filter(|signed_in| signed_in.session.authenticated_at >= waiting.asked_at());
    let Some(signed_in) = signed_in else {
        return Ok(Outcome::Prove {
            continuation: sealed.to_owned(),
        });
    };
    let mut tx = context.db.begin().await?;
    let Some(provider) = open_provider(context, &mut tx, &id).await? else {
        return Ok(Outcome::NotBelieved);
    };
    let person = Introduction::read(provider.declared.preset, &to_prove.arrived.said);
    let identity = &signed_in.identity;
    let subject = &to_prove.arrived.subject;
    let taken = store::upstream_link::find(&mut tx, &id, subject).await?;
    let is_anothers = taken
        .as_ref()
        .is_some_and(|(link, _)| link.identity != identity.id);
    if is_anothers || contradicts_identity(&person, identity) {
        let event = Event::new(Kind::UpstreamRefused, Actor::Identity(identity.id))
            .about(&id)
            .with("reason", "the login is of somebody else");
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
        return Ok(Outcome::Waits {
            provider: provider.declared.name,
        });
    }
    let link = match taken {
        Some((link, _)) => link.id,
        None => {
            let bound = (subject.as_str(), identity.id, Binding::Credential);
            bind(context, &mut tx, &provider.declared, bound).await?
        }
    };
    child::learn(context, &mut tx, (&provider.declared, &person), identity.id).await?;
    let browser = Browser {
        bound: cookies.bound,
        former: cookies.session,
        device: cookies.device,
        continuation: to_prove.continuation.as_deref(),
    };
    let arrived = (link, to_prove.arrived, browser);
    let outcome = sign_in(context, &mut tx, (&provider, &person), identity, arrived).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// The links of a person.
///
/// # Errors
/// [`Failure`].
pub async fn of_identity(context: &Context, identity: IdentityId) -> Result<Vec<Link>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::upstream_link::of_identity(&mut conn, identity).await?)
}

/// Whether something was changed, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was.
    Done,
    /// There is no such provider, person or link.
    Unknown,
    /// The login is bound to somebody else: that link is taken apart first.
    Taken,
}

/// Binds a login to a person, on a human's word.
///
/// # Errors
/// [`Failure`].
pub async fn make(
    context: &Context,
    provider: &ProviderId,
    (subject, identity): (&str, IdentityId),
) -> Result<Change, Failure> {
    let mut tx = context.db.begin().await?;
    let found = store::upstream_provider::find(&mut tx, provider).await?;
    let person = store::identity::find(&mut tx, identity).await?;
    let (Some((kept, _)), Some(person)) = (found, person) else {
        return Ok(Change::Unknown);
    };
    if !person.status.may_sign_in() || subject.is_empty() {
        return Ok(Change::Unknown);
    }
    if let Some((link, _)) = store::upstream_link::find(&mut tx, provider, subject).await? {
        let is_theirs = link.identity == identity;
        return Ok(if is_theirs { Change::Done } else { Change::Taken });
    }
    bind(
        context,
        &mut tx,
        &kept.provider,
        (subject, identity, Binding::Human),
    )
    .await?;
    tx.commit().await?;
    Ok(Change::Done)
}

/// Takes a link apart: whoever came by it is signed out.
///
/// # Errors
/// [`Failure`].
pub async fn unlink(
    context: &Context,
    provider: &ProviderId,
    subject: &str,
    actor: &Actor,
) -> Result<Change, Failure> {
    let mut tx = context.db.begin().await?;
    let Some((link, _)) = store::upstream_link::find(&mut tx, provider, subject).await? else {
        return Ok(Change::Unknown);
    };
    end(context, &mut tx, &link, (LinkEnd::Unlinked, actor)).await?;
    tx.commit().await?;
    context.logout_bell.notify_one();
    Ok(Change::Done)
}

/// The provider gave a person another identifier: the new one is theirs from now on, the old one nobody's.
///
/// # Errors
/// [`Failure`].
pub async fn rekey(
    context: &Context,
    provider: &ProviderId,
    (from, to): (&str, &str),
    actor: &Actor,
) -> Result<Change, Failure> {
    let mut tx = context.db.begin().await?;
    let Some((link, _)) = store::upstream_link::find(&mut tx, provider, from).await? else {
        return Ok(Change::Unknown);
    };
    if to.is_empty() {
        return Ok(Change::Unknown);
    }
    if store::upstream_link::find(&mut tx, provider, to).await?.is_some() {
        return Ok(Change::Taken);
    }
    let Some((kept, _)) = store::upstream_provider::find(&mut tx, provider).await? else {
        return Ok(Change::Unknown);
    };
    end(context, &mut tx, &link, (LinkEnd::Rekeyed, actor)).await?;
    bind(
        context,
        &mut tx,
        &kept.provider,
        (to, link.identity, Binding::Human),
    )
    .await?;
    tx.commit().await?;
    context.logout_bell.notify_one();
    Ok(Change::Done)
}

/// Ends a link, and with it what came by it and everything that the person is signed in to: what they proved themselves with is not theirs, or
/// not theirs alone.
async fn end(
    context: &Context,
    tx: &mut Tx,
    link: &Link,
    (why, actor): (LinkEnd, &Actor),
) -> Result<(), Failure> {
    let now = context.now();
    let id: UpstreamLinkId = link.id;
    store::upstream_link::end(tx, id, why, now).await?;
    rights::withdraw(tx, id, now, actor).await?;
    session::end_all_of(tx, link.identity, now, actor.clone(), "upstream login unlinked").await?;
    let event = Event::new(Kind::UpstreamUnlinked, actor.clone())
        .about(id)
        .with("provider", &link.provider)
        .with("identity", link.identity)
        .with("reason", why);
    store::audit::append(tx, now, &event).await?;
    Ok(())
}
