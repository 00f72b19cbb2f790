//! A load from its files to its report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::absence::{Around, figures};
use super::adults::{self, AdultsOf};
use super::check::{self, Delivery, Order};
use super::draft::{Draft, Drawing};
use super::guard::{self, Concern};
use super::recognise::recognise;
use super::report::{Counts, Report, SchoolReport};
use super::spool::{Row, bucket_of};
use super::{Feed, Frame, ImportError, Load, delta, establish, school, situation};
use crate::base::id::ImportRunId;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::import::RunStatus;
use crate::domain::uai::Uai;
use crate::flows::recognition::model;
use crate::flows::{Context, Failure};
use crate::store::db::Conn;
use crate::store::import_run::{self, Run};
use crate::store::{audit, journal, membership, roster, school as schools};

/// Says what a load would do; writes nothing.
///
/// # Errors
/// [`ImportError::Usage`] and [`ImportError::Unreadable`]; what guards say is in the report.
pub async fn preview(context: &Context, load: Load) -> Result<Report, ImportError> {
    let prepared = Prepared::read(context, load).await?;
    let Prepared {
        frame,
        mut delivery,
        mut expected,
        ..
    } = prepared;
    let mut conn = context.db.reader().await?;
    let mut concerns = std::mem::take(&mut delivery.concerns);
    concerns.extend(guard::judge_year(frame.year, frame.today));
    let mut reports = Vec::new();
    for bucket in buckets(&delivery, &expected) {
        for (school, adults) in adults_of(&mut delivery, bucket).await? {
            let counts = adults::foresee(&mut conn, &frame, &school, &adults).await?;
            reports.push(SchoolReport { school, counts });
        }
        for (school, rows) in rows_of(&mut delivery, &mut expected, bucket).await? {
            concerns.extend(judge(context, &mut conn, &frame, &delivery, (&school, &rows)).await?);
            let mut draft = draw(context, &mut conn, &frame, &delivery, (&school, &rows), true).await?;
            recognise(&mut conn, &frame, &mut draft).await?;
            reports.push(SchoolReport {
                school,
                counts: draft.counts,
            });
        }
    }
    Ok(report(&frame, None, reports, concerns, delivery))
}

/// Applies a load, school by school.
///
/// # Errors
/// [`ImportError`]; of those, only a [`ImportError::Failure`] can come after something was written: the schools
/// applied until then stay applied, and the same load brings it to its end.
pub async fn apply(context: &Context, load: Load) -> Result<Report, ImportError> {
    let prepared = Prepared::read(context, load).await?;
    let Prepared {
        frame,
        mut delivery,
        expected,
        override_reason,
    } = prepared;
    let concerns = judge_all(context, &frame, &mut delivery, expected.clone()).await?;
    if !concerns.is_empty() && override_reason.is_none() {
        refuse(context, &frame, &concerns).await?;
        return Err(ImportError::Refused(concerns));
    }
    let run = begin(context, &frame, &delivery, &expected, override_reason).await?;
    let established = establish_all(context, &frame, &delivery).await?;
    let mut expected = expected;
    let mut reports = Vec::new();
    for bucket in buckets(&delivery, &expected) {
        let mut adults = adults_of(&mut delivery, bucket).await?;
        let rows = rows_of(&mut delivery, &mut expected, bucket).await?;
        let mut parts: Vec<(Uai, Option<Vec<Row>>, AdultsOf)> = Vec::new();
        for (school, rows) in rows {
            let theirs = adults.remove(&school).unwrap_or_default();
            parts.push((school, Some(rows), theirs));
        }
        parts.extend(adults.into_iter().map(|(school, theirs)| (school, None, theirs)));
        for (school, rows, adults) in parts {
            let around = around(&delivery, &school);
            let part = school::Part {
                rows: rows.as_deref(),
                left: delivery.left.get(&school).map_or(&[], Vec::as_slice),
                around,
                adults: &adults,
                partial_staff: delivery.adults.partial,
            };
            let (counts, issues) = school::apply(context, &frame, &school, part).await?;
            reports.push(SchoolReport { school, counts });
            issues.into_iter().for_each(|issue| delivery.issues.push(issue));
        }
    }
    let began = |turn, model| school::work_under(context, &frame, turn, model);
    model::renew(context, &began).await?;
    let mut report = report(&frame, Some(frame.run), reports, concerns, delivery);
    report.establishments = established;
    let mut tx = context.db.begin().await?;
    import_run::finish(&mut tx, &run, &summary(&report), context.now()).await?;
    tx.commit().await?;
    Ok(report)
}

/// A delivery that has been read, and what must be in it.
struct Prepared {
    frame: Frame,
    delivery: Delivery,
    /// Schools in which the feed states somebody this year but that are not in the delivery.
    expected: BTreeSet<Uai>,
    override_reason: Option<String>,
}

impl Prepared {
    async fn read(context: &Context, load: Load) -> Result<Self, ImportError> {
        let Load {
            feed,
            year,
            files,
            mapping,
            operator,
            override_reason,
        } = load;
        if override_reason
            .as_deref()
            .is_some_and(|reason| reason.trim().is_empty())
        {
            return Err(ImportError::Usage(
                "--override demande une raison : elle est gardée avec le chargement".to_owned(),
            ));
        }
        let mut conn = context.db.reader().await?;
        let structures = match &feed {
            Feed::Aaf { academy, .. } => establish::structures(&mut conn, academy).await?,
            _ => Default::default(),
        };
        let order = Order {
            feed,
            year,
            mapping,
            structures,
        };
        let read = tokio::task::spawn_blocking(move || check::read(order, files));
        let (feed, mut delivery) = read.await.map_err(|error| Failure::Task(error.to_string()))??;
        let mut expected = BTreeSet::new();
        match feed.academy() {
            None => declared(&mut conn, &feed, &delivery).await?,
            Some(_) if delivery.delta => {
                delta::resolve(&mut conn, &feed, year, &mut delivery).await?;
                expected.extend(delivery.left.keys().cloned());
            }
            Some(academy) => {
                if !matches!(feed, Feed::Aaf { .. }) {
                    declared(&mut conn, &feed, &delivery).await?;
                }
                let source = feed.source();
                let known = roster::schools_of_scope(&mut conn, source, academy.as_str(), year).await?;
                expected.extend(known);
            }
        }
        expected.retain(|school| !delivery.stated.contains_key(school));
        let now = context.now();
        let frame = Frame {
            run: ImportRunId::new(now, &*context.random),
            feed,
            delta: delivery.delta,
            year,
            now,
            today: now.date(),
            operator,
            model: model::current(context, &mut conn).await?,
            files: Arc::new(std::mem::take(&mut delivery.files)),
        };
        // A school without a row has no bucket of its own.
        expected.extend(
            delivery
                .stated
                .iter()
                .filter(|(_, rows)| **rows == 0)
                .map(|(school, _)| school.clone()),
        );
        Ok(Self {
            frame,
            delivery,
            expected,
            override_reason,
        })
    }
}

/// Schools of files that do not name themselves must be declared first.
async fn declared(conn: &mut Conn, feed: &Feed, delivery: &Delivery) -> Result<(), ImportError> {
    let mut missing = Vec::new();
    let stated: BTreeSet<&Uai> = delivery.stated.keys().chain(&delivery.adults.places).collect();
    for school in stated {
        if schools::find(conn, school).await?.is_none() {
            missing.push(school);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let degree = match feed {
        Feed::Onde | Feed::Siecle | Feed::Sts => feed.degree().as_str(),
        _ => "first|second",
    };
    let tables: Vec<String> = missing
        .iter()
        .map(|school| {
            format!(
                "[[school]]\nuai = \"{school}\"\nname = \"…\"\ndegree = \"{degree}\"\ncommune = \"…\"\nacademy = \"…\"\n"
            )
        })
        .collect();
    Err(ImportError::Usage(format!(
        "établissement(s) ou école(s) inconnus. Déclarez-les dans un fichier TOML, puis « marelle apply FICHIER » :\n\n{}",
        tables.join("\n")
    )))
}

/// The buckets that hold rows, or schools that should have some.
fn buckets(delivery: &Delivery, expected: &BTreeSet<Uai>) -> BTreeSet<usize> {
    delivery
        .spool
        .buckets()
        .into_iter()
        .chain(delivery.adults.buckets())
        .chain(expected.iter().map(bucket_of))
        .collect()
}

/// The adults of a bucket, by school.
async fn adults_of(delivery: &mut Delivery, bucket: usize) -> Result<BTreeMap<Uai, AdultsOf>, ImportError> {
    let mut spool = std::mem::take(&mut delivery.adults);
    let read = tokio::task::spawn_blocking(move || {
        let adults = spool.read(bucket);
        (spool, adults)
    });
    let (spool, adults) = read.await.map_err(|error| Failure::Task(error.to_string()))?;
    delivery.adults = spool;
    adults.map_err(|error| ImportError::Failure(Failure::Task(format!("temporary file: {error}"))))
}

/// The schools of a bucket with their rows; those that should be there and are not have none.
async fn rows_of(
    delivery: &mut Delivery,
    expected: &mut BTreeSet<Uai>,
    bucket: usize,
) -> Result<BTreeMap<Uai, Vec<Row>>, ImportError> {
    let mut spool = std::mem::take(&mut delivery.spool);
    let read = tokio::task::spawn_blocking(move || {
        let rows = spool.read(bucket);
        (spool, rows)
    });
    let (spool, rows) = read.await.map_err(|error| Failure::Task(error.to_string()))?;
    delivery.spool = spool;
    let mut rows = rows.map_err(|error| Failure::Task(format!("temporary file: {error}")))?;
    for school in expected.iter().filter(|school| bucket_of(school) == bucket) {
        rows.entry(school.clone()).or_default();
    }
    Ok(rows)
}

/// What changes in a school; with `arrivals`, also of those who come to it from elsewhere.
async fn draw(
    context: &Context,
    conn: &mut Conn,
    frame: &Frame,
    delivery: &Delivery,
    (school, rows): (&Uai, &[Row]),
    arrivals: bool,
) -> Result<Draft, ImportError> {
    let left = delivery.left.get(school).map_or(&[][..], Vec::as_slice);
    let situation = situation::load(conn, frame, school, (rows, left), arrivals).await?;
    let drawing = Drawing {
        frame,
        school,
        around: around(delivery, school),
        vault: &context.vault,
        random: &*context.random,
    };
    Ok(drawing.draw(rows, &situation)?)
}

fn around<'d>(delivery: &'d Delivery, school: &Uai) -> Around<'d> {
    Around {
        keys: &delivery.keys,
        marred: delivery.marred.contains(school),
    }
}

/// What a guard says of a school. Where the source has keys of its own it needs no look at the persons.
async fn judge(
    context: &Context,
    conn: &mut Conn,
    frame: &Frame,
    delivery: &Delivery,
    (school, rows): (&Uai, &[Row]),
) -> Result<Option<Concern>, ImportError> {
    let source = frame.feed.source();
    let mut figures = if frame.feed.academy().is_some() {
        let enrolled = membership::keys_of_school(conn, school, frame.year, source).await?;
        figures(frame, around(delivery, school), rows, &enrolled)
    } else {
        draw(context, conn, frame, delivery, (school, rows), false)
            .await?
            .figures
    };
    if figures.first_load {
        let size = roster::size(conn, school, source, frame.year.previous()).await?;
        figures.previous = u64::try_from(size).unwrap_or(0);
    }
    figures.delta = frame.delta;
    Ok(guard::judge(school, &figures))
}

/// Every guard over every school, before anything is written.
async fn judge_all(
    context: &Context,
    frame: &Frame,
    delivery: &mut Delivery,
    mut expected: BTreeSet<Uai>,
) -> Result<Vec<Concern>, ImportError> {
    let mut concerns = std::mem::take(&mut delivery.concerns);
    concerns.extend(guard::judge_year(frame.year, frame.today));
    let mut conn = context.db.reader().await?;
    for bucket in buckets(delivery, &expected) {
        for (school, rows) in rows_of(delivery, &mut expected, bucket).await? {
            concerns.extend(judge(context, &mut conn, frame, delivery, (&school, &rows)).await?);
        }
    }
    concerns.sort_by_key(|concern| concern.school().cloned());
    Ok(concerns)
}

async fn refuse(context: &Context, frame: &Frame, concerns: &[Concern]) -> Result<(), ImportError> {
    let mut event = Event::new(Kind::ImportRefused, Actor::Operator)
        .with("source", frame.feed.source())
        .with("year", frame.year)
        .with("concerns", concerns.len())
        .with("by", &frame.operator);
    if let Some(first) = concerns.first() {
        event = event.with("first", first.code());
        if let Some(school) = first.school() {
            event = event.with("school", school);
        }
    }
    let mut tx = context.db.begin().await?;
    audit::append(&mut tx, frame.now, &event).await?;
    tx.commit().await?;
    Ok(())
}

async fn begin(
    context: &Context,
    frame: &Frame,
    delivery: &Delivery,
    expected: &BTreeSet<Uai>,
    override_reason: Option<String>,
) -> Result<Run, ImportError> {
    let stated = delivery.stated.keys().chain(&delivery.adults.places);
    let schools: BTreeSet<&Uai> = stated.chain(expected).collect();
    let scope = match frame.feed.academy() {
        Some(academy) => academy.to_string(),
        None => {
            let names: Vec<&str> = schools.iter().map(|school| school.as_str()).collect();
            names.join(" ")
        }
    };
    let run = Run {
        id: frame.run,
        source: frame.feed.source(),
        scope,
        year: frame.year,
        status: RunStatus::Applying,
        actor: frame.operator.clone(),
        override_reason,
        summary: "{}".to_owned(),
        schools: i64::try_from(schools.len()).unwrap_or(i64::MAX),
        schools_done: 0,
        started_at: frame.now,
        ended_at: None,
    };
    let mut tx = context.db.begin().await?;
    import_run::insert(&mut tx, &run).await?;
    if let Some(reason) = &run.override_reason {
        let event = Event::new(Kind::SchoolImported, Actor::Operator)
            .about(run.id)
            .with("override", reason)
            .with("by", &frame.operator);
        audit::append(&mut tx, frame.now, &event).await?;
    }
    tx.commit().await?;
    Ok(run)
}

async fn establish_all(context: &Context, frame: &Frame, delivery: &Delivery) -> Result<u64, ImportError> {
    if delivery.establishments.is_empty() {
        return Ok(0);
    }
    let mut tx = context.db.begin().await?;
    let turn = import_run::take_turn(&mut tx).await?;
    let mut work = school::work(context, frame, turn);
    let changed = establish::establish(&mut tx, frame, &mut work, &delivery.establishments).await?;
    if changed > 0 {
        journal::append(&mut tx, frame.run, turn, work.journal.into_changes()).await?;
        tx.commit().await?;
    }
    Ok(changed)
}

fn report(
    frame: &Frame,
    run: Option<ImportRunId>,
    mut schools: Vec<SchoolReport>,
    concerns: Vec<Concern>,
    delivery: Delivery,
) -> Report {
    schools.sort_by(|one, two| one.school.cmp(&two.school));
    // A preview tells pupils and adults apart.
    schools.dedup_by(|later, first| {
        let same = later.school == first.school;
        if same {
            first.counts += later.counts;
        }
        same
    });
    let mut total = Counts::default();
    for school in &schools {
        total += school.counts;
    }
    Report {
        run,
        source: frame.feed.source(),
        year: frame.year,
        schools,
        total,
        establishments: delivery.establishments.len() as u64,
        concerns,
        issues: delivery.issues.kept,
        errors: delivery.issues.errors,
        warnings: delivery.issues.warnings,
    }
}

/// What a run keeps of its report.
fn summary(report: &Report) -> String {
    let mut object = serde_json::Map::new();
    for (name, count) in report.total.named() {
        object.insert(name.to_owned(), count.into());
    }
    object.insert("errors".to_owned(), report.errors.into());
    object.insert("warnings".to_owned(), report.warnings.into());
    let concerns: Vec<String> = report.concerns.iter().map(ToString::to_string).collect();
    object.insert("overridden".to_owned(), concerns.into());
    serde_json::Value::Object(object).to_string()
}
