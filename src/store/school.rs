//! Academies and schools, declared by an operator or stated by an academy's feed, and what feeds call them.

use std::collections::HashMap;

use super::db::{Bulk, Conn, Row, Tx};
use super::value::{Value, text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::ImportRunId;
use crate::domain::education::{Academy, AcademyCode, School};
use crate::domain::uai::Uai;

statements! {
    FIND_ACADEMY = "SELECT code, name FROM academy WHERE code = $1";
    ACADEMIES = "SELECT code, name FROM academy ORDER BY code";
    SAVE_ACADEMY = "INSERT INTO academy (code, name) VALUES ($1, $2)
        ON CONFLICT (code) DO UPDATE SET name = excluded.name";
    DELETE_ACADEMY = "DELETE FROM academy WHERE code = $1
        AND NOT EXISTS (SELECT 1 FROM school WHERE academy = $1)";
    ADD_ACADEMY = "INSERT INTO academy (code, name, created_run) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    STRUCTURES = "SELECT structure_key, uai FROM structure WHERE academy = $1";
    FIND = "SELECT uai, name, degree, commune, academy FROM school WHERE uai = $1";
    SCHOOLS = "SELECT uai, name, degree, commune, academy FROM school ORDER BY uai";
    SAVE = "INSERT INTO school (uai, name, degree, commune, academy, created_run) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (uai) DO UPDATE SET name = excluded.name, degree = excluded.degree, commune = excluded.commune,
            academy = excluded.academy, created_run = excluded.created_run";
    // A school that anybody was ever enrolled in is not forgotten.
    DELETE = "DELETE FROM school WHERE uai = $1 AND NOT EXISTS (SELECT 1 FROM source_record WHERE uai = $1)
        AND NOT EXISTS (SELECT 1 FROM enrolment WHERE uai = $1)
        AND NOT EXISTS (SELECT 1 FROM structure WHERE uai = $1)";
}

const ACADEMIES_OF: Bulk = Bulk {
    name: "ACADEMIES_OF",
    head: "SELECT uai, academy FROM school WHERE uai IN (",
    width: 1,
    rows: false,
    tail: ")",
};

pub(super) const BULKS: &[Bulk] = &[ACADEMIES_OF];

fn academy(row: &Row) -> Result<Academy, StoreError> {
    Ok(Academy {
        code: row.parse("code")?,
        name: row.get("name")?,
    })
}

fn school(row: &Row) -> Result<School, StoreError> {
    Ok(School {
        uai: row.parse("uai")?,
        name: row.get("name")?,
        degree: row.parse("degree")?,
        commune: row.get("commune")?,
        academy: row.parse("academy")?,
    })
}

/// One academy.
///
/// # Errors
/// [`StoreError`].
pub async fn find_academy(conn: &mut Conn, code: &AcademyCode) -> Result<Option<Academy>, StoreError> {
    conn.optional(FIND_ACADEMY, [text(code)])
        .await?
        .as_ref()
        .map(academy)
        .transpose()
}

/// Every academy, by code.
///
/// # Errors
/// [`StoreError`].
pub async fn academies(conn: &mut Conn) -> Result<Vec<Academy>, StoreError> {
    conn.all(ACADEMIES, []).await?.iter().map(academy).collect()
}

/// Keeps an academy, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save_academy(tx: &mut Tx, academy: &Academy) -> Result<(), StoreError> {
    tx.execute(SAVE_ACADEMY, [text(&academy.code), text(&academy.name)])
        .await
        .map(drop)
}

/// Forgets an academy that has no school; whether it did.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_academy(tx: &mut Tx, code: &AcademyCode) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_ACADEMY, [text(code)]).await? == 1)
}

/// Makes an academy known that is not, as a feed calls it.
///
/// # Errors
/// [`StoreError`].
pub async fn add_academy(
    tx: &mut Tx,
    code: &AcademyCode,
    name: &str,
    run: ImportRunId,
) -> Result<(), StoreError> {
    tx.execute(ADD_ACADEMY, [text(code), text(name), text(run)])
        .await
        .map(drop)
}

/// What an academy's feed calls its schools.
///
/// # Errors
/// [`StoreError`].
pub async fn structures(conn: &mut Conn, academy: &AcademyCode) -> Result<HashMap<String, Uai>, StoreError> {
    let rows = conn.all(STRUCTURES, [text(academy)]).await?;
    rows.iter()
        .map(|row| Ok((row.get("structure_key")?, row.parse("uai")?)))
        .collect()
}

/// One school.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, uai: &Uai) -> Result<Option<School>, StoreError> {
    conn.optional(FIND, [text(uai)])
        .await?
        .as_ref()
        .map(school)
        .transpose()
}

/// Every school, by UAI.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<School>, StoreError> {
    conn.all(SCHOOLS, []).await?.iter().map(school).collect()
}

/// The academies of schools; a school that is not known is not there.
///
/// # Errors
/// [`StoreError`].
pub async fn academies_of(conn: &mut Conn, schools: &[Uai]) -> Result<HashMap<Uai, AcademyCode>, StoreError> {
    let keys: Vec<Value> = schools.iter().map(text).collect();
    let rows = conn.all_in(ACADEMIES_OF, &keys).await?;
    rows.iter()
        .map(|row| Ok((row.parse("uai")?, row.parse("academy")?)))
        .collect()
}

/// Keeps a school, new or changed; `run` is the load that states it, for a new one.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, school: &School, run: Option<ImportRunId>) -> Result<(), StoreError> {
    let values = [
        text(&school.uai),
        text(&school.name),
        text(school.degree),
        school.commune.as_deref().into(),
        text(&school.academy),
        text_or_null(run),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Forgets a school that nobody was ever enrolled in; whether it did.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, uai: &Uai) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, [text(uai)]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::education::Degree;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn schools_and_academies_are_kept_changed_and_forgotten_when_empty() {
        on_each_engine(async |db| {
            let rennes = Academy {
                code: "14".parse().unwrap(),
                name: "Rennes".into(),
            };
            let mut ecole = School {
                uai: "9990001X".parse().unwrap(),
                name: "École du Port".into(),
                degree: Degree::First,
                commune: None,
                academy: rennes.code.clone(),
            };
            let mut tx = db.begin().await.unwrap();
            save_academy(&mut tx, &rennes).await.unwrap();
            save(&mut tx, &ecole, None).await.unwrap();
            ecole.commune = Some("Port-Neuf".into());
            save(&mut tx, &ecole, None).await.unwrap();
            assert_eq!(all(&mut tx).await.unwrap(), std::slice::from_ref(&ecole));
            assert_eq!(find(&mut tx, &ecole.uai).await.unwrap(), Some(ecole.clone()));
            assert_eq!(academies(&mut tx).await.unwrap(), std::slice::from_ref(&rennes));
            let asked = [ecole.uai.clone(), "9990002Y".parse().unwrap()];
            let known = academies_of(&mut tx, &asked).await.unwrap();
            assert_eq!(known, HashMap::from([(ecole.uai.clone(), rennes.code.clone())]));
            assert!(
                !delete_academy(&mut tx, &rennes.code).await.unwrap(),
                "it has a school"
            );
            assert!(delete(&mut tx, &ecole.uai).await.unwrap());
            assert!(delete_academy(&mut tx, &rennes.code).await.unwrap());
            assert_eq!(find_academy(&mut tx, &rennes.code).await.unwrap(), None);
        })
        .await;
    }
}
