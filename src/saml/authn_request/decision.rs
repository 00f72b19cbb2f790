//! saml-core §3.4.1: is the person signed in, in the way that was asked for?

use super::Request;
use crate::base::time::Timestamp;
use crate::domain::session::Session;
use crate::saml::status::{Detail, Status};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The person has to sign in (again).
    SignIn,
    /// The party is told.
    Refuse(Status),
    /// The person is signed in as asked; their login is called so.
    Go(String),
}

const UNMET: Status = Status::responder(Detail::NoAuthnContext, "nobody signed in as surely as was asked");
const NOBODY: Status = Status::responder(Detail::NoPassive, "the person has to sign in");
const ANOTHER: Status = Status::requester(Detail::UnknownPrincipal, "another person is signed in");

/// Decides. `is_meant` is whether the person who is signed in is the one whom the request means, where it means one.
/// `asked_at` is when the request first came, where the person has been to the login page since: what was asked of them is
/// answered by a login after that moment, and by no earlier one. It never sends a person round in circles.
pub fn decide(
    request: &Request,
    session: Option<&Session>,
    is_meant: bool,
    asked_at: Option<Timestamp>,
) -> Decision {
    if !request.assurance.can_be_met() {
        return Decision::Refuse(UNMET);
    }
    let Some(session) = session else {
        return sign_in(request, NOBODY);
    };
    let proved_since = asked_at.is_some_and(|asked_at| session.authenticated_at >= asked_at);
    if !is_meant {
        return if proved_since {
            Decision::Refuse(ANOTHER)
        } else {
            sign_in(request, ANOTHER)
        };
    }
    match request.assurance.class_of(session.acr) {
        None if proved_since => Decision::Refuse(UNMET),
        None => sign_in(request, UNMET),
        // "the identity provider MUST authenticate the presenter directly rather than rely on a previous security context"
        Some(_) if request.force_authn && !proved_since => sign_in(request, NOBODY),
        Some(class) => Decision::Go(class),
    }
}

/// "the identity provider … MUST NOT visibly take control of the user interface".
fn sign_in(request: &Request, status: Status) -> Decision {
    if request.is_passive {
        Decision::Refuse(status)
    } else {
        Decision::SignIn
    }
}
