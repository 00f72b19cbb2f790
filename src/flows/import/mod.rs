//! Loading the files of schools and academies: check → preview → guard → apply, one transaction per school → report.
//!
//! | step | where | what |
//! | --- | --- | --- |
//! | check | `check` | every file is read to its end; bad rows are set aside, a bad file ends the load |
//! | preview | `situation`, `draft` | per school: what is there, what would change |
//! | guard | `guard` | over all schools, before anything is written |
//! | apply | `school` | one transaction per school, in turn with everything else that recognises people |
//! | report | here | what was done, per school, and every row that was set aside |
//!
//! A run that is interrupted has applied some schools whole and the others not at all; the same load brings it to its
//! end. Must never log or journal an INE in the clear, nor write anything in a preview.

mod absence;
mod adults;
mod check;
mod delta;
mod draft;
mod establish;
mod guard;
mod recognise;
mod report;
mod run;
mod school;
mod situation;
mod spool;
mod unpack;

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

pub use guard::Concern;
pub use report::{Counts, Report, SchoolReport};
pub use run::{apply, preview};

pub use crate::roster::mapping::Mapping;

use super::Failure;
use crate::base::id::ImportRunId;
use crate::base::time::{Date, Timestamp};
use crate::continuum::model::Model;
use crate::domain::education::{AcademyCode, Degree, SchoolYear};
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::roster::Unreadable;

/// What opens a file, once.
pub type Opener = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A file of a delivery.
pub struct File {
    /// Its name, without folders.
    pub name: Arc<str>,
    /// The school it is of, where the feed does not say it.
    pub school: Option<Uai>,
    /// Opens it.
    pub open: Opener,
}

impl File {
    /// A file on disk, opened when its turn comes.
    pub fn at(path: PathBuf, school: Option<Uai>) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self {
            name: name.unwrap_or_default().into(),
            school,
            open: Box::new(move || Ok(Box::new(std::fs::File::open(path)?))),
        }
    }

    /// A file that is in memory.
    pub fn of_bytes(name: &str, school: Option<Uai>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            school,
            open: Box::new(|| Ok(Box::new(io::Cursor::new(bytes)))),
        }
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)
    }
}

/// A kind of feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// ONDE, the files of one école each.
    Onde,
    /// AAF of one academy, complete or of changes: its names say which.
    Aaf {
        /// The academy: keys are unique within it only.
        academy: AcademyCode,
        /// The degree; where it is not given, the names of the files or the records tell.
        degree: Option<Degree>,
    },
    /// SIECLE, the files of one collège or lycée.
    Siecle,
    /// STS, the staff of one collège or lycée.
    Sts,
    /// Files made by hand or by another program, of one school each.
    Csv,
    /// OneRoster 1.2 of one academy.
    OneRoster {
        /// The academy that the system which delivers is of: its keys are unique within it only.
        academy: AcademyCode,
    },
}

impl Feed {
    /// The source its records are of.
    pub fn source(&self) -> Source {
        match self {
            Self::Onde => Source::Onde,
            Self::Aaf {
                degree: Some(Degree::First),
                ..
            } => Source::Aaf1d,
            Self::Aaf { .. } => Source::Aaf2d,
            Self::Siecle => Source::Siecle,
            Self::Sts => Source::Sts,
            Self::Csv => Source::Csv,
            Self::OneRoster { .. } => Source::OneRoster,
        }
    }

    /// The academy it is of, where it is of a whole one: its keys cross schools then.
    fn academy(&self) -> Option<&AcademyCode> {
        match self {
            Self::Aaf { academy, .. } | Self::OneRoster { academy } => Some(academy),
            Self::Onde | Self::Siecle | Self::Sts | Self::Csv => None,
        }
    }

    /// The scope of its keys in a school.
    fn scope(&self, school: &Uai) -> String {
        self.academy()
            .map_or_else(|| school.to_string(), ToString::to_string)
    }

    /// The degree of the schools that it makes known.
    fn degree(&self) -> Degree {
        match self {
            Self::Onde => Degree::First,
            Self::Aaf { degree, .. } => degree.unwrap_or(Degree::Second),
            Self::Siecle | Self::Sts | Self::Csv | Self::OneRoster { .. } => Degree::Second,
        }
    }
}

/// What to load.
#[derive(Debug)]
pub struct Load {
    /// The feed.
    pub feed: Feed,
    /// The school year it is for.
    pub year: SchoolYear,
    /// Its files.
    pub files: Vec<File>,
    /// How the columns of its CSV files are called, where they are not called as usual.
    pub mapping: Option<Mapping>,
    /// Who loads it.
    pub operator: String,
    /// Why the guards' concerns are set aside, where they are.
    pub override_reason: Option<String>,
}

/// Why a load was not done; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It was asked for wrongly; a sentence in French that says what to do.
    #[error("{0}")]
    Usage(String),
    /// Guards refuse it.
    #[error("{} contrôle(s) s'opposent à ce chargement", .0.len())]
    Refused(Vec<Concern>),
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Nothing can be done about it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<crate::store::StoreError> for ImportError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<crate::base::secret::SecretError> for ImportError {
    fn from(error: crate::base::secret::SecretError) -> Self {
        Self::Failure(error.into())
    }
}

/// What is the same for every school of a run.
#[derive(Clone, Debug)]
struct Frame {
    run: ImportRunId,
    feed: Feed,
    /// Whether the files state changes only: who is not in them is still there.
    delta: bool,
    year: SchoolYear,
    now: Timestamp,
    today: Date,
    operator: String,
    /// What agreement weighs as the run begins.
    model: Arc<Model>,
    /// Names of the files, by their number.
    files: Arc<Vec<Arc<str>>>,
}
