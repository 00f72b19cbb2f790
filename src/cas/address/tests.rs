//! Addresses as somebody writes them who wants a ticket sent elsewhere.

use proptest::prelude::*;

use super::*;
use crate::domain::testing::party;

fn covers(declared: &str, given: &str) -> bool {
    let declared = Declared::read(declared).unwrap();
    Address::read(given).is_ok_and(|address| declared.covers(&address))
}

const DECLARED: &str = "https://ent.example/app";

#[test]
fn an_address_and_everything_below_its_path_is_covered() {
    for given in [
        "https://ent.example/app",
        "https://ent.example/app/",
        "https://ent.example/app?school=9990001X&next=%2Fhome",
        "https://ent.example/app/page/of%20a/child?x=https://other.example/",
        "https://ent.example:443/app",
        "https://ent.example/app/élève?nom=Maëlle",
    ] {
        assert!(covers(DECLARED, given), "{given}");
    }
    assert!(covers("https://ent.example", "https://ent.example/anything"));
    assert!(covers("https://ent.example/", "https://ent.example?x=1"));
    assert!(covers("https://ent.example/app/", "https://ent.example/app"));
    assert!(covers("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a/b"));
    assert!(covers(
        "https://[2001:db8::1]:8443/a",
        "https://[2001:db8::1]:8443/a"
    ));
}

#[test]
fn attack_34_a_service_address_by_prefix() {
    for given in [
        "https://ent.example/application",
        "https://ent.example/app.evil",
        "https://ent.example/app;x=1/",
        "https://ent.example/",
        "https://ent.example/APP",
        "https://ent.example.evil.example/app",
        "https://evil-ent.example/app",
        "https://sub.ent.example/app",
        "https://ent.example:8443/app",
        "http://ent.example/app",
        "https://evil.example/?https://ent.example/app",
        "https://evil.example/https://ent.example/app",
    ] {
        assert!(!covers(DECLARED, given), "{given}");
    }
}

#[test]
fn attack_34_a_service_address_with_user_information() {
    for given in [
        "https://ent.example@evil.example/app",
        "https://ent.example:443@evil.example/app",
        "https://@ent.example/app",
        "https://a:b@ent.example/app",
        "https://ent.example%40evil.example/app",
        "https://ent.example:/app",
        "https://ent.example:00443/app",
        "https://ent.example:99999/app",
        "https://ent.example:443:443/app",
    ] {
        assert!(Address::read(given).is_err(), "{given}");
    }
}

#[test]
fn attack_34_a_service_address_with_a_backslash() {
    for given in [
        r"https://evil.example\@ent.example/app",
        r"https://ent.example\.evil.example/app",
        r"https:\\ent.example/app",
        r"https://ent.example/app\..\..\evil",
        r"https://ent.example/app?x=\",
        "https://ent.example/app/%5c..%5cevil",
    ] {
        assert!(Address::read(given).is_err(), "{given}");
    }
}

#[test]
fn attack_34_a_service_address_with_a_fragment() {
    for given in [
        "https://ent.example/app#",
        "https://ent.example/app#@evil.example/",
        "https://evil.example#https://ent.example/app",
        "https://ent.example/app?x=1#y",
    ] {
        assert_eq!(Address::read(given), Err(AddressError::Fragment), "{given}");
    }
}

#[test]
fn attack_34_a_service_address_that_climbs_or_hides_its_path() {
    for given in [
        "https://ent.example/app/../evil",
        "https://ent.example/app/./x",
        "https://ent.example/app/..",
        "https://ent.example/app/..;/evil",
        "https://ent.example/app/%2e%2e/evil",
        "https://ent.example/app/%2E./evil",
        "https://ent.example/app/.%2e/evil",
        "https://ent.example/app%2f..%2fevil",
        "https://ent.example/app/%252e%252e/evil",
        "https://ent.example/app/%00",
        "https://ent.example/app/%0d%0aset-cookie:x",
        "https://ent.example/app/%7f",
        "https://ent.example/app/%",
        "https://ent.example/app/%zz",
    ] {
        assert_eq!(Address::read(given), Err(AddressError::Path), "{given}");
    }
}

#[test]
fn attack_34_a_service_address_whose_host_is_not_written_plainly() {
    for given in [
        "https://еnt.example/app",
        "https://ent.example\u{2024}evil/app",
        "https://ｅnt.example/app",
        "https://ent%2eexample/app",
        "https://%65nt.example/app",
        "https://ent.example./app",
        "https://ENT.example/app",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "https:///ent.example/app",
        "https:/ent.example/app",
        "https:ent.example/app",
        "//ent.example/app",
        "/app",
        "ent.example/app",
        "javascript://ent.example/app",
        "ftp://ent.example/app",
        "HTTPS://ent.example/app",
        "https://",
        "",
    ] {
        assert!(Address::read(given).is_err(), "{given}");
    }
    let punycode = Declared::read("https://xn--cole-9oa.example/").unwrap();
    assert!(punycode.covers(&Address::read("https://xn--cole-9oa.example/a").unwrap()));
    assert!(Address::read("https://école.example/").is_err());
}

#[test]
fn attack_34_a_service_address_with_controls_and_blanks() {
    for symbol in [
        '\0', '\t', '\n', '\r', ' ', '\u{7f}', '\u{a0}', '\u{2028}', '\u{202e}', '\u{feff}', '／',
    ] {
        for given in [
            format!("{symbol}https://ent.example/app"),
            format!("https://ent{symbol}.example/app"),
            format!("https://ent.example/ap{symbol}p"),
            format!("https://ent.example/app?{symbol}"),
            format!("https://ent.example/app{symbol}"),
        ] {
            assert_eq!(Address::read(&given), Err(AddressError::Character), "{given:?}");
        }
    }
    assert_eq!(
        Address::read_bytes(b"https://ent.example/\xff"),
        Err(AddressError::Character)
    );
    let long = format!("https://ent.example/{}", "a".repeat(LIMIT));
    assert_eq!(Address::read(&long), Err(AddressError::TooLong));
}

#[test]
fn one_address_is_another_where_both_mean_the_same() {
    let same = |one: &str, other: &str| {
        let (one, other) = (Address::read(one).unwrap(), Address::read(other).unwrap());
        one.is_same(&other)
    };
    assert!(same("https://ent.example", "https://ent.example/"));
    assert!(same("https://ent.example:443/a?b=c", "https://ent.example/a?b=c"));
    assert!(same("https://ent.example/é", "https://ent.example/%C3%A9"));
    for other in [
        "https://ent.example/a",
        "https://ent.example/a/?b=c",
        "https://ent.example/a?b=d",
        "http://ent.example/a?b=c",
    ] {
        assert!(!same("https://ent.example/a?b=c", other), "{other}");
    }
}

#[test]
fn of_several_services_the_one_declared_deepest_is_meant_and_none_that_is_out_of_use() {
    let service = |id: &str, address: &str| {
        let mut party = party(id);
        party.cas = Some(CasService {
            services: vec![address.into(), "nonsense".into()],
            ..CasService::default()
        });
        party
    };
    let mut parties = vec![
        service("ent", "https://ent.example"),
        service("notes", "https://ent.example/notes"),
        party("oidc-only"),
    ];
    let found = |parties: &[RelyingParty], text: &str| {
        let address = Address::read(text).unwrap();
        find(parties, &address).map(|found| (found.party.id.to_string(), found.place))
    };
    let place = |id: &str, place: &str| Some((id.to_owned(), place.to_owned()));
    assert_eq!(
        found(&parties, "https://ent.example/notes/6e"),
        place("notes", "https://ent.example/notes")
    );
    assert_eq!(
        found(&parties, "https://ent.example/notesx"),
        place("ent", "https://ent.example")
    );
    assert_eq!(found(&parties, "https://oidc-only.example/cb"), None);
    parties[1].enabled = false;
    assert_eq!(
        found(&parties, "https://ent.example/notes/6e"),
        place("ent", "https://ent.example"),
        "as if it were not declared"
    );
}

#[test]
fn an_operator_writes_https_without_a_query() {
    for (wrong, why) in [
        ("http://ent.example/", "must be https"),
        ("https://ent.example/?a=b", "query"),
        ("https://ent.example/*#", "fragment"),
        ("ent.example", "not an http(s) address"),
    ] {
        assert!(Declared::read(wrong).unwrap_err().contains(why), "{wrong}");
    }
    assert!(Declared::read("http://localhost:8080/").is_ok());
}

proptest! {
    #[test]
    fn whatever_is_covered_leads_a_browser_to_the_declared_host_and_path(
        text in "(https?:)?[/\\\\@:.#%?;ent.example/ap0-9a-f]{0,60}",
    ) {
        let declared = Declared::read(DECLARED).unwrap();
        for text in [text.clone(), format!("https://ent.example{text}"), format!("https://ent.example/app{text}")] {
            let Ok(address) = Address::read(&text) else { continue };
            if declared.covers(&address) {
                let url = Url::parse(&text).unwrap();
                prop_assert_eq!(url.host_str(), Some("ent.example"));
                prop_assert_eq!((url.scheme(), url.port()), ("https", None));
                prop_assert!(url.path() == "/app" || url.path().starts_with("/app/"));
                prop_assert!(url.username().is_empty() && url.fragment().is_none());
            }
        }
    }

    #[test]
    fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Address::read_bytes(&bytes));
    }
}
