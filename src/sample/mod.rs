//! L2: invented territories in the real file formats, from a seed: `territory.toml`, ONDE extractions of one year, the
//! AAF delivery of the next, and the truth of who is who.
//!
//! The same [`SampleSpec`] always gives the same bytes. Every child is computed from their number, so an academy of a
//! million is written in the memory of its list of schools. Must never take a real person from anywhere, and never
//! open a file: the caller's [`Sink`] does.

use std::io::{self, Write};
use std::iter::Peekable;

use crate::domain::education::SchoolYear;

mod aaf;
mod academy;
mod adult;
mod chance;
mod cohort;
mod delta;
mod level;
mod noise;
mod onde;
mod person;
mod plan;
mod pool;
mod territory;
#[cfg(test)]
mod tests;
mod truth;

pub use cohort::cohort;
use level::Level;
pub use noise::Noise;
use noise::{Stated, elsewhere, exact, seated, stated};
use person::{Person, Seat, Twin};
use plan::{Dress, Ecole, Plan};
use pool::Pools;

/// What to invent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleSpec {
    /// What everything is computed from.
    pub seed: u64,
    /// How many écoles.
    pub ecoles: u64,
    /// How many classes they have together.
    pub classes: u64,
    /// How many pupils they have together.
    pub pupils: u64,
    /// How many collèges take them the year after.
    pub colleges: u64,
    /// How many pupils the collèges have together that year, those who come from the écoles counted.
    pub secondary_pupils: u64,
    /// The year of the ONDE files; the AAF delivery is of the next.
    pub year: SchoolYear,
    /// The code of the academy, 1 to 99.
    pub academy: u8,
    /// The errors of the register of the year after; without, only INE are missing for a while.
    pub noise: Option<Noise>,
    /// Whether the AAF delivery states the adults too, as a real one does: parents, and who works in the collèges.
    pub adults: bool,
    /// How many in a thousand pupils a delivery of changes is about, which then follows the complete one.
    pub delta: Option<u64>,
}

/// Amiens, whose department of the Somme is the model of [`SampleSpec::somme`].
const AMIENS: u8 = 20;

impl SampleSpec {
    /// One école with a class of CE1 and CE2 and a class of CM2, and the collège that takes the latter. Its seed is
    /// one that has, in CM2, a pair of twins and a child without INE, and forty different first names.
    pub fn demo(year: SchoolYear) -> Self {
        Self {
            seed: 326,
            ecoles: 1,
            classes: 2,
            pupils: 40,
            colleges: 1,
            secondary_pupils: 240,
            year,
            academy: AMIENS,
            noise: None,
            adults: false,
            delta: None,
        }
    }

    /// As large as the project of the Somme: 154 écoles, 494 classes, 9,700 pupils; and twelve collèges.
    pub fn somme(year: SchoolYear) -> Self {
        Self {
            seed: 80,
            ecoles: 154,
            classes: 494,
            pupils: 9_700,
            colleges: 12,
            secondary_pupils: 6_000,
            year,
            academy: AMIENS,
            noise: None,
            adults: false,
            delta: None,
        }
    }

    /// So many écoles, the rest in the proportions of the Somme: 17,500 make an academy of 1.1 million pupils of the
    /// first degree.
    pub fn of(schools: u64, seed: u64, year: SchoolYear) -> Self {
        let model = Self::somme(year);
        let scale = |count: u64| (count * schools).div_ceil(model.ecoles);
        Self {
            seed,
            ecoles: schools,
            classes: scale(model.classes),
            pupils: scale(model.pupils),
            colleges: scale(model.colleges),
            secondary_pupils: scale(model.secondary_pupils),
            ..model
        }
    }
}

/// What was invented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSummary {
    /// Écoles.
    pub ecoles: u64,
    /// Their classes.
    pub classes: u64,
    /// Their pupils.
    pub pupils: u64,
    /// Pupils of CM2, all of whom are in the AAF delivery.
    pub leavers: u64,
    /// Pupils whose ONDE line has no INE: not attributed yet, or a file of generation A.
    pub without_ine: u64,
    /// Pupils who sit beside their twin.
    pub twins: u64,
    /// Collèges.
    pub colleges: u64,
    /// Their pupils.
    pub secondary_pupils: u64,
    /// Adults in charge of them.
    pub guardians: u64,
    /// Who works in the collèges.
    pub staff: u64,
    /// People whom the delivery of changes names.
    pub changes: u64,
    /// Files written.
    pub files: u64,
}

/// A territory that cannot be invented, or not written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Numbers that do not go together; a sentence in French.
    #[error("{0}")]
    Spec(String),
    /// The sink failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Where files go.
pub trait Sink {
    /// Makes the file of a relative path (`onde/2026/0808000L/CSVExtraction.csv`, always with `/`), lets `write` fill it,
    /// and closes it. Paths come one after the other, each once.
    ///
    /// # Errors
    /// What the writing failed of.
    fn file(&mut self, path: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>)
    -> io::Result<()>;
}

/// A pupil of a collège as its register states them.
struct Arrival<'p> {
    college: &'p plan::College,
    number: u64,
    household: u64,
    stated: Stated,
}

/// Everything that files are made from.
struct World<'a> {
    spec: &'a SampleSpec,
    plan: Plan,
    pools: Pools,
    chance: chance::Chance,
}

/// How far the younger child of a family is from the elder, in numbers: mostly in another collège.
const SIBLING: u64 = 701;

impl World<'_> {
    fn person(&self, seat: &Seat) -> Person {
        person::person(seat, self.chance, &self.pools)
    }

    /// The household that answers for a child: of those who come from no école of the territory, one in five has the
    /// parents of another.
    fn home(&self, household: u64) -> u64 {
        match household.checked_sub(self.spec.pupils) {
            Some(stranger)
                if (SIBLING..self.spec.secondary_pupils).contains(&stranger) && stranger % 5 == 4 =>
            {
                household - SIBLING
            }
            _ => household,
        }
    }

    /// Who has a seat in the year after, as the register there states them, and in which collège.
    fn arrival<'p>(&'p self, college: &'p plan::College, pupil: &plan::Collegian) -> Arrival<'p> {
        let number = seated(self.spec.noise, self.chance, pupil);
        let stranger = number != pupil.seat.number;
        let twin = if stranger { Twin::No } else { pupil.seat.twin };
        let person = self.person(&Seat {
            number,
            twin,
            ..pupil.seat
        });
        let stated = match self.spec.noise {
            Some(noise) => stated(&person, (noise, twin), self.chance, &self.pools),
            None => exact(&person),
        };
        let other = elsewhere(
            self.spec.noise,
            self.chance,
            number,
            self.plan.colleges.len() as u64,
        )
        .and_then(|at| self.plan.colleges.get(at as usize));
        Arrival {
            college: other.unwrap_or(college),
            number,
            household: self.home(person.household),
            stated,
        }
    }
}

/// A pupil with the collège they have a seat in.
type Placed<'p> = (&'p plan::College, plan::Collegian);

/// What writes one item into a file; the text is room that is used again.
type Writing<'w, T> = &'w mut dyn FnMut(&mut dyn Write, &mut String, T) -> io::Result<()>;

/// Writes items to files of [`aaf::PART`] each, at least one; answers how many files.
fn parts<T>(
    sink: &mut impl Sink,
    name: &str,
    items: &mut Peekable<impl Iterator<Item = T>>,
    write: Writing<'_, T>,
) -> io::Result<u64> {
    let mut record = String::new();
    for part in 0..10_000 {
        if part > 0 && items.peek().is_none() {
            return Ok(part);
        }
        sink.file(&format!("{name}_{part:04}.xml"), &mut |out| {
            out.write_all(aaf::head("UTF-8").as_bytes())?;
            for item in items.by_ref().take(aaf::PART) {
                record.clear();
                write(out, &mut record, item)?;
            }
            out.write_all(aaf::TAIL.as_bytes())
        })?;
    }
    Ok(10_000)
}

/// Invents a territory and writes its files: `territory.toml`, `onde/<year>/<UAI>/CSVExtraction.csv`,
/// `aaf/<year + 1>/ENT2D_Complet_<date>_EtabEducNat_0000.xml` and `…_Eleve_0000.xml` (50,000 pupils each),
/// `truth.jsonl`; where they are wanted `…_PersRelEleve_0000.xml` and `…_PersEducNat_0000.xml` behind the pupils, and a delivery
/// of changes under `delta/`.
///
/// # Errors
/// [`SampleError`].
pub fn generate(spec: &SampleSpec, sink: &mut impl Sink) -> Result<SampleSummary, SampleError> {
    let pools = Pools::new();
    let world = World {
        spec,
        plan: Plan::new(spec, &pools)?,
        pools,
        chance: chance::Chance::new(spec.seed),
    };
    let mut summary = SampleSummary {
        ecoles: world.plan.ecoles.len() as u64,
        colleges: world.plan.colleges.len() as u64,
        files: 3,
        ..SampleSummary::default()
    };
    sink.file("territory.toml", &mut |out| territory::write(out, &world))?;
    for ecole in &world.plan.ecoles {
        let path = format!("onde/{}/{}/CSVExtraction.csv", spec.year, ecole.uai);
        sink.file(&path, &mut |out| world.ecole(out, ecole, &mut summary))?;
        summary.files += 1;
    }
    let next = spec.year.next();
    let delivery = format!("aaf/{next}/ENT2D_Complet_{next}0910");
    sink.file(&format!("{delivery}_EtabEducNat_0000.xml"), &mut |out| {
        world.schools(out)
    })?;
    let mut pupils = world.collegians().peekable();
    let write = &mut |out: &mut dyn Write, record: &mut String, (college, pupil): Placed<'_>| {
        let arrival = world.arrival(college, &pupil);
        aaf::pupil(out, record, &pupil, &arrival)?;
        summary.secondary_pupils += 1;
        Ok(())
    };
    let mut files = parts(sink, &format!("{delivery}_Eleve"), &mut pupils, write)?;
    if spec.adults {
        let (guardians, staff) = (&mut summary.guardians, &mut summary.staff);
        files += adult::write(sink, &world, &delivery, (guardians, staff))?;
    }
    if let Some(thousandth) = spec.delta {
        let delivery = format!("delta/{next}/ENT2D_Delta_{next}0911");
        files += delta::write(sink, &world, (&delivery, thousandth), &mut summary.changes)?;
    }
    summary.files += files;
    sink.file("truth.jsonl", &mut |out| truth::write(out, &world))?;
    Ok(summary)
}

impl World<'_> {
    fn ecole(&self, out: &mut dyn Write, ecole: &Ecole, summary: &mut SampleSummary) -> io::Result<()> {
        onde::header(out, ecole.dress)?;
        for class in &ecole.classes {
            summary.classes += 1;
            for seat in self.plan.pupils(class) {
                let person = self.person(&seat);
                onde::pupil(out, ecole, class, seat.level, &person)?;
                summary.pupils += 1;
                summary.leavers += u64::from(seat.level == Level::Cm2);
                summary.twins += u64::from(seat.twin != Twin::No);
                let told = person.ine_at_first && ecole.dress != Dress::GenerationA;
                summary.without_ine += u64::from(!told);
            }
        }
        Ok(())
    }

    /// Every pupil of every collège.
    fn collegians(&self) -> impl Iterator<Item = Placed<'_>> {
        let of = |college| self.plan.collegians(college).map(move |pupil| (college, pupil));
        self.plan.colleges.iter().flat_map(of)
    }

    fn schools(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut text = aaf::head("ISO-8859-15");
        for college in &self.plan.colleges {
            text.push_str(&aaf::school(college, self.spec.academy));
            out.write_all(&encoding_rs::ISO_8859_15.encode(&text).0)?;
            text.clear();
        }
        out.write_all(aaf::TAIL.as_bytes())
    }
}
