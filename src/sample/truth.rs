//! Writes `truth.jsonl`: for every record of every feed, the number of the child it is of. What recognition found can
//! be counted against it.

use std::io::{self, Write};

use super::World;
use super::aaf::person_key;
use super::person::Person;
use crate::domain::source::{PersonFacts, Source};

/// The key that the ONDE reader gives the line of a child.
pub(super) fn onde_key(person: &Person) -> String {
    PersonFacts {
        family_name: person.family_name.clone(),
        usage_name: None,
        given_name: person.given_name.to_owned(),
        other_names: Vec::new(),
        birth_date: person.birth_date,
        sex: None,
        ine: None,
    }
    .person_key()
}

fn line(out: &mut dyn Write, source: Source, scope: &str, key: &str, person: u64) -> io::Result<()> {
    // Keys are folded names, dates and numbers: nothing in them has to be escaped.
    writeln!(
        out,
        "{{\"source\":\"{source}\",\"scope\":\"{scope}\",\"key\":\"{key}\",\"person\":{person}}}"
    )
}

pub(super) fn write(out: &mut dyn Write, world: &World<'_>) -> io::Result<()> {
    for ecole in &world.plan.ecoles {
        for (key, person) in world.onde_keys(ecole) {
            line(out, Source::Onde, ecole.uai.as_str(), &key, person)?;
        }
    }
    let academy = format!("{:02}", world.spec.academy);
    for college in &world.plan.colleges {
        for pupil in world.plan.collegians(college) {
            let key = person_key(pupil.seat.number).to_string();
            line(out, Source::Aaf2d, &academy, &key, pupil.seat.number)?;
        }
    }
    Ok(())
}
