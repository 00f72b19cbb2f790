//! Files of one school and deliveries of changes: CSV of pupils and adults, SIECLE, STS, OneRoster, AAF deltas, mappings.

use std::collections::HashSet;
use std::io::Read;

use marelle::domain::education::{Degree, SchoolYear};
use marelle::domain::source::Source;
use marelle::roster::aaf::{AafContext, AafItem, AafReader};
use marelle::roster::csv::{self, Content, CsvContext};
use marelle::roster::mapping::Mapping;
use marelle::roster::oneroster::{self, Manifest, Mode, OneRoster, OneRosterContext, OneRosterItem};
use marelle::roster::siecle::{self, Courses, SiecleContext};
use marelle::roster::sts::{self, StsContext};
use marelle::roster::{RowIssue, Severity, Unreadable};

use crate::roster::Pieces;

/// The first byte says which file the rest is.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let length = usize::from(how >> 4) + 1;
    match how % 9 {
        0 => table(rest, length, Source::Onde, &Mapping::onde()),
        1 => table(rest, length, Source::Csv, &Mapping::csv()),
        2 => pupils(rest, length),
        3 => guardians(rest, length),
        4 => courses(rest, length),
        5 => staff(rest, length),
        6 => users(rest, length),
        7 => changes(rest, length),
        _ => mapping(rest),
    }
}

fn year() -> SchoolYear {
    SchoolYear::new(2026).expect("a year")
}

/// Lines of errors, each once.
fn refused(issues: &[RowIssue]) -> u64 {
    let errors = issues.iter().filter(|issue| issue.severity == Severity::Error);
    let places: HashSet<(u64, u64)> = errors
        .map(|issue| (issue.place.line, issue.place.column))
        .collect();
    places.len() as u64
}

fn same<T: PartialEq + std::fmt::Debug>(whole: &T, in_pieces: &T) {
    assert_eq!(whole, in_pieces, "the pieces change nothing");
}

fn table(bytes: &[u8], length: usize, source: Source, mapping: &Mapping) {
    let context = CsvContext {
        file: "CSVExtraction.csv".into(),
        school: "9990001X".parse().expect("an UAI"),
        year: year(),
        source,
    };
    let whole = csv::read(bytes, &context, mapping);
    same(&whole, &csv::read(Pieces(bytes, length), &context, mapping));
    match whole {
        Ok(Content::Pupils(file)) => {
            let keys: HashSet<&str> = file.rows.iter().map(|row| &*row.key.key).collect();
            assert_eq!(keys.len(), file.rows.len(), "a key is of one row");
            assert!(file.rows.len() as u64 <= file.records);
        }
        Ok(Content::Guardians(file)) => {
            let keys: HashSet<&str> = file.rows.iter().map(|row| &*row.key.key).collect();
            assert_eq!(keys.len(), file.rows.len(), "a key is of one row");
            assert!(
                file.links.iter().all(|link| keys.contains(&*link.adult)),
                "no link without its adult"
            );
            assert!(file.links.len() >= file.rows.len(), "no adult without a child");
        }
        Err(refused) => placed(&refused),
    }
}

fn placed(refused: &Unreadable) {
    assert!(refused.line >= 1 && refused.column >= 1);
}

fn siecle_context() -> SiecleContext {
    SiecleContext {
        file: "Eleves.xml".into(),
        school: "9990101F".parse().expect("an UAI"),
        year: year(),
    }
}

fn pupils(bytes: &[u8], length: usize) {
    let (context, none) = (siecle_context(), Courses::default());
    let whole = siecle::pupils(bytes, &context, &none);
    same(&whole, &siecle::pupils(Pieces(bytes, length), &context, &none));
    match whole {
        Ok(file) => {
            assert!(file.rows.len() as u64 + file.left <= file.records);
            assert_eq!(
                file.rows.len() as u64 + file.left + refused(&file.issues),
                file.records
            );
        }
        Err(refused) => placed(&refused),
    }
}

fn guardians(bytes: &[u8], length: usize) {
    let context = siecle_context();
    let there: HashSet<String> = ["1037745", "1037746"].map(str::to_owned).into();
    let whole = siecle::guardians(bytes, &context, &there);
    same(
        &whole,
        &siecle::guardians(Pieces(bytes, length), &context, &there),
    );
    match whole {
        Ok(file) => {
            let keys: HashSet<&str> = file.rows.iter().map(|row| &*row.key.key).collect();
            assert!(file.links.iter().all(|link| keys.contains(&*link.adult)));
            assert_eq!(
                file.rows.len() as u64 + file.unlinked + refused(&file.issues),
                file.records
            );
        }
        Err(refused) => placed(&refused),
    }
}

fn courses(bytes: &[u8], length: usize) {
    let context = siecle_context();
    let whole = siecle::nomenclature(bytes, &context);
    same(&whole, &siecle::nomenclature(Pieces(bytes, length), &context));
}

fn staff(bytes: &[u8], length: usize) {
    let context = StsContext {
        file: "sts.xml".into(),
        school: "9990101F".parse().expect("an UAI"),
        year: year(),
    };
    let whole = sts::read(bytes, &context);
    same(&whole, &sts::read(Pieces(bytes, length), &context));
    if let Ok(file) = whole {
        assert_eq!(file.rows.len() as u64 + refused(&file.issues), file.records);
    }
}

/// Files of a delivery one behind the other, a NUL between them: roles, demographics, users.
fn users(bytes: &[u8], length: usize) {
    let read = |pieces: usize| -> (
        Result<Manifest, Unreadable>,
        Vec<OneRosterItem>,
        Option<Unreadable>,
    ) {
        let mut parts = bytes.split(|byte| *byte == 0);
        let mut part = || Pieces(parts.next().unwrap_or_default(), pieces);
        let said = oneroster::manifest(part());
        let mut manifest = Manifest::default();
        manifest.files.insert("users.csv".to_owned(), Mode::Delta);
        let context = OneRosterContext {
            academy: "20".parse().expect("an academy"),
            year: year(),
        };
        let mut roster = OneRoster::new(&manifest, context);
        let orgs: &[u8] = b"sourcedId,type,identifier\no1,school,9990001X\n";
        roster.learn(&"orgs.csv".into(), orgs).expect("orgs");
        for name in ["roles.csv", "demographics.csv", "classes.csv", "enrollments.csv"] {
            if let Err(refused) = roster.learn(&name.into(), part()) {
                return (said, Vec::new(), Some(refused));
            }
        }
        let mut items = Vec::new();
        let done = roster.users(part(), |item| -> Result<(), Unreadable> {
            items.push(item);
            Ok(())
        });
        (said, items, done.err())
    };
    same(&read(usize::MAX), &read(length));
}

fn changes(bytes: &[u8], length: usize) {
    let read = |input: &mut dyn Read| {
        let context = AafContext {
            file: "eleve.xml".into(),
            academy: "20".parse().expect("an academy"),
            year: year(),
            degree: (length % 2 == 0).then_some(Degree::First),
            delta: true,
        };
        let mut reader = AafReader::new(input, context);
        let items: Vec<Result<AafItem, Unreadable>> = reader.by_ref().collect();
        (items, reader.tally(), reader.degree())
    };
    let whole = read(&mut &*bytes);
    same(&whole, &read(&mut Pieces(bytes, length)));
    let (items, tally, _) = whole;
    assert_eq!(tally.records, tally.sum());
    assert!(items.iter().filter(|item| item.is_err()).count() <= 1);
}

fn mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(mapping) = Mapping::parse(text) {
        table(
            b"Nom;Pr\xE9nom;Date naissance;Classe\nX;Y;01/01/2015;A\n",
            3,
            Source::Csv,
            &mapping,
        );
    }
}
