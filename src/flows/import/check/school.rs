//! Files of one school each: ONDE and other CSV, SIECLE, STS.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Delivery, Feed, File, ImportError, Row, number_of, open, spooled};
use crate::domain::education::SchoolYear;
use crate::domain::source::RosterRow;
use crate::domain::uai::Uai;
use crate::roster::csv::{self, Content, CsvContext};
use crate::roster::mapping::Mapping;
use crate::roster::siecle::{self, Courses, SiecleContext, SiecleKind};
use crate::roster::sts::{self, StsContext};
use crate::roster::{RowIssue, Severity};

fn school_of(file: &File) -> Result<Uai, ImportError> {
    file.school.clone().ok_or_else(|| {
        ImportError::Usage(format!(
            "{} : de quelle école ? Donnez --school UAI, ou rangez le fichier dans un dossier nommé par l'UAI",
            file.name
        ))
    })
}

/// Takes what was wrong with the pupils of a school; where a row was left out, nobody leaves.
fn note(delivery: &mut Delivery, school: &Uai, issues: Vec<RowIssue>) {
    if issues.iter().any(|issue| issue.severity == Severity::Error) {
        delivery.marred.insert(school.clone());
    }
    issues.into_iter().for_each(|issue| delivery.issues.push(issue));
}

fn state(delivery: &mut Delivery, school: &Uai, rows: Vec<RosterRow>, file: u32) -> Result<(), ImportError> {
    delivery.stated.insert(school.clone(), rows.len() as u64);
    for row in rows {
        let pushed = delivery.spool.push(school, Row::new(row, file));
        pushed.map_err(|error| spooled(&error))?;
    }
    Ok(())
}

fn twice(name: &str, school: &Uai) -> ImportError {
    ImportError::Usage(format!(
        "{name} : deux fichiers pour l'école {school} ; une extraction complète par école"
    ))
}

/// ONDE and other CSV: pupils, adults, or both in two files.
pub(super) fn read_csv(
    delivery: &mut Delivery,
    feed: &Feed,
    year: SchoolYear,
    (files, mapping): (Vec<File>, Option<Mapping>),
) -> Result<(), ImportError> {
    let mapping = mapping.unwrap_or_else(|| match feed {
        Feed::Onde => Mapping::onde(),
        _ => Mapping::csv(),
    });
    let mut with_adults: HashSet<Uai> = HashSet::new();
    for file in files {
        let name = Arc::clone(&file.name);
        let school = school_of(&file)?;
        let context = CsvContext {
            file: Arc::clone(&name),
            school: school.clone(),
            year,
            source: feed.source(),
        };
        let read = csv::read(open(file, &name)?, &context, &mapping)?;
        let number = number_of(&delivery.files);
        delivery.files.push(Arc::clone(&name));
        match read {
            Content::Pupils(read) => {
                if delivery.stated.contains_key(&school) {
                    return Err(twice(&name, &school));
                }
                note(delivery, &school, read.issues);
                state(delivery, &school, read.rows, number)?;
            }
            Content::Guardians(read) => {
                if !with_adults.insert(school.clone()) {
                    return Err(twice(&name, &school));
                }
                read.issues
                    .into_iter()
                    .for_each(|issue| delivery.issues.push(issue));
                let adults = (read.rows, read.links);
                let pushed = delivery.adults.of_school(&school, adults, number);
                pushed.map_err(|error| spooled(&error))?;
            }
        }
    }
    if delivery.files.is_empty() {
        return Err(ImportError::Usage(match feed {
            Feed::Onde => "aucun fichier CSVExtraction.csv".to_owned(),
            _ => "aucun fichier CSV".to_owned(),
        }));
    }
    Ok(())
}

/// SIECLE: of each school the nomenclature first, then pupils, then the adults of those pupils.
pub(super) fn read_siecle(
    delivery: &mut Delivery,
    year: SchoolYear,
    files: Vec<File>,
) -> Result<(), ImportError> {
    let mut schools: BTreeMap<Uai, Vec<(SiecleKind, File)>> = BTreeMap::new();
    for file in files {
        let kind = SiecleKind::of(&file.name);
        if kind == SiecleKind::Other {
            continue;
        }
        let school = school_of(&file)?;
        let theirs = schools.entry(school.clone()).or_default();
        if theirs.iter().any(|(known, _)| *known == kind) {
            return Err(twice(&file.name, &school));
        }
        theirs.push((kind, file));
    }
    if schools.is_empty() {
        return Err(ImportError::Usage(
            "aucun fichier de SIECLE (ElevesSansAdresses.xml, ResponsablesAvecAdresses.xml, Nomenclature.xml)".to_owned(),
        ));
    }
    for (school, mut theirs) in schools {
        theirs.sort_by_key(|(kind, _)| *kind);
        if !theirs.iter().any(|(kind, _)| *kind == SiecleKind::Pupils) {
            return Err(ImportError::Usage(format!(
                "{school} : les élèves manquent (ElevesAvecAdresses.xml ou ElevesSansAdresses.xml)"
            )));
        }
        let mut courses = Courses::default();
        let mut pupils: HashSet<String> = HashSet::new();
        for (kind, file) in theirs {
            let name = Arc::clone(&file.name);
            let context = SiecleContext {
                file: Arc::clone(&name),
                school: school.clone(),
                year,
            };
            let input = open(file, &name)?;
            let number = number_of(&delivery.files);
            delivery.files.push(name);
            match kind {
                SiecleKind::Nomenclature => courses = siecle::nomenclature(input, &context)?,
                SiecleKind::Pupils => {
                    let read = siecle::pupils(input, &context, &courses)?;
                    pupils.extend(read.rows.iter().map(|row| row.key.key.clone()));
                    note(delivery, &school, read.issues);
                    state(delivery, &school, read.rows, number)?;
                }
                SiecleKind::Guardians => {
                    let read = siecle::guardians(input, &context, &pupils)?;
                    read.issues
                        .into_iter()
                        .for_each(|issue| delivery.issues.push(issue));
                    let pushed = delivery
                        .adults
                        .of_school(&school, (read.rows, read.links), number);
                    pushed.map_err(|error| spooled(&error))?;
                }
                SiecleKind::Other => {}
            }
        }
    }
    Ok(())
}

/// STS: the staff of schools.
pub(super) fn read_sts(
    delivery: &mut Delivery,
    year: SchoolYear,
    files: Vec<File>,
) -> Result<(), ImportError> {
    let mut seen: HashSet<Uai> = HashSet::new();
    for file in files {
        if !file.name.to_ascii_lowercase().ends_with(".xml") {
            continue;
        }
        let name = Arc::clone(&file.name);
        let school = school_of(&file)?;
        if !seen.insert(school.clone()) {
            return Err(twice(&name, &school));
        }
        let context = StsContext {
            file: Arc::clone(&name),
            school: school.clone(),
            year,
        };
        let read = sts::read(open(file, &name)?, &context)?;
        let number = number_of(&delivery.files);
        delivery.files.push(name);
        let refused = read.issues.iter().any(|issue| issue.severity == Severity::Error);
        read.issues
            .into_iter()
            .for_each(|issue| delivery.issues.push(issue));
        delivery.adults.partial |= refused;
        for row in read.rows {
            let pushed = delivery.adults.staff(&school, school.as_str(), &row, number);
            pushed.map_err(|error| spooled(&error))?;
        }
    }
    if seen.is_empty() {
        return Err(ImportError::Usage("aucun fichier sts_emp_….xml".to_owned()));
    }
    Ok(())
}
