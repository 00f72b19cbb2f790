//! Whole files through [`AafReader`]: what is read of real-format records, and what hostile ones come to.

mod degrees;
mod hostile;

use std::io;

use proptest::prelude::*;

use super::super::Severity;
use super::*;
use crate::domain::source::Sex;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <!DOCTYPE ficAlimMENESR SYSTEM \"ficAlimMENESR.dtd\">\n<ficAlimMENESR>\n";
const TAIL: &str = "</ficAlimMENESR>\n";

fn context() -> AafContext {
    AafContext {
        file: "ENT_Eleve_0000.xml".into(),
        academy: "20".parse().unwrap(),
        year: SchoolYear::new(2026).unwrap(),
        degree: Some(Degree::Second),
        delta: false,
    }
}

fn reader<R: Read>(input: R) -> AafReader<R> {
    AafReader::new(input, context())
}

fn items(bytes: &[u8]) -> Result<Vec<AafItem>, Unreadable> {
    reader(bytes).collect()
}

fn refused(text: &str) -> Unreadable {
    items(text.as_bytes()).unwrap_err()
}

/// A request of a category with these attributes; a name of "" stands for markup as it is.
fn request(element: &str, category: &str, attributes: &[(&str, &str)]) -> String {
    use std::fmt::Write as _;
    let operational = if category == "EtabEducNat" {
        "categorieStructure"
    } else {
        "categoriePersonne"
    };
    let mut text = format!(
        "<{element}><operationalAttributes><attr name=\"{operational}\"><value>{category}</value></attr>\
         </operationalAttributes>\n<identifier><id>7000101</id></identifier>\n<attributes>"
    );
    for (name, value) in attributes {
        let _ = writeln!(text, "<attr name=\"{name}\"><value>{value}</value></attr>");
    }
    let _ = writeln!(text, "</attributes></{element}>");
    text
}

const LINA: &[(&str, &str)] = &[
    ("ENTPersonJointure", "7000101"),
    ("ENTEleveINE", "123456789AB"),
    ("ENTPersonDateNaissance", "17/08/2015"),
    ("sn", "LE GOFF"),
    ("givenName", "Lina"),
    ("personalTitle", "Mme"),
    ("ENTPersonStructRattach", "52006"),
    ("ENTEleveClasses", "52006$6EME A"),
    ("ENTEleveNivFormation", "6EME"),
    ("ENTPersonAdresse", "1 rue du Lavoir$$$"),
];

/// LINA with some attributes changed (or added, or taken away by an empty value).
fn pupil_with(changes: &[(&str, &str)]) -> String {
    let mut attributes: Vec<(&str, &str)> = LINA.to_vec();
    for (name, value) in changes {
        attributes.retain(|(known, _)| known != name);
        attributes.push((name, value));
    }
    request("addRequest", "Eleve", &attributes)
}

fn file(body: &str) -> String {
    format!("{HEAD}{body}{TAIL}")
}

fn one_pupil(changes: &[(&str, &str)]) -> (Vec<RowIssue>, Option<RosterRow>) {
    let mut issues = Vec::new();
    let mut row = None;
    for item in items(file(&pupil_with(changes)).as_bytes()).unwrap() {
        match item {
            AafItem::Pupil(pupil) => row = Some(pupil),
            AafItem::Issue(issue) => issues.push(issue),
            other => panic!("{other:?}"),
        }
    }
    (issues, row)
}

#[test]
fn a_pupil_is_read() {
    let (issues, row) = one_pupil(&[]);
    let row = row.unwrap();
    assert_eq!(issues, []);
    assert_eq!(row.key.to_string(), "aaf2d:20:7000101");
    assert_eq!(row.school, "52006");
    assert_eq!(
        (row.facts.family_name.as_str(), row.facts.given_name.as_str()),
        ("LE GOFF", "Lina")
    );
    assert_eq!(row.facts.usage_name, None);
    assert_eq!(row.facts.birth_date.to_string(), "2015-08-17");
    assert_eq!(row.facts.sex, Some(Sex::Female));
    assert_eq!(row.facts.ine.as_ref().unwrap().expose(), "123456789AB");
    assert_eq!(row.level.as_deref(), Some("6EME"));
    let class = row.class.unwrap();
    assert_eq!((class.key.as_str(), class.label.as_str()), ("6eme a", "6EME A"));
    assert_eq!((row.place.line, row.place.column), (4, 1));
}

#[test]
fn names_are_those_of_the_family_and_of_use() {
    let (_, row) = one_pupil(&[
        ("ENTPersonNomPatro", "MORVAN"),
        ("ENTPersonAutresPrenoms", "Lina, Maï</value><value>Zoé"),
    ]);
    let facts = row.unwrap().facts;
    assert_eq!(facts.family_name, "MORVAN");
    assert_eq!(facts.usage_name.as_deref(), Some("LE GOFF"));
    assert_eq!(facts.other_names, ["Maï", "Zoé"]);
    let (_, row) = one_pupil(&[("ENTPersonNomPatro", "Le Goff")]);
    assert_eq!(
        row.unwrap().facts.usage_name,
        None,
        "the same name in another spelling"
    );
    let (_, row) = one_pupil(&[
        ("sn", "D&amp;apos;H&#xC9;RIN &amp;amp; <![CDATA[<FILS>]]>"),
        ("givenName", "Noe&#776;l"),
    ]);
    let facts = row.unwrap().facts;
    assert_eq!(facts.family_name, "D'HÉRIN & <FILS>");
    assert_eq!(facts.given_name, "Noël");
}

#[test]
fn the_class_is_the_one_of_the_main_structure() {
    let (_, row) = one_pupil(&[(
        "ENTEleveClasses",
        "99$ULIS</value><value>52006$6EME B</value><value>",
    )]);
    assert_eq!(row.unwrap().class.unwrap().label, "6EME B");
    let (issues, row) = one_pupil(&[
        ("ENTEleveClasses", "99$ULIS"),
        ("ENTEleveNivFormation", ""),
        ("ENTEleveLibelleMEF", "6EME SEGPA"),
    ]);
    let row = row.unwrap();
    assert!(row.class.is_none() && issues.is_empty());
    assert_eq!(row.level.as_deref(), Some("6EME SEGPA"));
    let (issues, _) = one_pupil(&[(
        "ENTEleveClasses",
        "52006$A</value><value>52006$B</value><value>nonsense",
    )]);
    assert_eq!(issues.len(), 2);
    assert!(issues.iter().all(|issue| issue.severity == Severity::Warning));
}

#[test]
fn the_number_in_the_register_of_the_school_is_kept_where_it_fits_into_a_vector() {
    let number = |written: &str| {
        let (_, row) = one_pupil(&[("ENTEleveStructRattachId", written)]);
        row.unwrap().attachment
    };
    assert_eq!(number(" 1037745 ").as_deref(), Some("1037745"));
    for wrong in ["1|2", "", &"1".repeat(41)] {
        assert_eq!(number(wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_told_once_each() {
    let without = |name| one_pupil(&[(name, "")]);
    for name in [
        "sn",
        "givenName",
        "ENTPersonDateNaissance",
        "ENTPersonStructRattach",
    ] {
        let (issues, row) = without(name);
        assert!(row.is_none(), "{name}");
        assert_eq!(issues.len(), 1, "{name}");
        assert_eq!(issues[0].severity, Severity::Error);
        assert!(issues[0].message.contains(name), "{}", issues[0].message);
        assert_eq!(issues[0].place.line, 4);
    }
    let (issues, row) = one_pupil(&[("ENTEleveINE", "12345")]);
    assert!(row.unwrap().facts.ine.is_none());
    assert!(!issues[0].message.contains("12345") && issues[0].severity == Severity::Warning);
    let (issues, row) = one_pupil(&[("ENTPersonDateNaissance", "2015"), ("sn", "--")]);
    assert!(row.is_none());
    assert_eq!(issues.len(), 2, "all of them at once");
    let (_, row) = without("ENTPersonJointure");
    assert_eq!(
        row.unwrap().key.key,
        "7000101",
        "the identifier of the request stands in"
    );
}

#[test]
fn schools_link_structure_keys_to_uais() {
    let school = |attributes: &[(&str, &str)]| {
        items(file(&request("addRequest", "EtabEducNat", attributes)).as_bytes()).unwrap()
    };
    let read = school(&[
        ("ENTStructureJointure", "52006"),
        ("ENTStructureUAI", "9990101F"),
        ("ENTStructureNomCourant", "CLG$JEAN$MOULIN"),
        ("ENTStructureTypeStruct", "COLLEGE"),
        ("ENTStructureSIREN", "10000000000000"),
        ("l", "AMIENS"),
        ("ENTServAcAcademie", "AMIENS"),
        ("ENTServAcCodeAcademie", "20"),
    ]);
    let [AafItem::School(school_read)] = read.as_slice() else {
        panic!("{read:?}");
    };
    assert_eq!(school_read.structure_key, "52006");
    assert_eq!(school_read.uai.as_str(), "9990101F");
    assert_eq!(school_read.name, "CLG-JEAN-MOULIN");
    assert_eq!(school_read.siret.as_deref(), Some("10000000000000"));
    assert_eq!(school_read.commune.as_deref(), Some("AMIENS"));
    let read = school(&[("ENTStructureUAI", "9990101A"), ("ENTServAcCodeAcademie", "14")]);
    assert_eq!(read.len(), 3, "two warnings, one school: {read:?}");
    let read = school(&[("ENTStructureNomCourant", "X")]);
    assert!(matches!(
        read.as_slice(),
        [AafItem::Issue(RowIssue {
            severity: Severity::Error,
            ..
        })]
    ));
}

#[test]
fn changes_and_other_categories_are_set_aside_and_told() {
    let modify = request("modifyRequest", "Eleve", LINA).replace("attributes>", "modifications>");
    let delete = "<deleteRequest><operationalAttributes><attr name=\"categoriePersonne\"><value>Eleve</value></attr>\
        </operationalAttributes><identifier><id>1</id></identifier></deleteRequest>";
    let other = request("addRequest", "PersEducNat", LINA);
    let unnamed = request("addRequest", "", LINA);
    let text = file(&[modify.as_str(), delete, &other, &unnamed, &pupil_with(&[])].concat());
    let mut reader = reader(text.as_bytes());
    let read: Vec<AafItem> = reader.by_ref().map(Result::unwrap).collect();
    let warnings = read
        .iter()
        .filter(|item| matches!(item, AafItem::Issue(issue) if issue.severity == Severity::Warning));
    assert_eq!(warnings.count(), 4);
    assert_eq!(
        reader.tally(),
        AafTally {
            records: 5,
            pupils: 1,
            adults: 1,
            set_aside: 3,
            ..AafTally::default()
        }
    );
}

#[test]
fn every_encoding_of_the_field_gives_the_same() {
    let body = pupil_with(&[("givenName", "Noémie"), ("sn", "HŒRT")]);
    let with_head = |head: &str| format!("{head}<ficAlimMENESR>{body}</ficAlimMENESR>");
    let names = |bytes: &[u8]| match items(bytes).unwrap().as_slice() {
        [AafItem::Pupil(row)] => format!("{} {}", row.facts.given_name, row.facts.family_name),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(with_head("").as_bytes()), "Noémie HŒRT");
    assert_eq!(names(with_head("\u{feff}").as_bytes()), "Noémie HŒRT");
    let latin = |head: &str| {
        let text = with_head(head);
        let mut bytes = Vec::new();
        for symbol in text.chars() {
            bytes.push(match symbol {
                'Œ' => 0xBC,
                symbol => u8::try_from(u32::from(symbol)).unwrap(),
            });
        }
        bytes
    };
    assert_eq!(
        names(&latin("<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?>\n")),
        "Noémie HŒRT"
    );
    assert_eq!(names(&latin("")), "Noémie HŒRT", "undeclared and not UTF-8");
    let windows = with_head("<?xml version='1.0' encoding='windows-1252'?>");
    assert_eq!(
        names(&encoding_rs::WINDOWS_1252.encode(&windows).0),
        "Noémie HŒRT"
    );
}

#[test]
fn first_degree_files_are_named_for_what_they_are() {
    let text = file(&request(
        "addRequest",
        "Eleve",
        &[("ENTPersonNom", "X"), ("ENTPersonPrenom", "Y")],
    ));
    let refused = refused(&text);
    assert!(refused.message.contains("premier degré"));
    assert_eq!(refused.line, 4);
}

#[test]
fn records_are_placed_exactly_whatever_the_line_ends() {
    for newline in ["\n", "\r\n"] {
        let text = file(
            &[
                pupil_with(&[("sn", "--")]),
                "  ".to_owned(),
                pupil_with(&[("sn", "")]),
            ]
            .concat(),
        );
        let read = items(text.replace('\n', newline).as_bytes()).unwrap();
        let places: Vec<(u64, u64)> = read
            .iter()
            .map(|item| match item {
                AafItem::Issue(issue) => (issue.place.line, issue.place.column),
                other => panic!("{other:?}"),
            })
            .collect();
        let lines_of_one = pupil_with(&[]).matches('\n').count() as u64;
        assert_eq!(places, [(4, 1), (4 + lines_of_one, 3)]);
    }
}

#[test]
fn the_sample_files_of_the_repository_are_read() {
    let pupils = items(include_bytes!("../../../tests/samples/aaf-2d-eleve.xml")).unwrap();
    assert_eq!(
        pupils
            .iter()
            .filter(|item| matches!(item, AafItem::Pupil(_)))
            .count(),
        3
    );
    assert_eq!(
        pupils
            .iter()
            .filter(|item| matches!(item, AafItem::Issue(_)))
            .count(),
        2
    );
    let schools = items(include_bytes!("../../../tests/samples/aaf-2d-etab.xml")).unwrap();
    assert!(
        matches!(schools.as_slice(), [AafItem::School(school)] if school.name == "CLG-LES PRÉS D'ARGENT")
    );
    let bomb = items(include_bytes!("../../../tests/samples/aaf-hostile-entities.xml"));
    assert!(bomb.unwrap_err().message.contains("DOCTYPE"));
}

proptest! {
    #[test]
    fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let read: Vec<_> = reader(bytes.as_slice()).collect();
        prop_assert!(read.iter().filter(|item| item.is_err()).count() <= 1);
    }

    #[test]
    fn no_markup_stops_it(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<addRequest>", "</addRequest>", "<attributes>", "</attributes>", "<attr name=\"sn\">", "</attr>",
                "<value>", "</value>", "<value/>", "<identifier>", "</identifier>", "<id>", "</id>", "x", "&amp;",
                "&x;", "<!-- c -->", "<![CDATA[z]]>", "<?pi?>", "<", ">", "&", "\"", "<!DOCTYPE a>", "<!", "]]>", "\u{e9}",
            ]),
            0..60,
        )
    ) {
        let text = format!("{HEAD}{}{TAIL}", pieces.concat());
        let mut reader = reader(text.as_bytes());
        let read: Vec<_> = reader.by_ref().take(1000).collect();
        prop_assert!(read.len() < 1000);
        let failed = read.iter().any(Result::is_err);
        let tally = reader.tally();
        prop_assert!(failed || tally.records == tally.sum());
    }

    #[test]
    fn every_record_is_accounted_for_at_its_line(kinds in prop::collection::vec(0u8..5, 0..30)) {
        let mut body = String::new();
        let mut expected = Vec::new();
        let mut counts = AafTally::default();
        for kind in &kinds {
            let line = 4 + body.matches('\n').count() as u64;
            let (record, error) = match kind {
                0 => (pupil_with(&[]), false),
                1 => (pupil_with(&[("ENTEleveINE", "nope"), ("givenName", "Zo\u{e9}")]), false),
                2 => (pupil_with(&[("givenName", ""), ("ENTPersonDateNaissance", "")]), true),
                3 => (request("deleteRequest", "Eleve", &[]), false),
                _ => (request("addRequest", "EtabEducNat", &[("ENTStructureUAI", "9990101F")]), false),
            };
            body.push_str(&record);
            counts.records += 1;
            match kind {
                0 | 1 => counts.pupils += 1,
                2 => counts.refused += 1,
                3 => counts.set_aside += 1,
                _ => counts.schools += 1,
            }
            if error {
                expected.push(line);
            }
        }
        let text = file(&body);
        let mut reader = reader(text.as_bytes());
        let mut errors = Vec::new();
        for item in reader.by_ref() {
            if let AafItem::Issue(RowIssue { severity: Severity::Error, place, .. }) = item.unwrap() {
                errors.push(place.line);
            }
        }
        errors.dedup();
        prop_assert_eq!(reader.tally(), counts);
        prop_assert_eq!(errors, expected);
    }
}
