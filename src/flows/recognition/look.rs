//! Loads the records around what arrived or changed, as far as recognition wants to see, and asks it.

use std::collections::HashMap;

use crate::base::id::SourceRecordId;
use crate::continuum::neighbourhood::{Case, Neighbourhood, Pair, Touched};
use crate::continuum::pair::{Facts, Record};
use crate::continuum::resolve::Resolution;
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::match_case::{self, StoredCase};
use crate::store::person;
use crate::store::roster::{self, Lookup, StoredRecord};

/// What recognition saw and said.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) resolution: Resolution,
    /// Every record it saw, as the store has it.
    pub(crate) records: HashMap<SourceRecordId, StoredRecord>,
    /// Every case it saw.
    pub(crate) cases: HashMap<Pair, StoredCase>,
}

/// A record as recognition sees it.
pub(crate) fn record(stored: &StoredRecord) -> Record {
    Record {
        id: stored.id,
        identity: Some(stored.identity),
        facts: facts(stored),
    }
}

/// What recognition looks at in a record.
pub(crate) fn facts(stored: &StoredRecord) -> Facts {
    Facts {
        ine: stored.ine_index,
        given_key: stored.given_key.clone(),
        household_key: stored.household_key.clone(),
        birth_date: stored.birth_date,
        school: stored.school.clone(),
    }
}

/// Looks at what arrived or changed, and at what is around it.
pub(crate) async fn look(conn: &mut Conn, touched: Vec<Touched>) -> Result<Seen, StoreError> {
    let mut seen = Seen::default();
    if touched.is_empty() {
        return Ok(seen);
    }
    let mut around = Neighbourhood::new(touched);
    loop {
        let wanted = around.wanted();
        if wanted.is_empty() {
            break;
        }
        let mut records = Vec::new();
        for lookup in [
            Lookup::Ines(wanted.ines),
            Lookup::Households(wanted.households),
            Lookup::Identities(wanted.identities),
            Lookup::Ids(wanted.records),
        ] {
            if !lookup.is_empty() {
                records.extend(roster::find(conn, lookup).await?);
            }
        }
        let cases = if wanted.cases_of.is_empty() {
            Vec::new()
        } else {
            match_case::of_records(conn, &wanted.cases_of).await?
        };
        around.found(
            records.iter().map(record).collect(),
            cases.iter().map(case).collect(),
        );
        seen.records
            .extend(records.into_iter().map(|stored| (stored.id, stored)));
        seen.cases
            .extend(cases.into_iter().map(|stored| (pair(&stored), stored)));
    }
    let contested = around.contested();
    let in_use = if contested.is_empty() {
        Default::default()
    } else {
        person::in_use(conn, &contested).await?
    };
    seen.resolution = around.resolve(&in_use);
    Ok(seen)
}

/// The pair of a case.
pub(crate) fn pair(stored: &StoredCase) -> Pair {
    Pair::new(stored.first, stored.second)
}

fn case(stored: &StoredCase) -> Case {
    Case {
        id: stored.id,
        pair: pair(stored),
        reason: stored.reason,
        status: stored.status,
    }
}
