//! Deliveries of changes: what is said changes, what is not said stays, and nobody leaves but by name.

use crate::files::{aaf, load};
use crate::town::{COLLEGES, Town, assert_same, on_each_engine};
use marelle::flows::import::{Feed, File, Load};
use marelle::flows::undo;

fn delta(requests: &str) -> Load {
    let text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ficAlimMENESR>\n{requests}</ficAlimMENESR>\n");
    let file = File::of_bytes("ENT2D_Delta_20260920_Eleve_0000.xml", None, text.into_bytes());
    let academy = "20".parse().unwrap();
    load(
        Feed::Aaf {
            academy,
            degree: None,
        },
        2026,
        vec![file],
    )
}

/// `modifications` as the grammar has them, or `attributes` as real files do.
fn modify(key: &str, grammar: bool, attributes: &[(&str, &str)]) -> String {
    let (outer, inner) = if grammar {
        ("modifications", "modification operation=\"replace\"")
    } else {
        ("attributes", "attr")
    };
    let close = inner.split(' ').next().unwrap();
    let attributes: String = attributes
        .iter()
        .map(|(name, value)| format!("<{inner} name=\"{name}\"><value>{value}</value></{close}>"))
        .collect();
    format!(
        "<modifyRequest><operationalAttributes><attr name=\"categoriePersonne\"><value>Eleve</value></attr>\
         </operationalAttributes><identifier><id>{key}</id></identifier><{outer}>{attributes}</{outer}></modifyRequest>\n"
    )
}

fn delete(key: &str) -> String {
    format!(
        "<deleteRequest><operationalAttributes><attr name=\"categoriePersonne\"><value>Eleve</value></attr>\
         </operationalAttributes><identifier><id>{key}</id></identifier></deleteRequest>\n"
    )
}

async fn pupils(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT r.record_key || ' ' || r.family_name || ' ' || r.given_name || ' ' || e.uai || ' ' ||
            COALESCE(c.label, '-') || ' ' || COALESCE(e.level, '-') AS line
         FROM source_record r JOIN enrolment e ON e.record_id = r.id LEFT JOIN class_group c ON c.id = e.class_id
         WHERE e.ends_on >= '2027-09-15' ORDER BY 1",
    )
    .await
}

#[tokio::test]
async fn what_is_said_changes_and_what_is_not_said_stays() {
    on_each_engine(async |town| {
        let complete = [
            (1, COLLEGES[0], "LE GOFF|Lina|17/08/2015|123456789AA"),
            (2, COLLEGES[0], "MARTIN|Noé|02/01/2015|123456789AB"),
            (3, COLLEGES[0], "PETIT|Inès|03/03/2015|"),
            (4, COLLEGES[1], "ROUX|Tom|04/04/2015|"),
        ];
        town.apply(aaf(2026, &COLLEGES, &complete)).await;
        let before = town.dump().await;
        town.days(1);
        let requests = [
            // A class and a number; the names, the birth date and the level stay.
            modify(
                "1",
                true,
                &[
                    ("ENTEleveClasses", "9990101$6EME B"),
                    ("sn", ""),
                    ("ENTEleveNivFormation", ""),
                ],
            ),
            // A move to the other collège, in two requests.
            modify("2", false, &[("ENTPersonStructRattach", "9990102")]),
            modify(
                "2",
                true,
                &[("ENTEleveClasses", "9990102$6EME Z"), ("sn", "MARTINEZ")],
            ),
            delete("3"),
            modify("99", true, &[("sn", "X"), ("givenName", "Y")]),
            delete("98"),
        ];
        let report = town.apply(delta(&requests.concat())).await;
        assert_eq!(
            pupils(&town).await,
            [
                "aaf2d:20:1 LE GOFF Lina 9990101F 6EME B 6EME",
                "aaf2d:20:2 MARTINEZ Noé 9990102G 6EME Z 6EME",
                "aaf2d:20:4 ROUX Tom 9990102G 6EME A 6EME",
            ]
        );
        assert_eq!(report.errors, 1, "a change of nobody: {:?}", report.issues);
        assert_eq!(report.total.departing, 1);
        let numbers = "SELECT id FROM source_record WHERE ine_index IS NOT NULL";
        assert_eq!(town.count(numbers).await, 2, "numbers stay");
        undo::undo(&town.context, report.run.unwrap(), "Maddi")
            .await
            .unwrap();
        assert_same(&before, &town.dump().await);
    })
    .await;
}

#[tokio::test]
async fn a_class_keeps_its_level_when_changes_name_a_few_of_its_pupils() {
    on_each_engine(async |town| {
        let complete = [
            (1, COLLEGES[0], "LE GOFF|Lina|17/08/2015|"),
            (2, COLLEGES[0], "MARTIN|Noé|02/01/2015|"),
        ];
        town.apply(aaf(2026, &COLLEGES, &complete)).await;
        let other = [("ENTEleveNivFormation", "5EME")];
        town.apply(delta(&modify("1", true, &other))).await;
        assert_eq!(
            pupils(&town).await[0],
            "aaf2d:20:1 LE GOFF Lina 9990101F 6EME A 5EME"
        );
        assert_eq!(town.texts("SELECT level FROM class_group").await, ["6EME"]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_of_changes_that_takes_a_school_away_is_refused() {
    on_each_engine(async |town| {
        let children: Vec<String> = (1..=20)
            .map(|day| format!("ENFANT|Prénom{day}|{day:02}/04/2015|"))
            .collect();
        let complete: Vec<(u32, &str, &str)> = (1..=20)
            .zip(&children)
            .map(|(key, child)| (key, COLLEGES[0], child.as_str()))
            .collect();
        town.apply(aaf(2026, &COLLEGES, &complete)).await;
        let requests: String = (1..=10).map(|key| delete(&key.to_string())).collect();
        assert_eq!(town.refused(delta(&requests)).await, ["departures"]);
        let few: String = (1..=3).map(|key| delete(&key.to_string())).collect();
        assert_eq!(town.apply(delta(&few)).await.total.departing, 3);
    })
    .await;
}
