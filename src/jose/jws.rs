//! Compact JWS with a typed header (RFC 7515 §7.1; RFC 8725 §3.11: one kind of token is never taken for another).

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::members::Members;
use super::{Algorithm, JoseError, Jwk, KeySet, PrivateKey, PublicKey};

/// Longer than any token we make or take.
const LIMIT: usize = 16 * 1024;

/// What kind of token a JWS is: its `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ID Token.
    Jwt,
    /// An access token (RFC 9068 §2.1).
    AccessToken,
    /// A logout token (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// A security event token (RFC 8417 §2.3).
    SecurityEvent,
    /// An introspection answer (RFC 9701 §5).
    IntrospectionResponse,
    /// A proof of possession (RFC 9449 §4.2).
    DpopProof,
    /// A request object (RFC 9101 §10.8).
    RequestObject,
    /// A client assertion; few say so (draft-ietf-oauth-rfc7523bis §4).
    ClientAssertion,
}

impl Kind {
    /// The value of `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::SecurityEvent => "secevent+jwt",
            Self::IntrospectionResponse => "token-introspection+jwt",
            Self::DpopProof => "dpop+jwt",
            Self::RequestObject => "oauth-authz-req+jwt",
            Self::ClientAssertion => "client-authentication+jwt",
        }
    }
}

/// Signs claims.
///
/// # Errors
/// When the library refuses.
pub fn sign(key: &PrivateKey, kind: Kind, claims: &Map<String, Value>) -> Result<String, JoseError> {
    let public = key.public();
    let header = json!({ "alg": public.algorithm().as_str(), "typ": kind.as_str(), "kid": public.kid() });
    let claims = serde_json::to_vec(claims).map_err(|_| JoseError::Token("claims do not serialize"))?;
    let mut token = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(&claims, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    Ok(token)
}

/// The claims of a token of ours that a key of `keys` has signed, by an algorithm of `allowed`, as a token of this kind.
/// Nothing of it is believed before: keys in the header are not read, extensions are refused (RFC 7515 §4.1.11).
///
/// # Errors
/// [`JoseError`]; which one is for the log, not for whoever sent the token.
pub fn verify(
    token: &str,
    keys: &KeySet,
    allowed: &[Algorithm],
    kind: Kind,
) -> Result<Map<String, Value>, JoseError> {
    let parts = Parts::read(token)?;
    if !parts.is_of(kind) {
        return Err(JoseError::Token("another kind of token"));
    }
    let algorithm = parts.algorithm(allowed)?;
    let key = parts
        .text("kid")
        .and_then(|kid| keys.find(kid))
        .ok_or(JoseError::UnknownKey)?;
    // The key decides the algorithm; the header may only agree (RFC 8725 §2.1).
    key.verify(algorithm, parts.signed, &parts.signature)?;
    parts.claims()
}

/// The claims of a token that one of somebody else's keys has signed: a client's, or an upstream provider's. They are less
/// strict than we are: a token without `kid` may be of any of their keys, one without `typ`, or with the plain `JWT`, of any
/// kind that they sign. A kind that is named must be this one.
///
/// # Errors
/// [`JoseError`].
pub fn verify_from_client(
    token: &str,
    keys: &KeySet,
    allowed: &[Algorithm],
    kind: Kind,
) -> Result<Map<String, Value>, JoseError> {
    let parts = Parts::read(token)?;
    if parts.header.contains_key("typ") && !parts.is_of(kind) && !parts.is_of(Kind::Jwt) {
        return Err(JoseError::Token("another kind of token"));
    }
    let algorithm = parts.algorithm(allowed)?;
    let mut last = JoseError::UnknownKey;
    for key in keys.candidates(parts.text("kid"), algorithm) {
        match key.verify(algorithm, parts.signed, &parts.signature) {
            Ok(()) => return parts.claims(),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The claims of a proof and the key that travels in its header (RFC 9449 §4.3): the one place where such a key is read,
/// because what it proves is that very key.
///
/// # Errors
/// [`JoseError`].
pub fn verify_proof(
    proof: &str,
    allowed: &[Algorithm],
    kind: Kind,
) -> Result<(Jwk, Map<String, Value>), JoseError> {
    let parts = Parts::read(proof)?;
    if !parts.is_of(kind) {
        return Err(JoseError::Token("another kind of token"));
    }
    let algorithm = parts.algorithm(allowed)?;
    let key = parts
        .header
        .get("jwk")
        .ok_or(JoseError::Key("no key in the header"))?;
    let key = PublicKey::new(Jwk::from_json(key)?)?;
    key.verify(algorithm, parts.signed, &parts.signature)?;
    Ok((key.jwk().clone(), parts.claims()?))
}

/// What a token says of itself, before anything of it is believed: enough to look for the key that may prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// The name of the key.
    pub kid: Option<String>,
    /// Who says that they issued it.
    pub issuer: Option<String>,
    /// Whether it says that nobody has signed it (`alg: none`, RFC 7518 §3.6); such a token is never verified.
    pub is_unsigned: bool,
}

impl Unverified {
    /// Reads a token.
    ///
    /// # Errors
    /// [`JoseError`] for what is no token at all.
    pub fn read(token: &str) -> Result<Self, JoseError> {
        let parts = Parts::read(token)?;
        let claims = parts.claims()?;
        Ok(Self {
            kid: parts.text("kid").map(str::to_owned),
            issuer: claims.get("iss").and_then(Value::as_str).map(str::to_owned),
            is_unsigned: parts.text("alg") == Some("none"),
        })
    }
}

/// A token taken apart, nothing believed yet.
struct Parts<'a> {
    header: Map<String, Value>,
    payload: &'a str,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn read(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > LIMIT {
            return Err(JoseError::Token("too long"));
        }
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or(JoseError::Token("not three parts"))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or(JoseError::Token("not three parts"))?;
        let header: Members =
            serde_json::from_slice(&decode(header)?).map_err(|_| JoseError::Token("no header"))?;
        Ok(Self {
            header: header.0,
            payload,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// RFC 7515 §4.1.9: a media type, `application/` left out or not.
    fn is_of(&self, kind: Kind) -> bool {
        let named = self.text("typ").unwrap_or_default();
        let named = named.strip_prefix("application/").unwrap_or(named);
        named.eq_ignore_ascii_case(kind.as_str())
    }

    /// The algorithm it names, where it is allowed and nothing critical is asked for (RFC 7515 §4.1.11).
    fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, JoseError> {
        if self.header.contains_key("crit") {
            return Err(JoseError::Token("critical extensions are not understood"));
        }
        let algorithm = self.text("alg").and_then(Algorithm::from_name);
        algorithm
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(JoseError::Algorithm)
    }

    /// The claims; believed only after [`PublicKey::verify`].
    fn claims(&self) -> Result<Map<String, Value>, JoseError> {
        let payload = decode(self.payload)?;
        let claims: Members = serde_json::from_slice(&payload)
            .map_err(|_| JoseError::Token("the claims are not an object of members that come once"))?;
        Ok(claims.0)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JoseError> {
    let decoded = BASE64URL_NOPAD.decode(part.as_bytes());
    decoded.map_err(|_| JoseError::Token("not base64url"))
}

#[cfg(test)]
mod tests {
    use openssl::bn::BigNum;
    use openssl::pkey::PKey;
    use openssl::rsa::RsaPrivateKeyBuilder;

    use super::*;

    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL\
        -yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTB\
        EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9\
        gb54h4FRWyuXpoQ";
    const RSA_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe4\
        6sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZH\
        HzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU9\
        1p1DhOVRuOopznQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2\
        Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN\
        9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVr\
        Bp0igcN_IoypGlUPQGe77Rw";

    #[test]
    fn rfc_7515_appendix_a_2() {
        let number =
            |text: &str| BigNum::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap();
        let rsa = RsaPrivateKeyBuilder::new(number(RSA_N), number("AQAB"), number(RSA_D)).unwrap();
        let key = PrivateKey::new(PKey::from_rsa(rsa.build()).unwrap()).unwrap();
        let input = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}");
        let signature = key.sign(input.as_bytes()).unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(&signature), RSA_SIGNATURE);
        let public = PublicKey::new(key.public().clone()).unwrap();
        assert!(
            public
                .verify(Algorithm::Rs256, input.as_bytes(), &signature)
                .is_ok()
        );
    }

    #[test]
    fn rfc_7515_appendix_a_3() {
        let key = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let signature =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let public = PublicKey::new(Jwk::from_json(&key).unwrap()).unwrap();
        let input = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(
            public
                .verify(Algorithm::Es256, input.as_bytes(), &signature)
                .is_ok()
        );
        assert!(
            public
                .verify(Algorithm::Es256, input.to_uppercase().as_bytes(), &signature)
                .is_err()
        );
    }

    fn claims() -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("sub".into(), "abc".into());
        claims
    }

    fn forge(header: &Value, signature: &[u8]) -> String {
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let claims = Value::Object(claims()).to_string();
        format!(
            "{}.{}.{}",
            part(header.to_string().as_bytes()),
            part(claims.as_bytes()),
            part(signature)
        )
    }

    #[test]
    fn a_token_verifies_by_its_key_kind_and_algorithm_only() {
        let rsa = PrivateKey::generate(Algorithm::Rs256).unwrap();
        let ec = PrivateKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::new([rsa.public().clone(), ec.public().clone()]).unwrap();
        for key in [&rsa, &ec] {
            let token = sign(key, Kind::Jwt, &claims()).unwrap();
            assert_eq!(
                verify(&token, &keys, Algorithm::ALL, Kind::Jwt).unwrap(),
                claims()
            );
            let other = verify(&token, &keys, Algorithm::ALL, Kind::LogoutToken);
            assert!(matches!(other, Err(JoseError::Token(_))), "{other:?}");
            let empty = verify(&token, &KeySet::default(), Algorithm::ALL, Kind::Jwt);
            assert!(matches!(empty, Err(JoseError::UnknownKey)), "{empty:?}");
            let narrow = verify(&token, &keys, &[], Kind::Jwt);
            assert!(matches!(narrow, Err(JoseError::Algorithm)), "{narrow:?}");
            let (head, _) = token.rsplit_once('.').unwrap();
            for broken in [
                format!("{head}."),
                format!("{head}.AAAA"),
                head.to_owned(),
                format!("{token}.x"),
            ] {
                assert!(
                    verify(&broken, &keys, Algorithm::ALL, Kind::Jwt).is_err(),
                    "{broken}"
                );
            }
        }
    }

    #[test]
    fn none_hmac_with_the_public_key_and_foreign_headers_are_refused() {
        let rsa = PrivateKey::generate(Algorithm::Rs256).unwrap();
        let stranger = PrivateKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::new([rsa.public().clone()]).unwrap();
        let kid = rsa.public().kid();
        let hmac_key = rsa.public().to_json().to_string();
        let mac = crate::base::secret::hmac_sha256(hmac_key.as_bytes(), &[b"x"]).unwrap();
        let embedded = stranger.public().to_json();
        for header in [
            json!({ "alg": "none", "typ": "JWT", "kid": kid }),
            json!({ "alg": "HS256", "typ": "JWT", "kid": kid }),
            json!({ "alg": "ES256", "typ": "JWT", "kid": kid }),
            json!({ "alg": "ES256", "typ": "JWT", "jwk": embedded }),
            json!({ "alg": "RS256", "typ": "JWT", "kid": kid, "crit": ["b64"], "b64": false }),
            json!({ "alg": "RS256", "kid": kid }),
            json!({ "typ": "JWT", "kid": kid }),
        ] {
            for signature in [&[][..], &mac] {
                let refused = verify(&forge(&header, signature), &keys, Algorithm::ALL, Kind::Jwt);
                assert!(refused.is_err(), "{header}");
            }
        }
    }

    #[test]
    fn rfc_8037_appendix_a_4() {
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let public = PublicKey::new(Jwk::from_json(&key).unwrap()).unwrap();
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(
            public
                .verify(Algorithm::EdDsa, input.as_bytes(), &signature)
                .is_ok()
        );
        assert!(
            public
                .verify(Algorithm::EdDsa, b"another message", &signature)
                .is_err()
        );
    }

    /// A token of a client: any header, signed by a key of OpenSSL's.
    fn of_client(header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let claims = Value::Object(claims()).to_string();
        let signed = format!(
            "{}.{}",
            part(header.to_string().as_bytes()),
            part(claims.as_bytes())
        );
        let signature = part(&sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn rfc_7518_section_3_5_a_client_signs_by_ps256() {
        let rsa = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let pss = |salt| {
            let rsa = rsa.clone();
            move |message: &[u8]| {
                let mut signer =
                    openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &rsa).unwrap();
                signer.set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS).unwrap();
                signer.set_rsa_pss_saltlen(salt).unwrap();
                signer.sign_oneshot_to_vec(message).unwrap()
            }
        };
        let mut jwk = PrivateKey::new(rsa.clone()).unwrap().public().to_json();
        jwk.as_object_mut().unwrap().remove("alg");
        let keys = KeySet::read(&json!({ "keys": [jwk] })).unwrap();
        let salt = || openssl::sign::RsaPssSaltlen::DIGEST_LENGTH;
        let right = of_client(&json!({ "alg": "PS256" }), pss(salt()));
        let verified =
            |token: &str, allowed| verify_from_client(token, &keys, allowed, Kind::ClientAssertion);
        assert_eq!(verified(&right, Algorithm::OF_FAPI).unwrap(), claims());
        // One algorithm is never taken for the other.
        let renamed = of_client(&json!({ "alg": "RS256" }), pss(salt()));
        assert!(verified(&renamed, Algorithm::OF_CLIENTS).is_err());
        let short = openssl::sign::RsaPssSaltlen::custom(8);
        assert!(
            verified(
                &of_client(&json!({ "alg": "PS256" }), pss(short)),
                Algorithm::OF_FAPI
            )
            .is_err()
        );
    }

    #[test]
    fn a_client_may_leave_out_kid_and_typ_but_not_lie_about_them() {
        let (right, other) = (
            PrivateKey::generate(Algorithm::Es256).unwrap(),
            PrivateKey::generate(Algorithm::Es256).unwrap(),
        );
        let mut unnamed = right.public().to_json();
        unnamed.as_object_mut().unwrap().remove("kid");
        let encryption = json!({ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" });
        let document = json!({ "keys": [encryption, other.public().to_json(), unnamed] });
        let keys = KeySet::read(&document).unwrap();
        let token = |header: Value| of_client(&header, |message| right.sign(message).unwrap());
        let verified =
            |token: &str| verify_from_client(token, &keys, Algorithm::OF_CLIENTS, Kind::ClientAssertion);
        assert!(verified(&token(json!({ "alg": "ES256" }))).is_ok());
        assert!(verified(&token(json!({ "alg": "ES256", "typ": "JWT" }))).is_ok());
        let named = json!({ "alg": "ES256", "typ": "application/client-authentication+jwt" });
        assert!(verified(&token(named)).is_ok());
        for wrong in [
            json!({ "alg": "ES256", "typ": "dpop+jwt" }),
            json!({ "alg": "ES256", "kid": "unknown" }),
            json!({ "alg": "ES256", "kid": other.public().kid() }),
            json!({ "alg": "RS256" }),
            json!({ "alg": "ES256", "crit": ["b64"], "b64": false }),
        ] {
            assert!(verified(&token(wrong.clone())).is_err(), "{wrong}");
        }
        let private = json!({ "keys": [{ "kty": "oct", "k": "AQAB" }] });
        assert!(KeySet::read(&private).is_err());
    }

    #[test]
    fn case_38_no_algorithm_the_public_key_as_secret_and_a_key_of_the_tokens_own() {
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::new([key.public().clone()]).unwrap();
        let verified =
            |token: &str| verify_from_client(token, &keys, Algorithm::OF_CLIENTS, Kind::ClientAssertion);
        for alg in ["none", "None", "NONE", ""] {
            assert!(verified(&forge(&json!({ "alg": alg }), b"")).is_err(), "{alg}");
        }
        let public = key.public().to_json().to_string();
        let hs256 = |message: &[u8]| {
            crate::base::secret::hmac_sha256(public.as_bytes(), &[message])
                .unwrap()
                .to_vec()
        };
        assert!(verified(&of_client(&json!({ "alg": "HS256" }), hs256)).is_err());
        let thief = PrivateKey::generate(Algorithm::Es256).unwrap();
        let own =
            json!({ "alg": "ES256", "jwk": thief.public().to_json(), "jku": "https://evil.example/jwks" });
        assert!(verified(&of_client(&own, |message| thief.sign(message).unwrap())).is_err());
    }

    #[test]
    fn a_proof_is_of_the_key_in_its_header_and_of_its_kind() {
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let signed = |header: Value| of_client(&header, |message| key.sign(message).unwrap());
        let proved = |proof: &str| verify_proof(proof, Algorithm::OF_FAPI, Kind::DpopProof);
        let jwk = key.public().to_json();
        let right = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk });
        let (found, read) = proved(&signed(right)).unwrap();
        assert_eq!((found.thumbprint(), read), (key.public().thumbprint(), claims()));
        let mut private = jwk.clone();
        private["d"] = "AQAB".into();
        for wrong in [
            json!({ "alg": "ES256", "typ": "JWT", "jwk": jwk }),
            json!({ "alg": "ES256", "jwk": jwk }),
            json!({ "alg": "ES256", "typ": "dpop+jwt" }),
            json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": private }),
            json!({ "alg": "none", "typ": "dpop+jwt", "jwk": jwk }),
            json!({ "alg": "RS256", "typ": "dpop+jwt", "jwk": jwk }),
        ] {
            assert!(proved(&signed(wrong.clone())).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_of_a_stranger_panic(token in ".{0,200}", parts in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
            for token in [token, parts] {
                let empty = KeySet::default();
                proptest::prop_assert!(verify(&token, &empty, Algorithm::ALL, Kind::Jwt).is_err());
                proptest::prop_assert!(verify_from_client(&token, &empty, Algorithm::OF_CLIENTS, Kind::Jwt).is_err());
                proptest::prop_assert!(verify_proof(&token, Algorithm::OF_CLIENTS, Kind::DpopProof).is_err());
                drop(Unverified::read(&token));
            }
        }
    }
}
