//! Reads every file to its end before anything is decided: rows go to the spool, bad rows are set aside, a bad file ends
//! the load.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

mod academy;
mod oneroster;
mod school;

use super::adults::AdultSpool;
use super::delta::Changes;
use super::report::Issues;
use super::spool::{Row, Spool};
use super::{Concern, Feed, File, ImportError, establish, unpack};
use crate::domain::education::{Degree, SchoolYear};
use crate::domain::uai::Uai;
use crate::flows::Failure;
use crate::roster::Unreadable;
use crate::roster::aaf::AafSchool;
use crate::roster::mapping::Mapping;

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
    /// Adults, to be loaded behind the pupils of each school.
    pub(super) adults: AdultSpool,
    /// Whether the files state changes only.
    pub(super) delta: bool,
    /// What a delivery of changes says, until it is known of whom.
    pub(super) changes: Changes,
    /// What the academy calls its schools, those that the delivery describes included.
    pub(super) structures: Structures,
    /// Keys of the pupils whom a delivery of changes takes away, by the school where they are.
    pub(super) left: BTreeMap<Uai, Vec<String>>,
}

/// Which keys a delivery holds, at eight bytes a pupil.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: HashSet<u64>,
    set_aside: HashSet<u64>,
    gone: HashSet<u64>,
}

impl Keys {
    pub(super) fn hash(key: &str) -> u64 {
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

    /// Notes the key of a row; whether it is the first of its kind.
    pub(super) fn see(&mut self, key: &str) -> bool {
        self.seen.insert(Self::hash(key))
    }

    /// Notes the key of a row that is set aside.
    pub(super) fn set_aside(&mut self, key: &str) {
        self.set_aside.insert(Self::hash(key));
    }

    /// Notes that a delivery of changes takes somebody away.
    pub(super) fn take_away(&mut self, key: &str) {
        self.gone.insert(Self::hash(key));
    }

    /// Whether a delivery of changes takes somebody away.
    pub(super) fn is_gone(&self, key: &str) -> bool {
        self.gone.contains(&Self::hash(key))
    }
}

/// What an academy calls its schools.
#[derive(Clone, Debug, Default)]
pub(super) struct Structures {
    /// As they are kept, of both degrees.
    known: HashMap<String, Uai>,
    /// As this delivery says, of its degree.
    delivered: HashMap<String, Uai>,
}

impl Structures {
    /// The school of a key, of a delivery of this degree.
    pub(super) fn school(&self, degree: Degree, key: &str) -> Option<&Uai> {
        self.delivered
            .get(key)
            .or_else(|| self.known.get(&establish::stored_key(degree, key)))
    }

    fn describe(&mut self, key: &str, school: &Uai) {
        self.delivered.insert(key.to_owned(), school.clone());
    }
}

/// What is to be read.
pub(super) struct Order {
    pub(super) feed: Feed,
    pub(super) year: SchoolYear,
    pub(super) mapping: Option<Mapping>,
    /// What an academy is known to call its schools.
    pub(super) structures: HashMap<String, Uai>,
}

/// Reads a delivery; answers the feed as its files told it.
pub(super) fn read(order: Order, files: Vec<File>) -> Result<(Feed, Delivery), ImportError> {
    let Order {
        feed,
        year,
        mapping,
        structures,
    } = order;
    let files = match &feed {
        // A workbook is named for what it is by the reader.
        Feed::Onde | Feed::Csv => files,
        _ => unpack::unpack(files)?,
    };
    let mut delivery = Delivery {
        structures: Structures {
            known: structures,
            delivered: HashMap::new(),
        },
        ..Delivery::default()
    };
    let feed = match feed {
        Feed::Aaf { academy, degree } => {
            let degree = academy::read(&mut delivery, (&academy, degree), year, files)?;
            Feed::Aaf {
                academy,
                degree: Some(degree),
            }
        }
        Feed::Onde | Feed::Csv => {
            school::read_csv(&mut delivery, &feed, year, (files, mapping))?;
            feed
        }
        Feed::Siecle => {
            school::read_siecle(&mut delivery, year, files)?;
            feed
        }
        Feed::Sts => {
            school::read_sts(&mut delivery, year, files)?;
            feed
        }
        Feed::OneRoster { academy } => {
            oneroster::read(&mut delivery, &academy, year, files)?;
            Feed::OneRoster { academy }
        }
    };
    Ok((feed, delivery))
}

fn open(file: File, name: &Arc<str>) -> Result<Box<dyn io::Read + Send>, Unreadable> {
    (file.open)().map_err(|error| Unreadable {
        file: Arc::clone(name),
        line: 1,
        column: 1,
        message: format!("le fichier ne s'ouvre pas ({})", error.kind()),
    })
}

pub(super) fn spooled(error: &io::Error) -> ImportError {
    ImportError::Failure(Failure::Task(format!("temporary file: {error}")))
}

fn number_of(files: &[Arc<str>]) -> u32 {
    u32::try_from(files.len()).unwrap_or(u32::MAX)
}
