//! The figures of a school year, school by school, for whoever prepares its opening.

use std::collections::{BTreeMap, HashMap};

use super::db::{Conn, Row, Statement};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::ImportRunId;
use crate::base::time::{Date, Timestamp};
use crate::domain::education::SchoolYear;
use crate::domain::source::Source;
use crate::domain::uai::Uai;

/// The pupils of a year, $1, who are enrolled on a day, $2, or will be; of one school, $3, or of every one.
macro_rules! pupils {
    ($and:literal) => {
        concat!(
            "SELECT e.uai, CAST(COUNT(DISTINCT e.identity_id) AS BIGINT) AS number FROM enrolment e
        WHERE e.year = $1 AND e.profile = 'National_ELV' AND e.ends_on > $2 AND ($3 = '' OR e.uai = $3)",
            $and,
            " GROUP BY e.uai"
        )
    };
}

statements! {
    PUPILS = pupils!("");
    WITHOUT_CLASS = pupils!(" AND NOT EXISTS (SELECT 1 FROM enrolment o WHERE o.identity_id = e.identity_id
        AND o.uai = e.uai AND o.year = e.year AND o.ends_on > $2 AND o.class_id IS NOT NULL)");
    WITHOUT_INE = pupils!(" AND NOT EXISTS (SELECT 1 FROM source_record r WHERE r.identity_id = e.identity_id
        AND r.ine_index IS NOT NULL)");
    WITHOUT_WAY_IN = pupils!(" AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.identity_id = e.identity_id)
        AND NOT EXISTS (SELECT 1 FROM upstream_link l WHERE l.identity_id = e.identity_id AND l.ended_at IS NULL)");
    CLASSES = "SELECT k.uai, CAST(COUNT(*) AS BIGINT) AS number FROM class_group k
        WHERE k.year = $1 AND ($2 = '' OR k.uai = $2) GROUP BY k.uai";
    EMPTY_CLASSES = "SELECT k.uai, k.label FROM class_group k WHERE k.year = $1 AND ($3 = '' OR k.uai = $3)
        AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.class_id = k.id AND e.ends_on > $2) ORDER BY k.uai, k.label";
    OPEN_CASES = "SELECT r.uai, CAST(COUNT(DISTINCT c.id) AS BIGINT) AS number FROM match_case c
        JOIN source_record r ON r.id IN (c.record_a, c.record_b)
        WHERE c.status = 'open' AND ($1 = '' OR r.uai = $1) GROUP BY r.uai";
    // Counted where they were last.
    UNCONFIRMED = "SELECT e.uai, CAST(COUNT(DISTINCT e.identity_id) AS BIGINT) AS number FROM enrolment e
        JOIN identity i ON i.id = e.identity_id
        WHERE e.year >= $1 - 1 AND e.year <= $1 AND e.profile = 'National_ELV' AND e.ends_on <= $2
            AND ($3 = '' OR e.uai = $3) AND i.status IN ('active', 'suspended', 'departed')
            AND NOT EXISTS (SELECT 1 FROM enrolment o WHERE o.identity_id = e.identity_id AND o.ends_on > e.ends_on)
        GROUP BY e.uai";
    SOURCES = "SELECT e.uai, r.source,
            CAST(SUM(CASE WHEN e.year = $1 AND e.ends_on > $2 THEN 1 ELSE 0 END) AS BIGINT) AS number
        FROM enrolment e JOIN source_record r ON r.id = e.record_id
        WHERE e.year >= $1 - 1 AND e.year <= $1 AND ($3 = '' OR e.uai = $3) GROUP BY e.uai, r.source";
    RUNS = "SELECT id, source, scope, started_at FROM import_run WHERE year = $1 AND status = 'applied'
        ORDER BY started_at, id";
}

/// Where a number of a school goes.
type Place = fn(&mut Figures) -> &mut u64;

/// The figures of one school.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Pupils who are enrolled, or will be.
    pub pupils: u64,
    /// Of these, in no class.
    pub without_class: u64,
    /// Of these, without a number.
    pub without_ine: u64,
    /// Of these, without a credential and without a login elsewhere.
    pub without_way_in: u64,
    /// Classes.
    pub classes: u64,
    /// Labels of those without a pupil.
    pub empty_classes: Vec<String>,
    /// Open cases about a record of the school.
    pub open_cases: u64,
    /// Pupils who were last there and whom no school claims.
    pub unconfirmed: u64,
    /// The sources that stated pupils there this year or the year before, with how many they state now.
    pub sources: BTreeMap<Source, u64>,
}

/// The figures of the schools that have any, of a year and on a day; of one school, or of all.
///
/// # Errors
/// [`StoreError`].
pub async fn figures(
    conn: &mut Conn,
    year: SchoolYear,
    today: Date,
    school: Option<&Uai>,
) -> Result<HashMap<Uai, Figures>, StoreError> {
    let year = Value::from(i64::from(year.first()));
    let school = school.map_or_else(|| Value::from(""), text);
    let of_year = || [year.clone(), today.into(), school.clone()];
    let mut figures: HashMap<Uai, Figures> = HashMap::new();
    let counted: [(Statement, Place); 5] = [
        (PUPILS, |one| &mut one.pupils),
        (WITHOUT_CLASS, |one| &mut one.without_class),
        (WITHOUT_INE, |one| &mut one.without_ine),
        (WITHOUT_WAY_IN, |one| &mut one.without_way_in),
        (UNCONFIRMED, |one| &mut one.unconfirmed),
    ];
    for (statement, place) in counted {
        for row in conn.all(statement, of_year()).await? {
            *place(figures.entry(row.parse("uai")?).or_default()) = number(&row)?;
        }
    }
    for row in conn.all(CLASSES, [year.clone(), school.clone()]).await? {
        figures.entry(row.parse("uai")?).or_default().classes = number(&row)?;
    }
    for row in conn.all(OPEN_CASES, [school.clone()]).await? {
        figures.entry(row.parse("uai")?).or_default().open_cases = number(&row)?;
    }
    for row in conn.all(EMPTY_CLASSES, of_year()).await? {
        let of = figures.entry(row.parse("uai")?).or_default();
        of.empty_classes.push(row.get("label")?);
    }
    for row in conn.all(SOURCES, of_year()).await? {
        let of = figures.entry(row.parse("uai")?).or_default();
        of.sources.insert(row.parse("source")?, number(&row)?);
    }
    Ok(figures)
}

fn number(row: &Row) -> Result<u64, StoreError> {
    u64::try_from(row.get::<i64>("number")?).map_err(|error| StoreError::corrupt("number", error))
}

/// The last run of a year that was applied, by source and by what it was of: the code of an academy, or a UAI.
pub type LastRuns = HashMap<(Source, String), (ImportRunId, Timestamp)>;

/// The last runs of a year that were applied.
///
/// # Errors
/// [`StoreError`].
pub async fn last_runs(conn: &mut Conn, year: SchoolYear) -> Result<LastRuns, StoreError> {
    let mut last = LastRuns::new();
    for row in conn.all(RUNS, [i64::from(year.first()).into()]).await? {
        let (source, scope): (Source, String) = (row.parse("source")?, row.get("scope")?);
        let run = (row.parse("id")?, Timestamp::from_micros(row.get("started_at")?));
        for part in scope.split_whitespace() {
            last.insert((source, part.to_owned()), run);
        }
    }
    Ok(last)
}
