//! Adults from their files to people: one adult across children, schools, degrees and sources, taken back exactly.

use std::io::{Cursor, Write as _};

use crate::files::{aaf, ecole, load};
use crate::town::{COLLEGES, ECOLES, Town, assert_same, on_each_engine};
use marelle::continuum::evidence::Evidence;
use marelle::domain::uai::Uai;
use marelle::flows::import::{Feed, File, Load};
use marelle::flows::{matching, undo};

const COLLEGE: &str = "9990101F";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE ficAlimMENESR SYSTEM \"ficAlimMENESR.dtd\">\n<ficAlimMENESR>\n";

fn record(request: &str, category: &str, key: &str, attributes: &[(&str, &str)]) -> String {
    let kind = if category == "EtabEducNat" {
        "Structure"
    } else {
        "Personne"
    };
    let attributes: String = attributes
        .iter()
        .map(|(name, value)| format!("<attr name=\"{name}\"><value>{value}</value></attr>"))
        .collect();
    format!(
        "<{request}><operationalAttributes><attr name=\"categorie{kind}\"><value>{category}</value></attr>\
         </operationalAttributes><identifier><id>{key}</id></identifier><attributes>{attributes}</attributes></{request}>\n"
    )
}

fn file(name: &str, records: &[String]) -> File {
    let text = format!("{HEAD}{}</ficAlimMENESR>\n", records.concat());
    File::of_bytes(name, None, text.into_bytes())
}

/// AAF of the first degree: Lina in an école, her two parents, her teacher.
fn first_degree(uai: &str, ine: &str) -> Load {
    let structure = uai.trim_end_matches(char::is_alphabetic);
    let set = "ENT1D_Complet_20260910";
    let etab = record(
        "addRequest",
        "EtabEducNat",
        structure,
        &[
            ("ENTStructureJointure", structure),
            ("ENTStructureUAI", uai),
            ("ENTStructureNomCourant", "École"),
        ],
    );
    let class = format!("{structure}$X$X$88001$CM2 Mme Tournier");
    let function = format!("{structure}$ENS$ENSEIGNEMENT$G0000$SANS OBJET");
    let lina = record(
        "addRequest",
        "Eleve",
        "7000101",
        &[
            ("ENTPersonJointure", "7000101"),
            ("ENTEleveINE", ine),
            ("ENTPersonDateNaissance", "03/04/2015"),
            ("ENTPersonNom", "LE GOFF"),
            ("ENTPersonPrenom", "Lina"),
            ("ENTPersonStructRattach", structure),
            ("ENTPersonClasses", &class),
            ("ENTEleveNiveau", "1125$CM2"),
            (
                "ENTEleveAutoriteParentale",
                "7000201$10</value><value>7000202$20</value><value>7000299$70",
            ),
        ],
    );
    let adults = [
        record(
            "addRequest",
            "PersRelEleve",
            "7000201",
            &[
                ("ENTPersonNom", "LE GOFF"),
                ("ENTPersonNomPatro", "OYHENART"),
                ("ENTPersonPrenom", "Maddi"),
                ("ENTPersonCivilite", "Mme"),
            ],
        ),
        record(
            "addRequest",
            "PersRelEleve",
            "7000202",
            &[("ENTPersonNom", "LE GOFF"), ("ENTPersonPrenom", "Bixente")],
        ),
        record(
            "addRequest",
            "PersRelEleve",
            "7000203",
            &[("ENTPersonNom", "NOBODY"), ("ENTPersonPrenom", "Of")],
        ),
    ];
    let teacher = record(
        "addRequest",
        "PersEducNat",
        "7000301",
        &[
            ("ENTPersonNom", "TOURNIER"),
            ("ENTPersonPrenom", "Anne"),
            ("ENTPersonFonctions", &function),
            ("ENTPersonClasses", &class),
            ("ENTEnsFonctionDir", "O"),
            ("ENTPersonStructRattach", structure),
        ],
    );
    let academy = "20".parse().unwrap();
    let files = vec![
        file(&format!("{set}_EtabEducNat_0000.xml"), &[etab]),
        file(&format!("{set}_Eleve_0000.xml"), &[lina]),
        file(&format!("{set}_PersRelEleve_0000.xml"), &adults),
        file(&format!("{set}_PersEducNat_0000.xml"), &[teacher]),
    ];
    load(
        Feed::Aaf {
            academy,
            degree: None,
        },
        2026,
        files,
    )
}

/// SIECLE of the collège, as it is exported: one archive.
fn siecle() -> Load {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let files: [(&str, &[u8]); 4] = [
        (
            "ElevesSansAdresses.xml",
            include_bytes!("../samples/siecle-eleves.xml"),
        ),
        (
            "ResponsablesAvecAdresses.xml",
            include_bytes!("../samples/siecle-responsables.xml"),
        ),
        (
            "Nomenclature.xml",
            include_bytes!("../samples/siecle-nomenclature.xml"),
        ),
        ("Structures.xml", b"<BEE_STRUCTURES/>"),
    ];
    for (name, content) in files {
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(content).unwrap();
    }
    let archive = out.finish().unwrap().into_inner();
    let school: Uai = COLLEGE.parse().unwrap();
    let file = File::of_bytes("ExportXML_9990101F.zip", Some(school), archive);
    load(Feed::Siecle, 2026, vec![file])
}

async fn declare_college(town: &Town) {
    town.run_sql(&format!(
        "INSERT INTO school (uai, name, degree, academy) VALUES ('{COLLEGE}', 'Collège', 'second', '20')"
    ))
    .await;
}

/// `given: child child` for every adult who answers for somebody.
async fn families(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT a.given_name || ' ' || a.family_name || ' > ' || p.given_name || ' ' || COALESCE(g.kinship, '?') AS line
         FROM guardianship g JOIN identity a ON a.id = g.guardian_id JOIN identity p ON p.id = g.pupil_id ORDER BY 1",
    )
    .await
}

const FAMILIES: [&str; 3] = [
    "Bixente LE GOFF > Lina father",
    "Maddi OYHENART > Bixente mother",
    "Maddi OYHENART > Lina mother",
];

#[tokio::test]
async fn one_adult_is_one_across_degrees_and_sources_whichever_comes_first() {
    on_each_engine(async |town| {
        declare_college(&town).await;
        let empty = town.dump().await;
        let first = town.apply(first_degree(ECOLES[0], "123456790CD")).await;
        assert_eq!(first.total.adults_new, 3, "{:?}", first.total);
        assert_eq!(first.errors, 0, "{:?}", first.issues);
        let ecole = town.dump().await;
        let second = town.apply(siecle()).await;
        assert_eq!(
            (second.total.adults_recognised, second.total.adults_new),
            (2, 2),
            "two records, of two people who are known: {:?}",
            second.total
        );
        assert_eq!(families(&town).await, FAMILIES);
        let adults = "SELECT id FROM identity WHERE birth_date IS NULL AND status = 'active'";
        assert_eq!(town.count(adults).await, 3, "two parents and a teacher");
        let guardian = "SELECT id FROM enrolment WHERE profile = 'National_TUT'";
        assert_eq!(town.count(guardian).await, 4, "each in both schools");
        let teaching = "SELECT e.id FROM enrolment e JOIN class_group c ON c.id = e.class_id WHERE e.profile = 'National_ENS'";
        assert_eq!(town.count(teaching).await, 1);
        assert_eq!(town.count("SELECT id FROM enrolment WHERE profile = 'National_DIR'").await, 1);

        let again = town.apply(siecle()).await;
        assert!(again.total.is_quiet(), "{:?}", again.total);
        let again_first = town.apply(first_degree(ECOLES[0], "123456790CD")).await;
        assert!(again_first.total.is_quiet(), "{:?}", again_first.total);

        undo::undo(&town.context, second.run.unwrap(), "Maddi").await.unwrap();
        assert_same(&ecole, &town.dump().await);
        undo::undo(&town.context, first.run.unwrap(), "Maddi").await.unwrap();
        assert_same(&empty, &town.dump().await);

        town.apply(siecle()).await;
        town.apply(first_degree(ECOLES[0], "123456790CD")).await;
        assert_eq!(families(&town).await, FAMILIES);
        assert_eq!(town.count(adults).await, 3);
    })
    .await;
}

#[tokio::test]
async fn whose_last_child_leaves_by_changes_is_no_guardian_there_from_that_night_on() {
    on_each_engine(async |town| {
        town.apply(first_degree(ECOLES[0], "")).await;
        let guardians = "SELECT id FROM enrolment WHERE profile = 'National_TUT' AND ends_on = '2027-09-15'";
        assert_eq!(town.count(guardians).await, 2);
        let before = town.dump().await;
        town.days(1);
        let gone = record("deleteRequest", "Eleve", "7000101", &[]);
        let changes = Load {
            files: vec![file("ENT1D_Delta_20260920_Eleve_0000.xml", &[gone])],
            ..first_degree(ECOLES[0], "")
        };
        let report = town.apply(changes).await;
        assert_eq!((report.total.departing, report.errors), (1, 0));
        assert_eq!(town.count(guardians).await, 0);
        undo::undo(&town.context, report.run.unwrap(), "Maddi")
            .await
            .unwrap();
        assert_same(&before, &town.dump().await);
    })
    .await;
}

#[tokio::test]
async fn adults_follow_when_their_children_turn_out_to_be_one() {
    on_each_engine(async |town| {
        declare_college(&town).await;
        town.apply(siecle()).await;
        // Another école than the one of the year before, and no number: nobody says yet that she is the same child.
        town.apply(first_degree(ECOLES[1], "")).await;
        let before = families(&town).await.len();
        let loaded = town.dump().await;
        let run = town
            .apply(first_degree(ECOLES[1], "123456790CD"))
            .await
            .run
            .unwrap();
        assert_eq!(families(&town).await, FAMILIES, "there were {before}");
        let adults = "SELECT id FROM identity WHERE birth_date IS NULL AND status = 'active'";
        assert_eq!(town.count(adults).await, 3);
        undo::undo(&town.context, run, "Maddi").await.unwrap();
        assert_same(&loaded, &town.dump().await);
    })
    .await;
}

const ADULTS: &str = "Civilité Responsable;Nom usage responsable;Nom responsable;Prénom responsable;Adresse responsable;\
    CP responsable;Commune responsable;Pays;Courriel;Téléphone domicile;Téléphone travail;Téléphone portable;\
    Nom d'usage enfant;Nom de famille enfant;Prénom enfant;Classes enfants;Nom d'usage enfant;Nom de famille enfant;\
    Prénom enfant;Classes enfants\r\n";

fn responsables(lines: &[&str]) -> Load {
    responsables_of(ECOLES[0], lines)
}

fn responsables_of(school: &str, lines: &[&str]) -> Load {
    let text = format!("{ADULTS}{}\r\n", lines.join("\r\n"));
    let school: Uai = school.parse().unwrap();
    let file = File::of_bytes("CSVExtraction.csv", Some(school), text.into_bytes());
    load(Feed::Onde, 2026, vec![file])
}

#[tokio::test]
async fn the_adults_of_onde_are_found_by_the_names_of_their_children() {
    on_each_engine(async |town| {
        let children = [
            "LE GOFF|Lina|03/04/2015|123456790CD|CM2 A",
            "LE GOFF|Lila|03/04/2015||CM2 A",
            "MARTIN|Noé|02/01/2016||CM1",
            "MARTIN|Noé|09/09/2016||CM2 A",
        ];
        town.apply(ecole(ECOLES[0], 2026, &children)).await;
        let lines = [
            "MME;LE GOFF;OYHENART;Maddi;;;;;;;;;;LE GOFF;Lina;CM2 A;;LE GOFF;Lila;CM2 A",
            "M.;;LE GOFF;Bixente;;;;;;;;;;LE GOFF;Lina;CM2 A;;;;",
            // The same, typed twice.
            "M.;;LE GOFF;Bixente;;;;;;;;;;LE GOFF;Lina;CM2 A;;;;",
            // The one in the class that is named; then one of two, nobody knows which; then nobody.
            "M.;;MARTIN;Paul;;;;;;;;;;MARTIN;Noé;CM1;;;;",
            "MME;;MARTIN;Jeanne;;;;;;;;;;MARTIN;Noé;;;;;",
            "MME;;ROUX;Inès;;;;;;;;;;ROUX;Tom;CM2 A;;;;",
        ];
        let loaded = town.apply(responsables(&lines)).await;
        assert_eq!(
            loaded.total.adults_new, 3,
            "{:?} {:?}",
            loaded.total, loaded.issues
        );
        assert_eq!(loaded.total.stated, 0, "no pupil is spoken of, none leaves");
        assert_eq!(
            town.count("SELECT id FROM enrolment WHERE profile = 'National_ELV' AND ends_on < '2027-09-15'")
                .await,
            0
        );
        let messages: Vec<&str> = loaded.issues.iter().map(|issue| issue.message.as_str()).collect();
        assert!(
            messages.iter().any(|message| message.contains("homonyme")),
            "{messages:?}"
        );
        let again = town.apply(responsables(&lines)).await;
        assert!(again.total.is_quiet(), "{:?}", again.total);
        // The same parents by the feed of the academy are the same people.
        town.apply(first_degree(ECOLES[0], "123456790CD")).await;
        assert_eq!(
            families(&town).await,
            [
                "Bixente LE GOFF > Lina father",
                "Maddi OYHENART > Lila ?",
                "Maddi OYHENART > Lina mother",
                "Paul MARTIN > Noé ?",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn two_adults_of_one_child_never_become_one() {
    on_each_engine(async |town| {
        declare_college(&town).await;
        town.apply(siecle()).await;
        let before = town.count("SELECT id FROM adult_record").await;
        // Another adult of the same names for the same child, whom the source itself tells apart.
        let twin = "<PERSONNE PERSONNE_ID=\"2099\"><NOM_DE_FAMILLE>LE GOFF</NOM_DE_FAMILLE><PRENOM>Bixente</PRENOM></PERSONNE>\n</PERSONNES>";
        let link = "<RESPONSABLE_ELEVE><ELEVE_ID>1037745</ELEVE_ID><PERSONNE_ID>2099</PERSONNE_ID>\
            <CODE_PARENTE>38</CODE_PARENTE></RESPONSABLE_ELEVE>\n</RESPONSABLES>";
        let text = include_str!("../samples/siecle-responsables.xml")
            .replace("</PERSONNES>", twin)
            .replace("</RESPONSABLES>", link);
        let school: Uai = COLLEGE.parse().unwrap();
        let pupils = include_bytes!("../samples/siecle-eleves.xml").to_vec();
        let files = vec![
            File::of_bytes("ElevesSansAdresses.xml", Some(school.clone()), pupils),
            File::of_bytes("ResponsablesAvecAdresses.xml", Some(school), text.into_bytes()),
        ];
        town.apply(load(Feed::Siecle, 2026, files)).await;
        assert_eq!(town.count("SELECT id FROM adult_record").await, before + 1);
        let people = town.texts("SELECT DISTINCT identity_id FROM adult_record").await;
        assert_eq!(people.len(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn staff_come_from_sts_and_go_with_it() {
    on_each_engine(async |town| {
        declare_college(&town).await;
        town.apply(siecle()).await;
        let sts = |text: String| {
            let school: Uai = COLLEGE.parse().unwrap();
            let file = File::of_bytes("sts_emp_9990101F_2026.xml", Some(school), text.into_bytes());
            load(Feed::Sts, 2026, vec![file])
        };
        let sample = include_str!("../samples/sts-emp.xml").replace("<PRENOM/>", "<PRENOM>Yann</PRENOM>");
        let loaded = town.apply(sts(sample.clone())).await;
        assert_eq!(loaded.total.adults_new, 4, "{:?}", loaded.total);
        let staff =
            "SELECT e.id FROM enrolment e WHERE e.profile IN ('National_ENS', 'National_DIR', 'National_ETA')
            AND e.ends_on >= '2027-09-15'";
        // Four posts, and three classes taught.
        assert_eq!(town.count(staff).await, 7);
        assert!(town.apply(sts(sample.clone())).await.total.is_quiet());
        let (head, tail) = sample.split_once("<INDIVIDU ID=\"3002\"").unwrap();
        let (_, tail) = tail.split_once("</INDIVIDU>").unwrap();
        town.days(1);
        town.apply(sts(format!("{head}{tail}"))).await;
        assert_eq!(town.count(staff).await, 6, "the head has left");
        let gone = town
            .texts("SELECT status FROM identity WHERE family_name = 'MORVAN' AND given_name = 'Yann'")
            .await;
        assert_eq!(gone, ["departed"]);
    })
    .await;
}

#[tokio::test]
async fn a_case_shows_both_families_and_those_in_use_come_first() {
    on_each_engine(async |town| {
        let here = ["LE GOFF|Lina|17/08/2016|", "LE GOFF|Noé|02/01/2018||CE1 A|CE1"];
        town.apply(ecole(ECOLES[0], 2026, &here)).await;
        let there = ["LE GOF|Lima|17/08/2016|", "ROUX|Tom|04/04/2016|"];
        town.apply(ecole(ECOLES[1], 2026, &there)).await;
        let lines = ["MME;;OYHENART;Maddi;;;;;;;;;;LE GOFF;Lina;CM2 A;;LE GOFF;Noé;CE1 A"];
        town.apply(responsables(&lines)).await;
        let one = async || {
            let mut listed = matching::list(&town.context, None, 10).await.unwrap().unwrap();
            assert_eq!(listed.open, 1);
            listed.cases.remove(0)
        };
        let case = one().await;
        let family = |case: &matching::CaseView| {
            let side = case.sides.iter().find(|side| side.school.as_str() == ECOLES[0]);
            side.unwrap().family.clone()
        };
        let stated = family(&case);
        assert_eq!(stated.guardians[0].name, "Maddi OYHENART");
        assert_eq!(Vec::from_iter(&stated.siblings), ["Noé"]);
        let stakes = case.stakes.unwrap();
        assert_eq!((stakes.in_use, stakes.settles, stakes.is_joined), (0, 0, false));

        let lines = ["MME;;Oyhénart;MADDI;;;;;;;;;;LE GOF;Lima;CM2 A"];
        town.apply(responsables_of(ECOLES[1], &lines)).await;
        let shown = one().await.evidence;
        assert!(shown.contains(&Evidence::GuardianShared), "{shown:?}");

        // A second pair, which somebody works under: it is asked first.
        let tom = town.identity("roux|tom|2016-04-04").await;
        town.release(tom, "ent", "tom").await;
        town.days(200);
        town.apply(aaf(
            2027,
            &COLLEGES,
            &[(1, COLLEGES[0], "ROU|Tim|04/04/2016|123456789AB")],
        ))
        .await;
        let listed = matching::list(&town.context, None, 10).await.unwrap().unwrap();
        assert_eq!(listed.open, 2);
        let first = &listed.cases[0];
        assert!(first.sides.iter().any(|side| side.identity == tom));
        assert_eq!(first.stakes.unwrap().in_use, 1);
        let rest = matching::list(&town.context, Some(first.id), 10)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(rest.cases, listed.cases[1..]);
        matching::refuse(&town.context, first.id, "Maddi").await.unwrap();
        assert_eq!(
            matching::list(&town.context, Some(first.id), 10).await.unwrap(),
            None
        );
        let shown = matching::find(&town.context, rest.cases[0].id).await.unwrap();
        assert_eq!(shown.as_ref(), rest.cases.first());
    })
    .await;
}

#[tokio::test]
async fn a_child_who_was_renamed_is_recognised_by_a_parent_for_as_long_as_the_feeds_say_so() {
    on_each_engine(async |town| {
        // The académie knows her under her father's name, the école under another.
        let first = town.apply(first_degree(ECOLES[0], "")).await.run.unwrap();
        let second = town
            .apply(ecole(ECOLES[0], 2026, &["ZUBIRI|Lina|03/04/2015|"]))
            .await;
        let onde = town.identity("zubiri|lina|2015-04-03").await;
        let alone = town.people().await;
        assert!(alone.iter().all(|records| records.len() == 1), "{alone:?}");
        let before = town.dump().await;

        let lines = ["MME;;OYHENART;Maddi;;;;;;;;;;ZUBIRI;Lina;CM2 A"];
        let run = town.apply(responsables(&lines)).await.run.unwrap();
        let together = town.people().await;
        assert!(
            together
                .iter()
                .any(|records| records.len() == 2 && records.iter().any(|key| key.contains("zubiri"))),
            "{together:?}"
        );
        let keys = "SELECT record_id FROM guardian_key";
        assert_eq!(town.count(keys).await, 2);
        assert!(town.apply(responsables(&lines)).await.total.is_quiet());

        undo::undo(&town.context, run, "Maddi").await.unwrap();
        assert_eq!(town.people().await, alone);
        assert_eq!(town.identity("zubiri|lina|2015-04-03").await, onde);
        assert_same(&before, &town.dump().await);
        assert_eq!(town.count(keys).await, 1);
        for run in [second.run.unwrap(), first] {
            undo::undo(&town.context, run, "Maddi").await.unwrap();
        }
        assert_eq!(town.count(keys).await, 0, "they go with the record");
    })
    .await;
}
