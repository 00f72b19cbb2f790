//! Services that know people are told when two of them turn out to be one, when that was a mistake, and when somebody is
//! erased: what is queued for them, in the transaction in which it happens.

use crate::files::{aaf, ecole, overriding};
use crate::town::{COLLEGES, ECOLES, Town, assert_same, on_each_engine};
use marelle::domain::relying_party::RelyingPartyId;
use marelle::flows::declaration::file::Reader;
use marelle::flows::declaration::{self, Options};
use marelle::flows::{matching, merge, purge, undo};

const LINA: &str = "LE GOFF|Lina|17/08/2016|123456789AA";
const WITHOUT: &str = "LE GOFF|Lina|17/08/2016|";
const MISSPELT: &str = "LE GOF|Lima|17/08/2016|123456789AA";

const PARTIES: &str = r#"
[[relying_party]]
id = "ent"
name = "ENT"
redirect_uris = ["https://ent.example/cb"]
[relying_party.event_receiver]
uri = "https://ent.example/events"

[[relying_party]]
id = "notes"
name = "Notes"
sector = "ent"
redirect_uris = ["https://notes.example/cb"]
[relying_party.event_receiver]
uri = "https://notes.example/events"

[[relying_party]]
id = "cantine"
name = "Cantine"
redirect_uris = ["https://cantine.example/cb"]
[relying_party.event_receiver]
uri = "https://cantine.example/events"

[[relying_party]]
id = "silent"
name = "Silent"
sector = "ent"
redirect_uris = ["https://silent.example/cb"]
"#;

impl Town {
    async fn declare_parties(&self) {
        let mut reader = Reader::default();
        let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        reader.add(PARTIES, &nothing).unwrap();
        declaration::apply(&self.context, &reader.finish(), Options::default())
            .await
            .unwrap();
    }

    /// What waits to be told, as `party event subject other`.
    async fn queued(&self) -> Vec<String> {
        let sql = "SELECT client_id || ' ' || kind || ' ' || subject || ' ' || COALESCE(other, '-') AS line
            FROM event_delivery ORDER BY 1";
        self.texts(sql).await
    }

    async fn all_arrive(&self) {
        self.run_sql("UPDATE event_delivery SET status = 'delivered', ended_at = 1, attempts = 1")
            .await;
    }

    async fn forget_told(&self) {
        self.run_sql("DELETE FROM event_delivery").await;
    }

    /// Lina twice, in an open case, and what the services call her.
    async fn two(&self) -> marelle::base::id::MatchCaseId {
        self.declare_parties().await;
        self.apply(ecole(ECOLES[0], 2026, &[WITHOUT])).await;
        let older = self.identity("legoff|lina|2016-08-17").await;
        self.release(older, "ent", "older").await;
        self.days(200);
        self.apply(aaf(2027, &COLLEGES, &[(1, COLLEGES[0], MISSPELT)]))
            .await;
        let newer = self.identity("aaf2d:20:1").await;
        self.release(newer, "ent", "newer").await;
        self.release(newer, "cantine", "lunch").await;
        let cases = self
            .texts("SELECT id FROM match_case WHERE status = 'open'")
            .await;
        assert_eq!(cases.len(), 1);
        cases[0].parse().unwrap()
    }
}

const CHANGED: [&str; 2] = [
    "ent identifier_changed newer older",
    "notes identifier_changed newer older",
];
const RESTORED: [&str; 2] = [
    "ent identifier_restored newer older",
    "notes identifier_restored newer older",
];

#[tokio::test]
async fn a_sector_that_knew_two_is_told_that_they_are_one_and_when_they_are_not() {
    on_each_engine(async |town| {
        let case = town.two().await;
        let accepted = matching::accept(&town.context, case, "Maddi").await.unwrap();
        assert_eq!(town.queued().await, CHANGED, "the canteen calls her what it did");
        town.all_arrive().await;
        town.forget_told().await;
        merge::undo(&town.context, accepted.merges[0], "Maddi")
            .await
            .unwrap();
        assert_eq!(town.queued().await, RESTORED);

        // Once more, and this time nobody has heard of it yet.
        town.forget_told().await;
        town.days(1);
        let accepted = matching::accept(&town.context, case, "Maddi").await.unwrap();
        assert_eq!(town.queued().await, CHANGED);
        merge::undo(&town.context, accepted.merges[0], "Maddi")
            .await
            .unwrap();
        assert!(town.queued().await.is_empty(), "neither is told");
    })
    .await;
}

#[tokio::test]
async fn a_load_that_makes_them_one_tells_and_taking_it_back_tells_too() {
    on_each_engine(async |town| {
        town.two().await;
        let before = town.dump().await;
        let report = town.apply(ecole(ECOLES[0], 2026, &[LINA])).await;
        assert_eq!(report.total.merges, 1);
        assert_eq!(town.queued().await, CHANGED);
        town.all_arrive().await;
        undo::undo(&town.context, report.run.unwrap(), "Maddi")
            .await
            .unwrap();
        let all: Vec<String> = town.queued().await;
        let expected: Vec<&str> = [CHANGED[0], RESTORED[0], CHANGED[1], RESTORED[1]].into();
        assert_eq!(all, expected);
        assert_same(&before, &town.dump().await);
    })
    .await;
}

#[tokio::test]
async fn a_preview_tells_nobody() {
    on_each_engine(async |town| {
        town.two().await;
        marelle::flows::import::preview(&town.context, ecole(ECOLES[0], 2026, &[LINA]))
            .await
            .unwrap();
        assert!(town.queued().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_is_erased_is_told_to_everyone_who_knew_them_under_every_name_they_had() {
    on_each_engine(async |town| {
        let case = town.two().await;
        matching::accept(&town.context, case, "Maddi").await.unwrap();
        town.forget_told().await;
        let noe = "MARTIN|Noé|02/01/2016|123456789AB";
        town.apply(ecole(ECOLES[0], 2026, &[noe])).await;
        town.apply(overriding(aaf(2027, &COLLEGES, &[(2, COLLEGES[0], noe)])))
            .await;
        town.days(200);
        let purged = purge::run(&town.context).await.unwrap();
        assert_eq!(purged.erased, 1);
        assert_eq!(
            town.queued().await,
            [
                "cantine account_purged lunch -",
                "ent account_purged newer -",
                "ent account_purged older -",
                "notes account_purged newer -",
                "notes account_purged older -",
            ]
        );
        let silent: RelyingPartyId = "silent".parse().unwrap();
        assert!(
            !town
                .queued()
                .await
                .iter()
                .any(|line| line.starts_with(silent.as_str()))
        );
    })
    .await;
}
