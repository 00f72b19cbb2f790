//! The family that a record states: those who answer for the child, and the other children they answer for. Shown beside a
//! case, because it is what a school looks at first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::id::{AdultRecordId, IdentityId, SourceRecordId};
use crate::domain::source::Kinship;
use crate::store::StoreError;
use crate::store::adult::{self, AdultRecord, Lookup};
use crate::store::db::Conn;
use crate::store::image::GUARDIANSHIP;
use crate::store::{guardianship, person};

/// Somebody who answers for a child, as a feed states them. Prints without a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Guardian {
    /// Who it is.
    pub identity: IdentityId,
    /// Given and family name, as written.
    pub name: String,
    /// What they are to the child.
    pub kinship: Option<Kinship>,
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[guardian {}]", self.identity)
    }
}

/// The family of a record. Prints without names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// Those who answer for the child.
    pub guardians: Vec<Guardian>,
    /// The other children they answer for: given names, in order.
    pub siblings: BTreeSet<String>,
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "[{} guardians, {} siblings]",
            self.guardians.len(),
            self.siblings.len()
        )
    }
}

/// The families that records of these people state.
pub(super) async fn families(
    conn: &mut Conn,
    records: &[(SourceRecordId, IdentityId)],
) -> Result<HashMap<SourceRecordId, Family>, StoreError> {
    let ids: Vec<SourceRecordId> = records.iter().map(|(record, _)| *record).collect();
    let statements = adult::statements_of(conn, &ids).await?;
    let adults: BTreeSet<AdultRecordId> = statements.iter().map(|said| said.adult).collect();
    let adults = adult::find(conn, Lookup::Ids(adults.into_iter().collect())).await?;
    let adults: HashMap<AdultRecordId, AdultRecord> =
        adults.into_iter().map(|adult| (adult.id, adult)).collect();
    let people: BTreeSet<IdentityId> = adults.values().map(|adult| adult.identity).collect();
    let children = children_of(conn, &people.into_iter().collect::<Vec<_>>()).await?;
    let mut families: HashMap<SourceRecordId, Family> = HashMap::new();
    let pupils: BTreeSet<IdentityId> = records.iter().map(|(_, person)| *person).collect();
    for said in &statements {
        let Some(adult) = adults.get(&said.adult) else {
            continue;
        };
        let family = families.entry(said.pupil).or_default();
        family.guardians.push(Guardian {
            identity: adult.identity,
            name: format!("{} {}", adult.facts.given_name, adult.facts.family_name),
            kinship: said.kinship,
        });
        let theirs = children.get(&adult.identity).into_iter().flatten();
        let others = theirs.filter(|(child, _)| !pupils.contains(child));
        family.siblings.extend(others.map(|(_, name)| name.clone()));
    }
    for family in families.values_mut() {
        family
            .guardians
            .sort_by(|one, other| (&one.name, one.identity).cmp(&(&other.name, other.identity)));
        family
            .guardians
            .dedup_by(|one, other| one.identity == other.identity);
    }
    Ok(families)
}

/// The children that people answer for, each with a given name.
async fn children_of(
    conn: &mut Conn,
    guardians: &[IdentityId],
) -> Result<HashMap<IdentityId, BTreeMap<IdentityId, String>>, StoreError> {
    let rows = guardianship::rows_of_guardians(conn, guardians).await?;
    let id = |row: &[_], column| {
        let parsed = GUARDIANSHIP.text(row, column).parse::<IdentityId>();
        parsed.map_err(|error| StoreError::corrupt("guardianship", error))
    };
    let mut pairs = Vec::new();
    for row in &rows {
        pairs.push((id(row, "guardian_id")?, id(row, "pupil_id")?));
    }
    let pupils: BTreeSet<IdentityId> = pairs.iter().map(|(_, pupil)| *pupil).collect();
    let people = person::find(conn, &pupils.into_iter().collect::<Vec<_>>()).await?;
    let mut children: HashMap<IdentityId, BTreeMap<IdentityId, String>> = HashMap::new();
    for (guardian, pupil) in pairs {
        if let Some(person) = people.get(&pupil) {
            let name = person.identity.given_name.clone();
            children.entry(guardian).or_default().insert(pupil, name);
        }
    }
    Ok(children)
}
