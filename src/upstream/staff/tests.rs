//! The samples of the field, and everything near them.

use proptest::prelude::*;

use super::*;
use crate::base::time::parse_date;

fn said(claims: &serde_json::Value) -> Statements {
    let mut said = Statements::new();
    for (name, value) in claims.as_object().unwrap() {
        said.add_claim(name, value);
    }
    said
}

const POST: &str = "0590121L$UAJ$PU$ADF$0590121L$T3$LYC$340";
const DELEGATED: &str = "ONDE|https://extranet.example/redirect?applicationname=BE1D|01/09/2026|31/10/2026|jdupont|\
    FrEduRneResp=0590121L;0590122M$UAJ$PU$N$T3$LYC$340|serveur|module";

#[test]
fn what_the_agents_provider_says_is_read_to_the_letter() {
    let claims = serde_json::json!({
        "sub": "x", "title": "DIR", "codaca": "009", "FrEduFonctAdm": "DIR", "rne": "0590123n",
        "FrEduRne": [POST], "FrEduRneResp": ["0590121L", "0590122M$UAJ$PU$N$T3$LYC$340"], "FrEduResDel": [DELEGATED],
    });
    for preset in [Preset::FimOidc, Preset::AgentsSaml] {
        let staff = Staff::read(preset, &said(&claims));
        let school = |text: &str| text.parse::<Uai>().unwrap();
        assert_eq!(staff.functions, ["DIR"]);
        assert_eq!(
            staff.schools,
            [
                Post {
                    school: school("0590121L"),
                    function: Some("ADF".into())
                },
                Post {
                    school: school("0590123N"),
                    function: None
                },
            ]
        );
        let both = [school("0590121L"), school("0590122M")];
        assert_eq!(staff.responsible_for, both);
        assert_eq!(staff.academy.as_ref().map(AcademyCode::as_str), Some("09"));
        let [delegation] = staff.delegations.as_slice() else {
            panic!("{staff:?}")
        };
        assert_eq!(
            (&*delegation.application, &delegation.schools[..]),
            ("BE1D", &both[..])
        );
        let day = |text| parse_date(text).unwrap();
        assert_eq!(delegation.until(), day("2026-11-01"));
        for (on, is_live) in [
            ("2026-08-31", false),
            ("2026-09-01", true),
            ("2026-10-31", true),
            ("2026-11-01", false),
        ] {
            assert_eq!(delegation.is_live(day(on)), is_live, "{on}");
        }
        assert_eq!(staff.unread, []);
    }
    for preset in [Preset::ProConnect, Preset::GenericOidc, Preset::EduConnectSaml] {
        assert_eq!(Staff::read(preset, &said(&claims)), Staff::default());
    }
}

#[test]
fn a_scalar_is_a_list_of_one_and_x_is_none() {
    let none = said(&serde_json::json!({"FrEduRneResp": "X"}));
    assert_eq!(Staff::read(Preset::FimOidc, &none), Staff::default());
    let one = said(&serde_json::json!({"FrEduRneResp": "0590121L", "codaca": ["009", "014"]}));
    let staff = Staff::read(Preset::FimOidc, &one);
    assert_eq!(staff.responsible_for.len(), 1);
    assert_eq!(
        (staff.academy, staff.unread.len()),
        (None, 2),
        "two academies are none"
    );
}

#[test]
fn what_does_not_fit_exactly_is_nothing() {
    for wrong in ["", "dir", "DIR ", "D$R", "É", "TOOLONGACODE"] {
        assert_eq!(function(wrong), None, "{wrong}");
    }
    for wrong in [
        "0590121L",
        "0590121L$UAJ$PU$ADF$0590121L$T3$LYC",
        "0590121L$UAJ$PU$ADF$0590121L$T3$LYC$340$",
        "0590121l$UAJ$PU$ADF$0590121L$T3$LYC$340",
        "590121L$UAJ$PU$ADF$0590121L$T3$LYC$340",
        "0590121L$UAJ$XX$ADF$0590121L$T3$LYC$340",
        "0590121L$UAJ$PU$$0590121L$T3$LYC$340",
        "0590121L$UAJ$PU$ADF$0590121L$T3$LYC$34",
        "0590121L$UAJ$PU$ADF$0590121L$T3$LYC$34O",
        "0590121L|UAJ|PU|ADF|0590121L|T3|LYC|340",
        " 0590121L$UAJ$PU$ADF$0590121L$T3$LYC$340",
        " 590121L$UAJ$PU$ADF$0590121L$T3$LYC$340",
    ] {
        assert_eq!(post(wrong), None, "{wrong}");
    }
    for wrong in [
        "",
        "x",
        "XX",
        "0590121",
        "0590121l",
        "059O121L",
        "0590121L$",
        "0590121L;0590122M",
        POST,
    ] {
        assert_eq!(responsibility(wrong), None, "{wrong}");
    }
    for wrong in ["", "9", "09", "0009", "109", "000", "00x", "-09", "14 "] {
        assert_eq!(academy(wrong), None, "{wrong}");
    }
    assert!(delegation(DELEGATED).is_some());
    for (from, to) in [
        ("01/09/2026", "1/9/2026"),
        ("01/09/2026", "2026-09-01"),
        ("01/09/2026", "31/02/2026"),
        ("01/09/2026", "01/11/2026"),
        ("01/09/2026", ""),
        ("?applicationname=", "?application="),
        ("applicationname=BE1D", "applicationname=BE1D&x=1"),
        ("applicationname=BE1D", "applicationname="),
        ("FrEduRneResp=", "FrEduRne="),
        ("0590121L;", "0590121;"),
        ("0590121L;", ";"),
        ("|module", ""),
        ("|module", "|module|"),
        ("jdupont", "j\u{0}dupont"),
    ] {
        assert_eq!(
            delegation(&DELEGATED.replacen(from, to, 1)),
            None,
            "{from} → {to}"
        );
    }
    let over_none = DELEGATED.replacen("0590121L;0590122M$UAJ$PU$N$T3$LYC$340", "X", 1);
    assert_eq!(delegation(&over_none).unwrap().schools, []);
}

proptest! {
    #[test]
    fn whatever_comes_is_read_without_a_fall(text in "\\PC{0,120}") {
        let claims = serde_json::json!({
            "FrEduFonctAdm": text, "FrEduRne": text, "FrEduRneResp": text, "FrEduResDel": text, "rne": text,
            "codaca": text,
        });
        let staff = Staff::read(Preset::FimOidc, &said(&claims));
        prop_assert!(staff.delegations.is_empty() || text.contains("applicationname="));
    }

    #[test]
    fn one_symbol_off_says_another_thing_or_nothing(at in 0..39usize, symbol in "[ -~]") {
        let mut text = POST.to_owned();
        text.replace_range(at..=at, &symbol);
        if let Some(read) = post(&text) {
            // Where it still reads, the school is what stands there.
            prop_assert_eq!(read.school.as_str(), &text[..8]);
            prop_assert_eq!(read.function.as_deref(), text.split('$').nth(3));
        }
    }

    #[test]
    fn what_the_directory_writes_is_read(number in 0..10_000_000u32, function in "[A-Z]{2,4}", kind in "[A-Z]{3}") {
        let school = Uai::from_number(number);
        let read = post(&format!("{school}$UAJ$PR${function}${school}$T3${kind}$340")).unwrap();
        prop_assert_eq!(read, Post { school: school.clone(), function: Some(function) });
        let read = responsibility(&format!("{school}$UAJ$PU$N$T3${kind}$340"));
        prop_assert_eq!(read, Some(vec![school]));
    }

    #[test]
    fn a_day_is_the_day_that_is_written(day_of in 1..=28u32, month in 1..=12u32, year in 1990..2100i32) {
        let read = day(&format!("{day_of:02}/{month:02}/{year}"));
        prop_assert_eq!(read, NaiveDate::from_ymd_opt(year, month, day_of));
    }
}
