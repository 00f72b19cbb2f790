//! People whom a provider signed in and whom a human has to recognise: shown side by side with whoever may be meant, and
//! decided once.

use super::settle::{Arrived, bind, create};
use super::{Context, Failure, child, unseal};
use crate::base::id::{IdentityId, UpstreamCaseId};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::identity::Identity;
use crate::domain::uai::Uai;
use crate::domain::upstream::Binding;
use crate::store;
use crate::store::db::{Conn, Tx};
pub use crate::store::upstream_case::Decision as Decided;
use crate::store::upstream_case::{self, Case};
use crate::upstream::Introduction;

/// What is said of a person is sealed for this.
pub(super) const SEALED_FOR: &str = "upstream case";

/// An open case, for the human who decides. Prints without a name.
#[derive(Clone)]
pub struct View {
    /// The case.
    pub case: Case,
    /// What the provider said of the person; `None` where it cannot be read any more.
    pub introduction: Option<Introduction>,
    /// Who may be meant.
    pub candidates: Vec<Identity>,
    /// The number and the school, where a human has to say which pupil it is of. What was said is then of the guardian who came.
    pub child: Option<(String, Uai)>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[upstream case {}]", self.case.id)
    }
}

/// Every open case, oldest first.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context) -> Result<Vec<View>, Failure> {
    let mut conn = context.db.reader().await?;
    let mut views = Vec::new();
    for case in upstream_case::all(&mut conn).await? {
        views.push(view(context, &mut conn, case).await?);
    }
    Ok(views)
}

async fn view(context: &Context, conn: &mut Conn, case: Case) -> Result<View, Failure> {
    let introduction = introduced(context, conn, &case).await?.map(|(_, person)| person);
    let people = store::person::find(conn, &case.candidates).await?;
    let candidates = case.candidates.iter().filter_map(|id| people.get(id));
    Ok(View {
        candidates: candidates.map(|person| person.identity.clone()).collect(),
        introduction,
        child: child::of_case(&case),
        case,
    })
}

async fn introduced(
    context: &Context,
    conn: &mut Conn,
    case: &Case,
) -> Result<Option<(Arrived, Introduction)>, Failure> {
    let Some((kept, _)) = store::upstream_provider::find(conn, &case.provider).await? else {
        return Ok(None);
    };
    let arrived: Option<Arrived> = unseal(context, SEALED_FOR, &case.introduction);
    Ok(arrived.map(|arrived| {
        let person = Introduction::read(kept.provider.preset, &arrived.said);
        (arrived, person)
    }))
}

/// What a human says of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is this person; of a child's number: it is this pupil's.
    Is(IdentityId),
    /// It is nobody whom we know.
    New,
    /// They are not to come in by this; of a child's number: it is nobody's here.
    Refuse,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is decided: the next login there signs the person in, or does not.
    Decided,
    /// There is no such open case, or no such person.
    Unknown,
    /// The login is bound to somebody else: that link is taken apart first. Of a child's number: it is another pupil's, or that
    /// pupil has another one.
    Taken,
}

/// Decides a case.
///
/// # Errors
/// [`Failure`].
pub async fn decide(
    context: &Context,
    id: UpstreamCaseId,
    word: Word,
    (by, actor): (&str, &Actor),
) -> Result<Verdict, Failure> {
    let mut tx = context.db.begin().await?;
    let Some(case) = upstream_case::find(&mut tx, id).await? else {
        return Ok(Verdict::Unknown);
    };
    let Some((kept, _)) = store::upstream_provider::find(&mut tx, &case.provider).await? else {
        return Ok(Verdict::Unknown);
    };
    if let Some(said) = child::decide(&mut tx, &case, word).await? {
        return match said {
            Ok(decided) => close(context, tx, &case, (decided, word), (by, actor)).await,
            Err(verdict) => Ok(verdict),
        };
    }
    let linked = store::upstream_link::find(&mut tx, &case.provider, &case.subject).await?;
    let decided = match word {
        Word::Refuse => Decided::Refused,
        Word::Is(identity) => {
            let person = store::identity::find(&mut tx, identity).await?;
            if !person.is_some_and(|person| person.status.may_sign_in()) {
                return Ok(Verdict::Unknown);
            }
            match &linked {
                Some((link, _)) if link.identity != identity => return Ok(Verdict::Taken),
                Some(_) => {}
                None => {
                    let bound = (case.subject.as_str(), identity, Binding::Human);
                    bind(context, &mut tx, &kept.provider, bound).await?;
                }
            }
            Decided::Linked
        }
        Word::New => {
            if linked.is_some() {
                return Ok(Verdict::Taken);
            }
            let Some((_, person)) = introduced(context, &mut tx, &case).await? else {
                return Ok(Verdict::Unknown);
            };
            let identity = create(context, &mut tx, &kept.provider, &person).await?;
            let bound = (case.subject.as_str(), identity.id, Binding::Created);
            bind(context, &mut tx, &kept.provider, bound).await?;
            Decided::Created
        }
    };
    close(context, tx, &case, (decided, word), (by, actor)).await
}

async fn close(
    context: &Context,
    mut tx: Tx,
    case: &Case,
    (decided, word): (Decided, Word),
    (by, actor): (&str, &Actor),
) -> Result<Verdict, Failure> {
    let now = context.now();
    if !upstream_case::decide(&mut tx, case.id, decided, by, now).await? {
        return Ok(Verdict::Unknown);
    }
    let event = Event::new(Kind::UpstreamCaseDecided, actor.clone())
        .about(case.id)
        .with("provider", &case.provider)
        .with("decision", decided)
        .with("by", by);
    let event = match word {
        Word::Is(identity) => event.with("identity", identity),
        Word::New | Word::Refuse => event,
    };
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Verdict::Decided)
}
