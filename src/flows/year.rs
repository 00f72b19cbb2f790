//! The state of a school year, for whoever prepares its opening: loads the figures of schools and asks
//! [`crate::continuum::year`] what is missing. Changes nothing.

use super::{Context, Failure, drop_folder};
pub use crate::continuum::year::{ExpectedFeed, Gap, Opening, age_in_days, of_interest};
use crate::continuum::year::{dates_of, usual_source};
use crate::domain::education::SchoolYear;
use crate::domain::uai::Uai;
use crate::store;

/// The state of a year in every school that is declared or that a feed made known, or in one; `None` where there is no
/// such school.
///
/// # Errors
/// [`Failure`].
pub async fn status(
    context: &Context,
    year: SchoolYear,
    school: Option<&Uai>,
) -> Result<Option<Vec<Opening>>, Failure> {
    let mut conn = context.db.reader().await?;
    let schools = match school {
        None => store::school::all(&mut conn).await?,
        Some(uai) => match store::school::find(&mut conn, uai).await? {
            Some(school) => vec![school],
            None => return Ok(None),
        },
    };
    let today = context.now().date();
    let mut figures = store::opening::figures(&mut conn, year, today, school).await?;
    let runs = store::opening::last_runs(&mut conn, year).await?;
    let dates = store::access_date::all(&mut conn).await?;
    let watched = drop_folder::watched(context).await?;
    let openings = schools.into_iter().map(|school| {
        let mut figures = figures.remove(&school.uai).unwrap_or_default();
        for source in context.settings.feeds.expected_of(&school) {
            figures.sources.entry(source).or_default();
        }
        if figures.sources.is_empty() {
            figures.sources.insert(usual_source(school.degree), 0);
        }
        let feeds = figures.sources.iter().map(|(source, pupils)| {
            let of = |scope: &str| runs.get(&(*source, scope.to_owned())).copied();
            let newest = [of(school.uai.as_str()), of(school.academy.as_str())];
            ExpectedFeed {
                source: *source,
                last: newest.into_iter().flatten().max_by_key(|(_, at)| *at),
                pupils: *pupils,
            }
        });
        let alerts = context.settings.feeds.of_school(&school).flat_map(|folder| {
            let of = watched
                .iter()
                .filter(|watched| watched.folder.name == folder.name);
            of.flat_map(|watched| {
                watched
                    .alerts
                    .iter()
                    .map(|alert| format!("{} : {alert}", watched.folder.name))
            })
        });
        Opening {
            alerts: alerts.collect(),
            feeds: feeds.collect(),
            year,
            pupils: figures.pupils,
            without_class: figures.without_class,
            without_ine: figures.without_ine,
            without_way_in: figures.without_way_in,
            classes: figures.classes,
            empty_classes: figures.empty_classes,
            open_cases: figures.open_cases,
            unconfirmed: figures.unconfirmed,
            dates: dates_of(&dates, year, &school),
            school,
        }
    });
    Ok(Some(openings.collect()))
}
