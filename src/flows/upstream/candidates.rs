//! Whom somebody who comes from a provider may be, as far as the house knows: by link, by the ministry's keys, by the INE, by
//! name and birth date.

use std::collections::BTreeMap;

use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::base::text::fold;
use crate::domain::education::Degree;
use crate::domain::identity::{Identity, Status};
use crate::domain::source::{PersonFacts, Source, SourceKey};
use crate::domain::upstream::UpstreamProvider;
use crate::store;
use crate::store::db::Conn;
use crate::store::roster::{Lookup, StoredRecord};
use crate::upstream::Introduction;
use crate::upstream::linking::{Candidates, Known};
use crate::upstream::vector::{Vecteur, VecteurKind};

/// Finds everybody who may be meant. `linked` is the person of the link, where there is one.
pub(super) async fn find(
    context: &Context,
    conn: &mut Conn,
    (provider, person): (&UpstreamProvider, &Introduction),
    linked: Option<&Identity>,
) -> Result<Candidates, Failure> {
    let mut found = Candidates::default();
    if let Some(identity) = linked {
        found.linked = known(conn, &[identity.id]).await?.into_iter().next();
    }
    let mut by_key = keyed(conn, provider, person).await?;
    for vecteur in spoken_for(conn, provider, &person.vecteurs).await? {
        let records = store::roster::by_attachment(conn, &vecteur.attachment, &vecteur.school).await?;
        let people = records.iter().map(|record| record.identity);
        match vecteur.kind {
            VecteurKind::Pupil(_) => by_key.extend(people),
            VecteurKind::Guardian(Degree::First) if records.is_empty() => {
                found.unknown_children.extend(declared(conn, vecteur).await?);
            }
            VecteurKind::Guardian(_) => found.children.extend(people),
        }
    }
    found.children.sort_unstable();
    found.children.dedup();
    if !found.children.is_empty() {
        by_key.extend(named_guardians(conn, person, &found.children).await?);
    }
    found.by_key = known(conn, &by_key).await?;
    // What is not needed any more is not looked for: a known link is the hot path.
    if linked.is_some() {
        return Ok(found);
    }
    if let (true, Some(ine)) = (provider.linking.by_ine, &person.ine) {
        let index = context.vault.index("ine", ine.expose())?;
        let records = store::roster::find(conn, Lookup::Ines(vec![index])).await?;
        found.by_ine = known(conn, &people(&records)).await?;
    }
    if found.by_key.is_empty() && found.by_ine.is_empty() {
        found.namesakes = namesakes(conn, person).await?;
    }
    Ok(found)
}

/// The people of the ministry's keys that the provider may state.
async fn keyed(
    conn: &mut Conn,
    provider: &UpstreamProvider,
    person: &Introduction,
) -> Result<Vec<IdentityId>, Failure> {
    let stated = person
        .ref_ids
        .iter()
        .filter(|id| provider.speaks_for(&id.academy));
    let keys: Vec<SourceKey> = stated
        .flat_map(|id| {
            [Source::Aaf1d, Source::Aaf2d].map(|source| SourceKey {
                source,
                scope: id.academy.to_string(),
                key: id.jointure.clone(),
            })
        })
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let records = store::roster::find(conn, Lookup::Keys(keys.clone())).await?;
    let mut found = people(&records);
    // The same keys name adults, who have records of their own.
    let adults = store::adult::find(conn, store::adult::Lookup::Keys(keys)).await?;
    found.extend(adults.iter().map(|adult| adult.identity));
    Ok(found)
}

/// The vectors whose schools are of academies that the provider may state keys of.
async fn spoken_for<'v>(
    conn: &mut Conn,
    provider: &UpstreamProvider,
    vecteurs: &'v [Vecteur],
) -> Result<Vec<&'v Vecteur>, Failure> {
    let mut spoken = Vec::new();
    for vecteur in vecteurs {
        if provider.academies.is_empty() {
            spoken.push(vecteur);
            continue;
        }
        let school = store::school::find(conn, &vecteur.school).await?;
        if school.is_some_and(|school| provider.speaks_for(&school.academy)) {
            spoken.push(vecteur);
        }
    }
    Ok(spoken)
}

/// The vector, where its school is declared here.
async fn declared(conn: &mut Conn, vecteur: &Vecteur) -> Result<Option<Vecteur>, Failure> {
    let school = store::school::find(conn, &vecteur.school).await?;
    Ok(school.map(|_| vecteur.clone()))
}

/// The guardians of pupils who are named as the person is.
async fn named_guardians(
    conn: &mut Conn,
    person: &Introduction,
    children: &[IdentityId],
) -> Result<Vec<IdentityId>, Failure> {
    let (Some(given), Some(family)) = (person.given_key(), person.family_key()) else {
        return Ok(Vec::new());
    };
    let mut adults = Vec::new();
    for child in children {
        adults.extend(store::guardianship::guardians(conn, *child).await?);
    }
    let adults = known(conn, &adults).await?;
    let is_named = |adult: &Known| adult.given_keys.contains(&given) && adult.family_keys.contains(&family);
    Ok(adults
        .into_iter()
        .filter(is_named)
        .map(|adult| adult.identity)
        .collect())
}

async fn namesakes(conn: &mut Conn, person: &Introduction) -> Result<Vec<Known>, Failure> {
    let (Some(family), Some(birth_date)) = (&person.family_name, person.birth_date) else {
        return Ok(Vec::new());
    };
    let facts = PersonFacts {
        family_name: family.clone(),
        usage_name: None,
        given_name: person.given_name.clone().unwrap_or_default(),
        other_names: Vec::new(),
        birth_date,
        sex: None,
        ine: None,
    };
    let records = store::roster::find(conn, Lookup::Households(vec![facts.household_key()])).await?;
    known(conn, &people(&records)).await
}

fn people(records: &[StoredRecord]) -> Vec<IdentityId> {
    records.iter().map(|record| record.identity).collect()
}

/// What the house knows of people: their identity and every record of theirs.
async fn known(conn: &mut Conn, ids: &[IdentityId]) -> Result<Vec<Known>, Failure> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let identities = store::person::find(conn, &ids).await?;
    let records = store::roster::find(conn, Lookup::Identities(ids.clone())).await?;
    let adults = store::adult::find(conn, store::adult::Lookup::Identities(ids.clone())).await?;
    let mut of: BTreeMap<IdentityId, Vec<&StoredRecord>> = BTreeMap::new();
    for record in &records {
        of.entry(record.identity).or_default().push(record);
    }
    let households: Vec<String> = records
        .iter()
        .map(|record| record.household_key.clone())
        .filter(|key| !key.is_empty())
        .collect();
    let neighbours = if households.is_empty() {
        Vec::new()
    } else {
        store::roster::find(conn, Lookup::Households(households)).await?
    };
    let mut found = Vec::new();
    for id in ids {
        let Some(person) = identities.get(&id) else {
            continue;
        };
        let identity = &person.identity;
        let theirs = of.remove(&id).unwrap_or_default();
        let mut one = Known {
            identity: id,
            may_sign_in: identity.status == Status::Active,
            given_keys: vec![fold(&identity.given_name)],
            family_keys: vec![fold(&identity.family_name)],
            birth_dates: identity.birth_date.into_iter().collect(),
            profiles: Vec::new(),
            has_twin: false,
        };
        one.family_keys.extend(identity.usage_name.as_deref().map(fold));
        for adult in adults.iter().filter(|adult| adult.identity == id) {
            one.given_keys.push(fold(&adult.facts.given_name));
            one.family_keys.push(fold(&adult.facts.family_name));
            one.family_keys
                .extend(adult.facts.usage_name.as_deref().map(fold));
            one.birth_dates.extend(adult.facts.birth_date);
            one.profiles.push(adult.profile);
        }
        for record in theirs {
            one.given_keys.push(fold(&record.given_name));
            one.family_keys.push(fold(&record.family_name));
            one.family_keys.extend(record.usage_name.as_deref().map(fold));
            one.birth_dates.push(record.birth_date);
            one.profiles.push(record.profile);
            one.has_twin |= neighbours
                .iter()
                .any(|other| other.identity != id && other.household_key == record.household_key);
        }
        found.push(one);
    }
    Ok(found)
}

/// The pupils whom a guardian's vectors lead to, for whoever writes it down.
pub(super) async fn children(
    conn: &mut Conn,
    provider: &UpstreamProvider,
    vecteurs: &[Vecteur],
) -> Result<Vec<IdentityId>, Failure> {
    let mut children = Vec::new();
    for vecteur in spoken_for(conn, provider, vecteurs).await? {
        if matches!(vecteur.kind, VecteurKind::Guardian(_)) {
            let records = store::roster::by_attachment(conn, &vecteur.attachment, &vecteur.school).await?;
            children.extend(people(&records));
        }
    }
    children.sort_unstable();
    children.dedup();
    Ok(children)
}
