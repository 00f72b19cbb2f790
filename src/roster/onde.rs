//! ONDE (ex BE1D), `CSVExtraction.csv`: one école, pupils or adults, every generation of headers that is known.
//!
//! ONDE is CSV with a built-in mapping and nothing else: an export with other headers needs a mapping file, not code.
//! ONDE gives no key of a pupil, so the key of a record is made of what does not change: folded names and birth date.

use std::io::Read;
use std::sync::Arc;

use crate::domain::education::SchoolYear;
use crate::domain::source::Source;
use crate::domain::uai::Uai;

use super::Unreadable;
use super::csv::{self, CsvContext};
use super::mapping::Mapping;

#[cfg(test)]
mod tests;

pub use super::csv::{CsvFile as OndeFile, MOST_ROWS};

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

/// Reads one école's pupils.
///
/// # Errors
/// [`Unreadable`] where nothing may be taken from the file: not CSV, the adults' extraction, a mandatory column
/// missing, a quote never closed, too large.
pub fn read(input: impl Read, context: &OndeContext) -> Result<OndeFile, Unreadable> {
    let context = CsvContext {
        file: Arc::clone(&context.file),
        school: context.school.clone(),
        year: context.year,
        source: Source::Onde,
    };
    csv::pupils(input, &context, &Mapping::onde())
}
