//! What recognition found, record by record and case by case, for programs: who is whom by the keys that the sources themselves
//! give. Holds no name; what is read is read in pages.

use std::collections::HashMap;

use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
use crate::continuum::evaluation::{self, Evaluation, Judged};
use crate::continuum::evidence::Evidence;
use crate::domain::matching::{CaseStatus, Reason};
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::flows::{Context, Failure};
use crate::store::match_case;
use crate::store::roster::{self, Lookup, StoredRecord};

/// How many are read at once.
const PAGE: i64 = 5_000;

/// A record and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its id here.
    pub record: SourceRecordId,
    /// The source.
    pub source: Source,
    /// In what its keys are unique: an academy code or a UAI.
    pub scope: String,
    /// The key in the source's own words: `UAI:row` for files without keys (the row from 1, the header not counted), else the source's key.
    pub key: String,
    /// The school that states it.
    pub school: Uai,
    /// The file it stood in when it was last new or changed.
    pub file: String,
    /// Its line there.
    pub line: i64,
    /// Whose it is.
    pub identity: IdentityId,
    /// Folded family name and birth date: what twins share.
    pub household: String,
    /// Folded given name.
    pub given: String,
}

/// An open case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedCase {
    /// Its id.
    pub case: MatchCaseId,
    /// Why it is open.
    pub reason: Reason,
    /// What all evidence weighs, in hundredths of a bit.
    pub weight: Option<i64>,
    /// What speaks for and against.
    pub evidence: Vec<Evidence>,
    /// The two records.
    pub records: [Reported; 2],
}

fn reported(stored: StoredRecord) -> Reported {
    let key = match stored.ordinal {
        Some(ordinal) => format!("{}:{ordinal}", stored.school),
        None => stored.key.key,
    };
    Reported {
        record: stored.id,
        source: stored.key.source,
        scope: stored.key.scope,
        key,
        school: stored.school,
        file: stored.file,
        line: stored.line,
        identity: stored.identity,
        household: stored.household_key,
        given: stored.given_key,
    }
}

/// Records in the order of their ids, those after one of them; none where there are no more.
///
/// # Errors
/// [`Failure`].
pub async fn records(context: &Context, after: Option<SourceRecordId>) -> Result<Vec<Reported>, Failure> {
    let mut conn = context.db.reader().await?;
    let page = roster::page(&mut conn, after, PAGE).await?;
    Ok(page.into_iter().map(reported).collect())
}

/// Open cases in the order of their ids, those after one of them; none where there are no more.
///
/// # Errors
/// [`Failure`].
pub async fn open_cases(context: &Context, after: Option<MatchCaseId>) -> Result<Vec<ReportedCase>, Failure> {
    let mut conn = context.db.reader().await?;
    let cases = match_case::page(&mut conn, CaseStatus::Open, after, PAGE).await?;
    let mut ids: Vec<SourceRecordId> = cases.iter().flat_map(|case| [case.first, case.second]).collect();
    ids.sort_unstable();
    ids.dedup();
    let records = roster::find(&mut conn, Lookup::Ids(ids)).await?;
    let records: HashMap<SourceRecordId, Reported> = records
        .into_iter()
        .map(|stored| (stored.id, reported(stored)))
        .collect();
    let mut found = Vec::new();
    for case in cases {
        let (evidence, weight) = super::view::terms(&case.evidence)?;
        if let (Some(one), Some(other)) = (records.get(&case.first), records.get(&case.second)) {
            found.push(ReportedCase {
                case: case.id,
                reason: case.reason,
                weight,
                evidence,
                records: [one.clone(), other.clone()],
            });
        }
    }
    Ok(found)
}

/// Counts what was found against a truth, and how many records the truth does not know. `person` says whose a record is.
///
/// # Errors
/// [`Failure`].
pub async fn evaluate(
    context: &Context,
    person: &(dyn Fn(&Reported) -> Option<u64> + Sync),
) -> Result<(Evaluation, u64), Failure> {
    let mut judged = Vec::new();
    let mut places = HashMap::new();
    let mut untold = 0;
    let mut after = None;
    loop {
        let page = records(context, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.record);
        for record in page {
            let Some(person) = person(&record) else {
                untold += 1;
                continue;
            };
            places.insert(record.record, judged.len());
            judged.push(Judged {
                identity: record.identity,
                person,
                household: record.household,
                given: record.given,
            });
        }
    }
    let mut asked = Vec::new();
    let mut after = None;
    loop {
        let page = open_cases(context, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.case);
        for case in &page {
            let [one, other] = &case.records;
            asked.extend(
                places
                    .get(&one.record)
                    .copied()
                    .zip(places.get(&other.record).copied()),
            );
        }
    }
    Ok((evaluation::evaluate(&judged, &asked), untold))
}
