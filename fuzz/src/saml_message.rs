//! SAML messages as they arrive: in an address, in a form, and answers of providers that we asked.
//!
//! The first byte says how: as the text of a query or a form, or as the XML itself, which is then packed as a partner packs it,
//! so that what is tried is not only Base64.

use std::sync::LazyLock;

use data_encoding::BASE64;
use marelle::base::random::SeededRandom;
use marelle::base::url;
use marelle::domain::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, Release, ReleasePolicy, RelyingParty, SamlParty,
    Signed, SigningAlgorithm, SubjectStrategy,
};
use marelle::domain::saml_entity::{AssertionConsumer, Binding, LogoutService, ServiceProvider};
use marelle::saml::authn_request::{self, AuthnRequest};
use marelle::saml::incoming::{Believed, Incoming, MOST_RELAY_STATE};
use marelle::saml::logout::{self, Answered, Known, LogoutRequest};
use marelle::saml::name_id::{NameId, NameIdFormat};
use marelle::saml::response::{Envelope, Protection, Said, success};
use marelle::saml::service_provider::{Asserted, Expected, accept};
use marelle::saml::wire;
use marelle::saml::xml::{Document, Element, Limits, Namespace};
use marelle::saml::xmlsec::redirect::{self, Kind};
use marelle::saml::xmlsec::{PrivateKey, PublicKey};

use crate::markup;
use crate::samples::{FOREIGN, KEYS, NOW, SIGNER, private, sample};

const SSO: &str = "https://id.example.fr/saml/sso";
const ENT: &str = "https://ent.example/saml";
const IDP: &str = "https://educonnect.example/idp";
const SP: &str = "https://id.example.fr/saml/sp/metadata";
const ACS: &str = "https://id.example.fr/saml/sp/acs";

/// A service and what its metadata say of it.
struct Partner {
    party: RelyingParty,
    saml: SamlParty,
    provider: ServiceProvider,
}

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| private(sample!("saml/ec.key")));

impl Partner {
    fn new(signs: bool, lets_pass: bool) -> Self {
        let mut saml = SamlParty {
            entity_id: ENT.to_owned(),
            ..SamlParty::default()
        };
        saml.tolerances.unsigned_requests = lets_pass;
        saml.tolerances.unsigned_logout = lets_pass;
        let consumer = |index, is_default| AssertionConsumer {
            location: format!("https://ent.example/acs/{index}"),
            index,
            is_default,
        };
        let key = KEY.public().and_then(|key| key.to_der()).expect("a public key");
        let provider = ServiceProvider {
            entity_id: ENT.to_owned(),
            assertion_consumers: vec![consumer(0, None), consumer(1, Some(true))],
            logout_services: vec![LogoutService {
                binding: Binding::Redirect,
                location: "https://ent.example/slo".to_owned(),
                response_location: None,
            }],
            signing_keys: signs.then(|| BASE64.encode(&key)).into_iter().collect(),
            signs_requests: signs,
            ..ServiceProvider::default()
        };
        Self {
            party: party(saml.clone()),
            saml,
            provider,
        }
    }
}

fn party(saml: SamlParty) -> RelyingParty {
    let release = |attribute: &Attribute| Release {
        attribute: *attribute,
        purpose: "chercher des fautes".to_owned(),
        convention: "2026-17".to_owned(),
    };
    RelyingParty {
        id: "ent".parse().expect("an id"),
        name: "ENT".to_owned(),
        home: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        sector: "ent".to_owned(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: Vec::new(),
        pkce_required: true,
        id_token_alg: SigningAlgorithm::Es256,
        release: ReleasePolicy(Attribute::ALL.iter().map(release).collect()),
        schools: Vec::new(),
        basis: Basis::Convention,
        metadata: ClientMetadata::default(),
        saml: Some(saml),
        cas: None,
        populations: Vec::new(),
        registration: None,
        enabled: true,
    }
}

/// A partner that signs, one whose unsigned messages are let pass, one that has no key.
static PARTNERS: LazyLock<[Partner; 3]> = LazyLock::new(|| {
    [
        Partner::new(true, false),
        Partner::new(true, true),
        Partner::new(false, false),
    ]
});

/// Answers of a provider that prove something, and what they prove.
static ANSWERS: LazyLock<(Vec<String>, Asserted)> = LazyLock::new(|| {
    let envelope = Envelope {
        issuer: IDP,
        destination: ACS,
        in_response_to: Some("_asked"),
        now: NOW,
    };
    let mut proven: Option<Asserted> = None;
    let mut answers = Vec::new();
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        let party = SamlParty {
            signed,
            ..SamlParty::default()
        };
        let protection = Protection::of(&party, Vec::new()).expect("nothing to encrypt for");
        let answer =
            success(&envelope, said(), &protection, &SIGNER, &SeededRandom::new(1)).expect("an answer");
        let asserted = accepted(answer.as_bytes()).expect("an answer that is taken");
        assert!(proven.as_ref().is_none_or(|before| same(before, &asserted)));
        proven = Some(asserted);
        answers.push(answer);
    }
    (answers, proven.expect("three answers"))
});

/// But for the identifier of the assertion, which is new each time.
fn same(one: &Asserted, other: &Asserted) -> bool {
    let unnamed = |asserted: &Asserted| Asserted {
        id: String::new(),
        ..asserted.clone()
    };
    unnamed(one) == unnamed(other)
}

fn said() -> Said<'static> {
    let value = Element::new(Namespace::Saml, "AttributeValue").text("{AAF}14||1037745");
    let attribute = Element::new(Namespace::Saml, "Attribute")
        .attribute("Name", "FrEduCtRefId")
        .child(value);
    Said {
        audience: SP,
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: "lina".to_owned(),
        },
        session_index: "_login",
        authenticated_at: NOW,
        session_until: NOW.plus(std::time::Duration::from_secs(3600)),
        class: "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        attributes: vec![attribute],
    }
}

/// Answers that stand in the seeds.
pub fn answers() -> Vec<String> {
    ANSWERS.0.clone()
}

/// The first byte says how the rest arrives.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    if how % 6 == 5 {
        return answer(how, rest);
    }
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    match how % 6 {
        0 => query(text),
        1 => form(text),
        2 => packed(text, None),
        3 => packed(text, Some(&KEY)),
        _ => posted(text),
    }
}

/// An answer of a provider, as it comes or put together anew: who is let in is who was signed.
fn answer(how: &u8, rest: &[u8]) {
    let (answers, proven) = &*ANSWERS;
    let mixed;
    let bytes = if how & 0x40 == 0 {
        rest
    } else {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        mixed = markup::mixed(&answers, rest).unwrap_or_default();
        mixed.as_bytes()
    };
    if let Some(asserted) = accepted(bytes) {
        assert!(same(&asserted, proven), "{asserted:?}");
    }
    assert!(accepted_by(bytes, std::slice::from_ref(&*FOREIGN)).is_err());
}

fn accepted(bytes: &[u8]) -> Option<Asserted> {
    accepted_by(bytes, &*KEYS).ok()
}

fn accepted_by(
    bytes: &[u8],
    keys: &[PublicKey],
) -> Result<Asserted, marelle::saml::service_provider::Rejected> {
    let expected = Expected {
        issuer: IDP,
        keys,
        decryption_keys: std::slice::from_ref(&SIGNER.key),
        random: &SeededRandom::new(1),
        audience: SP,
        recipient: ACS,
        in_response_to: Some("_asked"),
        now: NOW,
    };
    accept(bytes, &expected)
}

/// The text of an address.
fn query(text: &str) {
    let Ok(incoming) = Incoming::from_query(text) else {
        return;
    };
    once(text, &incoming);
    arrived(&|| Incoming::from_query(text).expect("it was read"));
}

/// The text of a form.
fn form(text: &str) {
    let Ok(incoming) = Incoming::from_form(text) else {
        return;
    };
    once(text, &incoming);
    arrived(&|| Incoming::from_form(text).expect("it was read"));
}

/// What decodes names as browsers do sees each parameter of the binding once.
fn once(text: &str, incoming: &Incoming) {
    let names: Vec<String> = url::parameters(text).into_iter().map(|(name, _)| name).collect();
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!(count("SAMLRequest") + count("SAMLResponse"), 1);
    let (kind, other) = match incoming.kind {
        Kind::Request => ("SAMLRequest", "SAMLResponse"),
        Kind::Response => ("SAMLResponse", "SAMLRequest"),
    };
    assert_eq!((count(kind), count(other)), (1, 0));
    assert_eq!(count("RelayState"), usize::from(incoming.relay_state.is_some()));
    let length = incoming.relay_state.as_ref().map_or(0, String::len);
    assert!(length <= MOST_RELAY_STATE);
}

/// XML, packed into an address, signed or not.
fn packed(text: &str, key: Option<&PrivateKey>) {
    let packed = wire::to_query(text).expect("text can be packed");
    assert_eq!(
        wire::from_query(&packed, text.len() + 1024),
        Ok(text.as_bytes().to_vec())
    );
    for kind in [Kind::Request, Kind::Response] {
        let relay_state = Some("état ; <1>&+%");
        let written = redirect::write(kind, text, relay_state, key).expect("it can be written");
        let Ok(incoming) = Incoming::from_query(&written) else {
            assert!(Document::read(text.as_bytes(), &Limits::MESSAGE).is_err() || written.len() > 100_000);
            return;
        };
        once(&written, &incoming);
        assert_eq!(incoming.relay_state.as_deref(), relay_state);
        assert_eq!((incoming.kind, incoming.is_signed()), (kind, key.is_some()));
        arrived(&|| Incoming::from_query(&written).expect("it was read"));
    }
}

/// XML, packed into a form.
fn posted(text: &str) {
    let packed = wire::to_form(text);
    assert_eq!(
        wire::from_form(&packed, text.len() + 1024),
        Ok(text.as_bytes().to_vec())
    );
    form(&url::query([
        ("SAMLRequest", packed.as_str()),
        ("RelayState", "r"),
    ]));
    form(&url::query([("SAMLResponse", packed.as_str())]));
}

/// What becomes of a message, whatever it is.
fn arrived(read: &dyn Fn() -> Incoming) {
    if let Ok(issuer) = read().claimed_issuer() {
        assert!((1..=1024).contains(&issuer.len()) && issuer.trim() == issuer);
    }
    let keys = [KEY.public().expect("a public key")];
    for partner in &*PARTNERS {
        signing_on(partner, read, &keys);
        signing_off(partner, read, &keys);
    }
    for name in [AuthnRequest::NAME, LogoutRequest::NAME, Answered::NAME] {
        let foreign = read().verified(name, std::slice::from_ref(&*FOREIGN), true);
        assert!(foreign.is_err(), "nobody here has that key");
        assert!(read().verified(name, &[], true).is_err());
    }
}

/// That a message is believed as the partner's own, or as nobody's where that is let pass.
fn believed(partner: &Partner, was_signed: bool, believed: &Believed) {
    let signs = !partner.provider.signing_keys.is_empty();
    assert!(!believed.is_signed || was_signed);
    let may_be_unsigned = !signs || partner.saml.tolerances.unsigned_requests;
    assert!(believed.is_signed || may_be_unsigned, "nobody vouches for it");
}

fn signing_on(partner: &Partner, read: &dyn Fn() -> Incoming, keys: &[PublicKey]) {
    let keys = if partner.provider.signing_keys.is_empty() {
        &[]
    } else {
        keys
    };
    let (incoming, relay_state) = (read(), read().relay_state);
    let was_signed = incoming.is_signed();
    let Ok(message) = authn_request::believe(incoming, &partner.saml, &partner.provider, keys) else {
        return;
    };
    believed(partner, was_signed, &message);
    let Ok(request) = AuthnRequest::read(&message, relay_state.clone(), SSO, NOW) else {
        return;
    };
    let kept = serde_json::to_string(&request).expect("it can be kept");
    assert_eq!(
        serde_json::from_str::<AuthnRequest>(&kept).ok().as_ref(),
        Some(&request)
    );
    assert_eq!(
        (&request.relay_state, request.is_signed),
        (&relay_state, message.is_signed)
    );
    let Ok(address) = authn_request::address(&request, &partner.saml, &partner.provider) else {
        return;
    };
    // What all of this is about: an answer, and with it a person, goes nowhere but where the metadata say.
    let mut consumers = partner.provider.assertion_consumers.iter();
    assert!(consumers.any(|consumer| consumer.location == address.consumer()));
    assert_eq!(address.in_response_to(), request.id.as_deref());
    assert_eq!(address.relay_state(), relay_state.as_deref());
    if let Err(status) = authn_request::check(&request, &partner.party, &partner.saml, &partner.provider) {
        let written = status.element().write();
        assert!(Document::read(written.as_bytes(), &Limits::MESSAGE).is_ok());
    }
}

fn signing_off(partner: &Partner, read: &dyn Fn() -> Incoming, keys: &[PublicKey]) {
    let was_signed = read().is_signed();
    if let Ok(message) = logout::believe(read(), LogoutRequest::NAME, &partner.saml, keys) {
        assert!(message.is_signed && was_signed || partner.saml.tolerances.unsigned_logout);
        if let Ok(request) = LogoutRequest::read(&message, SSO, NOW) {
            let kept = serde_json::to_string(&request).expect("it can be kept");
            assert_eq!(
                serde_json::from_str::<LogoutRequest>(&kept).ok().as_ref(),
                Some(&request)
            );
            let name_id = NameId {
                format: NameIdFormat::Persistent,
                value: "lina".to_owned(),
            };
            let known = Known {
                name_id: &name_id,
                session_index: "_login",
                issuer: IDP,
            };
            assert!(
                request.means(None, NOW).is_err(),
                "nobody is meant where nobody is"
            );
            if request.means(Some(known), NOW).is_ok() {
                // Who ends a login has named the person.
                let names = message.document.root().children_named(Namespace::Saml, "NameID");
                let names: Vec<_> = names.map(|name| name.text()).collect();
                assert_eq!(names, [Some("lina")]);
            }
        }
    }
    if let Ok(message) = logout::believe(read(), Answered::NAME, &partner.saml, keys)
        && let Ok(answered) = Answered::read(&message, SSO, NOW)
    {
        assert_eq!(
            message.document.root().attribute("InResponseTo"),
            Some(&*answered.in_response_to)
        );
    }
}
