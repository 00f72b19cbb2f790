//! Schools as an academy's feed describes them: made known, and what the academy calls them.
//!
//! A school that an operator declared keeps its declared name; one that a feed made is kept up by feeds.

use std::collections::HashMap;

use super::Frame;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::{AcademyCode, Degree};
use crate::domain::uai::Uai;
use crate::flows::Failure;
use crate::flows::recognition::Work;
use crate::roster::aaf::AafSchool;
use crate::store::db::{Conn, Tx};
use crate::store::image::{SCHOOL, STRUCTURE};
use crate::store::value::{Value, text};
use crate::store::{StoreError, audit, school};

/// What an academy is known to call its schools.
pub(super) async fn structures(
    conn: &mut Conn,
    academy: &AcademyCode,
) -> Result<HashMap<String, Uai>, StoreError> {
    school::structures(conn, academy).await
}

/// Makes the schools of a delivery known; answers how many were new or changed.
pub(super) async fn establish(
    tx: &mut Tx,
    frame: &Frame,
    work: &mut Work<'_>,
    delivered: &[AafSchool],
) -> Result<u64, Failure> {
    let schools: Vec<String> = delivered.iter().map(|school| school.uai.to_string()).collect();
    let known = SCHOOL.load(tx, &schools).await?;
    let degree = frame.feed.degree();
    let keys: Vec<String> = delivered
        .iter()
        .map(|stated| structure_key(degree, stated))
        .collect();
    let structures = STRUCTURE.load(tx, &keys).await?;
    let (mut saved, mut named): (HashMap<String, Vec<Value>>, HashMap<String, Vec<Value>>) =
        Default::default();
    if let Some(first) = delivered.first() {
        let said = delivered.iter().find_map(|stated| stated.academy_name.as_deref());
        let unnamed = format!("Académie {}", first.academy);
        school::add_academy(tx, &first.academy, said.unwrap_or(&unnamed), frame.run).await?;
    }
    for stated in delivered {
        let uai = stated.uai.to_string();
        let after = described(stated, known.get(&uai), frame);
        if known.get(&uai) != Some(&after) {
            note(work, &SCHOOL, known.get(&uai), &after);
            saved.insert(uai.clone(), after);
        }
        let key = structure_key(degree, stated);
        let before = structures.get(&key);
        let made_by = before.and_then(|row| row.last().cloned());
        let after = vec![
            text(stored_key(frame.feed.degree(), &stated.structure_key)),
            text(&stated.academy),
            uai.into(),
            made_by.unwrap_or_else(|| text(frame.run)),
        ];
        if before != Some(&after) {
            note(work, &STRUCTURE, before, &after);
            named.insert(key, after);
        }
    }
    let changed = (saved.len() + named.len()) as u64;
    if changed > 0 {
        let event = Event::new(Kind::SchoolImported, Actor::Operator)
            .about(frame.run)
            .with("schools", saved.len())
            .with("structures", named.len())
            .with("by", &frame.operator);
        SCHOOL.save(tx, saved.into_values().collect()).await?;
        STRUCTURE.save(tx, named.into_values().collect()).await?;
        audit::append(tx, frame.now, &event).await?;
    }
    Ok(changed)
}

fn structure_key(degree: Degree, stated: &AafSchool) -> String {
    format!(
        "{}\t{}",
        stored_key(degree, &stated.structure_key),
        stated.academy
    )
}

/// What the key of a structure is kept as: those of the first degree are numbered apart from those of the second, and
/// nothing says that one number is not in both.
pub(super) fn stored_key(degree: Degree, key: &str) -> String {
    match degree {
        Degree::First => format!("1D${key}"),
        Degree::Second => key.to_owned(),
    }
}

/// The row of a school as the feed describes it.
fn described(stated: &AafSchool, before: Option<&Vec<Value>>, frame: &Frame) -> Vec<Value> {
    let run = frame.run.to_string();
    let Some(before) = before else {
        let name = if stated.name.is_empty() {
            stated.uai.to_string()
        } else {
            stated.name.clone()
        };
        return vec![
            text(&stated.uai),
            name.into(),
            text(frame.feed.degree()),
            stated.commune.as_deref().into(),
            text(&stated.academy),
            run.into(),
        ];
    };
    let declared = SCHOOL.text(before, "created_run").is_empty();
    let mut after = before.clone();
    if !declared && !stated.name.is_empty() {
        after = SCHOOL.with(&after, "name", stated.name.as_str());
    }
    let has_commune = !SCHOOL.text(before, "commune").is_empty();
    if let Some(commune) = stated.commune.as_deref().filter(|_| !declared || !has_commune) {
        after = SCHOOL.with(&after, "commune", commune);
    }
    after
}

/// New rows carry the run that made them; changed ones are journalled.
fn note(
    work: &mut Work<'_>,
    image: &crate::store::image::Image,
    before: Option<&Vec<Value>>,
    after: &[Value],
) {
    if let Some(before) = before {
        let made_by = image.text(before, "created_run").parse().ok();
        work.changes(image, made_by, before, after);
    }
}
