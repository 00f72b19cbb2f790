//! Writes `truth.jsonl`: for every record of every feed, the number of the child it is of. What recognition found can
//! be counted against it (`marelle match evaluate --truth`). Keys are those of `marelle match report`: `UAI:row` for ONDE, the
//! jointure for AAF.

use std::io::{self, Write};

use super::World;
use super::aaf::person_key;
use crate::domain::source::Source;

fn line(out: &mut dyn Write, source: Source, scope: &str, key: &str, person: u64) -> io::Result<()> {
    // Keys are codes and numbers: nothing in them has to be escaped.
    writeln!(
        out,
        "{{\"source\":\"{source}\",\"scope\":\"{scope}\",\"key\":\"{key}\",\"person\":{person}}}"
    )
}

pub(super) fn write(out: &mut dyn Write, world: &World<'_>) -> io::Result<()> {
    for ecole in &world.plan.ecoles {
        let seats = ecole.classes.iter().flat_map(|class| world.plan.pupils(class));
        for (row, seat) in (1u64..).zip(seats) {
            let key = format!("{}:{row}", ecole.uai);
            line(out, Source::Onde, ecole.uai.as_str(), &key, seat.number)?;
        }
    }
    let academy = format!("{:02}", world.spec.academy);
    for college in &world.plan.colleges {
        for pupil in world.plan.collegians(college) {
            let number = world.arrival(college, &pupil).number;
            line(
                out,
                Source::Aaf2d,
                &academy,
                &person_key(number).to_string(),
                number,
            )?;
        }
    }
    Ok(())
}
