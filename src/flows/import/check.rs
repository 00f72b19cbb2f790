//! Reads every file to its end before anything is decided: rows go to the spool, bad rows are set aside, a bad file ends
//! the load.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use super::report::Issues;
use super::spool::{Row, Spool};
use super::{Concern, Feed, File, ImportError};
use crate::domain::education::{AcademyCode, SchoolYear};
use crate::domain::source::RosterRow;
use crate::domain::uai::Uai;
use crate::flows::Failure;
use crate::roster::aaf::delivery::{self, DeliveryProblem};
use crate::roster::aaf::{AafContext, AafItem, AafReader, AafSchool};
use crate::roster::onde::{self, OndeContext};
use crate::roster::{RowIssue, Severity, Unreadable};

/// A delivery that has been read.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    pub(super) spool: Spool,
    /// Names of the files, by their number.
    pub(super) files: Vec<Arc<str>>,
    pub(super) issues: Issues,
    /// Rows of each school that is in the delivery.
    pub(super) stated: BTreeMap<Uai, u64>,
    /// Schools in whose file rows could not be read: nobody leaves there.
    pub(super) marred: HashSet<Uai>,
    /// Keys of the rows, for feeds whose keys cross schools: whoever is not here is nowhere else either.
    pub(super) keys: Keys,
    /// Schools that the delivery itself describes.
    pub(super) establishments: Vec<AafSchool>,
    pub(super) concerns: Vec<Concern>,
}

/// Which keys a delivery holds, at eight bytes a pupil.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: HashSet<u64>,
    set_aside: HashSet<u64>,
}

impl Keys {
    fn hash(key: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether a key is in a row of any school.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.seen.contains(&Self::hash(key))
    }

    /// Whether a key is in a row that was set aside.
    pub(super) fn is_set_aside(&self, key: &str) -> bool {
        self.set_aside.contains(&Self::hash(key))
    }
}

/// Reads a delivery. `structures` is what an academy is known to call its schools.
pub(super) fn read(
    feed: &Feed,
    year: SchoolYear,
    files: Vec<File>,
    structures: HashMap<String, Uai>,
) -> Result<Delivery, ImportError> {
    match feed {
        Feed::Onde => read_onde(year, files),
        Feed::Aaf { academy } => read_aaf(academy, year, files, structures),
    }
}

fn open(file: File, name: &Arc<str>) -> Result<Box<dyn io::Read + Send>, Unreadable> {
    (file.open)().map_err(|error| Unreadable {
        file: Arc::clone(name),
        line: 1,
        column: 1,
        message: format!("le fichier ne s'ouvre pas ({})", error.kind()),
    })
}

fn spooled(error: &io::Error) -> ImportError {
    ImportError::Failure(Failure::Task(format!("temporary file: {error}")))
}

fn number_of(files: &[Arc<str>]) -> u32 {
    u32::try_from(files.len()).unwrap_or(u32::MAX)
}

fn read_onde(year: SchoolYear, files: Vec<File>) -> Result<Delivery, ImportError> {
    let mut delivery = Delivery::default();
    for file in files {
        let name = Arc::clone(&file.name);
        let Some(school) = file.school.clone() else {
            return Err(ImportError::Usage(format!(
                "{name} : de quelle école ? Donnez --school UAI, ou rangez le fichier dans un dossier nommé par l'UAI"
            )));
        };
        if delivery.stated.contains_key(&school) {
            return Err(ImportError::Usage(format!(
                "{name} : deux fichiers pour l'école {school} ; une extraction complète par école"
            )));
        }
        let context = OndeContext {
            file: Arc::clone(&name),
            school: school.clone(),
            year,
        };
        let read = onde::read(open(file, &name)?, &context)?;
        let number = number_of(&delivery.files);
        delivery.files.push(name);
        if read.issues.iter().any(|issue| issue.severity == Severity::Error) {
            delivery.marred.insert(school.clone());
        }
        read.issues
            .into_iter()
            .for_each(|issue| delivery.issues.push(issue));
        delivery.stated.insert(school.clone(), read.rows.len() as u64);
        for row in read.rows {
            let pushed = delivery.spool.push(&school, Row::new(row, number));
            pushed.map_err(|error| spooled(&error))?;
        }
    }
    if delivery.files.is_empty() {
        return Err(ImportError::Usage("aucun fichier CSVExtraction.csv".to_owned()));
    }
    Ok(delivery)
}

fn read_aaf(
    academy: &AcademyCode,
    year: SchoolYear,
    files: Vec<File>,
    mut structures: HashMap<String, Uai>,
) -> Result<Delivery, ImportError> {
    let mut delivery = Delivery::default();
    let arranged = delivery::arrange(files.iter().map(|file| &*file.name));
    for problem in arranged.problems {
        match problem {
            DeliveryProblem::MissingPart { .. } | DeliveryProblem::Mixed { .. } => {
                delivery.concerns.push(Concern::Delivery(problem.to_string()));
            }
            DeliveryProblem::Delta { .. } | DeliveryProblem::Twice { .. } | DeliveryProblem::Nothing => {
                return Err(ImportError::Usage(problem.to_string()));
            }
        }
    }
    let mut by_name: HashMap<String, File> = files
        .into_iter()
        .map(|file| (file.name.to_string(), file))
        .collect();
    for wanted in arranged.read {
        let Some(file) = by_name.remove(&wanted.name) else {
            continue;
        };
        let name = Arc::clone(&file.name);
        let context = AafContext {
            file: Arc::clone(&name),
            academy: academy.clone(),
            year,
        };
        let reader = AafReader::new(open(file, &name)?, context);
        let number = number_of(&delivery.files);
        delivery.files.push(name);
        for item in reader {
            match item? {
                AafItem::Issue(issue) => delivery.issues.push(issue),
                AafItem::School(school) => {
                    structures.insert(school.structure_key.clone(), school.uai.clone());
                    delivery.establishments.push(school);
                }
                AafItem::Pupil(row) => pupil(&mut delivery, &structures, row, number)?,
            }
        }
    }
    Ok(delivery)
}

fn pupil(
    delivery: &mut Delivery,
    structures: &HashMap<String, Uai>,
    row: RosterRow,
    file: u32,
) -> Result<(), ImportError> {
    let hash = Keys::hash(&row.key.key);
    let refuse = |message: &str| RowIssue {
        severity: Severity::Error,
        place: row.place.clone(),
        message: message.to_owned(),
    };
    let Some(school) = structures.get(&row.school) else {
        delivery.issues.push(refuse(
            "établissement inconnu : absent d'EtabEducNat et des livraisons précédentes",
        ));
        delivery.keys.set_aside.insert(hash);
        return Ok(());
    };
    if !delivery.keys.seen.insert(hash) {
        delivery.issues.push(refuse(
            "identifiant d'élève (ENTPersonJointure) déjà vu dans cette livraison",
        ));
        return Ok(());
    }
    *delivery.stated.entry(school.clone()).or_default() += 1;
    let pushed = delivery.spool.push(school, Row::new(row, file));
    pushed.map_err(|error| spooled(&error))
}
