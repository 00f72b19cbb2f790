//! Rules against what is said: who gets what, who gets nothing, and why.

use super::*;
use crate::base::time::parse_date;
use crate::domain::testing::staff_provider;
use crate::upstream::Statements;

const A: &str = "9990001X";
const B: &str = "9990002Y";
/// Of another academy.
const FAR: &str = "9990101F";

fn house() -> House {
    let code = |text: &str| text.parse::<AcademyCode>().unwrap();
    let schools = [(A, "09"), (B, "09"), (FAR, "14")];
    House {
        schools: schools
            .iter()
            .map(|(school, academy)| (school.parse().unwrap(), code(academy)))
            .collect(),
        academies: [code("09"), code("14")].into(),
    }
}

fn rule(holder: Holder, over: Over, grants: Option<Role>, profile: Option<Profile>) -> StaffRule {
    StaffRule {
        holder,
        over,
        grants,
        profile,
    }
}

fn function(code: &str) -> Holder {
    Holder::Function(code.into())
}

fn decided(rules: Vec<StaffRule>, claims: &serde_json::Value) -> Rights {
    let provider = UpstreamProvider {
        staff_rules: rules,
        ..staff_provider("fim")
    };
    let mut said = Statements::new();
    for (name, value) in claims.as_object().unwrap() {
        said.add_claim(name, value);
    }
    let staff = Staff::read(provider.preset, &said);
    decide(&provider, &staff, &house(), parse_date("2026-10-01").unwrap())
}

fn granted(rights: &Rights) -> Vec<String> {
    rights
        .granted
        .iter()
        .map(|right| right.gives.to_string())
        .collect()
}

fn ignored(rights: &Rights) -> Vec<(&str, WhyNot)> {
    rights.ignored.iter().map(|one| (&*one.what, one.why)).collect()
}

#[test]
fn a_head_gets_what_they_answer_for_and_nothing_elsewhere() {
    let rules = vec![rule(
        function("DIR"),
        Over::Responsible,
        Some(Role::SchoolHead),
        Some(Profile::Head),
    )];
    let claims =
        serde_json::json!({"FrEduFonctAdm": "DIR", "FrEduRneResp": [A, FAR, "0590121L"], "codaca": "009"});
    let rights = decided(rules.clone(), &claims);
    assert_eq!(
        granted(&rights),
        [
            "school_head over school 9990001X",
            "National_DIR in school 9990001X"
        ]
    );
    assert_eq!(
        ignored(&rights),
        [
            ("school 0590121L", WhyNot::NotDeclared),
            ("school 9990101F", WhyNot::ForeignAcademy)
        ]
    );
    assert_eq!(rights.granted[0].rule, "function DIR over responsible");
    let teacher = serde_json::json!({"FrEduFonctAdm": "ENS", "FrEduRneResp": [A]});
    let rights = decided(rules, &teacher);
    assert_eq!(rights.granted, []);
    assert_eq!(
        ignored(&rights),
        [
            ("function ENS", WhyNot::NoRule),
            ("school 9990001X (answers for it)", WhyNot::NoRule)
        ]
    );
}

#[test]
fn a_function_counts_in_the_school_where_it_is_said() {
    let rules = vec![
        rule(function("DIR"), Over::Schools, Some(Role::SchoolHead), None),
        rule(function("ENS"), Over::Schools, None, Some(Profile::Teacher)),
    ];
    let post = |school: &str, function: &str| format!("{school}$UAJ$PU${function}${school}$T3$ECO$151");
    // Head of one, teacher in another: head of one only.
    let claims = serde_json::json!({
        "FrEduFonctAdm": ["DIR", "ENS"], "FrEduRne": [post(A, "DIR"), post(B, "ENS")], "rne": B.to_lowercase(),
    });
    let rights = decided(rules.clone(), &claims);
    assert_eq!(
        granted(&rights),
        [
            "school_head over school 9990001X",
            "National_ENS in school 9990002Y"
        ]
    );
    // Where the school alone is said, the function of the person counts.
    let claims = serde_json::json!({"FrEduFonctAdm": "ENS", "rne": "9990002y"});
    assert_eq!(
        granted(&decided(rules, &claims)),
        ["National_ENS in school 9990002Y"]
    );
}

#[test]
fn an_academy_is_given_where_the_provider_speaks_for_it() {
    let rules = vec![rule(
        function("ADF"),
        Over::Academy,
        Some(Role::AcademyAdmin),
        None,
    )];
    for (codaca, expected) in [
        (Some("009"), Ok("academy_admin over academy 09")),
        (Some("014"), Err(("academy 14", WhyNot::ForeignAcademy))),
        (None, Err(("function ADF", WhyNot::NoAcademy))),
    ] {
        let claims = serde_json::json!({"FrEduFonctAdm": "ADF", "codaca": codaca});
        let rights = decided(rules.clone(), &claims);
        match expected {
            Ok(given) => assert_eq!(granted(&rights), [given]),
            Err(why) => assert_eq!(
                (granted(&rights), ignored(&rights)),
                (Vec::new(), vec![why]),
                "{codaca:?}"
            ),
        }
    }
}

#[test]
fn a_delegation_gives_between_its_days_and_ends_with_them() {
    let delegated = |begins: &str, ends: &str, over: &str| {
        format!("Badges|https://x.example/?applicationname=marelle|{begins}|{ends}|u|FrEduRneResp={over}|s|m")
    };
    let rules = vec![rule(
        Holder::Delegation("marelle".into()),
        Over::Responsible,
        Some(Role::SchoolAdmin),
        None,
    )];
    let decided =
        |delegations: Vec<String>| decided(rules.clone(), &serde_json::json!({"FrEduResDel": delegations}));
    let rights = decided(vec![
        delegated("01/09/2026", "02/10/2026", A),
        delegated("01/09/2026", "31/10/2026", &format!("{A};{FAR}")),
    ]);
    assert_eq!(granted(&rights), ["school_admin over school 9990001X"]);
    assert_eq!(
        rights.granted[0].until,
        parse_date("2026-11-01"),
        "the longest counts"
    );
    for (begins, ends, over, why) in [
        ("02/10/2026", "31/10/2026", A, WhyNot::NotBegun),
        ("01/09/2026", "30/09/2026", A, WhyNot::Over),
        ("01/09/2026", "31/10/2026", "X", WhyNot::NoSchool),
    ] {
        let rights = decided(vec![delegated(begins, ends, over)]);
        assert_eq!(rights.granted, []);
        assert_eq!(rights.ignored[0].why, why);
    }
    let other = delegated("01/09/2026", "31/10/2026", A).replace("=marelle|", "=BE1D|");
    assert_eq!(
        ignored(&decided(vec![other])),
        [("delegation BE1D", WhyNot::NoRule)]
    );
}

#[test]
fn nothing_outlives_the_convention_and_nobody_gets_everything() {
    let rules = vec![rule(
        function("DIR"),
        Over::Responsible,
        Some(Role::SchoolHead),
        None,
    )];
    let schools: Vec<Uai> = (9_000_000..9_000_000 + 600).map(Uai::from_number).collect();
    let provider = UpstreamProvider {
        staff_rules: rules,
        ends_on: parse_date("2026-12-01"),
        ..staff_provider("fim")
    };
    let house = House {
        schools: schools
            .iter()
            .map(|school| (school.clone(), "09".parse().unwrap()))
            .collect(),
        ..House::default()
    };
    let staff = Staff {
        functions: vec!["DIR".into()],
        responsible_for: schools,
        ..Staff::default()
    };
    let rights = decide(&provider, &staff, &house, parse_date("2026-10-01").unwrap());
    assert_eq!((rights.granted.len(), rights.ignored.len()), (MOST, 100));
    assert!(rights.granted.iter().all(|right| right.until == provider.ends_on));
}
