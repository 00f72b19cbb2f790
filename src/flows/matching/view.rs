//! A case as the person who decides sees it: both sides, and what speaks for and against.

use std::collections::HashMap;

use super::family::{Family, families};
use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
use crate::base::time::{Date, Timestamp};
use crate::continuum::evidence::{self, Evidence};
use crate::continuum::priority::{self, OpenCase, Stake};
use crate::domain::education::SchoolYear;
use crate::domain::matching::{CaseStatus, Reason};
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::flows::{Context, Failure};
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::image::{CLASS_GROUP, SCHOOL};
use crate::store::match_case::{self, StoredCase};
use crate::store::membership::{self, Membership};
use crate::store::person;
use crate::store::roster::{self, Lookup, StoredRecord};

/// One of the two records of a case. Prints without a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Side {
    /// The record.
    pub record: SourceRecordId,
    /// Whose it is today.
    pub identity: IdentityId,
    /// Given names and family name, as written.
    pub name: String,
    /// Usage name, where it has one.
    pub usage_name: Option<String>,
    /// Birth date.
    pub birth_date: Date,
    /// Whether it has an INE; the number itself is shown to nobody.
    pub has_ine: bool,
    /// The school.
    pub school: Uai,
    /// Its name, where it is known.
    pub school_name: Option<String>,
    /// The class of its latest year.
    pub class: Option<String>,
    /// The level of its latest year.
    pub level: Option<String>,
    /// The latest year it was stated for.
    pub year: SchoolYear,
    /// Where it comes from.
    pub source: Source,
    /// File and line.
    pub place: String,
    /// Whether its feed no longer states it.
    pub gone: bool,
    /// Who answers for the child, and for whom else.
    pub family: Family,
}

/// What hangs on a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stakes {
    /// Of how many of the two persons a service, a credential or a login knows; 0 to 2.
    pub in_use: usize,
    /// How many other open cases are about one of the two records.
    pub settles: usize,
    /// Whether the two records are one person today.
    pub is_joined: bool,
}

/// Some of the open cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The cases, the one first whose decision helps most.
    pub cases: Vec<CaseView>,
    /// How many are open in all.
    pub open: usize,
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[record {}]", self.record)
    }
}

/// A case with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseView {
    /// Its id.
    pub id: MatchCaseId,
    /// Why it was opened.
    pub reason: Reason,
    /// The same, for people.
    pub question: &'static str,
    /// Where it stands.
    pub status: CaseStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who decided, where somebody did.
    pub decided_by: Option<String>,
    /// What speaks for and against.
    pub evidence: Vec<Evidence>,
    /// What all of it weighs, in hundredths of a bit, where it was weighed.
    pub weight: Option<i64>,
    /// What hangs on it, where it is open.
    pub stakes: Option<Stakes>,
    /// The two records.
    pub sides: [Side; 2],
}

/// The open cases, those first whose decision helps most ([`priority`]): at most `count` after one of them; `None` where that
/// one is not open.
///
/// # Errors
/// [`Failure`].
pub async fn list(
    context: &Context,
    after: Option<MatchCaseId>,
    count: usize,
) -> Result<Option<Listed>, Failure> {
    let mut conn = context.db.reader().await?;
    let ranked = ranked(&mut conn).await?;
    let begin = match after {
        None => 0,
        Some(after) => match ranked.iter().position(|stake| stake.case.id == after) {
            Some(at) => at + 1,
            None => return Ok(None),
        },
    };
    let page: Vec<&Stake> = ranked.iter().skip(begin).take(count).collect();
    let ids: Vec<MatchCaseId> = page.iter().map(|stake| stake.case.id).collect();
    let cases = match_case::of_ids(&mut conn, &ids).await?;
    let mut views: HashMap<MatchCaseId, CaseView> = views(&mut conn, cases)
        .await?
        .into_iter()
        .map(|view| (view.id, view))
        .collect();
    let cases = page.into_iter().filter_map(|stake| {
        let mut view = views.remove(&stake.case.id)?;
        view.stakes = Some(stakes(stake));
        Some(view)
    });
    Ok(Some(Listed {
        cases: cases.collect(),
        open: ranked.len(),
    }))
}

/// How many cases are open.
///
/// # Errors
/// [`Failure`].
pub async fn count_open(context: &Context) -> Result<i64, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(match_case::count(&mut conn, CaseStatus::Open).await?)
}

/// One case, whatever its state.
///
/// # Errors
/// [`Failure`].
pub async fn find(context: &Context, id: MatchCaseId) -> Result<Option<CaseView>, Failure> {
    let mut conn = context.db.reader().await?;
    let case = match_case::find(&mut conn, id).await?;
    let Some(mut view) = views(&mut conn, case.into_iter().collect()).await?.pop() else {
        return Ok(None);
    };
    if view.status == CaseStatus::Open {
        view.stakes = stakes_of(&mut conn, &view).await?;
    }
    Ok(Some(view))
}

fn stakes(stake: &Stake) -> Stakes {
    Stakes {
        in_use: stake.in_use,
        settles: stake.settles,
        is_joined: stake.is_joined(),
    }
}

/// What hangs on one case: only those about its records are looked at.
async fn stakes_of(conn: &mut Conn, view: &CaseView) -> Result<Option<Stakes>, StoreError> {
    let [one, other] = &view.sides;
    let around = match_case::of_records(conn, &[one.record, other.record]).await?;
    let open = around.iter().filter(|case| case.status == CaseStatus::Open);
    let identities = [one.identity, other.identity];
    let cases: Vec<OpenCase> = open
        .map(|case| OpenCase {
            id: case.id,
            records: [case.first, case.second],
            identities,
            weight: None,
        })
        .collect();
    let used = person::in_use(conn, &identities).await?;
    let ranked = priority::ranked(&cases, &used);
    Ok(ranked.iter().find(|stake| stake.case.id == view.id).map(stakes))
}

async fn ranked(conn: &mut Conn) -> Result<Vec<Stake>, StoreError> {
    let mut cases = Vec::new();
    for pair in match_case::open(conn).await? {
        let (_, weight) = terms(&pair.evidence)?;
        cases.push(OpenCase {
            id: pair.id,
            records: pair.records,
            identities: pair.identities,
            weight,
        });
    }
    let mut people: Vec<IdentityId> = cases.iter().flat_map(|case| case.identities).collect();
    people.sort_unstable();
    people.dedup();
    let used = person::in_use(conn, &people).await?;
    Ok(priority::ranked(&cases, &used))
}

async fn views(conn: &mut Conn, cases: Vec<StoredCase>) -> Result<Vec<CaseView>, StoreError> {
    let mut ids: Vec<SourceRecordId> = cases.iter().flat_map(|case| [case.first, case.second]).collect();
    ids.sort();
    ids.dedup();
    let records = roster::find(conn, Lookup::Ids(ids.clone())).await?;
    let schools: Vec<String> = records.iter().map(|record| record.school.to_string()).collect();
    let schools = SCHOOL.load(conn, &schools).await?;
    let mut latest: HashMap<SourceRecordId, Membership> = HashMap::new();
    for membership in membership::of_records(conn, &ids).await? {
        let newer = latest
            .get(&membership.record)
            .is_none_or(|other| (membership.year, membership.ends_on) > (other.year, other.ends_on));
        if newer {
            latest.insert(membership.record, membership);
        }
    }
    let classes: Vec<String> = latest
        .values()
        .filter_map(|membership| membership.class.map(|class| class.to_string()))
        .collect();
    let classes = CLASS_GROUP.load(conn, &classes).await?;
    let owners: Vec<_> = records
        .iter()
        .map(|record| (record.id, record.identity))
        .collect();
    let mut families = families(conn, &owners).await?;
    let mut side = |record: &StoredRecord| {
        let membership = latest.get(&record.id);
        let class = membership
            .and_then(|membership| membership.class)
            .and_then(|class| classes.get(&class.to_string()));
        Side {
            record: record.id,
            identity: record.identity,
            name: format!("{} {}", record.given_name, record.family_name),
            usage_name: record.usage_name.clone(),
            birth_date: record.birth_date,
            has_ine: record.ine_index.is_some(),
            school: record.school.clone(),
            school_name: schools
                .get(record.school.as_str())
                .map(|row| SCHOOL.text(row, "name").to_owned()),
            class: class.map(|row| CLASS_GROUP.text(row, "label").to_owned()),
            level: membership.and_then(|membership| membership.level.clone()),
            year: record.year,
            source: record.key.source,
            place: format!("{}:{}", record.file, record.line),
            gone: record.missing_since.is_some(),
            family: families.remove(&record.id).unwrap_or_default(),
        }
    };
    let sides: HashMap<SourceRecordId, Side> =
        records.iter().map(|record| (record.id, side(record))).collect();
    let mut views = Vec::new();
    for case in cases {
        // A case whose record is gone shows nothing: there is nobody to decide about.
        if let (Some(one), Some(other)) = (sides.get(&case.first), sides.get(&case.second)) {
            let (evidence, weight) = terms(&case.evidence)?;
            views.push(CaseView {
                id: case.id,
                reason: case.reason,
                question: evidence::question(case.reason),
                status: case.status,
                opened_at: case.opened_at,
                decided_by: case.decided_by.clone(),
                evidence,
                weight,
                stakes: None,
                sides: [one.clone(), other.clone()],
            });
        }
    }
    Ok(views)
}

/// Cases that were opened before evidence was weighed keep terms only.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Kept {
    Weighed { weight: i64, terms: Vec<String> },
    Terms(Vec<String>),
}

pub(super) fn terms(stored: &str) -> Result<(Vec<Evidence>, Option<i64>), StoreError> {
    let kept: Kept =
        serde_json::from_str(stored).map_err(|error| StoreError::corrupt("match_case.evidence", error))?;
    let (weight, terms) = match kept {
        Kept::Weighed { weight, terms } => (Some(weight), terms),
        Kept::Terms(terms) => (None, terms),
    };
    let found = terms
        .iter()
        .map(|term| {
            term.parse()
                .map_err(|error| StoreError::corrupt("match_case.evidence", error))
        })
        .collect::<Result<_, _>>()?;
    Ok((found, weight))
}
