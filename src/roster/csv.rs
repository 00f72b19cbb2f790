//! Files of one school as CSV, their columns known by a mapping: pupils, or the adults in charge of them.
//!
//! Where a file gives no key of a person, the key of a record is made of what does not change: folded names and birth
//! date. Must never read a file half: a wrong line is told and left out, a wrong file is refused whole.

use std::io::Read;
use std::sync::Arc;

use crate::domain::education::SchoolYear;
use crate::domain::source::{GuardianLink, GuardianRow, Place, RosterRow, Source};
use crate::domain::uai::Uai;

use super::mapping::Mapping;
use super::{RowIssue, Severity, Unreadable};

mod adult;
mod columns;
mod encoding;
mod row;
pub(super) mod sheet;

/// The most lines of one school's file.
pub const MOST_ROWS: u64 = 20_000;

/// What the file itself does not say.
#[derive(Clone, Debug)]
pub struct CsvContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The school whose file it is.
    pub school: Uai,
    /// The school year it was made for.
    pub year: SchoolYear,
    /// The source of its records.
    pub source: Source,
}

impl CsvContext {
    fn place(&self, line: u64, column: u64) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }
}

/// What a pupils file states. Every record is either a row or has an [`Severity::Error`] issue at its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvFile {
    /// The pupils, in the order of the file.
    pub rows: Vec<RosterRow>,
    /// What was wrong or left aside, in the order of the file.
    pub issues: Vec<RowIssue>,
    /// Records seen behind the header, blank lines not counted: rows and refused ones together.
    pub records: u64,
}

/// What an adults file states. Every record is either a row or has an [`Severity::Error`] issue at its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardianFile {
    /// The adults, in the order of the file.
    pub rows: Vec<GuardianRow>,
    /// The children they answer for, by names.
    pub links: Vec<GuardianLink>,
    /// What was wrong or left aside, in the order of the file.
    pub issues: Vec<RowIssue>,
    /// Records seen behind the header.
    pub records: u64,
}

/// What a file turned out to hold, by its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Pupils.
    Pupils(CsvFile),
    /// Adults.
    Guardians(GuardianFile),
}

/// Reads one school's file, of pupils or of adults.
///
/// The whole file is held (at most 32 MiB): its encoding can be told only once all of it is seen.
///
/// # Errors
/// [`Unreadable`] where nothing may be taken from the file: not CSV, a mandatory column missing, a quote never closed,
/// too large.
pub fn read(input: impl Read, context: &CsvContext, mapping: &Mapping) -> Result<Content, Unreadable> {
    read_as(input, context, mapping, false)
}

/// Reads one school's pupils.
///
/// # Errors
/// As [`read`], and the file of the adults.
pub fn pupils(input: impl Read, context: &CsvContext, mapping: &Mapping) -> Result<CsvFile, Unreadable> {
    match read_as(input, context, mapping, true)? {
        Content::Pupils(file) => Ok(file),
        Content::Guardians(_) => Ok(CsvFile::default()),
    }
}

fn read_as(
    input: impl Read,
    context: &CsvContext,
    mapping: &Mapping,
    only_pupils: bool,
) -> Result<Content, Unreadable> {
    let refuse = |line, column, message: String| Unreadable::at(&context.place(line, column), message);
    let text = encoding::read_text(input).map_err(|bad| refuse(bad.line(), 1, bad.message()))?;
    let mut lines = sheet::Sheet::new(&text)
        .map(|line| {
            line.map_err(|open: sheet::Unclosed| {
                let message = "guillemet ouvert ici et jamais refermé : fichier tronqué ou abîmé";
                refuse(open.line, open.column, message.to_owned())
            })
        })
        .filter(|line| !line.as_ref().is_ok_and(sheet::Line::is_blank));

    let header = lines
        .next()
        .ok_or_else(|| refuse(1, 1, "fichier vide".to_owned()))??;
    if let Some((column, flaw)) = header.flaw {
        return Err(refuse(header.number, column, flaw.message().to_owned()));
    }
    let bad = |bad: columns::BadHeader| refuse(header.number, bad.column(), bad.message());
    let too_many = |line: &sheet::Line| {
        let message = format!("trop de lignes pour une école (plus de {MOST_ROWS})");
        refuse(line.number, 1, message)
    };
    let unknown = |unknown: &[(u64, String)]| -> Vec<RowIssue> {
        let issue = |(column, unknown): &(u64, String)| RowIssue {
            severity: Severity::Warning,
            place: context.place(header.number, *column),
            message: format!("colonne « {unknown} » inconnue : elle n'est pas lue"),
        };
        unknown.iter().map(issue).collect()
    };
    if !only_pupils && columns::is_of_adults(&header.cells, mapping) {
        let columns = columns::AdultColumns::find(&header.cells, mapping).map_err(bad)?;
        let mut file = GuardianFile {
            issues: unknown(&columns.unknown),
            ..GuardianFile::default()
        };
        let mut reader = adult::AdultReader::new(context, &columns);
        for line in lines {
            let line = line?;
            file.records += 1;
            if file.records > MOST_ROWS {
                return Err(too_many(&line));
            }
            reader.read(&line, &mut file);
        }
        return Ok(Content::Guardians(file));
    }
    let columns = columns::Columns::find(&header.cells, mapping).map_err(bad)?;
    let mut file = CsvFile {
        issues: unknown(&columns.unknown),
        ..CsvFile::default()
    };
    let mut reader = row::RowReader::new(context, &columns);
    for line in lines {
        let line = line?;
        file.records += 1;
        if file.records > MOST_ROWS {
            return Err(too_many(&line));
        }
        let row = reader.read(&line, &mut file.issues);
        file.rows.extend(row.map(|row| RosterRow {
            ordinal: Some(file.records),
            ..row
        }));
    }
    Ok(Content::Pupils(file))
}
