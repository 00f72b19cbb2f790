//! STS, the staff of a collège or lycée (`sts_emp_<UAI>_<année>.xml`): who works there, and which classes they teach.
//!
//! One school, so what is read is held until the end of the file: services stand before or behind the people they name.
//! Must never take a file of another school or another year, nor keep what people teach by the hour.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::sync::Arc;

use crate::base::text::fold;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::source::{
    AdultFacts, ClassRef, Post, Sex, Source, SourceKey, StaffRow, TaughtClass, profile_of_function,
};
use crate::domain::uai::Uai;

use super::field::{Complaints, family_and_usage};
use super::value;
use super::xml::node::{Node, Records, Shape};
use super::{RowIssue, Unreadable};

/// The most people of a school.
pub const MOST_PEOPLE: u64 = 5_000;
/// The most divisions and groups of a school.
pub const MOST_STRUCTURES: u64 = 20_000;

/// What the file itself must say the same.
#[derive(Clone, Debug)]
pub struct StsContext {
    /// File name, without its folders, for messages.
    pub file: Arc<str>,
    /// The school.
    pub school: Uai,
    /// The school year.
    pub year: SchoolYear,
}

/// The staff of a school. Every record is a row or has an error at its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StsFile {
    /// The people, in the order of the file.
    pub rows: Vec<StaffRow>,
    /// What was wrong.
    pub issues: Vec<RowIssue>,
    /// People seen.
    pub records: u64,
}

const SHAPE: Shape = Shape {
    root: "STS_EDT",
    wrong_root: "ce n'est pas un export de STS : une racine <STS_EDT> est attendue",
    holders: &["DONNEES", "INDIVIDUS", "STRUCTURE", "DIVISIONS", "GROUPES"],
    records: &["PARAMETRES", "INDIVIDU", "DIVISION", "GROUPE"],
    fields: &[
        "UAJ",
        "ANNEE_SCOLAIRE",
        "SEXE",
        "CIVILITE",
        "NOM_USAGE",
        "NOM_PATRONYMIQUE",
        "PRENOM",
        "DATE_NAISSANCE",
        "FONCTION",
        "SERVICES",
        "SERVICE",
        "ENSEIGNANTS",
        "ENSEIGNANT",
        "DIVISIONS_APPARTENANCE",
        "DIVISION_APPARTENANCE",
    ],
    attributes: &["ID", "TYPE", "CODE", "ANNEE"],
};

/// Reads the staff of a school.
///
/// # Errors
/// [`Unreadable`] where nothing may be taken: another school or year, not STS, not well formed, truncated, too large.
pub fn read(input: impl Read, context: &StsContext) -> Result<StsFile, Unreadable> {
    let mut records = Records::new(input, Arc::clone(&context.file), &SHAPE);
    let mut file = StsFile::default();
    let mut checked = false;
    let mut structures = 0;
    let mut people: HashMap<String, usize> = HashMap::new();
    let mut taught: BTreeMap<String, BTreeSet<ClassRef>> = BTreeMap::new();
    while let Some(node) = records.next()? {
        if node.name == "PARAMETRES" {
            parameters(&node, context)?;
            checked = true;
            continue;
        }
        if !checked {
            return Err(records.refuse(
                "PARAMETRES manquant : ni l'établissement ni l'année du fichier ne peuvent être vérifiés",
            ));
        }
        let mut complaints = Complaints::new(&node.place, &mut file.issues);
        if node.name != "INDIVIDU" {
            structures += 1;
            if structures > MOST_STRUCTURES {
                let message = format!("trop de classes et de groupes (plus de {MOST_STRUCTURES})");
                return Err(Unreadable::at(&node.place, message));
            }
            services(&node, &mut taught, &mut complaints);
            continue;
        }
        file.records += 1;
        if file.records > MOST_PEOPLE {
            let message = format!("trop de personnels pour un établissement (plus de {MOST_PEOPLE})");
            return Err(Unreadable::at(&node.place, message));
        }
        let Some(row) = person(&node, context, &mut complaints) else {
            continue;
        };
        if people.insert(row.key.key.clone(), file.rows.len()).is_some() {
            complaints.error("personnel (ID, TYPE) déjà vu dans ce fichier");
            continue;
        }
        file.rows.push(row);
    }
    if !checked {
        return Err(records.refuse(
            "PARAMETRES manquant : ni l'établissement ni l'année du fichier ne peuvent être vérifiés",
        ));
    }
    for row in &mut file.rows {
        let classes = taught.remove(&row.key.key).unwrap_or_default();
        row.classes = classes
            .into_iter()
            .map(|class| TaughtClass {
                school: context.school.to_string(),
                class,
            })
            .collect();
    }
    Ok(file)
}

fn parameters(node: &Node, context: &StsContext) -> Result<(), Unreadable> {
    let of = |name: &str, attribute: &str| {
        let found = node.all(name).next()?;
        found.attribute(attribute).or(found.text(&[])).map(str::to_owned)
    };
    let school = of("UAJ", "CODE").and_then(|uai| uai.parse::<Uai>().ok());
    let year = of("ANNEE_SCOLAIRE", "ANNEE").and_then(|year| year.get(..4)?.parse().ok());
    super::is_of(
        &node.place,
        (school.as_ref(), year),
        (&context.school, context.year),
    )
}

/// `TYPE-ID`: identifiers are unique within a type (`epp`, `local`, `dir`).
fn key_of(node: &Node) -> Option<String> {
    let id = node.attribute("ID")?;
    Some(format!("{}-{id}", node.attribute("TYPE").unwrap_or("epp")))
}

fn person(node: &Node, context: &StsContext, complaints: &mut Complaints<'_>) -> Option<StaffRow> {
    let key = key_of(node);
    if key.is_none() {
        complaints.error("personnel sans identifiant (ID)");
    }
    let used = complaints.mandatory_name(
        node.text(&["NOM_USAGE"]).or(node.text(&["NOM_PATRONYMIQUE"])),
        "nom",
        "NOM_USAGE",
    );
    let given_name = complaints.mandatory_name(node.text(&["PRENOM"]), "prénom", "PRENOM");
    let (key, used, given_name) = (key?, used?, given_name?);
    let family_name = complaints.optional_name(node.text(&["NOM_PATRONYMIQUE"]), "NOM_PATRONYMIQUE");
    let (family_name, usage_name) = family_and_usage(used, family_name);
    let profile = match node.text(&["FONCTION"]) {
        Some(code) => profile_of_function(code).unwrap_or_else(|| {
            complaints.warning("code de fonction inconnu (FONCTION) : repris comme autre personnel");
            Profile::Staff
        }),
        None => {
            complaints.warning("personnel sans fonction (FONCTION) : repris comme autre personnel");
            Profile::Staff
        }
    };
    let sex = match node.text(&["SEXE"]) {
        Some("1") => Some(Sex::Male),
        Some("2") => Some(Sex::Female),
        other => other.or(node.text(&["CIVILITE"])).and_then(value::sex),
    };
    Some(StaffRow {
        key: SourceKey {
            source: Source::Sts,
            scope: context.school.to_string(),
            key,
        },
        facts: AdultFacts {
            family_name,
            usage_name,
            given_name,
            sex,
            birth_date: complaints.birth_date_of_adult(node.text(&["DATE_NAISSANCE"]), "DATE_NAISSANCE"),
        },
        posts: vec![Post {
            school: context.school.to_string(),
            profile,
        }],
        classes: Vec::new(),
        year: context.year,
        place: node.place.clone(),
    })
}

/// Who teaches a division, or a group of one or several divisions.
fn services(node: &Node, taught: &mut BTreeMap<String, BTreeSet<ClassRef>>, complaints: &mut Complaints<'_>) {
    let codes: Vec<&str> = match node.name {
        "DIVISION" => node.attribute("CODE").into_iter().collect(),
        _ => node
            .below("DIVISION_APPARTENANCE")
            .into_iter()
            .filter_map(|division| division.attribute("CODE"))
            .collect(),
    };
    if node.name == "DIVISION" && codes.is_empty() {
        complaints.warning("division sans code (CODE) : ses enseignants n'y sont pas rattachés");
    }
    let classes: Vec<ClassRef> = codes
        .into_iter()
        .map(|code| {
            let label = value::tidy(code);
            ClassRef {
                key: fold(&label),
                label,
            }
        })
        .filter(|class| !class.key.is_empty())
        .collect();
    for teacher in node.below("ENSEIGNANT") {
        if let Some(key) = key_of(teacher) {
            taught.entry(key).or_default().extend(classes.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../tests/samples/sts-emp.xml");

    fn context() -> StsContext {
        StsContext {
            file: "sts_emp_9990101F_2026.xml".into(),
            school: "9990101F".parse().unwrap(),
            year: SchoolYear::new(2026).unwrap(),
        }
    }

    #[test]
    fn the_staff_of_the_sample_are_read() {
        let file = read(SAMPLE.as_bytes(), &context()).unwrap();
        assert_eq!((file.records, file.rows.len()), (4, 3), "{:?}", file.issues);
        let said: Vec<_> = file
            .rows
            .iter()
            .map(|row| {
                let classes: Vec<&str> = row.classes.iter().map(|taught| &*taught.class.label).collect();
                (row.key.to_string(), row.posts[0].profile, classes.join(" "))
            })
            .collect();
        assert_eq!(
            said,
            [
                (
                    "sts:9990101F:epp-3001".to_owned(),
                    Profile::Teacher,
                    "4EME B 6EME A".to_owned()
                ),
                ("sts:9990101F:epp-3002".to_owned(), Profile::Head, String::new()),
                (
                    "sts:9990101F:local-3001".to_owned(),
                    Profile::Staff,
                    "6EME A".to_owned()
                ),
            ]
        );
        let first = &file.rows[0].facts;
        assert_eq!(first.usage_name.as_deref(), Some("OYHENART"));
        assert_eq!(first.birth_date.unwrap().to_string(), "1980-05-12");
        assert_eq!(file.issues.len(), 2, "{:?}", file.issues);
    }

    #[test]
    fn another_school_or_year_is_refused() {
        let other = SAMPLE.replace("CODE=\"9990101F\"", "CODE=\"9990102G\"");
        assert!(
            read(other.as_bytes(), &context())
                .unwrap_err()
                .message
                .contains("établissement")
        );
        let other = SAMPLE.replace("ANNEE=\"2026\"", "ANNEE=\"2025\"");
        assert!(
            read(other.as_bytes(), &context())
                .unwrap_err()
                .message
                .contains("année")
        );
        assert!(
            read(&b"<STS_EDT/>"[..], &context())
                .unwrap_err()
                .message
                .contains("PARAMETRES")
        );
    }
}
