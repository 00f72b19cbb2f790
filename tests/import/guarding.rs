//! Guards: what a partial, misdirected or untimely delivery is refused for, and by what it is let through.

use crate::files::{aaf, ecole, eleves, etab, load, overriding};
use crate::town::{COLLEGES, ECOLES, Town, assert_same, on_each_engine};
use marelle::flows::import::{self, Feed, File};

fn class(size: usize) -> Vec<String> {
    let name = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap());
    (0..size)
        .map(|at| {
            format!(
                "LE GOFF {}{}|Lina|{:02}/08/2016|1234567{at:02}AA",
                name(at / 26),
                name(at),
                at % 28 + 1
            )
        })
        .collect()
}

fn rows(children: &[String]) -> Vec<&str> {
    children.iter().map(String::as_str).collect()
}

async fn is_refused_whole(town: &Town, load: import::Load, codes: &[&str]) {
    let before = town.dump().await;
    let refusals = town
        .count("SELECT kind FROM audit_event WHERE kind = 'import.refused'")
        .await;
    assert_eq!(town.refused(load).await, codes);
    assert_same(&before, &town.dump().await);
    assert_eq!(
        town.count("SELECT kind FROM audit_event WHERE kind = 'import.refused'")
            .await,
        refusals + 1
    );
}

#[tokio::test]
async fn a_partial_file_is_refused_and_a_named_human_may_let_it_through() {
    on_each_engine(async |town| {
        let all = class(40);
        town.apply(ecole(ECOLES[0], 2026, &rows(&all))).await;
        is_refused_whole(&town, ecole(ECOLES[0], 2026, &rows(&all[..20])), &["departures"]).await;
        is_refused_whole(&town, ecole(ECOLES[0], 2026, &[]), &["vanished"]).await;
        let preview = import::preview(&town.context, ecole(ECOLES[0], 2026, &rows(&all[..20])))
            .await
            .unwrap();
        assert_eq!(preview.concerns[0].figures(), Some((40, 20)));
        assert!(
            preview.concerns[0].to_string().contains("20 élèves sur 40"),
            "{}",
            preview.concerns[0]
        );

        let run = town
            .apply(overriding(ecole(ECOLES[0], 2026, &rows(&all[..20]))))
            .await
            .run
            .unwrap();
        assert_eq!(
            town.count("SELECT id FROM identity WHERE status = 'departed'")
                .await,
            20
        );
        let sql =
            format!("SELECT actor || ': ' || override_reason AS line FROM import_run WHERE id = '{run}'");
        assert_eq!(town.texts(&sql).await, ["Maddi: vérifié avec l'école"]);
        let audited = town
            .texts(&format!("SELECT details FROM audit_event WHERE about = '{run}'"))
            .await
            .join(" ");
        assert!(
            audited.contains("vérifié avec l'école") && audited.contains("Maddi"),
            "{audited}"
        );
    })
    .await;
}

#[tokio::test]
async fn one_bad_school_refuses_the_whole_delivery() {
    on_each_engine(async |town| {
        let all = class(40);
        let pupils: Vec<(u32, &str, &str)> = all
            .iter()
            .zip(1..)
            .map(|(child, key)| (key, COLLEGES[usize::from(key > 20)], &**child))
            .collect();
        town.apply(aaf(2026, &COLLEGES, &pupils)).await;
        is_refused_whole(&town, aaf(2026, &COLLEGES, &pupils[..30]), &["departures"]).await;
        // A collège that is not in a complete delivery at all has not closed.
        is_refused_whole(&town, aaf(2026, &COLLEGES[..1], &pupils[..20]), &["vanished"]).await;
        let report = town
            .apply(overriding(aaf(2026, &COLLEGES[..1], &pupils[..20])))
            .await;
        assert_eq!(report.total.departing, 20);
        assert_eq!(report.schools.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_year_that_begins_with_less_than_half_is_refused() {
    on_each_engine(async |town| {
        let all = class(40);
        town.apply(ecole(ECOLES[0], 2026, &rows(&all))).await;
        town.days(250);
        is_refused_whole(&town, ecole(ECOLES[0], 2027, &rows(&all[..19])), &["first_load"]).await;
        town.apply(ecole(ECOLES[0], 2027, &rows(&all[..20]))).await;
    })
    .await;
}

#[tokio::test]
async fn a_year_that_is_over_and_a_delivery_with_a_hole_are_refused() {
    on_each_engine(async |town| {
        is_refused_whole(
            &town,
            ecole(ECOLES[0], 2025, &["LE GOFF|Lina|17/08/2016|"]),
            &["year"],
        )
        .await;
        is_refused_whole(
            &town,
            ecole(ECOLES[0], 2028, &["LE GOFF|Lina|17/08/2016|"]),
            &["year"],
        )
        .await;
        let part = |part: u32, key: u32| {
            let name = format!("E_Complet_1_Eleve_{part:04}.xml");
            File::of_bytes(
                &name,
                None,
                eleves(&[(key, COLLEGES[0], "LE GOFF|Lina|17/08/2016|")]),
            )
        };
        let delivery = |parts: &[u32]| {
            let mut files = vec![File::of_bytes(
                "E_Complet_1_EtabEducNat_0000.xml",
                None,
                etab(&COLLEGES),
            )];
            files.extend(parts.iter().map(|at| part(*at, at + 1)));
            let academy = "20".parse().unwrap();
            load(
                Feed::Aaf {
                    academy,
                    degree: None,
                },
                2026,
                files,
            )
        };
        is_refused_whole(&town, delivery(&[0, 2]), &["delivery"]).await;
        assert_eq!(town.apply(delivery(&[0, 1])).await.total.new, 2);
    })
    .await;
}

#[tokio::test]
async fn an_override_says_why() {
    on_each_engine(async |town| {
        let mut load = ecole(ECOLES[0], 2026, &["LE GOFF|Lina|17/08/2016|"]);
        load.override_reason = Some("  ".into());
        let error = import::apply(&town.context, load).await.unwrap_err();
        assert!(matches!(error, import::ImportError::Usage(_)), "{error:?}");
    })
    .await;
}
