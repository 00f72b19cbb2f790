//! Each line of the table, and what attackers try.

use data_encoding::BASE64URL_NOPAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::json;

use super::*;
use crate::base::url;
use crate::domain::testing::party;
use crate::jose::{Kind, PrivateKey};

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const ISSUER: &str = "https://id.example";

struct Client {
    key: PrivateKey,
    party: RelyingParty,
}

type Opened = Result<Parameters, ErrorCode>;

impl Client {
    fn new() -> Self {
        Self {
            key: PrivateKey::generate(Algorithm::Es256).unwrap(),
            party: party("ent"),
        }
    }

    fn fapi() -> Self {
        let mut client = Self::new();
        client.party.metadata.profile = SecurityProfile::Fapi2;
        client
    }

    /// A right object with members changed (`null` leaves one out).
    fn claims(changes: &[(&str, Value)]) -> Map<String, Value> {
        let now = NOW.seconds();
        let claims = json!({
            "iss": "ent", "aud": ISSUER, "client_id": "ent", "exp": now + 60, "nbf": now, "iat": now, "jti": "1",
            "redirect_uri": "https://ent.example/cb", "scope": "openid", "state": "inside",
        });
        let mut claims = claims.as_object().unwrap().clone();
        for (name, value) in changes {
            claims.insert((*name).to_owned(), value.clone());
        }
        claims.retain(|_, value| !value.is_null());
        claims
    }

    fn with(&self, changes: &[(&str, Value)]) -> Opened {
        self.open(&jose::sign(&self.key, Kind::RequestObject, &Self::claims(changes)).unwrap())
    }

    fn code(&self, name: &str, value: Value) -> Option<ErrorCode> {
        self.with(&[(name, value)]).err()
    }

    fn open(&self, token: &str) -> Opened {
        let outside = [("client_id", "ent"), ("state", "outside"), ("request", token)];
        let outside = Parameters::read(&url::query(outside)).unwrap();
        let keys = KeySet::new([self.key.public().clone()]).unwrap();
        let object = RequestObject::read(&outside)
            .map_err(|error| error.code)?
            .unwrap();
        let opened = object.open(&self.party, &keys, ISSUER, NOW);
        opened.map_err(|error| error.code)
    }
}

/// A token with this header and payload, signed by whatever.
fn token(header: &Value, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(payload.as_bytes())
    );
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", encode(&signature))
}

const INVALID: Option<ErrorCode> = Some(ErrorCode::InvalidRequestObject);

#[test]
fn what_is_inside_replaces_what_is_outside() {
    let claims = json!({ "userinfo": { "name": { "essential": true } } });
    let opened = Client::new().with(&[
        ("max_age", json!(3600)),
        ("claims", claims.clone()),
        ("resource", json!(["https://a.example", "https://b.example"])),
        ("prompt", json!(["none"])),
        ("of_tomorrow", json!(true)),
        ("nonce", json!("")),
    ]);
    let opened = opened.unwrap();
    assert_eq!(opened.get("state"), Some("inside"));
    assert_eq!(opened.get("max_age"), Some("3600"));
    assert_eq!(
        serde_json::from_str::<Value>(opened.get("claims").unwrap()).unwrap(),
        claims
    );
    assert!(opened.is_repeated("resource"));
    assert_eq!(
        opened.get("prompt"),
        Some("[\"none\"]"),
        "not lost: the check of prompt refuses it"
    );
    assert_eq!(opened.get("nonce"), None);
    for name in OF_THE_OBJECT.iter().chain(&["request", "request_uri"]) {
        assert_eq!(opened.get(name), None, "{name}");
    }
    let without_state = Client::new().with(&[("state", Value::Null)]).unwrap();
    assert_eq!(
        without_state.get("state"),
        None,
        "the one outside counts for nothing"
    );
}

#[test]
fn each_member_is_looked_at() {
    let client = Client::new();
    let now = NOW.seconds();
    for (name, value) in [
        ("iss", json!("cantine")),
        ("iss", Value::Null),
        ("client_id", json!("cantine")),
        ("client_id", json!(["ent"])),
        ("client_id", Value::Null),
        ("sub", json!("ent")),
        ("aud", json!("https://other.example")),
        ("aud", json!(["https://other.example"])),
        ("aud", json!("https://id.example/")),
        ("aud", json!({ "https://id.example": 1 })),
        ("aud", Value::Null),
        ("exp", json!(now)),
        ("exp", json!("tomorrow")),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("request", json!("x")),
        ("request_uri", json!("urn:ietf:params:oauth:request_uri:x")),
        ("padding", json!("é".repeat(2000))),
    ] {
        assert_eq!(client.code(name, value.clone()), INVALID, "{name}: {value}");
    }
    for (name, value) in [
        ("aud", json!(["https://other.example", ISSUER])),
        ("exp", Value::Null),
        ("exp", json!(now + 86_400 * 365)),
        ("nbf", json!(now + 8)),
        ("iat", Value::Null),
        ("sub", json!("somebody")),
    ] {
        assert_eq!(client.code(name, value.clone()), None, "{name}: {value}");
    }
    let many: Vec<_> = (0..60).map(|number| (format!("x{number}"), json!("y"))).collect();
    let many: Vec<_> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    assert_eq!(client.with(&many).err(), INVALID, "more than are read in a query");
}

#[test]
fn fapi_message_signing_section_5_3_1_an_hour_and_no_rs256() {
    let client = Client::fapi();
    let now = NOW.seconds();
    assert_eq!(client.code("nbf", json!(now - 3000)), None);
    for (changes, why) in [
        (vec![("exp", Value::Null)], "no exp"),
        (vec![("nbf", Value::Null)], "no nbf"),
        (vec![("exp", json!(now + 4200))], "70 minutes"),
        (vec![("nbf", json!(now - 4200)), ("exp", json!(now + 60))], "old"),
        (
            vec![("nbf", json!(i64::MIN)), ("exp", json!(i64::MAX))],
            "for ever",
        ),
    ] {
        assert_eq!(client.with(&changes).err(), INVALID, "{why}");
    }
    let mut client = Client::fapi();
    client.key = PrivateKey::generate(Algorithm::Rs256).unwrap();
    assert_eq!(client.code("state", json!("x")), INVALID, "RS256");
    client.party.metadata.profile = SecurityProfile::Standard;
    assert_eq!(client.code("state", json!("x")), None, "RS256 for the others");
    client.party.metadata.request_object_alg = Some("ES256".into());
    assert_eq!(
        client.code("state", json!("x")),
        INVALID,
        "not what was registered"
    );
    client.party.metadata.request_object_alg = Some("none".into());
    assert_eq!(client.code("state", json!("x")), INVALID, "none allows nothing");
}

#[test]
fn without_a_signature_nothing_is_believed() {
    let payload = Value::from(Client::claims(&[])).to_string();
    let bare = token(&json!({ "alg": "none" }), &payload, |_| Vec::new());
    let client = Client::new();
    assert_eq!(client.open(&bare).unwrap_err(), ErrorCode::RequestNotSupported);
    assert_eq!(Client::fapi().open(&bare).err(), INVALID);
    for spelling in ["None", "NONE", "nOnE", ""] {
        let bare = token(&json!({ "alg": spelling }), &payload, |_| Vec::new());
        assert_eq!(client.open(&bare).err(), INVALID, "{spelling}");
    }
    // The public key of the client, taken for a secret (RFC 8725 §2.1).
    let public = client.key.public().to_json().to_string();
    let confused = token(&json!({ "alg": "HS256", "typ": "JWT" }), &payload, |message| {
        let secret = PKey::hmac(public.as_bytes()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &secret).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    });
    assert_eq!(client.open(&confused).err(), INVALID);
    // A key that travels in the object, or an address to fetch one from.
    let thief = PrivateKey::generate(Algorithm::Es256).unwrap();
    let own = json!({ "alg": "ES256", "jwk": thief.public().to_json(), "jku": "https://evil.example/jwks" });
    let own = token(&own, &payload, |message| thief.sign(message).unwrap());
    assert_eq!(client.open(&own).err(), INVALID);
    for wrong in ["x", "a.b", "a.b.c", "a.b.c.d.e", "..", "...."] {
        assert_eq!(client.open(wrong).err(), INVALID, "{wrong}");
    }
}

#[test]
fn rfc_9101_section_10_8_one_kind_of_token_is_never_another() {
    let client = Client::new();
    let claims = Client::claims(&[]);
    for kind in [Kind::RequestObject, Kind::Jwt] {
        let token = jose::sign(&client.key, kind, &claims).unwrap();
        assert!(client.open(&token).is_ok(), "{kind:?}");
    }
    for kind in [
        Kind::ClientAssertion,
        Kind::DpopProof,
        Kind::AccessToken,
        Kind::LogoutToken,
    ] {
        let token = jose::sign(&client.key, kind, &claims).unwrap();
        assert_eq!(client.open(&token).err(), INVALID, "{kind:?}");
    }
    // An assertion says nothing of its kind, but names the client as its subject and holds no request.
    let assertion =
        json!({ "iss": "ent", "sub": "ent", "aud": ISSUER, "jti": "1", "exp": NOW.seconds() + 60 });
    let assertion = jose::sign(&client.key, Kind::Jwt, assertion.as_object().unwrap()).unwrap();
    assert_eq!(client.open(&assertion).err(), INVALID);
}

#[test]
fn a_member_that_comes_twice_says_two_things() {
    let client = Client::new();
    let payload = Value::from(Client::claims(&[])).to_string();
    let header = json!({ "alg": "ES256", "kid": client.key.public().kid() });
    let signed = |payload: &str| token(&header, payload, |message| client.key.sign(message).unwrap());
    assert!(client.open(&signed(&payload)).is_ok());
    let twice = payload.replacen('{', "{\"redirect_uri\":\"https://evil.example/cb\",", 1);
    assert_eq!(client.open(&signed(&twice)).err(), INVALID);
}

#[test]
fn one_object_and_no_reference_beside_it() {
    let read = |query: &str| RequestObject::read(&Parameters::read(query).unwrap());
    assert_eq!(read("client_id=ent"), Ok(None));
    for query in [
        "request=a.b.c&request=a.b.c",
        "request=a.b.c&request_uri=x",
        "request=a.b.c&request_uri=x&request_uri=y",
    ] {
        assert_eq!(
            read(query).unwrap_err().code,
            ErrorCode::InvalidRequest,
            "{query}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_of_a_stranger_panic(text in ".{0,200}", payload in "\\{.{0,80}\\}") {
        let client = Client { key: PrivateKey::generate(Algorithm::Es256).unwrap(), party: party("ent") };
        let signed = token(&json!({ "alg": "ES256" }), &payload, |message| client.key.sign(message).unwrap());
        for token in [text, signed] {
            let outside = Parameters::of(&[("request".to_owned(), token)]).unwrap();
            if let Ok(Some(object)) = RequestObject::read(&outside) {
                let keys = KeySet::new([client.key.public().clone()]).unwrap();
                proptest::prop_assert!(object.open(&client.party, &keys, ISSUER, NOW).is_err());
            }
        }
    }
}
