//! Adults on their way to the schools where they answer for a pupil or work, in anonymous temporary files.
//!
//! A feed states an adult apart from the pupils; where they belong is told by the links, which come first. Adults of no
//! pupil who is there are dropped, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use serde::{Deserialize, Serialize};

use super::super::check::Keys;
use super::super::spool::bucket_of;
use crate::base::time::Date;
use crate::domain::source::{
    AdultFacts, ChildRef, GuardianLink, GuardianRow, Place, Sex, SourceKey, StaffRow,
};
use crate::domain::uai::Uai;

/// Each bucket's write buffer.
const BUFFER: usize = 16 * 1024;

/// An adult as a feed states them, in a school. Prints nothing of them.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) struct Adult {
    pub(in super::super) key: String,
    family: String,
    usage: Option<String>,
    given: String,
    sex: Option<bool>,
    birth: Option<Date>,
    pub(in super::super) file: u32,
    pub(in super::super) line: u64,
}

impl Adult {
    fn new(key: &SourceKey, facts: &AdultFacts, place: &Place, file: u32) -> Self {
        Self {
            key: key.key.clone(),
            family: facts.family_name.clone(),
            usage: facts.usage_name.clone(),
            given: facts.given_name.clone(),
            sex: facts.sex.map(|sex| sex == Sex::Female),
            birth: facts.birth_date,
            file,
            line: place.line,
        }
    }

    /// Who they are.
    pub(in super::super) fn facts(&self) -> AdultFacts {
        AdultFacts {
            family_name: self.family.clone(),
            usage_name: self.usage.clone(),
            given_name: self.given.clone(),
            sex: self
                .sex
                .map(|female| if female { Sex::Female } else { Sex::Male }),
            birth_date: self.birth,
        }
    }
}

/// That an adult answers for a child.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) struct Link {
    pub(in super::super) adult: String,
    /// The key of the child, or family name, first name and class.
    pub(in super::super) child: Result<String, (String, String, Option<String>)>,
    pub(in super::super) kinship: Option<String>,
    pub(in super::super) legal: Option<bool>,
    pub(in super::super) file: u32,
    pub(in super::super) line: u64,
}

/// Somebody who works in the school.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) struct Staff {
    pub(in super::super) adult: Adult,
    /// What they are there.
    pub(in super::super) profiles: Vec<String>,
    /// What they teach: keys and labels of classes.
    pub(in super::super) classes: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
enum Line {
    Guardian(Adult),
    Link(Link),
    Staff(Staff),
}

/// What a delivery says of adults in one school.
#[derive(Clone, Default)]
pub(in super::super) struct AdultsOf {
    pub(in super::super) guardians: Vec<Adult>,
    pub(in super::super) links: Vec<Link>,
    pub(in super::super) staff: Vec<Staff>,
}

/// The adults of a delivery.
#[derive(Debug, Default)]
pub(in super::super) struct AdultSpool {
    buckets: BTreeMap<usize, BufWriter<File>>,
    schools: Vec<Uai>,
    /// Every school that adults go to.
    pub(in super::super) places: BTreeSet<Uai>,
    numbers: BTreeMap<Uai, u32>,
    /// In which schools adults answer for somebody: at twelve bytes a pair.
    tied: Vec<(u64, u32)>,
    /// Adults of no pupil who is there.
    pub(in super::super) unlinked: u64,
    /// Whether records of staff could not be read: whoever is not there may be one of them, and nobody leaves.
    pub(in super::super) partial: bool,
}

impl AdultSpool {
    fn push(&mut self, school: &Uai, line: &Line) -> io::Result<()> {
        if !self.places.contains(school) {
            self.places.insert(school.clone());
        }
        let out = match self.buckets.entry(bucket_of(school)) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(BufWriter::with_capacity(BUFFER, tempfile::tempfile()?))
            }
        };
        serde_json::to_writer(&mut *out, &(school.as_str(), line))?;
        out.write_all(b"\n")
    }

    /// Adds the links of pupils of a school.
    pub(in super::super) fn links(
        &mut self,
        school: &Uai,
        links: Vec<GuardianLink>,
        file: u32,
    ) -> io::Result<()> {
        let number = match self.numbers.get(school) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.schools.len()).unwrap_or(u32::MAX);
                self.schools.push(school.clone());
                self.numbers.insert(school.clone(), number);
                number
            }
        };
        for link in links {
            self.tied.push((Keys::hash(&link.adult), number));
            let line = Line::Link(Link {
                adult: link.adult,
                child: match link.child {
                    ChildRef::Key(key) => Ok(key),
                    ChildRef::Named {
                        family_name,
                        given_name,
                        class,
                    } => Err((family_name, given_name, class)),
                },
                kinship: link.kinship.map(|kinship| kinship.as_str().to_owned()),
                legal: link.legal,
                file,
                line: link.place.line,
            });
            self.push(school, &line)?;
        }
        Ok(())
    }

    /// Makes adults findable by the links so far.
    pub(in super::super) fn sort(&mut self) {
        self.tied.sort_unstable();
        self.tied.dedup();
    }

    /// Adds an adult to every school where the links, which were sorted, say that they answer for somebody.
    pub(in super::super) fn guardian(&mut self, row: &GuardianRow, file: u32) -> io::Result<()> {
        let hash = Keys::hash(&row.key.key);
        let first = self.tied.partition_point(|(known, _)| *known < hash);
        let theirs: Vec<Uai> = self
            .tied
            .iter()
            .skip(first)
            .take_while(|(known, _)| *known == hash)
            .filter_map(|(_, number)| self.schools.get(usize::try_from(*number).ok()?).cloned())
            .collect();
        self.unlinked += u64::from(theirs.is_empty());
        let line = Line::Guardian(Adult::new(&row.key, &row.facts, &row.place, file));
        for school in theirs {
            self.push(&school, &line)?;
        }
        Ok(())
    }

    /// Adds the adults of one school's file and their links.
    pub(in super::super) fn of_school(
        &mut self,
        school: &Uai,
        (rows, links): (Vec<GuardianRow>, Vec<GuardianLink>),
        file: u32,
    ) -> io::Result<()> {
        self.links(school, links, file)?;
        for row in &rows {
            let line = Line::Guardian(Adult::new(&row.key, &row.facts, &row.place, file));
            self.push(school, &line)?;
        }
        Ok(())
    }

    /// Adds somebody who works in a school, which the feed calls `called`.
    pub(in super::super) fn staff(
        &mut self,
        school: &Uai,
        called: &str,
        row: &StaffRow,
        file: u32,
    ) -> io::Result<()> {
        let posts = row.posts.iter().filter(|post| post.school == called);
        let classes = row.classes.iter().filter(|taught| taught.school == called);
        let line = Line::Staff(Staff {
            adult: Adult::new(&row.key, &row.facts, &row.place, file),
            profiles: posts.map(|post| post.profile.as_str().to_owned()).collect(),
            classes: classes
                .map(|taught| (taught.class.key.clone(), taught.class.label.clone()))
                .collect(),
        });
        self.push(school, &line)
    }

    /// The buckets that hold anything.
    pub(in super::super) fn buckets(&self) -> Vec<usize> {
        self.buckets.keys().copied().collect()
    }

    /// The schools of a bucket with their adults. Can be asked again.
    pub(in super::super) fn read(&mut self, bucket: usize) -> io::Result<BTreeMap<Uai, AdultsOf>> {
        let mut schools: BTreeMap<Uai, AdultsOf> = BTreeMap::new();
        let Some(out) = self.buckets.get_mut(&bucket) else {
            return Ok(schools);
        };
        out.flush()?;
        let file = out.get_mut();
        file.rewind()?;
        for line in BufReader::new(&*file).lines() {
            let (school, line): (String, Line) = serde_json::from_str(&line?)?;
            let school: Uai = school
                .parse()
                .map_err(|error: crate::domain::InvalidValue| io::Error::other(error.to_string()))?;
            let adults = schools.entry(school).or_default();
            match line {
                Line::Guardian(adult) => adults.guardians.push(adult),
                Line::Link(link) => adults.links.push(link),
                Line::Staff(staff) => adults.staff.push(staff),
            }
        }
        Ok(schools)
    }
}
