//! What a load does to a school: new, unchanged, changed, moved, departing, returning; the same again changes nothing.

use crate::files::{aaf, ecole, eleves, etab, load, onde, overriding};
use crate::town::{COLLEGES, ECOLES, assert_same, on_each_engine};
use marelle::flows::import::{self, Feed, File, ImportError};

const CLASS: [&str; 6] = [
    "LE GOFF|Lina|17/08/2016|123456789AA",
    "MARTIN|Noé|02/01/2016|123456789AB",
    "PETIT|Inès|03/03/2016|123456789AC|CM1-CM2|CM1",
    "ROUX|Tom|04/04/2016||CM1-CM2|CM2",
    "D’HŒRT|Jean-Noël|05/05/2016|123456789AD|CM1-CM2|CM1",
    "ÇELIK|Élif|06/06/2016|123456789AE",
];

#[tokio::test]
async fn a_first_load_makes_people_classes_and_enrolments_and_the_same_again_changes_nothing() {
    on_each_engine(async |town| {
        let preview = import::preview(&town.context, ecole(ECOLES[0], 2026, &CLASS))
            .await
            .unwrap();
        assert_eq!(
            (preview.total.new, preview.total.stated, preview.total.classes),
            (6, 6, 2)
        );
        assert!(preview.run.is_none() && preview.concerns.is_empty());
        assert_eq!(
            town.count("SELECT id FROM identity").await,
            0,
            "a preview writes nothing"
        );
        assert_eq!(town.count("SELECT id FROM import_run").await, 0);

        let report = town.apply(ecole(ECOLES[0], 2026, &CLASS)).await;
        assert_eq!(report.total, preview.total);
        assert_eq!(town.people().await.len(), 6);
        assert_eq!(
            town.texts("SELECT label || ' ' || level AS line FROM class_group ORDER BY label")
                .await,
            ["CM1-CM2 CM1", "CM2 A CM2"],
            "the level most are in"
        );
        let shown = town.shown().await;
        assert!(
            shown.contains(
                &"active D’HŒRT Jean-Noël 2016-05-05 onde:9990001X:dhoert|jeannoel|2016-05-05".to_owned()
            ),
            "{shown:?}"
        );
        let live = "SELECT id FROM enrolment WHERE starts_on = '2026-10-01' AND ends_on = '2027-09-15'";
        assert_eq!(town.count(live).await, 6);

        let before = town.dump().await;
        let turns = town.rows("SELECT * FROM recognition").await;
        town.days(1);
        let again = town.apply(ecole(ECOLES[0], 2026, &CLASS)).await;
        assert!(again.total.is_quiet(), "{:?}", again.total);
        assert_eq!(again.total.unchanged, 6);
        assert_same(&before, &town.dump().await);
        assert_eq!(turns, town.rows("SELECT * FROM recognition").await);
        assert_eq!(
            town.texts("SELECT status FROM import_run").await,
            ["applied", "applied"],
            "a run is recorded all the same"
        );
    })
    .await;
}

#[tokio::test]
async fn what_changes_in_a_school_is_told_and_done() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &CLASS)).await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        let tom = town.identity("roux|tom|2016-04-04").await;
        town.days(10);
        let next = [
            // A birth date corrected, a class changed, a number gained, a name corrected; Élif has left, Maya is new.
            "LE GOFF|Lina|18/08/2016|123456789AA",
            "MARTIN|Noé|02/01/2016|123456789AB|CM1-CM2|CM2",
            "PETIT|Inès|03/03/2016|123456789AC|CM1-CM2|CM1",
            "ROUX|Tom|04/04/2016|123456789AF|CM1-CM2|CM2",
            "D’HŒRT DE LA TOUR|Jean-Noël|05/05/2016|123456789AD|CM1-CM2|CM1",
            "DIALLO|Maya|07/07/2016|123456789AG",
        ];
        let expected = import::preview(&town.context, ecole(ECOLES[0], 2026, &next))
            .await
            .unwrap();
        let report = town.apply(ecole(ECOLES[0], 2026, &next)).await;
        assert_eq!(report.total, expected.total, "the preview said so");
        let total = report.total;
        assert_eq!((total.new, total.changed, total.moved), (1, 3, 1));
        assert_eq!((total.departing, total.returning, total.unchanged), (1, 0, 1));
        assert_eq!(total.classes, 0, "as many of each level: the first by name");

        assert_eq!(
            town.identity("legoff|lina|2016-08-18").await,
            lina,
            "her key was corrected, not she"
        );
        assert_eq!(town.identity("roux|tom|2016-04-04").await, tom);
        assert_eq!(town.people().await.len(), 7);
        assert_eq!(
            town.texts("SELECT ends_on FROM enrolment WHERE ends_on < '2027'")
                .await,
            ["2026-10-11"]
        );
        let departed = town.texts(
            "SELECT given_name || ' ' || status_detail AS line FROM identity WHERE status = 'departed'",
        );
        assert_eq!(departed.await, ["Élif 2026-10-11"]);
        assert_eq!(
            town.count("SELECT id FROM source_record WHERE missing_since IS NOT NULL")
                .await,
            1
        );

        // She is back.
        let back: Vec<&str> = next.iter().copied().chain([CLASS[5]]).collect();
        let report = town.apply(ecole(ECOLES[0], 2026, &back)).await;
        assert_eq!(
            (report.total.returning, report.total.new, report.total.unchanged),
            (1, 0, 6)
        );
        assert_eq!(
            town.count("SELECT id FROM identity WHERE status = 'active'")
                .await,
            7
        );
        assert_eq!(
            town.count("SELECT id FROM enrolment WHERE ends_on < '2027'")
                .await,
            0
        );
        assert_eq!(
            town.count("SELECT id FROM source_record WHERE missing_since IS NOT NULL")
                .await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn homonyms_of_one_school_are_told_apart_by_their_number_whatever_the_order_of_the_lines() {
    on_each_engine(async |town| {
        let (one, two) = (
            "LE GOFF|Lina|17/08/2016|123456789AA",
            "LE GOFF|Lina|17/08/2016|123456789AB|CP|CP",
        );
        town.apply(ecole(ECOLES[0], 2026, &[one, two])).await;
        let before = town.dump().await;
        assert_eq!(town.people().await.len(), 2);
        let swapped = town.apply(ecole(ECOLES[0], 2026, &[two, one])).await;
        assert!(swapped.total.is_quiet(), "{:?}", swapped.total);
        assert_same(&before, &town.dump().await);
    })
    .await;
}

#[tokio::test]
async fn two_years_stand_side_by_side_and_the_later_one_says_who_a_person_is() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &["LE GOFF|Lina|17/08/2016|123456789AA|CM1|CM1", CLASS[1]])).await;
        town.days(240);
        let next = ["LE GOFF MARTIN|Lina|17/08/2016|123456789AA|CM2|CM2"];
        let report = town.apply(overriding(ecole(ECOLES[0], 2027, &next))).await;
        assert_eq!((report.total.entering, report.total.departing, report.total.changed), (1, 0, 1));
        // The nightly file of the year that runs changes neither her name back nor her coming class.
        let before = town.dump().await;
        let nightly = ["LE GOFF|Lina|17/08/2016|123456789AA|CM1|CM1", CLASS[1]];
        let report = town.apply(ecole(ECOLES[0], 2026, &nightly)).await;
        assert!(report.total.is_quiet(), "{:?}", report.total);
        assert_same(&before, &town.dump().await);
        assert_eq!(
            town.texts("SELECT level || ' ' || starts_on || ' ' || ends_on AS line FROM enrolment ORDER BY level, year")
                .await,
            ["CM1 2026-10-01 2027-09-15", "CM2 2026-10-01 2027-09-15", "CM2 2027-05-29 2028-09-15"]
        );
        // Leaving the coming year's file leaves the year that runs alone.
        town.apply(overriding(ecole(ECOLES[0], 2027, &["ROUX|Tom|04/04/2016"]))).await;
        assert_eq!(town.count("SELECT id FROM identity WHERE status = 'departed'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_pupil_who_changes_school_inside_an_academy_moves_with_everything() {
    on_each_engine(async |town| {
        let [one, two] = COLLEGES;
        let pupils = [
            (1, one, "LE GOFF|Lina|17/08/2015|123456789AA"),
            (2, one, CLASS[1]),
            (3, two, CLASS[2]),
        ];
        let report = town.apply(aaf(2026, &COLLEGES, &pupils)).await;
        assert_eq!((report.total.new, report.establishments), (3, 4));
        assert_eq!(town.count("SELECT uai FROM school WHERE degree = 'second'").await, 2);
        let lina = town.identity(":1").await;
        town.days(30);
        let moved = [(1, two, pupils[0].2), pupils[1], pupils[2]];
        let report = town.apply(aaf(2026, &COLLEGES, &moved)).await;
        assert_eq!((report.total.moved, report.total.departing, report.total.new), (1, 0, 0));
        assert_eq!(town.identity(":1").await, lina);
        assert_eq!(
            town.texts(&format!(
                "SELECT uai || ' ' || starts_on || ' ' || ends_on AS line FROM enrolment WHERE identity_id = '{lina}' ORDER BY 1"
            ))
            .await,
            ["9990101F 2026-10-01 2026-10-31", "9990102G 2026-10-31 2027-09-15"]
        );
        assert_eq!(town.count("SELECT id FROM identity WHERE status = 'departed'").await, 0);
        let before = town.dump().await;
        let again = town.apply(aaf(2026, &COLLEGES, &moved)).await;
        assert!(again.total.is_quiet(), "{:?}", again.total);
        assert_same(&before, &town.dump().await);
    })
    .await;
}

#[tokio::test]
async fn bad_rows_are_set_aside_and_told_and_nobody_leaves_by_a_bad_row() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &CLASS)).await;
        let broken = [
            "LE GOFF|Lina|31/31/2016|123456789AA",
            CLASS[1],
            CLASS[2],
            CLASS[3],
            CLASS[4],
        ];
        let before = town.dump().await;
        let report = town.apply(ecole(ECOLES[0], 2026, &broken)).await;
        assert_eq!(
            (report.errors, report.total.held, report.total.departing),
            (1, 2, 0)
        );
        let issue = report.issues.iter().map(ToString::to_string).next().unwrap();
        assert!(issue.starts_with("CSVExtraction.csv:2:4"), "{issue}");
        assert!(!issue.contains("Lina"), "{issue}");
        assert_same(&before, &town.dump().await);

        // AAF: a structure nobody knows, a key twice.
        let pupils = [
            (1, COLLEGES[0], CLASS[1]),
            (2, COLLEGES[1], CLASS[2]),
            (1, COLLEGES[0], CLASS[3]),
        ];
        let report = town.apply(aaf(2026, &COLLEGES[..1], &pupils)).await;
        assert_eq!((report.total.stated, report.errors), (1, 2));
        let messages: Vec<&str> = report.issues.iter().map(|issue| &*issue.message).collect();
        assert!(
            messages
                .iter()
                .any(|message| message.contains("établissement inconnu")),
            "{messages:?}"
        );
        assert!(
            messages.iter().any(|message| message.contains("déjà vu")),
            "{messages:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_ends_the_load_with_its_place_and_nothing_is_written() {
    on_each_engine(async |town| {
        let before = town.dump().await;
        let adults = b"Civilit\xe9 Responsable;Nom responsable\r\n".to_vec();
        let school = Some(ECOLES[0].parse().unwrap());
        let files = vec![File::of_bytes("CSVExtraction.csv", school, adults)];
        let error = import::apply(&town.context, load(Feed::Onde, 2026, files)).await.unwrap_err();
        assert!(matches!(&error, ImportError::Unreadable(refused) if (refused.line, refused.column) == (1, 1)), "{error:?}");

        let mut cut = eleves(&[(1, COLLEGES[0], CLASS[0])]);
        cut.truncate(cut.len() - 40);
        let files = vec![
            File::of_bytes("E_Complet_1_EtabEducNat_0000.xml", None, etab(&COLLEGES)),
            File::of_bytes("E_Complet_1_Eleve_0000.xml", None, cut),
        ];
        let academy = "20".parse().unwrap();
        let error = import::apply(&town.context, load(Feed::Aaf { academy, degree: None }, 2026, files)).await.unwrap_err();
        assert!(matches!(&error, ImportError::Unreadable(refused) if &*refused.file == "E_Complet_1_Eleve_0000.xml"), "{error:?}");
        assert_same(&before, &town.dump().await);
        assert_eq!(town.count("SELECT id FROM import_run").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_ecole_must_be_named_declared_and_given_once() {
    on_each_engine(async |town| {
        let usage = async |files| {
            let error = import::apply(&town.context, load(Feed::Onde, 2026, files))
                .await
                .unwrap_err();
            assert!(matches!(error, ImportError::Usage(_)), "{error:?}");
            error.to_string()
        };
        let file = |school: Option<&str>| {
            File::of_bytes(
                "CSVExtraction.csv",
                school.map(|school| school.parse().unwrap()),
                onde(&CLASS),
            )
        };
        assert!(usage(vec![file(None)]).await.contains("--school"));
        let unknown = usage(vec![file(Some("9990009F"))]).await;
        assert!(
            unknown.contains("uai = \"9990009F\"") && unknown.contains("marelle apply"),
            "{unknown}"
        );
        assert!(
            usage(vec![file(Some(ECOLES[0])), file(Some(ECOLES[0]))])
                .await
                .contains("deux fichiers")
        );
        assert!(usage(vec![]).await.contains("aucun fichier"));
    })
    .await;
}

#[tokio::test]
async fn an_ine_is_nowhere_in_the_clear() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &CLASS)).await;
        let mut corrected = CLASS;
        corrected[0] = "LE GOFF|Lina|17/08/2016|123456789ZZ";
        town.apply(ecole(ECOLES[0], 2026, &corrected)).await;
        let mut everything = format!("{:?}", town.dump().await);
        everything.push_str(&format!("{:?}", town.rows("SELECT * FROM audit_event").await));
        everything.push_str(&format!("{:?}", town.rows("SELECT * FROM import_run").await));
        assert!(everything.contains("LE GOFF"), "the dump is of the data");
        assert!(!everything.contains("123456789"));
        let names = format!("{:?}", town.rows("SELECT * FROM audit_event").await);
        assert!(
            !names.contains("GOFF") && !names.contains("goff"),
            "no name in the audit journal"
        );
    })
    .await;
}
