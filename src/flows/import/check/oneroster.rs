//! OneRoster of an academy: the files that users refer to first, then the users.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Delivery, File, ImportError, Row, number_of, open, spooled};
use crate::domain::education::{AcademyCode, SchoolYear};
use crate::domain::uai::Uai;
use crate::roster::Severity;
use crate::roster::oneroster::{self, FILES, OneRoster, OneRosterContext, OneRosterItem};

/// Reads a delivery.
pub(super) fn read(
    delivery: &mut Delivery,
    academy: &AcademyCode,
    year: SchoolYear,
    files: Vec<File>,
) -> Result<(), ImportError> {
    let mut by_name: HashMap<String, File> = HashMap::new();
    for file in files {
        let name = file.name.to_string();
        if FILES.contains(&name.as_str()) && by_name.insert(name.clone(), file).is_some() {
            return Err(ImportError::Usage(format!("{name} : donné deux fois")));
        }
    }
    let mut take = |name: &str| -> Option<(Arc<str>, File)> {
        let file = by_name.remove(name)?;
        Some((Arc::clone(&file.name), file))
    };
    let Some((name, file)) = take("manifest.csv") else {
        return Err(ImportError::Usage(
            "manifest.csv manque : est-ce une livraison OneRoster 1.2 ?".to_owned(),
        ));
    };
    let manifest = oneroster::manifest(open(file, &name)?)?;
    delivery.delta = manifest.is_delta();
    let context = OneRosterContext {
        academy: academy.clone(),
        year,
    };
    let mut roster = OneRoster::new(&manifest, context);
    for wanted in FILES
        .iter()
        .filter(|name| **name != "manifest.csv" && **name != "users.csv")
    {
        if !manifest.files.contains_key(*wanted) {
            continue;
        }
        let Some((name, file)) = take(wanted) else {
            return Err(ImportError::Usage(format!(
                "{wanted} manque, alors que manifest.csv l'annonce"
            )));
        };
        roster.learn(&name, open(file, &name)?)?;
        delivery.files.push(name);
    }
    let Some((name, file)) = take("users.csv") else {
        return Err(ImportError::Usage(
            "users.csv manque, alors que manifest.csv l'annonce".to_owned(),
        ));
    };
    let input = open(file, &name)?;
    let number = number_of(&delivery.files);
    delivery.files.push(name);
    let mut pupil: Option<Uai> = None;
    // Adults may stand before the pupils who name them.
    let mut guardians = Vec::new();
    roster.users(input, |item| -> Result<(), ImportError> {
        match item {
            OneRosterItem::Issue(issue) => {
                delivery.adults.partial |= issue.severity == Severity::Error;
                delivery.issues.push(issue);
            }
            OneRosterItem::Pupil(row) => {
                let school: Result<Uai, _> = row.school.parse();
                let Ok(school) = school else { return Ok(()) };
                delivery.keys.see(&row.key.key);
                *delivery.stated.entry(school.clone()).or_default() += 1;
                pupil = Some(school.clone());
                let pushed = delivery.spool.push(&school, Row::new(row, number));
                pushed.map_err(|error| spooled(&error))?;
            }
            OneRosterItem::Links(links) => {
                if let Some(school) = pupil.take() {
                    let pushed = delivery.adults.links(&school, links, number);
                    pushed.map_err(|error| spooled(&error))?;
                }
            }
            OneRosterItem::Guardian(row) => guardians.push(row),
            OneRosterItem::Staff(row) => {
                let mut schools: Vec<&str> = row.posts.iter().map(|post| &*post.school).collect();
                schools.dedup();
                for written in schools {
                    let school: Result<Uai, _> = written.parse();
                    let Ok(school) = school else { continue };
                    let pushed = delivery.adults.staff(&school, written, &row, number);
                    pushed.map_err(|error| spooled(&error))?;
                }
            }
            OneRosterItem::Gone { key, place } => delivery.changes.remove(key, place)?,
        }
        Ok(())
    })?;
    delivery.adults.sort();
    for row in guardians {
        let pushed = delivery.adults.guardian(&row, number);
        pushed.map_err(|error| spooled(&error))?;
    }
    Ok(())
}
