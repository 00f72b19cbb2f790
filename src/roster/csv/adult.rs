//! From one line of the adults' file to an adult and the children they answer for, or to the reasons why not.
//!
//! Neither side has a key there. The key made here is of names and a number in the file: it tells rows apart and
//! recognises nobody; the children do.

use std::collections::HashMap;

use super::columns::AdultColumns;
use super::sheet::Line;
use super::{CsvContext, GuardianFile};
use crate::base::text::{fold, fold_tight};
use crate::domain::source::{AdultFacts, ChildRef, GuardianLink, GuardianRow, SourceKey};
use crate::roster::field::Complaints;
use crate::roster::mapping::AdultColumn;
use crate::roster::{RowIssue, Severity, value};

/// Reads the lines of one file; knows the keys it has given.
pub(super) struct AdultReader<'a> {
    context: &'a CsvContext,
    columns: &'a AdultColumns,
    seen: HashMap<String, u32>,
}

impl<'a> AdultReader<'a> {
    pub(super) fn new(context: &'a CsvContext, columns: &'a AdultColumns) -> Self {
        Self {
            context,
            columns,
            seen: HashMap::new(),
        }
    }

    /// Takes a line in.
    pub(super) fn read(&mut self, line: &Line, file: &mut GuardianFile) {
        let place = self.context.place(line.number, 1);
        if let Some((column, flaw)) = line.flaw {
            file.issues.push(RowIssue {
                severity: Severity::Error,
                place: self.context.place(line.number, column),
                message: flaw.message().to_owned(),
            });
            return;
        }
        let beyond = line.cells.iter().skip(self.columns.width);
        let mut complaints = Complaints::new(&place, &mut file.issues);
        if beyond.into_iter().any(|cell| !value::is_blank(cell)) {
            complaints
                .error("plus de colonnes que d'intitulés : un séparateur s'est glissé dans une cellule");
            return;
        }
        let cell = |at: Option<usize>| at.and_then(|at| line.cells.get(at)).map(String::as_str);
        let of = |column| cell(self.columns.at(column));
        let family_name = complaints.mandatory_name(of(AdultColumn::FamilyName), "nom", "responsable");
        let given_name = complaints.mandatory_name(of(AdultColumn::GivenName), "prénom", "responsable");
        let (Some(family_name), Some(given_name)) = (family_name, given_name) else {
            return;
        };
        let usage_name = complaints
            .optional_name(of(AdultColumn::UsageName), "nom d'usage")
            .filter(|usage| fold(usage) != fold(&family_name));
        let mut children = Vec::new();
        for child in &self.columns.children {
            let family = cell(Some(child.family_name)).filter(|text| !value::is_blank(text));
            let usage = cell(child.usage_name).filter(|text| !value::is_blank(text));
            let given = cell(Some(child.given_name)).filter(|text| !value::is_blank(text));
            match (family.or(usage), given) {
                (Some(family), Some(given)) => children.push(ChildRef::Named {
                    family_name: value::tidy(family),
                    given_name: value::tidy(given),
                    class: cell(child.class)
                        .map(value::tidy)
                        .filter(|class| !class.is_empty()),
                }),
                (None, None) => {}
                _ => complaints.warning("enfant sans nom ou sans prénom : ce lien n'est pas repris"),
            }
        }
        if children.is_empty() {
            complaints.error("responsable sans enfant : il n'est pas repris");
            return;
        }
        let base = format!("{}|{}", fold_tight(&family_name), fold_tight(&given_name));
        let times = self.seen.entry(base.clone()).or_default();
        *times += 1;
        let key = if *times > 1 {
            format!("{base}#{times}")
        } else {
            base
        };
        for child in children {
            file.links.push(GuardianLink {
                adult: key.clone(),
                child,
                // ONDE says neither what they are to the child nor whether they exercise parental authority.
                kinship: None,
                legal: None,
                place: place.clone(),
            });
        }
        file.rows.push(GuardianRow {
            key: SourceKey {
                source: self.context.source,
                scope: self.context.school.to_string(),
                key,
            },
            facts: AdultFacts {
                family_name,
                usage_name,
                given_name,
                sex: of(AdultColumn::Title).and_then(value::sex),
                birth_date: None,
            },
            year: self.context.year,
            place,
        });
    }
}
