//! Files of schools and academies: an école's CSV of ONDE, an academy's XML of AAF.

use std::io::Read;

use marelle::domain::education::SchoolYear;
use marelle::roster::aaf::{AafContext, AafItem, AafReader, AafTally};
use marelle::roster::onde::{self, OndeContext};
use marelle::roster::{Severity, Unreadable};

/// The first byte says which file the rest is.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    if how % 2 == 0 {
        ecole(rest);
    } else {
        academy(rest, usize::from(how >> 1) + 1);
    }
}

fn year() -> SchoolYear {
    SchoolYear::new(2026).expect("a year")
}

fn ecole(bytes: &[u8]) {
    let context = OndeContext {
        file: "CSVExtraction.csv".into(),
        school: "9990001X".parse().expect("an UAI"),
        year: year(),
    };
    let whole = onde::read(bytes, &context);
    assert_eq!(
        whole,
        onde::read(Pieces(bytes, 3), &context),
        "the pieces change nothing"
    );
    let file = match whole {
        Ok(file) => file,
        Err(refused) => return placed(bytes, &refused),
    };
    let refused: std::collections::BTreeSet<u64> = file
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| issue.place.line)
        .collect();
    assert_eq!(
        file.rows.len() + refused.len(),
        usize::try_from(file.records).expect("few")
    );
    for row in &file.rows {
        assert!(!row.facts.family_name.trim().is_empty() && !row.facts.given_name.trim().is_empty());
        assert!(
            !row.facts.family_name.contains(char::is_control)
                && !row.facts.given_name.contains(char::is_control)
        );
    }
}

/// Where a file cannot be read is a place in it, or right behind it.
fn placed(bytes: &[u8], refused: &Unreadable) {
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert!(
        (1..=lines as u64 + 1).contains(&refused.line),
        "{refused} of {lines} line ends"
    );
    assert!(refused.column >= 1);
}

/// What a file of AAF says, in the order in which it says it.
type Said = (Vec<Result<AafItem, Unreadable>>, AafTally);

fn read(input: impl Read) -> Said {
    let context = AafContext {
        file: "eleve.xml".into(),
        academy: "20".parse().expect("an academy"),
        year: year(),
        degree: None,
        delta: false,
    };
    let mut reader = AafReader::new(input, context);
    let items = reader.by_ref().collect();
    (items, reader.tally())
}

fn academy(bytes: &[u8], length: usize) {
    let (items, tally) = read(bytes);
    let in_pieces = read(Pieces(bytes, length));
    assert_eq!(
        (&items, &tally),
        (&in_pieces.0, &in_pieces.1),
        "the pieces change nothing"
    );
    assert_eq!(tally.records, tally.sum());
    let failed = items.iter().filter(|item| item.is_err()).count();
    assert!(failed <= 1 && (failed == 0 || items.last().is_some_and(Result::is_err)));
    let count =
        |wanted: fn(&AafItem) -> bool| items.iter().flatten().filter(|item| wanted(item)).count() as u64;
    let pupils = count(|item| matches!(item, AafItem::Pupil(_)));
    let schools = count(|item| matches!(item, AafItem::School(_)));
    assert!(pupils <= tally.pupils && schools <= tally.schools);
    if failed == 0 {
        assert_eq!((pupils, schools), (tally.pupils, tally.schools));
    }
    if let Some(Err(refused)) = items.last() {
        assert!(refused.line >= 1 && refused.column >= 1);
    }
}

/// Bytes that come in pieces.
pub(crate) struct Pieces<'d>(pub(crate) &'d [u8], pub(crate) usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(out.len()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        out[..length].copy_from_slice(piece);
        self.0 = rest;
        Ok(length)
    }
}
