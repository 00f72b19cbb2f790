//! What `/cas/login` is asked (CAS Protocol 3.0 §2.1.1), and what comes next.

use super::address::{Address, AddressError};
use crate::base::parameters::Parameters;
use crate::base::time::Timestamp;
use crate::domain::assurance::Acr;
use crate::domain::relying_party::CasService;
use crate::domain::session::Session;

const SERVICE: &str = "service";
const RENEW: &str = "renew";
const GATEWAY: &str = "gateway";
const METHOD: &str = "method";
/// Longer than any name of an identity provider.
const HINT_LIMIT: usize = 128;

/// How the answer goes to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By a redirect. `HEADER`, which servers need not know, is answered so too.
    Get,
    /// By a form that sends itself.
    Post,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whether a login that stands will not do.
    pub renew: bool,
    /// Whether nobody may be asked anything.
    pub gateway: bool,
    /// How the answer goes to the service.
    pub method: Method,
    /// Whom the service believes to sign the person in, in its own words.
    pub hint: Option<String>,
}

/// The address that was named; `None` where none was. One that came twice is two addresses, and none of them is believed.
pub fn service(parameters: &Parameters) -> Option<Result<Address, AddressError>> {
    if parameters.is_repeated(SERVICE) {
        return Some(Err(AddressError::Character));
    }
    parameters.get(SERVICE).map(Address::read)
}

impl Request {
    /// Reads what was asked by a service.
    pub fn read(parameters: &Parameters, service: &CasService) -> Self {
        let renew = is_set(parameters, RENEW);
        let method = match parameters.get(METHOD) {
            Some(method) if method.eq_ignore_ascii_case("POST") => Method::Post,
            _ => Method::Get,
        };
        let hint = service
            .hint_parameter
            .as_deref()
            .and_then(|name| parameters.get(name));
        let fits = |hint: &&str| hint.len() <= HINT_LIMIT && !hint.contains(char::is_control);
        Self {
            renew,
            // "It is RECOMMENDED that CAS implementations ignore the gateway parameter if renew is set."
            gateway: is_set(parameters, GATEWAY) && !renew,
            method,
            hint: hint.filter(fits).map(str::to_owned),
        }
    }
}

/// "If this parameter is set": whatever it says, but for those who send `false` and mean it.
pub(super) fn is_set(parameters: &Parameters, name: &str) -> bool {
    parameters.is_repeated(name)
        || parameters
            .get(name)
            .is_some_and(|value| !value.eq_ignore_ascii_case("false"))
}

/// Those of the parameters that are kept while a person signs in: nothing that nobody asked for travels along.
#[must_use]
pub fn kept(parameters: Parameters, service: &CasService) -> Parameters {
    let hint = service.hint_parameter.as_deref();
    parameters.only(|name| matches!(name, SERVICE | RENEW | GATEWAY | METHOD) || Some(name) == hint)
}

/// Those of the fields of a form that may stand in an address. Nobody signs in by posting here (§2.2 does not say where a
/// server has its own form), and a password that is sent all the same must not come to stand in a log.
#[must_use]
pub fn carried(form: Parameters) -> Parameters {
    form.only(|name| {
        !matches!(
            name,
            "username" | "password" | "lt" | "execution" | "logoutRequest"
        )
    })
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A ticket.
    Go {
        /// Whether the person has just proved who they are, for this ticket.
        is_from_login: bool,
    },
    /// The person has to sign in (again).
    SignIn,
    /// Back to the service, without a ticket.
    Back,
    /// The person signed in, and not as surely as the service needs.
    NotSureEnough,
}

/// Decides. `asked_at` is when the request first came, where the person has been to the login page since: what was asked of
/// them is answered by a login after that moment, and by no earlier one.
pub fn decide(
    request: &Request,
    session: Option<&Session>,
    minimum: Option<Acr>,
    asked_at: Option<Timestamp>,
) -> Decision {
    // "If the client does not have a single sign-on session with CAS …, CAS MUST redirect the client to the URL specified
    // by the service parameter with no "ticket" parameter".
    let sign_in = if request.gateway {
        Decision::Back
    } else {
        Decision::SignIn
    };
    let Some(session) = session else { return sign_in };
    let proved_since = asked_at.is_some_and(|asked_at| session.authenticated_at >= asked_at);
    if minimum.is_some_and(|minimum| session.acr < minimum) {
        return if proved_since {
            Decision::NotSureEnough
        } else {
            sign_in
        };
    }
    if request.renew && !proved_since {
        return sign_in;
    }
    Decision::Go {
        is_from_login: proved_since,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::id::{IdentityId, SessionId};
    use crate::base::random::SeededRandom;
    use crate::domain::assurance::Amr;
    use crate::domain::session::Device;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn read(query: &str) -> Request {
        let service = CasService {
            hint_parameter: Some("selection".into()),
            ..CasService::default()
        };
        Request::read(&Parameters::read(query).unwrap(), &service)
    }

    fn session(acr: Acr) -> Session {
        let random = SeededRandom::new(1);
        Session {
            id: SessionId::new(NOW, &random),
            identity: IdentityId::new(NOW, &random),
            authenticated_at: NOW,
            acr,
            amr: Amr::Password,
            device: Device::Shared,
            expires_at: NOW.plus(Duration::from_secs(60)),
            ended_at: None,
        }
    }

    #[test]
    fn section_2_1_2_the_examples_of_the_specification_are_understood() {
        let service = "service=http%3A%2F%2Fwww.example.org%2Fservice";
        let parameters = Parameters::read(service).unwrap();
        let address = super::service(&parameters).unwrap().unwrap();
        assert_eq!(address.as_str(), "http://www.example.org/service");
        assert_eq!(super::service(&Parameters::read("").unwrap()), None);
        let twice = Parameters::read(&format!("{service}&{service}")).unwrap();
        assert!(super::service(&twice).unwrap().is_err());
        let simple = read(service);
        assert!(!simple.renew && !simple.gateway && simple.method == Method::Get);
        assert!(read(&format!("{service}&gateway=true")).gateway);
        assert!(read(&format!("{service}&renew=true")).renew);
        assert_eq!(read(&format!("method=POST&{service}")).method, Method::Post);
        assert_eq!(read(&format!("method=HEADER&{service}")).method, Method::Get);
    }

    #[test]
    fn section_2_1_1_renew_wins_over_gateway() {
        let both = read("renew=true&gateway=true");
        assert!(both.renew && !both.gateway);
        let off = read("renew=false&gateway=false");
        assert!(!off.renew && !off.gateway);
        assert!(read("renew=1").renew && read("renew=a&renew=b").renew);
    }

    #[test]
    fn the_hint_is_read_under_the_name_that_the_service_uses() {
        assert_eq!(
            read("selection=EDU_parent_eleve").hint.as_deref(),
            Some("EDU_parent_eleve")
        );
        assert_eq!(read("idpId=parentEleveEN-IdP").hint, None);
        assert_eq!(read(&format!("selection={}", "x".repeat(129))).hint, None);
        assert_eq!(read("selection=a%0Ab").hint, None);
        let service = CasService {
            hint_parameter: Some("idpId".into()),
            ..CasService::default()
        };
        let all = Parameters::read("service=s&renew=1&idpId=p&selection=x&password=secret").unwrap();
        assert_eq!(kept(all, &service).to_query(), "service=s&renew=1&idpId=p");
    }

    #[test]
    fn no_password_and_no_logout_message_travels_in_an_address() {
        let form = Parameters::read("service=s&username=u&password=p&lt=1&logoutRequest=x&idpId=p").unwrap();
        assert_eq!(carried(form).to_query(), "service=s&idpId=p");
    }

    #[test]
    fn who_is_there_gets_a_ticket_and_who_is_not_signs_in_or_goes_back() {
        let (plain, gateway, renew) = (read(""), read("gateway=true"), read("renew=true"));
        let there = session(Acr::SingleFactor);
        let go = |is_from_login| Decision::Go { is_from_login };
        assert_eq!(decide(&plain, None, None, None), Decision::SignIn);
        assert_eq!(decide(&gateway, None, None, None), Decision::Back);
        assert_eq!(decide(&plain, Some(&there), None, None), go(false));
        assert_eq!(decide(&gateway, Some(&there), None, None), go(false));
        assert_eq!(decide(&renew, Some(&there), None, None), Decision::SignIn);
        let later = NOW.plus(Duration::from_secs(1));
        assert_eq!(decide(&renew, Some(&there), None, Some(later)), Decision::SignIn);
        assert_eq!(decide(&renew, Some(&there), None, Some(NOW)), go(true));
    }

    #[test]
    fn a_picture_code_does_not_lead_where_more_is_needed() {
        let (plain, gateway) = (read(""), read("gateway=true"));
        let child = session(Acr::Class);
        let minimum = Some(Acr::SingleFactor);
        assert_eq!(decide(&plain, Some(&child), minimum, None), Decision::SignIn);
        assert_eq!(decide(&gateway, Some(&child), minimum, None), Decision::Back);
        assert_eq!(
            decide(&plain, Some(&child), minimum, Some(NOW)),
            Decision::NotSureEnough,
            "not round in circles"
        );
    }
}
