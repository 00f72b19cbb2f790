//! Whether a person who is signed in is let through to a service: it is open for them today, and they have read what they
//! must. The same for every protocol.
//!
//! | admission | when | what the protocol does |
//! | --- | --- | --- |
//! | [`Admission::Open`] | nothing stands in the way (any more) | grants, in the same transaction |
//! | [`Admission::Notice`] | a page has to be read | sends the browser to it, and from there to [`Step::Reading`] |
//! | [`Admission::Read`] | the same, and the browser is there | shows it |
//! | [`Admission::Refused`] | never, or not without a page that may not be shown | says so, in its own words |
//!
//! Whatever comes back, the caller commits: a refusal is journalled, an answer to a page is kept.

use super::continuation::{self, Continuation};
use super::notice::{self, Notice, Wanted};
use super::session::SignedIn;
use super::{Context, Failure};
use crate::base::time::{Date, Timestamp};
use crate::domain::acknowledgement::Kind as Word;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::enrolment::Enrolment;
use crate::domain::relying_party::{Basis, RelyingParty};
use crate::oidc::access::{self, Closed};
use crate::oidc::notice::Notice as Decision;
use crate::store;
use crate::store::db::Tx;

/// Where a person is with the page that tells or asks.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Not there.
    Begin,
    /// There.
    Reading,
    /// They have answered.
    Answered(Reply<'a>),
}

/// What a person answered to a page.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Which button.
    pub choice: Choice,
    /// What the page showed, sealed, as it was sent along.
    pub shown: &'a str,
}

/// The buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Told, and on.
    GoOn,
    /// Asked, and yes.
    Allow,
    /// Asked, and no.
    Refuse,
}

/// Somebody at the door of a service.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The service.
    pub party: &'a RelyingParty,
    /// Who.
    pub signed_in: &'a SignedIn,
    /// What the service wants to know.
    pub wanted: Wanted<'a>,
    /// Where the answer goes.
    pub address: &'a str,
    /// Whether a page may be shown (`prompt=none`, `IsPassive`, `gateway` say no).
    pub may_show: bool,
    /// What takes the request along to a page.
    pub waiting: &'a Continuation,
    /// Where the person is with that page.
    pub step: Step<'a>,
}

/// Why somebody is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The service is not open for a school of theirs.
    Closed,
    /// It is from this day on: the school year has not begun for them.
    OpensOn(Date),
    /// It rests on consent, and pupils are not asked for one.
    ClosedToPupils,
    /// They said no.
    Declined,
    /// They have to be told what it learns, and no page may be shown.
    ToBeTold,
    /// They have to be asked, and no page may be shown.
    ToBeAsked,
    /// The request is longer than can be taken along to a page.
    TooLong,
}

/// Whether somebody is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// They are; with their enrolments of today.
    Open(Vec<Enrolment>),
    /// They have to read a page first; it takes this along.
    Notice {
        /// The sealed [`Continuation`].
        continuation: String,
    },
    /// The page.
    Read(Box<Notice>),
    /// They are not.
    Refused(Refusal),
}

/// Decides, and keeps what was answered to a page.
///
/// # Errors
/// [`Failure`].
pub async fn admit(
    context: &Context,
    tx: &mut Tx,
    arrival: Arrival<'_>,
    now: Timestamp,
) -> Result<Admission, Failure> {
    let Arrival { party, signed_in, .. } = arrival;
    let live = store::enrolment::live_of(tx, signed_in.identity.id, now.date()).await?;
    if let Err(closed) = access::check(party, &live, now) {
        refused(tx, arrival, closed.reason(), now).await?;
        return Ok(Admission::Refused(match closed {
            Closed::NoSchool => Refusal::Closed,
            Closed::Until(day) => Refusal::OpensOn(day),
        }));
    }
    let looked = notice::look(tx, party, arrival.wanted, signed_in, &live, now).await?;
    let reply = match arrival.step {
        Step::Answered(reply) => Some(reply),
        Step::Begin | Step::Reading => None,
    };
    let choice = reply.map(|reply| reply.choice);
    let word = match looked.decision {
        // A no is a no, also where another tab said yes meanwhile.
        Decision::Nothing | Decision::Page(Word::Consent)
            if party.basis == Basis::Consent && choice == Some(Choice::Refuse) =>
        {
            let actor = Actor::Identity(signed_in.identity.id);
            let event = Event::new(Kind::ConsentRefused, actor).about(&party.id);
            store::audit::append(tx, now, &event).await?;
            return Ok(Admission::Refused(Refusal::Declined));
        }
        Decision::Nothing => return Ok(Admission::Open(live)),
        Decision::Closed => {
            refused(tx, arrival, "rests on consent, and this is a pupil", now).await?;
            return Ok(Admission::Refused(Refusal::ClosedToPupils));
        }
        Decision::Page(word) => word,
    };
    let yes = match word {
        Word::Consent => Choice::Allow,
        Word::Information => Choice::GoOn,
    };
    if let Some(reply) = reply
        && reply.choice == yes
        && looked.was_shown(context, party, signed_in, reply.shown)
    {
        looked.keep(tx, word, party, signed_in, now).await?;
        return Ok(Admission::Open(live));
    }
    if !arrival.may_show {
        return Ok(Admission::Refused(match word {
            Word::Information => Refusal::ToBeTold,
            Word::Consent => Refusal::ToBeAsked,
        }));
    }
    let continuation = arrival.waiting.seal(context)?;
    if continuation.len() > continuation::LIMIT {
        return Ok(Admission::Refused(Refusal::TooLong));
    }
    Ok(match arrival.step {
        Step::Begin => Admission::Notice { continuation },
        Step::Reading | Step::Answered(_) => {
            let page = looked.page(context, word, (party, arrival.address), signed_in, continuation)?;
            Admission::Read(Box::new(page))
        }
    })
}

async fn refused(
    tx: &mut Tx,
    arrival: Arrival<'_>,
    reason: &'static str,
    now: Timestamp,
) -> Result<(), Failure> {
    let actor = Actor::Identity(arrival.signed_in.identity.id);
    let event = Event::new(Kind::AuthorizationRefused, actor)
        .about(&arrival.party.id)
        .with("reason", reason);
    Ok(store::audit::append(tx, now, &event).await?)
}
