//! One file of the binding: RFC 4180 with commas, UTF-8, a header whose names are exact. Streams.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use super::MOST_ROWS;
use crate::domain::source::Place;
use crate::roster::csv::sheet::Sheet;
use crate::roster::{RowIssue, Severity, Unreadable};

/// The most bytes of one record.
const LONGEST_RECORD: usize = 256 * 1024;

/// The records of a file.
pub(super) struct Table<R: Read> {
    input: BufReader<R>,
    file: Arc<str>,
    header: Arc<[String]>,
    line: u64,
    records: u64,
}

/// One record.
pub(super) struct Line<'h> {
    pub(super) place: Place,
    header: &'h [String],
    cells: Vec<String>,
}

impl Line<'_> {
    /// The cell of a column, without white space at its ends; empty where there is none.
    pub(super) fn get(&self, column: &str) -> &str {
        let at = self.header.iter().position(|known| known == column);
        at.and_then(|at| self.cells.get(at))
            .map_or("", |cell| cell.trim())
    }
}

impl<R: Read> Table<R> {
    /// Reads the header; `wanted` columns must be there.
    pub(super) fn new(input: R, file: Arc<str>, wanted: &[&str]) -> Result<Self, Unreadable> {
        let mut table = Self {
            input: BufReader::new(input),
            file,
            header: Arc::new([]),
            line: 1,
            records: 0,
        };
        let Some((_, text)) = table.record()? else {
            return Err(table.refuse(1, "fichier vide"));
        };
        let text = text.trim_start_matches('\u{feff}').to_owned();
        let header = table
            .cells(&text, 1)?
            .map_err(|issue| Unreadable::at(&issue.place, issue.message))?;
        let missing: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|column| !header.iter().any(|known| known == column))
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "colonne obligatoire absente de la ligne d'intitulés : {}",
                missing.join(", ")
            );
            return Err(table.refuse(1, &message));
        }
        table.header = header.into();
        Ok(table)
    }

    fn place(&self, line: u64) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            column: 1,
        }
    }

    fn refuse(&self, line: u64, message: &str) -> Unreadable {
        Unreadable::at(&self.place(line), message)
    }

    /// The text of one record and the line it begins on: line breaks between quotes are part of it.
    fn record(&mut self) -> Result<Option<(u64, String)>, Unreadable> {
        let first = self.line;
        let mut bytes = Vec::new();
        let mut quotes = 0;
        loop {
            let before = bytes.len();
            let mut limited = (&mut self.input).take(LONGEST_RECORD as u64 + 1);
            let read = limited.read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| {
                let message = format!("lecture interrompue ({})", error.kind());
                Unreadable::at(&self.place(self.line), message)
            })?;
            if bytes.len() > LONGEST_RECORD {
                return Err(self.refuse(first, "ligne de plus de 256 Kio, ou guillemet jamais refermé"));
            }
            let more = bytes.iter().skip(before);
            quotes += more.filter(|byte| **byte == b'"').count();
            if read == 0 {
                if before == 0 {
                    return Ok(None);
                }
                if quotes % 2 == 1 {
                    return Err(self.refuse(
                        first,
                        "guillemet ouvert ici et jamais refermé : fichier tronqué ou abîmé",
                    ));
                }
                break;
            }
            if bytes.last() == Some(&b'\n') {
                self.line += 1;
            }
            if quotes % 2 == 0 {
                break;
            }
        }
        let text =
            String::from_utf8(bytes).map_err(|_| self.refuse(first, "octets qui ne sont pas de l'UTF-8"))?;
        Ok(Some((first, text)))
    }

    fn cells(&self, text: &str, line: u64) -> Result<Result<Vec<String>, RowIssue>, Unreadable> {
        let mut sheet = Sheet::separated(text, ',');
        let Some(read) = sheet.next() else {
            return Ok(Ok(Vec::new()));
        };
        let read = read.map_err(|_| {
            self.refuse(
                line,
                "guillemet ouvert ici et jamais refermé : fichier tronqué ou abîmé",
            )
        })?;
        Ok(match read.flaw {
            Some((column, flaw)) => {
                let mut place = self.place(line);
                place.column = column;
                Err(RowIssue {
                    severity: Severity::Error,
                    place,
                    message: flaw.message().to_owned(),
                })
            }
            None => Ok(read.cells),
        })
    }

    /// The next record, or what is wrong with it.
    pub(super) fn next(&mut self) -> Result<Option<Result<Line<'_>, RowIssue>>, Unreadable> {
        loop {
            let Some((line, text)) = self.record()? else {
                return Ok(None);
            };
            if text.trim().is_empty() {
                continue;
            }
            self.records += 1;
            if self.records > MOST_ROWS {
                return Err(self.refuse(line, "trop de lignes (plus de 5 000 000)"));
            }
            let cells = match self.cells(&text, line)? {
                Ok(cells) => cells,
                Err(issue) => return Ok(Some(Err(issue))),
            };
            let place = self.place(line);
            if cells.len() != self.header.len() {
                let message = format!("{} colonnes, il en faut {}", cells.len(), self.header.len());
                return Ok(Some(Err(RowIssue {
                    severity: Severity::Error,
                    place,
                    message,
                })));
            }
            return Ok(Some(Ok(Line {
                place,
                header: &self.header,
                cells,
            })));
        }
    }
}
