//! Rows on their way from the files to the schools: spooled into anonymous temporary files, by school, so that memory
//! does not grow with the delivery and each school is applied once, whole.
//!
//! The files have no name: nobody can open them, and they are gone with the process, however it ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use serde::{Deserialize, Serialize};

use crate::base::time::Date;
use crate::domain::source::{ClassRef, PersonFacts, RosterRow, Sex};
use crate::domain::uai::Uai;

/// What of a delivery is held at once is one part in so many.
const BUCKETS: usize = 128;
/// Each bucket's write buffer.
const BUFFER: usize = 16 * 1024;

/// A row of a feed, its school known. Prints nothing of the person.
#[derive(Clone)]
pub(super) struct Row {
    /// The key the feed gives it in its scope.
    pub(super) key: String,
    pub(super) facts: PersonFacts,
    pub(super) class: Option<ClassRef>,
    pub(super) level: Option<String>,
    /// The number in the register of the school.
    pub(super) attachment: Option<String>,
    /// The school of the year before.
    pub(super) previous_school: Option<Uai>,
    /// Its number in its file, where the source gives no key.
    pub(super) ordinal: Option<u64>,
    /// Which file of the delivery.
    pub(super) file: u32,
    pub(super) line: u64,
}

impl Row {
    pub(super) fn new(row: RosterRow, file: u32) -> Self {
        Self {
            key: row.key.key,
            facts: row.facts,
            class: row.class,
            level: row.level,
            attachment: row.attachment,
            previous_school: row.previous_school,
            ordinal: row.ordinal,
            file,
            line: row.place.line,
        }
    }
}

/// A row as a line of a bucket, names kept short.
#[derive(Serialize, Deserialize)]
struct Line {
    s: String,
    k: String,
    f: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
    g: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    o: Vec<String>,
    b: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    p: (u32, u64),
}

/// The rows of a delivery.
#[derive(Debug, Default)]
pub(super) struct Spool {
    buckets: BTreeMap<usize, BufWriter<File>>,
}

impl Spool {
    /// Adds a row of a school.
    pub(super) fn push(&mut self, school: &Uai, row: Row) -> io::Result<()> {
        let bucket = bucket_of(school);
        let out = match self.buckets.entry(bucket) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(BufWriter::with_capacity(BUFFER, tempfile::tempfile()?))
            }
        };
        let line = Line {
            s: school.to_string(),
            k: row.key,
            f: row.facts.family_name,
            u: row.facts.usage_name,
            g: row.facts.given_name,
            o: row.facts.other_names,
            b: row.facts.birth_date,
            x: row.facts.sex.map(|sex| sex == Sex::Female),
            i: row.facts.ine.map(|ine| ine.expose().to_owned()),
            c: row.class.map(|class| (class.key, class.label)),
            l: row.level,
            a: row.attachment,
            n: row.ordinal,
            r: row.previous_school.map(|school| school.to_string()),
            p: (row.file, row.line),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    /// The buckets that hold anything.
    pub(super) fn buckets(&self) -> Vec<usize> {
        self.buckets.keys().copied().collect()
    }

    /// The schools of a bucket with their rows in the order of the delivery. Can be asked again.
    pub(super) fn read(&mut self, bucket: usize) -> io::Result<BTreeMap<Uai, Vec<Row>>> {
        let mut schools: BTreeMap<Uai, Vec<Row>> = BTreeMap::new();
        let Some(out) = self.buckets.get_mut(&bucket) else {
            return Ok(schools);
        };
        out.flush()?;
        let file = out.get_mut();
        file.rewind()?;
        for line in BufReader::new(&*file).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            let invalid = |error: crate::domain::InvalidValue| io::Error::other(error.to_string());
            let school: Uai = line.s.parse().map_err(invalid)?;
            let ine = line.i.map(|ine| ine.parse().map_err(invalid)).transpose()?;
            schools.entry(school).or_default().push(Row {
                key: line.k,
                facts: PersonFacts {
                    family_name: line.f,
                    usage_name: line.u,
                    given_name: line.g,
                    other_names: line.o,
                    birth_date: line.b,
                    sex: line.x.map(|female| if female { Sex::Female } else { Sex::Male }),
                    ine,
                },
                class: line.c.map(|(key, label)| ClassRef { key, label }),
                level: line.l,
                attachment: line.a,
                ordinal: line.n,
                previous_school: line.r.map(|school| school.parse().map_err(invalid)).transpose()?,
                file: line.p.0,
                line: line.p.1,
            });
        }
        for rows in schools.values_mut() {
            rows.sort_by_key(|row| (row.file, row.line));
        }
        Ok(schools)
    }
}

/// The bucket of a school: the same for the same school, whatever else is delivered.
pub(super) fn bucket_of(school: &Uai) -> usize {
    let mut hasher = DefaultHasher::new();
    school.hash(&mut hasher);
    usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    #[test]
    fn rows_come_back_whole_by_school_and_in_order_however_often_they_are_asked() {
        let mut spool = Spool::default();
        let row = |line, key: &str| Row {
            key: key.into(),
            facts: PersonFacts {
                family_name: "D’Hœrt \"dit\" Petit".into(),
                usage_name: Some("Petit\nJean".into()),
                given_name: "Lïna".into(),
                other_names: vec!["Rose".into()],
                birth_date: parse_date("2016-08-17").unwrap(),
                sex: Some(Sex::Female),
                ine: Some("123456789AB".parse().unwrap()),
            },
            class: Some(ClassRef {
                key: "7".into(),
                label: "CM2; bleue".into(),
            }),
            level: Some("CM2".into()),
            attachment: Some("1037745".into()),
            previous_school: Some(Uai::from_number(9_990_009)),
            ordinal: Some(7),
            file: 0,
            line,
        };
        let schools: Vec<Uai> = (0..300).map(|at| Uai::from_number(9_990_000 + at)).collect();
        for line in [2, 1] {
            for school in &schools {
                spool
                    .push(school, row(line, &format!("{school}-{line}")))
                    .unwrap();
            }
        }
        for _ in 0..2 {
            let mut seen = 0;
            for bucket in spool.buckets() {
                for (school, rows) in spool.read(bucket).unwrap() {
                    let expected = row(1, "");
                    assert_eq!(rows.len(), 2);
                    assert_eq!(rows[0].key, format!("{school}-1"));
                    assert!(rows[0].facts == expected.facts);
                    assert_eq!(
                        (&rows[0].class, &rows[0].level, &rows[0].attachment),
                        (&expected.class, &expected.level, &expected.attachment)
                    );
                    seen += 1;
                }
            }
            assert_eq!(seen, schools.len());
        }
    }
}
