//! What a school is told is missing for the opening of its year.

use crate::files::{aaf, ecole};
use crate::town::{COLLEGES, ECOLES, Town, on_each_engine};
use marelle::domain::education::SchoolYear;
use marelle::flows::year::{self, Opening};

impl Town {
    async fn opening(&self, uai: &str, of: i32) -> Opening {
        let uai = uai.parse().unwrap();
        let found = year::status(&self.context, SchoolYear::new(of).unwrap(), Some(&uai)).await;
        found.unwrap().unwrap().remove(0)
    }

    async fn gaps(&self, uai: &str, of: i32) -> Vec<String> {
        let gaps = self.opening(uai, of).await.gaps(self.context.now());
        gaps.iter().map(ToString::to_string).collect()
    }
}

#[tokio::test]
async fn each_school_is_told_what_it_lacks_for_the_year() {
    on_each_engine(async |town| {
        let [port, other] = ECOLES;
        let missing = ["onde : pas encore chargé pour cette année"];
        assert_eq!(town.gaps(port, 2026).await, missing);
        town.apply(ecole(
            port,
            2026,
            &[
                "LE GOFF|Lina|17/08/2016|123456789AA",
                "ROUX|Tom|04/04/2016|",
                "DIALLO|Maya|05/05/2016|123456789AE|CE2 A|CE2",
            ],
        ))
        .await;
        town.run_sql(
            "INSERT INTO credential (identity_id, kind, verifier, set_at)
             SELECT identity_id, 'picture', 'x', 1 FROM source_record WHERE record_key LIKE '%lina%'",
        )
        .await;
        town.run_sql("UPDATE enrolment SET class_id = NULL WHERE level = 'CE2'")
            .await;
        // The same boy in the other école: a human has to say.
        town.apply(ecole(other, 2026, &["ROUX|Tom|04/04/2016|"])).await;
        town.days(1);
        town.apply(ecole(
            port,
            2026,
            &["LE GOFF|Lina|17/08/2016|123456789AA", "ROUX|Tom|04/04/2016|"],
        ))
        .await;
        town.days(8);
        let opening = town.opening(port, 2026).await;
        assert_eq!((opening.pupils, opening.classes, opening.open_cases), (2, 2, 1));
        assert_eq!(opening.feeds.len(), 1);
        assert_eq!(opening.feeds[0].pupils, 2);
        assert_eq!(opening.opens(), None);
        assert_eq!(
            town.gaps(port, 2026).await,
            [
                "onde : dernier chargement il y a 8 jours",
                "classe(s) sans élève : CE2 A",
                "1 élève(s) sans INE",
                "1 élève(s) sans moyen de se connecter : codes à distribuer",
                "1 rapprochement(s) à décider (marelle match list)",
                "1 départ(s) non confirmé(s) : aucun établissement ne les a inscrits",
            ]
        );
        // Maya is in a collège: her departure is confirmed. The school of a feed is told of, too.
        town.apply(aaf(
            2026,
            &COLLEGES[..1],
            &[(1, COLLEGES[0], "DIALLO|Maya|05/05/2016|123456789AE")],
        ))
        .await;
        assert_eq!(town.opening(port, 2026).await.unconfirmed, 0);
        let college = town.opening(COLLEGES[0], 2026).await;
        assert_eq!((college.pupils, college.without_class), (1, 0));
        assert_eq!(college.feeds[0].source.as_str(), "aaf2d");
        assert!(college.feeds[0].last.is_some());
        // The year that comes: the feeds of this one are expected again.
        assert_eq!(town.gaps(port, 2027).await[0], missing[0]);
        let all = year::status(&town.context, SchoolYear::new(2026).unwrap(), None).await;
        assert_eq!(all.unwrap().unwrap().len(), 3);
        let nowhere = "9990009K".parse().unwrap();
        let nothing = year::status(&town.context, SchoolYear::new(2026).unwrap(), Some(&nowhere)).await;
        assert!(nothing.unwrap().is_none());
    })
    .await;
}
