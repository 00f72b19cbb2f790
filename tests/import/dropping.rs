//! Drop folders: what is complete is loaded, what a guard refuses is put aside with its report, and nothing is ever lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::files::{eleves, etab, onde};
use crate::town::{COLLEGES, ECOLES, Town, on_each_engine};
use marelle::flows::drop_folder::{self, Feeds, Folder, Handled, Watch, feed_of};
use marelle::flows::{Context, Settings};
use marelle::store::feed_folder;

const TWELVE: [&str; 12] = [
    "LE GOFF|Lina|01/01/2016|",
    "MARTIN|Noé|02/01/2016|",
    "PETIT|Inès|03/01/2016|",
    "ROUX|Tom|04/01/2016|",
    "DIALLO|Maya|05/01/2016|",
    "ÇELIK|Élif|06/01/2016|",
    "BERNARD|Léo|07/01/2016|",
    "DURAND|Zoé|08/01/2016|",
    "MOREAU|Jules|09/01/2016|",
    "SIMON|Alice|10/01/2016|",
    "LAURENT|Hugo|11/01/2016|",
    "MICHEL|Rose|12/01/2016|",
];

struct Drop {
    root: tempfile::TempDir,
    folder: Folder,
    context: Context,
    watch: Watch,
}

impl Drop {
    fn of(town: &Town, kind: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder {
            name: kind.into(),
            path: root.path().into(),
            feed: feed_of(kind, "20".parse().ok()).unwrap(),
            school: None,
            year: None,
            stable_for: Some(Duration::from_secs(600)),
            expected_every: Some(Duration::from_secs(86_400)),
            apply: true,
        };
        Self::with(town, root, folder)
    }

    fn with(town: &Town, root: tempfile::TempDir, folder: Folder) -> Self {
        let settings = Settings {
            feeds: Feeds {
                folders: vec![folder.clone()],
            },
            ..(*town.context.settings).clone()
        };
        let context = Context {
            settings: Arc::new(settings),
            ..town.context.clone()
        };
        Self {
            root,
            folder,
            context,
            watch: Watch::default(),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    async fn look(&mut self) -> Vec<Handled> {
        drop_folder::look(&self.context, &self.folder, &mut self.watch)
            .await
            .unwrap()
    }

    /// Looks, lets so long pass that nothing changes, looks again.
    async fn settle(&mut self, town: &Town) -> Vec<Handled> {
        assert_eq!(self.look().await, []);
        town.clock.advance(Duration::from_secs(600));
        self.look().await
    }

    async fn alerts(&self) -> Vec<&'static str> {
        let watched = drop_folder::watched(&self.context).await.unwrap();
        watched[0].alerts.iter().map(drop_folder::Alert::code).collect()
    }

    fn every_file(&self) -> Vec<PathBuf> {
        fn under(path: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    under(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        under(self.root.path(), &mut found);
        found.sort();
        found
    }
}

#[tokio::test]
async fn what_does_not_change_any_more_is_loaded_and_put_away_with_its_report() {
    on_each_engine(async |town| {
        let mut drop = Drop::of(&town, "onde");
        let file = format!("nuit/{}/CSVExtraction.csv", ECOLES[0]);
        drop.write(&file, &onde(&TWELVE[..3]));
        assert_eq!(drop.look().await, []);
        // It grows while it is watched: the wait begins anew.
        town.clock.advance(Duration::from_secs(599));
        drop.write(&file, &onde(&TWELVE));
        assert_eq!(drop.look().await, []);
        town.clock.advance(Duration::from_secs(599));
        assert_eq!(drop.look().await, []);
        town.clock.advance(Duration::from_secs(1));
        let handled = drop.look().await;
        assert_eq!(handled.len(), 1);
        assert_eq!(handled[0].refusal, None);
        assert_eq!(town.people().await.len(), 12);
        assert_eq!(town.texts("SELECT actor FROM import_run").await, ["dossier onde"]);
        let place = &handled[0].place;
        assert!(place.starts_with(drop.root.path().join("done")), "{place:?}");
        assert!(place.join(&file).exists(), "the delivery lies there whole");
        let json = fs::read_to_string(place.join("rapport.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["outcome"], &json["total"]["new"]),
            (&"done".into(), &12.into())
        );
        assert_eq!(json["year"], 2026);
        let text = fs::read_to_string(place.join("rapport.txt")).unwrap();
        assert!(
            text.contains("Chargée.") && text.contains("12 nouveaux"),
            "{text}"
        );
        assert!(!text.contains("Lina"), "{text}");
        assert_eq!(drop.look().await, [], "once");

        // The next night.
        assert!(drop.alerts().await.is_empty());
        town.days(1);
        assert!(drop.alerts().await.is_empty());
        town.clock.advance(Duration::from_secs(3600));
        assert_eq!(drop.alerts().await, ["late"]);
        drop.write(&file, &onde(&TWELVE));
        drop.write("nuit.ok", b"");
        assert_eq!(drop.look().await.len(), 1, "a file says that it is complete");
        assert!(drop.alerts().await.is_empty());
        assert_eq!(
            town.count("SELECT id FROM import_run WHERE status = 'applied'")
                .await,
            2
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_writes_nothing_says_why_and_is_not_tried_again() {
    on_each_engine(async |town| {
        let mut drop = Drop::of(&town, "onde");
        let file = format!("{}/CSVExtraction.csv", ECOLES[0]);
        drop.write(&file, &onde(&TWELVE));
        assert_eq!(drop.settle(&town).await.len(), 1);
        let before = town.dump().await;
        // Cut short, of an unknown school, of no school, not a CSV, a link: in this order, each with its word.
        let wrong: [(&str, Vec<u8>, &str); 4] = [
            (&file, onde(&TWELVE[..2]), "departures"),
            ("9999999A/CSVExtraction.csv", onde(&TWELVE), "usage"),
            ("CSVExtraction.csv", onde(&TWELVE), "usage"),
            (&file, b"Nom;\"Pr\xc3\xa9nom".to_vec(), "unreadable"),
        ];
        for (path, bytes, code) in wrong {
            drop.write(path, &bytes);
            let handled = drop.settle(&town).await;
            assert_eq!(handled.len(), 1, "{path}");
            let place = &handled[0].place;
            assert!(place.starts_with(drop.root.path().join("refused")), "{place:?}");
            let json = fs::read_to_string(place.join("rapport.json")).unwrap();
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["reasons"][0]["code"], code, "{json}");
            assert_eq!(json["applied"], false);
            let text = fs::read_to_string(place.join("rapport.txt")).unwrap();
            assert!(text.contains("REFUSÉE : rien n'a été écrit."), "{text}");
            assert_eq!(drop.alerts().await, ["refused"]);
            assert_eq!(drop.look().await, []);
        }
        crate::town::assert_same(&before, &town.dump().await);
        let files = drop.every_file();
        let deliveries = files.iter().filter(|path| path.ends_with("CSVExtraction.csv"));
        assert_eq!(deliveries.count(), 5, "nothing is lost");
        drop.write(&file, &onde(&TWELVE));
        assert_eq!(drop.settle(&town).await[0].refusal, None);
        assert!(drop.alerts().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn one_node_has_a_folder_and_what_it_left_behind_is_loaded_by_the_next() {
    on_each_engine(async |town| {
        let mut drop = Drop::of(&town, "onde");
        let file = format!("{}/CSVExtraction.csv", ECOLES[0]);
        // Another node took this and was killed.
        drop.write(&format!(".taken/20261001T000000Z-x/{file}"), &onde(&TWELVE));
        let now = town.context.now();
        let mut tx = town.context.db.begin().await.unwrap();
        feed_folder::watch(&mut tx, "onde", now).await.unwrap();
        let until = now.plus(Duration::from_secs(300));
        assert!(
            feed_folder::claim(&mut tx, "onde", "other", (now, until))
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        assert_eq!(drop.look().await, []);
        assert_eq!(town.people().await.len(), 0);
        town.clock.advance(Duration::from_secs(300));
        let handled = drop.look().await;
        assert_eq!(handled[0].delivery, "20261001T000000Z-x");
        assert_eq!(town.people().await.len(), 12);
        // The lease was given back.
        drop.write(&file, &onde(&TWELVE));
        assert_eq!(drop.settle(&town).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn loose_files_are_one_delivery_of_an_academy_and_a_folder_may_only_preview() {
    on_each_engine(async |town| {
        let mut drop = Drop::of(&town, "aaf");
        drop.folder.apply = false;
        drop.folder.stable_for = None;
        let pupils = [(1, COLLEGES[0], "LE GOFF|Lina|17/08/2015|123456789AA")];
        drop.write(
            "ENT2D_Complet_20260910_EtabEducNat_0000.xml",
            &etab(&COLLEGES[..1]),
        );
        drop.write("ENT2D_Complet_20260910_Eleve_0000.xml", &eleves(&pupils));
        town.days(1);
        assert_eq!(drop.look().await, [], "no file says that it is complete");
        drop.write("fin.ok", b"");
        let handled = drop.look().await;
        assert_eq!(handled.len(), 1);
        assert!(handled[0].place.starts_with(drop.root.path().join("previewed")));
        assert_eq!(town.people().await.len(), 0);
        let text = fs::read_to_string(handled[0].place.join("rapport.txt")).unwrap();
        assert!(
            text.contains("sans rien écrire") && text.contains("1 nouveaux"),
            "{text}"
        );
    })
    .await;
}
