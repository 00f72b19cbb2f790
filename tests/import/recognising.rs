//! One child, one identity: across feeds, orders of loading, corrections, twins, missing and wrong numbers.

use crate::files::{aaf, ecole, eleves, overriding};
use crate::town::{COLLEGES, ECOLES, Town, assert_same, on_each_engine};
use marelle::flows::import::{File, Load};

const LINA: &str = "LE GOFF|Lina|17/08/2016|123456789AA";
/// The same, misspelt: no question beside the number, and one beside a twin.
const LENA: &str = "LE GOFF|Lena|17/08/2016|123456789AA";

#[tokio::test]
async fn a_cm2_pupil_becomes_a_6e_pupil_under_the_same_identity_and_keeps_their_subject() {
    on_each_engine(async |town| {
        town.apply(ecole(
            ECOLES[0],
            2026,
            &[LINA, "MARTIN|Noé|02/01/2016|123456789AB"],
        ))
        .await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        town.release(lina, "ent", "subject-of-lina").await;
        let subjects = town.rows("SELECT * FROM subject").await;
        town.days(250);
        // The collège writes her usage name and her second first name; the number, the date, the first name agree.
        let report = town
            .apply(aaf(
                2027,
                &COLLEGES,
                &[(7, COLLEGES[0], "LE GOFF MARTIN|LINA|17/08/2016|123456789AA")],
            ))
            .await;
        assert_eq!(
            (report.total.new, report.total.recognised, report.total.cases),
            (1, 1, 0)
        );
        assert_eq!(town.identity("aaf2d:20:7").await, lina);
        assert_eq!(town.rows("SELECT * FROM subject").await, subjects);
        assert!(
            town.shown().await[0].starts_with("active LE GOFF MARTIN LINA 2016-08-17"),
            "what the collège says is shown"
        );
        assert_eq!(
            town.texts(&format!(
                "SELECT uai FROM enrolment WHERE identity_id = '{lina}' ORDER BY uai"
            ))
            .await,
            [ECOLES[0], COLLEGES[0]],
            "both schools count until mid-September"
        );
        let by = "SELECT linked_by FROM source_record WHERE record_key = 'aaf2d:20:7'";
        assert_eq!(town.texts(by).await, ["certain"]);
    })
    .await;
}

/// Whom the collèges of the next year state.
const COLLEGIANS: [(u32, &str, &str); 8] = [
    (1, COLLEGES[0], "LE GOFF|Lina|17/08/2016|123456789AA"),
    (2, COLLEGES[0], "MARTIN|Léa|02/01/2016|123456789AB"),
    (3, COLLEGES[0], "MARTIN|Léo|02/01/2016|123456789AH"),
    (4, COLLEGES[0], "PETIT|Inès|03/03/2016|123456789AI"),
    (5, COLLEGES[1], "ROUX|Tom|04/04/2016|123456789AC"),
    (6, COLLEGES[1], "NGUYEN|Lou|06/06/2016|123456789AE"),
    // The birth date is wrong here.
    (7, COLLEGES[1], "KAYA|Elif|07/08/2016|123456789AF"),
    // The family name changed.
    (8, COLLEGES[1], "BENALI DURAND|Sami|08/08/2016|123456789AD"),
];

/// Three feeds of the same summer: two écoles and the collèges of the next year, with everything that is hard.
fn feeds() -> [fn() -> Load; 3] {
    let port = || {
        ecole(
            ECOLES[0],
            2026,
            &[
                LINA,
                // Twins, and one number typed for both.
                "MARTIN|Léa|02/01/2016|123456789AB",
                "MARTIN|Léo|02/01/2016|123456789AB",
                // No number yet.
                "PETIT|Inès|03/03/2016|",
                // Moves to the other école in June.
                "ROUX|Tom|04/04/2016|123456789AC",
                // A wrong number: it is Sami's.
                "DIALLO|Maya|05/05/2016|123456789AD",
                // A homonym of the other école's.
                "NGUYEN|Lou|06/06/2016|123456789AE",
                "KAYA|Élif|07/07/2016|123456789AF",
            ],
        )
    };
    let lavoir = || {
        ecole(
            ECOLES[1],
            2026,
            &[
                "ROUX|TOM|04/04/2016|123456789AC",
                "BENALI|Sami|08/08/2016|123456789AD",
                "NGUYEN|Lou|06/06/2016|123456789AG",
                "PETIT|Inès|03/03/2016|",
            ],
        )
    };
    let colleges = || aaf(2027, &COLLEGES, &COLLEGIANS);
    [port, lavoir, colleges]
}

#[tokio::test]
async fn every_order_of_three_feeds_ends_with_the_same_people_and_the_same_cases() {
    on_each_engine(async |town| {
        let feeds = feeds();
        let mut ends = Vec::new();
        let empty = town.dump().await;
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for feed in order {
                town.apply(feeds[feed]()).await;
            }
            ends.push((town.people().await, town.cases().await, town.shown().await));
            // The same again, in this order and backwards, changes nothing.
            let before = town.dump().await;
            for feed in order.into_iter().rev().chain(order) {
                let report = town.apply(feeds[feed]()).await;
                assert!(report.total.is_quiet(), "{:?}", report.total);
            }
            assert_same(&before, &town.dump().await);
            town.undo_everything().await;
            assert_same(&empty, &town.dump().await);
        }
        for end in &ends[1..] {
            assert_eq!(*end, ends[0]);
        }
        let (people, cases, _) = &ends[0];
        let person =
            |keys: &[&str]| people.contains(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert!(person(&["aaf2d:20:1", "onde:9990001X:legoff|lina|2016-08-17"]));
        assert!(person(&[
            "aaf2d:20:5",
            "onde:9990001X:roux|tom|2016-04-04",
            "onde:9990002Y:roux|tom|2016-04-04"
        ]));
        assert!(person(&["aaf2d:20:8", "onde:9990002Y:benali|sami|2016-08-08"]));
        assert!(
            person(&["aaf2d:20:2", "onde:9990001X:martin|lea|2016-01-02"]),
            "a twin whose name, date and number agree"
        );
        assert!(person(&["aaf2d:20:3"]), "a twin whose number does not");
        assert!(
            person(&["aaf2d:20:7", "onde:9990001X:kaya|elif|2016-07-07"]),
            "a digit of the birth date"
        );
        assert!(
            person(&["onde:9990001X:diallo|maya|2016-05-05"]),
            "a number, and nothing else in common"
        );
        assert!(
            person(&["onde:9990002Y:nguyen|lou|2016-06-06"]),
            "another number, another child"
        );
        assert_eq!(
            cases.iter().map(String::as_str).collect::<Vec<_>>(),
            [
                // Numbers that follow one another look like a typing error.
                "ine_differs: onde:9990001X:nguyen|lou|2016-06-06 onde:9990002Y:nguyen|lou|2016-06-06",
                "names_without_ine: onde:9990001X:petit|ines|2016-03-03 onde:9990002Y:petit|ines|2016-03-03",
                "several_candidates: aaf2d:20:4 onde:9990001X:petit|ines|2016-03-03",
                "several_candidates: aaf2d:20:4 onde:9990002Y:petit|ines|2016-03-03",
                "twin: aaf2d:20:3 onde:9990001X:martin|leo|2016-01-02",
                "twin: onde:9990001X:martin|lea|2016-01-02 onde:9990001X:martin|leo|2016-01-02",
            ]
        );
    })
    .await;
}

/// A delivery of changes that states pupils whole.
fn added(pupils: &[(u32, &'static str, &'static str)]) -> Load {
    let file = File::of_bytes("ENT2D_Delta_20270910_Eleve_0000.xml", None, eleves(pupils));
    Load {
        files: vec![file],
        ..aaf(2027, &[], &[])
    }
}

#[tokio::test]
async fn a_delivery_whole_or_in_changes_ends_with_the_same_people_and_the_same_cases_in_every_order() {
    on_each_engine(async |town| {
        let [port, lavoir, whole] = feeds();
        let begun = || aaf(2027, &COLLEGES, &COLLEGIANS[..2]);
        let some = || added(&COLLEGIANS[2..5]);
        let rest = || added(&COLLEGIANS[5..]);
        let one_by_one = |at: usize| added(&COLLEGIANS[at..=at]);
        let empty = town.dump().await;
        let mut ends = Vec::new();
        let orders: [Vec<Load>; 6] = [
            vec![port(), lavoir(), whole()],
            vec![port(), lavoir(), begun(), some(), rest()],
            vec![begun(), rest(), some(), lavoir(), port()],
            vec![begun(), port(), some(), lavoir(), rest()],
            vec![lavoir(), begun(), some(), port(), rest()],
            [begun()]
                .into_iter()
                .chain([7, 4, 2].map(one_by_one))
                .chain([port()])
                .chain([6, 3].map(one_by_one))
                .chain([lavoir(), one_by_one(5)])
                .collect(),
        ];
        for order in orders {
            for load in order {
                town.apply(load).await;
            }
            ends.push((town.people().await, town.cases().await, town.shown().await));
            // What is said in changes is what the whole delivery says: it changes nobody.
            let report = town.apply(whole()).await;
            assert_eq!(
                (report.total.new, report.total.changed, report.total.cases),
                (0, 0, 0)
            );
            town.undo_everything().await;
            assert_same(&empty, &town.dump().await);
        }
        for end in &ends[1..] {
            assert_eq!(*end, ends[0]);
        }
        assert_eq!(ends[0].1.len(), 6, "as whole feeds in every order");
    })
    .await;
}

async fn linked(town: &Town) -> bool {
    town.identity("aaf2d:20:1").await == town.identity("legoff|lina|2016-08-17").await
}

#[tokio::test]
async fn a_twin_that_comes_later_separates_records_that_nobody_used_and_asks_about_those_in_use() {
    on_each_engine(async |town| {
        for used in [false, true] {
            town.apply(ecole(ECOLES[0], 2026, &[LINA])).await;
            town.apply(aaf(2027, &COLLEGES, &[(1, COLLEGES[0], LENA)])).await;
            assert!(linked(&town).await);
            let lina = town.identity("aaf2d:20:1").await;
            if used {
                town.release(lina, "ent", "subject-of-lina").await;
            }
            let before = town.dump().await;
            let with_twin = [LINA, "LE GOFF|Lila|17/08/2016|123456789AB"];
            let report = town.apply(ecole(ECOLES[0], 2026, &with_twin)).await;
            assert_eq!(
                (report.total.cases, report.total.separated),
                (1, u64::from(!used))
            );
            assert_eq!(linked(&town).await, used);
            assert_eq!(
                town.cases().await.into_iter().collect::<Vec<_>>(),
                ["twin: aaf2d:20:1 onde:9990001X:legoff|lina|2016-08-17"]
            );
            let stays = town.identity("legoff|lina|2016-08-17").await;
            assert_eq!(stays, lina, "the older record keeps the identity");
            let settled = town.dump().await;
            assert!(
                town.apply(ecole(ECOLES[0], 2026, &with_twin))
                    .await
                    .total
                    .is_quiet()
            );
            assert!(
                town.apply(aaf(2027, &COLLEGES, &[(1, COLLEGES[0], LENA)]))
                    .await
                    .total
                    .is_quiet()
            );
            assert_same(&settled, &town.dump().await);
            if used {
                continue;
            }
            // The twin was a mistake of the file: the link comes back, the case closes.
            town.apply(overriding(ecole(ECOLES[0], 2026, &[LINA]))).await;
            assert!(!linked(&town).await, "a twin who has left is still known");
            for run in town
                .texts("SELECT id FROM import_run WHERE status = 'applied' ORDER BY id DESC")
                .await
                .iter()
                .take(4)
            {
                marelle::flows::undo::undo(&town.context, run.parse().unwrap(), "Maddi")
                    .await
                    .unwrap();
            }
            assert_same(&before, &town.dump().await);
            assert!(linked(&town).await);
            for run in town
                .texts("SELECT id FROM import_run WHERE status = 'applied' ORDER BY id DESC")
                .await
            {
                marelle::flows::undo::undo(&town.context, run.parse().unwrap(), "Maddi")
                    .await
                    .unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_number_that_arrives_makes_two_identities_one_and_the_later_reports_say_so() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &["LE GOFF|Lina|17/08/2016|"])).await;
        let older = town.identity("legoff|lina|2016-08-17").await;
        town.release(older, "ent", "older").await;
        town.days(200);
        town.apply(aaf(2027, &COLLEGES, &[(1, COLLEGES[0], "LE GOF|Lima|17/08/2016|123456789AA")])).await;
        let newer = town.identity("aaf2d:20:1").await;
        assert_ne!(older, newer);
        assert_eq!(town.cases().await.len(), 1);
        town.release(newer, "ent", "newer").await;
        town.release(newer, "cantine", "lunch").await;

        let before = town.dump().await;
        let report = town.apply(ecole(ECOLES[0], 2026, &[LINA])).await;
        assert_eq!((report.total.merges, report.total.changed), (1, 1));
        assert_eq!(town.identity("aaf2d:20:1").await, older, "the older identity is kept");
        assert!(town.cases().await.is_empty(), "nothing is left to decide");
        assert_eq!(
            town.texts("SELECT sector || ' ' || value || ' ' || identity_id || CASE WHEN in_use THEN ' in use' ELSE '' END
                AS line FROM subject ORDER BY sector, value")
                .await,
            [
                format!("cantine lunch {older} in use"),
                format!("ent newer {older}"),
                format!("ent older {older} in use"),
            ]
        );
        assert_eq!(
            town.texts("SELECT status_detail FROM identity WHERE status = 'merged'").await,
            [older.to_string()]
        );
        assert!(town.apply(ecole(ECOLES[0], 2026, &[LINA])).await.total.is_quiet());

        // The run that merged is taken back: two identities again, each with its own.
        let run = report.run.unwrap();
        marelle::flows::undo::undo(&town.context, run, "Maddi").await.unwrap();
        assert_same(&before, &town.dump().await);
    })
    .await;
}
