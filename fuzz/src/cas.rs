//! What browsers, services and those who pretend to be one send to a CAS server: addresses above all.
//!
//! What an address leads to is asked of the parser that browsers follow (the URL Standard), and of a second look at the bare text:
//! where the two differ, somebody's framework will differ as well.

use std::sync::LazyLock;

use marelle::base::id::SessionId;
use marelle::base::parameters::Parameters;
use marelle::base::random::SeededRandom;
use marelle::base::secret::Secret;
use marelle::base::url::{parameters, with_parameters};
use marelle::cas::address::{Address, Declared, covering};
use marelle::cas::answer::{Answer, Names, Success};
use marelle::cas::attribute::{Content, Facts, Node, Shape, is_name};
use marelle::cas::validation::{Endpoint, Format};
use marelle::cas::{login, logout, proxy, ticket, validation};
use marelle::domain::cas_ticket::{Ticket, TicketKind};
use marelle::domain::relying_party::CasService;
use marelle::saml::xml::{Document, Limits, Namespace};
use url::Url;

use crate::Bytes;
use crate::samples::NOW;

const DECLARED: &[&str] = &[
    "https://ent.example/app",
    "https://ent.example",
    "https://ent.example:8443/a/b/",
    "http://localhost:8080/app",
    "https://[2001:db8::1]/x",
    "https://xn--cole-9oa.example/",
];

static READ: LazyLock<Vec<Declared>> = LazyLock::new(|| {
    DECLARED
        .iter()
        .map(|text| Declared::read(text).expect("declared"))
        .collect()
});

static SERVICE: LazyLock<CasService> = LazyLock::new(|| CasService {
    services: DECLARED.iter().map(|text| (*text).to_owned()).collect(),
    proxy_callbacks: vec!["https://ent.example/pgt".to_owned()],
    hint_parameter: Some("selection".to_owned()),
    ..CasService::default()
});

/// The first byte says what the rest is.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    match how % 7 {
        0 => text(rest, address),
        1 => text(rest, below),
        2 => text(rest, asked),
        3 => shown(rest),
        4 => envelope(rest),
        5 => answered(rest),
        _ => text(rest, told),
    }
}

fn text(bytes: &[u8], check: impl Fn(&str)) {
    match std::str::from_utf8(bytes) {
        Ok(text) => check(text),
        Err(_) => assert!(Address::read_bytes(bytes).is_err()),
    }
}

/// An address of a declared service, continued by the text.
fn below(text: &str) {
    for declared in DECLARED {
        address(&format!("{declared}{text}"));
    }
}

fn address(text: &str) {
    let Ok(address) = Address::read(text) else {
        return;
    };
    assert_eq!(address.as_str(), text);
    assert!(address.is_same(&address) && Address::read(text).as_ref() == Ok(&address));
    let url = Url::parse(text).expect("a browser reads it");
    assert_eq!(url.host_str(), Some(address.host()));
    assert_eq!(url.scheme() == "https", address.is_https());
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    // What a framework sees that splits text.
    let (scheme, rest) = text.split_once("://").expect("a scheme");
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = behind.split('?').next().unwrap_or_default();
    assert!(matches!(scheme, "https" | "http"));
    assert!(authority == address.host() || authority.starts_with(&format!("{}:", address.host())));
    assert!(!text.contains(['\\', '@', '#', ' ', '\t', '\r', '\n']) || behind.contains('@'));
    assert!(!authority.contains('@'));
    assert!(
        !decoded(path).contains("/../") && !decoded(path).ends_with("/.."),
        "{path}"
    );
    // Where the browser goes with a ticket, the ticket arrives.
    let onward = with_parameters(text, [("ticket", "ST-1-x")]);
    let arrived = Url::parse(&onward).expect("it is still an address");
    assert_eq!((arrived.origin(), arrived.path()), (url.origin(), url.path()));
    assert!(
        arrived
            .query_pairs()
            .any(|(name, value)| name == "ticket" && value == "ST-1-x")
    );
    for declared in READ.iter().filter(|declared| declared.covers(&address)) {
        let ours = Url::parse(declared.as_str()).expect("declared");
        assert_eq!(ours.origin(), url.origin(), "{text}");
        let (ours, theirs) = (
            ours.path().trim_end_matches('/').to_owned(),
            url.path().to_owned(),
        );
        assert!(
            theirs == ours || theirs.starts_with(&format!("{ours}/")),
            "{text}"
        );
        // The same to who never parses: the path begins as it is declared, and ends there or goes on with a slash.
        let below = path.strip_prefix(ours.as_str());
        assert!(
            below.is_some_and(|below| below.is_empty() || below.starts_with('/')),
            "{text}"
        );
    }
    let any = READ.iter().any(|declared| declared.covers(&address));
    assert_eq!(covering(&SERVICE.services, &address).is_some(), any);
    if let Ok(declared) = Declared::read(text) {
        assert!(declared.covers(&address), "what is declared is covered");
        // Percent-encoding may make it longer than an address is.
        let again = Declared::read(&declared.key()).ok();
        assert!(
            again.is_some() || declared.key().len() > 2048,
            "a key is an address"
        );
        assert!(again.is_none_or(|again| again.covers(&address) && again.key() == declared.key()));
    }
}

/// Percent-encoded once.
fn decoded(path: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), path.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A query of `/cas/login`, `/cas/proxy` or a form that is carried along.
fn asked(text: &str) {
    let Ok(read) = Parameters::read(text) else {
        return;
    };
    if let Some(Ok(service)) = login::service(&read) {
        let named: Vec<_> = parameters(text)
            .into_iter()
            .filter(|(name, value)| name == "service" && !value.is_empty())
            .collect();
        assert!(matches!(named.as_slice(), [(_, value)] if value == service.as_str()));
    }
    let request = login::Request::read(&read, &SERVICE);
    assert!(!(request.renew && request.gateway));
    assert!(
        request
            .hint
            .as_ref()
            .is_none_or(|hint| !hint.contains(char::is_control))
    );
    let kept = login::kept(read.clone(), &SERVICE).to_query();
    let again = Parameters::read(&kept).expect("what is kept fits");
    assert_eq!(
        login::Request::read(&again, &SERVICE),
        request,
        "nothing is lost on the way"
    );
    assert_eq!(login::kept(again, &SERVICE).to_query(), kept);
    let carried = login::carried(read.clone()).to_query();
    for (name, _) in parameters(&carried) {
        assert!(!["username", "password", "lt", "execution", "logoutRequest"].contains(&name.as_str()));
    }
    if let Ok(request) = proxy::Request::read(&read) {
        address(request.target.as_str());
        assert!(request.pgt.is_none_or(|pgt| sound(&pgt)));
    }
}

fn sound(ticket: &Secret) -> bool {
    let text = ticket.expose();
    text.len() <= 128
        && text
            .bytes()
            .all(|symbol| symbol.is_ascii_alphanumeric() || symbol == b'-')
}

/// A ticket that is shown, for an address, on a query.
fn shown(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let (Some(how), Some(query), Some(made_for)) = (bytes.byte(), bytes.text(), bytes.text()) else {
        return;
    };
    let Ok(read) = Parameters::read(query) else {
        return;
    };
    let _ = Format::read(&read);
    let Ok(request) = validation::Request::read(&read) else {
        return;
    };
    assert!(request.ticket.as_ref().is_none_or(sound));
    let kind = TicketKind::ALL[usize::from(how) % TicketKind::ALL.len()];
    let ticket = Ticket {
        kind,
        client: "ent".parse().expect("an id"),
        service: made_for.to_owned(),
        session: SessionId::new(NOW, &SeededRandom::new(1)),
        is_from_login: how & 0x80 != 0,
        proxies: Vec::new(),
        issued_at: NOW,
        expires_at: NOW.plus(std::time::Duration::from_secs(60)),
        used_at: None,
    };
    for endpoint in [
        Endpoint::Validate,
        Endpoint::Service,
        Endpoint::Proxy,
        Endpoint::Saml,
    ] {
        assert!(validation::check(endpoint, &ticket, &request, ticket.expires_at).is_err());
        if validation::check(endpoint, &ticket, &request, NOW).is_ok() {
            assert!(
                kind == TicketKind::Service || (kind == TicketKind::Proxy && endpoint == Endpoint::Proxy)
            );
            assert!(!request.renew || ticket.is_from_login);
            let (one, other) = (Address::read(made_for), Address::read(&request.service));
            let (one, other) = (one.expect("an address"), other.expect("an address"));
            assert!(one.is_same(&other) && other.is_same(&one));
            let plain = |address: &Address| Url::parse(address.as_str()).expect("an address").to_string();
            assert_eq!(plain(&one), plain(&other), "a browser goes to the same place");
        }
    }
    if proxy::check(&ticket, Some(&SERVICE), NOW).is_ok() {
        assert_eq!(kind, TicketKind::ProxyGranting);
        let callback = Address::read(made_for).expect("an address");
        assert!(covering(&SERVICE.proxy_callbacks, &callback).is_some());
    }
}

/// The envelope of `/samlValidate`.
fn envelope(body: &[u8]) {
    let read = Parameters::read("TARGET=https%3A%2F%2Fent.example%2Fapp").expect("it is short");
    if let Ok(request) = validation::Request::read_saml(&read, body) {
        assert!(request.ticket.as_ref().is_none_or(sound));
        assert_eq!(request.service, "https://ent.example/app");
    }
    if let Ok(text) = std::str::from_utf8(body) {
        assert!(ticket::read(text).is_none_or(|ticket| sound(&ticket) && ticket.expose() == text));
    }
}

/// An answer with values and names of anyone.
fn answered(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let Some(user) = bytes.text() else { return };
    let mut attributes = Vec::new();
    while let Some(name) = bytes.text().filter(|name| !name.is_empty()) {
        let value = bytes.text().unwrap_or_default();
        let marks = if name.len() % 3 == 0 {
            vec![("Code", value.to_owned())]
        } else {
            Vec::new()
        };
        attributes.push(Node {
            name: name.to_owned(),
            marks,
            content: Content::Text(value.to_owned()),
        });
    }
    let named = attributes.iter().all(|node| is_name(&node.name));
    let count = attributes.len();
    let (value, name) = attributes.first().map_or(("", ""), |node| match &node.content {
        Content::Text(text) => (text.as_str(), node.name.as_str()),
        Content::Nodes(_) => ("", ""),
    });
    let (value, name) = (value.to_owned(), name.to_owned());
    let answer = Answer::Validated(Box::new(Success {
        user: user.to_owned(),
        shape: Shape {
            facts: Some(Facts::Standard),
            attributes,
            beside: Vec::new(),
        },
        authenticated_at: NOW,
        is_from_login: true,
        proxies: vec![user.to_owned()],
        iou: None,
    }));
    let names = Names {
        issuer: "https://id.example.fr",
        service: user,
        id: "_1",
        now: NOW,
    };
    let xml = answer.written(Endpoint::Service, Format::Xml, names).body;
    let document = Document::read(xml.as_bytes(), &Limits::METADATA).expect("an answer is XML");
    let success = document
        .root()
        .child(Namespace::Cas, "authenticationSuccess")
        .expect("a success");
    let text = |name: &str| success.child(Namespace::Cas, name).and_then(|node| node.text());
    assert_eq!(text("user"), Some(of_xml(user).as_str()));
    let told = success.child(Namespace::Cas, "attributes").expect("attributes");
    if named {
        // Three facts of the login, then each value under its name.
        let told: Vec<_> = told.children().skip(3).collect();
        assert_eq!(told.len(), count);
        if let Some(first) = told.first() {
            assert_eq!(
                (first.name(), first.text()),
                (name.as_str(), Some(of_xml(&value).as_str()))
            );
        }
    }
    let json = answer.written(Endpoint::Service, Format::Json, names).body;
    let json: serde_json::Value = serde_json::from_str(&json).expect("an answer is JSON");
    assert_eq!(json["serviceResponse"]["authenticationSuccess"]["user"], user);
    let saml = answer.written(Endpoint::Saml, Format::Xml, names).body;
    Document::read(saml.as_bytes(), &Limits::METADATA).expect("an answer is XML");
}

/// What is left of a text where XML has no such character (xml §2.2).
fn of_xml(text: &str) -> String {
    let is_char = |symbol: &char| matches!(symbol, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_char).collect()
}

/// A service is told by a ticket, whatever that is, that a login has ended.
fn told(text: &str) {
    let form = logout::form("LR-1", NOW, text);
    let fields = parameters(&form);
    let [(name, message)] = fields.as_slice() else {
        panic!("{} fields", fields.len());
    };
    assert_eq!(name, "logoutRequest");
    let document = Document::read(message.as_bytes(), &Limits::METADATA).expect("it is XML");
    let index = document
        .root()
        .child(Namespace::Samlp, "SessionIndex")
        .expect("the ticket");
    assert_eq!(index.text(), Some(of_xml(text).as_str()));
    assert_eq!(document.root().children().count(), 2);
}
