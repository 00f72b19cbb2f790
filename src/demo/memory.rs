//! What the demo remembers from one start to the next: the picture codes it tells its visitors (a real installation
//! shows each once and keeps only a keyed hash), the accounts at its EduConnect, and whom each service has met.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// Which of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ServiceKey {
    /// The service of the école.
    Ecole,
    /// The ENT of the collège.
    College,
    /// The service both use.
    Carnet,
    /// The ENT of the lycée.
    Lycee,
    /// A publisher's textbook.
    Manuel,
}

/// A pupil whose code the demo tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Player {
    /// The identity.
    pub(super) identity: String,
    /// The first name.
    pub(super) first_name: String,
    /// The four pictures of the code, by id.
    pub(super) pictures: Vec<String>,
    /// The avatar.
    pub(super) avatar: String,
    /// Login name and password at the EduConnect of the demo, once the collège has handed them out.
    #[serde(default)]
    pub(super) educonnect: Option<(String, String)>,
}

/// One visit at a service, as the service sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Visit {
    /// The subject identifier it received.
    pub(super) sub: String,
    /// Whether next year's file was loaded by then.
    pub(super) after_move: bool,
}

/// Everything, as written to the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Notes {
    /// Whether the school year's files are loaded.
    pub(super) seeded: bool,
    /// Whether next year's file is loaded.
    pub(super) moved: bool,
    /// The pupils of the tour.
    pub(super) players: Vec<Player>,
    /// The class pages: id of the class → path.
    pub(super) classes: BTreeMap<String, String>,
    /// The teacher's password.
    pub(super) teacher_password: String,
    /// The services that were told of a logout.
    #[serde(default)]
    pub(super) closed: BTreeSet<ServiceKey>,
    /// By service and full name: the visits, in order.
    pub(super) visits: BTreeMap<ServiceKey, BTreeMap<String, Vec<Visit>>>,
}

impl Notes {
    /// Whether a service has met anybody, before or after the move.
    pub(super) fn met(&self, service: ServiceKey, after_move: bool) -> bool {
        self.visits.get(&service).is_some_and(|people| {
            people
                .values()
                .flatten()
                .any(|visit| visit.after_move == after_move)
        })
    }

    /// Writes a visit down; answers the subject the service saw for this name the time before.
    pub(super) fn visit(&mut self, service: ServiceKey, name: &str, sub: &str) -> Option<String> {
        let visit = Visit {
            sub: sub.to_owned(),
            after_move: self.moved,
        };
        let visits = self
            .visits
            .entry(service)
            .or_default()
            .entry(name.to_owned())
            .or_default();
        let before = visits.last().map(|visit| visit.sub.clone());
        visits.push(visit);
        before
    }
}

/// The notes and their file.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
    notes: Mutex<Notes>,
}

impl Memory {
    /// The notes of a file; none yet where it is missing or of another version.
    pub(super) fn open(path: &Path) -> Self {
        let notes = std::fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            path: path.to_owned(),
            notes: Mutex::new(notes.unwrap_or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The notes as they are.
    pub(super) fn read(&self) -> Notes {
        self.lock().clone()
    }

    /// Changes the notes and writes them to the file, which is replaced at once or not at all.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Notes) -> T) -> std::io::Result<T> {
        let mut notes = self.lock();
        let answer = change(&mut notes);
        let next = self.path.with_extension("json.next");
        std::fs::write(&next, serde_json::to_vec_pretty(&*notes)?)?;
        std::fs::rename(&next, &self.path)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_remembers_whom_it_met_across_starts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.json");
        let memory = Memory::open(&path);
        let visit = |memory: &Memory, sub: &str| {
            memory
                .change(|notes| notes.visit(ServiceKey::Carnet, "Lina Le Goff", sub))
                .unwrap()
        };
        assert_eq!(visit(&memory, "abc"), None);
        assert!(memory.read().met(ServiceKey::Carnet, false));
        let again = Memory::open(&path);
        again.change(|notes| notes.moved = true).unwrap();
        assert_eq!(visit(&again, "abc").as_deref(), Some("abc"));
        assert!(again.read().met(ServiceKey::Carnet, true));
        assert!(!again.read().met(ServiceKey::College, true));
    }
}
