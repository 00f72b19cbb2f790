//! Writes an AAF delivery of changes, as it comes the night after a complete one: pupils who change class, some with
//! another name of a parent, pupils who leave, pupils who come with their parents.

use std::io;

use super::aaf::{self, ask, attribute};
use super::plan::{College, Collegian};
use super::{Placed, Sink, World, adult, parts};

/// What happens to a pupil.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Happening {
    /// Another class.
    Class,
    /// Another class, and a parent has another name in use.
    Name,
    /// They leave, and somebody else takes the seat.
    Replaced,
}

/// Writes the delivery, counting the people it names; answers how many files.
pub(super) fn write(
    sink: &mut impl Sink,
    world: &World<'_>,
    (delivery, thousandth): (&str, u64),
    changes: &mut u64,
) -> io::Result<u64> {
    let mut pupils = happening(world, thousandth).peekable();
    let mut files = parts(sink, &format!("{delivery}_Eleve"), &mut pupils, &mut |out,
                                                                                 record,
                                                                                 (
        (college, pupil),
        happening,
    )| {
        *changes += 1;
        if happening != Happening::Replaced {
            changes_class(record, world, college, &pupil);
            return out.write_all(record.as_bytes());
        }
        ask(
            record,
            "deleteRequest",
            "categoriePersonne",
            "Eleve",
            aaf::person_key(world.arrival(college, &pupil).number),
        );
        record.push_str("</deleteRequest>\n");
        out.write_all(record.as_bytes())?;
        *changes += 1;
        let next = successor(world, &pupil);
        aaf::pupil(out, record, &next, &world.arrival(college, &next))
    })?;
    let told = happening(world, thousandth).filter(|(_, happening)| *happening != Happening::Class);
    files += parts(
        sink,
        &format!("{delivery}_PersRelEleve"),
        &mut told.peekable(),
        &mut |out, record, ((college, pupil), happening)| {
            let moved = happening == Happening::Name;
            let pupil = if moved { pupil } else { successor(world, &pupil) };
            let arrival = world.arrival(college, &pupil);
            for at in [0, 1] {
                adult::parent(record, world, &arrival, at, moved && at == 0);
                *changes += 1;
            }
            out.write_all(record.as_bytes())
        },
    )?;
    Ok(files)
}

/// The pupils to whom something happens.
fn happening<'w>(
    world: &'w World<'_>,
    thousandth: u64,
) -> impl Iterator<Item = (Placed<'w>, Happening)> + use<'w> {
    let chance = world.chance;
    world.collegians().filter_map(move |placed| {
        let mut draw = chance.draw("night", placed.1.seat.number);
        let happens = draw.below(1_000) < thousandth;
        if !happens {
            return None;
        }
        let happening = match draw.below(10) {
            0..6 => Happening::Class,
            // Who has the parents of another child does not name them anew.
            6..8 if is_eldest(world, &placed) => Happening::Name,
            6..8 => Happening::Class,
            _ => Happening::Replaced,
        };
        Some((placed, happening))
    })
}

fn is_eldest(world: &World<'_>, (college, pupil): &Placed<'_>) -> bool {
    let arrival = world.arrival(college, pupil);
    arrival.number == arrival.household
}

/// Who takes the seat of a pupil who leaves: a number that no child of the complete delivery has.
fn successor(world: &World<'_>, pupil: &Collegian) -> Collegian {
    let mut next = *pupil;
    next.seat.number += world.spec.pupils + world.spec.secondary_pupils;
    next.seat.twin = super::Twin::No;
    next
}

fn changes_class(record: &mut String, world: &World<'_>, college: &College, pupil: &Collegian) {
    let arrival = world.arrival(college, pupil);
    let key = aaf::person_key(arrival.number);
    let division = (pupil.division + 1) % arrival.college.divisions(pupil.level);
    let [mother, father] = aaf::links(arrival.household);
    ask(record, "modifyRequest", "categoriePersonne", "Eleve", key);
    record.push_str("<attributes>\n");
    attribute(record, "ENTPersonJointure", &[&key.to_string()]);
    attribute(
        record,
        "ENTEleveClasses",
        &[&aaf::class(arrival.college, pupil.level, division)],
    );
    attribute(record, "ENTElevePersRelEleve", &[&mother, &father]);
    record.push_str("</attributes>\n</modifyRequest>\n");
}
