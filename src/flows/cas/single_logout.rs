//! Telling a service that a login has ended (CAS Protocol 3.0 §2.3.3): one message to each address at which it validated a
//! ticket, sent by the job that tells every party (`logout_delivery`).
//!
//! | what the service answers | and so |
//! | --- | --- |
//! | 2xx, 3xx | told: the specification knows no answer, and many send the browser they believe in somewhere |
//! | 4xx but 408 and 429 | told as far as it goes: it will say the same again |
//! | anything else, or nothing in time | tried again |

use tokio::task::JoinSet;

use crate::base::id::SessionId;
use crate::base::random;
use crate::base::secret::Secret;
use crate::cas::logout;
use crate::domain::cas_ticket::Ticket;
use crate::domain::relying_party::RelyingParty;
use crate::flows::delivery::{Met, Verdict};
use crate::flows::logout_delivery::post;
use crate::flows::outbound::Reach;
use crate::flows::{Context, Failure};
use crate::store;
use crate::store::cas_ticket::Login;

const CONTEXT: &str = "cas login";

/// A ticket as it is kept for the message.
pub(super) fn seal(context: &Context, ticket: &Ticket, secret: &Secret) -> Result<Vec<u8>, Failure> {
    let whose = format!("{CONTEXT} {}", ticket.session);
    let sealed = context
        .vault
        .seal(&whose, secret.expose().as_bytes(), &*context.random)?;
    Ok(sealed)
}

fn open(context: &Context, session: SessionId, login: &Login) -> Result<String, Failure> {
    let plain = context
        .vault
        .open(&format!("{CONTEXT} {session}"), &login.sealed)?;
    Ok(String::from_utf8_lossy(&plain).into_owned())
}

/// Tells a service of the end of a login at each of its addresses, beside one another; what each met. An address that was
/// told is not told again.
pub(in crate::flows) async fn tell(
    context: &Context,
    party: &RelyingParty,
    session: SessionId,
) -> Result<Vec<Met>, Failure> {
    if !party.cas.as_ref().is_some_and(|service| service.single_logout) {
        return Ok(Vec::new());
    }
    let mut conn = context.db.reader().await?;
    let logins = store::cas_ticket::logins(&mut conn, session, &party.id).await?;
    drop(conn);
    let mut under_way = JoinSet::new();
    for login in logins {
        let id = random::symbols(&*context.random, b"0123456789abcdef", 32);
        let ticket = open(context, session, &login)?;
        let form = logout::form(&format!("LR-{id}"), context.now(), &ticket);
        let (context, reach) = (context.clone(), Reach::of(party));
        under_way.spawn(async move {
            let met = post(&context, reach, &login.service, form, judge).await;
            (login.place, met)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = under_way.join_next().await {
        let (place, met) = done.map_err(|error| Failure::Task(error.to_string()))?;
        if met.verdict == Verdict::Confirmed {
            let mut tx = context.db.begin().await?;
            store::cas_ticket::forget_login(&mut tx, (session, &party.id), &place).await?;
            tx.commit().await?;
        }
        all.push(met);
    }
    Ok(all)
}

fn judge(status: http::StatusCode) -> Verdict {
    match status.as_u16() {
        408 | 429 => Verdict::Passing,
        200..=399 => Verdict::Confirmed,
        400..=499 => Verdict::Final,
        _ => Verdict::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_answers_at_all_is_not_told_again() {
        let judge = |status: u16| judge(http::StatusCode::from_u16(status).unwrap());
        for told in [200, 204, 302, 303] {
            assert_eq!(judge(told), Verdict::Confirmed, "{told}");
        }
        for never in [400, 403, 404, 405] {
            assert_eq!(judge(never), Verdict::Final, "{never}");
        }
        for later in [408, 429, 500, 502, 503] {
            assert_eq!(judge(later), Verdict::Passing, "{later}");
        }
    }
}
