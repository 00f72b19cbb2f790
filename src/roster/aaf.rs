//! AAF of the second degree (`ficAlimMENESR`): schools (`EtabEducNat`) and pupils (`Eleve`) of one academy.
//!
//! Streams: whatever the size of a file, one record is held. In a complete delivery an `addRequest` states presence;
//! requests that change an earlier delivery are set aside and told. Must never fetch the DTD a file names, never
//! resolve an entity it declares, and never read AAF of the first degree as if it were this: its grammar is the same,
//! its attributes are not.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use crate::domain::education::{AcademyCode, SchoolYear};
use crate::domain::source::{Place, RosterRow};

use super::{RowIssue, Severity, Unreadable};

mod composite;
pub mod delivery;
mod pupil;
mod record;
mod school;
mod stream;
#[cfg(test)]
mod tests;
mod xml;

pub use school::AafSchool;

use record::{Record, Request};
use xml::Xml;

/// Attributes that are read, of pupils and schools; every other is passed over unkept.
const WANTED: &[&str] = &{
    let mut all = [""; pupil::WANTED.len() + school::WANTED.len()];
    let (pupils, schools) = all.split_at_mut(pupil::WANTED.len());
    pupils.copy_from_slice(pupil::WANTED);
    schools.copy_from_slice(school::WANTED);
    all
};

/// What the file itself does not say.
#[derive(Clone, Debug)]
pub struct AafContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The academy of the delivery: keys are unique within it only.
    pub academy: AcademyCode,
    /// The school year it is loaded for.
    pub year: SchoolYear,
}

/// What a file states, one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AafItem {
    /// A pupil in the school they belong to; [`RosterRow::school`] is a structure key.
    Pupil(RosterRow),
    /// A school.
    School(AafSchool),
    /// Something wrong with a record. Warnings stand before the pupil or school they are about.
    Issue(RowIssue),
}

/// What became of the records read so far; the four parts make `records`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AafTally {
    /// Requests seen.
    pub records: u64,
    /// Given as [`AafItem::Pupil`].
    pub pupils: u64,
    /// Given as [`AafItem::School`].
    pub schools: u64,
    /// Left out, each with at least one [`Severity::Error`].
    pub refused: u64,
    /// Set aside, each with one [`Severity::Warning`]: changes to an earlier delivery, other categories.
    pub set_aside: u64,
}

/// The records of one file, in its order. After an [`Unreadable`] there is nothing more.
pub struct AafReader<R: Read> {
    xml: Xml<R>,
    context: AafContext,
    queue: VecDeque<AafItem>,
    tally: AafTally,
    ended: bool,
}

/// The issues of one record.
struct Complaints<'a> {
    place: &'a Place,
    queue: &'a mut VecDeque<AafItem>,
}

impl Complaints<'_> {
    fn push(&mut self, severity: Severity, message: &str) {
        self.queue.push_back(AafItem::Issue(RowIssue {
            severity,
            place: self.place.clone(),
            message: message.to_owned(),
        }));
    }

    fn error(&mut self, message: &str) {
        self.push(Severity::Error, message);
    }

    fn warning(&mut self, message: &str) {
        self.push(Severity::Warning, message);
    }
}

impl<R: Read> AafReader<R> {
    /// A reader of one file; its category is taken from each record.
    pub fn new(input: R, context: AafContext) -> Self {
        Self {
            xml: Xml::new(input, Arc::clone(&context.file), WANTED),
            context,
            queue: VecDeque::new(),
            tally: AafTally::default(),
            ended: false,
        }
    }

    /// What became of the records so far.
    pub fn tally(&self) -> AafTally {
        self.tally
    }

    /// Reads one more record into the queue; `false` at the end.
    fn advance(&mut self) -> Result<bool, Unreadable> {
        let Some(record) = record::read(&mut self.xml)? else {
            return Ok(false);
        };
        self.tally.records += 1;
        let mut complaints = Complaints {
            place: &record.place,
            queue: &mut self.queue,
        };
        let set_aside = match (record.request, record.category.as_str()) {
            (Request::Modify | Request::Delete, _) => Some(
                "modification ou suppression (livraison « Delta ») : pas encore prise en charge, mise de côté",
            ),
            (Request::Add, "Eleve" | "EtabEducNat") => None,
            (Request::Add, "") => Some("enregistrement sans catégorie : mis de côté"),
            (Request::Add, _) => Some("catégorie qui n'est pas encore lue : enregistrement mis de côté"),
        };
        if let Some(reason) = set_aside {
            complaints.warning(reason);
            self.tally.set_aside += 1;
            return Ok(true);
        }
        let item = if record.category == "Eleve" {
            refuse_first_degree(&record)?;
            pupil::read(&record, &self.context, &mut complaints).map(AafItem::Pupil)
        } else {
            school::read(&record, &self.context, &mut complaints).map(AafItem::School)
        };
        match &item {
            Some(AafItem::Pupil(_)) => self.tally.pupils += 1,
            Some(_) => self.tally.schools += 1,
            None => self.tally.refused += 1,
        }
        self.queue.extend(item);
        Ok(true)
    }
}

fn refuse_first_degree(record: &Record) -> Result<(), Unreadable> {
    if pupil::is_first_degree(record) {
        return Err(Unreadable::at(
            &record.place,
            "ce fichier est un AAF du premier degré (ENT1D) ; c'est un AAF du second degré (ENT2D) qui est attendu",
        ));
    }
    Ok(())
}

impl<R: Read> Iterator for AafReader<R> {
    type Item = Result<AafItem, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            match self.advance() {
                Ok(more) => self.ended = !more,
                Err(refused) => {
                    self.ended = true;
                    self.queue.clear();
                    return Some(Err(refused));
                }
            }
        }
    }
}
