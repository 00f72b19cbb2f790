//! Proof Key for Code Exchange (RFC 7636), S256 only: `plain` protects nothing against who reads the request.

use data_encoding::BASE64URL_NOPAD;

use crate::base::secret::{equal, sha256};

/// The method we know.
pub const METHOD: &str = "S256";

/// Whether text has the shape of an S256 challenge (RFC 7636 §4.2): 32 bytes in base64url, which is 43 characters.
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok()
}

/// Whether text has the shape of a verifier (RFC 7636 §4.1): 43 to 128 unreserved characters.
pub fn is_verifier(text: &str) -> bool {
    let unreserved =
        |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Whether a verifier is the one of a challenge (RFC 7636 §4.6), in constant time.
pub fn matches(challenge: &str, verifier: &str) -> bool {
    let computed = BASE64URL_NOPAD.encode(&sha256(verifier.as_bytes()));
    is_verifier(verifier) && equal(computed.as_bytes(), challenge.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc_7636_appendix_b() {
        assert!(is_verifier(VERIFIER) && is_challenge(CHALLENGE));
        assert!(matches(CHALLENGE, VERIFIER));
    }

    #[test]
    fn case_35_plain_and_other_verifiers_do_not_match() {
        assert!(!matches(VERIFIER, VERIFIER), "plain");
        assert!(!matches(CHALLENGE, &VERIFIER.replace('d', "e")));
        assert!(!matches(CHALLENGE, ""));
        for short in [
            "",
            "abc",
            &VERIFIER[1..],
            &"a".repeat(129),
            &VERIFIER.replace('-', "+"),
        ] {
            assert!(!is_verifier(short), "{short}");
        }
        for wrong in [
            "",
            "abc",
            &CHALLENGE[1..],
            &CHALLENGE.replace('-', "+"),
            &format!("{CHALLENGE}="),
        ] {
            assert!(!is_challenge(wrong), "{wrong}");
        }
    }
}
