//! Whole territories: their counts, their sameness, and what the readers make of their files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use super::*;
use crate::domain::source::RosterRow;
use crate::roster::aaf::delivery::arrange;
use crate::roster::aaf::{AafContext, AafItem, AafReader};
use crate::roster::onde::{OndeContext, read};
use crate::roster::{RowIssue, Severity};

#[derive(Default, PartialEq)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Sink for Memory {
    fn file(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        assert!(self.0.insert(path.to_owned(), bytes).is_none(), "{path} twice");
        Ok(())
    }
}

fn year() -> SchoolYear {
    SchoolYear::new(2026).unwrap()
}

fn made(spec: &SampleSpec) -> (SampleSummary, Memory) {
    let mut memory = Memory::default();
    let summary = generate(spec, &mut memory).unwrap();
    (summary, memory)
}

/// The Somme, made and read once for all tests that look at it.
fn somme() -> &'static (SampleSummary, Memory, ReadBack) {
    static SOMME: OnceLock<(SampleSummary, Memory, ReadBack)> = OnceLock::new();
    SOMME.get_or_init(|| {
        let (summary, memory) = made(&SampleSpec::somme(year()));
        let back = read_back(&memory);
        (summary, memory, back)
    })
}

/// Every file through its reader.
struct ReadBack {
    onde: Vec<RosterRow>,
    aaf: Vec<RosterRow>,
    schools: HashMap<String, String>,
    issues: Vec<RowIssue>,
}

fn read_back(memory: &Memory) -> ReadBack {
    let mut back = ReadBack {
        onde: vec![],
        aaf: vec![],
        schools: HashMap::new(),
        issues: vec![],
    };
    for (path, bytes) in &memory.0 {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["onde", _, uai, file] => {
                let context = OndeContext {
                    file: (*file).into(),
                    school: uai.parse().unwrap(),
                    year: year(),
                };
                let read = read(bytes.as_slice(), &context).unwrap();
                assert_eq!(read.records as usize, read.rows.len());
                back.onde.extend(read.rows);
                back.issues.extend(read.issues);
            }
            ["aaf", _, file] => {
                let context = AafContext {
                    file: (*file).into(),
                    academy: "20".parse().unwrap(),
                    year: year().next(),
                    degree: None,
                    delta: false,
                };
                for item in AafReader::new(bytes.as_slice(), context) {
                    match item.unwrap() {
                        AafItem::Pupil(row) => back.aaf.push(row),
                        AafItem::School(school) => {
                            assert!(back.schools.insert(school.structure_key, school.name).is_none());
                        }
                        AafItem::Issue(issue) => back.issues.push(issue),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    back
}

#[test]
fn the_somme_is_exact_and_every_file_of_it_is_read_without_error() {
    let (summary, memory, back) = somme();
    assert_eq!(
        (summary.ecoles, summary.classes, summary.pupils),
        (154, 494, 9_700)
    );
    assert_eq!((summary.colleges, summary.secondary_pupils), (12, 6_000));
    assert_eq!(summary.files as usize, memory.0.len());
    assert!((1_100..1_900).contains(&summary.leavers), "{summary:?}");
    assert!((120..500).contains(&summary.twins), "{summary:?}");

    assert_eq!(back.onde.len(), 9_700);
    assert_eq!(back.aaf.len(), 6_000);
    assert_eq!(back.schools.len(), 12);
    let errors: Vec<&RowIssue> = back
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(back.issues.len() < 5, "{:?}", back.issues);
    let classes: HashSet<(&str, &str)> = back
        .onde
        .iter()
        .map(|row| (row.school.as_str(), row.class.as_ref().unwrap().key.as_str()))
        .collect();
    assert_eq!(classes.len(), 494);
    assert!(
        back.aaf
            .iter()
            .all(|row| row.class.is_some() && back.schools.contains_key(&row.school))
    );
    let uais: HashSet<&str> = back.onde.iter().map(|row| row.school.as_str()).collect();
    assert_eq!(uais.len(), 154);
    assert!(uais.iter().all(|uai| uai.starts_with("080")));
}

/// How the truth names a row.
fn told(row: &RosterRow) -> String {
    match row.ordinal {
        Some(ordinal) => format!("onde:{0}:{0}:{ordinal}", row.school),
        None => row.key.to_string(),
    }
}

#[test]
fn the_cohort_moves_with_its_ine_birth_date_and_first_name() {
    let (summary, memory) = made(&SampleSpec::of(30, 7, year()));
    let back = read_back(&memory);
    let truth = String::from_utf8(memory.0["truth.jsonl"].clone()).unwrap();
    let mut numbers: HashMap<String, u64> = HashMap::new();
    for line in truth.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        let key = [text("source"), text("scope"), text("key")].join(":");
        assert!(
            numbers.insert(key, record["person"].as_u64().unwrap()).is_none(),
            "{line}"
        );
    }
    assert_eq!(
        numbers.len(),
        back.onde.len() + back.aaf.len(),
        "every record has its truth"
    );
    let arrived: HashMap<u64, &RosterRow> = back.aaf.iter().map(|row| (numbers[&told(row)], row)).collect();
    assert_eq!(arrived.len(), back.aaf.len(), "no child is twice in the collèges");

    let mut leavers = 0;
    let mut with_ine = 0;
    for row in &back.onde {
        let number = numbers[&told(row)];
        let next = arrived.get(&number);
        assert_eq!(next.is_some(), row.level.as_deref() == Some("CM2"));
        let Some(next) = next else { continue };
        leavers += 1;
        assert_eq!(next.level.as_deref(), Some("6EME"));
        assert_eq!(next.facts.birth_date, row.facts.birth_date);
        assert_eq!(next.facts.given_key(), row.facts.given_key());
        assert_eq!(next.facts.person_key(), row.facts.person_key());
        assert_eq!(next.facts.sex, row.facts.sex);
        if row.facts.ine.is_some() {
            with_ine += 1;
            assert_eq!(next.facts.ine, row.facts.ine);
        }
    }
    assert_eq!(leavers, summary.leavers);
    assert!(with_ine > leavers * 7 / 10 && with_ine < leavers);
    let ines: HashSet<&str> = back
        .aaf
        .iter()
        .filter_map(|row| row.facts.ine.as_ref())
        .map(|ine| ine.expose())
        .collect();
    let stated = back.aaf.iter().filter(|row| row.facts.ine.is_some()).count();
    assert_eq!(ines.len(), stated, "no INE is given twice");
}

#[test]
fn the_real_oddities_are_all_there() {
    let (summary, memory, back) = somme();
    let waiting = back.onde.iter().filter(|row| row.facts.ine.is_none()).count() as u64;
    assert_eq!(waiting, summary.without_ine);
    let mut people: HashMap<String, u32> = HashMap::new();
    for row in &back.onde {
        *people.entry(row.facts.person_key()).or_default() += 1;
    }
    assert!(
        people.values().any(|times| *times > 1),
        "homonyms born on one day"
    );
    let any = |test: &dyn Fn(&RosterRow) -> bool| back.onde.iter().any(test);
    assert!(any(&|row| row.facts.usage_name.is_some()));
    assert!(any(&|row| row.facts.given_name.contains('-')));
    assert!(any(&|row| row.facts.family_name.starts_with("LE ")));
    assert!(any(&|row| row.facts.family_name.contains('\'')));
    assert!(any(&|row| !row.facts.family_name.is_ascii()));
    let starts = |mark: &[u8]| {
        memory
            .0
            .iter()
            .filter(|(path, bytes)| path.starts_with("onde") && bytes.starts_with(mark))
            .count()
    };
    assert!(starts("\u{feff}Nom".as_bytes()) > 50);
    assert!(starts(b"Nom \xE9l\xE8ve;") > 50);
    assert!((10..20).contains(&starts(b"\"Nom El\xE8ve\";")));
    let pupils = &memory.0["aaf/2027/ENT2D_Complet_20270910_Eleve_0000.xml"];
    assert!(pupils.windows(10).any(|bytes| bytes == b"&amp;apos;"));
}

#[test]
fn the_demo_has_one_ecole_of_two_classes_and_one_college() {
    let (summary, memory) = made(&SampleSpec::demo(year()));
    let back = read_back(&memory);
    assert!(back.issues.is_empty(), "{:?}", back.issues);
    let mut levels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &back.onde {
        levels
            .entry(&row.class.as_ref().unwrap().label)
            .or_default()
            .push(row.level.as_deref().unwrap());
    }
    for list in levels.values_mut() {
        list.dedup();
    }
    let levels: Vec<Vec<&str>> = levels.into_values().collect();
    assert_eq!(levels, [vec!["CE1", "CE2"], vec!["CM2"]]);
    assert_eq!(summary.pupils, 40);
    assert!((15..30).contains(&summary.leavers), "{summary:?}");
    let cm2: Vec<&RosterRow> = back
        .onde
        .iter()
        .filter(|row| row.level.as_deref() == Some("CM2"))
        .collect();
    let households: HashSet<String> = cm2.iter().map(|row| row.facts.household_key()).collect();
    assert_eq!(households.len() + 1, cm2.len(), "one pair of twins moves on");
    assert_eq!(
        cm2.iter().filter(|row| row.facts.ine.is_none()).count(),
        1,
        "one child waits for an INE"
    );
    let given: HashSet<String> = back.onde.iter().map(|row| row.facts.given_key()).collect();
    assert_eq!(given.len(), 40, "no two first names on a class page are the same");
    let sixth = back
        .aaf
        .iter()
        .filter(|row| row.level.as_deref() == Some("6EME"))
        .count();
    assert_eq!(sixth, 60);
}

#[test]
fn the_same_spec_gives_the_same_bytes_and_another_seed_others() {
    let spec = SampleSpec::of(5, 1, year());
    let first = made(&spec);
    assert!(first == made(&spec));
    let other = made(&SampleSpec { seed: 2, ..spec });
    assert!(first.1 != other.1);
}

#[test]
fn the_territory_is_what_apply_reads() {
    let (_, memory) = made(&SampleSpec::of(3, 1, year()));
    let text = String::from_utf8(memory.0["territory.toml"].clone()).unwrap();
    let read: toml::Table = text.parse().unwrap();
    let academies = read["academy"].as_array().unwrap();
    assert_eq!(academies.len(), 1);
    assert_eq!(academies[0]["name"].as_str(), Some("Amiens"));
    let schools = read["school"].as_array().unwrap();
    assert_eq!(schools.len(), 4);
    for school in schools {
        let uai: crate::domain::uai::Uai = school["uai"].as_str().unwrap().parse().unwrap();
        assert!(uai.has_valid_key());
        assert_eq!(school["academy"].as_str(), Some("20"));
        assert!(
            school["degree"]
                .as_str()
                .unwrap()
                .parse::<crate::domain::education::Degree>()
                .is_ok()
        );
        assert!(school["name"].as_str().is_some() && school["commune"].as_str().is_some());
    }
}

#[test]
fn a_large_delivery_is_cut_into_parts_that_make_a_whole() {
    let spec = SampleSpec {
        secondary_pupils: 50_010,
        ..SampleSpec::demo(year())
    };
    /// Counts, so that the test is small as the generator is.
    #[derive(Default)]
    struct Counting(Vec<(String, usize)>);
    impl Sink for Counting {
        fn file(
            &mut self,
            path: &str,
            write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
        ) -> io::Result<()> {
            struct Records(usize);
            impl Write for Records {
                fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                    self.0 += usize::from(bytes.starts_with(b"<addRequest>"));
                    Ok(bytes.len())
                }
                fn flush(&mut self) -> io::Result<()> {
                    Ok(())
                }
            }
            let mut records = Records(0);
            write(&mut records)?;
            self.0
                .push((path.rsplit('/').next().unwrap().to_owned(), records.0));
            Ok(())
        }
    }
    let mut counting = Counting::default();
    let summary = generate(&spec, &mut counting).unwrap();
    assert_eq!(summary.secondary_pupils, 50_010);
    let pupils: Vec<usize> = counting
        .0
        .iter()
        .filter(|(name, _)| name.contains("_Eleve_"))
        .map(|(_, n)| *n)
        .collect();
    assert_eq!(pupils, [50_000, 10]);
    let names: Vec<&str> = counting
        .0
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| name.ends_with(".xml"))
        .collect();
    let delivery = arrange(names);
    assert!(delivery.problems.is_empty());
    assert_eq!(delivery.read.len(), 3);
}

#[test]
fn numbers_that_do_not_go_together_are_refused() {
    let refused = |change: &dyn Fn(&mut SampleSpec)| {
        let mut spec = SampleSpec::demo(year());
        change(&mut spec);
        matches!(generate(&spec, &mut Memory::default()), Err(SampleError::Spec(_)))
    };
    assert!(refused(&|spec| spec.ecoles = 0));
    assert!(refused(&|spec| spec.classes = 0));
    assert!(refused(&|spec| spec.pupils = 1));
    assert!(refused(&|spec| spec.secondary_pupils = 3));
    assert!(refused(&|spec| spec.academy = 0));
    assert!(refused(&|spec| spec.ecoles = u64::MAX));
}

/// Everything that the AAF files of one folder say.
fn items(memory: &Memory, folder: &str) -> Vec<AafItem> {
    let mut items = Vec::new();
    for (path, bytes) in memory.0.iter().filter(|(path, _)| path.starts_with(folder)) {
        let context = AafContext {
            file: path.as_str().into(),
            academy: "20".parse().unwrap(),
            year: year().next(),
            degree: None,
            delta: folder == "delta",
        };
        items.extend(AafReader::new(bytes.as_slice(), context).map(Result::unwrap));
    }
    let issues = items.iter().filter(|item| matches!(item, AafItem::Issue(_)));
    assert_eq!(issues.count(), 0, "{folder}");
    items
}

#[test]
fn the_adults_are_those_whom_the_pupils_name_and_each_is_stated_once() {
    let spec = SampleSpec {
        secondary_pupils: 4_000,
        adults: true,
        ..SampleSpec::demo(year())
    };
    let (summary, memory) = made(&spec);
    let (mut linked, mut stated, mut posts) = (HashSet::new(), HashSet::new(), 0);
    let items = items(&memory, "aaf");
    for item in &items {
        match item {
            AafItem::Links(links) => linked.extend(links.iter().map(|link| link.adult.clone())),
            AafItem::Guardian(row) => assert!(stated.insert(row.key.key.clone())),
            AafItem::Staff(row) => posts += row.posts.len() as u64,
            _ => {}
        }
    }
    assert_eq!(linked, stated);
    assert_eq!(
        (summary.guardians, summary.staff),
        (stated.len() as u64, posts),
        "everybody is read"
    );
    // An academy has 1.8 million adults for 1.1 million pupils.
    let each = (summary.guardians + summary.staff) as f64 / summary.secondary_pupils as f64;
    assert!((1.6..1.85).contains(&each), "{each}");
    let taught: HashSet<&str> = items
        .iter()
        .filter_map(|item| match item {
            AafItem::Staff(row) => Some(row.classes.iter().map(|taught| &*taught.class.key)),
            _ => None,
        })
        .flatten()
        .collect();
    let classes: HashSet<&str> = items
        .iter()
        .filter_map(|item| match item {
            AafItem::Pupil(row) => row.class.as_ref().map(|class| &*class.key),
            _ => None,
        })
        .collect();
    assert!(!taught.is_empty() && taught.is_subset(&classes));
}

#[test]
fn a_night_changes_about_as_many_pupils_as_are_asked_for() {
    let spec = SampleSpec {
        secondary_pupils: 4_000,
        delta: Some(50),
        ..SampleSpec::demo(year())
    };
    let (summary, memory) = made(&spec);
    let key_of = |item: &AafItem| match item {
        AafItem::Pupil(row) => Some(row.key.key.clone()),
        _ => None,
    };
    let before: HashSet<String> = items(&memory, "aaf").iter().filter_map(key_of).collect();
    let (mut changed, mut gone, mut new, mut adults) = (0, 0, 0, 0);
    for item in items(&memory, "delta") {
        match item {
            AafItem::Change(change) => {
                assert!(before.contains(&change.key.key));
                changed += 1;
            }
            AafItem::Gone { key, .. } => {
                assert!(before.contains(&key.key));
                gone += 1;
            }
            AafItem::Pupil(row) => {
                assert!(!before.contains(&row.key.key), "a newcomer is new");
                new += 1;
            }
            AafItem::Guardian(_) => adults += 1,
            _ => {}
        }
    }
    assert_eq!(changed + gone + new + adults, summary.changes);
    assert_eq!(gone, new);
    assert!((150..250).contains(&(changed + gone)), "{changed} {gone}");
    assert!(new > 20 && adults > 2 * new, "{new} {adults}");
}
