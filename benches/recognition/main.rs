//! Two cohorts against each other, CM2 and 6e a year later: seconds and peak memory of recognition alone, and what it found
//! against the truth, with INE and without.
//!
//! `MARELLE_BENCH_SCHOOLS` is the number of écoles (about ten CM2 each). `MARELLE_BENCH_MISSING_INE` and `…_WRONG_INE` are percentages.

#[path = "../measure/mod.rs"]
mod measure;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use marelle::base::id::{IdentityId, SourceRecordId};
use marelle::base::random::SystemRandom;
use marelle::base::secret::sha256;
use marelle::base::time::Timestamp;
use marelle::continuum::census::Census;
use marelle::continuum::evaluation::{Judged, evaluate};
use marelle::continuum::facts::{Facts, IneHash, Record};
use marelle::continuum::model::{Model, Rates};
use marelle::continuum::name::Name;
use marelle::continuum::neighbourhood::Neighbourhood;
use marelle::continuum::resolve::Home;
use marelle::domain::education::{SchoolYear, grade};
use marelle::domain::ine::Ine;
use marelle::domain::source::RosterRow;
use marelle::sample::{Noise, SampleSpec, cohort};
use measure::{figure, head, part, row};

fn main() -> Result<()> {
    measure::machine("before");
    let schools = measure::setting("MARELLE_BENCH_SCHOOLS", 2_000);
    let seeds = measure::setting("MARELLE_BENCH_SEEDS", 1);
    let wanted = measure::setting("MARELLE_BENCH_MISSING_INE", 101);
    head(
        &format!("CM2 against 6e, {schools} écoles"),
        &[
            "INE missing",
            "seed",
            "records",
            "seconds",
            "of a minute",
            "peak MB",
            "precision",
            "recall",
            "with review",
            "cases per 1,000",
            "false",
            "twins",
            "homonyms",
        ],
    );
    for seed in 0..seeds {
        for (missing, wrong) in [(80, 20), (1_000, 0)] {
            if wanted <= 100 && wanted * 10 != missing {
                continue;
            }
            let noise = Noise {
                missing_ine: missing,
                wrong_ine: wrong,
                registers: true,
            };
            let spec = SampleSpec {
                noise: Some(noise),
                ..SampleSpec::of(schools, 1 + seed, SchoolYear::new(2025)?)
            };
            measured(&spec, seed)?;
        }
    }
    measure::machine("after");
    Ok(())
}

/// Records in the order of the cohort; the cohort says again whom they are of.
fn records(spec: &SampleSpec) -> Result<Vec<Record>> {
    let random = SystemRandom;
    let mut records = Vec::new();
    cohort(spec, &mut |_, row| {
        if let Some(facts) = facts(row) {
            let at = i64::try_from(records.len()).unwrap_or(i64::MAX);
            records.push(Record {
                id: SourceRecordId::new(Timestamp::from_micros(1_000 * at), &random),
                identity: None,
                facts,
            });
        }
    })?;
    Ok(records)
}

fn facts(row: RosterRow) -> Option<Facts> {
    let family = Name::new(&row.facts.family_name);
    let usage = row.facts.usage_name.as_deref().map(Name::new);
    Some(Facts {
        ine: row.facts.ine.as_ref().map(ine),
        usage: usage.filter(|usage| usage.key() != family.key()),
        family,
        given: Name::new(&row.facts.given_name),
        others: row.facts.other_names.iter().map(|name| Name::new(name)).collect(),
        birth_date: row.facts.birth_date,
        sex: row.facts.sex,
        source: row.key.source,
        scope: row.key.scope.into(),
        year: row.year,
        school: row.school.parse().ok()?,
        previous_school: None,
        grade: row.level.as_deref().and_then(grade),
        guardians: Box::default(),
    })
}

/// Without a key: a bench has no secrets.
fn ine(ine: &Ine) -> IneHash {
    let text = ine.expose();
    let piece = |number: u8, range: std::ops::Range<usize>| {
        let part = text.get(range).unwrap_or_default();
        let hash = sha256(format!("{number}{part}").as_bytes());
        hash.first_chunk::<4>()
            .map_or(0, |start| u32::from_le_bytes(*start))
    };
    IneHash {
        whole: sha256(text.as_bytes()),
        pieces: [piece(0, 0..4), piece(1, 4..8), piece(2, 8..11)],
    }
}

/// The most memory this process has held, in bytes.
fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = line
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0);
    Ok(kilobytes * 1024.0)
}

fn measured(spec: &SampleSpec, seed: u64) -> Result<()> {
    let records = records(spec)?;
    let ids: Vec<SourceRecordId> = records.iter().map(|record| record.id).collect();
    let begun = measure::now();
    let mut census = Census::default();
    for record in &records {
        census.count(&record.facts);
    }
    let model = Arc::new(Model::new(Rates::shipped(), census.frequencies()));
    let decided = Neighbourhood::whole(model, records, Vec::new()).decide();
    let contested = decided.contested();
    let resolution = decided.resolve(&contested.into_iter().collect::<HashSet<IdentityId>>());
    let seconds = begun.elapsed().as_secs_f64();
    let peak = peak()?;
    drop(decided);
    let homes: HashMap<SourceRecordId, usize> = resolution
        .moves
        .iter()
        .filter_map(|(id, home)| match home {
            Home::New(number) => Some((*id, *number)),
            Home::Known(_) => None,
        })
        .collect();
    let mut places = HashMap::new();
    let mut persons = HashMap::new();
    let mut found = Vec::new();
    let mut rest = ids.iter();
    cohort(spec, &mut |person, row| {
        if let Some(facts) = facts(row)
            && let Some(id) = rest.next()
            && let Some(identity) = homes.get(id)
        {
            places.insert(*id, found.len());
            persons.insert(*id, person);
            found.push(Judged {
                identity: *identity,
                person,
                household: format!("{}|{}", facts.family.as_str(), facts.birth_date),
                given: facts.given.as_str().to_owned(),
            });
        }
    })?;
    let asked: Vec<(usize, usize)> = resolution
        .open
        .iter()
        .filter_map(|(pair, _)| Some((*places.get(&pair.first())?, *places.get(&pair.second())?)))
        .collect();
    let seen = evaluate(&found, &asked);
    row(&[
        &format!(
            "{} %",
            figure(spec.noise.map_or(0.0, |noise| noise.missing_ine as f64 / 10.0))
        ),
        &seed.to_string(),
        &ids.len().to_string(),
        &format!("{seconds:.1}"),
        &part(seconds, 60.0),
        &figure(peak / 1e6),
        &format!("{:.5}", seen.precision()),
        &format!("{:.5}", seen.recall()),
        &format!("{:.5}", seen.recall_with_review()),
        &format!("{:.2}", seen.cases_per_thousand()),
        &seen.false_pairs.to_string(),
        &seen.false_twins.to_string(),
        &seen.false_homonyms.to_string(),
    ]);
    if std::env::var_os("MARELLE_BENCH_REASONS").is_some() {
        let mut reasons: HashMap<String, (u32, u32)> = HashMap::new();
        for (pair, reason) in &resolution.open {
            let right = persons.get(&pair.first()) == persons.get(&pair.second());
            let counted = reasons.entry(reason.to_string()).or_default();
            counted.0 += u32::from(right);
            counted.1 += u32::from(!right);
        }
        println!("{reasons:?}");
    }
    Ok(())
}
