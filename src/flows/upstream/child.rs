//! The numbers of pupils in the register of an école, which no feed states: a guardian's vectors name children by them.
//!
//! ONDE has no such number, so a guardian who comes from EduConnect leads to nobody. It becomes known once, and then leads every
//! guardian to the child: by a human who knows the family, or by the pupil's own vector after they proved who they are here.
//! Must never tell a child by a name: that a pupil of the école has the guardian's name is shown to the human, and is no more.

use super::case::{SEALED_FOR, Verdict, Word};
use super::settle::Arrived;
use super::{Context, Failure, seal};
use crate::base::id::{IdentityId, UpstreamCaseId};
use crate::base::text::fold;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::Profile;
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::domain::upstream::UpstreamProvider;
use crate::store;
use crate::store::db::{Conn, Tx};
use crate::store::roster::{Lookup, StoredRecord};
use crate::store::upstream_case::{self, Case, Decision};
use crate::upstream::Introduction;
use crate::upstream::linking::Doubt;
use crate::upstream::vector::{Vecteur, VecteurKind};

/// What stands before the number where the case of a person has their subject: both parents, by whatever login, are one case.
const CASE_OF: &str = "child ";

/// The most pupils that a human is shown.
const MOST: usize = 10;

/// The number and the school that a case is about.
pub(super) fn of_case(case: &Case) -> Option<(String, Uai)> {
    if case.doubt != Doubt::ChildUnknown.as_str() {
        return None;
    }
    let (number, school) = case.subject.strip_prefix(CASE_OF)?.split_once('|')?;
    Some((number.to_owned(), school.parse().ok()?))
}

/// Has a human say which pupils the numbers are of, unless one has said that they are nobody's here.
pub(super) async fn ask(
    context: &Context,
    tx: &mut Tx,
    declared: &UpstreamProvider,
    (arrived, person): (&Arrived, &Introduction),
    unknown: &[Vecteur],
) -> Result<(), Failure> {
    let now = context.now();
    for vecteur in unknown {
        let subject = format!("{CASE_OF}{}|{}", vecteur.attachment, vecteur.school);
        if upstream_case::is_refused(tx, &declared.id, &subject).await? {
            continue;
        }
        let new = Case {
            id: UpstreamCaseId::new(now, &*context.random),
            provider: declared.id.clone(),
            subject,
            doubt: Doubt::ChildUnknown.to_string(),
            candidates: namesakes(tx, &vecteur.school, person).await?,
            introduction: seal(context, SEALED_FOR, arrived)?,
            opened_at: now,
            seen_at: now,
        };
        if upstream_case::open(tx, &new).await?.id == new.id {
            let event = Event::new(Kind::UpstreamCaseOpened, Actor::System)
                .about(new.id)
                .with("provider", &declared.id)
                .with("doubt", Doubt::ChildUnknown);
            store::audit::append(tx, now, &event).await?;
        }
    }
    Ok(())
}

/// Pupils of the school without a number who have the guardian's family name: for the human who knows the family.
async fn namesakes(conn: &mut Conn, school: &Uai, person: &Introduction) -> Result<Vec<IdentityId>, Failure> {
    let Some(family) = person.family_key() else {
        return Ok(Vec::new());
    };
    let is_named = |record: &&StoredRecord| {
        let usage = record.usage_name.as_deref().map(fold);
        fold(&record.family_name) == family || usage.as_ref() == Some(&family)
    };
    let records = store::roster::of_school(conn, school, Source::Onde).await?;
    let mut found: Vec<IdentityId> = records
        .iter()
        .filter(|record| record.missing_since.is_none() && record.attachment.is_none())
        .filter(is_named)
        .map(|record| record.identity)
        .take(MOST)
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What a human says of a number; `None` where the case is about somebody who came.
pub(super) async fn decide(
    tx: &mut Tx,
    case: &Case,
    word: Word,
) -> Result<Option<Result<Decision, Verdict>>, Failure> {
    let Some((number, school)) = of_case(case) else {
        return Ok(None);
    };
    let child = match word {
        Word::Is(child) => child,
        // It is nobody's here. Whoever came with the number comes in as before.
        Word::Refuse => return Ok(Some(Ok(Decision::Refused))),
        // Pupils come by feeds.
        Word::New => return Ok(Some(Err(Verdict::Unknown))),
    };
    Ok(Some(match keep(tx, child, (&number, &school)).await? {
        Kept::New | Kept::Known => Ok(Decision::Linked),
        Kept::Another => Err(Verdict::Taken),
        Kept::NoRecord => Err(Verdict::Unknown),
    }))
}

/// The pupil came by their own vector and proved who they are here: their guardians are led to them from now on.
pub(super) async fn learn(
    context: &Context,
    tx: &mut Tx,
    (provider, person): (&UpstreamProvider, &Introduction),
    pupil: IdentityId,
) -> Result<(), Failure> {
    let [vecteur] = person.vecteurs.as_slice() else {
        return Ok(());
    };
    if !matches!(vecteur.kind, VecteurKind::Pupil(_)) {
        return Ok(());
    }
    let school = store::school::find(tx, &vecteur.school).await?;
    if !school.is_some_and(|school| provider.speaks_for(&school.academy)) {
        return Ok(());
    }
    if keep(tx, pupil, (&vecteur.attachment, &vecteur.school)).await? == Kept::New {
        let event = Event::new(Kind::PupilNumberKept, Actor::Identity(pupil))
            .about(pupil)
            .with("school", &vecteur.school)
            .with("provider", &provider.id);
        store::audit::append(tx, context.now(), &event).await?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// It is the pupil's from now on.
    New,
    /// It was the pupil's already.
    Known,
    /// It is another pupil's, or the pupil has another one.
    Another,
    /// The person is no pupil of that school by a feed.
    NoRecord,
}

async fn keep(tx: &mut Tx, pupil: IdentityId, (number, school): (&str, &Uai)) -> Result<Kept, Failure> {
    let holders = store::roster::by_attachment(tx, number, school).await?;
    if !holders.is_empty() {
        let is_theirs = holders.iter().all(|record| record.identity == pupil);
        return Ok(if is_theirs { Kept::Known } else { Kept::Another });
    }
    let records = store::roster::find(tx, Lookup::Identities(vec![pupil])).await?;
    let mut theirs = records.into_iter().filter(|record| {
        record.school == *school && record.profile == Profile::Pupil && record.missing_since.is_none()
    });
    let Some(record) = theirs.next() else {
        return Ok(Kept::NoRecord);
    };
    let is_new = store::roster::set_attachment(tx, record.id, number).await?;
    Ok(if is_new { Kept::New } else { Kept::Another })
}
