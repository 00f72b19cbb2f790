//! Who leaves: noticed, kept a while, back as the same person, erased when they are gone for good; and the move from the
//! école to the collège, which is none of that.

use std::collections::BTreeSet;

use crate::files::{aaf, ecole, overriding};
use crate::town::{COLLEGES, ECOLES, Town, on_each_engine};
use marelle::base::id::IdentityId;
use marelle::flows::undo::{self, UndoError};
use marelle::flows::{matching, merge, purge};
use marelle::store;

/// In CE2, so that no rule of the last level holds for her.
const LINA: &str = "LE GOFF|Lina|17/08/2016|123456789AA|CE2 A|CE2";
const NOE: &str = "MARTIN|Noé|02/01/2016|123456789AB|CE2 A|CE2";
/// In CM2, as is whoever has no class.
const TOM: &str = "ROUX|Tom|04/04/2015|123456789AD";
const MAYA: &str = "DIALLO|Maya|05/05/2015|123456789AE";

/// A parent who came by a login and whom no school enrols.
const PARENT: &str = "01a20bb0-be15-778f-9c0a-b0c4a773049b";

const EVERYWHERE: [&str; 22] = [
    "identity",
    "source_record",
    "enrolment",
    "upstream_enrolment",
    "match_case",
    "merge",
    "change",
    "credential",
    "contact",
    "session",
    "participation",
    "subject",
    "oauth_grant",
    "acknowledgement",
    "guardianship",
    "assignment",
    "upstream_link",
    "upstream_case",
    "upstream_login",
    "import_run",
    "audit_event",
    "class_group",
];

impl Town {
    async fn purge(&self) -> (u64, u64) {
        let purged = purge::run(&self.context).await.unwrap();
        (purged.departed, purged.erased)
    }

    async fn status(&self, id: IdentityId) -> String {
        let sql = format!(
            "SELECT status || ' ' || COALESCE(status_detail, '') AS line FROM identity WHERE id = '{id}'"
        );
        self.texts(&sql).await.remove(0).trim().to_owned()
    }

    /// The tables in which a text stands anywhere.
    async fn holding(&self, text: &str) -> BTreeSet<&'static str> {
        let mut holding = BTreeSet::new();
        for table in EVERYWHERE {
            let rows = self.rows(&format!("SELECT * FROM {table}")).await;
            if rows.iter().any(|row| row.contains(text)) {
                holding.insert(table);
            }
        }
        holding
    }

    /// Everything that may hang on a person.
    async fn burden(&self, id: IdentityId) {
        self.release(id, "ent", "sub-of-lina").await;
        for sql in [
            format!("INSERT INTO credential (identity_id, kind, verifier, set_at) VALUES ('{id}', 'picture', 'x', 1)"),
            format!("UPDATE identity SET username = 'lina.legoff', locale = 'br' WHERE id = '{id}'"),
            format!(
                "INSERT INTO contact (identity_id, email, email_verified, phone_verified, updated_at)
                 VALUES ('{id}', 'lina@ecole.example', true, false, 1)"
            ),
            format!(
                "INSERT INTO acknowledgement (identity_id, client_id, kind, attributes, rights, since, given_at)
                 VALUES ('{id}', 'ent', 'information', '[]', '[]', 1, 1)"
            ),
            format!(
                "INSERT INTO upstream_link (id, provider, subject, identity_id, binding, linked_at)
                 VALUES ('link-{id}', 'educonnect', 'FrEdu-Lina', '{id}', 'certain', 1)"
            ),
            format!(
                "INSERT INTO identity (id, status, family_name, given_name, created_at)
                 VALUES ('{PARENT}', 'active', 'Parent', 'Un', 1)"
            ),
            format!(
                "INSERT INTO guardianship (guardian_id, pupil_id, source, stated_at) VALUES ('{PARENT}', '{id}', 'x', 1)"
            ),
            format!(
                "INSERT INTO session (id, token_hash, identity_id, authenticated_at, acr, amr, device, expires_at)
                 SELECT '{id}', ine_index, identity_id, 1, 'a', 'b', 'shared', {} FROM source_record
                 WHERE identity_id = '{id}'",
                i64::MAX
            ),
        ] {
            self.run_sql(&sql).await;
        }
    }
}

#[tokio::test]
async fn who_left_is_erased_when_their_time_is_over_and_nobody_ever_gets_their_identifier() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE])).await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        let noe = town.identity("martin|noe|2016-01-02").await;
        town.burden(lina).await;
        town.days(10);
        // Her name is corrected, so that the journal holds the old one; then she is gone.
        let renamed = "LE GOFFIC|Lina|17/08/2016|123456789AA|CE2 A|CE2";
        town.apply(ecole(ECOLES[0], 2026, &[renamed, NOE])).await;
        let left = town.apply(ecole(ECOLES[0], 2026, &[NOE])).await;
        assert_eq!(town.status(lina).await, "departed 2026-10-11");
        assert!(town.holding("LE GOFF").await.contains("change"));

        town.days(89);
        assert_eq!(town.purge().await, (0, 0));
        assert_eq!(town.purge().await, (0, 0), "once a day, and nothing is over");
        town.days(1);
        assert_eq!(town.purge().await, (0, 1));
        assert_eq!(town.status(lina).await, "erased");
        for personal in ["LE GOFF", "Lina", "lina", "2016-08-17", "br\"", "lina@ecole"] {
            let holding = town.holding(personal).await;
            let kept = if personal == "lina" {
                vec!["subject"]
            } else {
                vec![]
            };
            assert_eq!(Vec::from_iter(holding), kept, "{personal}");
        }
        let id = lina.to_string();
        assert_eq!(
            Vec::from_iter(town.holding(&id).await),
            ["audit_event", "change", "identity", "session", "subject"]
        );
        assert_eq!(
            town.texts(&format!("SELECT before FROM change WHERE row_key = '{id}'"))
                .await,
            [r#"{"status":"erased"}"#; 1]
        );
        assert_eq!(
            town.count("SELECT kind FROM audit_event WHERE kind = 'identity.erased'")
                .await,
            1
        );
        town.days(2);
        assert_eq!(town.purge().await, (0, 0), "again changes nothing");
        assert!(
            !town.holding(&id).await.contains("session"),
            "it is over since a day"
        );
        assert_eq!(town.status(noe).await, "active");
        let parent = PARENT.parse().unwrap();
        assert_eq!(
            town.status(parent).await,
            "departed 2027-01-09",
            "nobody else is theirs"
        );

        // A load that changed where she stood is not taken back any more.
        let refused = undo::undo(&town.context, left.run.unwrap(), "Maddi").await;
        assert!(matches!(refused, Err(UndoError::Refused(_))), "{refused:?}");

        // She comes back: somebody new, whom services know by another name.
        town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE])).await;
        let again = town.identity("legoff|lina|2016-08-17").await;
        assert_ne!(again, lina);
        let mut tx = town.context.db.begin().await.unwrap();
        let taken = store::subject::add(&mut tx, "ent", "sub-of-lina", again, town.context.now()).await;
        assert!(!taken.unwrap(), "it was somebody else's");
        assert_eq!(store::subject::find(&mut tx, "ent", again).await.unwrap(), None);
        assert_eq!(
            store::subject::find(&mut tx, "ent", lina)
                .await
                .unwrap()
                .as_deref(),
            Some("sub-of-lina")
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_absorbed_is_erased_along_and_no_undoing_brings_it_back() {
    on_each_engine(async |town| {
        // Without a number, in two écoles: a human says that they are one.
        let without = "PETIT|Inès|03/03/2016||CE2 A|CE2";
        town.apply(ecole(ECOLES[0], 2026, &[without, NOE])).await;
        town.apply(ecole(ECOLES[1], 2026, &[without])).await;
        let cases = matching::list(&town.context, None, 10)
            .await
            .unwrap()
            .unwrap()
            .cases;
        let accepted = matching::accept(&town.context, cases[0].id, "Maddi")
            .await
            .unwrap();
        town.days(5);
        town.apply(ecole(ECOLES[0], 2026, &[NOE])).await;
        town.apply(overriding(ecole(ECOLES[1], 2026, &[]))).await;
        assert!(town.holding("Inès").await.contains("identity"));
        town.days(90);
        assert_eq!(town.purge().await, (0, 1));
        assert_eq!(
            town.count("SELECT id FROM identity WHERE status = 'erased'")
                .await,
            2
        );
        assert_eq!(Vec::from_iter(town.holding("Inès").await), Vec::<&str>::new());
        assert_eq!(Vec::from_iter(town.holding("PETIT").await), Vec::<&str>::new());
        let refused = merge::undo(&town.context, accepted.merges[0], "Maddi").await;
        assert!(
            matches!(refused, Err(merge::MergeError::Refused(merge::Obstacle::Erased))),
            "{refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_is_erased_whom_a_school_claims_or_a_load_is_about() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE, TOM, MAYA])).await;
        let people = [
            town.identity("legoff|lina|2016-08-17").await,
            town.identity("martin|noe|2016-01-02").await,
            town.identity("roux|tom|2015-04-04").await,
        ];
        town.days(5);
        let left = town.apply(ecole(ECOLES[0], 2026, &[MAYA])).await.run.unwrap();
        // Noé is in a collège since, for the year that comes; Tom has become an administrator.
        let pupils = [(2, COLLEGES[0], "MARTIN|Noé|02/01/2016|123456789AB")];
        town.apply(aaf(2027, &COLLEGES[..1], &pupils)).await;
        town.run_sql(&format!(
            "INSERT INTO assignment (id, identity_id, role, scope_kind, scope_key, since)
             VALUES ('a', '{}', 'school_admin', 'school', '{}', 1)",
            people[2], ECOLES[0]
        ))
        .await;
        town.days(200);
        let stands = |run: &str, status: &str| {
            format!("UPDATE import_run SET status = '{status}' WHERE id = '{run}'")
        };
        // Interrupted long ago, and neither brought to its end nor taken back.
        town.run_sql(&stands(&left.to_string(), "applying")).await;
        assert_eq!(town.purge().await, (0, 0));
        town.run_sql(&stands(&left.to_string(), "applied")).await;
        // At work now, wherever.
        town.days(1);
        town.run_sql(&format!(
            "INSERT INTO import_run (id, source, scope, year, status, actor, summary, schools, schools_done, started_at)
             VALUES ('now', 'onde', '{}', 2026, 'applying', 'x', '{{}}', 1, 0, {})",
            ECOLES[1],
            town.context.now().micros()
        ))
        .await;
        assert_eq!(town.purge().await, (0, 0));
        town.run_sql(&stands("now", "applied")).await;
        assert_eq!(town.purge().await, (0, 1), "the same day, when the load is done");
        let mut statuses = Vec::new();
        for id in people {
            statuses.push(town.status(id).await);
        }
        assert_eq!(statuses, ["erased", "active", "departed 2026-10-06"]);
    })
    .await;
}

#[tokio::test]
async fn from_the_ecole_to_the_college_nobody_is_gone_before_november() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &[LINA, TOM, MAYA])).await;
        let [lina, tom, maya] = [
            town.identity("legoff|lina|2016-08-17").await,
            town.identity("roux|tom|2015-04-04").await,
            town.identity("diallo|maya|2015-05-05").await,
        ];
        // 16 September 2027: the year is over, the overlap too.
        town.days(350);
        assert_eq!(town.purge().await, (1, 0));
        assert_eq!(town.status(lina).await, "departed 2027-09-15");
        for cm2 in [tom, maya] {
            assert_eq!(town.status(cm2).await, "active");
        }
        // The collège is late.
        town.days(30);
        assert_eq!(town.purge().await, (0, 0));
        let pupils = [(1, COLLEGES[0], "ROUX|TOM|04/04/2015|123456789AD")];
        town.apply(aaf(2027, &COLLEGES[..1], &pupils)).await;
        assert_eq!(town.identity("aaf2d:20:1").await, tom);
        // 1 November 2027.
        town.days(16);
        assert_eq!(town.purge().await, (1, 0));
        assert_eq!(town.status(maya).await, "departed 2027-11-01");
        assert_eq!(town.status(tom).await, "active");
        // 14 December: ninety days after Lina's last day. 30 January: after the day that Maya's count began.
        town.days(43);
        assert_eq!(town.purge().await, (0, 1));
        assert_eq!(town.status(lina).await, "erased");
        town.days(47);
        assert_eq!(town.purge().await, (0, 1));
        assert_eq!(town.status(maya).await, "erased");
        assert_eq!(town.status(tom).await, "active");
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_in_time_is_the_same_person_also_when_the_year_has_turned() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE])).await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        town.burden(lina).await;
        let whole = async || {
            let id = lina.to_string();
            let held = town.holding(&id).await;
            assert!(
                [
                    "subject",
                    "credential",
                    "contact",
                    "upstream_link",
                    "acknowledgement"
                ]
                .iter()
                .all(|table| held.contains(table)),
                "{held:?}"
            );
            let mut conn = town.conn().await;
            let subject = store::subject::find(&mut conn, "ent", lina).await.unwrap();
            assert_eq!(subject.as_deref(), Some("sub-of-lina"));
        };
        town.days(10);
        town.apply(ecole(ECOLES[0], 2026, &[NOE])).await;
        town.days(80);
        assert_eq!(town.purge().await, (0, 0));
        let back = town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE])).await;
        assert_eq!(back.total.returning, 1);
        assert_eq!(town.identity("legoff|lina|2016-08-17").await, lina);
        assert_eq!(town.status(lina).await, "active");
        whole().await;

        // The year turns without her: 20 September 2027, the file of the new year does not have her, then another school has.
        town.days(264);
        town.apply(ecole(ECOLES[0], 2027, &[NOE])).await;
        assert_eq!(town.purge().await, (1, 0));
        assert_eq!(town.status(lina).await, "departed 2027-09-15");
        town.days(60);
        town.purge().await;
        let moved = town.apply(ecole(ECOLES[1], 2027, &[LINA])).await;
        assert_eq!((moved.total.new, moved.total.recognised), (1, 1));
        assert_eq!(town.status(lina).await, "active");
        assert_eq!(town.identity("9990002Y:legoff|lina|2016-08-17").await, lina);
        whole().await;
        assert_eq!(town.count("SELECT id FROM identity").await, 3);
    })
    .await;
}
