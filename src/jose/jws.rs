//! Compact JWS with a typed header (RFC 7515 §7.1; RFC 8725 §3.11: one kind of token is never taken for another).

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::{Algorithm, JoseError, KeySet, PrivateKey};

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
}

impl Kind {
    /// The value of `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
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

/// The claims of a token that a key of `keys` has signed, by an algorithm of `allowed`, as a token of this kind.
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
    let text = |name: &str| parts.header.get(name).and_then(Value::as_str);
    if parts.header.contains_key("crit") {
        return Err(JoseError::Token("critical extensions are not understood"));
    }
    if !text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case(kind.as_str())) {
        return Err(JoseError::Token("another kind of token"));
    }
    let algorithm = text("alg")
        .and_then(Algorithm::from_name)
        .ok_or(JoseError::Algorithm)?;
    let key = text("kid")
        .and_then(|kid| keys.find(kid))
        .ok_or(JoseError::UnknownKey)?;
    // The key decides the algorithm; the header may only agree (RFC 8725 §2.1).
    if !allowed.contains(&algorithm) || key.jwk().algorithm() != algorithm {
        return Err(JoseError::Algorithm);
    }
    key.verify(parts.signed, &parts.signature)?;
    let payload = decode(parts.payload)?;
    serde_json::from_slice(&payload).map_err(|_| JoseError::Token("the claims are not an object"))
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
        let header = serde_json::from_slice(&decode(header)?).map_err(|_| JoseError::Token("no header"))?;
        Ok(Self {
            header,
            payload,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
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
    use crate::jose::{Jwk, PublicKey};

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
        assert!(public.verify(input.as_bytes(), &signature).is_ok());
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
        assert!(public.verify(input.as_bytes(), &signature).is_ok());
        assert!(
            public
                .verify(input.to_uppercase().as_bytes(), &signature)
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
}
