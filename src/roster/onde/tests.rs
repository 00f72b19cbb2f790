//! Whole files through [`read`]: the literal headers of both generations, every encoding, hostile bytes.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::Severity;
use super::*;
use crate::base::time::parse_date;
use crate::domain::source::{Sex, Source};

const A: &str = "\"Nom Elève\";\"Nom d'usage Elève\";\"Prénom Elève\";\"Date naissance\";\"Sexe\";\"Adresse1\";\"Cp1\";\
    \"Commune1\";\"Pays1\";\"Adresse2\";\"Cp2\";\"Commune2\";\"Pays2\";\" Cycle\";\"Niveau\";\"Classe\";\
    \"Attestation fournie\";\"Autorisations associations\";\"Autorisations photos\";\"Décision de passage\"";
const B: &str = "Nom élève;Nom d'usage élève;Prénom élève;Date naissance;Sexe;INE;Adresse1;Cp1;Commune1;Pays1;Adresse2;\
    Cp2;Commune2;Pays2; Cycle;Niveau;Libellé classe;Identifiant classe;Attestation fournie;Autorisation associations;\
    Autorisation photo;Décision de passage";

fn context() -> OndeContext {
    OndeContext {
        file: "CSVExtraction.csv".into(),
        school: "9990001X".parse().unwrap(),
        year: SchoolYear::new(2026).unwrap(),
    }
}

fn read_bytes(bytes: &[u8]) -> Result<OndeFile, Unreadable> {
    read(bytes, &context())
}

/// A file of generation B with these lines, CRLF.
fn b(lines: &[&str]) -> OndeFile {
    let mut text = format!("{B}\r\n");
    for line in lines {
        let _ = write!(text, "{line}\r\n");
    }
    read_bytes(text.as_bytes()).unwrap()
}

fn told(file: &OndeFile) -> Vec<(Severity, u64, u64, &str)> {
    file.issues
        .iter()
        .map(|issue| {
            (
                issue.severity,
                issue.place.line,
                issue.place.column,
                issue.message.as_str(),
            )
        })
        .collect()
}

#[test]
fn generation_a_is_read_in_latin_1() {
    let text = format!(
        "{A}\r\n\"MARCHADEL\";;\"Noémie\";\"2016-08-17\";\"F\";;;;;;;;;\"CYCLE II\";\"CE1\";\"CE1 bleu\";\"Oui\";\"Non\";\"Oui\";\r\n"
    );
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(&text);
    assert!(!unmappable);
    let file = read_bytes(&bytes).unwrap();
    assert_eq!(told(&file), []);
    let row = &file.rows[0];
    assert_eq!(row.key.to_string(), "onde:9990001X:marchadel|noemie|2016-08-17");
    assert_eq!(row.key.source, Source::Onde);
    assert_eq!(row.facts.given_name, "Noémie");
    assert_eq!(row.facts.sex, Some(Sex::Female));
    assert!(row.facts.ine.is_none());
    assert_eq!(row.level.as_deref(), Some("CE1"));
    let class = row.class.as_ref().unwrap();
    assert_eq!(
        (class.key.as_str(), class.label.as_str()),
        ("ce1 bleu", "CE1 bleu")
    );
    assert_eq!(row.place.line, 2);
}

#[test]
fn generation_b_is_read_with_mark_or_without_and_the_class_is_its_identifier() {
    let line = "LE GOFF;Le Goff-Morvan;Titouan;17/08/2016;H;123456789ab;1 rue du Lavoir;21000;Dijon;FRANCE;;;;;CYCLE III;CM2;Classe de Mme Tournier;99999;Non;Non;Non;";
    let text = format!("{B}\r\n{line}\r\n");
    let marked = format!("\u{feff}{text}");
    let (single_byte, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let plain = read_bytes(text.as_bytes()).unwrap();
    assert_eq!(plain, read_bytes(marked.as_bytes()).unwrap());
    assert_eq!(plain, read_bytes(&single_byte).unwrap());
    let row = &plain.rows[0];
    assert_eq!(row.facts.usage_name.as_deref(), Some("Le Goff-Morvan"));
    assert_eq!(row.facts.ine.as_ref().unwrap().expose(), "123456789AB");
    assert_eq!(row.facts.sex, Some(Sex::Male));
    assert_eq!(Some(row.facts.birth_date), parse_date("2016-08-17"));
    let class = row.class.as_ref().unwrap();
    assert_eq!(
        (class.key.as_str(), class.label.as_str()),
        ("99999", "Classe de Mme Tournier")
    );
    assert_eq!(row.school, "9990001X");
}

#[test]
fn other_separators_newlines_and_a_missing_last_newline_change_nothing() {
    let line = "Marchadel;;Lilwenn;17/08/2016;F;;;;;;;;;;;CE2;CE2;7;;;;";
    let expected = read_bytes(format!("{B}\r\n{line}\r\n").as_bytes()).unwrap();
    assert_eq!(expected.rows.len(), 1);
    for newline in ["\n", "\r\n", "\r"] {
        for separator in [";", ",", "\t"] {
            for tail in ["", newline, &newline.repeat(3)] {
                let text = format!("{B}{newline}{line}{tail}").replace(';', separator);
                assert_eq!(
                    read_bytes(text.as_bytes()).unwrap(),
                    expected,
                    "{newline:?} {separator:?} {tail:?}"
                );
            }
        }
    }
}

#[test]
fn a_bad_line_is_told_with_its_place_and_the_others_are_kept() {
    let file = b(&[
        ";;Lina;17/08/2016;F;;;;;;;;;;;CE2;CE2;7;;;;",
        "Marchadel;;Lila;17-08-2016;F;;;;;;;;;;;CE2;CE2;7;;;;",
        "Marchadel;;--;;F;;;;;;;;;;;CE2;CE2;7;;;;",
        "Marchadel;;Lou;17/08/2016;F;12345;;;;;;;;;;CE2;CE2;7;;;;",
        "Marchadel;;Max;17/08/2016;Z;;;;;;;;;;;;;;;;;",
        "Marchadel;;Zoé;17/08/2016;F",
        "Marchadel;;Éva;17/08/2016;F;;1 rue; bât. A;21000;Dijon;;;;;;;;CE2;CE2;7;;;;x",
        "Marchadel;;Tom;\"17/08\"/2016;M;;;;;;;;;;;CE2;CE2;7;;;;",
    ]);
    use Severity::{Error, Warning};
    assert_eq!(
        told(&file),
        [
            (Error, 2, 1, "nom de famille manquant (colonne 1, « Nom élève »)"),
            (
                Error,
                3,
                4,
                "date de naissance illisible : jj/mm/aaaa ou aaaa-mm-jj attendu (colonne 4, « Date naissance »)"
            ),
            (Error, 4, 3, "prénom manquant (colonne 3, « Prénom élève »)"),
            (
                Error,
                4,
                4,
                "date de naissance manquante (colonne 4, « Date naissance »)"
            ),
            (
                Warning,
                5,
                6,
                "INE de forme inattendue : l'élève est repris sans INE (colonne 6, « INE »)"
            ),
            (
                Warning,
                6,
                5,
                "sexe inattendu (M, H ou F) : il n'est pas repris (colonne 5, « Sexe »)"
            ),
            (
                Warning,
                6,
                17,
                "élève sans classe : il ne paraîtra sur aucune page de classe (colonne 17, « Libellé classe »)"
            ),
            (
                Error,
                7,
                5,
                "ligne incomplète : 5 colonnes, il en faut au moins 17"
            ),
            (
                Error,
                8,
                23,
                "plus de colonnes que d'intitulés (22) : un séparateur s'est glissé dans une cellule"
            ),
            (
                Error,
                9,
                4,
                "guillemet mal placé : la ligne ne peut pas être découpée sûrement"
            ),
        ]
    );
    let kept: Vec<&str> = file
        .rows
        .iter()
        .map(|row| row.facts.given_name.as_str())
        .collect();
    assert_eq!(kept, ["Lou", "Max"]);
    assert_eq!(file.records, 8);
    assert!(file.rows[0].facts.ine.is_none());
    assert!(file.rows[1].class.is_none());
}

#[test]
fn lines_are_counted_as_in_the_file_through_quoted_breaks_and_blank_lines() {
    let file = b(&[
        "Marchadel;;Lou;17/08/2016;F;;\"1 rue du Lavoir\r\nbât. A\n3e étage\";;;;;;;;;CE2;CE2;7;;;;",
        "",
        ";;;;;;;;;;;;;;;;;;;;;",
        "Marchadel;;Max;;M;;;;;;;;;;;CE2;CE2;7;;;;",
    ]);
    assert_eq!(file.rows[0].place.line, 2);
    assert_eq!(file.issues[0].place.line, 7);
    assert_eq!(file.records, 2, "blank lines are no records");
}

#[test]
fn homonyms_of_one_file_keep_apart_and_are_told() {
    let line = "LE GOFF;;Lina;17/08/2016;F;;;;;;;;;;;CE2;CE2;7;;;;";
    let other = "Legoff;;LINA;2016-08-17;F;;;;;;;;;;;CE2;CE2;7;;;;";
    let file = b(&[line, other, line]);
    let keys: Vec<&str> = file.rows.iter().map(|row| row.key.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "legoff|lina|2016-08-17",
            "legoff|lina|2016-08-17#2",
            "legoff|lina|2016-08-17#3"
        ]
    );
    let lines: Vec<u64> = file.issues.iter().map(|issue| issue.place.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn the_wrong_file_is_refused_with_a_plain_reason() {
    let refused = |bytes: &[u8]| read_bytes(bytes).unwrap_err();
    let adults =
        "Civilité Responsable;Nom usage responsable;Nom responsable;Prénom responsable\r\nMME;;X;Y\r\n";
    assert!(refused(adults.as_bytes()).message.contains("« Responsables »"));
    assert_eq!(refused(b"").message, "fichier vide");
    assert_eq!(refused(b"\r\n \r\n").message, "fichier vide");
    let missing = refused("Nom élève;Sexe\r\nX;F\r\n".as_bytes());
    assert_eq!((missing.line, missing.column), (1, 1));
    assert!(missing.message.contains("« Prénom élève »") && missing.message.contains("« Classe »"));
    assert!(
        missing
            .to_string()
            .starts_with("CSVExtraction.csv:1:1: colonne obligatoire absente")
    );
    let data_first = refused("LE GOFF;;Lina;17/08/2016;F\r\n".as_bytes());
    assert!(!data_first.message.contains("GOFF") && !data_first.message.contains("Lina"));
    let open = refused(format!("{B}\n\"LE GOFF;;Lina;17/08/2016\nx;y\n").as_bytes());
    assert_eq!((open.line, open.column), (2, 1));
    assert!(refused(b"PK\x03\x04").message.contains("classeur"));
}

#[test]
fn a_nul_in_a_name_is_an_error_of_that_line_only() {
    let file = b(&[
        "March\0adel;;Lou;17/08/2016;F;;;;;;;;;;;CE2;CE2;7;;;;",
        "Marchadel;;Max;17/08/2016;M;;;;;;;;;;;CE2;CE2;7;;;;",
    ]);
    assert_eq!(
        told(&file),
        [(
            Severity::Error,
            2,
            1,
            "nom de famille avec un caractère de contrôle ou un saut de ligne (colonne 1, « Nom élève »)"
        )]
    );
    assert_eq!(file.rows.len(), 1);
}

#[test]
fn an_unknown_column_is_told_once() {
    let text = "Nom élève;Prénom élève;Date naissance;Classe;Nouveauté\nX;Y;17/08/2016;CE1;z\n";
    let file = read_bytes(text.as_bytes()).unwrap();
    assert_eq!(
        told(&file),
        [(
            Severity::Warning,
            1,
            5,
            "colonne « Nouveauté » inconnue : elle n'est pas lue"
        )]
    );
    assert_eq!(file.rows.len(), 1);
}

#[test]
fn more_lines_than_a_school_can_have_are_refused() {
    let mut text = format!("{B}\n");
    for number in 0..=MOST_ROWS {
        let _ = writeln!(text, "X;;Y{number};17/08/2016;F;;;;;;;;;;;CE2;CE2;7;;;;");
    }
    let refused = read_bytes(text.as_bytes()).unwrap_err();
    assert_eq!(refused.line, MOST_ROWS + 2);
}

#[test]
fn a_reader_that_fails_is_said_to() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    assert!(
        read(Broken, &context())
            .unwrap_err()
            .message
            .contains("interrompue")
    );
}

#[test]
fn the_sample_files_of_the_repository_are_read() {
    let a = read_bytes(include_bytes!("../../../tests/samples/onde-generation-a.csv")).unwrap();
    assert_eq!((a.rows.len(), a.issues.len()), (3, 0), "{:?}", a.issues);
    let b = read_bytes(include_bytes!("../../../tests/samples/onde-generation-b.csv")).unwrap();
    assert_eq!(b.rows.len(), 4);
    assert_eq!(b.issues.len(), 2, "{:?}", b.issues);
    let adults = read_bytes(include_bytes!("../../../tests/samples/onde-responsables.csv"));
    assert!(adults.unwrap_err().message.contains("« Responsables »"));
}

/// Every record is a row, or a line with an error.
fn accounted(file: &OndeFile) -> bool {
    let mut refused: Vec<u64> = file
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| issue.place.line)
        .collect();
    refused.dedup();
    file.rows.iter().all(|row| !refused.contains(&row.place.line))
        && file.rows.len() + refused.len() == usize::try_from(file.records).unwrap()
}

proptest! {
    #[test]
    fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(file) = read_bytes(&bytes) {
            prop_assert!(accounted(&file));
        }
    }

    #[test]
    fn every_record_of_any_body_is_accounted_for(body in "[A-Za-zé;\"0-9/\\-\r\n\0 ]{0,400}") {
        match read_bytes(format!("{B}\n{body}").as_bytes()) {
            Ok(file) => prop_assert!(accounted(&file)),
            Err(refused) => prop_assert!(refused.message.contains("guillemet"), "{}", refused),
        }
    }

    #[test]
    fn every_line_of_a_mixed_file_is_at_its_number(kinds in prop::collection::vec(0u8..5, 1..40)) {
        let mut text = format!("{B}\r\n");
        let mut rows = Vec::new();
        let mut errors = Vec::new();
        let mut number = 2;
        for (at, kind) in kinds.iter().enumerate() {
            let (address, birth) = match kind {
                0 => ("\"x\r\ny\"", "17/08/2016"),
                1 => ("", "17/08/2016"),
                2 => ("\"a\nb\nc\"", "nope"),
                3 => ("1;2", ""),
                _ => {
                    text.push_str("\r\n");
                    number += 1;
                    continue;
                }
            };
            let _ = write!(text, "N{at};;P{at};{birth};F;;{address};;;;;;;;;CE2;CE2;7;;;;\r\n");
            if *kind < 2 { rows.push(number) } else { errors.push(number) }
            number += 1 + address.matches('\n').count() as u64;
        }
        let file = read_bytes(text.as_bytes()).unwrap();
        let mut told: Vec<u64> = file.issues.iter()
            .filter(|issue| issue.severity == Severity::Error).map(|issue| issue.place.line).collect();
        told.dedup();
        prop_assert_eq!(file.rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), rows);
        prop_assert_eq!(told, errors);
    }
}
