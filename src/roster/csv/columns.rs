//! Which column of a file means what, by a mapping.

use super::super::mapping::{AdultColumn, Column, Mapping, Section, clean};

/// Why a header line is not that of a pupils file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// The parents' extraction.
    Adults,
    /// Mandatory columns that no header names.
    Missing(Vec<String>),
    /// One header, twice; the column of the second.
    Twice(u64),
}

impl BadHeader {
    /// The column it is seen in.
    pub(super) fn column(&self) -> u64 {
        match self {
            Self::Twice(column) => *column,
            Self::Adults | Self::Missing(_) => 1,
        }
    }

    /// A sentence for the person who delivered the file. It repeats no header of the file: where the header line is
    /// missing, the first line is a child.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Adults => "ce fichier est celui des adultes (l'extraction « Responsables » d'ONDE) ; \
                             c'est celui des élèves (l'extraction « Élèves ») qui est attendu"
                .to_owned(),
            Self::Twice(_) => "cet intitulé de colonne paraît deux fois".to_owned(),
            Self::Missing(wanted) => format!(
                "colonne obligatoire absente de la ligne d'intitulés : {}",
                wanted.join(" ; ")
            ),
        }
    }
}

/// The columns of one file.
#[derive(Debug)]
pub(super) struct Columns {
    found: Vec<(Column, usize, String)>,
    /// How many headers there are.
    pub(super) width: usize,
    /// Columns (from 1) whose header no list knows, with that header.
    pub(super) unknown: Vec<(u64, String)>,
    /// The number of cells without which a line lacks a mandatory one.
    pub(super) narrowest: usize,
}

/// Whether a header line is of the adults' file.
pub(super) fn is_of_adults(headers: &[String], mapping: &Mapping) -> bool {
    let told_by = &mapping.guardians.told_by;
    headers.iter().any(|header| told_by.contains(&clean(header)))
}

/// Where each column of a section is first found, in the order of the section; a mandatory one may be missing.
fn missing<C>(section: &Section<C>, cleaned: &[String]) -> Vec<String> {
    let absent = section
        .known
        .iter()
        .filter(|known| known.mandatory && !known.cleaned.iter().any(|spelling| cleaned.contains(spelling)));
    absent
        .map(|known| format!("« {} »", known.spellings.join(" » ou « ")))
        .collect()
}

/// Columns (from 1) whose header no list of a section knows, with that header.
fn unknown<C>(section: &Section<C>, headers: &[String], cleaned: &[String]) -> Vec<(u64, String)> {
    let mapped = |header: &String| {
        let mut known = section.known.iter();
        known.any(|known| known.cleaned.contains(header)) || section.ignored.contains(header)
    };
    (1u64..)
        .zip(headers.iter().zip(cleaned))
        .filter(|(_, (_, cleaned))| !cleaned.is_empty() && !mapped(cleaned))
        .map(|(column, (header, _))| (column, header.trim().chars().take(60).collect()))
        .collect()
}

/// The column of a section under its preferred header that is there, and that header's number.
fn hit(spellings: &[String], cleaned: &[String]) -> Result<Option<usize>, BadHeader> {
    let hits: Vec<usize> = spellings
        .iter()
        .flat_map(|spelling| positions(cleaned, spelling))
        .collect();
    let Some((first, others)) = hits.split_first() else {
        return Ok(None);
    };
    let same = |other: &&usize| cleaned.get(**other) == cleaned.get(*first);
    match others.iter().find(same) {
        Some(second) => Err(BadHeader::Twice(*second as u64 + 1)),
        None => Ok(Some(*first)),
    }
}

impl Columns {
    /// Finds the columns of a header line.
    pub(super) fn find(headers: &[String], mapping: &Mapping) -> Result<Self, BadHeader> {
        if is_of_adults(headers, mapping) {
            return Err(BadHeader::Adults);
        }
        let section = &mapping.pupils;
        let cleaned: Vec<String> = headers.iter().map(|header| clean(header)).collect();
        let mut found = Vec::new();
        let mut narrowest = 0;
        for known in &section.known {
            if let Some(at) = hit(&known.cleaned, &cleaned)? {
                let header = headers.get(at).map(|header| header.trim().to_owned());
                found.push((known.column, at, header.unwrap_or_default()));
                if known.mandatory {
                    narrowest = narrowest.max(at + 1);
                }
            }
        }
        let missing = missing(section, &cleaned);
        if !missing.is_empty() {
            return Err(BadHeader::Missing(missing));
        }
        Ok(Self {
            found,
            width: headers.len(),
            narrowest,
            unknown: unknown(section, headers, &cleaned),
        })
    }

    /// The cell of a column; empty where the file has no such column or the line ends before it.
    pub(super) fn cell<'a>(&self, column: Column, cells: &'a [String]) -> &'a str {
        self.found
            .iter()
            .find(|(found, _, _)| *found == column)
            .and_then(|(_, at, _)| cells.get(*at))
            .map_or("", String::as_str)
    }

    /// Number (from 1) and header of a column; column 1 where the file does not have it.
    pub(super) fn label(&self, column: Column) -> (u64, &str) {
        self.found
            .iter()
            .find(|(found, _, _)| *found == column)
            .map_or((1, ""), |(_, at, header)| (*at as u64 + 1, header.as_str()))
    }
}

/// One child's columns in the adults' file.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChildColumns {
    pub(super) family_name: usize,
    pub(super) given_name: usize,
    pub(super) usage_name: Option<usize>,
    pub(super) class: Option<usize>,
}

/// The columns of an adults' file: headers of children come again for each further child, so they are known by their
/// number among their like, never by name alone.
#[derive(Debug)]
pub(super) struct AdultColumns {
    title: Option<usize>,
    family_name: Option<usize>,
    usage_name: Option<usize>,
    given_name: Option<usize>,
    /// Each child's columns, in the order of the file.
    pub(super) children: Vec<ChildColumns>,
    /// How many headers there are.
    pub(super) width: usize,
    /// Columns (from 1) whose header no list knows, with that header.
    pub(super) unknown: Vec<(u64, String)>,
}

impl AdultColumns {
    /// Finds the columns of a header line.
    pub(super) fn find(headers: &[String], mapping: &Mapping) -> Result<Self, BadHeader> {
        let section = &mapping.guardians;
        let cleaned: Vec<String> = headers.iter().map(|header| clean(header)).collect();
        let missing = missing(section, &cleaned);
        if !missing.is_empty() {
            return Err(BadHeader::Missing(missing));
        }
        let of = |column: AdultColumn| {
            let known = section.known.iter().find(|known| known.column == column);
            known.map(|known| known.cleaned.as_slice()).unwrap_or_default()
        };
        let every = |column: AdultColumn| -> Vec<usize> {
            let spellings = of(column);
            let spelled = |header: &String| spellings.contains(header);
            (0..)
                .zip(&cleaned)
                .filter(|(_, header)| spelled(header))
                .map(|(at, _)| at)
                .collect()
        };
        let (families, givens) = (
            every(AdultColumn::ChildFamilyName),
            every(AdultColumn::ChildGivenName),
        );
        let (usages, classes) = (every(AdultColumn::ChildUsageName), every(AdultColumn::ChildClass));
        let children = families
            .iter()
            .zip(&givens)
            .enumerate()
            .map(|(number, (family_name, given_name))| ChildColumns {
                family_name: *family_name,
                given_name: *given_name,
                usage_name: usages.get(number).copied(),
                class: classes.get(number).copied(),
            })
            .collect();
        Ok(Self {
            title: hit(of(AdultColumn::Title), &cleaned)?,
            family_name: hit(of(AdultColumn::FamilyName), &cleaned)?,
            usage_name: hit(of(AdultColumn::UsageName), &cleaned)?,
            given_name: hit(of(AdultColumn::GivenName), &cleaned)?,
            children,
            width: headers.len(),
            unknown: unknown(section, headers, &cleaned),
        })
    }

    /// Where a column of the adult stands.
    pub(super) fn at(&self, column: AdultColumn) -> Option<usize> {
        match column {
            AdultColumn::Title => self.title,
            AdultColumn::FamilyName => self.family_name,
            AdultColumn::UsageName => self.usage_name,
            AdultColumn::GivenName => self.given_name,
            _ => None,
        }
    }
}

fn positions<'a>(cleaned: &'a [String], spelling: &'a str) -> impl Iterator<Item = usize> + 'a {
    cleaned
        .iter()
        .enumerate()
        .filter(move |(_, header)| header.as_str() == spelling)
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "Nom Elève;Nom d'usage Elève;Prénom Elève;Date naissance;Sexe;Adresse1;Cp1;Commune1;Pays1;\
        Adresse2;Cp2;Commune2;Pays2; Cycle;Niveau;Classe;Attestation fournie;Autorisations associations;\
        Autorisations photos;Décision de passage";
    const B: &str = "Nom élève;Nom d'usage élève;Prénom élève;Date naissance;Sexe;INE;Adresse1;Cp1;Commune1;Pays1;\
        Adresse2;Cp2;Commune2;Pays2; Cycle;Niveau;Libellé classe;Identifiant classe;Attestation fournie;\
        Autorisation associations;Autorisation photo;Décision de passage";

    fn find(header: &str) -> Result<Columns, BadHeader> {
        let headers: Vec<String> = header.split(';').map(str::to_owned).collect();
        Columns::find(&headers, &Mapping::onde())
    }

    #[test]
    fn both_generations_are_found_whole() {
        let a = find(A).unwrap();
        assert_eq!(a.label(Column::ClassLabel), (16, "Classe"));
        assert_eq!(a.label(Column::Level).0, 15);
        assert_eq!(
            a.cell(Column::Ine, &["x".to_owned()]),
            "",
            "generation A has no INE"
        );
        assert!(a.unknown.is_empty(), "{:?}", a.unknown);
        let b = find(B).unwrap();
        assert_eq!(b.label(Column::Ine), (6, "INE"));
        assert_eq!(b.label(Column::ClassKey), (18, "Identifiant classe"));
        assert!(b.unknown.is_empty(), "{:?}", b.unknown);
        assert_eq!(b.narrowest, 17);
    }

    #[test]
    fn spelling_and_order_do_not_matter() {
        let columns = find(
            "\u{feff}CLASSE OU REGROUPEMENT; prenom  eleve*;Nom d’usage élève;date de naissance;nom eleve;Deuxième prénom",
        )
        .unwrap();
        assert_eq!(columns.label(Column::ClassLabel).0, 1);
        assert_eq!(columns.label(Column::GivenName).0, 2);
        assert_eq!(columns.label(Column::UsageName).0, 3);
        assert_eq!(columns.label(Column::SecondName).0, 6);
    }

    #[test]
    fn of_two_spellings_the_preferred_one_is_read() {
        let columns =
            find("Nom élève;Prénom élève;Date naissance;Classe ou regroupement;Libellé classe").unwrap();
        assert_eq!(columns.label(Column::ClassLabel), (5, "Libellé classe"));
        assert!(columns.unknown.is_empty());
    }

    #[test]
    fn missing_columns_are_all_named_with_what_is_accepted() {
        let refused = find("Nom élève;Sexe;Lilwenn").unwrap_err();
        let message = refused.message();
        assert!(message.contains("« Prénom élève »"), "{message}");
        assert!(
            message.contains("« Date naissance » ou « Date de naissance »"),
            "{message}"
        );
        assert!(message.contains("« Libellé classe »"), "{message}");
        assert!(
            !message.contains("« Nom élève »") && !message.contains("Lilwenn"),
            "{message}"
        );
    }

    #[test]
    fn the_file_of_the_parents_is_recognised() {
        assert_eq!(
            find("Civilité Responsable;Nom usage responsable;Nom responsable;Prénom responsable;Pays")
                .unwrap_err(),
            BadHeader::Adults
        );
    }

    #[test]
    fn a_header_twice_is_refused_and_an_unknown_one_is_told() {
        assert_eq!(
            find("Nom élève;Prénom élève;Date naissance;Classe;nom  elève").unwrap_err(),
            BadHeader::Twice(5)
        );
        let columns = find("Nom élève;Prénom élève;Date naissance;Classe;Groupe sanguin;").unwrap();
        assert_eq!(columns.unknown, [(5, "Groupe sanguin".to_owned())]);
    }
}
