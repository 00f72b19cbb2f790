//! From one line of cells to one pupil, or to the reasons why not.

use std::collections::HashMap;

use crate::base::text::fold;
use crate::base::time::parse_date;
use crate::domain::education::Profile;
use crate::domain::source::{ClassRef, PersonFacts, RosterRow, SourceKey};
use crate::roster::{RowIssue, Severity, value};

use super::CsvContext;
use super::columns::Columns;
use super::sheet::Line;
use crate::roster::mapping::Column;

/// Reads the lines of one file; knows the keys it has given.
pub(super) struct RowReader<'a> {
    context: &'a CsvContext,
    columns: &'a Columns,
    seen: HashMap<String, u32>,
}

/// The issues of one line.
struct Complaints<'a> {
    reader: &'a RowReader<'a>,
    line: u64,
    issues: &'a mut Vec<RowIssue>,
}

impl Complaints<'_> {
    fn at(&mut self, severity: Severity, column: u64, message: String) {
        self.issues.push(RowIssue {
            severity,
            place: self.reader.context.place(self.line, column),
            message,
        });
    }

    /// An issue of one column: its number and header are part of the sentence.
    fn about(&mut self, severity: Severity, column: Column, what: &str) {
        let (number, header) = self.reader.columns.label(column);
        let message = format!("{what} (colonne {number}, « {header} »)");
        self.at(severity, number, message);
    }
}

impl<'a> RowReader<'a> {
    pub(super) fn new(context: &'a CsvContext, columns: &'a Columns) -> Self {
        Self {
            context,
            columns,
            seen: HashMap::new(),
        }
    }

    /// The pupil of a line. `None` goes with at least one error in `issues`.
    pub(super) fn read(&mut self, line: &Line, issues: &mut Vec<RowIssue>) -> Option<RosterRow> {
        let mut complaints = Complaints {
            reader: self,
            line: line.number,
            issues,
        };
        if !fits(line, &mut complaints) {
            return None;
        }
        let facts = facts(&line.cells, &mut complaints)?;
        let class = class(&line.cells, &mut complaints);
        let level = value::tidy(self.columns.cell(Column::Level, &line.cells));
        let written = value::tidy(self.columns.cell(Column::Key, &line.cells));
        let key = self.key(&facts, &written, line.number, issues)?;
        Some(RosterRow {
            key,
            profile: Profile::Pupil,
            school: self.context.school.to_string(),
            facts,
            class,
            level: (!level.is_empty()).then_some(level),
            attachment: None,
            previous_school: None,
            ordinal: None,
            year: self.context.year,
            place: self.context.place(line.number, 1),
        })
    }

    /// The key of a pupil: the source's own where the file has one, else what does not change of them, and a number
    /// where the file has said it before. The same key of the source's own is said once.
    fn key(
        &mut self,
        facts: &PersonFacts,
        written: &str,
        line: u64,
        issues: &mut Vec<RowIssue>,
    ) -> Option<SourceKey> {
        let own = !written.is_empty();
        // `#` numbers the keys that are made here.
        let mut key = if own {
            written.replace('#', "_")
        } else {
            facts.person_key()
        };
        let times = self.seen.entry(key.clone()).or_default();
        *times += 1;
        if own && *times > 1 {
            let message = "identifiant d'élève déjà vu dans ce fichier".to_owned();
            Complaints {
                reader: self,
                line,
                issues,
            }
            .at(Severity::Error, self.columns.label(Column::Key).0, message);
            return None;
        }
        if *times > 1 {
            key = format!("{key}#{times}");
            let message = "mêmes nom, prénom et date de naissance qu'une ligne précédente : \
                           homonyme, ou élève saisi deux fois";
            Complaints {
                reader: self,
                line,
                issues,
            }
            .at(Severity::Warning, 1, message.to_owned());
        }
        Some(SourceKey {
            source: self.context.source,
            scope: self.context.school.to_string(),
            key,
        })
    }
}

/// Whether a line has the shape of the header; otherwise its cells may stand under the wrong columns.
fn fits(line: &Line, complaints: &mut Complaints<'_>) -> bool {
    let columns = complaints.reader.columns;
    if let Some((column, flaw)) = line.flaw {
        complaints.at(Severity::Error, column, flaw.message().to_owned());
        return false;
    }
    if line.cells.len() < columns.narrowest {
        let message = format!(
            "ligne incomplète : {} colonnes, il en faut au moins {}",
            line.cells.len(),
            columns.narrowest
        );
        complaints.at(Severity::Error, line.cells.len() as u64, message);
        return false;
    }
    let beyond = line.cells.iter().skip(columns.width);
    if beyond.into_iter().any(|cell| !value::is_blank(cell)) {
        let message = format!(
            "plus de colonnes que d'intitulés ({}) : un séparateur s'est glissé dans une cellule",
            columns.width
        );
        complaints.at(Severity::Error, columns.width as u64 + 1, message);
        return false;
    }
    true
}

fn facts(cells: &[String], complaints: &mut Complaints<'_>) -> Option<PersonFacts> {
    // All three are looked at before giving up, so that one reading tells everything.
    let family_name = mandatory_name(Column::FamilyName, "nom de famille", cells, complaints);
    let given_name = mandatory_name(Column::GivenName, "prénom", cells, complaints);
    let birth_date = birth_date(cells, complaints);
    let (family_name, given_name, birth_date) = (family_name?, given_name?, birth_date?);
    let usage_name = optional_name(Column::UsageName, "nom d'usage", cells, complaints)
        .filter(|usage| fold(usage) != fold(&family_name));
    let other_names = [
        (Column::SecondName, "deuxième prénom"),
        (Column::ThirdName, "troisième prénom"),
    ]
    .into_iter()
    .filter_map(|(column, what)| optional_name(column, what, cells, complaints))
    .collect();
    let columns = complaints.reader.columns;
    let written_sex = columns.cell(Column::Sex, cells);
    let sex = value::sex(written_sex);
    if sex.is_none() && !value::is_blank(written_sex) {
        let message = "sexe inattendu (M, H ou F) : il n'est pas repris";
        complaints.about(Severity::Warning, Column::Sex, message);
    }
    let written_ine = columns.cell(Column::Ine, cells);
    let ine = written_ine.parse().ok();
    if ine.is_none() && !value::is_blank(written_ine) {
        let message = "INE de forme inattendue : l'élève est repris sans INE";
        complaints.about(Severity::Warning, Column::Ine, message);
    }
    Some(PersonFacts {
        family_name,
        usage_name,
        given_name,
        other_names,
        birth_date,
        sex,
        ine,
    })
}

fn mandatory_name(
    column: Column,
    what: &str,
    cells: &[String],
    complaints: &mut Complaints<'_>,
) -> Option<String> {
    match value::name(complaints.reader.columns.cell(column, cells)) {
        Ok(name) => Some(name),
        Err(bad) => {
            let message = format!("{what} {}", bad.complaint());
            complaints.about(Severity::Error, column, &message);
            None
        }
    }
}

fn optional_name(
    column: Column,
    what: &str,
    cells: &[String],
    complaints: &mut Complaints<'_>,
) -> Option<String> {
    match value::name(complaints.reader.columns.cell(column, cells)) {
        Ok(name) => Some(name),
        Err(value::BadName::Missing) => None,
        Err(bad) => {
            let message = format!("{what} {} : il n'est pas repris", bad.complaint());
            complaints.about(Severity::Warning, column, &message);
            None
        }
    }
}

fn birth_date(cells: &[String], complaints: &mut Complaints<'_>) -> Option<crate::base::time::Date> {
    let written = complaints.reader.columns.cell(Column::BirthDate, cells);
    let date = parse_date(written);
    if date.is_none() {
        let message = if value::is_blank(written) {
            "date de naissance manquante"
        } else {
            "date de naissance illisible : jj/mm/aaaa ou aaaa-mm-jj attendu"
        };
        complaints.about(Severity::Error, Column::BirthDate, message);
    }
    date
}

/// The class: its identifier where the file has one (it covers a class of several levels), else its folded label.
fn class(cells: &[String], complaints: &mut Complaints<'_>) -> Option<ClassRef> {
    let columns = complaints.reader.columns;
    let id = value::tidy(columns.cell(Column::ClassKey, cells));
    let written = value::tidy(columns.cell(Column::ClassLabel, cells));
    let label = if written.is_empty() { id.clone() } else { written };
    let key = if id.is_empty() { fold(&label) } else { id };
    if key.is_empty() {
        let message = "élève sans classe : il ne paraîtra sur aucune page de classe";
        complaints.about(Severity::Warning, Column::ClassLabel, message);
        return None;
    }
    Some(ClassRef { key, label })
}
