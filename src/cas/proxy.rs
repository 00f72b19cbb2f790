//! Who may act for a person elsewhere (CAS Protocol 3.0 §2.7, §3.3): the holder of a proxy-granting ticket, as long as the
//! login stands and an operator lets it.

use super::address::Address;
use super::ticket;
use super::validation::{Code, Refusal};
use crate::base::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::cas_ticket::{Ticket, TicketKind};
use crate::domain::relying_party::CasService;

/// More services in a row than ever act for one another.
const LONGEST_CHAIN: usize = 5;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The proxy-granting ticket; `None` where the text can be none.
    pub pgt: Option<Secret>,
    /// For which service.
    pub target: Address,
}

impl Request {
    /// Reads a query (§2.7.1).
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], [`Code::UnauthorizedService`].
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let missing = Refusal::new(
            Code::InvalidRequest,
            "'pgt' and 'targetService' parameters are both required",
        );
        let pgt = parameters.get("pgt").ok_or(missing)?;
        let target = parameters.get("targetService").ok_or(missing)?;
        Ok(Self {
            pgt: ticket::read(pgt),
            target: Address::read(target).map_err(|_| UNAUTHORIZED)?,
        })
    }
}

/// The service that is asked for is unknown, or not to be had for this person without their being there.
pub const UNAUTHORIZED: Refusal = Refusal::new(
    Code::UnauthorizedService,
    "the target service cannot be reached for this person in this way",
);

/// Checks a proxy-granting ticket. `service` is what the party it was made for is today.
///
/// # Errors
/// The first [`Refusal`].
pub fn check(ticket: &Ticket, service: Option<&CasService>, now: Timestamp) -> Result<(), Refusal> {
    if ticket.kind != TicketKind::ProxyGranting || now >= ticket.expires_at {
        return Err(Refusal::UNKNOWN);
    }
    let callback = Address::read(&ticket.service).ok();
    let still_may = service.zip(callback).is_some_and(|(service, callback)| {
        super::address::covering(&service.proxy_callbacks, &callback).is_some()
    });
    if !still_may {
        return Err(Refusal::new(
            Code::UnauthorizedServiceProxy,
            "the service may not act for people at other services (any more)",
        ));
    }
    if ticket.proxies.len() > LONGEST_CHAIN {
        return Err(Refusal::new(
            Code::UnauthorizedServiceProxy,
            "too many services act for one another",
        ));
    }
    Ok(())
}

/// Who acts for the person behind a ticket, once the holder of it has one by which it may act itself (§2.6.2: "The most
/// recently-visited proxy MUST be the first proxy listed").
pub fn chain(callback: &Address, before: &[String]) -> Vec<String> {
    let latest = std::iter::once(callback.as_str().to_owned());
    latest.chain(before.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::id::SessionId;
    use crate::base::random::SeededRandom;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[test]
    fn section_2_7_1_both_parameters_are_required() {
        let read = |query: &str| Request::read(&Parameters::read(query).unwrap());
        let example =
            "targetService=http%3A%2F%2Fwww.service.com&pgt=PGT-490649-W81Y9Sa2vTM7hda7xNTkezTbVge4CUsybAr";
        let asked = read(example).unwrap();
        assert_eq!(asked.target.as_str(), "http://www.service.com");
        assert!(asked.pgt.is_some());
        let code = |query: &str| read(query).unwrap_err().code;
        assert_eq!(code("pgt=PGT-1"), Code::InvalidRequest);
        assert_eq!(code("targetService=https://a.example"), Code::InvalidRequest);
        assert_eq!(code("pgt=PGT-1&targetService=imap"), Code::UnauthorizedService);
    }

    #[test]
    fn a_proxy_granting_ticket_is_good_as_long_as_an_operator_lets_its_service_act() {
        let mut service = CasService {
            proxy_callbacks: vec!["https://ent.example/pgt".into()],
            ..CasService::default()
        };
        let mut ticket = Ticket {
            kind: TicketKind::ProxyGranting,
            client: "ent".parse().unwrap(),
            service: "https://ent.example/pgt".into(),
            session: SessionId::new(NOW, &SeededRandom::new(1)),
            is_from_login: false,
            proxies: vec!["https://ent.example/pgt".into()],
            issued_at: NOW,
            expires_at: NOW.plus(Duration::from_secs(60)),
            used_at: None,
        };
        let code = |ticket: &Ticket, service: Option<&CasService>, now| {
            check(ticket, service, now).err().map(|refusal| refusal.code)
        };
        assert_eq!(code(&ticket, Some(&service), NOW), None);
        assert_eq!(
            code(&ticket, Some(&service), ticket.expires_at),
            Some(Code::InvalidTicket)
        );
        assert_eq!(code(&ticket, None, NOW), Some(Code::UnauthorizedServiceProxy));
        ticket.proxies = vec!["https://ent.example/pgt".into(); 6];
        assert_eq!(
            code(&ticket, Some(&service), NOW),
            Some(Code::UnauthorizedServiceProxy)
        );
        ticket.proxies.clear();
        service.proxy_callbacks = vec!["https://ent.example/other".into()];
        assert_eq!(
            code(&ticket, Some(&service), NOW),
            Some(Code::UnauthorizedServiceProxy)
        );
        ticket.kind = TicketKind::Service;
        assert_eq!(code(&ticket, Some(&service), NOW), Some(Code::InvalidTicket));
    }

    #[test]
    fn section_2_6_2_the_latest_proxy_is_listed_first() {
        let second = Address::read("https://proxy2/pgtUrl").unwrap();
        let chain = chain(&second, &["https://proxy1/pgtUrl".to_owned()]);
        assert_eq!(chain, ["https://proxy2/pgtUrl", "https://proxy1/pgtUrl"]);
    }
}
