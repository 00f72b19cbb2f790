//! Enrolments as logins and relying parties need them, with the access dates that may hold for them: whoever reads an
//! enrolment cannot forget when it opens. Feeds write theirs in bulk (`store::roster`).

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, access_date, statements};
use crate::base::id::{EnrolmentId, IdentityId};
use crate::base::time::Date;
use crate::domain::access_date::opening;
use crate::domain::education::SchoolYear;
use crate::domain::enrolment::{Enrolment, settle};

/// The columns of an enrolment `e` in a class `k` (of `class_group`), beside its `identity_id`; [`live`] reads them.
macro_rules! live_columns {
    () => {
        concat!(
            "e.id AS enrolment_id, e.uai, e.class_id, k.label AS class_label, e.level, e.profile, e.year, e.starts_on,
        e.ends_on, ",
            $crate::store::access_date::columns!()
        )
    };
}
pub(super) use live_columns;

statements! {
    LIVE_OF_IDENTITY = concat!("SELECT e.identity_id, ", live_columns!(), "
        FROM enrolment e LEFT JOIN class_group k ON k.id = e.class_id
        WHERE e.identity_id = $1 AND e.starts_on <= $2 AND e.ends_on > $2
        ORDER BY e.year, e.uai, e.id");
    INSERT = "INSERT INTO enrolment (id, identity_id, uai, class_id, level, profile, year, starts_on, ends_on)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
}

/// Reads the enrolments of rows, passing over those that have none.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn live(rows: &[Row], day: Date) -> Result<Vec<Enrolment>, StoreError> {
    let mut live = Vec::new();
    for row in rows {
        if let Some(id) = row.parse_optional("enrolment_id")? {
            live.push(enrolment(id, row)?);
        }
    }
    settle(&mut live, day);
    Ok(live)
}

fn enrolment(id: EnrolmentId, row: &Row) -> Result<Enrolment, StoreError> {
    let mut enrolment = Enrolment {
        id,
        identity: row.parse("identity_id")?,
        school: row.parse("uai")?,
        class: row.parse_optional("class_id")?,
        class_label: row.get("class_label")?,
        level: row.get("level")?,
        profile: row.parse("profile")?,
        year: year(row)?,
        starts_on: row.parse("starts_on")?,
        ends_on: row.parse("ends_on")?,
        opens_on: None,
        is_current: true,
    };
    enrolment.opens_on = opening(&access_date::of(row, &enrolment)?, &enrolment);
    Ok(enrolment)
}

/// Reads the column `year`.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible year.
pub(super) fn year(row: &Row) -> Result<SchoolYear, StoreError> {
    let year: i64 = row.get("year")?;
    SchoolYear::new(i32::try_from(year).unwrap_or(0)).map_err(|error| StoreError::corrupt("year", error))
}

/// The enrolments of a person that count on a day, oldest year first.
///
/// # Errors
/// [`StoreError`].
pub async fn live_of(conn: &mut Conn, identity: IdentityId, day: Date) -> Result<Vec<Enrolment>, StoreError> {
    live(
        &conn.all(LIVE_OF_IDENTITY, [text(identity), day.into()]).await?,
        day,
    )
}

/// Keeps an enrolment made by hand. When it opens is declared elsewhere.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, enrolment: &Enrolment) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        [
            text(enrolment.id),
            text(enrolment.identity),
            text(&enrolment.school),
            text_or_null(enrolment.class),
            enrolment.level.as_deref().into(),
            text(enrolment.profile),
            i64::from(enrolment.year.first()).into(),
            enrolment.starts_on.into(),
            enrolment.ends_on.into(),
        ],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::EnrolmentId;
    use crate::base::random::SeededRandom;
    use crate::base::time::{Timestamp, parse_date};
    use crate::domain::education::Profile;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn only_enrolments_that_count_on_the_day_are_answered() {
        on_each_engine(async |db| {
            let day = |text| parse_date(text).unwrap();
            let random = SeededRandom::new(4);
            let teacher = person("Maddi", 3);
            let first = Enrolment {
                id: EnrolmentId::new(Timestamp::from_seconds(1), &random),
                identity: teacher.id,
                school: "9990001X".parse().unwrap(),
                class: None,
                class_label: None,
                level: None,
                profile: Profile::Teacher,
                year: SchoolYear::new(2026).unwrap(),
                starts_on: day("2026-09-01"),
                ends_on: day("2027-09-15"),
                opens_on: None,
                is_current: true,
            };
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &first).await.unwrap();
            for (on, count) in [
                ("2026-08-31", 0),
                ("2026-09-01", 1),
                ("2027-09-14", 1),
                ("2027-09-15", 0),
            ] {
                let live = live_of(&mut tx, teacher.id, day(on)).await.unwrap();
                assert_eq!(live.len(), count, "{on}");
                assert!(live.iter().all(|found| *found == first && found.is_live(day(on))));
            }
        })
        .await;
    }
}
