//! The examples of RFC 9449, each check by what it refuses, and what no bytes of a stranger may do.

use std::convert::Infallible;

use proptest::prelude::*;
use serde_json::json;

use super::testing::{Draft, Holder};
use super::*;
use crate::base::secret::hmac_sha256;
use crate::domain::testing::party;

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const TOKEN: &str = "https://id.example/oauth/token";

/// RFC 9449 §4.1: the proof of a token request.
const OF_TOKEN_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMz\
    R0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIs\
    ImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY\
    29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfb\
    V37xRZT3Lg";
/// RFC 9449 §7.1: the proof of a request with an access token.
const OF_RESOURCE_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgt\
    MzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQS\
    IsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGx\
    lLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBc\
    WtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
/// RFC 9449 §6.1.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn nonces(now: Timestamp) -> Nonces {
    let make = |window: i64| {
        let mac = hmac_sha256(b"key", &[&window.to_be_bytes()]).unwrap();
        Ok::<_, Infallible>(BASE64URL_NOPAD.encode(&mac))
    };
    let Ok(nonces) = Nonces::at(now, make);
    nonces
}

fn checked_at(
    proof: &str,
    request: Request<'_>,
    needs_nonce: bool,
    now: Timestamp,
) -> Result<Proved, OAuthError> {
    let rules = Rules {
        algorithms: Algorithm::OF_FAPI,
        nonces: &nonces(now),
        needs_nonce,
        now,
    };
    check(Shown::Proof(proof), request, rules).map(Option::unwrap)
}

const AT_TOKEN: Request<'_> = Request {
    method: "POST",
    address: TOKEN,
    access_token: None,
};

fn checked(draft: &Draft<'_>) -> Result<Proved, &'static str> {
    let done = checked_at(&draft.sign(), AT_TOKEN, false, NOW);
    done.map_err(|error| error.code.as_str())
}

#[test]
fn rfc_9449_sections_4_1_and_7_1() {
    let at = |seconds| Timestamp::from_seconds(seconds);
    let request = Request {
        address: "https://server.example.com/token",
        ..AT_TOKEN
    };
    let proved = checked_at(OF_TOKEN_REQUEST, request, false, at(1_562_262_616)).unwrap();
    assert_eq!((&*proved.jkt, &*proved.jti), (JKT, "-BwC3ESc6acc2lTc"));
    let token = Secret::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    let request = Request {
        method: "GET",
        address: "https://resource.example.org/protectedresource",
        access_token: Some(&token),
    };
    let proved = checked_at(OF_RESOURCE_REQUEST, request, false, at(1_562_262_618)).unwrap();
    assert_eq!((&*proved.jkt, &*proved.jti), (JKT, "e1j3V_bKic8-LAEB"));
    let other = Secret::new("another token");
    let stolen = Request {
        access_token: Some(&other),
        ..request
    };
    assert!(checked_at(OF_RESOURCE_REQUEST, stolen, false, at(1_562_262_618)).is_err());
    // The proof of §4.1 names no token, so it opens nothing.
    let elsewhere = Request {
        method: "POST",
        address: "https://server.example.com/token",
        access_token: Some(&token),
    };
    assert!(checked_at(OF_TOKEN_REQUEST, elsewhere, false, at(1_562_262_616)).is_err());
}

#[test]
fn one_header_field_or_none() {
    let rules = Rules {
        algorithms: Algorithm::OF_CLIENTS,
        nonces: &nonces(NOW),
        needs_nonce: true,
        now: NOW,
    };
    assert_eq!(check(Shown::Nothing, AT_TOKEN, rules), Ok(None));
    let several = check(Shown::Several, AT_TOKEN, rules).unwrap_err();
    assert_eq!(several.code, ErrorCode::InvalidDpopProof);
    assert_eq!(Shown::of([].into_iter()), Shown::Nothing);
    assert_eq!(Shown::of(["a"].into_iter()), Shown::Proof("a"));
    assert_eq!(Shown::of(["a", "a"].into_iter()), Shown::Several);
}

#[test]
fn each_member_that_is_missing_or_wrong_is_refused() {
    let holder = Holder::new();
    let right = || holder.proof("POST", TOKEN, "1", NOW);
    let proved = checked(&right()).unwrap();
    assert_eq!(proved.jkt, holder.jkt());
    let (other, rsa) = (Holder::new(), Holder::of(Algorithm::Rs256));
    let mut private = right().header["jwk"].clone();
    private["d"] = "AQAB".into();
    let long = "j".repeat(JTI + 1);
    let wrong = [
        right().with_header("typ", json!(null)),
        right().with_header("typ", "JWT"),
        right().with_header("alg", json!(null)),
        right().with_header("alg", "none"),
        right().with_header("alg", "HS256"),
        right().with_header("alg", "RS256"),
        right().with_header("jwk", json!(null)),
        right().with_header("jwk", private),
        right().with_header("jwk", json!({ "kty": "oct", "k": "AQAB" })),
        right().with_header("crit", json!(["b64"])),
        right().signed_by(&other),
        rsa.proof("POST", TOKEN, "1", NOW),
        right().with("jti", json!(null)),
        right().with("jti", ""),
        right().with("jti", 7),
        right().with("jti", long),
        right().with("htm", json!(null)),
        right().with("htm", "GET"),
        right().with("htm", "post"),
        right().with("htu", json!(null)),
        right().with("htu", "https://id.example/oauth/tokens"),
        right().with("htu", "https://id.example:8443/oauth/token"),
        right().with("htu", "http://id.example/oauth/token"),
        right().with("iat", json!(null)),
        right().with("iat", "now"),
        right().with("iat", NOW.seconds() - 61),
        right().with("iat", NOW.seconds() + 61),
        right().with("iat", NOW.seconds() - 3600),
        right().with("iat", NOW.seconds() + 3600),
    ];
    for draft in &wrong {
        assert_eq!(checked(draft), Err("invalid_dpop_proof"), "{draft:?}");
    }
}

#[test]
fn what_is_not_known_here_is_not_looked_at() {
    let holder = Holder::new();
    let now = NOW.seconds();
    let draft = holder
        .proof("POST", TOKEN, "1", NOW)
        .with_header("kid", "mine")
        .with_header("of_tomorrow", json!({ "a": 1 }))
        .with("nbf", now + 5)
        .with("exp", now - 5)
        .with("ath", "of no token")
        .with("of_tomorrow", true);
    assert!(checked(&draft).is_ok());
    for iat in [
        json!(now - 60),
        json!(now - 10),
        json!(now + 8),
        json!(now + 60),
        json!(1_790_841_600.5),
    ] {
        let draft = holder.proof("POST", TOKEN, "1", NOW).with("iat", iat.clone());
        assert!(checked(&draft).is_ok(), "{iat}");
    }
}

#[test]
fn rfc_3986_section_6_2_an_address_is_compared_by_what_it_means() {
    let holder = Holder::new();
    let same = |htu: &str| {
        let draft = holder.proof("POST", TOKEN, "1", NOW).with("htu", htu);
        checked(&draft).is_ok()
    };
    for right in [
        "https://id.example/oauth/token?a=b#c",
        "https://id.example/oauth/token#c",
        "HTTPS://ID.Example/oauth/token",
        "https://id.example:443/oauth/token",
        "https://id.example/x/../oauth/./token",
        "https://id.example/%6fauth/tok%65n",
    ] {
        assert!(same(right), "{right}");
    }
    for wrong in [
        "https://id.example/OAuth/token",
        "https://id.example/oauth/token/",
        "https://id.example/oauth%2Ftoken",
        "https://id.example:80/oauth/token",
        "https://evil.example/oauth/token",
        "https://evil.example@id.example/oauth/token",
        "https:id.example/oauth/token",
        "https:///id.example/oauth/token",
        "https:\\\\id.example\\oauth\\token",
        " https://id.example/oauth/token",
        "https://id.example/oauth/to\nken",
        "/oauth/token",
        "urn:oauth:token",
        "",
    ] {
        assert!(!same(wrong), "{wrong}");
    }
    assert_eq!(unescaped("a%2fb%7E%+1%z%2"), "a%2Fb~%+1%z%2");
}

#[test]
fn a_nonce_is_asked_for_checked_where_one_came_and_counts_more_than_iat() {
    let holder = Holder::new();
    let right = || holder.proof("POST", TOKEN, "1", NOW);
    let asked = |draft: &Draft<'_>, needs_nonce| {
        let done = checked_at(&draft.sign(), AT_TOKEN, needs_nonce, NOW);
        done.map_err(|error| error.code.as_str())
    };
    let current = nonces(NOW).current().to_owned();
    assert_eq!(asked(&right(), true), Err("use_dpop_nonce"));
    for needs_nonce in [false, true] {
        for wrong in [json!("x"), json!(""), json!(7), json!([current])] {
            let draft = right().with("nonce", wrong);
            assert_eq!(asked(&draft, needs_nonce), Err("use_dpop_nonce"));
        }
        // The clock of a device may be anything where the nonce says when the proof was made.
        for seconds in [-3600, 0, 3600] {
            let draft = right()
                .with("nonce", &*current)
                .with("iat", NOW.seconds() + seconds);
            let proved = asked(&draft, needs_nonce).unwrap();
            assert!(proved.kept_until > NOW.plus(std::time::Duration::from_secs(600)));
        }
        let without = right().with("nonce", &*current).with("iat", json!(null));
        assert_eq!(asked(&without, needs_nonce), Err("invalid_dpop_proof"));
    }
    // What is wrong by itself is told first: a nonce would not help.
    let other = right().with("htm", "GET");
    assert_eq!(asked(&other, true), Err("invalid_dpop_proof"));
}

#[test]
fn a_nonce_is_good_in_its_window_and_the_next_and_on_a_node_that_is_behind() {
    let window = NOW.seconds().div_euclid(NONCE_WINDOW);
    let of = |window: i64| nonces(Timestamp::from_seconds(window * NONCE_WINDOW));
    let nonce = of(window).current().to_owned();
    let found = [-2, -1, 0, 1, 2].map(|offset| of(window + offset).window_of(&nonce));
    assert_eq!(found, [None, Some(window), Some(window), Some(window), None]);
    let all = [window - 1, window, window + 1].map(|window| of(window).current().to_owned());
    assert!(all[0] != all[1] && all[1] != all[2]);
}

#[test]
fn fapi_2_0_section_5_4_1_a_party_of_that_profile_may_not_use_rs256() {
    let mut ent = party("ent");
    assert!(algorithms(&ent).contains(&Algorithm::Rs256));
    ent.metadata.profile = SecurityProfile::Fapi2;
    assert!(!algorithms(&ent).contains(&Algorithm::Rs256));
}

proptest! {
    #[test]
    fn no_bytes_of_a_stranger_panic_or_pass(proof in ".{0,200}", parts in "[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,4}") {
        for proof in [proof, parts] {
            prop_assert!(checked_at(&proof, AT_TOKEN, false, NOW).is_err());
        }
    }

    #[test]
    fn normalising_an_address_is_done_once_and_for_all(address in "(https?://[a-zA-Z0-9.%:@-]{0,20})?[a-zA-Z0-9/.%~_?#é\\\\ -]{0,40}") {
        if let Some(once) = target(&address) {
            let again = target(&once);
            prop_assert_eq!(again.as_ref(), Some(&once));
            prop_assert!(!once.contains(['?', '#']));
        }
    }

    #[test]
    fn a_proof_holds_for_a_minute_and_is_remembered_for_longer(seconds in -200i64..200, later in 0i64..200) {
        let holder = Holder::new();
        let proof = holder.proof("POST", TOKEN, "1", NOW).with("iat", NOW.seconds() + seconds).sign();
        let first = checked_at(&proof, AT_TOKEN, false, NOW);
        prop_assert_eq!(first.is_ok(), (-60..=60).contains(&seconds));
        let then = Timestamp::from_seconds(NOW.seconds() + later);
        if let (Ok(first), Ok(_)) = (first, checked_at(&proof, AT_TOKEN, false, then)) {
            prop_assert!(first.kept_until > then);
        }
    }
}
