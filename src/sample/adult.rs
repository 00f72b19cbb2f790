//! Writes the adults of an AAF delivery: `PersRelEleve`, whom the records of pupils name, and `PersEducNat`, who works in the
//! collèges.
//!
//! Adults are computed from their keys, and stated once for all children they answer for: nothing is kept of whom was
//! written already.

use std::io;

use super::aaf::{self, attribute, begin, end};
use super::level::Level;
use super::plan::College;
use super::{Arrival, Placed, Sink, World, parts};
use crate::domain::source::Sex;

/// Pupils for each of whom works in a collège.
const PUPILS: u64 = 13;

/// Writes the files of a complete delivery behind its pupils, counting guardians and staff; answers how many files.
pub(super) fn write(
    sink: &mut impl Sink,
    world: &World<'_>,
    delivery: &str,
    (guardians, staff): (&mut u64, &mut u64),
) -> io::Result<u64> {
    let mut pupils = world.collegians().peekable();
    let mut files = parts(
        sink,
        &format!("{delivery}_PersRelEleve"),
        &mut pupils,
        &mut |out, record, placed| {
            *guardians += parents(record, world, &placed);
            out.write_all(record.as_bytes())
        },
    )?;
    let colleges = world.plan.colleges.iter();
    let mut posts = colleges
        .flat_map(|college| (0..size(college)).map(move |at| (college, at)))
        .peekable();
    files += parts(sink, &format!("{delivery}_PersEducNat"), &mut posts, &mut |out,
                                                                               record,
                                                                               (
        college,
        at,
    )| {
        works(record, world, college, at);
        *staff += 1;
        out.write_all(record.as_bytes())
    })?;
    Ok(files)
}

/// Both parents of a pupil, unless they are stated with an elder child; answers how many.
fn parents(record: &mut String, world: &World<'_>, (college, pupil): &Placed<'_>) -> u64 {
    let arrival = world.arrival(college, pupil);
    if arrival.number != arrival.household {
        return 0;
    }
    for at in [0, 1] {
        parent(record, world, &arrival, at, false);
    }
    2
}

/// The mother (0) or the father (1) of a pupil; where they have `moved`, with another name in use.
pub(super) fn parent(record: &mut String, world: &World<'_>, arrival: &Arrival<'_>, at: u64, moved: bool) {
    let key = aaf::parent_key(arrival.household, at);
    let mut draw = world.chance.draw("parent", key);
    let sex = if at == 0 { Sex::Female } else { Sex::Male };
    let given = world.pools.given(sex, &mut draw);
    let own = aaf::upper(&world.pools.family(&mut draw), key);
    let theirs = aaf::upper(&arrival.stated.family_name, arrival.number);
    let other = aaf::upper(&world.pools.family(&mut draw), key);
    let shares = at == 1 || draw.once_in(2);
    let name = match (moved, shares) {
        (true, _) => &other,
        (false, true) => &theirs,
        (false, false) => &own,
    };
    let maiden = if at == 0 { &own } else { &theirs };
    let telephone = format!(
        "+33 6 99 {:02} {:02} {:02}",
        key / 10_000 % 100,
        key / 100 % 100,
        key % 100
    );
    begin(record, "categoriePersonne", "PersRelEleve", key);
    for (attribute_name, value) in [
        ("ENTPersonJointure", key.to_string().as_str()),
        ("ENTPersonDateNaissance", ""),
        ("sn", name),
        ("ENTPersonNomPatro", maiden),
        ("givenName", given),
        ("personalTitle", title(sex)),
        (
            "ENTPersonAdresse",
            &format!("{} rue de l'École$$$", arrival.household % 90 + 1),
        ),
        ("ENTPersonCodePostal", "80999"),
        ("ENTPersonVille", &arrival.college.commune),
        ("ENTPersonPays", "FRANCE"),
        ("ENTPersonAlias", ""),
        ("ENTPersonMailAccessible", "N"),
        ("homePhone", ""),
        ("telephoneNumber", ""),
        ("mobile", &telephone),
        ("ENTPersonMobileSMS", &telephone),
        ("mail", &format!("responsable.{key}@exemple.invalid")),
        ("ENTPersRelEleveAccepteSMS", "O"),
        ("ENTPersRelEleveCommunicationAdresse", "O"),
        ("ENTPersRelEleveProfession", "EMPLOYE ADMINISTRATIF D'ENTREPRISE"),
    ] {
        attribute(record, attribute_name, &[value]);
    }
    end(record);
}

fn title(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "Mme",
        Sex::Male => "M.",
    }
}

/// How many people work in a collège.
fn size(college: &College) -> u64 {
    college.levels.iter().sum::<u64>().div_ceil(PUPILS) + 1
}

/// One of those who work in a collège: the first runs it, one in ten looks after pupils, the others teach.
fn works(record: &mut String, world: &World<'_>, college: &College, at: u64) {
    let key = 90_000_000 + college.structure % 1_000_000 * 1_000 + at;
    let structure = college.structure.to_string();
    let mut draw = world.chance.draw("staff", key);
    let sex = if draw.once_in(3) { Sex::Male } else { Sex::Female };
    let given = world.pools.given(sex, &mut draw);
    let name = aaf::upper(&world.pools.family(&mut draw), key);
    let born = format!(
        "{:02}/{:02}/{}",
        draw.below(28) + 1,
        draw.below(12) + 1,
        1962 + draw.below(40)
    );
    let (post, teaches) = match at {
        0 => ("DIR$DIRECTION$D0010$PRINCIPAL", false),
        _ if at % 10 == 9 => ("EDU$EDUCATION$E0030$CONSEILLER D'EDUCATION", false),
        _ => ("ENS$ENSEIGNEMENT$L0202$LETTRES MODERNES", true),
    };
    let post = format!("{structure}${post}");
    let taught: Vec<String> = Level::COLLEGE
        .into_iter()
        .filter(|_| teaches)
        .map(|level| {
            let division = draw.below(college.divisions(level));
            format!("{}$020700", aaf::class(college, level, division))
        })
        .collect();
    begin(record, "categoriePersonne", "PersEducNat", key);
    for (attribute_name, value) in [
        ("ENTPersonJointure", key.to_string().as_str()),
        ("ENTPersonDateNaissance", &born),
        ("sn", &name),
        ("ENTPersonNomPatro", &name),
        ("givenName", given),
        ("ENTPersonAutresPrenoms", ""),
        ("personalTitle", title(sex)),
        ("mail", &format!("personnel.{key}@exemple.invalid")),
        ("ENTPersonStructRattach", &structure),
        ("ENTPersonFonctions", &post),
        ("ENTAuxEnsCategoDiscipline", "LETTRES"),
        ("ENTAuxEnsDisciplinesPoste", "L0202$LETTRES MODERNES"),
        ("PersEducNatPresenceDevantEleves", "O"),
    ] {
        attribute(record, attribute_name, &[value]);
    }
    let taught: Vec<&str> = taught.iter().map(String::as_str).collect();
    if !taught.is_empty() {
        attribute(record, "ENTAuxEnsClassesMatieres", &taught);
    }
    end(record);
}
