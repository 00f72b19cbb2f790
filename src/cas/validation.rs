//! Whether a ticket that is shown is good for whoever shows it (CAS Protocol 3.0 §2.4–2.6, §3.1.1, §3.2.1).
//!
//! "Service tickets MUST only be valid for one ticket validation attempt. Whether or not validation was successful, CAS MUST
//! then invalidate the ticket": the caller has taken it before it asks here.

use super::address::Address;
use super::login::is_set;
use super::ticket;
use crate::base::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::cas_ticket::{Ticket, TicketKind};
use crate::domain::relying_party::CasService;
use crate::xml::{Document, Limits, Namespace};

/// Why somebody gets no success (§2.5.3, §2.7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A parameter is missing, came twice, or asks for what is not known.
    InvalidRequest,
    /// The ticket is not of the kind that is asked for.
    InvalidTicketSpec,
    /// The service may not act for people elsewhere.
    UnauthorizedServiceProxy,
    /// Where the proxy-granting ticket is to go does not do.
    InvalidProxyCallback,
    /// The ticket is not (or no longer) good.
    InvalidTicket,
    /// The ticket was made for another address.
    InvalidService,
    /// The service that a proxy asks for is not to be had.
    UnauthorizedService,
    /// Ours.
    InternalError,
}

impl Code {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::InvalidTicketSpec => "INVALID_TICKET_SPEC",
            Self::UnauthorizedServiceProxy => "UNAUTHORIZED_SERVICE_PROXY",
            Self::InvalidProxyCallback => "INVALID_PROXY_CALLBACK",
            Self::InvalidTicket => "INVALID_TICKET",
            Self::InvalidService => "INVALID_SERVICE",
            Self::UnauthorizedService => "UNAUTHORIZED_SERVICE",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }
}

/// A refusal: a code, and words for the developer of the service. Words of ours only: nothing that was sent comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// What is wrong.
    pub description: &'static str,
}

impl Refusal {
    /// A ticket that is unknown, used, expired, or whose login, person or service is no more: which of them is not told.
    pub const UNKNOWN: Self = Self::new(Code::InvalidTicket, "the ticket is not (or no longer) good");
    /// What nobody can do anything about.
    pub const INTERNAL: Self = Self::new(Code::InternalError, "the server could not answer; try again");
    /// More than is read.
    pub const TOO_LONG: Self = Self::new(Code::InvalidRequest, "the request is too long");
    /// The proxy callback did not take the ticket (§2.5.4).
    pub const CALLBACK: Self = Self::new(
        Code::InvalidProxyCallback,
        "pgtUrl did not answer 200 to the proxy-granting ticket",
    );

    pub(super) const fn new(code: Code, description: &'static str) -> Self {
        Self { code, description }
    }
}

/// Where a ticket is shown, and so what kinds are taken and how the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/validate` (§2.4).
    Validate,
    /// `/serviceValidate`, `/p3/serviceValidate` (§2.5, §2.8).
    Service,
    /// `/proxyValidate`, `/p3/proxyValidate` (§2.6, §2.9).
    Proxy,
    /// `/samlValidate` (§4.2).
    Saml,
}

/// How the answer of `/serviceValidate` and its kin is written (§2.5.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// XML.
    #[default]
    Xml,
    /// JSON.
    Json,
}

impl Format {
    /// What was asked for.
    ///
    /// # Errors
    /// "If the parameter value is not supported by the CAS server, an error code MUST be returned".
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        match parameters.get("format") {
            None if !parameters.is_repeated("format") => Ok(Self::Xml),
            Some(name) if name.eq_ignore_ascii_case("XML") => Ok(Self::Xml),
            Some(name) if name.eq_ignore_ascii_case("JSON") => Ok(Self::Json),
            _ => Err(Refusal::new(Code::InvalidRequest, "format is XML or JSON")),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The ticket; `None` where the text can be none.
    pub ticket: Option<Secret>,
    /// For whom.
    pub service: String,
    /// Whether only a login for this very ticket will do.
    pub renew: bool,
    /// Where a proxy-granting ticket is to go.
    pub pgt_url: Option<String>,
}

impl Request {
    /// Reads a query (§2.4.1, §2.5.1).
    ///
    /// # Errors
    /// [`Code::InvalidRequest`].
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let missing = Refusal::new(Code::InvalidRequest, "service and ticket are both required, once");
        let ticket = parameters.get("ticket").ok_or(missing)?;
        let service = parameters.get("service").ok_or(missing)?;
        if parameters.is_repeated("pgtUrl") {
            return Err(Refusal::new(Code::InvalidRequest, "pgtUrl came twice"));
        }
        Ok(Self {
            ticket: ticket::read(ticket),
            service: service.to_owned(),
            renew: is_set(parameters, "renew"),
            pgt_url: parameters.get("pgtUrl").map(str::to_owned),
        })
    }

    /// Reads a query and an envelope (§4.2.1, §4.2.3).
    ///
    /// # Errors
    /// [`Code::InvalidRequest`].
    pub fn read_saml(parameters: &Parameters, body: &[u8]) -> Result<Self, Refusal> {
        let missing = Refusal::new(Code::InvalidRequest, "TARGET is required, once");
        let target = parameters.get("TARGET").ok_or(missing)?;
        let artifact = artifact(body).ok_or(Refusal::new(
            Code::InvalidRequest,
            "the body is not a SOAP envelope around a samlp:Request with one samlp:AssertionArtifact",
        ))?;
        Ok(Self {
            ticket: ticket::read(&artifact),
            service: target.to_owned(),
            renew: is_set(parameters, "renew"),
            pgt_url: None,
        })
    }
}

/// An envelope around a ticket, and little more.
const ENVELOPE: Limits = Limits {
    bytes: 16 * 1024,
    depth: 12,
    nodes: 100,
    ..Limits::MESSAGE
};

/// The ticket in an envelope.
fn artifact(body: &[u8]) -> Option<String> {
    let document = Document::read(body, &ENVELOPE).ok()?;
    let envelope = Some(document.root()).filter(|root| root.is(Namespace::Soap11, "Envelope"))?;
    let request = envelope
        .child(Namespace::Soap11, "Body")?
        .child(Namespace::Samlp1, "Request")?;
    let mut artifacts = request.children_named(Namespace::Samlp1, "AssertionArtifact");
    match (artifacts.next(), artifacts.next()) {
        (Some(artifact), None) => Some(artifact.text()?.trim().to_owned()),
        _ => None,
    }
}

/// Checks a ticket that was taken.
///
/// # Errors
/// The first [`Refusal`].
pub fn check(endpoint: Endpoint, ticket: &Ticket, request: &Request, now: Timestamp) -> Result<(), Refusal> {
    if now >= ticket.expires_at {
        return Err(Refusal::UNKNOWN);
    }
    match (ticket.kind, endpoint) {
        (TicketKind::Service, _) | (TicketKind::Proxy, Endpoint::Proxy) => {}
        // §2.5: "It is RECOMMENDED that … the error message in the XML response SHOULD explain that validation failed
        // because a proxy ticket was passed".
        (TicketKind::Proxy, Endpoint::Validate | Endpoint::Service | Endpoint::Saml) => {
            let why =
                "a proxy ticket was passed where only service tickets are taken; /proxyValidate takes both";
            return Err(Refusal::new(Code::InvalidTicketSpec, why));
        }
        (TicketKind::ProxyGranting, _) => return Err(Refusal::UNKNOWN),
    }
    if !is_for(ticket, &request.service) {
        let why = "the ticket was made for another service; it is good no more";
        return Err(Refusal::new(Code::InvalidService, why));
    }
    if request.renew && !ticket.is_from_login {
        let why = "the ticket comes from a login that stood already, and renew asks for a new one";
        return Err(Refusal::new(Code::InvalidTicket, why));
    }
    Ok(())
}

/// §3.1.1: "Service tickets are only valid for the service identifier that was specified to /login".
fn is_for(ticket: &Ticket, service: &str) -> bool {
    match (Address::read(&ticket.service), Address::read(service)) {
        (Ok(made_for), Ok(given)) => made_for.is_same(&given),
        _ => false,
    }
}

/// Checks where a proxy-granting ticket is to go (§2.5.4: "This URL MUST be HTTPS"): an address that an operator wrote down
/// for this service, so that nobody has us call another.
///
/// # Errors
/// The first [`Refusal`].
pub fn check_callback(service: &CasService, pgt_url: &str) -> Result<Address, Refusal> {
    if service.proxy_callbacks.is_empty() {
        let why = "the service may not act for people at other services";
        return Err(Refusal::new(Code::UnauthorizedServiceProxy, why));
    }
    let refused = Refusal::new(
        Code::InvalidProxyCallback,
        "pgtUrl is not an https address that was declared for the service",
    );
    let address = Address::read(pgt_url).map_err(|_| refused)?;
    let declared = super::address::covering(&service.proxy_callbacks, &address);
    if address.is_https() && declared.is_some() {
        Ok(address)
    } else {
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::id::SessionId;
    use crate::base::random::SeededRandom;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const SERVICE: &str = "https://ent.example/app?a=b";

    fn ticket(kind: TicketKind) -> Ticket {
        Ticket {
            kind,
            client: "ent".parse().unwrap(),
            service: SERVICE.into(),
            session: SessionId::new(NOW, &SeededRandom::new(1)),
            is_from_login: false,
            proxies: Vec::new(),
            issued_at: NOW,
            expires_at: NOW.plus(Duration::from_secs(60)),
            used_at: None,
        }
    }

    fn request(service: &str) -> Request {
        Request {
            ticket: None,
            service: service.into(),
            renew: false,
            pgt_url: None,
        }
    }

    fn code(checked: Result<(), Refusal>) -> Option<&'static str> {
        checked.err().map(|refusal| refusal.code.as_str())
    }

    #[test]
    fn section_2_5_1_service_and_ticket_are_both_required() {
        let read = |query: &str| Request::read(&Parameters::read(query).unwrap());
        let example = "service=http%3A%2F%2Fwww.example.org%2Fservice&ticket=ST-1856339-aA5Yuvrxzpv8Tau1cYQ7";
        let asked = read(example).unwrap();
        assert_eq!(asked.service, "http://www.example.org/service");
        assert_eq!(asked.ticket, Some(Secret::new("ST-1856339-aA5Yuvrxzpv8Tau1cYQ7")));
        assert!(!asked.renew && asked.pgt_url.is_none());
        assert!(read(&format!("{example}&renew=true")).unwrap().renew);
        let callback = read(&format!(
            "{example}&pgtUrl=https://www.example.org%2Fservice%2FproxyCallback"
        ));
        assert_eq!(
            callback.unwrap().pgt_url.as_deref(),
            Some("https://www.example.org/service/proxyCallback")
        );
        for wrong in [
            "service=x",
            "ticket=ST-1",
            "",
            "service=x&service=y&ticket=ST-1",
            "service=x&ticket=ST-1&ticket=ST-2",
            "service=x&ticket=ST-1&pgtUrl=a&pgtUrl=b",
        ] {
            assert_eq!(read(wrong).unwrap_err().code, Code::InvalidRequest, "{wrong}");
        }
        let format = |query: &str| Format::read(&Parameters::read(query).unwrap());
        assert_eq!(format(""), Ok(Format::Xml));
        assert_eq!(format("format=JSON"), Ok(Format::Json));
        assert_eq!(format("format=YAML").unwrap_err().code, Code::InvalidRequest);
        assert!(format("format=JSON&format=XML").is_err());
    }

    #[test]
    fn section_4_2_4_the_envelope_of_the_specification_is_read_and_no_other() {
        let envelope = "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">
            <SOAP-ENV:Header/><SOAP-ENV:Body>
            <samlp:Request xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\" MajorVersion=\"1\" MinorVersion=\"1\"
              RequestID=\"_192.168.16.51.1024506224022\" IssueInstant=\"2002-06-19T17:03:44.022Z\">
              <samlp:AssertionArtifact> ST-1-u4hrm3td92cLxpCvrjyl </samlp:AssertionArtifact>
            </samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>";
        assert_eq!(
            artifact(envelope.as_bytes()).as_deref(),
            Some("ST-1-u4hrm3td92cLxpCvrjyl")
        );
        let declared = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{envelope}");
        assert!(artifact(declared.as_bytes()).is_some());
        let twice = envelope.replace(
            "</samlp:Request>",
            "<samlp:AssertionArtifact>ST-2</samlp:AssertionArtifact></samlp:Request>",
        );
        for wrong in [
            twice,
            envelope.replace("SAML:1.0", "SAML:2.0"),
            envelope.replace("soap/envelope", "soap/other"),
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{envelope}"),
            envelope.replace("ST-1-u4hrm3td92cLxpCvrjyl", "&e;"),
            String::new(),
            "ST-1".into(),
        ] {
            assert_eq!(artifact(wrong.as_bytes()), None, "{wrong}");
        }
        let parameters = Parameters::read("TARGET=https%3A%2F%2Fent.example%2F").unwrap();
        let asked = Request::read_saml(&parameters, envelope.as_bytes()).unwrap();
        assert_eq!(asked.service, "https://ent.example/");
        let nowhere = Parameters::read("").unwrap();
        assert!(Request::read_saml(&nowhere, envelope.as_bytes()).is_err());
    }

    #[test]
    fn attack_34_a_proxy_ticket_where_only_service_tickets_are_taken() {
        let (service, proxy) = (ticket(TicketKind::Service), ticket(TicketKind::Proxy));
        for endpoint in [Endpoint::Validate, Endpoint::Service, Endpoint::Saml] {
            assert_eq!(code(check(endpoint, &service, &request(SERVICE), NOW)), None);
            let refused = check(endpoint, &proxy, &request(SERVICE), NOW).unwrap_err();
            assert_eq!(refused.code, Code::InvalidTicketSpec);
            assert!(refused.description.contains("proxy ticket"));
        }
        for ticket in [service, proxy] {
            assert_eq!(
                code(check(Endpoint::Proxy, &ticket, &request(SERVICE), NOW)),
                None
            );
        }
        let granting = ticket(TicketKind::ProxyGranting);
        let refused = check(Endpoint::Proxy, &granting, &request(SERVICE), NOW);
        assert_eq!(code(refused), Some("INVALID_TICKET"));
    }

    #[test]
    fn attack_34_a_ticket_for_another_service() {
        let ticket = ticket(TicketKind::Service);
        for other in [
            "https://ent.example/app",
            "https://ent.example/app?a=b&c=d",
            "https://ent.example/app/?a=b",
            "https://cantine.example/app?a=b",
            "https://ent.example/app?a=b#",
            "",
        ] {
            let refused = check(Endpoint::Service, &ticket, &request(other), NOW);
            assert_eq!(code(refused), Some("INVALID_SERVICE"), "{other}");
        }
        let same = request("https://ent.example:443/app?a=b");
        assert_eq!(code(check(Endpoint::Service, &ticket, &same, NOW)), None);
    }

    #[test]
    fn attack_34_an_expired_ticket() {
        let ticket = ticket(TicketKind::Service);
        let last = ticket.expires_at.minus(Duration::from_micros(1));
        assert_eq!(
            code(check(Endpoint::Service, &ticket, &request(SERVICE), last)),
            None
        );
        let late = check(Endpoint::Service, &ticket, &request(SERVICE), ticket.expires_at);
        assert_eq!(code(late), Some("INVALID_TICKET"));
    }

    #[test]
    fn renew_takes_only_a_ticket_from_a_login_of_its_own() {
        let mut ticket = ticket(TicketKind::Service);
        let renew = Request {
            renew: true,
            ..request(SERVICE)
        };
        assert_eq!(
            code(check(Endpoint::Validate, &ticket, &renew, NOW)),
            Some("INVALID_TICKET")
        );
        ticket.is_from_login = true;
        assert_eq!(code(check(Endpoint::Validate, &ticket, &renew, NOW)), None);
    }

    #[test]
    fn attack_34_a_proxy_callback_that_leads_elsewhere() {
        let mut service = CasService::default();
        let code =
            |service: &CasService, url: &str| check_callback(service, url).err().map(|refusal| refusal.code);
        let right = "https://ent.example/cas/callback?tenant=1";
        assert_eq!(code(&service, right), Some(Code::UnauthorizedServiceProxy));
        service.proxy_callbacks = vec!["https://ent.example/cas".into(), "http://127.0.0.1:9/cas".into()];
        assert_eq!(code(&service, right), None);
        for elsewhere in [
            "http://ent.example/cas/callback",
            "http://127.0.0.1:9/cas",
            "https://127.0.0.1/cas",
            "https://169.254.169.254/latest/meta-data/",
            "https://ent.example.evil.example/cas",
            "https://ent.example@10.0.0.1/cas",
            "https://ent.example/cas/../admin",
            "https://ent.example/casx",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(
                code(&service, elsewhere),
                Some(Code::InvalidProxyCallback),
                "{elsewhere}"
            );
        }
    }
}
