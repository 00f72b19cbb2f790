//! SIECLE, the register of a collège or lycée: pupils (`ElevesAvecAdresses.xml`, `ElevesSansAdresses.xml`), the adults in
//! charge of them (`ResponsablesAvecAdresses.xml`) and the names of their courses (`Nomenclature.xml`).
//!
//! The XML streams, one record at a time, but what is read of a school is held until the end of its file: the class of a
//! pupil stands behind all pupils. A school is small and its limits are stated, so memory is bounded by them whatever
//! the size of the file. Must never take a file of another school or another year.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use crate::base::text::fold;
use crate::base::time::{Date, parse_date};
use crate::domain::education::SchoolYear;
use crate::domain::source::{ClassRef, GuardianLink, GuardianRow, Place, RosterRow};
use crate::domain::uai::Uai;

use super::field::Complaints;
use super::value;
use super::xml::node::{Node, Records, Shape};
use super::{RowIssue, Unreadable};

mod course;
mod guardian;
mod pupil;
#[cfg(test)]
mod tests;

/// The most pupils of a file, those who have left included.
pub const MOST_PUPILS: u64 = 20_000;
/// The most adults of a file.
pub const MOST_ADULTS: u64 = 80_000;
/// The most links between adults and pupils.
pub const MOST_LINKS: u64 = 200_000;
/// The most courses of a nomenclature.
const MOST_COURSES: usize = 50_000;

/// What the file itself does not say, or must say the same.
#[derive(Clone, Debug)]
pub struct SiecleContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The school.
    pub school: Uai,
    /// The school year.
    pub year: SchoolYear,
}

/// What a file of a school holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiecleKind {
    /// `Nomenclature.xml`.
    Nomenclature,
    /// `ElevesAvecAdresses.xml`, `ElevesSansAdresses.xml`.
    Pupils,
    /// `ResponsablesAvecAdresses.xml`.
    Guardians,
    /// `Structures.xml`, `Communs.xml`, `Geographique.xml`…: nothing of them is needed.
    Other,
}

impl SiecleKind {
    /// The kind of a file; people put their own words around the name.
    pub fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let known = [
            ("nomenclature", Self::Nomenclature),
            ("responsables", Self::Guardians),
            ("eleves", Self::Pupils),
        ];
        let found = known.into_iter().find(|(word, _)| name.contains(word));
        match found {
            Some((_, kind)) if name.ends_with(".xml") => kind,
            _ => Self::Other,
        }
    }
}

/// The pupils of a school. Every record is a row, has left, or has an [`Severity::Error`](super::Severity::Error) issue at its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiecleFile {
    /// The pupils, in the order of the file.
    pub rows: Vec<RosterRow>,
    /// What was wrong.
    pub issues: Vec<RowIssue>,
    /// Records of pupils seen.
    pub records: u64,
    /// Of these, pupils who have left.
    pub left: u64,
}

/// The adults of a school who answer for pupils that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiecleGuardians {
    /// Adults with a link to a pupil.
    pub rows: Vec<GuardianRow>,
    /// Their links.
    pub links: Vec<GuardianLink>,
    /// What was wrong.
    pub issues: Vec<RowIssue>,
    /// Adults seen.
    pub records: u64,
    /// Of these, adults of no pupil who is there.
    pub unlinked: u64,
}

/// The names of courses of study (MEF).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Courses(HashMap<String, String>);

/// What `PARAMETRES` states.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    exported: Option<Date>,
}

/// Checks that a file is of the school and the year that are loaded.
fn parameters(node: &Node, context: &SiecleContext) -> Result<Parameters, Unreadable> {
    let school = node.text(&["UAJ"]).and_then(|uai| uai.parse::<Uai>().ok());
    let year = node.text(&["ANNEE_SCOLAIRE"]).and_then(first_year);
    super::is_of(
        &node.place,
        (school.as_ref(), year),
        (&context.school, context.year),
    )?;
    Ok(Parameters {
        exported: node.text(&["DATE_EXPORT"]).and_then(parse_date),
    })
}

/// `2026`, `2026-2027`, `2026/2027`.
fn first_year(text: &str) -> Option<i32> {
    text.get(..4)?.parse().ok()
}

fn missing<R: Read>(records: &Records<R>) -> Unreadable {
    records.refuse("PARAMETRES manquant : ni l'établissement ni l'année du fichier ne peuvent être vérifiés")
}

/// Reads the names of courses.
///
/// # Errors
/// [`Unreadable`].
pub fn nomenclature(input: impl Read, context: &SiecleContext) -> Result<Courses, Unreadable> {
    let mut records = Records::new(input, Arc::clone(&context.file), &course::SHAPE);
    let mut courses = HashMap::new();
    let mut seen = false;
    while let Some(node) = records.next()? {
        if node.name == "PARAMETRES" {
            parameters(&node, context)?;
            seen = true;
        } else if let Some((code, label)) = course::read(&node) {
            if courses.len() >= MOST_COURSES {
                return Err(records.refuse("trop de formations (plus de 50 000)"));
            }
            courses.insert(code, label);
        }
    }
    if seen {
        Ok(Courses(courses))
    } else {
        Err(missing(&records))
    }
}

/// Reads the pupils of a school.
///
/// # Errors
/// [`Unreadable`] where nothing may be taken: another school or year, not SIECLE, not well formed, truncated, too large.
pub fn pupils(
    input: impl Read,
    context: &SiecleContext,
    courses: &Courses,
) -> Result<SiecleFile, Unreadable> {
    let mut records = Records::new(input, Arc::clone(&context.file), &pupil::SHAPE);
    let mut file = SiecleFile::default();
    let mut known = None;
    let mut places: HashMap<String, Place> = HashMap::new();
    let mut classes: HashMap<String, Option<ClassRef>> = HashMap::new();
    while let Some(node) = records.next()? {
        if node.name == "PARAMETRES" {
            known = Some(parameters(&node, context)?);
            continue;
        }
        let Some(parameters) = known else {
            return Err(missing(&records));
        };
        let mut complaints = Complaints::new(&node.place, &mut file.issues);
        if node.name == "STRUCTURES_ELEVE" {
            let Some(pupil) = node.attribute("ELEVE_ID") else {
                complaints.warning("classes sans élève (STRUCTURES_ELEVE sans ELEVE_ID)");
                continue;
            };
            if places.contains_key(pupil) {
                let class = pupil::class(&node, &mut complaints);
                classes.entry(pupil.to_owned()).or_insert(class);
            }
            continue;
        }
        file.records += 1;
        if file.records > MOST_PUPILS {
            let message = format!("trop d'élèves pour un établissement (plus de {MOST_PUPILS})");
            return Err(Unreadable::at(&node.place, message));
        }
        if pupil::has_left(&node, parameters.exported) {
            file.left += 1;
            continue;
        }
        let Some(row) = pupil::read(&node, context, courses, &mut complaints) else {
            continue;
        };
        if places.insert(row.key.key.clone(), row.place.clone()).is_some() {
            complaints.error("identifiant d'élève (ELEVE_ID) déjà vu dans ce fichier");
            continue;
        }
        file.rows.push(row);
    }
    if known.is_none() {
        return Err(missing(&records));
    }
    for row in &mut file.rows {
        row.class = classes.remove(&row.key.key).flatten();
        if row.class.is_none() {
            Complaints::new(&row.place, &mut file.issues).warning(
                "élève sans classe (STRUCTURES_ELEVE de type D) : il ne paraîtra sur aucune page de classe",
            );
        }
    }
    file.issues
        .sort_by_key(|issue| (issue.place.line, issue.place.column));
    Ok(file)
}

/// Reads the adults of a school; `pupils` are the identifiers of those who are there.
///
/// # Errors
/// [`Unreadable`].
pub fn guardians(
    input: impl Read,
    context: &SiecleContext,
    pupils: &HashSet<String>,
) -> Result<SiecleGuardians, Unreadable> {
    let mut records = Records::new(input, Arc::clone(&context.file), &guardian::SHAPE);
    let mut file = SiecleGuardians::default();
    let mut seen = false;
    let mut rows: BTreeMap<String, GuardianRow> = BTreeMap::new();
    let mut links: Vec<GuardianLink> = Vec::new();
    let mut first_legal: HashSet<String> = HashSet::new();
    let mut tied = 0;
    while let Some(node) = records.next()? {
        if node.name == "PARAMETRES" {
            parameters(&node, context)?;
            seen = true;
            continue;
        }
        if !seen {
            return Err(missing(&records));
        }
        let mut complaints = Complaints::new(&node.place, &mut file.issues);
        if node.name == "RESPONSABLE_ELEVE" {
            tied += 1;
            if tied > MOST_LINKS {
                let message = format!("trop de liens pour un établissement (plus de {MOST_LINKS})");
                return Err(Unreadable::at(&node.place, message));
            }
            links.extend(guardian::link(&node, pupils, &mut first_legal, &mut complaints));
            continue;
        }
        file.records += 1;
        if file.records > MOST_ADULTS {
            let message = format!("trop de responsables pour un établissement (plus de {MOST_ADULTS})");
            return Err(Unreadable::at(&node.place, message));
        }
        let Some(row) = guardian::read(&node, context, &mut complaints) else {
            continue;
        };
        if rows.contains_key(&row.key.key) {
            complaints.error("identifiant de responsable (PERSONNE_ID) déjà vu dans ce fichier");
            continue;
        }
        rows.insert(row.key.key.clone(), row);
    }
    if !seen {
        return Err(missing(&records));
    }
    let tied: HashSet<&str> = links.iter().map(|link| &*link.adult).collect();
    for (key, row) in rows {
        if tied.contains(&*key) {
            file.rows.push(row);
        } else {
            file.unlinked += 1;
        }
    }
    let known: HashSet<&str> = file.rows.iter().map(|row| &*row.key.key).collect();
    for link in &links {
        if !known.contains(&*link.adult) {
            Complaints::new(&link.place, &mut file.issues)
                .warning("lien vers un responsable absent du fichier (PERSONNE_ID) : il n'est pas repris");
        }
    }
    let known: HashSet<String> = known.into_iter().map(str::to_owned).collect();
    links.retain(|link| known.contains(&link.adult));
    file.rows.sort_by_key(|row| (row.place.line, row.place.column));
    file.links = links;
    Ok(file)
}

/// A class by its code, which is its label as well.
fn class_of(code: &str) -> Option<ClassRef> {
    let label = value::tidy(code);
    let key = fold(&label);
    (!key.is_empty()).then_some(ClassRef { key, label })
}

#[cfg(test)]
fn errors(issues: &[RowIssue]) -> usize {
    issues
        .iter()
        .filter(|issue| issue.severity == super::Severity::Error)
        .count()
}
