//! Access dates in declarations: how a file writes one, and how the installation is made so.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::value::parsed;
use super::{Declaration, Difference, Verb, compare};
use crate::base::time::{Date, parse_date};
use crate::domain::access_date::{AccessDate, Pupils};
use crate::domain::education::SchoolYear;
use crate::domain::uai::Uai;
use crate::flows::Failure;
use crate::store;
use crate::store::db::Tx;

/// What differences call it.
const NOUN: &str = "access_date";

/// `[[access_date]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    // Not left out for "every school": a line that was forgotten must not hold a whole territory back.
    #[serde(deserialize_with = "parsed")]
    school: Schools,
    level: Option<String>,
    class: Option<String>,
    #[serde(deserialize_with = "year")]
    year: SchoolYear,
    #[serde(deserialize_with = "parsed")]
    opens_on: Day,
}

/// One school, or `default`: every one.
#[derive(Debug)]
struct Schools(Option<Uai>);

impl FromStr for Schools {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self(None));
        }
        let school = text.parse().map_err(|error| format!("{error}, nor «default»"))?;
        Ok(Self(Some(school)))
    }
}

#[derive(Debug)]
struct Day(Date);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = parse_date(text).ok_or_else(|| format!("«{text}» is not a day (like 2026-09-07)"))?;
        Ok(Self(day))
    }
}

fn year<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SchoolYear, D::Error> {
    SchoolYear::new(i32::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Entry {
    /// The date; an error begins with the key that is wrong.
    pub(super) fn read(self) -> Result<AccessDate, String> {
        let pupils = Pupils::of(self.school.0, self.level.as_deref(), self.class.as_deref())?;
        AccessDate::new(self.year, pupils, self.opens_on.0).map_err(|error| format!("opens_on: {error}"))
    }
}

/// What names a date: its year, and for whom it is.
pub(super) struct Name<'a>(pub(super) &'a AccessDate);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.year(), self.0.pupils())
    }
}

/// Makes the access dates as declared. One that is of nobody is said: before the feeds of the year have come that is as it
/// should be, afterwards a label or a level is written otherwise there.
pub(super) async fn apply(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    for date in &declaration.access_dates {
        let before = store::access_date::find(tx, date).await?;
        let verb = compare(before.as_ref(), date);
        if verb != Verb::Unchanged {
            store::access_date::save(tx, date).await?;
        }
        let is_of_nobody = !store::access_date::is_of_somebody(tx, date).await?;
        let note = is_of_nobody.then(|| "no feed has told of them yet".to_owned());
        out.push(Difference::new(verb, NOUN, Name(date)).noted(note));
    }
    Ok(())
}

/// Removes those that are not declared: their pupils are held back no more.
pub(super) async fn prune(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    let key = |date: &AccessDate| (date.year(), date.pupils().clone());
    for date in store::access_date::all(tx).await? {
        let declared = &declaration.access_dates;
        if declared.iter().any(|declared| key(declared) == key(&date)) {
            continue;
        }
        if store::access_date::delete(tx, &date).await? {
            out.push(Difference::new(Verb::Removed, NOUN, Name(&date)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::declaration::file::Reader;
    use crate::flows::declaration::{self, Options};
    use crate::flows::testing::scene::{self, on_each_engine};

    const SCHOOL: &str = "[[access_date]]\nschool = \"9990001X\"\nyear = 2026\nopens_on = \"2026-09-07\"\n";
    const CLASS: &str = "[[access_date]]\nschool = \"9990001X\"\nclass = \"CM2  A\"\nyear = 2026\nopens_on = \"03/09/2026\"\n";

    fn read(text: &str) -> Result<Declaration, String> {
        let mut reader = Reader::default();
        let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        reader.add(text, &nothing).map_err(|error| error.to_string())?;
        Ok(reader.finish())
    }

    #[test]
    fn a_date_is_read_for_a_class_a_level_a_school_or_all() {
        let level = SCHOOL.replace("year", "level = \"CM2\"\nyear");
        let everywhere = level.replace("9990001X", "default");
        let default = SCHOOL.replace("9990001X", "default");
        let declared = read(&[SCHOOL, CLASS, &level, &everywhere, &default].concat()).unwrap();
        let said: Vec<String> = declared
            .access_dates
            .iter()
            .map(|date| format!("{} {}", Name(date), date.opens_on()))
            .collect();
        assert_eq!(
            said,
            [
                "2026 9990001X 2026-09-07",
                "2026 9990001X class CM2 A 2026-09-03",
                "2026 9990001X level CM2 2026-09-07",
                "2026 default level CM2 2026-09-07",
                "2026 default 2026-09-07",
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            (SCHOOL.replace("9990001X", "9990"), "line 2"),
            (SCHOOL.replace("9990001X", "all"), "nor «default»"),
            (
                SCHOOL.replace("school = \"9990001X\"\n", ""),
                "missing field `school`",
            ),
            (SCHOOL.replace("2026\n", "26\n"), "line 3"),
            (SCHOOL.replace("2026-09-07", "7 septembre"), "line 4"),
            (SCHOOL.replace("2026-09-07", "2024-09-07"), "line 4: access_date"),
            (format!("{SCHOOL}niveau = \"CM2\"\n"), "line 5"),
            (format!("{CLASS}level = \"CM2\"\n"), "line 6: access_date"),
            (CLASS.replace("9990001X", "default"), "line 3: access_date"),
            (format!("{SCHOOL}{SCHOOL}"), "declared twice"),
            (
                format!("{CLASS}{}", CLASS.replace("CM2  A", "CM2 A")),
                "declared twice",
            ),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }

    #[tokio::test]
    async fn it_is_created_moved_left_alone_and_pruned_and_each_is_journalled() {
        on_each_engine(async |context, _clock| {
            let apply = async |text: &str, prune, dry_run| {
                let declared = read(text).unwrap();
                let options = Options { dry_run, prune };
                let done = declaration::apply(&context, &declared, options).await.unwrap();
                let line = |line: Difference| (line.verb, line.id, line.note);
                done.into_iter().map(line).collect::<Vec<_>>()
            };
            let (school, class) = (
                || "2026 9990001X".to_owned(),
                || "2026 9990001X class CM2 A".to_owned(),
            );
            let nobody = || Some("no feed has told of them yet".to_owned());
            let both = [SCHOOL, CLASS].concat();
            let first = [
                (Verb::Created, school(), nobody()),
                (Verb::Created, class(), nobody()),
            ];
            assert_eq!(apply(&both, false, true).await, first);
            assert_eq!(apply(&both, false, false).await, first, "a dry run keeps nothing");
            scene::pupil(&context, "Lina", 1, "9990001X").await;
            let same = apply(&both, true, false).await;
            assert_eq!(
                same[1],
                (Verb::Unchanged, class(), None),
                "a feed has named the class so"
            );
            let moved = SCHOOL.replace("09-07", "09-08");
            assert_eq!(
                apply(&moved, false, false).await,
                [(Verb::Updated, school(), nobody())]
            );
            let left = apply(&moved, true, false).await;
            assert_eq!(left[1..], [(Verb::Removed, class(), None)]);
            assert_eq!(apply("", true, false).await, [(Verb::Removed, school(), None)]);
            assert_eq!(scene::journalled(&context, "declaration.applied").await, 5);
        })
        .await;
    }
}
