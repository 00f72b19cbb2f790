//! What is told of a pupil by each preset and under each kind of names, and that nothing is told that is not listed.

use super::*;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Attribute, RelyingParty};
use crate::domain::source::{AafKey, Sex};
use crate::domain::testing::{aaf_key, contact, enrolment, party, person};
use crate::release::{About, AllListed, disclose};
use crate::saml::testing::read;

const LOGIN: Login<'_> = Login {
    subject: "abc234",
    scope: "id.example.fr",
    leave: "https://id.example.fr/sign-out",
    authenticated_at: Timestamp::from_micros(1_790_841_600_437_000),
};

fn lina() -> Identity {
    let mut lina = person("Lina", 1);
    (lina.sex, lina.locale) = (Some(Sex::Female), Some("fr".into()));
    lina.username = Some("lina.legoff".into());
    lina
}

/// Name, friendly name and values of each attribute, in their order.
type Told = Vec<(String, String, Vec<String>)>;

fn told_of(ent: &RelyingParty, preset: Preset, names: AttributeNames, keys: &[AafKey]) -> Told {
    let (lina, reached) = (lina(), contact("lina"));
    let live = [enrolment(&lina, "9990001X", "CM2")];
    let about = About {
        identity: &lina,
        contact: Some(&reached),
        live: &live,
        keys,
    };
    let disclosure = disclose(ent, &AllListed, about);
    let elements = attributes(preset, names, &LOGIN, &disclosure);
    let statement = Element::new(Namespace::Saml, "AttributeStatement").children(elements);
    let document = read(&statement.write());
    let text = |value: crate::saml::xml::Node<'_>| value.text().unwrap().to_owned();
    let one = |node: crate::saml::xml::Node<'_>| {
        let named = |name: &str| node.attribute(name).unwrap_or_default().to_owned();
        (
            named("Name"),
            named("FriendlyName"),
            node.children().map(text).collect(),
        )
    };
    document.root().children().map(one).collect()
}

fn told(preset: Preset, names: AttributeNames) -> Told {
    told_of(&party("ent"), preset, names, &[aaf_key("9990001X")])
}

fn values<'t>(told: &'t Told, name: &str) -> Option<&'t [String]> {
    let found = told.iter().find(|(known, ..)| known == name);
    found.map(|(_, _, values)| values.as_slice())
}

#[test]
fn a_bare_service_reads_what_the_policy_lists_under_the_names_of_the_annuaire() {
    let told = told(Preset::Bare, AttributeNames::Short);
    let expected = [
        ("givenName", "Lina"),
        ("sn", "Le Goff"),
        ("displayName", "Lina Le Goff"),
        ("ENTPersonLogin", "lina.legoff"),
        ("ENTPersonDateNaissance", "17/08/2016"),
        ("personalTitle", "Mme"),
        ("preferredLanguage", "fr"),
        ("mail", "lina@ecole.example"),
        ("telephoneNumber", "+33199001234"),
        ("ENTPersonAdresse", "3, rue des Marronniers"),
        ("ENTPersonCodePostal", "80000"),
        ("ENTPersonVille", "Amiens"),
        ("ENTPersonPays", "France"),
        ("ENTPersonStructRattachUAI", "9990001X"),
        ("ENTEleveNivFormation", "CM2"),
        ("ENTEleveClasses", "9990001X$CM2 A"),
        ("ENTPersonProfils", "National_ELV"),
        ("ENTPersonJointure", "AC-AMIENS$1234567"),
        ("FrEduCtRefId", "{AAF}20||1234567"),
        ("FrEduVecteur", "4|||1037745|9990001X"),
    ];
    let flat: Vec<_> = told
        .iter()
        .map(|(name, _, values)| (name.as_str(), values.join(",")))
        .collect();
    assert_eq!(flat, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn names_are_short_by_oid_or_both_and_what_has_no_oid_keeps_its_name() {
    let short = told(Preset::Bare, AttributeNames::Short);
    assert!(short.iter().all(|(name, friendly, _)| name == friendly));
    let oid = told(Preset::Bare, AttributeNames::Oid);
    assert_eq!(oid.len(), short.len());
    let sn = oid.iter().find(|(_, friendly, _)| friendly == "sn").unwrap();
    assert_eq!(sn.0, "urn:oid:2.5.4.4");
    assert!(values(&oid, "ENTPersonProfils").is_some() && values(&oid, "sn").is_none());
    let both = told(Preset::Bare, AttributeNames::Both);
    assert!(values(&both, "sn").is_some() && values(&both, "urn:oid:2.5.4.4").is_some());
    let count = |name: &str| both.iter().filter(|(_, friendly, _)| friendly == name).count();
    assert_eq!((count("sn"), count("ENTPersonProfils")), (2, 1));
}

#[test]
fn an_ent_on_entcore_finds_its_account_by_the_key_of_the_academy_or_else_by_the_subject() {
    let mut ent = party("ent");
    let keys = [aaf_key("9990001X")];
    let id = |ent: &RelyingParty, keys: &[AafKey]| {
        let told = told_of(ent, Preset::Entcore, AttributeNames::Short, keys);
        values(&told, "FrEduIdENT").unwrap().to_vec()
    };
    assert_eq!(id(&ent, &keys), ["AMIENS-1234567"]);
    assert_eq!(id(&ent, &[]), ["abc234"], "no feed of the ministry states her");
    ent.release
        .0
        .retain(|line| line.attribute != Attribute::EntPersonJointure);
    assert_eq!(id(&ent, &keys), ["abc234"], "the policy does not list it");
}

#[test]
fn who_expects_educonnect_reads_its_names_and_its_oids() {
    let short = told(Preset::EduConnect, AttributeNames::Short);
    for (name, value) in [
        ("FrEduCtRefId", "{AAF}20||1234567"),
        ("FrEduVecteur", "4|||1037745|9990001X"),
        ("FrEduUrlRetour", "https://id.example.fr/sign-out"),
        ("FrEduCtDateConnexion", "2026-10-01 08:00:00.437"),
        ("FrEduCtPersonAffiliation", "eleve1d"),
        ("FrEduCtId", "abc234"),
        ("FrEduCtDateNaissance", "2016-08-17"),
        ("FrEduCtEleveUAI", "9990001X"),
    ] {
        assert_eq!(values(&short, name), Some(&[value.to_owned()][..]), "{name}");
    }
    let oid = told(Preset::EduConnect, AttributeNames::Oid);
    for (number, value) in [
        (5, "https://id.example.fr/sign-out"),
        (7, "eleve1d"),
        (57, "abc234"),
        (67, "2016-08-17"),
        (72, "9990001X"),
    ] {
        let name = format!("urn:oid:1.3.6.1.4.1.20326.10.999.1.{number}");
        assert_eq!(values(&oid, &name), Some(&[value.to_owned()][..]), "{name}");
    }
    let mut ent = party("ent");
    ent.release.0.retain(|line| line.attribute != Attribute::Level);
    let blind = told_of(&ent, Preset::EduConnect, AttributeNames::Short, &[]);
    assert_eq!(
        values(&blind, "FrEduCtPersonAffiliation"),
        None,
        "of which degree is not said"
    );
}

#[test]
fn a_service_of_renater_reads_a_pairwise_id_and_scoped_affiliations() {
    let told = told(Preset::Renater, AttributeNames::Oid);
    for (name, expected) in [
        (
            "urn:oasis:names:tc:SAML:attribute:pairwise-id",
            &["abc234@id.example.fr"][..],
        ),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["student", "member"]),
        (
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
            &["student@id.example.fr", "member@id.example.fr"],
        ),
        ("urn:oid:1.3.6.1.4.1.7135.1.2.1.14", &["{UAI}9990001X"]),
    ] {
        assert_eq!(values(&told, name).unwrap(), expected, "{name}");
    }
    let short = told_of(&party("ent"), Preset::Renater, AttributeNames::Short, &[]);
    assert!(
        values(&short, "urn:oasis:names:tc:SAML:attribute:pairwise-id").is_some(),
        "it has no other name"
    );
}

#[test]
fn whatever_the_preset_nothing_is_told_that_the_policy_does_not_list() {
    for preset in Preset::ALL {
        for names in AttributeNames::ALL {
            let mut ent = party("ent");
            ent.release.0.clear();
            let keys = [aaf_key("9990001X")];
            let none = told_of(&ent, *preset, *names, &keys);
            let identifying = [
                "Lina",
                "Goff",
                "9990001X",
                "CM2",
                "1234567",
                "1037745",
                "2016",
                "ecole.example",
            ];
            for (_, _, values) in &none {
                let said = values.join(" ").replace("2026-10-01", "");
                assert!(
                    !identifying.iter().any(|text| said.contains(text)),
                    "{preset}: {said}"
                );
            }
            for attribute in Attribute::ALL {
                let mut only = party("ent");
                only.release.0.retain(|line| line.attribute == *attribute);
                let some = told_of(&only, *preset, *names, &keys);
                let all = told_of(&party("ent"), *preset, *names, &keys);
                assert!(some.len() < all.len(), "{preset} {attribute}");
            }
        }
    }
}

/// What gives each attribute away, and the attributes that may say it.
const TELLTALES: &[(&str, &[Attribute])] = &[
    ("Lina", &[Attribute::GivenName, Attribute::Name]),
    ("Goff", &[Attribute::FamilyName, Attribute::Name]),
    ("lina.legoff", &[Attribute::PreferredUsername]),
    ("17/08/2016", &[Attribute::BirthDate]),
    ("2016-08-17", &[Attribute::BirthDate]),
    ("Mme", &[Attribute::Gender]),
    ("lina@ecole.example", &[Attribute::Email]),
    ("+33199001234", &[Attribute::PhoneNumber]),
    ("Marronniers", &[Attribute::Address]),
    ("80000", &[Attribute::Address]),
    ("9990001X", &[Attribute::Uai, Attribute::FrEduVecteur]),
    ("CM2", &[Attribute::Level, Attribute::Class]),
    ("CM2 A", &[Attribute::Class]),
    ("National_ELV", &[Attribute::Profile]),
    ("student", &[Attribute::Profile]),
    ("eleve1d", &[Attribute::Profile]),
    (
        "1234567",
        &[Attribute::EntPersonJointure, Attribute::FrEduCtRefId],
    ),
    ("1037745", &[Attribute::FrEduVecteur]),
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn of_any_policy_nothing_is_told_that_it_does_not_list(
        listed in proptest::collection::vec(proptest::bool::ANY, Attribute::ALL.len()),
        preset in 0..Preset::ALL.len(),
        names in 0..AttributeNames::ALL.len(),
    ) {
        let mut ent = party("ent");
        let mut listed = listed.into_iter();
        ent.release.0.retain(|_| listed.next() == Some(true));
        let keys = [aaf_key("9990001X")];
        let told = told_of(&ent, Preset::ALL[preset], AttributeNames::ALL[names], &keys);
        let said: Vec<_> = told.into_iter().flat_map(|(_, _, values)| values).collect();
        for (telltale, carriers) in TELLTALES {
            if said.iter().any(|value| value.contains(telltale)) {
                let may = carriers.iter().any(|attribute| ent.release.allows(*attribute));
                proptest::prop_assert!(may, "{telltale} in {said:?}");
            }
        }
    }
}
