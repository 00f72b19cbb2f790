//! Which children the links of a delivery are about: by the key of the feed, else by names in the school.

use std::collections::{BTreeSet, HashMap};

use super::settled::key_of;
use super::spool::Link;
use super::{ImportError, Loading};
use crate::base::id::SourceRecordId;
use crate::base::text::fold_tight;
use crate::domain::source::{Source, SourceKey};
use crate::store::membership;
use crate::store::owner::{self, Owned};
use crate::store::roster::{self, StoredRecord};

/// A child of a link, found.
pub(super) type Child = Owned;

impl Loading<'_, '_> {
    /// The children of links: by key, or by names in the school.
    pub(super) async fn children(&mut self, links: &[Link]) -> Result<Vec<Option<Child>>, ImportError> {
        let keys: BTreeSet<&String> = links.iter().filter_map(|link| link.child.as_ref().ok()).collect();
        let keys: Vec<SourceKey> = keys
            .into_iter()
            .map(|key| key_of(self.frame, self.school, key))
            .collect();
        let by_key = owner::of_keys(self.tx, &keys).await?;
        let is_named = links.iter().any(|link| link.child.is_err());
        let pupils = if is_named {
            self.pupils().await?
        } else {
            Vec::new()
        };
        let mut found = Vec::new();
        for link in links {
            let child = match &link.child {
                Ok(key) => by_key
                    .get(&key_of(self.frame, self.school, key).to_string())
                    .copied(),
                Err(named) => {
                    let named = named_child(&pupils, named);
                    if let Err(message) = named {
                        self.done.counts.adults_unclear += 1;
                        self.complain((link.file, link.line), message);
                    }
                    named.ok()
                }
            };
            found.push(child);
        }
        Ok(found)
    }

    /// The pupils of the school this year, of every source, with the folded labels of their classes.
    async fn pupils(&mut self) -> Result<Vec<(StoredRecord, String)>, ImportError> {
        let mut pupils = Vec::new();
        for source in [
            Source::Onde,
            Source::Csv,
            Source::Aaf1d,
            Source::Siecle,
            Source::Aaf2d,
            Source::OneRoster,
        ] {
            let records = roster::of_school(self.tx, self.school, source).await?;
            if records.is_empty() {
                continue;
            }
            let classes = membership::classes(self.tx, self.school, self.frame.year, source).await?;
            let labels: HashMap<_, String> = classes
                .into_iter()
                .map(|class| (class.id, fold_tight(&class.label)))
                .collect();
            let enrolled = membership::of_school(self.tx, self.school, self.frame.year, source).await?;
            let class_of: HashMap<SourceRecordId, String> = enrolled
                .into_iter()
                .filter_map(|theirs| Some((theirs.record, labels.get(&theirs.class?)?.clone())))
                .collect();
            for record in records {
                if record.year == self.frame.year && record.missing_since.is_none() {
                    let class = class_of.get(&record.id).cloned().unwrap_or_default();
                    pupils.push((record, class));
                }
            }
        }
        Ok(pupils)
    }
}

fn child(record: &StoredRecord) -> Child {
    Child {
        record: record.id,
        identity: record.identity,
    }
}

/// The one child of the school who is named so; of several, the one in the class that is named.
fn named_child(
    pupils: &[(StoredRecord, String)],
    (family, given, class): &(String, String, Option<String>),
) -> Result<Child, &'static str> {
    let (family, given) = (fold_tight(family), fold_tight(given));
    let is_named = |record: &StoredRecord| {
        let usage = record.usage_name.as_deref().map(fold_tight);
        record.given_key == given
            && (fold_tight(&record.family_name) == family || usage.as_ref() == Some(&family))
    };
    let mut found: Vec<&(StoredRecord, String)> =
        pupils.iter().filter(|(record, _)| is_named(record)).collect();
    let people = |found: &[&(StoredRecord, String)]| {
        found
            .iter()
            .map(|(record, _)| record.identity)
            .collect::<BTreeSet<_>>()
            .len()
    };
    if people(&found) > 1
        && let Some(class) = class.as_deref().map(fold_tight)
    {
        found.retain(|(_, theirs)| *theirs == class);
    }
    match (people(&found), found.first()) {
        (1, Some((record, _))) => Ok(child(record)),
        (0, _) | (_, None) => Err(
            "enfant qui n'est pas dans l'établissement cette année, ou écrit autrement : lien mis de côté",
        ),
        _ => Err("enfant qui a un homonyme dans l'établissement : lien à faire à la main"),
    }
}
