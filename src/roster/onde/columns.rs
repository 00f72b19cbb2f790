//! Which column means what: every spelling of the headers that ONDE and BE1D have written, as data.
//!
//! Columns are found by their cleaned header, never by position. A new spelling is one more word in a list below.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    FamilyName,
    UsageName,
    GivenName,
    SecondName,
    ThirdName,
    BirthDate,
    Sex,
    Ine,
    Level,
    ClassLabel,
    ClassKey,
}

/// A column, whether a file without it is refused, and its spellings, the preferred first.
struct Known {
    column: Column,
    mandatory: bool,
    spellings: &'static [&'static str],
}

const fn known(column: Column, spellings: &'static [&'static str]) -> Known {
    Known {
        column,
        mandatory: false,
        spellings,
    }
}

const fn mandatory(column: Column, spellings: &'static [&'static str]) -> Known {
    Known {
        column,
        mandatory: true,
        spellings,
    }
}

const KNOWN: &[Known] = &[
    mandatory(
        Column::FamilyName,
        &["Nom élève", "Nom de famille élève", "Nom de famille", "Nom"],
    ),
    known(
        Column::UsageName,
        &["Nom d'usage élève", "Nom usage élève", "Nom d'usage", "Nom usage"],
    ),
    mandatory(
        Column::GivenName,
        &["Prénom élève", "Premier prénom élève", "Premier prénom", "Prénom"],
    ),
    known(
        Column::SecondName,
        &["Deuxième prénom", "Deuxième prénom élève", "Prénom 2"],
    ),
    known(
        Column::ThirdName,
        &["Troisième prénom", "Troisième prénom élève", "Prénom 3"],
    ),
    mandatory(
        Column::BirthDate,
        &[
            "Date naissance",
            "Date de naissance",
            "Date naissance élève",
            "Date de naissance élève",
        ],
    ),
    known(Column::Sex, &["Sexe", "Sexe élève"]),
    known(Column::Ine, &["INE", "INE élève", "Identifiant national élève"]),
    known(Column::Level, &["Niveau", "Niveau élève"]),
    mandatory(
        Column::ClassLabel,
        &[
            "Libellé classe",
            "Libellé de la classe",
            "Classe",
            "Classe ou regroupement",
        ],
    ),
    known(
        Column::ClassKey,
        &["Identifiant classe", "Identifiant de la classe"],
    ),
];

/// Columns that are there and not taken: nothing that signs a child in needs them.
const LEFT_OUT: &[&str] = &[
    "Adresse1",
    "Cp1",
    "Commune1",
    "Pays1",
    "Adresse2",
    "Cp2",
    "Commune2",
    "Pays2",
    "Adresse",
    "Cp",
    "Commune",
    "Pays",
    "Cycle",
    "Attestation fournie",
    "Autorisations associations",
    "Autorisation associations",
    "Autorisations photos",
    "Autorisation photo",
    "Décision de passage",
    "Date inscription",
    "Commune naissance",
    "Dept naissance",
    "Pays naissance",
    "État",
    "Regroupement",
    "Regroupement(s)",
    "Regroupements",
    "Dispositif",
    "Dispositif(s)",
    "Dispositifs",
];

/// What only the file of the parents has.
const OF_ADULTS: &[&str] = &[
    "Civilité responsable",
    "Nom responsable",
    "Nom de famille responsable",
    "Prénom responsable",
    "Nom usage responsable",
];

/// A header as it is compared: no accents, no case, no white space, no `*`, no apostrophe, no byte order mark.
fn clean(header: &str) -> String {
    header
        .nfd()
        .filter(|letter| !is_combining_mark(*letter) && !letter.is_whitespace())
        .filter(|letter| !matches!(letter, '*' | '\'' | '’' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn spelled_in(list: &[&str], cleaned: &str) -> bool {
    list.iter().any(|spelling| clean(spelling) == cleaned)
}

/// Why a header line is not that of a pupils file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// The parents' extraction.
    Adults,
    /// Mandatory columns that no header names.
    Missing(Vec<Column>),
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
            Self::Adults => "ce fichier est l'extraction « Responsables » d'ONDE ; \
                             c'est l'extraction « Élèves » qui est attendue"
                .to_owned(),
            Self::Twice(_) => "cet intitulé de colonne paraît deux fois".to_owned(),
            Self::Missing(columns) => {
                let wanted: Vec<String> = KNOWN
                    .iter()
                    .filter(|known| columns.contains(&known.column))
                    .map(|known| format!("« {} »", known.spellings.join(" » ou « ")))
                    .collect();
                format!(
                    "colonne obligatoire absente de la ligne d'intitulés : {}",
                    wanted.join(" ; ")
                )
            }
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
}

impl Columns {
    /// Finds the columns of a header line.
    pub(super) fn find(headers: &[String]) -> Result<Self, BadHeader> {
        let cleaned: Vec<String> = headers.iter().map(|header| clean(header)).collect();
        if cleaned.iter().any(|header| spelled_in(OF_ADULTS, header)) {
            return Err(BadHeader::Adults);
        }
        let mut found = Vec::new();
        let mut missing = Vec::new();
        let mut mapped = Vec::new();
        for known in KNOWN {
            let spelled: Vec<String> = known.spellings.iter().map(|spelling| clean(spelling)).collect();
            let hits: Vec<usize> = spelled
                .iter()
                .flat_map(|spelling| positions(&cleaned, spelling))
                .collect();
            match hits.split_first() {
                Some((first, others)) => {
                    let same = |other: &&usize| cleaned.get(**other) == cleaned.get(*first);
                    if let Some(second) = others.iter().find(same) {
                        return Err(BadHeader::Twice(*second as u64 + 1));
                    }
                    let header = headers.get(*first).map(|header| header.trim().to_owned());
                    found.push((known.column, *first, header.unwrap_or_default()));
                }
                None if known.mandatory => missing.push(known.column),
                None => {}
            }
            mapped.extend(spelled);
        }
        if !missing.is_empty() {
            return Err(BadHeader::Missing(missing));
        }
        let unknown = (1u64..)
            .zip(headers.iter().zip(&cleaned))
            .filter(|(_, (_, cleaned))| {
                !cleaned.is_empty() && !mapped.contains(*cleaned) && !spelled_in(LEFT_OUT, cleaned)
            })
            .map(|(column, (header, _))| (column, header.trim().chars().take(60).collect()))
            .collect();
        Ok(Self {
            found,
            width: headers.len(),
            unknown,
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

    /// The number of cells without which a line lacks a mandatory one.
    pub(super) fn narrowest(&self) -> usize {
        KNOWN
            .iter()
            .filter(|known| known.mandatory)
            .map(|known| usize::try_from(self.label(known.column).0).unwrap_or(usize::MAX))
            .max()
            .unwrap_or(0)
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
        Columns::find(&headers)
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
        assert_eq!(b.narrowest(), 17);
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
