//! Keeps what an identity shows in line with its records: the facts of the most recent one, active while enrolled,
//! departed by the rules of [`crate::domain::departure`].

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use crate::base::id::IdentityId;
use crate::continuum::precedence::precedence;
use crate::domain::departure::LastEnrolment;
use crate::domain::identity::Identity;
use crate::store::StoreError;
use crate::store::db::Tx;
use crate::store::departure;
use crate::store::image::IDENTITY;
use crate::store::person::{self, Person};
use crate::store::roster::{self, Lookup, StoredRecord};

/// Refreshes identities; those that are as they should be are not touched.
pub(crate) async fn refresh(
    tx: &mut Tx,
    work: &mut Work<'_>,
    ids: &BTreeSet<IdentityId>,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<IdentityId> = ids.iter().copied().collect();
    let mut shown: BTreeMap<IdentityId, StoredRecord> = BTreeMap::new();
    for record in roster::find(tx, Lookup::Identities(ids.clone())).await? {
        let newer = shown
            .get(&record.identity)
            .is_none_or(|other| precedence(record.year, &record.key) > precedence(other.year, &other.key));
        if newer {
            shown.insert(record.identity, record);
        }
    }
    let last = departure::last_of(tx, &ids).await?;
    let mut changed = Vec::new();
    for before in person::find(tx, &ids).await?.into_values() {
        let mut after = before.clone();
        let id = before.identity.id;
        if let Some(record) = shown.get(&id) {
            show(&mut after.identity, record);
        }
        let last = last.get(&id);
        let departs_on = last.map_or(work.today, LastEnrolment::departs_on);
        let status = before.identity.status.clone();
        // A merged or erased identity has nothing to show; a suspended one stays suspended.
        after.identity.status = if last.is_some_and(|last| last.claims(work.today)) {
            status.clone().enrol()
        } else if departs_on <= work.today {
            status.clone().depart(departs_on)
        } else {
            Ok(status.clone())
        }
        .unwrap_or(status);
        if work.changes(&IDENTITY, before.created_run, &before.values(), &after.values()) {
            changed.push(after);
        }
    }
    person::refresh(tx, &changed).await
}

/// Gives an identity the facts of a record.
pub(crate) fn show(identity: &mut Identity, record: &StoredRecord) {
    identity.family_name.clone_from(&record.family_name);
    identity.usage_name.clone_from(&record.usage_name);
    identity.given_name.clone_from(&record.given_name);
    identity.birth_date = Some(record.birth_date);
    identity.sex = record.sex.or(identity.sex);
}

/// A new identity that shows a record, from the day it is made.
pub(crate) fn born(record: &StoredRecord, id: IdentityId, work: &Work<'_>) -> Person {
    Person {
        identity: Identity {
            id,
            status: crate::domain::identity::Status::Active,
            family_name: record.family_name.clone(),
            usage_name: record.usage_name.clone(),
            given_name: record.given_name.clone(),
            birth_date: Some(record.birth_date),
            sex: record.sex,
            username: None,
            locale: None,
            created_at: work.now,
        },
        created_run: work.run,
    }
}
