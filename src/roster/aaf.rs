//! AAF (`ficAlimMENESR`), of both degrees: schools (`EtabEducNat`), pupils (`Eleve`), the adults in charge of them
//! (`PersRelEleve`), staff (`PersEducNat`) and two nomenclatures, of one academy.
//!
//! Streams: whatever the size of a file, one record is held. In a complete delivery an `addRequest` states presence and
//! requests that change an earlier delivery are set aside and told; in a delivery of changes all three are read. The
//! degrees share a grammar, not the names of attributes: one delivery is of one. Must never fetch the DTD a file names
//! nor resolve an entity it declares.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use crate::domain::education::{AcademyCode, Degree, SchoolYear};
use crate::domain::source::{GuardianLink, GuardianRow, Place, RosterRow, SourceKey, StaffRow};

use super::field::Complaints;
use super::xml::Xml;
use super::{RowIssue, Unreadable};

mod adult;
mod change;
mod composite;
pub mod delivery;
mod grammar;
mod names;
mod pupil;
mod record;
mod school;
#[cfg(test)]
mod tests;

pub use change::PupilChange;
pub use school::AafSchool;

use delivery::AafKind;
use grammar::AafGrammar;
use names::Names;
use record::{Record, Request};

/// Attributes that are read; every other is passed over unkept.
const WANTED: &[&[&str]] = &[names::OF_PERSONS, school::WANTED, names::OF_LABELS];

/// What the file itself does not say.
#[derive(Clone, Debug)]
pub struct AafContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The academy of the delivery: keys are unique within it only.
    pub academy: AcademyCode,
    /// The school year it is loaded for.
    pub year: SchoolYear,
    /// The degree, where it is known; else the first person's attributes tell.
    pub degree: Option<Degree>,
    /// Whether the delivery is of changes only.
    pub delta: bool,
}

/// What a file states, one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AafItem {
    /// A pupil in the school they belong to; [`RosterRow::school`] is a structure key.
    Pupil(RosterRow),
    /// The adults in charge of the pupil before, where there are any.
    Links(Vec<GuardianLink>),
    /// What changes of a pupil.
    Change(Box<PupilChange>),
    /// Somebody whom an earlier delivery stated is there no more.
    Gone {
        /// Of which category.
        kind: AafKind,
        /// Who.
        key: SourceKey,
        /// Where it stands.
        place: Place,
    },
    /// A school.
    School(AafSchool),
    /// An adult in charge of pupils.
    Guardian(GuardianRow),
    /// Somebody who works in schools; schools are structure keys.
    Staff(StaffRow),
    /// The label of a code.
    Label {
        /// Courses of study or subjects.
        kind: AafKind,
        /// The code.
        code: String,
        /// What it stands for.
        label: String,
    },
    /// Something wrong with a record. Warnings stand before what they are about.
    Issue(RowIssue),
}

/// What became of the records read so far; the parts make `records`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AafTally {
    /// Requests seen.
    pub records: u64,
    /// Given as [`AafItem::Pupil`].
    pub pupils: u64,
    /// Given as [`AafItem::School`].
    pub schools: u64,
    /// Given as [`AafItem::Guardian`] or [`AafItem::Staff`].
    pub adults: u64,
    /// Given as [`AafItem::Label`].
    pub labels: u64,
    /// Given as [`AafItem::Change`] or [`AafItem::Gone`].
    pub changes: u64,
    /// Left out, each with at least one [`Severity::Error`](super::Severity::Error).
    pub refused: u64,
    /// Set aside, each with one [`Severity::Warning`](super::Severity::Warning): changes in a complete delivery, other categories.
    pub set_aside: u64,
}

impl AafTally {
    /// The parts, which make [`Self::records`] once a file is read to its end.
    pub fn sum(&self) -> u64 {
        self.pupils + self.schools + self.adults + self.labels + self.changes + self.refused + self.set_aside
    }
}

/// The records of one file, in its order. After an [`Unreadable`] there is nothing more.
pub struct AafReader<R: Read> {
    xml: Xml<R, AafGrammar>,
    context: AafContext,
    queue: VecDeque<AafItem>,
    tally: AafTally,
    ended: bool,
}

impl<R: Read> AafReader<R> {
    /// A reader of one file; its category is taken from each record.
    pub fn new(input: R, context: AafContext) -> Self {
        Self {
            xml: Xml::new(input, Arc::clone(&context.file), AafGrammar(WANTED)),
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

    /// The degree, once it is known.
    pub fn degree(&self) -> Option<Degree> {
        self.context.degree
    }

    /// Reads one more record into the queue; `false` at the end.
    fn advance(&mut self) -> Result<bool, Unreadable> {
        let Some(record) = record::read(&mut self.xml)? else {
            return Ok(false);
        };
        self.tally.records += 1;
        let category = Category::of(&record);
        if category.is_person() {
            self.settle_degree(&record)?;
        }
        let mut issues = Vec::new();
        let mut complaints = Complaints::new(&record.place, &mut issues);
        let set_aside = match (record.request, category) {
            (Request::Modify | Request::Delete, _) if !self.context.delta => {
                Some("modification ou suppression dans une livraison complète : mise de côté")
            }
            (
                Request::Modify | Request::Delete,
                Category::School | Category::Courses | Category::Subjects,
            ) => Some("modification ou suppression d'autre chose qu'une personne : mise de côté"),
            (Request::Modify, Category::Guardian | Category::Staff) if !self.is_whole(&record) => Some(
                "modification d'un adulte sans ses nom et prénom : mise de côté, le prochain « Complet » la portera",
            ),
            (_, Category::None) => Some("enregistrement sans catégorie : mis de côté"),
            (_, Category::Other) => Some("catégorie qui n'est pas encore lue : enregistrement mis de côté"),
            _ => None,
        };
        if let Some(reason) = set_aside {
            complaints.warning(reason);
            self.tally.set_aside += 1;
            self.queue.extend(issues.into_iter().map(AafItem::Issue));
            return Ok(true);
        }
        let items = self.read(&record, category, &mut complaints);
        match items.first() {
            Some(AafItem::Pupil(_)) => self.tally.pupils += 1,
            Some(AafItem::School(_)) => self.tally.schools += 1,
            Some(AafItem::Guardian(_) | AafItem::Staff(_)) => self.tally.adults += 1,
            Some(AafItem::Label { .. }) => self.tally.labels += 1,
            Some(_) => self.tally.changes += 1,
            None => self.tally.refused += 1,
        }
        self.queue.extend(issues.into_iter().map(AafItem::Issue));
        self.queue.extend(items);
        Ok(true)
    }

    /// What a record states; nothing goes with at least one error.
    fn read(&self, record: &Record, category: Category, complaints: &mut Complaints<'_>) -> Vec<AafItem> {
        let context = &self.context;
        match category {
            Category::School => {
                let school = school::read(record, context, complaints);
                return school.map(AafItem::School).into_iter().collect();
            }
            Category::Courses => return label(record, AafKind::Courses, names::COURSE, complaints),
            Category::Subjects => return label(record, AafKind::Subjects, names::SUBJECT, complaints),
            _ => {}
        }
        let Some(degree) = context.degree else {
            complaints.error("premier ou second degré ? Rien ne le dit dans cet enregistrement ni avant lui");
            return Vec::new();
        };
        let names = names::of(degree);
        if record.request == Request::Delete {
            let key = pupil::key_of(record, names, context, complaints, "suppression");
            return key
                .map(|key| AafItem::Gone {
                    kind: category.kind(),
                    key,
                    place: record.place.clone(),
                })
                .into_iter()
                .collect();
        }
        match category {
            Category::Guardian => adult::guardian(record, names, context, complaints)
                .map(AafItem::Guardian)
                .into_iter()
                .collect(),
            Category::Staff => adult::staff(record, names, context, complaints)
                .map(AafItem::Staff)
                .into_iter()
                .collect(),
            _ if record.request == Request::Modify => change::read(record, names, context, complaints)
                .map(|change| AafItem::Change(Box::new(change)))
                .into_iter()
                .collect(),
            _ => {
                let Some(row) = pupil::read(record, names, context, complaints) else {
                    return Vec::new();
                };
                let links = pupil::links(record, &row.key.key, names, complaints);
                let mut items = vec![AafItem::Pupil(row)];
                if !links.is_empty() {
                    items.push(AafItem::Links(links));
                }
                items
            }
        }
    }

    /// Whether a record of an adult states their names.
    fn is_whole(&self, record: &Record) -> bool {
        self.context.degree.is_some_and(|degree| {
            let Names { name, given_name, .. } = names::of(degree);
            record.value(name).is_some() && record.value(given_name).is_some()
        })
    }

    /// The first person tells the degree; one of the other degree ends the reading.
    fn settle_degree(&mut self, record: &Record) -> Result<(), Unreadable> {
        let written = names::degree_of(record);
        match (self.context.degree, written) {
            (None, Some(_)) => self.context.degree = written,
            (Some(expected), Some(written)) if expected != written => {
                let (is, expected) = match expected {
                    Degree::First => ("second degré (ENT2D)", "premier degré (ENT1D)"),
                    Degree::Second => ("premier degré (ENT1D)", "second degré (ENT2D)"),
                };
                let message =
                    format!("ce fichier est un AAF du {is} ; c'est un AAF du {expected} qui est attendu");
                return Err(Unreadable::at(&record.place, message));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Category {
    Pupil,
    Guardian,
    Staff,
    School,
    Courses,
    Subjects,
    None,
    Other,
}

impl Category {
    fn of(record: &Record) -> Self {
        match record.category.as_str() {
            "Eleve" => Self::Pupil,
            "PersRelEleve" => Self::Guardian,
            "PersEducNat" => Self::Staff,
            "EtabEducNat" => Self::School,
            "MefEducNat" => Self::Courses,
            // The file is called MatiereEducNat, the category is not.
            "MatEducNat" | "MatiereEducNat" => Self::Subjects,
            "" => Self::None,
            _ => Self::Other,
        }
    }

    fn is_person(self) -> bool {
        matches!(self, Self::Pupil | Self::Guardian | Self::Staff)
    }

    fn kind(self) -> AafKind {
        match self {
            Self::Guardian => AafKind::Guardians,
            Self::Staff => AafKind::Staff,
            Self::School => AafKind::Schools,
            Self::Courses => AafKind::Courses,
            Self::Subjects => AafKind::Subjects,
            Self::Pupil | Self::None | Self::Other => AafKind::Pupils,
        }
    }
}

fn label(
    record: &Record,
    kind: AafKind,
    (code, label): (&'static str, &'static str),
    complaints: &mut Complaints<'_>,
) -> Vec<AafItem> {
    match (record.key(code), record.value(label)) {
        (Some(code), Some(label)) => vec![AafItem::Label {
            kind,
            code: super::value::tidy(code),
            label: super::value::tidy(label),
        }],
        _ => {
            complaints.error(&format!(
                "nomenclature sans code ou sans libellé ({code}, {label})"
            ));
            Vec::new()
        }
    }
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
