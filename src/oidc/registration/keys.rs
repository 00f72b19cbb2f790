//! The keys a client registers (RFC 7517 §5): public ones, of which those of a kind that is used here count.

use serde_json::Value;

use crate::jose::{Jwk, PublicKey};

/// The most keys, and the longest text of a set.
const KEYS: usize = 20;
const TEXT: usize = 32 * 1024;
/// Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A set as it is kept.
///
/// # Errors
/// What is wrong with it.
pub fn read(jwks: &Value) -> Result<String, &'static str> {
    let Some(keys) = jwks.get("keys").and_then(Value::as_array) else {
        return Err("must be a JWK Set: an object with the list keys");
    };
    if keys.is_empty() || keys.len() > KEYS {
        return Err("must have 1 to 20 keys");
    }
    for key in keys {
        if key.get("kty").and_then(Value::as_str).is_none() {
            return Err("has an entry that is no key");
        }
        if PRIVATE.iter().any(|member| key.get(member).is_some()) {
            return Err("holds a private or shared key: it is known to others now, make a new one");
        }
    }
    let text = jwks.to_string();
    if text.len() > TEXT {
        return Err("is too long");
    }
    Ok(text)
}

/// The keys of a kept set that can verify a signature here; the others are for somebody else.
pub fn usable(text: &str) -> Vec<Jwk> {
    let set: Value = serde_json::from_str(text).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    let read = |key| PublicKey::new(Jwk::from_json(key).ok()?).ok();
    keys.into_iter()
        .flatten()
        .filter_map(read)
        .map(|key| key.jwk().clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ec() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    #[test]
    fn public_keys_are_kept_and_those_of_other_kinds_do_not_count() {
        let okp = json!({"kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"});
        let mut off_curve = ec();
        off_curve["y"] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into();
        let kept = read(&json!({"keys": [ec(), okp, off_curve]})).unwrap();
        assert_eq!(usable(&kept).len(), 1);
        assert!(usable("{}").is_empty() && usable("no").is_empty());
    }

    #[test]
    fn a_private_key_is_refused() {
        for member in PRIVATE {
            let mut key = ec();
            key[*member] = "x".into();
            assert!(
                read(&json!({"keys": [key]})).unwrap_err().contains("private"),
                "{member}"
            );
        }
        for wrong in [
            json!({}),
            json!([]),
            json!({"keys": []}),
            json!({"keys": [1]}),
            json!({"keys": vec![ec(); 21]}),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        let mut long = ec();
        long["x5c"] = "x".repeat(TEXT).into();
        assert_eq!(read(&json!({"keys": [long]})), Err("is too long"));
    }
}
