//! AAF of an academy: its files in their order, pupils and staff to their schools, adults to the schools of their pupils.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Concern, Delivery, File, ImportError, Row, number_of, open, spooled};
use crate::domain::education::{AcademyCode, Degree, SchoolYear};
use crate::domain::source::{Place, RosterRow, StaffRow};
use crate::domain::uai::Uai;
use crate::roster::aaf::delivery::{self, AafKind, DeliveryProblem};
use crate::roster::aaf::{AafContext, AafItem, AafReader};
use crate::roster::{RowIssue, Severity};

/// Reads a delivery; answers its degree.
pub(super) fn read(
    delivery: &mut Delivery,
    (academy, degree): (&AcademyCode, Option<Degree>),
    year: SchoolYear,
    files: Vec<File>,
) -> Result<Degree, ImportError> {
    let arranged = delivery::arrange(files.iter().map(|file| &*file.name));
    for problem in arranged.problems {
        match problem {
            // In a delivery of changes a part that nothing changed is not sent.
            DeliveryProblem::MissingPart { .. } if arranged.delta => {}
            DeliveryProblem::MissingPart { .. } | DeliveryProblem::Mixed { .. } => {
                delivery.concerns.push(Concern::Delivery(problem.to_string()));
            }
            DeliveryProblem::Kinds
            | DeliveryProblem::Degrees
            | DeliveryProblem::Twice { .. }
            | DeliveryProblem::Nothing => {
                return Err(ImportError::Usage(problem.to_string()));
            }
        }
    }
    if let (Some(asked), Some(named)) = (degree, arranged.degree)
        && asked != named
    {
        return Err(ImportError::Usage(
            "les noms des fichiers disent un autre degré que --degree".to_owned(),
        ));
    }
    delivery.delta = arranged.delta;
    let mut reading = Reading {
        delivery,
        degree: degree.or(arranged.degree),
        pupil: None,
        staff: false,
    };
    let mut by_name: HashMap<String, File> = files
        .into_iter()
        .map(|file| (file.name.to_string(), file))
        .collect();
    for wanted in arranged.read {
        let Some(file) = by_name.remove(&wanted.name) else {
            continue;
        };
        let name = Arc::clone(&file.name);
        reading.staff = wanted.kind == AafKind::Staff;
        let context = AafContext {
            file: Arc::clone(&name),
            academy: academy.clone(),
            year,
            degree: reading.degree,
            delta: arranged.delta,
        };
        let mut reader = AafReader::new(open(file, &name)?, context);
        let number = number_of(&reading.delivery.files);
        reading.delivery.files.push(name);
        while let Some(item) = reader.next() {
            reading.degree = reader.degree();
            reading.take(item?, number)?;
        }
        reading.degree = reader.degree();
        reading.delivery.adults.sort();
    }
    let degree = reading.degree;
    degree.ok_or_else(|| {
        ImportError::Usage(
            "premier ou second degré ? Rien ne le dit dans ces fichiers : donnez --degree".to_owned(),
        )
    })
}

struct Reading<'d> {
    delivery: &'d mut Delivery,
    degree: Option<Degree>,
    /// The school of the pupil that was read last, for the links behind them.
    pupil: Option<(String, Uai)>,
    /// Whether the file is of staff.
    staff: bool,
}

impl Reading<'_> {
    fn take(&mut self, item: AafItem, file: u32) -> Result<(), ImportError> {
        let delivery = &mut *self.delivery;
        match item {
            AafItem::Issue(issue) => {
                delivery.adults.partial |= self.staff && issue.severity == Severity::Error;
                delivery.issues.push(issue);
            }
            AafItem::School(school) => {
                delivery.structures.describe(&school.structure_key, &school.uai);
                delivery.establishments.push(school);
            }
            AafItem::Pupil(row) if delivery.delta => delivery.changes.add(row, file)?,
            AafItem::Pupil(row) => self.pupil(row, file)?,
            AafItem::Links(links) if delivery.delta => delivery.changes.link(links, file),
            AafItem::Links(links) => {
                if let Some((_, school)) = self.pupil.take() {
                    delivery
                        .adults
                        .links(&school, links, file)
                        .map_err(|error| spooled(&error))?;
                }
            }
            AafItem::Change(change) => {
                if let Some(issue) = delivery.changes.change(*change, file)? {
                    delivery.issues.push(issue);
                }
            }
            AafItem::Gone { kind, key, place } => match kind {
                AafKind::Pupils => delivery.changes.remove(key, place)?,
                _ => self.refuse(
                    &place,
                    Severity::Warning,
                    "suppression d'un adulte : mise de côté, le prochain « Complet » la portera",
                ),
            },
            AafItem::Guardian(row) if delivery.delta => delivery.changes.guardian(row, file)?,
            AafItem::Guardian(row) => delivery
                .adults
                .guardian(&row, file)
                .map_err(|error| spooled(&error))?,
            AafItem::Staff(row) => self.staff(&row, file)?,
            AafItem::Label { .. } => {}
        }
        Ok(())
    }

    fn school(&self, structure: &str) -> Option<Uai> {
        let degree = self.degree?;
        self.delivery.structures.school(degree, structure).cloned()
    }

    fn refuse(&mut self, place: &Place, severity: Severity, message: &str) {
        self.delivery.issues.push(RowIssue {
            severity,
            place: place.clone(),
            message: message.to_owned(),
        });
    }

    fn pupil(&mut self, row: RosterRow, file: u32) -> Result<(), ImportError> {
        self.pupil = None;
        let Some(school) = self.school(&row.school) else {
            self.refuse(
                &row.place,
                Severity::Error,
                "établissement inconnu : absent d'EtabEducNat et des livraisons précédentes",
            );
            self.delivery.keys.set_aside(&row.key.key);
            return Ok(());
        };
        if !self.delivery.keys.see(&row.key.key) {
            self.refuse(
                &row.place,
                Severity::Error,
                "identifiant d'élève (ENTPersonJointure) déjà vu dans cette livraison",
            );
            return Ok(());
        }
        *self.delivery.stated.entry(school.clone()).or_default() += 1;
        self.pupil = Some((row.key.key.clone(), school.clone()));
        let pushed = self.delivery.spool.push(&school, Row::new(row, file));
        pushed.map_err(|error| spooled(&error))
    }

    /// Somebody goes to every school they work in, with what they do there.
    fn staff(&mut self, row: &StaffRow, file: u32) -> Result<(), ImportError> {
        let mut named: Vec<&str> = row.posts.iter().map(|post| &*post.school).collect();
        named.dedup();
        for structure in named {
            let Some(school) = self.school(structure) else {
                self.refuse(
                    &row.place,
                    Severity::Warning,
                    "fonction dans un établissement inconnu : elle n'est pas reprise",
                );
                continue;
            };
            let pushed = self.delivery.adults.staff(&school, structure, row, file);
            pushed.map_err(|error| spooled(&error))?;
        }
        Ok(())
    }
}
