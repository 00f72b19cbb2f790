//! The delivery that is read, and the changes of the night after: invented, as `marelle sample --secondary-pupils N --adults
//! --delta 1` writes them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use marelle::base::time::{Clock as _, SystemClock};
use marelle::domain::education::SchoolYear;
use marelle::roster::aaf::delivery::arrange;
use marelle::sample::{SampleSpec, SampleSummary, Sink, generate};

use super::measure::now;

/// The academy of the sample.
pub(super) const ACADEMY: &str = "20";

/// The year of the delivery: the present one, or a guard would ask whether it is meant.
pub(super) fn year() -> Result<SchoolYear> {
    Ok(SchoolYear::of(SystemClock.now().date()))
}

/// Where the files are and what is in them.
pub(super) struct Delivery {
    pub(super) folder: PathBuf,
    pub(super) files: Vec<PathBuf>,
    pub(super) bytes: u64,
    /// How many pupils it states; of a delivery of changes it is not known beforehand.
    pub(super) pupils: Option<u64>,
    /// How many people it names.
    pub(super) people: u64,
}

/// An academy.
pub(super) struct Academy {
    pub(super) territory: PathBuf,
    pub(super) made: SampleSummary,
    /// Everybody.
    pub(super) complete: Delivery,
    /// What one pupil in a hundred brings the night after.
    pub(super) changes: Delivery,
}

struct Folder<'a>(&'a Path);

impl Sink for Folder<'_> {
    fn file(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.0.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
        write(&mut out)?;
        out.flush()
    }
}

impl Academy {
    pub(super) fn invent(folder: &Path, pupils: u64) -> Result<Self> {
        let year = year()?;
        // The sample's delivery is of the year after that of its écoles.
        let model = SampleSpec::of(1, 80, SchoolYear::new(year.first() - 1)?);
        let spec = SampleSpec {
            colleges: model.colleges.max(pupils.div_ceil(1_000)),
            secondary_pupils: pupils,
            adults: true,
            delta: Some(10),
            ..model
        };
        let made = generate(&spec, &mut Folder(folder))?;
        let people = made.secondary_pupils + made.guardians + made.staff;
        let of = |kind: &str| folder.join(kind).join(year.to_string());
        Ok(Self {
            territory: folder.join("territory.toml"),
            complete: Delivery::of(of("aaf"), Some(made.secondary_pupils), people)?,
            changes: Delivery::of(of("delta"), None, made.changes)?,
            made,
        })
    }
}

impl Delivery {
    fn of(folder: PathBuf, pupils: Option<u64>, people: u64) -> Result<Self> {
        let files = files(&folder)?;
        let sizes: io::Result<Vec<u64>> = files.iter().map(|file| Ok(file.metadata()?.len())).collect();
        Ok(Self {
            folder,
            files,
            bytes: sizes?.iter().sum(),
            pupils,
            people,
        })
    }

    /// Reads every byte and looks at none; answers the seconds.
    pub(super) fn read(&self) -> Result<f64> {
        let (start, mut buffer, mut bytes) = (now(), vec![0; 1 << 16], 0);
        for file in &self.files {
            let mut file = File::open(file)?;
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                bytes += read as u64;
            }
        }
        ensure!(bytes == self.bytes, "{bytes} bytes read of {}", self.bytes);
        Ok(start.elapsed().as_secs_f64())
    }
}

/// The files of a delivery, in the order to read them.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(
            entry?
                .file_name()
                .into_string()
                .ok()
                .context("a name that is no text")?,
        );
    }
    let delivery = arrange(names.iter().map(String::as_str));
    ensure!(delivery.problems.is_empty(), "{:?}", delivery.problems);
    Ok(delivery.read.iter().map(|file| folder.join(&file.name)).collect())
}
