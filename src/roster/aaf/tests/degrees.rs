//! The first degree, adults of both, and deliveries of changes.

use super::*;
use crate::domain::education::Profile;
use crate::domain::source::Kinship;

const LILWENN: &[(&str, &str)] = &[
    ("ENTPersonJointure", "7000101"),
    ("ENTEleveINE", "123456789AB"),
    ("ENTPersonDateNaissance", "17/08/2016"),
    ("ENTPersonNom", "MARCHADEL"),
    ("ENTPersonPrenom", "Lilwenn"),
    ("ENTPersonCivilite", "Mme"),
    ("ENTPersonStructRattach", "7000"),
    ("ENTPersonClasses", "7000$X$X$88001$CE2 Mme Tournier"),
    ("ENTEleveNiveau", "1115$CE2"),
    ("ENTEleveAutoriteParentale", "7000201$10"),
];

fn read_as(text: &str, degree: Option<Degree>, delta: bool) -> (Vec<AafItem>, Option<Degree>) {
    let context = AafContext {
        degree,
        delta,
        ..context()
    };
    let mut reader = AafReader::new(text.as_bytes(), context);
    let items = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(reader.tally().records, reader.tally().sum());
    (items, reader.degree())
}

#[test]
fn a_pupil_of_the_first_degree_is_read_and_tells_the_degree() {
    let (items, degree) = read_as(&file(&request("addRequest", "Eleve", LILWENN)), None, false);
    let [AafItem::Pupil(row), AafItem::Links(links)] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!(degree, Some(Degree::First));
    assert_eq!(row.key.to_string(), "aaf1d:20:7000101");
    assert_eq!(row.level.as_deref(), Some("CE2"));
    let class = row.class.as_ref().unwrap();
    assert_eq!(
        (&*class.key, &*class.label),
        ("88001", "CE2 Mme Tournier"),
        "the identifier outlives the label"
    );
    assert_eq!(links[0].adult, "7000201");
    assert_eq!(
        (links[0].kinship, links[0].legal),
        (Some(Kinship::Mother), Some(true))
    );
}

#[test]
fn one_file_is_of_one_degree() {
    let mixed = file(&[request("addRequest", "Eleve", LILWENN), pupil_with(&[])].concat());
    let mut reader = AafReader::new(
        mixed.as_bytes(),
        AafContext {
            degree: None,
            ..context()
        },
    );
    let read: Vec<_> = reader.by_ref().collect();
    assert!(
        read.last()
            .unwrap()
            .as_ref()
            .unwrap_err()
            .message
            .contains("second degré")
    );
}

#[test]
fn links_of_the_second_degree_have_six_fields() {
    let links = |value: &str| {
        let (items, _) = read_as(
            &file(&pupil_with(&[("ENTElevePersRelEleve", value)])),
            None,
            false,
        );
        let mut found = Vec::new();
        let mut issues = 0;
        for item in items {
            match item {
                AafItem::Links(links) => {
                    found.extend(
                        links
                            .into_iter()
                            .map(|link| (link.adult, link.kinship, link.legal)),
                    );
                }
                AafItem::Issue(_) => issues += 1,
                _ => {}
            }
        }
        (found, issues)
    };
    assert_eq!(
        links("2000000$10$1$1$1$1</value><value>2000001$1$1$2$1$1</value><value>2000002$20$0$2$1$0"),
        (
            vec![
                ("2000000".to_owned(), Some(Kinship::Mother), Some(true)),
                ("2000001".to_owned(), Some(Kinship::Father), Some(true)),
                ("2000002".to_owned(), Some(Kinship::Father), Some(false)),
            ],
            0
        ),
        "2 is the second of two in the old codes, and in charge without authority in the new ones"
    );
    assert_eq!(
        links("2000000$70$1$1$1$1</value><value>2000000$7$1$1$1$1").0,
        [],
        "the pupil themselves"
    );
    assert_eq!(
        links("2000000$99$1$0$1$1").0,
        [("2000000".to_owned(), None, Some(false))]
    );
    assert_eq!(links("2000000$10").1, 1);
    assert_eq!(links("$10$1$1$1$1").1, 1);
}

#[test]
fn adults_and_labels_are_read() {
    let text = file(
        &[
            request("addRequest", "PersRelEleve", &[("sn", "LE GOFF"), ("givenName", "Maddi"), ("ENTPersonNomPatro", "OYHENART")]),
            request(
                "addRequest",
                "PersEducNat",
                &[
                    ("sn", "TOURNIER"),
                    ("givenName", "Anne"),
                    ("ENTPersonFonctions", "52006$ENS$ENSEIGNEMENT$L1300$MATHS</value><value>52007$DOC$$$</value><value>52006$XYZ$"),
                    ("ENTAuxEnsClassesMatieres", "52006$6EME A$006600</value><value>52006$6EME A$006700</value><value>nonsense"),
                ],
            ),
            request("addRequest", "MefEducNat", &[("ENTMefJointure", "10010012110"), ("ENTLibelleMef", "6EME")]),
            request("addRequest", "MatEducNat", &[("ENTMatJointure", "006600")]),
            request("addRequest", "PersRelEleve", &[("sn", "LE GOFF")]),
        ]
        .concat(),
    );
    let (items, _) = read_as(&text, None, false);
    let guardian = items.iter().find_map(|item| match item {
        AafItem::Guardian(row) => Some(row),
        _ => None,
    });
    assert_eq!(guardian.unwrap().facts.usage_name.as_deref(), Some("LE GOFF"));
    let staff = items.iter().find_map(|item| match item {
        AafItem::Staff(row) => Some(row),
        _ => None,
    });
    let staff = staff.unwrap();
    let posts: Vec<(&str, Profile)> = staff
        .posts
        .iter()
        .map(|post| (&*post.school, post.profile))
        .collect();
    assert_eq!(
        posts,
        [
            ("52006", Profile::Teacher),
            ("52006", Profile::Staff),
            ("52007", Profile::Librarian)
        ]
    );
    assert_eq!(staff.classes.len(), 1, "one class, however many subjects");
    assert!(
        items
            .iter()
            .any(|item| matches!(item, AafItem::Label { label, .. } if label == "6EME"))
    );
    let errors = items
        .iter()
        .filter(|item| matches!(item, AafItem::Issue(issue) if issue.severity == Severity::Error));
    assert_eq!(
        errors.count(),
        2,
        "a label without text, an adult without a first name"
    );
}

#[test]
fn changes_say_only_what_they_say() {
    let change = |attributes: &[(&str, &str)]| {
        let text = file(&request("modifyRequest", "Eleve", attributes));
        let (items, _) = read_as(&text, Some(Degree::Second), true);
        match items.as_slice() {
            [.., AafItem::Change(change)] => (**change).clone(),
            other => panic!("{other:?}"),
        }
    };
    let (_, row) = one_pupil(&[("ENTPersonNomPatro", "MORVAN")]);
    let before = row.unwrap().facts;
    let after = |attributes: &[(&str, &str)]| {
        let mut facts = before.clone();
        change(attributes).apply(&mut facts);
        facts
    };
    assert!(
        after(&[("sn", ""), ("givenName", ""), ("ENTEleveINE", "")]) == before,
        "nothing is no order"
    );
    assert_eq!(after(&[("givenName", "Lila")]).given_name, "Lila");
    let renamed = after(&[("sn", "ROUX")]);
    assert_eq!(
        (&*renamed.family_name, renamed.usage_name.as_deref()),
        ("MORVAN", Some("ROUX"))
    );
    let adopted = after(&[("ENTPersonNomPatro", "LE GOFF")]);
    assert_eq!((&*adopted.family_name, adopted.usage_name), ("LE GOFF", None));
    assert_eq!(change(&[("ENTEleveNivFormation", "")]).level, None);
    assert_eq!(
        change(&[("ENTEleveLibelleMEF", "")]).level,
        Some(None),
        "on the list of what nothing clears"
    );
    assert_eq!(change(&[("ENTEleveClasses", "")]).classes, None);
    assert_eq!(
        change(&[("ENTEleveClasses", "52006$6EME B")]).classes.unwrap()[0]
            .1
            .label,
        "6EME B"
    );
    assert_eq!(
        format!("{:?}", change(&[("sn", "ROUX")])),
        "[change of aaf2d:20:7000101]"
    );
}

#[test]
fn deletions_name_somebody_and_other_orders_are_told() {
    let text = file(
        &[
            request("deleteRequest", "Eleve", &[]).replace("<attributes></attributes>", ""),
            request("modifyRequest", "Eleve", &[("sn", "X")])
                .replace("attributes>", "modifications>")
                .replace(
                    "<attr name=\"sn\">",
                    "<modification name=\"sn\" operation=\"add\">",
                )
                .replace("</attr>\n", "</modification>"),
            request("modifyRequest", "PersRelEleve", &[("mobile", "")]),
            request("deleteRequest", "EtabEducNat", &[]),
        ]
        .concat(),
    );
    let (items, _) = read_as(&text, Some(Degree::Second), true);
    assert!(
        matches!(&items[0], AafItem::Gone { key, .. } if key.key == "7000101"),
        "{items:?}"
    );
    assert!(
        items
            .iter()
            .any(|item| matches!(item, AafItem::Issue(issue) if issue.message.contains("replace")))
    );
    assert!(
        items
            .iter()
            .any(|item| matches!(item, AafItem::Issue(issue) if issue.message.contains("adulte")))
    );
}
