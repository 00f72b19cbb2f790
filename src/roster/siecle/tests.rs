//! Whole files of a school: what is read, what is refused, what is told.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::Severity;
use super::*;

/// The sample, as UTF-8.
static PUPILS: LazyLock<String> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../tests/samples/siecle-eleves.xml");
    let (text, ..) = encoding_rs::ISO_8859_15.decode(bytes);
    text.replace("ISO-8859-15", "UTF-8")
});
const GUARDIANS: &str = include_str!("../../../tests/samples/siecle-responsables.xml");
const COURSES: &str = include_str!("../../../tests/samples/siecle-nomenclature.xml");

fn context() -> SiecleContext {
    SiecleContext {
        file: "ElevesSansAdresses.xml".into(),
        school: "9990101F".parse().unwrap(),
        year: SchoolYear::new(2026).unwrap(),
    }
}

fn read(text: &str) -> Result<SiecleFile, Unreadable> {
    let courses = nomenclature(COURSES.as_bytes(), &context())?;
    pupils(text.as_bytes(), &context(), &courses)
}

#[test]
fn the_pupils_of_the_sample_are_read() {
    let file = read(&PUPILS).unwrap();
    let courses = nomenclature(COURSES.as_bytes(), &context()).unwrap();
    let as_delivered = include_bytes!("../../../tests/samples/siecle-eleves.xml");
    assert_eq!(pupils(&as_delivered[..], &context(), &courses).unwrap(), file);
    assert_eq!(
        (file.records, file.left, file.rows.len()),
        (5, 1, 3),
        "{:?}",
        file.issues
    );
    let lina = &file.rows[0];
    assert_eq!(lina.key.to_string(), "siecle:9990101F:1037745");
    assert_eq!(lina.facts.family_name, "LE GOFF");
    assert_eq!(lina.facts.usage_name.as_deref(), Some("MORVAN"));
    assert_eq!(lina.facts.other_names, ["Maï", "Zoé"]);
    assert_eq!(
        lina.facts.ine.as_ref().unwrap().expose(),
        "123456790CD",
        "the RNIE goes first"
    );
    assert_eq!(lina.level.as_deref(), Some("6EME"), "by the nomenclature");
    assert_eq!(lina.class.as_ref().unwrap().label, "6EME A");
    assert_eq!(lina.previous_school.as_ref().unwrap().as_str(), "9990001X");
    let old = &file.rows[1];
    assert_eq!(old.facts.family_name, "OYHENART", "NOM, before 2016");
    assert_eq!(old.level.as_deref(), Some("4EME"), "by the digits of the code");
    assert_eq!(old.facts.ine.as_ref().unwrap().expose(), "0123456789A");
    assert_eq!(file.rows[2].class, None, "a group is no class");
    assert_eq!(errors(&file.issues), 1);
    let errors: Vec<u64> = file
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| issue.place.line)
        .collect();
    let line = 1 + PUPILS[..PUPILS.find("ELEVE_ID=\"1037749\"").unwrap()]
        .matches('\n')
        .count() as u64;
    assert_eq!(errors, [line]);
}

#[test]
fn the_file_of_another_school_or_year_is_refused() {
    let other = PUPILS.replace("<UAJ>9990101F", "<UAJ>9990102G");
    assert!(read(&other).unwrap_err().message.contains("établissement"));
    let other = PUPILS.replace("<ANNEE_SCOLAIRE>2026", "<ANNEE_SCOLAIRE>2025");
    assert!(read(&other).unwrap_err().message.contains("année"));
    let nobody = "<BEE_ELEVES><DONNEES/></BEE_ELEVES>";
    assert!(read(nobody).unwrap_err().message.contains("PARAMETRES"));
    assert!(read("<STS_EDT/>").unwrap_err().message.contains("BEE_ELEVES"));
}

#[test]
fn a_day_of_leaving_that_is_to_come_is_none_yet() {
    let later = PUPILS.replace("<DATE_SORTIE>15/09/2026", "<DATE_SORTIE>15/11/2026");
    assert_eq!(read(&later).unwrap().left, 0);
    let unreadable = PUPILS.replace("<DATE_SORTIE>15/09/2026", "<DATE_SORTIE>hier");
    assert_eq!(read(&unreadable).unwrap().left, 1);
}

#[test]
fn the_adults_of_pupils_who_are_there_are_read() {
    let pupils: HashSet<String> = ["1037745", "1037746"].map(str::to_owned).into();
    let file = guardians(GUARDIANS.as_bytes(), &context(), &pupils).unwrap();
    assert_eq!(
        (file.records, file.rows.len(), file.unlinked),
        (4, 2, 2),
        "{:?}",
        file.issues
    );
    let mother = &file.rows[0];
    assert_eq!(mother.key.to_string(), "siecle:9990101F:2000");
    assert_eq!(mother.facts.usage_name.as_deref(), Some("LE GOFF"));
    let said: Vec<_> = file
        .links
        .iter()
        .map(|link| (&*link.adult, link.kinship.unwrap().as_str(), link.legal))
        .collect();
    assert_eq!(
        said,
        [
            ("2000", "mother", Some(true)),
            ("2001", "father", Some(true)),
            ("2000", "mother", Some(false))
        ],
        "who answers for themselves has no adult"
    );
    assert_eq!(file.issues.len(), 1, "a link to nobody: {:?}", file.issues);
}

#[test]
fn names_of_files_tell_what_they_hold() {
    for (name, kind) in [
        ("ElevesSansAdresses.xml", SiecleKind::Pupils),
        ("0350001A_ElevesAvecAdresses.XML", SiecleKind::Pupils),
        ("ResponsablesAvecAdresses.xml", SiecleKind::Guardians),
        ("Nomenclature.xml", SiecleKind::Nomenclature),
        ("Structures.xml", SiecleKind::Other),
        ("Eleves.csv", SiecleKind::Other),
    ] {
        assert_eq!(SiecleKind::of(name), kind, "{name}");
    }
}

#[test]
fn hostile_files_are_refused() {
    let bomb = "<!DOCTYPE BEE_ELEVES [<!ENTITY a \"x\">]><BEE_ELEVES/>";
    assert!(read(bomb).unwrap_err().message.contains("DOCTYPE"));
    let deep = format!("<BEE_ELEVES>{}", "<X>".repeat(100));
    assert!(read(&deep).unwrap_err().message.contains("64"));
    let head = "<BEE_ELEVES><PARAMETRES><UAJ>9990101F</UAJ><ANNEE_SCOLAIRE>2026</ANNEE_SCOLAIRE></PARAMETRES><DONNEES>";
    let wide = format!("{head}<ELEVES><ELEVE>{}", "<NOM>x</NOM>".repeat(20_001));
    assert!(read(&wide).unwrap_err().message.contains("20 000"));
    let many = format!("{head}<ELEVES>{}", "<ELEVE/>".repeat(20_001));
    assert!(read(&many).unwrap_err().message.contains("trop d'élèves"));
    for cut in [PUPILS.len() / 3, PUPILS.len() / 2, PUPILS.trim_end().len() - 1] {
        assert!(read(PUPILS.get(..cut).unwrap_or(head)).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn no_markup_stops_it(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<ELEVE ELEVE_ID=\"1\">", "</ELEVE>", "<NOM>", "</NOM>", "<PRENOM>X</PRENOM>", "<X>", "</X>", "<X/>",
                "<DATE_NAISS>01/01/2015</DATE_NAISS>", "<STRUCTURES_ELEVE ELEVE_ID=\"1\">", "</STRUCTURES_ELEVE>",
                "<STRUCTURE>", "</STRUCTURE>", "text", "&amp;", "&x;", "<!-- c -->", "<![CDATA[z]]>", "</DONNEES>",
            ]),
            0..60,
        )
    ) {
        let text = format!(
            "<BEE_ELEVES><PARAMETRES><UAJ>9990101F</UAJ><ANNEE_SCOLAIRE>2026</ANNEE_SCOLAIRE></PARAMETRES><DONNEES>\
             {}</DONNEES></BEE_ELEVES>",
            pieces.concat()
        );
        if let Ok(file) = read(&text) {
            let lines = errors(&file.issues) as u64;
            prop_assert!(file.rows.len() as u64 + file.left + lines >= file.records);
        }
    }
}
