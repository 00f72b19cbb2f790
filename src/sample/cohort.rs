//! The children who go from CM2 to 6e, as two registers state them, without the files: for measuring recognition alone.

use super::level::Level;
use super::noise::{Stated, exact};
use super::plan::Plan;
use super::pool::Pools;
use super::{SampleError, SampleSpec, World, aaf, chance};
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::source::{PersonFacts, Place, RosterRow, Source, SourceKey};
use crate::domain::uai::Uai;

/// Tells each record of a cohort with the number of the child it is of: the CM2 of all écoles first, then the 6e of all collèges.
///
/// # Errors
/// [`SampleError::Spec`].
pub fn cohort(spec: &SampleSpec, each: &mut dyn FnMut(u64, RosterRow)) -> Result<(), SampleError> {
    let pools = Pools::new();
    let world = World {
        spec,
        plan: Plan::new(spec, &pools)?,
        pools,
        chance: chance::Chance::new(spec.seed),
    };
    for ecole in &world.plan.ecoles {
        let seats = ecole.classes.iter().flat_map(|class| world.plan.pupils(class));
        for (row, seat) in (1u64..).zip(seats).filter(|(_, seat)| seat.level == Level::Cm2) {
            let person = world.person(&seat);
            let told = person.ine_at_first && ecole.dress != super::Dress::GenerationA;
            let stated = Stated {
                ine: if told { person.ine.clone() } else { String::new() },
                ..exact(&person)
            };
            let key = SourceKey {
                source: Source::Onde,
                scope: ecole.uai.to_string(),
                key: format!("{}:{row}", ecole.uai),
            };
            each(
                seat.number,
                record(key, &ecole.uai, stated, (Level::Cm2, spec.year, row)),
            );
        }
    }
    let academy = format!("{:02}", spec.academy);
    for college in &world.plan.colleges {
        let sixth = world
            .plan
            .collegians(college)
            .filter(|pupil| pupil.level == Level::Sixth);
        for (row, pupil) in (1u64..).zip(sixth) {
            let arrival = world.arrival(college, &pupil);
            let key = SourceKey {
                source: Source::Aaf2d,
                scope: academy.clone(),
                key: aaf::person_key(arrival.number).to_string(),
            };
            let at = (Level::Sixth, spec.year.next(), row);
            each(
                arrival.number,
                record(key, &arrival.college.uai, arrival.stated, at),
            );
        }
    }
    Ok(())
}

fn record(
    key: SourceKey,
    school: &Uai,
    stated: Stated,
    (level, year, row): (Level, SchoolYear, u64),
) -> RosterRow {
    RosterRow {
        key,
        profile: Profile::Pupil,
        school: school.to_string(),
        facts: PersonFacts {
            family_name: stated.family_name,
            usage_name: stated.usage_name,
            given_name: stated.given_name,
            // Most écoles do not export them.
            other_names: if level == Level::Cm2 {
                Vec::new()
            } else {
                stated.other_names
            },
            birth_date: stated.birth_date,
            sex: Some(stated.sex),
            ine: stated.ine.parse().ok(),
        },
        class: None,
        level: Some(level.as_str().to_owned()),
        attachment: None,
        previous_school: None,
        ordinal: None,
        year,
        place: Place {
            file: "cohort".into(),
            line: row,
            column: 1,
        },
    }
}
