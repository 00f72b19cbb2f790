//! Who answers for children already, found by the child: a school has a thousand children, and each of them has two.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ImportError, Loading};
use crate::base::id::IdentityId;
use crate::domain::source::AdultFacts;
use crate::store::adult::{self, AdultRecord};
use crate::store::guardianship;
use crate::store::image::GUARDIANSHIP;
use crate::store::person;

/// Somebody who answers for a child already.
#[derive(Default)]
struct Candidate {
    names: Vec<AdultFacts>,
    /// Their keys in the source and scope of the load.
    keys: Vec<AdultRecord>,
}

/// Everybody who answers for any of some children.
pub(super) struct Candidates {
    people: BTreeMap<IdentityId, Candidate>,
    of: HashMap<IdentityId, Vec<IdentityId>>,
}

impl Candidates {
    /// Those who answer for one of these children and are named so.
    pub(super) fn alike(&self, children: &BTreeSet<IdentityId>, facts: &AdultFacts) -> Vec<IdentityId> {
        let theirs: BTreeSet<IdentityId> = children
            .iter()
            .filter_map(|child| self.of.get(child))
            .flatten()
            .copied()
            .collect();
        let is_named_so = |identity: &IdentityId| {
            let candidate = self.people.get(identity);
            candidate.is_some_and(|known| known.names.iter().any(|names| names.is_named_like(facts)))
        };
        theirs.into_iter().filter(is_named_so).collect()
    }

    /// The keys that somebody has in the source and scope of the load.
    pub(super) fn keys_of(&self, identity: &IdentityId) -> &[AdultRecord] {
        let candidate = self.people.get(identity);
        candidate.map(|known| known.keys.as_slice()).unwrap_or_default()
    }
}

impl Loading<'_, '_> {
    /// Everybody who answers for any of the children.
    pub(super) async fn candidates(
        &mut self,
        children: &BTreeSet<IdentityId>,
    ) -> Result<Candidates, ImportError> {
        let children: Vec<IdentityId> = children.iter().copied().collect();
        let mut people: BTreeMap<IdentityId, Candidate> = BTreeMap::new();
        let mut of: HashMap<IdentityId, Vec<IdentityId>> = HashMap::new();
        for row in guardianship::rows_of_pupils(self.tx, &children).await? {
            let (Ok(guardian), Ok(pupil)) = (
                GUARDIANSHIP.text(&row, "guardian_id").parse(),
                GUARDIANSHIP.text(&row, "pupil_id").parse(),
            ) else {
                continue;
            };
            people.entry(guardian).or_default();
            of.entry(pupil).or_default().push(guardian);
        }
        let ids: Vec<IdentityId> = people.keys().copied().collect();
        for (id, person) in person::find(self.tx, &ids).await? {
            if let Some(candidate) = people.get_mut(&id) {
                candidate.names.push(AdultFacts {
                    family_name: person.identity.family_name,
                    usage_name: person.identity.usage_name,
                    given_name: person.identity.given_name,
                    sex: person.identity.sex,
                    birth_date: person.identity.birth_date,
                });
            }
        }
        let (source, scope) = (self.source(), self.frame.feed.scope(self.school));
        for record in adult::find(self.tx, adult::Lookup::Identities(ids)).await? {
            if let Some(candidate) = people.get_mut(&record.identity) {
                candidate.names.push(record.facts.clone());
                if record.key.source == source && record.key.scope == scope {
                    candidate.keys.push(record);
                }
            }
        }
        Ok(Candidates { people, of })
    }
}
