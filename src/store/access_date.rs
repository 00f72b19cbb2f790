//! Access dates as operators declare them. Who is held back by one is not decided here: reads of live enrolments bring along
//! every date that may hold (`columns!`), in the same statement, and the domain chooses.

use super::db::{Conn, Row, Tx};
use super::enrolment::year;
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::domain::access_date::{AccessDate, Pupils};
use crate::domain::enrolment::Enrolment;

/// The day of one access date, for an enrolment `e` in a class `k`. Found by the whole primary key: a list of the places that
/// may be declared (`IN`) is written once, and read from end to end by PostgreSQL. Nobody but pupils is held back.
macro_rules! day {
    ($uai:literal, $level:literal, $class:literal) => {
        concat!(
            "(SELECT d.opens_on FROM access_date d WHERE e.profile = 'National_ELV' AND d.year = e.year AND d.uai = ",
            $uai,
            " AND d.level = ",
            $level,
            " AND d.class_label = ",
            $class,
            ")"
        )
    };
}

/// The days of the dates that may hold for an enrolment `e` in a class `k`; [`of`] reads them.
macro_rules! columns {
    () => {
        concat!(
            $crate::store::access_date::day!("e.uai", "''", "k.label"),
            " AS opens_class, ",
            $crate::store::access_date::day!("e.uai", "e.level", "''"),
            " AS opens_level, ",
            $crate::store::access_date::day!("e.uai", "''", "''"),
            " AS opens_school, ",
            $crate::store::access_date::day!("''", "e.level", "''"),
            " AS opens_level_anywhere, ",
            $crate::store::access_date::day!("''", "''", "''"),
            " AS opens_default"
        )
    };
}
pub(super) use {columns, day};

statements! {
    FIND = "SELECT year, uai, level, class_label, opens_on FROM access_date
        WHERE year = $1 AND uai = $2 AND level = $3 AND class_label = $4";
    ALL = "SELECT year, uai, level, class_label, opens_on FROM access_date ORDER BY year, uai, level, class_label";
    SAVE = "INSERT INTO access_date (year, uai, level, class_label, opens_on) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (year, uai, level, class_label) DO UPDATE SET opens_on = excluded.opens_on";
    DELETE = "DELETE FROM access_date WHERE year = $1 AND uai = $2 AND level = $3 AND class_label = $4";
    // Classes and levels as feeds wrote them; both are found by the school.
    KNOWS_CLASS = "SELECT CAST(1 AS BIGINT) AS known FROM class_group WHERE uai = $1 AND year = $2 AND label = $3 LIMIT 1";
    KNOWS_LEVEL = "SELECT CAST(1 AS BIGINT) AS known FROM enrolment WHERE uai = $1 AND year = $2 AND level = $3 LIMIT 1";
    KNOWS_SCHOOL = "SELECT CAST(1 AS BIGINT) AS known FROM school WHERE uai = $1";
    // Read from end to end, and only when a level is declared for every school: there are as many rows as classes.
    KNOWS_LEVEL_ANYWHERE = "SELECT CAST(1 AS BIGINT) AS known FROM class_group WHERE year = $1 AND level = $2 LIMIT 1";
}

fn key(date: &AccessDate) -> [Value; 4] {
    let pupils = date.pupils();
    let or_any = |part: Option<&str>| part.unwrap_or_default().into();
    [
        i64::from(date.year().first()).into(),
        pupils.school().map_or_else(|| "".into(), text),
        or_any(pupils.level()),
        or_any(pupils.class()),
    ]
}

fn access_date(row: &Row) -> Result<AccessDate, StoreError> {
    let part = |column| Ok::<_, StoreError>(Some(row.get::<String>(column)?).filter(|part| !part.is_empty()));
    let school = match part("uai")? {
        Some(_) => Some(row.parse("uai")?),
        None => None,
    };
    let (level, class) = (part("level")?, part("class_label")?);
    let pupils = Pupils::of(school, level.as_deref(), class.as_deref())
        .map_err(|error| StoreError::corrupt("class_label", error))?;
    AccessDate::new(year(row)?, pupils, row.parse("opens_on")?)
        .map_err(|error| StoreError::corrupt("opens_on", error))
}

/// The dates that may hold for an enrolment, from its row, which has [`columns`].
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible day.
pub(super) fn of(row: &Row, enrolment: &Enrolment) -> Result<Vec<AccessDate>, StoreError> {
    let school = || enrolment.school.clone();
    let (level, class) = (enrolment.level.clone(), enrolment.class_label.clone());
    let places = [
        (
            "opens_class",
            class.map(|label| Pupils::OfClass {
                school: school(),
                label,
            }),
        ),
        (
            "opens_level",
            level.clone().map(|level| Pupils::OfLevel {
                school: school(),
                level,
            }),
        ),
        ("opens_school", Some(Pupils::OfSchool(school()))),
        ("opens_level_anywhere", level.map(Pupils::OfLevelAnywhere)),
        ("opens_default", Some(Pupils::All)),
    ];
    let mut dates = Vec::new();
    for (column, pupils) in places {
        if let (Some(day), Some(pupils)) = (row.parse_optional(column)?, pupils) {
            let date = AccessDate::new(enrolment.year, pupils, day);
            dates.push(date.map_err(|error| StoreError::corrupt(column, error))?);
        }
    }
    Ok(dates)
}

/// The date that is declared for the year and the pupils of a date, whatever its day.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, like: &AccessDate) -> Result<Option<AccessDate>, StoreError> {
    match conn.optional(FIND, key(like)).await? {
        Some(row) => access_date(&row).map(Some),
        None => Ok(None),
    }
}

/// Every date that is declared.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<AccessDate>, StoreError> {
    conn.all(ALL, []).await?.iter().map(access_date).collect()
}

/// Keeps a date, in the place of the one that was there.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, date: &AccessDate) -> Result<(), StoreError> {
    let [year, uai, level, class] = key(date);
    tx.execute(SAVE, [year, uai, level, class, date.opens_on().into()])
        .await
        .map(drop)
}

/// Removes a date; whether it was there.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, date: &AccessDate) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, key(date)).await? == 1)
}

/// Whether a feed has named the school, the level or the class of a date so in its year.
///
/// # Errors
/// [`StoreError`].
pub async fn is_of_somebody(conn: &mut Conn, date: &AccessDate) -> Result<bool, StoreError> {
    let year = Value::from(i64::from(date.year().first()));
    let found = match date.pupils() {
        Pupils::All => return Ok(true),
        Pupils::OfSchool(school) => conn.optional(KNOWS_SCHOOL, [text(school)]).await?,
        Pupils::OfClass { school, label } => {
            conn.optional(KNOWS_CLASS, [text(school), year, label.into()])
                .await?
        }
        Pupils::OfLevel { school, level } => {
            conn.optional(KNOWS_LEVEL, [text(school), year, level.into()])
                .await?
        }
        Pupils::OfLevelAnywhere(level) => conn.optional(KNOWS_LEVEL_ANYWHERE, [year, level.into()]).await?,
    };
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;
    use crate::domain::education::SchoolYear;
    use crate::domain::testing::{enrolment, person};
    use crate::store::db::Statement;
    use crate::store::enrolment::{insert, live_of};
    use crate::store::testing::on_each_engine;

    const ECOLE: &str = "9990001X";

    fn date(parts: (Option<&str>, Option<&str>, Option<&str>), opens_on: &str) -> AccessDate {
        let school = parts.0.map(|uai| uai.parse().unwrap());
        let pupils = Pupils::of(school, parts.1, parts.2).unwrap();
        AccessDate::new(
            SchoolYear::new(2026).unwrap(),
            pupils,
            parse_date(opens_on).unwrap(),
        )
        .unwrap()
    }

    /// The five that hold for a pupil of the class CM2 A of the école, the most specific first, each on a day of its own.
    fn ladder() -> [AccessDate; 5] {
        [
            date((Some(ECOLE), None, Some("CM2 A")), "2026-10-01"),
            date((Some(ECOLE), Some("CM2"), None), "2026-10-02"),
            date((Some(ECOLE), None, None), "2026-10-03"),
            date((None, Some("CM2"), None), "2026-10-04"),
            date((None, None, None), "2026-10-05"),
        ]
    }

    #[tokio::test]
    async fn a_date_is_kept_once_for_its_pupils_and_reads_back() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            for date in ladder() {
                assert_eq!(find(&mut tx, &date).await.unwrap(), None);
                save(&mut tx, &date).await.unwrap();
            }
            let moved = date((Some(ECOLE), None, None), "2026-09-03");
            assert_eq!(find(&mut tx, &moved).await.unwrap(), Some(ladder()[2].clone()));
            save(&mut tx, &moved).await.unwrap();
            let [class, level, _, anywhere, default] = ladder();
            let kept = all(&mut tx).await.unwrap();
            assert_eq!(kept, [default, anywhere, moved.clone(), class, level]);
            assert!(delete(&mut tx, &moved).await.unwrap());
            assert!(!delete(&mut tx, &moved).await.unwrap());
            assert_eq!(all(&mut tx).await.unwrap().len(), 4);
        })
        .await;
    }

    #[tokio::test]
    async fn a_live_enrolment_comes_once_with_the_day_of_the_most_specific_date() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1);
            let (cm2, elsewhere) = (
                enrolment(&lina, ECOLE, "CM2"),
                enrolment(&lina, "9990101F", "6EME"),
            );
            let class = Statement {
                name: "class",
                sql: "INSERT INTO class_group (id, uai, year, source, source_key, label, level)
                    VALUES ($1, $2, 2026, 'onde', $1, 'CM2 A', 'CM2')",
            };
            let mut tx = db.begin().await.unwrap();
            tx.execute(class, [text(cm2.class.unwrap()), text(ECOLE)])
                .await
                .unwrap();
            let mut taught = enrolment(&person("Maddi", 2), ECOLE, "CM2");
            taught.profile = crate::domain::education::Profile::Teacher;
            let mut last_year = enrolment(&person("Noor", 3), ECOLE, "CM2");
            last_year.year = last_year.year.previous();
            for enrolment in [&cm2, &elsewhere, &taught, &last_year] {
                insert(&mut tx, enrolment).await.unwrap();
            }
            // Others, of which none is theirs.
            for (parts, day) in [
                ((Some(ECOLE), None, Some("CM2 B")), "2026-11-01"),
                ((Some(ECOLE), Some("CM1"), None), "2026-11-02"),
                ((Some("9990202B"), None, None), "2026-11-03"),
            ] {
                save(&mut tx, &date(parts, day)).await.unwrap();
            }
            let today = parse_date("2026-09-07").unwrap();
            for date in ladder() {
                save(&mut tx, &date).await.unwrap();
            }
            for date in ladder() {
                let live = live_of(&mut tx, lina.id, today).await.unwrap();
                assert_eq!(live.len(), 2, "each once");
                let opens_on = |uai: &str| {
                    live.iter()
                        .find(|live| live.school.as_str() == uai)
                        .unwrap()
                        .opens_on
                };
                assert_eq!(opens_on(ECOLE), Some(date.opens_on()), "{}", date.pupils());
                assert_eq!(opens_on("9990101F"), parse_date("2026-10-05"), "the default");
                for other in [&taught, &last_year] {
                    let live = live_of(&mut tx, other.identity, today).await.unwrap();
                    assert_eq!((live.len(), live[0].opens_on), (1, None));
                }
                if *date.pupils() != Pupils::All {
                    delete(&mut tx, &date).await.unwrap();
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_date_of_nobody_is_told_apart() {
        on_each_engine(async |db| {
            let cm2 = enrolment(&person("Lina", 1), ECOLE, "CM2");
            let mut tx = db.begin().await.unwrap();
            for date in &ladder()[..4] {
                assert!(!is_of_somebody(&mut tx, date).await.unwrap(), "{}", date.pupils());
            }
            let class = "INSERT INTO class_group (id, uai, year, source, source_key, label, level)
                VALUES ($1, $2, 2026, 'onde', $1, 'CM2 A', 'CM2')";
            let school = "INSERT INTO school (uai, name, degree, academy) VALUES ($2, $1, 'first', '20')";
            for sql in [class, school] {
                let values = [text(cm2.class.unwrap()), text(ECOLE)];
                tx.execute(Statement { name: "made", sql }, values).await.unwrap();
            }
            insert(&mut tx, &cm2).await.unwrap();
            for date in ladder() {
                assert!(is_of_somebody(&mut tx, &date).await.unwrap(), "{}", date.pupils());
            }
        })
        .await;
    }
}
