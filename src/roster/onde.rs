//! ONDE (ex BE1D) pupils CSV, `CSVExtraction.csv`: one école, both generations of headers and their known synonyms.
//!
//! ONDE gives no key of a pupil, so the key of a record is made of what does not change: folded names and birth date.
//! Must never read the adults' extraction, and never read a file half: a wrong line is told and left out, a wrong file
//! is refused whole.

use std::io::Read;
use std::sync::Arc;

use crate::domain::education::SchoolYear;
use crate::domain::source::{Place, RosterRow};
use crate::domain::uai::Uai;

use super::{RowIssue, Severity, Unreadable};

mod columns;
mod encoding;
mod row;
mod sheet;
#[cfg(test)]
mod tests;

/// The most lines of one école's file.
pub const MOST_ROWS: u64 = 20_000;

/// What the file itself does not say.
#[derive(Clone, Debug)]
pub struct OndeContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The école whose director made the extraction.
    pub school: Uai,
    /// The school year it was made for.
    pub year: SchoolYear,
}

impl OndeContext {
    fn place(&self, line: u64, column: u64) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }
}

/// What a file states. Every record is either a row or has an [`Severity::Error`] issue at its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OndeFile {
    /// The pupils, in the order of the file.
    pub rows: Vec<RosterRow>,
    /// What was wrong or left aside, in the order of the file.
    pub issues: Vec<RowIssue>,
    /// Records seen behind the header, blank lines not counted: rows and refused ones together.
    pub records: u64,
}

/// Reads one école's pupils.
///
/// The whole file is held (at most 32 MiB): its encoding can be told only once all of it is seen.
///
/// # Errors
/// [`Unreadable`] where nothing may be taken from the file: not CSV, the adults' extraction, a mandatory column
/// missing, a quote never closed, too large.
pub fn read(input: impl Read, context: &OndeContext) -> Result<OndeFile, Unreadable> {
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
    let columns = columns::Columns::find(&header.cells)
        .map_err(|bad| refuse(header.number, bad.column(), bad.message()))?;

    let mut file = OndeFile::default();
    for (column, unknown) in &columns.unknown {
        file.issues.push(RowIssue {
            severity: Severity::Warning,
            place: context.place(header.number, *column),
            message: format!("colonne « {unknown} » inconnue : elle n'est pas lue"),
        });
    }
    let mut reader = row::RowReader::new(context, &columns);
    for line in lines {
        let line = line?;
        file.records += 1;
        if file.records > MOST_ROWS {
            let message = format!("trop de lignes pour une école (plus de {MOST_ROWS})");
            return Err(refuse(line.number, 1, message));
        }
        let row = reader.read(&line, &mut file.issues);
        file.rows.extend(row.map(|row| RosterRow {
            ordinal: Some(file.records),
            ..row
        }));
    }
    Ok(file)
}
