//! OpenID Connect Core §3.1.2.3: is the person signed in, in the way that was asked for?

use super::{RedirectError, Request};
use crate::base::time::Timestamp;
use crate::domain::session::Session;
use crate::oauth::error::ErrorCode;

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The person has to sign in (again).
    SignIn(Why),
    /// The relying party is told.
    Refuse(RedirectError),
    /// The person is signed in as asked.
    Go,
}

/// Why the person has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody is signed in.
    NobodyThere,
    /// `prompt` asks for it.
    Prompted,
    /// The login is older than `max_age`.
    TooLongAgo,
    /// The login is not of a class that will do.
    NotSureEnough,
    /// The relying party means somebody else (`id_token_hint`, `sub` with a value).
    SomebodyElse,
}

/// Whom the relying party means, by `id_token_hint` or by a `sub` with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hinted {
    /// Nobody in particular.
    Nobody,
    /// The person who is signed in.
    ThePersonThere,
    /// Somebody else, or nobody is signed in.
    SomebodyElse,
    /// Not an ID Token of ours for this client.
    Unreadable,
}

/// OpenID Connect Core Error Code `unmet_authentication_requirements` §2; Core §5.5.1.1: "a failed authentication attempt".
const UNMET: RedirectError = RedirectError::new(
    ErrorCode::UnmetAuthenticationRequirements,
    "nobody signed in as surely as was asked",
);

/// Decides. `asked_at` is when the request first came, where the person has been to the login page since: what was asked
/// of them is answered by a login after that moment, and by no earlier one. It never sends a person round in circles:
/// a login after `asked_at` answers everything but a hint at somebody else and a class of login that it is not of, and
/// those are then refused.
pub fn decide(
    request: &Request,
    session: Option<&Session>,
    hinted: Hinted,
    asked_at: Option<Timestamp>,
    now: Timestamp,
) -> Decision {
    if hinted == Hinted::Unreadable {
        return Decision::Refuse(RedirectError::invalid_request(
            "id_token_hint is not an ID Token of this provider",
        ));
    }
    if !request.assurance.can_be_met() {
        return Decision::Refuse(UNMET);
    }
    let Some(session) = session else {
        return sign_in(request, Why::NobodyThere);
    };
    let proved_since = asked_at.is_some_and(|asked_at| session.authenticated_at >= asked_at);
    if hinted == Hinted::SomebodyElse {
        return if proved_since {
            Decision::Refuse(RedirectError::new(
                ErrorCode::LoginRequired,
                "another person signed in",
            ))
        } else {
            sign_in(request, Why::SomebodyElse)
        };
    }
    let is_sure_enough = request.assurance.is_met_by(session.acr);
    if proved_since {
        return if is_sure_enough {
            Decision::Go
        } else {
            Decision::Refuse(UNMET)
        };
    }
    if !is_sure_enough {
        return sign_in(request, Why::NotSureEnough);
    }
    if request.prompts.login() || request.prompts.select_account() {
        return sign_in(request, Why::Prompted);
    }
    // "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the End-User."
    let age = now.since(session.authenticated_at);
    if request
        .max_age
        .is_some_and(|max_age| age > max_age || max_age.is_zero())
    {
        return sign_in(request, Why::TooLongAgo);
    }
    Decision::Go
}

/// "none: The Authorization Server MUST NOT display any authentication … pages."
fn sign_in(request: &Request, why: Why) -> Decision {
    if request.prompts.none() {
        Decision::Refuse(RedirectError::new(
            ErrorCode::LoginRequired,
            "the person has to sign in",
        ))
    } else {
        Decision::SignIn(why)
    }
}
